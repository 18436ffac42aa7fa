# SPDX-License-Identifier: PostgreSQL
"""The backstop: a schema change that comes back from the server though none was seen going in is told at once, and
nothing else is ever called so. What is prepared under more names than are tracked is seen all the same."""
from bypasses import kinds_of_change
from harness import wire
from harness.case import REFUSED, Case, main
from harness.pooler import Pooler
from test_bypasses import CLEANUP, new_database

TRACKED = 100  # the least number of names that a session may be told to track
ALWAYS = {"name": "always", "days": ["sun", "mon", "tue", "wed", "thu", "fri", "sat"], "from": "00:00", "to": "24:00",
          "allow": "modifying"}
# With those of the ways around the guard: every kind of change there is. Each row is run in a transaction that is then
# rolled back.
LIVES = (
    ("create aggregate made (int) (sfunc = int4pl, stype = int)", "alter aggregate made (int) rename to gone", "drop aggregate gone (int)"),
    ("create collation made from \"C\"", "alter collation made rename to gone", "drop collation gone"),
    ("create conversion made for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8", "alter conversion made rename to gone",
     "drop conversion gone"),
    ("create event trigger made on ddl_command_end execute function on_change()", "alter event trigger made disable",
     "drop event trigger made"),
    ("create extension if not exists plpgsql", "alter extension plpgsql add function on_change()"),
    ("alter foreign data wrapper other options (a 'b')", "drop foreign data wrapper other cascade"),
    ("create foreign table made (a int) server elsewhere", "alter foreign table made add b int", "drop foreign table made"),
    ("create language made handler plpgsql_call_handler", "alter language made rename to gone", "drop language gone"),
    ("create operator %% (leftarg = int, rightarg = int, function = int4pl)", "alter operator %% (int, int) owner to app",
     "drop operator %% (int, int)"),
    ("create operator family made using btree", "alter operator family made using btree rename to gone",
     "drop operator family gone using btree"),
    ("create operator class made for type int4 using btree as operator 1 <, function 1 btint4cmp(int4, int4)",
     "alter operator class made using btree rename to gone", "drop operator class gone using btree"),
    ("alter policy mine on items rename to ours", "drop policy ours on items"),
    ("create procedure made() language sql as ''", "alter procedure made() rename to gone", "alter routine gone() rename to made",
     "drop routine made()"),
    ("create procedure made() language sql as ''", "drop procedure made()"),
    ("create publication made", "alter publication made add table notes", "drop publication made"),
    ("create role made_role", "alter role made_role createdb", "drop role made_role"),
    ("create group made_role", "alter group made_role add user app", "drop group made_role"),
    ("create rule made as on insert to notes do also select 1", "alter rule made on notes rename to gone", "drop rule gone on notes"),
    ("create statistics made on a, b from pairs", "alter statistics made set statistics 7", "drop statistics made"),
    ("create subscription made connection 'dbname=none' publication none with (connect = false)", "alter subscription made disable",
     "alter subscription made set (slot_name = none)", "drop subscription made"),
    ("create text search configuration made (copy = simple)", "alter text search configuration made rename to gone",
     "drop text search configuration gone"),
    ("create text search dictionary made (template = simple)", "alter text search dictionary made rename to gone",
     "drop text search dictionary gone"),
    ("create text search parser made (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype)",
     "alter text search parser made rename to gone", "drop text search parser gone"),
    ("create text search template made (lexize = dsimple_lexize)", "alter text search template made rename to gone",
     "drop text search template gone"),
    ("create transform for int language sql (from sql with function prsd_lextype(internal))", "drop transform for int language sql"),
    ("alter trigger touched on notes rename to gone", "drop trigger gone on notes"),
    ("create cast (mood as int) with inout", "drop cast (mood as int)"),
    ("create access method made type index handler bthandler", "drop access method made"),
    ("create user mapping for app server elsewhere", "alter user mapping for app server elsewhere options (a 'b')",
     "drop user mapping for app server elsewhere"),
    ("create unlogged table made as select 1 as a", "alter table made rename to gone", "comment on column gone.a is 'x'",
     "create unique index concurrent on gone (a)", "reindex index concurrent", "cluster gone using concurrent", "truncate gone"),
    ("revoke insert on notes from app", "grant app to scram_user", "revoke app from scram_user", "drop owned by app"),
)
# These cannot be run in a transaction.
ALONE = ("create database made_db", "alter database made_db connection limit 3", "drop database made_db",
         "set allow_in_place_tablespaces = on", "create tablespace made_space location ''",
         "alter tablespace made_space set (seq_page_cost = 2)", "drop tablespace made_space",
         "create index concurrently by_name on items (name)", "reindex index concurrently by_name", "drop index concurrently by_name",
         "alter system set work_mem = '1MB'", "alter system reset all", "reindex database backstop", "cluster", "vacuum full items")
FAMILIES = {"CREATE", "ALTER", "DROP", "TRUNCATE", "GRANT", "REVOKE", "COMMENT", "REINDEX", "REASSIGN", "REFRESH", "CLUSTER"}
NO_CHANGE = {"BEGIN", "ROLLBACK", "SET", "VACUUM", "SELECT", "DEALLOCATE"}  # what else comes back for them


def texts_of_ways():
    """The texts of every kind of change that is tried as a way around the guard."""
    for vector in kinds_of_change():
        if vector.name.startswith("query: ") and vector.works is True:
            yield (vector.steps[0][0][5:-1].decode(),)


def each_change():
    """Every kind of change, each text with a name: those of one transaction, or one that cannot be run in any."""
    for number, texts in enumerate((*texts_of_ways(), *LIVES)):
        yield [(text, f"change_{number}_{index}") for index, text in enumerate(texts)], True
    for number, text in enumerate(ALONE):
        yield [(text, f"alone_{number}")], False


def by_query(text, _):
    return wire.query(text), 1


def by_segment(text, _):
    return wire.parse(text) + wire.bind() + wire.execute() + wire.sync(), 1


def by_name(text, name):
    return wire.close("S", name) + wire.parse(text, name) + wire.bind("", name) + wire.execute() + wire.sync(), 1


def by_portal(text, name):
    return wire.parse(text) + wire.bind(name) + wire.execute(name) + wire.close("P", name) + wire.sync(), 1


def by_execute(text, name):
    return wire.close("S", name) + wire.parse(text, name) + wire.sync() + wire.query(f"execute {name}"), 2


def by_hidden_execute(_, name):
    return wire.query(f"execute {name}"), 1


def by_hidden_bind(_, name):
    return wire.bind("", name) + wire.execute() + wire.sync(), 1


WAYS = (by_query, by_segment, by_name, by_portal, by_execute)


def tags_of(messages):
    return [body[:-1].decode() for kind, body in messages if kind == "C"]


class Backstop(Case):
    def setUp(self):
        new_database(self.postgres, "backstop")
        for sql in CLEANUP:
            self.postgres.run(sql)

    def raw(self, **how):
        return self.wire(database="backstop", **how)

    def run_changes(self, raw, way):
        """Every kind of change, one by one; the tags that came back for them."""
        tags = []
        for texts, in_transaction in each_change():
            tags += self.run_texts(raw, way, texts, in_transaction)
        changes = [tag for tag in tags if tag.split()[0] not in NO_CHANGE]
        self.assertEqual({tag.split()[0] for tag in changes}, FAMILIES)
        self.assertGreater(len(set(changes)), 110)
        return changes

    def run_texts(self, raw, way, texts, in_transaction):
        if in_transaction:
            raw.ask(wire.query("begin"))
        tags = []
        for text, name in texts:
            message, syncs = way(text, name)
            messages = raw.ask(message, syncs=syncs)
            if len(texts) > 1:
                self.assertEqual([error["M"] for error in wire.errors(messages)], [], text)
            tags += tags_of(messages)
        if in_transaction:
            raw.ask(wire.query("rollback"))
        return tags

    def close_gate(self):
        self.sluice.settings["guard"]["mode"] = "enforce"
        self.sluice.write()
        self.assertEqual(self.sluice.console_psql("RELOAD").returncode, 0)
        self.assertEqual(self.fails("drop table notes", dbname="backstop").pgcode, REFUSED)

    def decisions(self):
        """What SHOW DDL has, oldest first."""
        return [(row["decision"], row["command"]) for row in reversed(self.sluice.console("SHOW DDL LIMIT 10000"))]


class Untracked(Backstop):
    """What is prepared under a name beyond those tracked is judged under every name that is not known."""

    settings = {"guard": {"mode": "observe"}, "limits": {"prepared_statements": TRACKED}}

    def setUp(self):
        super().setUp()
        self.sluice = self.new_sluice(**self.settings)

    def tearDown(self):
        """Nobody's session ended, and nothing came back that was not seen going in."""
        counters = self.sluice.counters()
        self.assertEqual((counters["ddl_unseen"], counters["unfollowed"]), (0, 0), self.sluice.events("ddl_unseen"))
        super().tearDown()

    def fill_names(self, raw):
        """As many names as are tracked, of statements and of portals; in a transaction that stays open."""
        raw.ask(wire.query("begin"))
        raw.ask(*(wire.parse("select 1", f"tracked_{number}") for number in range(TRACKED)), wire.sync())
        raw.ask(*(wire.bind(f"tracked_{number}", "tracked_0") for number in range(TRACKED)), wire.sync())

    def untracked(self, sql, name="untracked"):
        """A client that has prepared SQL under a name beyond those tracked."""
        raw = self.raw(application_name="migrator")
        self.fill_names(raw)
        raw.ask(wire.query("commit"))
        self.assertEqual(wire.kinds(raw.ask(wire.parse(sql, name), wire.sync())), "1Z")
        return raw

    def assert_would_refuse(self, *commands):
        self.assertEqual(self.decisions(), [("would_refuse", command) for command in commands])
        self.assertEqual(self.sluice.counter("ddl_would_refuse"), len(commands))

    def assert_refused(self, messages):
        self.assertEqual([error["C"] for error in wire.errors(messages)], [REFUSED], messages)
        self.assertNotIn("C", wire.kinds(messages))

    def test_execute_of_such_a_name_is_judged(self):
        raw = self.untracked("create table made (a int)")
        self.assertEqual(raw.ask(wire.query("execute untracked")), [("C", b"CREATE TABLE\0"), ("Z", b"I")])
        self.assert_would_refuse("CREATE TABLE")
        row = self.sluice.console("SHOW DDL LIMIT 1")[0]
        self.assertEqual((row["outcome"], row["service"], row["user_name"], row["database"]),
                         ("committed", "migrator", "postgres", "backstop"))
        self.assertEqual(self.sluice.counter("statements_not_tracked"), 1)

    def test_it_is_judged_wherever_it_stands_in_a_text(self):
        raw = self.untracked("drop table notes")
        messages = raw.ask(wire.query("select 1; select 2; execute untracked; select 3"))
        self.assertEqual(tags_of(messages), ["SELECT 1", "SELECT 1", "DROP TABLE", "SELECT 1"])
        raw.ask(wire.parse("truncate items", "another"), wire.sync())
        self.assertEqual(tags_of(raw.ask(wire.parse("execute another"), wire.bind(), wire.execute(), wire.sync())), ["TRUNCATE TABLE"])
        self.assert_would_refuse("DROP TABLE", "DROP TABLE")  # no less risky than the other: it stands for both

    def test_it_is_judged_behind_the_kept_part_of_a_text(self):
        for size in (5000, 200_000):
            raw = self.untracked("create or replace view made as select 1")
            text = "select 1; " * (size // 10) + "execute untracked"
            self.assertEqual(tags_of(raw.ask(wire.query(text)))[-1], "CREATE VIEW")
        self.assert_would_refuse("CREATE VIEW", "CREATE VIEW")

    def test_bind_to_such_a_name_is_judged(self):
        raw = self.untracked("alter table items add extra int")
        self.assertEqual(wire.kinds(raw.ask(wire.bind("", "untracked"), wire.execute(), wire.sync())), "2CZ")
        self.assert_would_refuse("ALTER TABLE")

    def test_a_portal_beyond_those_tracked_is_judged(self):
        raw = self.raw()
        self.fill_names(raw)
        messages = raw.ask(wire.parse("truncate notes"), wire.bind("untracked"), wire.execute("untracked"), wire.sync())
        self.assertEqual(wire.kinds(messages), "12CZ")
        self.assert_would_refuse("TRUNCATE")

    def test_any_unknown_name_stands_for_the_riskiest(self):
        raw = self.untracked("create table made (a int)", "riskiest")
        raw.ask(wire.parse("select 1", "harmless"), wire.sync())
        self.assertEqual(tags_of(raw.ask(wire.query("execute harmless"))), ["SELECT 1"])
        self.assertEqual(tags_of(raw.ask(wire.query("execute tracked_7"))), ["SELECT 1"])
        self.assert_would_refuse("CREATE TABLE")
        raw.ask(wire.query("deallocate all"))
        raw.ask(wire.parse("select 1", "harmless"), wire.sync())
        self.assertEqual(tags_of(raw.ask(wire.query("execute harmless"))), ["SELECT 1"])
        self.assertEqual([error["C"] for error in wire.errors(raw.ask(wire.query("execute riskiest")))], ["26000"])
        self.assert_would_refuse("CREATE TABLE")

    def test_with_the_guard_off_nothing_is_told(self):
        self.sluice = self.new_sluice(guard={"mode": "off"}, limits=self.settings["limits"])
        self.assertEqual(tags_of(self.untracked("grant select on items to app").ask(wire.query("execute untracked"))), ["GRANT"])
        self.assertEqual((self.decisions(), self.sluice.counter("statements_not_tracked")), ([], 1))

    def test_what_was_prepared_before_the_gate_closed_is_refused(self):
        clients = [self.untracked("create table made (a int)"), self.untracked("drop table notes"), self.untracked("truncate items cascade")]
        portal = self.raw()
        self.fill_names(portal)
        portal.ask(wire.parse("alter table items add extra int"), wire.bind("untracked"), wire.sync())
        self.close_gate()
        before = self.postgres.catalog("backstop")
        long_text = "select 1; " * 20_000 + "execute untracked"
        for raw in clients:
            for message in (wire.query("execute untracked"), wire.query("select 1; execute untracked"), wire.query(long_text),
                            wire.parse("execute untracked") + wire.bind() + wire.execute() + wire.sync(),
                            wire.bind("", "untracked") + wire.execute() + wire.sync(),
                            wire.bind("p", "untracked") + wire.execute("p") + wire.sync()):
                self.assert_refused(raw.ask(message))
            self.assertEqual(tags_of(raw.ask(wire.query("execute tracked_0"))), ["SELECT 1"])
        self.assert_refused(portal.ask(wire.execute("untracked"), wire.sync()))
        self.assertEqual(self.postgres.catalog("backstop"), before)

    def test_where_the_gate_is_closed_no_change_goes_in_under_such_a_name(self):
        self.close_gate()
        before = self.postgres.catalog("backstop")
        raw = self.raw()
        self.fill_names(raw)
        raw.ask(wire.query("commit"))
        self.assert_refused(raw.ask(wire.parse("create table made (a int)", "untracked"), wire.sync()))
        self.assertEqual([error["C"] for error in wire.errors(raw.ask(wire.query("execute untracked")))], ["26000"])
        self.assertEqual(self.postgres.catalog("backstop"), before)


class Alarm(Backstop):
    """EXECUTE of what another client of a pooler behind the sluice has prepared on the session that both use in turn:
    nothing on the sluice's wire shows what it is."""

    GUARD = {"mode": "observe"}

    def setUp(self):
        super().setUp()
        self.pooler = Pooler(self.postgres)
        self.addCleanup(self.pooler.stop)
        self.sluice = self.new_sluice(guard=self.GUARD)

    def new_sluice(self, **settings):
        return super().new_sluice([f"127.0.0.1:{self.pooler.port}"], **settings)

    def hide(self, **texts):
        """Prepares texts by their names, out of the sluice's sight."""
        with wire.Wire(("127.0.0.1", self.pooler.port)) as raw:
            raw.login(database="backstop")
            for name, text in texts.items():
                self.assertEqual(wire.kinds(raw.ask(wire.parse(text, name), wire.sync())), "1Z", text)

    def alarms(self, count):
        """The alarms in the log, once all are there and all places that count them agree."""
        found = self.wait_for(lambda: self.sluice.events("ddl_unseen")[count - 1:] and self.sluice.events("ddl_unseen"),
                              "the alarms are in the log")
        rows = [row for row in self.sluice.console("SHOW DDL LIMIT 10000") if row["decision"] == "unseen"]
        self.assertEqual((len(found), self.sluice.counter("ddl_unseen"), len(rows)), (count, count, count))
        return found

    def test_execute_of_a_hidden_name_is_told(self):
        self.hide(hidden="create table made (a int)")
        raw = self.raw(application_name="migrator")
        self.assertEqual(raw.ask(wire.query("execute hidden")), [("C", b"CREATE TABLE\0"), ("Z", b"I")])
        alarm = self.alarms(1)[0]
        self.assertEqual({name: alarm[name] for name in ("level", "command", "service", "user", "database")},
                         {"level": "error", "command": "CREATE TABLE", "service": "migrator", "user": "postgres",
                          "database": "backstop"})
        self.assertTrue(alarm["address"].startswith("127.0.0.1:"))
        row = self.sluice.console("SHOW DDL LIMIT 1")[0]
        self.assertEqual((row["decision"], row["command"], row["service"], row["user_name"], row["database"], row["address"]),
                         ("unseen", "CREATE TABLE", "migrator", "postgres", "backstop", alarm["address"]))
        counters = self.sluice.counters()
        self.assertEqual((counters["statements_not_tracked"], counters["ddl_would_refuse"], counters["ddl_passed"],
                          counters["unfollowed"]), (0, 0, 0, 0))

    def test_it_is_told_wherever_it_stands_in_a_text(self):
        self.hide(hidden="drop table notes", another="create view made as select 1")
        raw = self.raw()
        messages = raw.ask(wire.query("select 1; select 2; execute hidden; select 3"))
        self.assertEqual(tags_of(messages), ["SELECT 1", "SELECT 1", "DROP TABLE", "SELECT 1"])
        self.assertEqual(self.alarms(1)[0]["command"], "DROP TABLE")
        raw.ask(wire.parse("execute another"), wire.bind(), wire.execute(), wire.sync())
        self.assertEqual(self.alarms(2)[1]["command"], "CREATE VIEW")

    def test_it_is_told_behind_the_kept_part_of_a_text(self):
        self.hide(hidden="create or replace view made as select 1")
        raw = self.raw()
        for number, size in enumerate((5000, 200_000)):
            messages = raw.ask(wire.query("select 1; " * (size // 10) + "execute hidden"))
            self.assertEqual(tags_of(messages)[-1], "CREATE VIEW")
            self.assertEqual(self.alarms(number + 1)[number]["command"], "CREATE VIEW")

    def test_bind_to_a_hidden_name_is_told(self):
        self.hide(hidden="alter table items add extra int", another="truncate notes")
        raw = self.raw()
        self.assertEqual(wire.kinds(raw.ask(wire.bind("", "hidden"), wire.execute(), wire.sync())), "2CZ")
        self.assertEqual(self.alarms(1)[0]["command"], "ALTER TABLE")
        self.assertEqual(wire.kinds(raw.ask(wire.bind("p", "another"), wire.execute("p"), wire.sync())), "2CZ")
        self.assertEqual(self.alarms(2)[1]["command"], "TRUNCATE TABLE")

    def test_every_kind_of_change_is_told(self):
        self.hide(**{name: text for texts, _ in each_change() for text, name in texts})
        tags = []
        for way in (by_hidden_execute, by_hidden_bind):
            tags += self.run_changes(self.raw(), way)
            self.assertEqual([alarm["command"] for alarm in self.alarms(len(tags))], tags)


class AlarmWithTheGuardOff(Alarm):
    GUARD = {"mode": "off"}


class AlarmWithTheGateClosed(Alarm):
    GUARD = {"mode": "enforce"}


class FalseAlarm(Backstop):
    """None for what was seen, whatever the mode."""

    GUARDS = ({"mode": "observe"}, {"mode": "off"}, {"mode": "enforce", "windows": [ALWAYS]})

    def assert_silent(self, what):
        self.assertEqual(self.sluice.counter("unfollowed"), 0, what)
        self.assertEqual(self.sluice.counter("ddl_unseen"), 0, (what, self.sluice.events("ddl_unseen")))

    def each_guard(self):
        for guard in self.GUARDS:
            self.sluice = self.new_sluice(guard=guard)
            yield guard["mode"]

    def test_no_kind_of_change_that_is_seen_is_told(self):
        for mode in self.each_guard():
            for way in WAYS:
                self.setUp()
                raw = self.raw()
                self.run_changes(raw, way)
                raw.close()
                self.assert_silent((mode, way.__name__))

    TEMPORARY = (
        "create temp table t (a int primary key, b text); create index i on pg_temp.t (b); alter table pg_temp.t add c int; "
        "comment on table pg_temp.t is 'x'; grant select on pg_temp.t to app; truncate pg_temp.t; reindex table pg_temp.t; drop table pg_temp.t",
        "create temporary table t as select 1 as a; drop table t", "select 1 as a into temp t; drop table pg_temp.t",
        "create temp view v as select 1; create or replace temp view v as select 2; alter view pg_temp.v rename to w; drop view pg_temp.w",
        "create temp sequence s; alter sequence pg_temp.s restart; drop sequence pg_temp.s",
        "create function pg_temp.f() returns int language sql as 'select 1'; alter function pg_temp.f() immutable; drop function pg_temp.f()",
        "create type pg_temp.x as (a int); drop type pg_temp.x", "create domain pg_temp.x as int; drop domain pg_temp.x",
        "explain analyze create temp table t as select 1 as a", "prepare p as select 1 as a; create temp table t as execute p; drop table t",
        "begin; create temp table t (a int) on commit drop; insert into t values (1); commit",
        "create table pg_temp.t (a int); drop table if exists pg_temp.t, pg_temp.none")

    def test_temporary_objects_are_not_told(self):
        for mode in self.each_guard():
            for way in (by_query, by_execute, by_segment, by_name):
                raw = self.raw()
                for number, text in enumerate(self.TEMPORARY):
                    parts = [text] if way is by_query else text.split("; ")
                    for index, part in enumerate(parts):
                        message, syncs = way(part, f"temporary_{number}_{index}")
                        messages = raw.ask(message, syncs=syncs)
                        self.assertEqual([error["M"] for error in wire.errors(messages)], [], part)
                    raw.ask(wire.query("discard temp; deallocate all"))
                raw.close()
            self.assert_silent(mode)

    def test_execute_of_known_names_is_not_told(self):
        make, drop = wire.parse("create table made (a int)", "make"), wire.parse("drop table made", "drop_it")
        for mode in self.each_guard():
            raw = self.raw()
            for messages, syncs in (
                    ((make, drop, wire.sync(), wire.query("execute make"), wire.query("execute drop_it")), 3),
                    ((wire.query("execute make; execute drop_it"), wire.query("select 1; execute make; select 2; execute drop_it")), 2),
                    ((wire.parse("execute make"), wire.bind(), wire.execute(), wire.parse("execute drop_it"), wire.bind(),
                      wire.execute(), wire.sync()), 1),
                    ((wire.query("execute make; deallocate make; execute drop_it; deallocate all"),), 1),
                    ((make, wire.bind("p", "make"), wire.close("S", "make"), wire.execute("p"), drop, wire.bind("", "drop_it"),
                      wire.execute(), wire.sync()), 1),
                    ((wire.query("deallocate all"), make, wire.sync(), wire.query("execute MAKE"), wire.query('execute "make"; rollback'),
                      wire.query('execute U&"\\006dake"'), wire.query("drop table made")), 6)):
                messages = raw.ask(*messages, syncs=syncs)
                self.assertLessEqual({error["C"] for error in wire.errors(messages)}, {"42P07"}, messages)  # it is there already
                self.assertIn("CREATE TABLE", tags_of(messages))
            raw.close()
            self.assert_silent(mode)

    def test_what_lies_behind_the_kept_part_of_a_text_is_not_told(self):
        """Of a long text only the beginning is kept; what stands behind it was seen all the same."""
        make = wire.parse("create table made (a int)", "make")
        for mode in self.each_guard():
            raw = self.raw()
            for size in (3000, 4000, 5000, 20_000, 200_000):
                filler, comment = "select 1; " * (size // 10), "/*" + "x" * size + "*/ "
                for texts in ((filler + "create temp table t (a int); select 2; drop table pg_temp.t",),
                              (comment + "create temp table t (a int)", comment + "drop table pg_temp.t"),
                              (f"select 1; {comment}create temp table t (a int); drop table pg_temp.t",),
                              (f"create temp table t as select '{comment}' as a", "drop table pg_temp.t"),
                              (filler + "execute make; select 2", comment + "drop table made")):
                    raw.ask(make, wire.sync())
                    for text in texts:
                        self.assertEqual(wire.errors(raw.ask(wire.query(text))), [])
                    raw.ask(wire.query("discard all"))
            raw.close()
            self.assert_silent(mode)

    def test_a_name_that_the_server_cuts_is_not_told(self):
        for mode in self.each_guard():
            raw = self.raw()
            raw.ask(wire.parse("create table made (a int)", "n" * 62), wire.sync())
            messages = raw.ask(wire.query("execute " + "n" * 62 + "\u00e9"), wire.query("drop table made"), syncs=2)
            self.assertEqual(tags_of(messages), ["CREATE TABLE", "DROP TABLE"])
            raw.close()
            self.assert_silent(mode)

    def test_nothing_else_is_told(self):
        texts = ("select 'CREATE TABLE'", "do $$ begin execute 'cre' || 'ate table inside (a int)'; drop table inside; end $$",
                 "create table made (a int); insert into made values (1); drop table made", "vacuum", "analyze", "checkpoint",
                 "copy (select 1) to stdout", "begin; lock table items; declare c cursor for select 1; fetch c; move c; close c; commit",
                 "listen a; notify a; unlisten a", "load 'plpgsql'", "discard all", "set work_mem = '1MB'; reset all",
                 "insert into notes values ('x'); update notes set note = 'y'; delete from notes",
                 "merge into notes using (select 1) s on true when matched then delete", "create schema inside create table t (a int); "
                 "drop schema inside cascade", "begin; prepare transaction 'x'", "rollback prepared 'x'", "security label on table items is 'x'")
        for mode in self.each_guard():
            for way in (by_query, by_segment, by_execute):
                raw = self.raw()
                for number, text in enumerate(texts):
                    parts = [text] if way is by_query else () if any(word in text for word in ("$$", "inside", "transaction")) else text.split("; ")
                    for index, part in enumerate(parts):
                        message, syncs = way(part, f"other_{number}_{index}")
                        raw.ask(message, syncs=syncs)
                raw.close()
            self.assert_silent(mode)


if __name__ == "__main__":
    main()
