// SPDX-License-Identifier: PostgreSQL
// pgjdbc: the extended protocol with named statements after some runs, batches, portions, COPY by its own interface.
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.postgresql.copy.CopyManager;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

class Client {
    static final Map<String, String> ENVIRONMENT = System.getenv();
    static final java.io.PrintStream OUT = new java.io.PrintStream(System.out, true, StandardCharsets.UTF_8);

    static void say(String line) {
        OUT.println(line);
    }

    static List<String> statements(String name) throws IOException {
        return Files.readAllLines(Path.of(ENVIRONMENT.get("STATEMENTS"), name));
    }

    static String digest(byte[] data) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("MD5").digest(data));
    }

    static Connection connect(Map<String, String> how) throws SQLException {
        Properties words = new Properties();
        words.setProperty("user", how.getOrDefault("user", ENVIRONMENT.get("PGUSER")));
        words.setProperty("password", how.getOrDefault("password", ENVIRONMENT.get("PGPASSWORD")));
        words.setProperty("ApplicationName", "client");
        words.setProperty("gssEncMode", "disable");
        words.setProperty("sslmode", ENVIRONMENT.get("PGSSLMODE"));
        words.setProperty("sslrootcert", ENVIRONMENT.get("PGSSLROOTCERT"));
        words.setProperty("prepareThreshold", "3");
        String database = how.getOrDefault("database", ENVIRONMENT.get("PGDATABASE"));
        return DriverManager.getConnection("jdbc:postgresql://" + ENVIRONMENT.get("PGHOST") + ":" + ENVIRONMENT.get("PGPORT")
            + "/" + database, words);
    }

    static void show(Exception error) {
        say(error.getClass().getSimpleName() + " " + error.getMessage());
        ServerErrorMessage told = error instanceof PSQLException ? ((PSQLException) error).getServerErrorMessage() : null;
        if (told != null) {
            say("    " + Arrays.asList(told.getSeverity(), told.getSQLState(), told.getMessage(), told.getDetail(), told.getHint(),
                told.getPosition(), told.getInternalQuery(), told.getWhere(), told.getSchema(), told.getTable(), told.getColumn(),
                told.getDatatype(), told.getConstraint(), told.getFile(), told.getLine(), told.getRoutine()));
        }
        if (error instanceof BatchUpdateException) {
            say("    " + Arrays.toString(((BatchUpdateException) error).getUpdateCounts()));
        }
        if (error instanceof SQLException && ((SQLException) error).getNextException() != null) {
            show(((SQLException) error).getNextException());
        }
    }

    static void tell(ResultSet rows) throws SQLException {
        ResultSetMetaData about = rows.getMetaData();
        StringBuilder head = new StringBuilder();
        for (int i = 1; i <= about.getColumnCount(); i += 1) {
            head.append(about.getColumnName(i)).append(' ').append(about.getColumnTypeName(i)).append("; ");
        }
        say(head.toString());
        while (rows.next()) {
            Object[] row = new Object[about.getColumnCount()];
            for (int i = 0; i < row.length; i += 1) {
                row[i] = rows.getObject(i + 1) instanceof byte[] ? Arrays.toString(rows.getBytes(i + 1)) : rows.getString(i + 1);
            }
            say(Arrays.toString(row));
        }
    }

    static void tell(Statement statement, boolean hasRows) throws SQLException {
        for (SQLWarning warning = statement.getWarnings(); warning != null; warning = warning.getNextWarning()) {
            say("warning " + warning.getSQLState() + " " + warning.getMessage());
        }
        while (hasRows || statement.getUpdateCount() >= 0) {
            if (hasRows) {
                tell(statement.getResultSet());
            } else {
                say("updated " + statement.getUpdateCount());
            }
            hasRows = statement.getMoreResults();
        }
    }

    static void run(Connection connection, String sql, Object... values) {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < values.length; i += 1) {
                statement.setObject(i + 1, values[i]);
            }
            tell(statement, statement.execute());
        } catch (SQLException error) {
            show(error);
        }
    }

    static void simply(Connection connection, String sql) {
        try (Statement statement = connection.createStatement()) {
            tell(statement, statement.execute(sql));
        } catch (SQLException error) {
            show(error);
        }
    }

    static String value(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        }
    }

    static void greet(Connection connection) throws SQLException {
        say("== connect");
        say(connection.getMetaData().getDatabaseProductVersion() + " " + connection.getMetaData().getDriverVersion());
        PGConnection own = connection.unwrap(PGConnection.class);
        own.getParameterStatuses().entrySet().stream().map(Object::toString).sorted().forEach(Client::say);
        simply(connection, "select current_user, session_user, current_database()");
    }

    static void prepare(Connection connection) throws SQLException {
        say("== prepared");
        try (PreparedStatement find = connection.prepareStatement("select id, name from customers where id = ?")) {
            for (int number = 0; number < 8; number += 1) {
                find.setInt(1, number);
                tell(find.executeQuery());
            }
            say(find.getParameterMetaData().getParameterTypeName(1));
        }
        run(connection, "select ?::int + 1, ?::text, ?::bytea, ?::numeric", 7, "sieben ü", new byte[] {0, -1},
            new java.math.BigDecimal("1.50"));
        run(connection, "select ?::int", "no number");
        connection.setAutoCommit(false);
        try (PreparedStatement portions = connection.prepareStatement("select n, repeat('x', n) from generate_series(1, 25) n")) {
            portions.setFetchSize(10);
            tell(portions.executeQuery());
        }
        connection.commit();
        connection.setAutoCommit(true);
    }

    static void copyIn(CopyManager copies, String sql, String lines) throws IOException {
        try {
            say("copied " + copies.copyIn(sql, new ByteArrayInputStream(lines.getBytes(StandardCharsets.UTF_8))));
        } catch (SQLException error) {
            show(error);
        }
    }

    static void copyOut(CopyManager copies, String sql) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            say("copied " + copies.copyOut(sql, out) + " " + digest(out.toByteArray()));
        } catch (SQLException error) {
            show(error);
        }
    }

    static void copy(Connection connection) throws Exception {
        say("== copy");
        CopyManager copies = connection.unwrap(PGConnection.class).getCopyAPI();
        StringBuilder lines = new StringBuilder();
        for (int n = 0; n < 20000; n += 1) {
            lines.append(n).append("\tline ").append(n).append(" ü\n");
        }
        copyIn(copies, "copy bulk from stdin", lines.toString());
        copyOut(copies, "copy (select * from bulk order by id, line) to stdout (format csv)");
        copyIn(copies, "copy bulk from stdin", "1\tgood\nx\tbad\n");
        copyOut(copies, "copy (select 10 / (3 - n) from generate_series(1, 5) n) to stdout");
        org.postgresql.copy.CopyIn given = copies.copyIn("copy bulk from stdin");
        given.writeToCopy("1\tgood\n".getBytes(StandardCharsets.UTF_8), 0, 7);
        given.cancelCopy();
        run(connection, "select count(*) from bulk");
    }

    static void batch(Connection connection, String sql, int... numbers) throws SQLException {
        try (PreparedStatement many = connection.prepareStatement(sql)) {
            for (int number : numbers) {
                many.setInt(1, number);
                many.addBatch();
            }
            say(Arrays.toString(many.executeBatch()));
        } catch (SQLException error) {
            show(error);
        }
    }

    static void pipeline(Connection connection) throws SQLException {
        say("== pipeline");
        int[] numbers = new int[1000];
        Arrays.setAll(numbers, n -> n);
        batch(connection, "insert into bulk values (?, 'batch')", numbers);
        batch(connection, "insert into customers values (?, 'batch', null)", 50, 51, 50, 52);
        connection.setAutoCommit(false);
        batch(connection, "insert into customers values (?, 'batch', null)", 60, 61, 1, 62);
        connection.rollback();
        connection.setAutoCommit(true);
        try (Statement mixed = connection.createStatement()) {
            for (String sql : List.of("update customers set name = 'x' where id = 1", "insert into bulk values (1, 'm')", "selec")) {
                mixed.addBatch(sql);
            }
            say(Arrays.toString(mixed.executeBatch()));
        } catch (SQLException error) {
            show(error);
        }
        run(connection, "select count(*) from bulk");
        run(connection, "select id from customers order by id");
    }

    static void notify(Connection connection, Connection other) throws SQLException {
        say("== notify");
        PGConnection own = connection.unwrap(PGConnection.class);
        simply(connection, "listen bell");
        for (Connection from : List.of(other, connection)) {
            simply(from, "notify bell, '" + (from == other ? "from the other ü" : "from itself") + "'");
            for (PGNotification notice : own.getNotifications(20000)) {
                say(notice.getName() + " " + notice.getParameter());
            }
        }
        simply(connection, "unlisten *");
    }

    static void carryLarge(Connection connection) throws Exception {
        say("== large");
        String text = "0123456789abcdef".repeat(Integer.parseInt(ENVIRONMENT.get("LARGE_BYTES")) / 16);
        run(connection, "insert into large values (1, ?) returning md5(value), length(value)", text);
        say(String.valueOf(value(connection, "select value from large").equals(text)));
    }

    static void fail(Connection connection) throws IOException {
        say("== errors");
        for (String sql : statements("errors.sql")) {
            simply(connection, sql);
            run(connection, sql);
        }
    }

    static void transact(Connection connection) throws SQLException {
        say("== transactions");
        connection.setAutoCommit(false);
        simply(connection, "insert into customers values (10, 'Ten', null)");
        connection.commit();
        simply(connection, "insert into customers values (11, 'Eleven', null)");
        connection.rollback();
        run(connection, "insert into customers values (?, ?, null)", 12, "Twelve");
        Savepoint savepoint = connection.setSavepoint("s");
        run(connection, "insert into customers values (?, ?, null)", 12, "Again");
        simply(connection, "select 1");
        connection.rollback(savepoint);
        connection.commit();
        for (String sql : List.of("insert into late values (1), (1)", "select 1 / 0")) {
            simply(connection, sql);
            try {
                connection.commit();
                say("committed");
            } catch (SQLException error) {
                show(error);
                connection.rollback();
            }
        }
        connection.setAutoCommit(true);
        run(connection, "select id from customers order by id");
    }

    static void cancel(Connection connection, Connection other) throws Exception {
        say("== cancel");
        try (Statement statement = connection.createStatement()) {
            Thread messenger = new Thread(() -> {
                try {
                    while (value(other, "select count(*) from pg_stat_activity where wait_event = 'PgSleep'").equals("0")) {
                        Thread.sleep(20);
                    }
                    statement.cancel();
                } catch (Exception error) {
                    show(error);
                }
            });
            messenger.start();
            try {
                statement.execute("select pg_sleep(30)");
            } catch (SQLException error) {
                show(error);
            }
            messenger.join();
        }
        simply(connection, "select 'goes on'");
        try (Statement statement = connection.createStatement()) {
            statement.setQueryTimeout(1);
            statement.execute("select pg_sleep(30)");
        } catch (SQLException error) {
            show(error);
        }
        simply(connection, "select 'goes on'");
    }

    static void refuse() {
        say("== refused");
        for (Map<String, String> how : List.of(Map.of("password", "wrong"), Map.of("database", "nowhere"), Map.of("user", "nobody_here"))) {
            try {
                connect(how);
            } catch (SQLException error) {
                show(error);
            }
        }
    }

    static void terminate() throws SQLException {
        say("== terminated");
        Connection victim = connect(Map.of());
        simply(victim, "select pg_terminate_backend(pg_backend_pid())");
        say(String.valueOf(victim.isClosed()));
    }

    public static void main(String[] arguments) throws Exception {
        Connection connection = connect(Map.of());
        Connection other = connect(Map.of());
        greet(connection);
        say("== simple");
        for (String sql : statements("simple.sql")) {
            simply(connection, sql);
        }
        simply(connection, "select 1; select 'two'; select 3");
        prepare(connection);
        copy(connection);
        pipeline(connection);
        notify(connection, other);
        carryLarge(connection);
        fail(connection);
        transact(connection);
        cancel(connection, other);
        refuse();
        terminate();
        say("== closed");
        connection.close();
        while (!value(other, "select count(*) from pg_stat_activity where usename = current_user").equals("1")) {
            Thread.sleep(20);
        }
        other.close();
    }
}
