# SPDX-License-Identifier: PostgreSQL
"""psycopg 3: the extended protocol, statements that become prepared by themselves, COPY in blocks, pipelines."""
import hashlib
import logging
import os
import threading
import time

import psycopg

LARGE = int(os.environ["LARGE_BYTES"])
SLEEPS = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'"


def statements(name):
    with open(f"{os.environ['STATEMENTS']}/{name}", encoding="utf-8") as file:
        return file.read().splitlines()


def connect(**how):
    connection = psycopg.connect("", autocommit=True, **how)
    connection.add_notice_handler(lambda notice: print("notice", fields(notice)))
    return connection


def fields(diag):
    return {name: getattr(diag, name) for name in dir(diag)
            if not name.startswith("_") and getattr(diag, name) is not None and not callable(getattr(diag, name))}


def show(error):
    print(type(error).__name__, repr(str(error)), fields(error.diag))


def run(connection, sql, values=None, **how):
    with connection.cursor(**{key: how.pop(key) for key in ("binary",) if key in how}) as cursor:
        try:
            cursor.execute(sql, values, **how)
            print(cursor.statusmessage, [(column.name, column.type_code, column.internal_size)
                                         for column in cursor.description or ()])
            for row in cursor.fetchall() if cursor.description else ():
                print(row)
        except psycopg.Error as error:
            show(error)


def value(connection, sql):
    return connection.execute(sql).fetchone()[0]


def greet(connection):
    print("== connect")
    for name in ("server_version", "client_encoding", "DateStyle", "TimeZone", "is_superuser", "application_name"):
        print(name, connection.info.parameter_status(name))
    print(connection.info.server_version, connection.pgconn.protocol_version, connection.pgconn.ssl_in_use,
          connection.pgconn.used_password)
    run(connection, "select current_user, session_user, current_database()")


def prepare(connection):
    print("== prepared")
    for number in (*range(12), None):
        run(connection, "select id, name from customers where id = %s", (number,))
    run(connection, "select %s::int, %s::text, %s::bytea", (7, "sieben", b"\x00\xff"), binary=True, prepare=True)
    run(connection, "select %s::int", ("no number",))
    with connection.transaction(), connection.cursor("portions") as cursor:
        cursor.itersize = 10
        cursor.execute("select n, repeat('x', n) from generate_series(1, 55) n")
        print(hashlib.md5(repr(list(cursor)).encode()).hexdigest())
    with connection.cursor() as cursor:
        print([row for row in cursor.stream("select generate_series(1, 20)")])
        cursor.executemany("insert into bulk values (%s, %s) returning id", [(n, f"line {n}") for n in range(500)],
                           returning=True)
        print(cursor.rowcount)


def copy(connection):
    print("== copy")
    with connection.cursor() as cursor:
        with cursor.copy("copy bulk from stdin") as into:
            for n in range(20000):
                into.write_row((n, f"line {n} ü"))
        print(cursor.statusmessage, cursor.rowcount)
        digest = hashlib.md5()
        with cursor.copy("copy (select * from bulk order by id, line) to stdout (format binary)") as out:
            for block in out:
                digest.update(block)
        print(cursor.statusmessage, digest.hexdigest())
        for sql, data in (("copy bulk from stdin", "1\tgood\nx\tbad\n"), ("copy nowhere from stdin", "")):
            try:
                with cursor.copy(sql) as into:
                    into.write(data)
            except psycopg.Error as error:
                show(error)
        try:
            with cursor.copy("copy bulk from stdin") as into:
                into.write("1\tgood\n")
                raise KeyError("the client gives up")
        except psycopg.Error as error:
            show(error)
        try:
            with cursor.copy("copy (select 10 / (3 - n) from generate_series(1, 5) n) to stdout") as out:
                print([bytes(row) for row in out])
        except psycopg.Error as error:
            show(error)
    run(connection, "select count(*) from bulk")


def pipeline(connection):
    print("== pipeline")
    with connection.pipeline():
        cursors = [connection.execute("select %s::int * 2, repeat('x', %s)", (n, n)) for n in range(300)]
    print(hashlib.md5(repr([cursor.fetchall() for cursor in cursors]).encode()).hexdigest())
    good, bad, skipped = (connection.cursor() for _ in range(3))
    try:  # the error comes out of whichever call it meets
        with connection.pipeline():
            good.execute("insert into customers values (50, 'Fifty', null) returning id")
            bad.execute("insert into customers values (50, 'Fifty', null)")
            skipped.execute("select 1")
    except psycopg.Error as error:
        show(error)
    for cursor in (good, bad, skipped):
        print(cursor.statusmessage)
    try:
        with connection.pipeline(), connection.transaction():
            connection.execute("insert into customers values (51, 'Fifty one', null)")
            connection.execute("select 1 / 0")
    except psycopg.Error as error:
        show(error)
    run(connection, "select id from customers where id >= 50")


def notify(connection, other):
    print("== notify")
    heard = []
    connection.add_notify_handler(lambda notice: heard.append((notice.channel, notice.payload)))
    run(connection, "listen bell")
    run(other, "notify bell, 'from the other ü'")
    run(connection, "notify bell, 'from itself'")
    while len(heard) < 2:
        connection.execute("select 1")
    print(heard)
    run(connection, "unlisten *")
    run(connection, "listen bell")
    run(other, "notify bell, 'waited for'")
    for notice in connection.notifies():
        print(notice.channel, notice.payload)
        break
    run(connection, "unlisten *")


def carry_large(connection):
    print("== large")
    text = "0123456789abcdef" * (LARGE // 16)
    run(connection, "insert into large values (1, %s) returning md5(value), length(value)", (text,))
    print(value(connection, "select value from large") == text)


def fail(connection):
    print("== errors")
    for sql in statements("errors.sql"):
        run(connection, sql)
        run(connection, sql, prepare=True)


def transact(connection):
    print("== transactions")
    run(connection, "insert into customers values (10, 'Ten', null)")
    try:
        with connection.transaction():
            run(connection, "insert into customers values (12, 'Twelve', null)")
            with connection.transaction(force_rollback=True):
                run(connection, "insert into customers values (13, 'Thirteen', null)")
            run(connection, "insert into customers values (12, 'Again', null)")
            print(connection.info.transaction_status)
            run(connection, "select 1")
    except psycopg.Error as error:
        show(error)
    try:
        with connection.transaction():
            run(connection, "insert into late values (1), (1)")
    except psycopg.Error as error:
        show(error)
    print(connection.info.transaction_status)
    run(connection, "select id from customers order by id")


def cancel(connection, other):
    print("== cancel")

    def cancel_it():
        while not value(other, SLEEPS):
            time.sleep(0.02)
        connection.cancel()

    thread = threading.Thread(target=cancel_it)
    thread.start()
    run(connection, "select pg_sleep(30)")
    thread.join()
    run(connection, "select 'goes on'")


def refuse():
    print("== refused")
    for how in ({"password": "wrong"}, {"dbname": "nowhere"}, {"user": "nobody_here"}):
        try:
            connect(**how)
        except psycopg.Error as error:
            print(type(error).__name__, error)


def terminate():
    print("== terminated")
    victim = connect()
    run(victim, "select pg_terminate_backend(pg_backend_pid())")
    print(victim.closed, victim.broken)


def main():
    logging.disable(logging.CRITICAL)  # what it says on leaving a failed pipeline depends on when the error came
    connection, other = connect(), connect()
    greet(connection)
    print("== simple")
    for sql in statements("simple.sql"):
        run(connection, sql)
    run(connection, "select 1; select 'two'; select 3")
    prepare(connection)
    copy(connection)
    pipeline(connection)
    notify(connection, other)
    carry_large(connection)
    fail(connection)
    transact(connection)
    cancel(connection, other)
    refuse()
    terminate()
    print("== closed")
    connection.close()
    while value(other, "select count(*) from pg_stat_activity where usename = current_user") > 1:
        time.sleep(0.02)
    other.close()


main()
