# SPDX-License-Identifier: PostgreSQL
"""psycopg2: libpq in its oldest ways, the simple protocol throughout."""
import hashlib
import io
import os
import select
import threading
import time

import psycopg2
import psycopg2.extras

LARGE = int(os.environ["LARGE_BYTES"])
SLEEPS = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'"


def statements(name):
    with open(f"{os.environ['STATEMENTS']}/{name}", encoding="utf-8") as file:
        return file.read().splitlines()


def connect(**how):
    connection = psycopg2.connect("", **how)
    connection.autocommit = True
    return connection


def run(connection, sql, values=None):
    with connection.cursor() as cursor:
        try:
            cursor.execute(sql, values)
            print(cursor.statusmessage, cursor.description and [tuple(column) for column in cursor.description])
            for row in cursor.fetchall() if cursor.description else ():
                print(row)
        except psycopg2.Error as error:
            show(error)
    for notice in connection.notices:
        print(repr(notice))
    connection.notices.clear()


def show(error):
    print(type(error).__name__, repr(str(error)))
    for name in dir(error.diag):
        if not name.startswith("_") and getattr(error.diag, name) is not None:
            print(f"    {name}: {getattr(error.diag, name)}")


def value(connection, sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def greet(connection):
    print("== connect")
    for name in ("server_version", "client_encoding", "DateStyle", "TimeZone", "is_superuser", "application_name"):
        print(name, connection.get_parameter_status(name))
    print(connection.server_version, connection.protocol_version, connection.info.ssl_in_use, connection.info.used_password)
    run(connection, "select current_user, session_user, current_database()")


def prepare(connection):
    print("== prepared")
    run(connection, "prepare find (int) as select name from customers where id = $1")
    for number in (1, 2, 3, None):
        run(connection, "execute find (%s)", (number,))
    run(connection, "deallocate find")
    connection.autocommit = False
    with connection.cursor("portions") as cursor:
        cursor.itersize = 10
        cursor.execute("select n, repeat('x', n) from generate_series(1, 55) n")
        print(hashlib.md5(repr(list(cursor)).encode()).hexdigest())
    connection.rollback()
    connection.autocommit = True
    with connection.cursor() as cursor:
        psycopg2.extras.execute_values(cursor, "insert into bulk values %s", [(n, f"line {n}") for n in range(500)])
        print(cursor.statusmessage)


def copy(connection):
    print("== copy")
    lines = io.StringIO("".join(f"{n}\tline {n} ü\n" for n in range(20000)))
    with connection.cursor() as cursor:
        cursor.copy_expert("copy bulk from stdin", lines)
        print(cursor.statusmessage, cursor.rowcount)
        out = io.StringIO()
        cursor.copy_expert("copy (select * from bulk order by id, line) to stdout (format csv)", out)
        print(cursor.statusmessage, cursor.rowcount, hashlib.md5(out.getvalue().encode()).hexdigest())
        for bad in ("1\tgood\nx\tbad\n", "1\ttoo\tmany\n"):
            try:
                cursor.copy_expert("copy bulk from stdin", io.StringIO(bad))
            except psycopg2.Error as error:
                show(error)
        try:
            cursor.copy_expert("copy (select 10 / (3 - n) from generate_series(1, 5) n) to stdout", io.StringIO())
        except psycopg2.Error as error:
            show(error)
    run(connection, "select count(*) from bulk")


def notify(connection, other):
    print("== notify")
    run(connection, "listen bell")
    run(other, "notify bell, 'from the other ü'")
    run(connection, "notify bell, 'from itself'")
    while len(connection.notifies) < 2:
        select.select([connection], [], [], 20)
        connection.poll()
    print([(notice.channel, notice.payload) for notice in connection.notifies])
    run(connection, "unlisten *")


def carry_large(connection):
    print("== large")
    text = "0123456789abcdef" * (LARGE // 16)
    with connection.cursor() as cursor:
        cursor.execute("insert into large values (1, %s) returning md5(value), length(value)", (text,))
        print(cursor.fetchone())
        cursor.execute("select value from large")
        print(cursor.fetchone()[0] == text)


def fail(connection):
    print("== errors")
    for sql in statements("errors.sql"):
        run(connection, sql)


def transact(connection):
    print("== transactions")
    connection.autocommit = False
    run(connection, "insert into customers values (10, 'Ten', null)")
    connection.commit()
    run(connection, "insert into customers values (11, 'Eleven', null)")
    connection.rollback()
    run(connection, "insert into customers values (12, 'Twelve', null)")
    run(connection, "savepoint s")
    run(connection, "insert into customers values (12, 'Again', null)")
    print(connection.info.transaction_status)
    run(connection, "select 1")
    run(connection, "rollback to s")
    connection.commit()
    run(connection, "insert into late values (1), (1)")
    try:
        connection.commit()
    except psycopg2.Error as error:
        show(error)
    print(connection.info.transaction_status)
    connection.rollback()
    connection.autocommit = True
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
        except psycopg2.Error as error:
            print(type(error).__name__, str(error).replace(os.environ["PGPORT"], "PORT"))


def terminate():
    print("== terminated")
    victim = connect()
    run(victim, "select pg_terminate_backend(pg_backend_pid())")
    print(victim.closed)


def main():
    connection, other = connect(), connect()
    greet(connection)
    print("== simple")
    for sql in statements("simple.sql"):
        run(connection, sql)
    prepare(connection)
    copy(connection)
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
