# SPDX-License-Identifier: PostgreSQL
"""Random sequences of protocol messages over the schema of scripts/schema.sql."""
from harness import wire

STATEMENTS = (
    "select 1", "select id, name from items order by id limit 5", "select generate_series(1, 7)", "", ";", "-- nothing",
    "select 1 / 0", "selec 1", "select 'x'::int", "select nothing from items", "select 10 / (3 - n) from generate_series(1, 5) n",
    "insert into items values (1, 'again')", "insert into items values (100 + (random() * 0)::int, null)",
    "insert into items values (77, 'x', -1)", "insert into items values (78, 'orphan', 1, 4711)",
    "insert into notes values ('n') returning note", "update items set price = -1 where id = 3",
    "delete from items where id = 5", "delete from notes", "select count(*) from notes", "select shout('pipe')",
    "select fail('23503')", "begin", "commit", "rollback", "savepoint s", "rollback to s", "release s",
    "set constraints all immediate", "set application_name = 'one'", "set application_name = 'two'", "show application_name",
    "set standard_conforming_strings = off", "set standard_conforming_strings = on", "select 'a\\b'",
    "prepare q1 as select 1", "execute q1", "execute s1", "deallocate q1", "deallocate all", "discard plans",
    "declare k cursor for select generate_series(1, 4)", "fetch 2 from k", "close k", "values (1), (2)",
    "explain (costs off) select 1", "do $$ begin null; end $$", "notify bell, 'x'", "listen bell", "unlisten *",
    "with w as (insert into notes values ('w') returning 1) select * from w", "table pairs", "reset all",
    "select repeat('y', 3000)", "lock table pairs", "select pg_catalog.set_config('work_mem', '8MB', false)",
)
SEVERAL = (
    "select 1; select 2", "select 1; select 1 / 0; select 2", "select 1; selec 2", "begin; select 1", "begin; select 1; commit; select 2",
    "insert into notes values ('a'); insert into items values (79, 'o', 1, 4711)", ";;select 1;;", "rollback; begin; select 1 / 0",
    "insert into pairs values (1, 1); insert into pairs values (1, 1)", "delete from pairs; select 3; commit; select 4",
    "set constraints all deferred; select 1",
)
PARAMETRIC = (
    ("select $1::int + 1", ("1", "x", None, "2147483647")),
    ("select $1::text || 'z'", ("a", "", None)),
    ("insert into items (id, name) values (1000 + $1::int, $1)", ("1", "2", "x", None)),
    ("insert into pairs values (1, $1::int) returning b", ("1", "2", None)),
    ("select id from items where id < $1::int order by id", ("4", "50", "none")),
)
COPY_IN = ("copy pairs from stdin", "copy notes from stdin", "copy items (id, name) from stdin", "copy pairs from stdin (format csv)")
COPY_OUT = ("copy pairs to stdout", "copy (select 10 / (3 - n) from generate_series(1, 5) n) to stdout", "copy items to stdout")
COPY_LINES = (b"1\t2\n", b"500\tfive\n", b"x\n", b"7,8\n", b"", b"9\t9\n9\t10\n", b"\\.\n", b"half")
SCHEMA_CHANGES = (
    "create table ddl_made (a int)", "drop table items", "alter table items add column extra int", "truncate notes",
    "/* hidden */ create index on items (name)", ";drop table notes", "select 1 as a into ddl_into", "grant select on items to public",
    "alter role postgres set work_mem = '1MB'", "comment on table items is 'x'", "create temp_table_not (a int)",
    "create view ddl_view as select 1", "-- c\rdrop table pairs", "explain analyze create table ddl_as as select 1",
    "prepare hidden as select 2 as b into ddl_prepared", "create or replace function shout(text) returns text language sql as 'select 1::text'",
)
REFUSED_SQL = '"refused"'  # fails as early as a refused statement does, in every state of a session
NAMES = ("", "", "", "s1", "s2", "s3")
PORTALS = ("", "", "", "p1", "p2")


class Pipeline:
    """One random sequence. `messages` are the client's; `twin` differs where a schema change was put in: there it
    has a message that must fail just as the refused one does."""

    def __init__(self, random, schema_changes=False):
        self.random = random
        self.schema_changes = schema_changes
        self.messages = []
        self.twin = []
        self.refusals = 0
        for _ in range(random.randrange(1, 16)):
            random.choice(self.STEPS)(self)
        self.add(wire.sync())

    def add(self, message, twin=None):
        self.messages.append(message)
        self.twin.append(twin if twin is not None else message)

    def statement(self):
        return self.random.choice(STATEMENTS)

    def change(self):
        self.refusals += 1
        return self.random.choice(SCHEMA_CHANGES)

    def is_change(self):
        return self.schema_changes and self.random.random() < 0.15

    def step_query(self):
        sql = self.random.choice(SEVERAL) if self.random.random() < 0.25 else self.statement()
        if not self.is_change():
            self.add(wire.query(sql))
            return
        change = self.change()
        texts = self.random.choice(([change], [sql, change], [change, sql]))
        self.add(wire.query("\n;".join(texts)), wire.query(REFUSED_SQL))

    def step_parse(self):
        name = self.random.choice(NAMES)
        if self.is_change():
            self.add(wire.parse(self.change(), name), wire.parse(REFUSED_SQL, "__refused"))
            return
        if self.random.random() < 0.1:
            self.add(wire.close("S", name))
        self.add(wire.parse(self.statement(), name))

    def step_bind(self):
        self.add(wire.bind(self.random.choice(PORTALS), self.random.choice(NAMES),
                           self.random.choice(((), (), (), ("1",))), results=self.random.choice(((), (), (1,)))))

    def step_run(self):
        """Parse, Bind, Describe, Execute, sometimes in several portions."""
        name, portal = self.random.choice(NAMES), self.random.choice(PORTALS)
        if name:
            self.add(wire.close("S", name))
        values = ()
        if self.random.random() < 0.5:
            sql, choices = self.random.choice(PARAMETRIC)
            values = (self.random.choice(choices),)
        else:
            sql = self.statement()
        if self.is_change():
            self.add(wire.parse(self.change(), name), wire.parse(REFUSED_SQL, "__refused"))
        else:
            self.add(wire.parse(sql, name))
        if self.random.random() < 0.4:
            self.add(wire.describe("S", name))
        if portal:
            self.add(wire.close("P", portal))
        self.add(wire.bind(portal, name, values))
        if self.random.random() < 0.5:
            self.add(wire.describe("P", portal))
        for _ in range(self.random.choice((1, 1, 1, 2, 3))):
            self.add(wire.execute(portal, self.random.choice((0, 0, 1, 2))))
        if self.random.random() < 0.6:
            self.add(wire.sync())

    def step_execute(self):
        self.add(wire.execute(self.random.choice(PORTALS), self.random.choice((0, 0, 1, 3))))

    def step_describe(self):
        kind = self.random.choice("SP")
        self.add(wire.describe(kind, self.random.choice(NAMES if kind == "S" else PORTALS)))

    def step_close(self):
        kind = self.random.choice("SP")
        self.add(wire.close(kind, self.random.choice(NAMES if kind == "S" else PORTALS)))

    def step_sync(self):
        self.add(wire.sync())

    def step_flush(self):
        self.add(wire.flush())

    def run(self, sql, twin=None):
        """One statement, as a Query or in a segment, of which the Sync may come later."""
        if self.random.random() < 0.5:
            self.add(wire.query(sql), twin and wire.query(twin))
            return
        self.add(wire.parse(sql), twin and wire.parse(twin, "__refused"))
        for message in (wire.bind(), wire.execute(), wire.sync())[:self.random.choice((2, 3, 3))]:
            self.add(message)

    def run_any(self):
        if self.is_change():
            self.run(self.change(), REFUSED_SQL)
        else:
            self.run(self.statement())

    def step_transaction(self):
        """With a savepoint to go back to behind whatever failed."""
        self.run("begin")
        self.run("insert into notes values ('before')")
        self.run("savepoint s")
        self.run_any()
        if self.schema_changes and self.random.random() < 0.5:
            self.run(self.change(), REFUSED_SQL)
        self.run_any()
        self.add(wire.sync())
        for sql in self.random.choice((("rollback to s",), ("rollback to s", "release s"), ("rollback to s", "rollback to s"), ())):
            self.run(sql)
        self.run("insert into notes values ('behind') returning note")
        self.run_any()
        self.run(self.random.choice(("commit", "commit", "rollback", "select 'still open'")))

    def copy_data(self):
        for _ in range(self.random.randrange(4)):
            self.add(wire.copy_data(self.random.choice(COPY_LINES)))
        self.add(wire.copy_done() if self.random.random() < 0.8 else wire.copy_fail("given up"))

    def step_copy_in(self):
        sql = self.random.choice(COPY_IN)
        if self.random.random() < 0.5:
            self.add(wire.query(sql))
            self.copy_data()
            return
        self.add(wire.parse(sql))
        self.add(wire.bind())
        self.add(wire.execute())
        for _ in range(self.random.choice((0, 0, 1, 2))):
            self.add(self.random.choice((wire.sync(), wire.flush())))
        self.copy_data()
        self.add(wire.sync())
        self.add(wire.parse("select 'not the copy again'"))
        self.add(wire.sync())

    def step_copy_out(self):
        sql = self.random.choice(COPY_OUT)
        if self.random.random() < 0.5:
            self.add(wire.query(sql))
            return
        for message in (wire.parse(sql), wire.bind(), wire.execute(), wire.sync()):
            self.add(message)

    def step_copy_and_change(self):
        """A change right before or behind a COPY, in its segment."""
        change = [wire.parse(REFUSED_SQL, "__refused")]
        if self.schema_changes:
            change.insert(0, wire.parse(self.change()))
        is_before = self.random.random() < 0.5
        if is_before:
            self.add(change[0], change[-1])
        for message in (wire.parse(self.random.choice(COPY_IN + COPY_OUT)), wire.bind(), wire.execute()):
            self.add(message)
        self.copy_data()
        if not is_before:
            self.add(change[0], change[-1])
        self.add(wire.sync())

    def step_stray(self):
        self.add(self.random.choice((wire.copy_data(b"stray"), wire.copy_done(), wire.copy_fail("stray"))))

    def step_function(self):
        self.add(wire.function_call(self.random.choice((1397, 1397, 999999)), b"\0\0\0\7"))

    STEPS = (step_query,) * 4 + (step_parse,) * 3 + (step_bind,) * 3 + (step_run,) * 8 + (step_execute,) * 3 + \
        (step_describe, step_close) * 2 + (step_sync,) * 4 + (step_flush, step_copy_in, step_copy_in, step_copy_out,
                                                             step_copy_and_change, step_stray, step_function,
                                                             step_transaction, step_transaction)


class ReplicationPipeline(Pipeline):
    """The same on a connection of replication with a database, which takes Queries only."""

    COMMANDS = ("SHOW port", "SHOW \"work_mem\"", "DROP_REPLICATION_SLOT \"drop table notes\"", "READ_REPLICATION_SLOT none", "show port",
                "START_REPLICATION SLOT none LOGICAL 0/0", "TIMELINE_HISTORY 4711", "BASE_BACKUP (NOTHING 'drop table notes')", "SHOW nothing",
                "CREATE_REPLICATION_SLOT \"Drop\" TEMPORARY PHYSICAL", "SHOW port; select 1", "/* SHOW port */ select 1")

    def step_command(self):
        self.add(wire.query(self.random.choice(self.COMMANDS)))

    def run(self, sql, twin=None):
        self.add(wire.query(sql), twin and wire.query(twin))

    def step_copy(self):
        self.add(wire.query(self.random.choice(COPY_IN)))
        self.copy_data()

    STEPS = (Pipeline.step_query,) * 6 + (step_command,) * 4 + (Pipeline.step_transaction,) * 2 + (Pipeline.step_parse,) + \
        (Pipeline.step_sync, Pipeline.step_stray, Pipeline.step_function, step_copy, step_copy)


def end_marker(number):
    return wire.query("rollback") + wire.query(f"select 'end of {number}'")


CLOSED = ("closed", b"")


def read_answer(raw, number):
    """All messages up to the one that answers end_marker, or the end of the connection: some sequences make the
    server itself give up."""
    mark = b"end of %d" % number
    found = []
    try:
        while not (found and found[-1][0] == "D" and found[-1][1].endswith(mark)):
            found.append(raw.read_message())
        return found + raw.until("Z")
    except wire.Closed:
        return found + [CLOSED]
