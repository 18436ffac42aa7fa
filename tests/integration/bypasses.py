# SPDX-License-Identifier: PostgreSQL
"""Ways to bring a schema change past a guard that reads the wire. Each is a conversation that, held directly with a
server, changes its catalog; those that the server itself does not take are marked so."""
from harness import wire

MADE = "create table made (a int)"
FILLER = "select 'z' as filler /* ; create */;\n"


class Vector:
    """`steps` are sent one by one, each with the number of ReadyForQuery that answer it. `works`: whether the server does
    what it says when nobody is in between; a number is the first version that does, a range or tuple has those that do."""

    def __init__(self, name, *steps, works=True, **startup):
        self.name = name
        self.steps = [step if isinstance(step, tuple) else (step, 1) for step in steps]
        self.works = works
        self.startup = startup

    def works_with(self, version):
        if isinstance(self.works, (range, tuple)):
            return version in self.works
        return self.works if isinstance(self.works, bool) else version >= self.works

    def run(self, address, database):
        raw = wire.Wire(address, 10)
        try:
            raw.login(database=database, **self.startup)
            answers = []
            for message, count in self.steps:
                raw.send(message)
                answers += raw.until("Z", count)
            return answers
        except (wire.Closed, ConnectionError):
            return []
        finally:
            raw.close()


def extended(sql, name="", values=()):
    return wire.parse(sql, name) + wire.bind("", name, values) + wire.execute() + wire.sync()


def by_query(*texts, works=True, **startup):
    for text in texts:
        yield Vector(f"query: {text!r:.100}", wire.query(text), works=works, **startup)


def by_both(*texts, works=True, **startup):
    yield from by_query(*texts, works=works, **startup)
    for text in texts:
        yield Vector(f"extended: {text!r:.100}", extended(text), works=works, **startup)


def comments_and_blanks():
    yield from by_both(
        MADE, "cReAtE tAbLe made ()", ";" + MADE, " ; ;\n" + MADE + ";", "-- c\r" + MADE, "-- c\n" + MADE, "--\r\n" + MADE,
        "/* c */" + MADE, "/* /* */ */" + MADE, "/*/* select 1 */*/" + MADE, "/* -- */" + MADE, "-- /*\n" + MADE + " -- */",
        "\f\t" + MADE, "create/**/table/**/made()", "create\n--\n\ttable made ()", "create\ftable made()",
        "-- select 1;\r\r" + MADE, "/*'*/" + MADE + "/*'*/", "/*$$*/" + MADE + "--$$", "/*\"*/" + MADE + "--\"")
    yield from by_both("\v" + MADE, "create\vtable made ()", works=17)
    yield from by_both("\ufeff" + MADE, "\u00a0" + MADE, 'U&"\\0063reate" table made ()', '"create" table made ()',
                       "create_table made ()", "/* " + MADE, works=False)


def several_statements():
    before = ("select ';'", "select $$;$$", "select 'a' -- '\n", "select 'x'\n'; y'", "select $a$ $b$ $a$", "select 1 as a$$",
              "select 1+/* */1", "select 2*/*c*/3", "select 1 +-- x\r1", 'select 1 as "a;b"', 'select 1 as "a""; "',
              "select n'x'", "select b'1'", "values (1)", "begin", "commit", "rollback", "set application_name = ';'", "",
              "select E'\\''", "select E'\\\\'", "select e'\\\n'", "select U&'\\0027'", "select U&'!0027' uescape '!'",
              "select '\\'", "select x'ab'", "select $x$'$x$", "select 'it''s'", "select 1.",
              "table notes", "delete from notes", "insert into notes values ('drop')", "show all", "do $$ begin end $$",
              "explain select 1", "listen made", "declare c cursor with hold for select 1", "prepare p as select 1",
              "lock table notes", "savepoint s", "reset all", "select ($$ ( $$)", "select (array[1,2])[1]", "select 1 as \"$$\"")
    yield from by_query(*(f"{text}; {MADE}" for text in before if text not in ("savepoint s", "lock table notes", "begin")),
                        f"begin; lock table notes; {MADE}; commit", f"begin; savepoint s; {MADE}; commit",
                        f"begin isolation level serializable;{MADE};end", f"start transaction;{MADE};commit",
                        f"select 1 as a$$; {MADE}; --$$", f"select 1 as a$b$; {MADE}; --$b$", f"select 1;;;{MADE};;",
                        f"begin; select 1; commit; {MADE}; select 2", f"{MADE}; select 1", f"insert into notes values ('x'); {MADE}")
    yield from by_query(f"begin; {MADE}", f"select 1 / 0; {MADE}", f"{MADE}; select 1 / 0", f"{MADE}; selec", f"select '; {MADE}",
                        f"set standard_conforming_strings = off; select '\\''; {MADE}; --'", works=False)


def numbers():
    """1_0$$ and 0x1$$: before version 15 a number and the name that it is given, from 16 on a number and a dollar quote."""
    old = range(0, 15)
    for number in ("1_0", "1.5_0", "1e5_0", "0x1", "0b1", "0o1"):
        yield from by_both(f"select {number}$$ into made --$$", works=old)
        yield from by_query(f"select {number}$$; {MADE}; --$$", f"select {number}$a$; {MADE}; --$a$", works=old)
        yield from by_query(f"select {number}; {MADE}", works=(13, 14, 16, 17, 18))


def queries_that_create():
    yield from by_both(
        "select 1 as a into made", "select 1 a into table made", "select 1 a into unlogged made", "select 1 a into public.made",
        "(select 1 as a into made)", "((select 1 as a into made))", "select 1 as a into made union select 2",
        "(select 1 as a into made) union all select 2", "with w as (select 1 as a) select * into made from w",
        "with recursive w as (select 1 as a) select a into made from w", "select into made from items", "select all 1 a into made",
        "select distinct name into made from items", "select * into made from items for update", "select\n1\na\rinto made",
        "select 1 merge into made", "select 1 as merge into made", "select 1 as insert into made",
        "select 1 as \"into\" into made", "select 1 as into, 2 as b into made", 'select x.as into made from (select 1 as "as") x',
        "select x.into into made from (select 1 as into) x", "select insert.a into made from (select 1 as a) insert",
        "select (1)into made", "select 'x'into made", "select 1 as a/**/into/**/made", "select 1 as a into pg_temp",
        "select 1 as a into temp", "select 1 as a into \"pg_temp \"", 'select 1 as a into "TEMP"',
        "with w as (insert into notes values ('x') returning note) select note into made from w",
        "create table made as select 1 as a", "create table made as values (1)", "create table made as table items",
        "create table if not exists made as select 1 as a", "create unlogged table made as select 1 as a with no data",
        "create table made (a) as select 1", "create materialized view made as select 1 as a",
        "create table made as with temp as (select 1 as temp) select * from temp")
    yield from by_both("select 1 insert into made", works=14)
    for head in ("explain analyze", "explain analyse", "explain (analyze)", "explain (analyze true, costs off)", "explain (analyze 1)",
                 'explain ("analyze")', "explain (analyze 'on')", "explain analyze verbose", "explain (verbose, analyze on)",
                 "explain (analyze off, analyze)", "explain (analyze, format json)", "explain /**/ analyze", "EXPLAIN(ANALYZE)"):
        yield from by_both(f"{head} select 1 as a into made", f"{head} create table made as select 1 as a")
    yield from by_both("explain analyze with w as (select 1 as a) select * into made from w",
                       "explain analyze create materialized view made as select 1 as a", "explain analyze (select 1 as a into made)")
    yield from by_query("prepare p as select 1 as a; create table made as execute p",
                        "prepare p as select 1 as a; explain analyze create table made as execute p")
    yield from by_query("prepare p as select 1 as a into made; execute p", "prepare p (int) as select $1 as a into made; execute p (1)",
                        "prepare p as (select 1 as a into made); explain analyze execute p", 'prepare "P" as select 1 as a into made; execute "P"',
                        'prepare p as with w as (select 1 as a) select a into made from w; execute U&"\\0070"', works=15)
    yield from by_both("explain select 1 as a into made", "select * from (select 1 as a into made) x", "declare c cursor for select 1 into made",
                       "copy (select 1 as a into made) to stdout", "explain analyze create table made (a int)", works=False)


def kinds_of_change():
    yield from by_both("create function made() returns int language sql begin atomic; select 1; end", works=14)
    yield from by_both(
        "drop table items cascade", "drop table if exists notes", "truncate notes", "truncate table only notes restart identity cascade",
        "alter table items add column extra int", "alter table if exists only items rename to things", "alter table items drop name", "alter index items_pkey rename to other", "alter table items alter name set not null",
        "create index on items (name)", "create unique index made on items (name)", "create view made as select 1",
        "create or replace view seen as select 1 as id", "create recursive view made (n) as select 1", "create sequence made", "alter sequence counting restart 7",
        "drop sequence counting", "create schema made", "create schema made create table t (a int) create view v as select 1",
        "create schema authorization app", "create type made as (a int)", "create type made as enum ('a')", "alter type mood add value 'new'",
        "create domain made as int", "alter domain positive add check (value < 9)", "drop domain positive",
        "create function made() returns int language sql as 'select 1'",
        "create or replace function shout(text) returns text language sql as 'select 1::text'", "alter function shout(text) immutable",
        "drop function shout(text)", "create procedure made() language sql as ''", "create aggregate made (int) (sfunc = int4pl, stype = int)",
        "create operator %% (leftarg = int, rightarg = int, function = int4pl)", "create cast (mood as int) with inout as assignment",
        "create trigger made before insert on notes for each row execute function suppress_redundant_updates_trigger()",
        "alter table items disable trigger all", "drop trigger touched on notes", "create rule made as on insert to notes do also select 1",
        "create policy made on notes", "alter table notes enable row level security", "drop policy mine on items",
        "create event trigger made on ddl_command_start execute function on_change()", "create publication made", "create statistics made on a, b from pairs",
        "create collation made from \"C\"", "create text search configuration made (copy = simple)", "create access method made type index handler bthandler",
        "create foreign data wrapper made", "create server made foreign data wrapper other", "create user mapping for app server elsewhere",
        "create language made handler plpgsql_call_handler", "drop extension plpgsql cascade", "comment on table items is 'x'", "comment on role app is 'x'",
        "grant select on items to app", "grant app to scram_user", "revoke all on notes from app", "alter default privileges grant select on tables to app",
        "create role made_role", "create user made_role", "alter role app connection limit 3", "alter role app set work_mem = '1MB'",
        "drop owned by app", "reassign owned by app to postgres", "alter database postgres connection limit 50", "alter database postgres set work_mem = '1MB'",
        "create database made_db", "alter system set work_mem = '1MB'", "reindex table items", "cluster items using items_pkey",
        "refresh materialized view kept", "vacuum full items", "vacuum (full) items", 'vacuum ("full") items', "vacuum (analyze, full true) items",
        "alter table items set (fillfactor = 70)", "alter table items cluster on items_pkey", "alter view seen rename to unseen",
        "alter table pairs replica identity full", "alter materialized view kept rename to lost", "drop materialized view kept", "drop view seen",
        "drop type mood", "drop schema empty", "alter schema empty rename to full_", "alter table items owner to app", "alter table notes set schema empty",
        "create table made partition of parted for values in (1)", "alter table parted detach partition part", "create table made (like items including all)",
        "create table made () inherits (items)", "create foreign table made (a int) server elsewhere", "alter server elsewhere version '2'",
        "drop server elsewhere cascade", "alter large object 4711 owner to app", "drop index pairs_a", "reindex index concurrently pairs_a", "create index concurrently on items (name)")
    yield from by_both("security label on table items is 'x'", "import foreign schema s from server elsewhere into public", "drop table nothing",
                       "create tablespace made location '/nowhere'", works=False)


def temporary_names():
    make = "create temp table t (a int); "
    yield from by_query(make + "drop table pg_temp.t, notes", make + "drop table notes, pg_temp.t", make + "truncate pg_temp.t, notes",
                        make + 'drop table "pg_temp".t, public.notes', "create temp view v as select 1; create view made as select 1",
                        "create table pg_temp.t (a int); create table made (a int)", "create function pg_temp.f() returns int language sql "
                        "as 'select 1'; drop function pg_temp.f(), shout(text)", "select 1 as a into temp x; select 1 as a into made",
                        "create temp table t as select 1 a; create table made as select 1 a", "create table temp (a int)",
                        "create table \"pg_temp.t\" (a int)", "create table public.pg_temp (a int)", "create temp table x (a int); "
                        "create index on items (name)", "create schema made create table temp (a int)", "create temp table name (a int); drop table items cascade")
    yield Vector("a temporary table's dependants", wire.query("create temp sequence s"),
                 wire.query("alter table pairs alter a set default nextval('pg_temp.s')"), wire.query("drop sequence pg_temp.s cascade"))
    yield Vector("pg_temp in the path", wire.query("set search_path = public, pg_temp"), wire.query("create table made (a int)"))
    yield Vector("an index of a real table by a temporary one's name", wire.query("create temp table notes (a int)"),
                 wire.query("discard temp"), wire.query("drop table notes"))


def blocks():
    yield from by_both(
        f"do $$ begin {MADE}; end $$", f"do $x$ begin execute '{MADE}'; end $x$", f"do language plpgsql $$ begin {MADE}; end $$",
        f"do 'begin {MADE}; end'", f"do $$ begin if true then {MADE}; end if; end $$", f"do $$ <<l>> begin {MADE}; end $$",
        f"do $$ begin /* c */ {MADE}; end $$", f"do $$ begin -- c\n {MADE}; end $$", f"do $$ begin execute $q$ {MADE} $q$; end $$",
        f"do $$ begin loop {MADE}; exit; end loop; end $$", "do $$ begin execute format('create table %I ()', 'made'); end $$",
        "do $$ declare s text := 'create table made ()'; begin execute s; end $$", f"DO\n/* $$ */ LANGUAGE plpgsql\n$$begin {MADE};end$$",
        "do $$ begin perform 1; truncate notes; end $$ language plpgsql", f"do e'begin {MADE}; end'",
        "do e'begin cre\\x61te table made (); end'", "do E'begin \\143reate table made (); end'", "do U&'begin \\0063reate table made (); end'",
        "do e'begin\\ncreate table made (); end'", "do U&'begin !0063reate table made (); end' uescape '!'",
        "do 'begin cre'\n'ate table made (); end'", "do 'begin execute ''create table made ()''; end'")
    made = "create table made as select 1 as a"
    yield from by_both(
        f"do $$ begin execute 'explain analyze {made}'; end $$", f"do $$ begin execute 'EXPLAIN (VERBOSE, ANALYSE) {made}'; end $$",
        f"do $$ declare v text; begin explain analyze {made} into v; end $$",
        f"do $$ declare r record; begin for r in explain analyze {made} loop end loop; end $$",
        f"do $$ declare c cursor for explain analyze {made}; r record; begin open c; fetch c into r; end $$",
        f"do $$ declare c cursor is explain analyze {made}; r record; begin open c; fetch c into r; end $$",
        f"do $$ declare c refcursor; r record; begin open c for explain analyze {made}; fetch c into r; end $$",
        "do $$ begin execute 'EXPLAIN ANALYZE SELECT 1 AS a INTO made'; end $$",
        "do $$ begin execute $q$ explain (analyze) select ';' as a into made $q$; end $$",
        "do $$ begin execute 'explain (\"analyze\") select 1 as a into made'; end $$",
        "do $$ begin execute 'explain (U&\"\\0061nalyze\") select 1 as a into made'; end $$",
        "do $$ declare r record; begin for r in execute 'explain analyze select 1 as a into made' loop end loop; end $$",
        "do $$ begin execute 'explain analyze select '';'' as a into made'; end $$",
        "do $$ begin execute 'explain analyze select 1 as \"a;b\" into made'; end $$",
        "do $$ begin execute 'explain analyze select 1 as a /* ; */ into made'; end $$",
        "do $$ begin execute 'explain analyze select 1 as a -- ;\n into made'; end $$",
        "do $$ begin execute 'explain analyze select $a$;$a$ as a into made'; end $$",
        "do $$ begin execute e'explain analyze select \\';\\' as a into made'; end $$",
        "do 'begin execute ''explain analyze select '''';'''' as a into made''; end'",
        "do $$ begin execute 'explain /* ; */ analyze select 1 as a into made'; end $$",
        "do $$ begin execute 'explain (/* ) */ \"analyze\") select 1 as a into made'; end $$",
        "do $$ begin execute 'explain /* /* */ x */ analyze select 1 as a into made'; end $$",
        "do $$ begin execute 'explain /*\nprepare */ analyze select 1 as a into made'; end $$",
        "do $$ begin execute 'explain --\n analyze select 1 as a into made'; end $$",
        "do $$ begin execute 'explain /*/ x */ analyze select 1 as a into made'; end $$",
        "do $$ begin execute 'explain analyze select ''a''\n'';'' as a into made'; end $$",
        "do $$ declare r record; begin for r in execute 'explain analyze select 1' loop "
        "execute 'explain analyze select '';'' as a into made'; exit; end loop; end $$",
        "do $$ declare r record; begin for r in -- it'\n explain analyze select ';' as a into made loop null; end loop; end $$",
        "do $$ begin execute 'explain (format ''json'', \"analyze\") select 1 as a into made'; end $$")
    yield from by_both("do $$ begin execute 'explain analyze select 1\n insert into made'; end $$",
                       "do $$ begin execute $q$explain analyze select loop insert into made from (select 1 as loop) s$q$; end $$",
                       "do $$ begin execute 'explain analyze select loop insert into made from (select 1 as loop) s'; end $$", works=14)
    yield from by_query("do $$ begin execute 'PREPARE p AS SELECT 1 AS a INTO made'; end $$; execute p",
                        "do $$ begin execute 'prepare \"p\" (int) as select $1 insert into made'; end $$; execute p (1)",
                        "do $$ begin execute 'prepare \"my; plan\" (numeric(9, 2)) as select $1 as a into made'; end $$; execute \"my; plan\" (1)",
                        "do $$ begin execute 'prepare /* as */ p -- as\n as select 1 as a into made'; end $$; execute p", works=15)
    hidden = f"$$ begin execute replace('x {MADE}', 'x', ''); end $$"
    yield from by_both(f"do language other {hidden}", f"do {hidden} language other", f"do language 'other' {hidden}",
                       f'do {hidden} language "other"', f'do language U&"othe\\0072" {hidden}', f"do language e'othe\\x72' {hidden}",
                       f"do language $$other$$ {hidden}", f"do language /* 'plpgsql' */ 'other' {hidden}",
                       "do language other $$ begin execute replace('/**/ explain analyze select 1 a into made', '/**/', ''); end $$")
    inner = "$i$" + hidden.replace("$$", "") + "$i$"
    yield from by_both(f"do $$ begin do language other {inner}; end $$", f"do $$ begin do {inner} language other; end $$",
                       f"do $$ begin execute 'do language other {inner.replace(chr(39), chr(39) * 2)}'; end $$",
                       f"do $$ begin do /* c */ language 'other' {inner}; end $$", f"do $$ begin do {inner} -- c\n language \"other\"; end $$",
                       f"do $do$ begin do {inner} -- done;\n language other; end $do$",
                       f"do $do$ begin do /* foo$ */ language other {inner}; end $do$",
                       f"do $do$ begin do language $plpgsql$other$plpgsql$ {inner}; end $do$",
                       f"do 'begin do language other {inner.replace(chr(39), chr(39) * 2)}; end'")
    yield Vector("PREPARE in a DO", wire.query("do $$ begin execute 'PREPARE p AS SELECT 1 AS a INTO made'; end $$"), wire.query("execute p"), works=15)
    yield Vector("a DO read with backslash escapes", wire.query("set standard_conforming_strings = off"),
                 wire.query("do 'begin cre\\x61te table made (); end'"))


def prepared():
    run = wire.execute() + wire.sync()
    yield Vector("Parse, then Bind in another segment", wire.parse(MADE, "s") + wire.sync(), wire.bind("", "s") + run)
    yield Vector("Parse, then EXECUTE", wire.parse(MADE, "s") + wire.sync(), wire.query("execute s"))
    yield Vector("Parse, then EXECUTE behind another statement", wire.parse(MADE, "s") + wire.sync(), wire.query("select 1; execute s"))
    yield Vector("Parse and EXECUTE without waiting", (wire.parse(MADE, "s") + wire.sync() + wire.query("execute s"), 2))
    yield Vector("a leading semicolon in Parse", extended(";;" + MADE))
    yield Vector("a portal of its own", wire.parse(MADE, "s") + wire.bind("p", "s") + wire.describe("P", "p") + wire.execute("p", 1) + wire.sync())
    yield Vector("a name bound again", wire.parse("select 1", "s") + wire.sync(), wire.close("S", "s") + wire.parse(MADE, "s") + wire.sync(),
                 wire.bind("", "s") + run)
    yield Vector("a name deallocated", wire.query("prepare s as select 1"), wire.query("deallocate s"), wire.parse(MADE, "s") + wire.sync(),
                 wire.query("execute s"))
    yield Vector("PREPARE, then Bind", wire.query("prepare s as select 1 as a into made"), wire.bind("", "s") + run, works=15)
    yield Vector("PREPARE, then EXPLAIN ANALYZE EXECUTE", wire.query("prepare s as select 1 as a into made"), wire.query("explain analyze execute s"), works=15)
    yield Vector("PREPARE in a block that is rolled back", wire.query("begin"), wire.query("prepare s as select 1 as a into made"),
                 wire.query("rollback"), wire.query("execute s"), works=15)
    yield Vector("Parse in a transaction that fails", wire.query("begin"), wire.parse(MADE, "s") + wire.sync(), wire.query("selec"),
                 wire.query("rollback"), wire.query("execute s"))


def pipelines():
    change = extended(MADE)
    yield Vector("behind a statement of its segment", wire.parse("select 1") + wire.bind() + wire.execute() + change)
    yield Vector("behind a segment", (extended("select 1") + change, 2))
    yield Vector("behind a segment that fails", (extended("select 1 / 0") + change, 2))
    yield Vector("behind an error of its segment", wire.parse("selec") + change, works=False)
    yield Vector("Query behind an error of the segment", (wire.parse("selec") + wire.query(MADE) + wire.sync() + wire.query(MADE), 2))
    yield Vector("Query in an open segment", (wire.parse("select 1") + wire.bind() + wire.execute() + wire.query(MADE) + wire.sync(), 2),
                 works=range(10, 18))  # 18 takes it, but its Sync does not commit
    yield Vector("behind Flush", wire.parse("select 1") + wire.flush() + change)
    yield Vector("COMMIT in a segment", wire.parse("begin") + wire.bind() + wire.execute() + wire.parse(MADE) + wire.bind() + wire.execute() +
                 wire.parse("commit") + wire.bind() + wire.execute() + wire.sync())
    yield Vector("in a transaction with savepoints", wire.query("begin"), wire.query("savepoint s"), wire.query("selec"),
                 wire.query("rollback to s"), wire.query(MADE), wire.query("commit"))
    yield Vector("two-phase commit", wire.query("begin"), wire.query(MADE), wire.query("prepare transaction 'x'"), wire.query("commit prepared 'x'"))
    yield Vector("after a failed transaction", wire.query("begin"), wire.query("selec"), wire.query(MADE), wire.query("rollback"), wire.query(MADE))
    yield Vector("COMMIT AND CHAIN", wire.query("begin"), wire.query("commit and chain; " + MADE), wire.query("commit"))
    yield Vector("Query behind a Describe that fails", (wire.describe("S", "none") + wire.sync() + wire.query(MADE), 2))
    yield Vector("text behind a NUL", wire.message("Q", b"select 1\0" + MADE.encode() + b"\0"), works=False)


def copies():
    copy, done = "copy notes from stdin", wire.copy_data(b"x\n") + wire.copy_done()
    yield Vector("behind COPY in one text", wire.query(f"{copy}; {MADE}") + done)
    yield Vector("behind COPY", (wire.query(copy) + done + wire.query(MADE), 2))
    yield Vector("behind a COPY that fails", (wire.query(copy) + wire.copy_fail("x") + wire.query(MADE), 2))
    yield Vector("behind COPY TO", (wire.query("copy notes to stdout") + wire.query(MADE), 2))
    yield Vector("behind COPY in a segment", wire.parse(copy) + wire.bind() + wire.execute() + wire.sync() + done + wire.sync(), wire.query(MADE))
    yield Vector("behind COPY of a table that is not there", (wire.query("copy nothing from stdin") + done + wire.query(MADE), 2))
    yield Vector("a message within COPY's data", (wire.query(copy) + wire.copy_data(wire.query(MADE) + b"\n") + wire.copy_done(), 1), works=False)


def strings_and_encodings():
    lax = f"select '\\'' ; {MADE}; --'"
    off = "set standard_conforming_strings = off"
    yield Vector("backslashes, set and used without waiting", (wire.query(off) + wire.query(lax), 2))
    yield Vector("backslashes, set and used", wire.query(off), wire.query(lax))
    yield Vector("backslashes, set in a segment", (extended(off) + wire.query(lax), 2))
    yield Vector("backslashes by set_config", (wire.query("select set_config('standard_conforming_strings', 'off', false)") + wire.query(lax), 2))
    yield Vector("backslashes by start-up options", wire.query(lax), options="-c standard_conforming_strings=off")
    yield Vector("backslashes by a start-up parameter", wire.query(lax), standard_conforming_strings="off")
    yield Vector("backslashes back by RESET", wire.query(off), (wire.query("reset standard_conforming_strings") +
                 wire.query(f"select '\\'; {MADE}; --'"), 2))
    yield Vector("backslashes back by ROLLBACK", wire.query("begin"), wire.query(off), (wire.query("rollback") +
                 wire.query(f"select '\\'; {MADE}; --'"), 2))
    yield Vector("backslashes in Parse", (wire.query(off), 1), (wire.parse("do '\\''") + wire.sync() + wire.query(lax), 2))
    tail = f"'; {MADE}; --'".encode()
    for encoding, character in (("SJIS", b"\x95\x5c"), ("BIG5", b"\xa5\x5c"), ("GBK", b"\x81\x5c"), ("GB18030", b"\x81\x5c"),
                                ("SHIFT_JIS_2004", b"\x95\x5c")):
        text = b"select E'" + character + tail
        yield Vector(f"{encoding} by start-up", wire.query(text), client_encoding=encoding)
        yield Vector(f"{encoding} by SET", wire.query(f"set client_encoding = '{encoding}'"), wire.query(text))
        yield Vector(f"{encoding} without waiting", (wire.query(f"set names '{encoding}'") + wire.query(text), 2))
        yield Vector(f"{encoding} in Parse", wire.query(f"set client_encoding = '{encoding}'"),
                     wire.parse(b"select E'" + character + b"'; --'") + wire.sync(), wire.query(text))
    yield from by_query(b"select E'\x81\x5f\\'; " + MADE.encode() + b"; --'", b"select E'\x81\x5f\\' as a into made --'",
                        b"select 'a'\x81\xb0$$ '$$; " + MADE.encode() + b"; --'", client_encoding="SHIFT_JIS_2004")
    text = b"select E'\x81\x5f\\'; " + MADE.encode() + b"; --'"
    yield Vector("a backslash of two bytes without waiting", (wire.query("set names 'SHIFT_JIS_2004'") + wire.query(text), 2))
    yield Vector("a backslash of two bytes behind a BEGIN", wire.query("set names 'SHIFT_JIS_2004'"), (wire.query("begin") + wire.query(text) +
                 wire.query("commit"), 3))
    yield Vector("a backslash of two bytes without waiting, in a segment",
                 (wire.parse("set names 'SHIFT_JIS_2004'") + wire.bind() + wire.execute() + wire.sync() + wire.parse("begin") + wire.bind() +
                  wire.execute() + wire.sync() + wire.query(text) + wire.query("commit"), 4))
    undone = wire.query("set client_encoding = 'SHIFT_JIS_2004'"), wire.query("begin; set local client_encoding = 'UTF8'")
    hidden = wire.query(b"rollback; select E'\x81\x5f\\'; " + MADE.encode() + b"; --'")
    yield Vector("a backslash of two bytes behind an error", *undone, (wire.parse("selec") + wire.sync() + hidden, 2))
    yield Vector("a backslash of two bytes behind a BEGIN that fails", wire.query("set client_encoding = 'SHIFT_JIS_2004'"),
                 wire.query("begin; set local client_encoding = 'UTF8'; select 1"),
                 (wire.query("begin isolation level serializable") + hidden, 2))
    yield Vector("four bytes of GB18030", wire.query(b"select '\x81\x30\x81\x30'; " + MADE.encode()), client_encoding="GB18030")
    for encoding in ("UHC", "JOHAB"):
        yield Vector(f"{encoding} without a character", wire.query(b"select E'\x81\x5c" + tail), client_encoding=encoding, works=False)
    yield Vector("bytes that are not UTF-8", wire.query(b"select '\xff'; " + MADE.encode()), works=False)
    yield Vector("Latin letters", wire.query("select 'é' as é; " .encode("latin-1") + MADE.encode()), client_encoding="LATIN1")


def long_texts():
    for size in (16 * 1024, 70 * 1024, 1200 * 1024):
        padding = FILLER * (size // len(FILLER))
        yield Vector(f"behind {size} bytes of statements", wire.query(padding + MADE))
        yield Vector(f"behind {size} bytes of a string", wire.query(f"select '{padding.replace(chr(39), '')}'; {MADE}"))
        yield Vector(f"behind {size} bytes of a comment", extended("/*" + " c;" * (size // 3) + "*/" + MADE))
        yield Vector(f"before {size} bytes of a comment", extended(MADE + "--" + "x" * size))
        yield Vector(f"behind {size} semicolons", wire.query(";" * size + MADE))
        yield from by_both("select $" + "a" * 70 + "$" + "x" * size + "$" + "a" * 70 + "$ as a into made")
        yield Vector(f"behind {size} bytes of a dollar quote", wire.query("select $" + "a" * 60 + "$" + "x" * size + "$" + "a" * 60 + "$; " + MADE))
    yield Vector("behind a deep nest of comments", wire.query("/*" * 5000 + "*/" * 5000 + MADE))
    yield Vector("behind a deep nest of parentheses", wire.query("select " + "(" * 300 + "1" + ")" * 300 + ";" + MADE))
    yield Vector("INTO within a deep nest of parentheses", wire.query("(" * 100 + "select 1 as a into made" + ")" * 100))


def other_protocols():
    yield Vector("a replication connection", wire.query(MADE), replication="database")
    yield Vector("a replication connection, several statements", wire.query("select 1; " + MADE), replication="database")
    yield Vector("a replication connection, behind its own command", (wire.query("IDENTIFY_SYSTEM") + wire.query(MADE), 2), replication="database")
    yield Vector("replication, spelt otherwise", wire.query("/* c */ " + MADE), replication="database")


def all_vectors():
    for group in (comments_and_blanks, several_statements, numbers, queries_that_create, kinds_of_change, temporary_names, blocks, prepared,
                  pipelines, copies, strings_and_encodings, long_texts, other_protocols):
        for vector in group():
            vector.name = f"{group.__name__}: {vector.name}"
            yield vector
