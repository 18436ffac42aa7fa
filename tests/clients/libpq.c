/* SPDX-License-Identifier: PostgreSQL */
/* libpq in C: every way of asking that it has, pipelines above all (manual: "Pipeline Mode"). */
#include <inttypes.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LINE_LONGEST = 1000, PORTION_ROWS = 300 };

static const char *const no_values[1];

static PGconn *open_with(const char *words)
{
    PGconn *connection = PQconnectdb(words);
    PQsetErrorVerbosity(connection, PQERRORS_VERBOSE);
    return connection;
}

static void show_notice(void *unused, const PGresult *result)
{
    (void)unused;
    printf("notice %s", PQresultErrorMessage(result));
}

static PGconn *open_connection(void)
{
    PGconn *connection = open_with("");
    if (PQstatus(connection) != CONNECTION_OK) {
        printf("not connected: %s", PQerrorMessage(connection));
        exit(EXIT_FAILURE);
    }
    PQsetNoticeReceiver(connection, show_notice, NULL);
    return connection;
}

static void show_fields(const PGresult *result)
{
    static const char fields[] = "SVCMDHPpqWstcdnFLR";
    for (const char *field = fields; *field != '\0'; field++) {
        const char *value = PQresultErrorField(result, *field);
        if (value != NULL) {
            printf("    %c: %s\n", *field, value);
        }
    }
}

static void show_rows(const PGresult *result)
{
    for (int column = 0; column < PQnfields(result); column++) {
        printf("%s %" PRIu32 " %d; ", PQfname(result, column), PQftype(result, column),
               PQfmod(result, column));
    }
    printf("\n");
    for (int row = 0; row < PQntuples(result); row++) {
        for (int column = 0; column < PQnfields(result); column++) {
            const char *value = PQgetisnull(result, row, column) ? "null" : PQgetvalue(result, row, column);
            printf("%s%s", value, column + 1 < PQnfields(result) ? " | " : "\n");
        }
    }
}

static void tell(PGresult *result)
{
    printf("%s %s %s\n", PQresStatus(PQresultStatus(result)), PQcmdStatus(result), PQcmdTuples(result));
    show_fields(result);
    if (PQnfields(result) > 0) {
        show_rows(result);
    }
    PQclear(result);
}

static void run(PGconn *connection, const char *sql)
{
    tell(PQexec(connection, sql));
}

static void run_extended(PGconn *connection, const char *sql, const char *value)
{
    tell(PQexecParams(connection, sql, value == NULL ? 0 : 1, NULL, &value, NULL, NULL, 0));
}

/* Tells all results of what was sent; how many there were. */
static int tell_all(PGconn *connection)
{
    int count = 0;
    for (PGresult *result = PQgetResult(connection); result != NULL; result = PQgetResult(connection)) {
        tell(result);
        count++;
    }
    return count;
}

static long number_of(PGconn *connection, const char *sql)
{
    PGresult *result = PQexec(connection, sql);
    const long number = PQntuples(result) == 1 ? strtol(PQgetvalue(result, 0, 0), NULL, 10) : -1;
    PQclear(result);
    return number;
}

static void rest(void)
{
    const struct timespec time = { .tv_nsec = 20 * 1000 * 1000 };
    nanosleep(&time, NULL);
}

static void for_each_statement(PGconn *connection, const char *name, void (*act)(PGconn *, const char *))
{
    char path[LINE_LONGEST];
    char line[LINE_LONGEST];
    (void)snprintf(path, sizeof path, "%s/%s", getenv("STATEMENTS"), name);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        act(connection, line);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
}

static void greet(PGconn *connection)
{
    static const char *const names[] = { "server_version",  "client_encoding",   "DateStyle",
                                         "TimeZone",        "is_superuser",      "application_name",
                                         "server_encoding", "integer_datetimes", "session_authorization" };
    printf("== connect\n");
    for (size_t at = 0; at < sizeof names / sizeof names[0]; at++) {
        printf("%s %s\n", names[at], PQparameterStatus(connection, names[at]));
    }
    printf("%d %d %d %d\n", PQserverVersion(connection), PQprotocolVersion(connection),
           PQsslInUse(connection), PQconnectionUsedPassword(connection));
    run(connection, "select current_user, session_user, current_database()");
}

static void prepare(PGconn *connection)
{
    static const char *const numbers[] = { "1", "2", "3", NULL, "no number" };
    printf("== prepared\n");
    tell(PQprepare(connection, "find", "select id, name from customers where id = $1", 0, NULL));
    for (size_t at = 0; at < sizeof numbers / sizeof numbers[0]; at++) {
        tell(PQexecPrepared(connection, "find", 1, &numbers[at], NULL, NULL, 0));
    }
    tell(PQdescribePrepared(connection, "find"));
    tell(PQprepare(connection, "find", "select 1", 0, NULL));
    tell(PQdescribePortal(connection, "nowhere"));
    run_extended(connection, "select $1::int + 1", "7");
    run_extended(connection, "", NULL);
    PQsendQuery(connection, "select n, repeat('x', n) from generate_series(1, 12) n; select 'next'");
    PQsetSingleRowMode(connection);
    printf("%d results\n", tell_all(connection));
}

static void put(PGconn *connection, const char *data)
{
    PQputCopyData(connection, data, (int)strlen(data));
}

static void take_copy(PGconn *connection, const char *sql)
{
    PQclear(PQexec(connection, sql));
    char *row = NULL;
    uint64_t hash = 0;
    for (int size = PQgetCopyData(connection, &row, 0); size > 0; size = PQgetCopyData(connection, &row, 0)) {
        for (int at = 0; at < size; at++) {
            hash = hash * 31 + (unsigned char)row[at];
        }
        PQfreemem(row);
    }
    printf("hash %" PRIx64 "\n", hash);
    tell_all(connection);
}

static void copy(PGconn *connection)
{
    char line[LINE_LONGEST];
    printf("== copy\n");
    PQclear(PQexec(connection, "copy bulk from stdin"));
    for (int number = 0; number < 20000; number++) {
        (void)snprintf(line, sizeof line, "%d\tline %d\n", number, number);
        put(connection, line);
    }
    PQputCopyEnd(connection, NULL);
    tell_all(connection);
    take_copy(connection, "copy (select * from bulk order by id) to stdout");
    PQclear(PQexec(connection, "copy bulk from stdin"));
    put(connection, "1\tgood\nx\tbad\n");
    PQputCopyEnd(connection, NULL);
    tell_all(connection);
    PQclear(PQexecParams(connection, "copy bulk from stdin", 0, NULL, no_values, NULL, NULL, 0));
    put(connection, "1\tgood\n");
    PQputCopyEnd(connection, "the client gives up");
    tell_all(connection);
    take_copy(connection, "copy (select 10 / (3 - n) from generate_series(1, 5) n) to stdout");
    run(connection, "select count(*) from bulk");
}

static void send_in_pipeline(PGconn *connection, const char *sql)
{
    PQsendQueryParams(connection, sql, 0, NULL, no_values, NULL, NULL, 0);
}

/* Tells what comes up to the next synchronisation. */
static void tell_segment(PGconn *connection)
{
    for (;;) {
        PGresult *result = PQgetResult(connection);
        if (result == NULL && PQstatus(connection) == CONNECTION_OK) {
            continue;
        }
        const bool is_end = result == NULL || PQresultStatus(result) == PGRES_PIPELINE_SYNC;
        tell(result);
        if (is_end) {
            return;
        }
    }
}

static void pipeline(PGconn *connection)
{
    printf("== pipeline\n");
    PQenterPipelineMode(connection);
    PQsendPrepare(connection, "double", "select $1::int * 2", 0, NULL);
    for (int number = 0; number < PORTION_ROWS; number++) {
        char text[LINE_LONGEST];
        (void)snprintf(text, sizeof text, "%d", number);
        const char *value = text;
        PQsendQueryPrepared(connection, "double", 1, &value, NULL, NULL, 0);
    }
    PQpipelineSync(connection);
    send_in_pipeline(connection, "insert into customers values (50, 'undone', null)");
    send_in_pipeline(connection, "insert into customers values (50, 'Again', null)");
    send_in_pipeline(connection, "select 'skipped'");
    PQpipelineSync(connection);
    send_in_pipeline(connection, "insert into late values (1), (1)");
    send_in_pipeline(connection, "select 'before the end'");
    PQpipelineSync(connection);
    send_in_pipeline(connection, "begin");
    send_in_pipeline(connection, "insert into customers values (51, 'kept', null) returning id");
    send_in_pipeline(connection, "commit");
    send_in_pipeline(connection, "selec");
    PQsendFlushRequest(connection);
    PQpipelineSync(connection);
    for (int segment = 0; segment < 4; segment++) {
        tell_segment(connection);
    }
    printf("left %d\n", PQexitPipelineMode(connection));
    run(connection, "select id, name from customers order by id");
}

static void await_notice(PGconn *connection)
{
    PGnotify *notice = NULL;
    while ((notice = PQnotifies(connection)) == NULL) {
        struct pollfd socket = { .fd = PQsocket(connection), .events = POLLIN };
        if (poll(&socket, 1, 20000) != 1) {
            printf("no notice came\n");
            return;
        }
        PQconsumeInput(connection);
    }
    printf("%s %s\n", notice->relname, notice->extra);
    PQfreemem(notice);
}

static void notify(PGconn *connection, PGconn *other)
{
    printf("== notify\n");
    run(connection, "listen bell");
    run(other, "notify bell, 'from the other'");
    await_notice(connection);
    run(connection, "notify bell, 'from itself'");
    await_notice(connection);
    run(connection, "unlisten *");
}

static void carry_large(PGconn *connection)
{
    printf("== large\n");
    const size_t size = strtoul(getenv("LARGE_BYTES"), NULL, 10);
    char *text = malloc(size + 1);
    if (text == NULL) {
        return;
    }
    for (size_t at = 0; at < size; at++) {
        text[at] = "0123456789abcdef"[at % 16];
    }
    text[size] = '\0';
    run_extended(connection, "insert into large values (1, $1) returning md5(value), length(value)", text);
    PGresult *result = PQexecParams(connection, "select value from large", 0, NULL, no_values, NULL, NULL, 1);
    printf("%d\n", PQntuples(result) == 1 && strcmp(PQgetvalue(result, 0, 0), text) == 0);
    PQclear(result);
    free(text);
}

static void fail(PGconn *connection, const char *sql)
{
    run(connection, sql);
    run_extended(connection, sql, NULL);
}

static void transact(PGconn *connection)
{
    static const char *const steps[] = {
        "begin",
        "insert into customers values (10, 'Ten', null)",
        "commit",
        "begin",
        "insert into customers values (11, 'Eleven', null)",
        "rollback",
        "begin",
        "insert into customers values (12, 'Twelve', null)",
        "savepoint s",
        "insert into customers values (12, 'Again', null)",
        "select 1",
        "rollback to s",
        "commit",
        "begin",
        "insert into late values (1), (1)",
        "commit",
        "begin",
        "select 1 / 0",
        "commit",
        "select id from customers order by id",
    };
    printf("== transactions\n");
    for (size_t at = 0; at < sizeof steps / sizeof steps[0]; at++) {
        run(connection, steps[at]);
        printf("status %d\n", (int)PQtransactionStatus(connection));
    }
}

static void cancel(PGconn *connection, PGconn *other)
{
    char words[LINE_LONGEST] = "";
    printf("== cancel\n");
    PQsendQuery(connection, "select pg_sleep(30)");
    while (number_of(other, "select count(*) from pg_stat_activity where wait_event = 'PgSleep'") == 0) {
        rest();
    }
    PGcancel *request = PQgetCancel(connection);
    printf("sent %d %s\n", PQcancel(request, words, sizeof words), words);
    PQfreeCancel(request);
    tell_all(connection);
    run(connection, "select 'goes on'");
}

static void refuse(void)
{
    static const char *const words[] = { "password=wrong", "dbname=nowhere", "user=nobody_here" };
    printf("== refused\n");
    for (size_t at = 0; at < sizeof words / sizeof words[0]; at++) {
        PGconn *connection = open_with(words[at]);
        printf("%d %s", (int)PQstatus(connection), PQerrorMessage(connection));
        PQfinish(connection);
    }
}

static void terminate(void)
{
    printf("== terminated\n");
    PGconn *victim = open_connection();
    run(victim, "select pg_terminate_backend(pg_backend_pid())");
    printf("%d\n", (int)PQstatus(victim));
    PQreset(victim);
    run(victim, "select 'connected anew'");
    PQfinish(victim);
}

int main(void)
{
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    PGconn *connection = open_connection();
    PGconn *other = open_connection();
    greet(connection);
    printf("== simple\n");
    for_each_statement(connection, "simple.sql", run);
    PQsendQuery(connection, "select 1; select 'two'; select 1 / 0; select 3");
    tell_all(connection);
    prepare(connection);
    copy(connection);
    pipeline(connection);
    notify(connection, other);
    carry_large(connection);
    printf("== errors\n");
    for_each_statement(connection, "errors.sql", fail);
    transact(connection);
    cancel(connection, other);
    refuse();
    terminate();
    printf("== closed\n");
    PQfinish(connection);
    while (number_of(other, "select count(*) from pg_stat_activity where usename = current_user") != 1) {
        rest();
    }
    PQfinish(other);
    return EXIT_SUCCESS;
}
