# SPDX-License-Identifier: PostgreSQL
"""asyncpg: a protocol of its own making, prepared statements and binary values throughout, Flush instead of Sync."""
import asyncio
import hashlib
import io
import os

import asyncpg

LARGE = int(os.environ["LARGE_BYTES"])
SLEEPS = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'"


def statements(name):
    with open(f"{os.environ['STATEMENTS']}/{name}", encoding="utf-8") as file:
        return file.read().splitlines()


def show(error):
    print(type(error).__name__, str(error), sorted(
        (name, value) for name, value in vars(error).items() if not name.startswith("_")) if hasattr(error, "sqlstate") else "")


async def connect(**how):
    how = {"timeout": 20, "server_settings": {"application_name": "client"}, **how}
    connection = await asyncpg.connect(**how)
    connection.add_log_listener(lambda _, notice: show(notice))
    return connection


async def run(connection, sql, *values):
    try:
        prepared = await connection.prepare(sql)
        for row in await prepared.fetch(*values):
            print(tuple(row.items()))
        print(prepared.get_statusmsg(), [(column.name, column.type.name) for column in prepared.get_attributes()])
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        show(error)


async def run_simply(connection, sql):
    try:
        print(await connection.execute(sql))
    except asyncpg.PostgresError as error:
        show(error)


async def greet(connection):
    print("== connect")
    settings = connection.get_settings()
    for name in ("server_version", "client_encoding", "DateStyle", "TimeZone", "is_superuser", "application_name"):
        print(name, getattr(settings, name, None))
    print(connection.get_server_version(), connection._transport.get_extra_info("sslcontext") is not None)
    await run(connection, "select current_user, session_user, current_database()")


async def prepare(connection):
    print("== prepared")
    find = await connection.prepare("select id, name from customers where id = $1")
    for number in (1, 2, 3, None):
        print(await find.fetch(number))
    print([parameter.name for parameter in find.get_parameters()])
    await run(connection, "select $1::int, $2::text, $3::bytea, $4::int[], $5::timestamptz", 7, "sieben", b"\0\xff",
              [1, None, 3], None)
    async with connection.transaction():
        rows = [tuple(row) async for row in connection.cursor("select n, repeat('x', n) from generate_series(1, 155) n",
                                                              prefetch=10)]
        print(hashlib.md5(repr(rows).encode()).hexdigest())
        cursor = await connection.cursor("select generate_series(1, 9)")
        print(await cursor.fetch(4), await cursor.forward(2), await cursor.fetch(9))


async def copy(connection):
    print("== copy")
    lines = "".join(f"{n}\tline {n} ü\n" for n in range(20000)).encode()
    print(await connection.copy_to_table("bulk", source=io.BytesIO(lines)))
    print(await connection.copy_records_to_table("bulk", records=[(n, f"record {n}") for n in range(5000)]))
    out = io.BytesIO()
    print(await connection.copy_from_query("select * from bulk order by id, line", output=out, format="csv"))
    print(hashlib.md5(out.getvalue()).hexdigest())
    for attempt in (connection.copy_to_table("bulk", source=io.BytesIO(b"1\tgood\nx\tbad\n")),
                    connection.copy_from_query("select 10 / (3 - n) from generate_series(1, 5) n", output=io.BytesIO())):
        try:
            await attempt
        except asyncpg.PostgresError as error:
            show(error)

    async def breaks():
        yield b"1\tgood\n"
        raise KeyError("the client gives up")

    try:
        await connection.copy_to_table("bulk", source=breaks())
    except KeyError as error:
        print(error)
    await run(connection, "select count(*) from bulk")


async def pipeline(connection):
    print("== pipeline")
    await connection.executemany("insert into bulk values ($1, $2)", [(n, "x" * n) for n in range(3000)])
    try:
        await connection.executemany("insert into customers values ($1, 'many', null)", [(50,), (51,), (50,), (52,)])
    except asyncpg.PostgresError as error:
        show(error)
    await run(connection, "select count(*), sum(length(line)) from bulk")
    await run(connection, "select id from customers where id >= 50")


async def notify(connection, other):
    print("== notify")
    heard = asyncio.Queue()
    await connection.add_listener("bell", lambda _, pid, channel, payload: heard.put_nowait((channel, payload)))
    await run_simply(other, "notify bell, 'from the other ü'")
    print(await asyncio.wait_for(heard.get(), 20))
    await run(connection, "select pg_notify('bell', 'from itself')")
    print(await asyncio.wait_for(heard.get(), 20))
    await connection.reset()


async def carry_large(connection):
    print("== large")
    text = "0123456789abcdef" * (LARGE // 16)
    await run(connection, "insert into large values (1, $1) returning md5(value), length(value)", text)
    print(await connection.fetchval("select value from large") == text)


async def fail(connection):
    print("== errors")
    for sql in statements("errors.sql"):
        await run(connection, sql)
        await run_simply(connection, sql)


async def transact(connection):
    print("== transactions")
    await run(connection, "insert into customers values (10, 'Ten', null)")
    try:
        async with connection.transaction():
            await run(connection, "insert into customers values (12, 'Twelve', null)")
            inner = connection.transaction()
            await inner.start()
            await run(connection, "insert into customers values (12, 'Again', null)")
            await run(connection, "select 1")
            await inner.rollback()
            await run(connection, "select 'goes on'")
            await connection.execute("insert into late values (1), (1)")
    except asyncpg.PostgresError as error:
        show(error)
    print(connection.is_in_transaction())
    async with connection.transaction(isolation="serializable"):
        await run(connection, "insert into customers values (14, 'Fourteen', null)")
    await run(connection, "select id from customers order by id")


async def cancel(connection, other):
    print("== cancel")
    sleep = asyncio.ensure_future(connection.fetch("select pg_sleep(30)"))
    while not await other.fetchval(SLEEPS):
        await asyncio.sleep(0.02)
    sleep.cancel()
    try:
        await sleep
    except asyncio.CancelledError:
        print("cancelled")
    await run(connection, "select 'goes on'")
    try:
        await connection.fetch("select pg_sleep(30)", timeout=0.3)
    except asyncio.TimeoutError:
        print("too late")
    await run(connection, "select 'goes on'")


async def refuse():
    print("== refused")
    for how in ({"password": "wrong"}, {"database": "nowhere"}, {"user": "nobody_here"}):
        try:
            await connect(**how)
        except asyncpg.PostgresError as error:
            show(error)


async def terminate():
    print("== terminated")
    victim = await connect()
    await run(victim, "select pg_terminate_backend(pg_backend_pid())")
    print(victim.is_closed())


async def main():
    connection, other = await connect(), await connect()
    await greet(connection)
    print("== simple")
    for sql in statements("simple.sql"):
        await run(connection, sql)
    await run_simply(connection, "select 1; select 'two'; select 3")
    await prepare(connection)
    await copy(connection)
    await pipeline(connection)
    await notify(connection, other)
    await carry_large(connection)
    await fail(connection)
    await transact(connection)
    await cancel(connection, other)
    await refuse()
    await terminate()
    print("== closed")
    await connection.close()
    while await other.fetchval("select count(*) from pg_stat_activity where usename = current_user") > 1:
        await asyncio.sleep(0.02)
    await other.close()


asyncio.run(main())
