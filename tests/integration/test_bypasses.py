# SPDX-License-Identifier: PostgreSQL
"""No way around the closed gate: each known one is tried, and the server's catalog is the same as before. Each is held
directly with a server, too, so that it is known to work there. Of the ways that the documentation calls invisible it is
tested what else catches them."""
import unittest

from bypasses import all_vectors, extended
from harness import machine, wire
from harness.case import Case, main, postgres as shared_postgres, psql

SETUP = """
create table items (id int primary key, name text, parent int references items);
create table notes (note text);
create table pairs (a int, b int);
create index pairs_a on pairs (a);
create table parted (a int) partition by list (a);
create table part partition of parted for values in (7);
create view seen as select id from items;
create materialized view kept as select 1 as one;
create sequence counting;
create schema empty;
create type mood as enum ('sad', 'happy');
create domain positive as int check (value > 0);
create language other handler plpgsql_call_handler inline plpgsql_inline_handler;
create function shout(text) returns text language sql as 'select upper($1)';
create function on_change() returns event_trigger language plpgsql as 'begin end';
create function touch() returns trigger language plpgsql as 'begin return new; end';
create trigger touched before insert on notes for each row execute function touch();
create policy mine on items;
create foreign data wrapper other;
create server elsewhere foreign data wrapper other;
create table apps_own (a int);
alter table apps_own owner to app;
grant insert on notes to app;
select lo_create(4711);
insert into items values (1, 'one', null);
"""
# What conversations leave behind that belong to the whole cluster.
CLEANUP = ("drop database if exists made_db", "drop role if exists made_role", "alter role app reset all", "alter system reset all",
           "alter role app connection limit -1", "alter database postgres reset all", "alter database postgres connection limit -1",
           "comment on role app is null", "revoke app from scram_user")
CLUSTER = {"pg_authid", "pg_auth_members", "pg_database", "pg_db_role_setting", "pg_shdescription", "settings"}
# Written by ANALYZE, or never by a schema change.
SKIPPED = ("pg_statistic", "pg_statistic_ext_data", "pg_largeobject")


class Catalogs:
    """How many rows each catalog of a database and of its cluster has, and which transactions wrote them: equal only where
    nothing was written but what is gone again, such as temporary tables. VACUUM and ANALYZE write in place."""

    def __init__(self, postgres, database):
        self.connection = postgres.connect(dbname=database)
        self.query = " union all ".join(self.part(name) for name, in self.rows(
            "select relname from pg_class where relnamespace = 'pg_catalog'::regnamespace and relkind = 'r' order by 1")
            if name not in SKIPPED)
        self.query += " union all select 'settings', count(*), 0, 0 from pg_file_settings"

    @staticmethod
    def part(name):
        where = " where nspname !~ '^pg_(toast_)?temp'" if name == "pg_namespace" else ""
        return f"select '{name}', count(*), sum(xmin::text::int8)::int8, max(xmin::text::int8) from {name}{where}"

    def rows(self, sql):
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    def is_alone(self):
        return not self.rows("select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()")

    def read(self):
        machine.wait_for(self.is_alone, "the other sessions end")
        return {name: rows for name, *rows in self.rows(self.query)}

    def close(self):
        self.connection.close()


def changed(before, after):
    return sorted(name for name in before if before[name] != after[name])


def new_database(postgres, name, setup=SETUP):
    postgres.run(f"drop database if exists {name}")
    postgres.run(f"create database {name}")
    postgres.run("grant all on schema public to public;" + setup, name)


class Guarded(Case):
    settings = {"guard": {"mode": "enforce"}, "limits": {"message_memory": "64KiB"}}

    def test_no_vector_changes_the_catalog(self):
        new_database(self.postgres, "guarded", SETUP + "insert into notes values ('kept')")
        catalogs = Catalogs(self.postgres, "guarded")
        self.addCleanup(catalogs.close)
        before = catalogs.read()
        for vector in all_vectors():
            with self.subTest(vector.name):
                answers = vector.run(("127.0.0.1", self.sluice.port), "guarded")
                previous, before = before, catalogs.read()
                self.assertEqual(changed(previous, before), [])
                if vector.works_with(self.postgres.version):
                    self.assertTrue(any(error.get("R") == "pgsluice_guard" for error in wire.errors(answers)), answers[:5])
        self.assertEqual(self.sluice.counter("ddl_unseen"), 0)
        self.assertEqual(self.sluice.counter("unfollowed"), 0)
        self.assertEqual(self.postgres.value("select count(*) from notes where note = 'kept'", "guarded"), 1)


UNDO = """do $$ declare made record; begin
    for made in select oid::regclass::text as name, relkind from pg_class
        where relnamespace = 'public'::regnamespace and relkind in ('r', 'm') and oid > %s loop
        execute format('drop %%s %%s', case made.relkind when 'r' then 'table' else 'materialized view' end, made.name);
    end loop;
end $$"""


class Direct(unittest.TestCase):
    """Every conversation does change the catalog where nobody is in between."""

    catalogs = None

    def setUp(self):
        self.postgres = shared_postgres()
        new_database(self.postgres, "bypass_template")

    def tearDown(self):
        self.discard()

    def test_every_vector_works(self):
        for vector in all_vectors():
            if ": extended: " in vector.name:
                continue  # as its Query
            with self.subTest(vector.name):
                self.assertEqual(self.changes(vector) != [], vector.works_with(self.postgres.version))

    def discard(self):
        if self.catalogs is not None:
            self.catalogs.close()
            self.catalogs = None

    def prepare(self):
        """A database that no conversation has changed yet."""
        self.postgres.run("drop database if exists bypass with (force)")
        self.postgres.run("create database bypass template bypass_template")
        self.catalogs = Catalogs(self.postgres, "bypass")
        self.newest = self.catalogs.rows("select max(oid)::int8 from pg_class")[0][0]

    def changes(self, vector):
        if self.catalogs is None:
            self.prepare()
        before = self.catalogs.read()
        vector.run(("127.0.0.1", self.postgres.port), "bypass")
        found = changed(before, self.catalogs.read())
        if vector.name.startswith(("kinds_of_change", "temporary_names")):
            self.discard()
        elif found:
            self.postgres.run(UNDO % self.newest, "bypass")
        if not CLUSTER.isdisjoint(found):
            for sql in CLEANUP:
                self.postgres.run(sql)
        return found


HIDDEN = """
create table notes (note text);
grant insert on notes to app;
create function makes(int) returns int language plpgsql as $$ begin execute 'create table public.made (a int)'; return 1; end $$;
create function makes_by_insert() returns trigger language plpgsql as $$ begin create table made (a int); return new; end $$;
create trigger hidden before insert on notes for each row execute function makes_by_insert();
create procedure makes_too() language plpgsql as $$ begin create table made (a int); end $$;
create function prepares() returns void language plpgsql as $$ begin execute 'prepare unknown as select 1 as a into made'; end $$;
create function lends() returns int security definer language plpgsql as $$ begin create table made (a int); return 1; end $$;
create table computed (a int default makes(1), b int check (b is null or makes(b) = 1));
create view looking as select makes(1);
create procedure calls() language plpgsql as $$ begin call makes_too(); end $$;
create extension dblink;
create extension postgres_fdw;
create server itself foreign data wrapper postgres_fdw options (host '127.0.0.1', port '%(port)s', dbname 'invisible');
create user mapping for app server itself options (user 'app', password_required 'false');
create schema far;
create foreign table far.looking (makes int) server itself options (schema_name 'public');
grant usage on schema far to app;
grant select on looking, far.looking to app;
grant insert on computed to app;
create function by_link(text) returns text security definer language sql
    as $$ select dblink_exec('host=127.0.0.1 port=%(port)s dbname=invisible user=app', $1) $$;
"""


class Invisible(Case):
    """What docs/guard.md calls invisible passes the closed gate; the event trigger of docs/ddl_event_trigger.sql catches it."""

    settings = {"guard": {"mode": "enforce"}}

    def setUp(self):
        new_database(self.postgres, "invisible", HIDDEN % {"port": self.postgres.port})
        self.number = self.postgres.value("select 'makes'::regproc::oid::int", "invisible")

    def ways(self):
        yield "a function", [wire.query("select makes(1)")]
        yield "a function in a segment", [extended("select makes(1)")]
        yield "a function by its number", [wire.function_call(self.number, b"\0\0\0\1")]
        yield "a procedure", [wire.query("call makes_too()")]
        yield "a trigger", [wire.query("insert into notes values ('x')")]
        yield "a DO that puts its text together", [wire.query("do $$ begin execute 'cre' || 'ate table made (a int)'; end $$")]
        if self.postgres.version >= 15:  # others prepare no SELECT INTO
            yield "a statement that a function prepared", [wire.query("select prepares()"), wire.query("execute unknown")]
        yield "a function of the session", [wire.query(
            "create function pg_temp.f() returns void language plpgsql as $$ begin create table made (a int); end $$"),
            wire.query("select pg_temp.f()")]
        yield "a DO in a segment", [extended("do $$ begin execute 'cre' || 'ate table made (a int)'; end $$")]
        yield "a DO that asks a function", [wire.query("do $$ begin perform makes(1); end $$")]
        yield "a function with its owner's rights", [wire.query("select lends()")]
        yield "a procedure in a procedure", [wire.query("call calls()")]
        yield "a procedure in a segment", [extended("call makes_too()")]
        yield "a default", [wire.query("insert into computed default values")]
        yield "a check", [wire.query("insert into computed (a, b) values (1, 1)")]
        yield "a check on COPY", [wire.query("copy computed from stdin") + wire.copy_data(b"1\t1\n") + wire.copy_done()]
        yield "a trigger on COPY", [wire.query("copy notes from stdin") + wire.copy_data(b"x\n") + wire.copy_done()]
        yield "a view", [wire.query("table looking")]
        yield "a cursor", [wire.query("begin; declare c cursor for select makes(1); fetch c; commit")]
        yield "a COPY out of a function", [wire.query("copy (select makes(1)) to stdout")]
        yield "EXPLAIN ANALYZE of a function", [wire.query("explain analyze select makes(1)")]
        yield "a link to the database", [wire.query("select by_link('create table made (a int)')")]
        yield "a foreign table", [wire.query("table far.looking")]

    def run_way(self, messages):
        """The errors that one way ends in."""
        raw = self.wire(user="app", database="invisible")
        answers = [answer for message in messages for answer in raw.ask(message)]
        raw.close()
        return wire.errors(answers)

    def test_each_passes_and_is_no_false_alarm(self):
        for name, messages in self.ways():
            with self.subTest(name):
                self.assertEqual(self.run_way(messages), [])
                self.assertEqual(self.postgres.value("select count(*) from pg_class where relname = 'made'", "invisible"), 1)
                self.postgres.run("drop table made", "invisible")
        self.assertEqual(self.sluice.counter("ddl_unseen"), 0)

    def test_the_event_trigger_catches_each(self):
        done = psql(self.postgres.port, "-f", f"{machine.ROOT}/docs/ddl_event_trigger.sql", database="invisible")
        self.assertEqual(done.returncode, 0, done.stderr)
        for name, messages in self.ways():
            with self.subTest(name):
                errors = self.run_way(messages)
                self.assertTrue(errors and "no maintenance window is open" in errors[0]["M"], errors)
                self.assertEqual(self.postgres.value("select count(*) from pg_class where relname = 'made'", "invisible"), 0)

    def test_a_write_to_the_catalogs_passes(self):
        raw = self.wire(database="invisible")
        answers = raw.ask(wire.query("update pg_class set relname = 'gone' where oid = 'notes'::regclass"))
        raw.close()
        self.assertEqual(wire.errors(answers), [])
        self.assertEqual(self.postgres.value("select count(*) from pg_class where relname = 'gone'", "invisible"), 1)
        errors = self.run_way([wire.query("update pg_class set relname = 'lost' where relname = 'gone'")])
        self.assertEqual([error["C"] for error in errors], ["42501"])  # only superusers may


if __name__ == "__main__":
    main()
