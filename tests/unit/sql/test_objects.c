/* SPDX-License-Identifier: PostgreSQL */
#include "sql/classifier.h"
#include "sql/object_reader.h"
#include "sql/objects.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct lexer_reading standard = { .has_standard_strings = true, .has_vertical_tab = true };

/* A text and what it names: (t) is only referred to, ... stands where it may change others as well. */
struct example {
    const char *text;
    const char *named;
};

static void append(struct text *out, const char *words)
{
    text_append_string(out, out->size > 0 ? ", " : "");
    text_append_string(out, words);
}

static void say(const struct object_names *names, struct text *out)
{
    for (size_t i = 0; i < names->count; i++) {
        append(out, names->names[i].is_referred ? "(" : "");
        object_name_describe(&names->names[i], out);
        text_append_string(out, names->names[i].is_referred ? ")" : "");
    }
    if (!names->is_complete)
        append(out, "...");
}

static bool is_as_said(const char *sql, struct lexer_reading reading, bool is_cut, const char *named)
{
    char storage[8192];
    struct text said;
    struct object_names names;
    text_init(&said, storage, sizeof(storage));
    objects_named(bytes_text(sql), is_cut, reading, &names);
    say(&names, &said);
    bool is_same = strcmp(storage, named) == 0;
    if (!is_same)
        print_error("%s\n  names    %s\n  expected %s\n", sql, storage, named);
    return is_same;
}

static void check(const struct example *examples, size_t count)
{
    size_t failures = 0;
    for (size_t i = 0; i < count; i++)
        failures += !is_as_said(examples[i].text, standard, false, examples[i].named);
    assert_int_equal(failures, 0);
}

static void names_are_read_as_the_server_reads_them(void **state)
{
    (void)state;
    static const struct example examples[] = {
        { "drop table Orders", "orders" },
        { "drop table \"Orders\"", "\"Orders\"" },
        { "drop table \"orders\"", "orders" },
        { "DROP TABLE Public . Orders", "public.orders" },
        { "drop table /* x */ public -- y\n . orders", "public.orders" },
        { "drop table db.public.orders", "public.orders" },
        { "drop table a.b.c.d", "..." },
        { "drop table \"a\"\"b\".\"c.d\"", "\"a\"\"b\".\"c.d\"" },
        { "drop table \"select\", a.table", "\"select\", a.\"table\"" },
        { "drop table aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
          "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" },
        { "drop table "
          "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
          "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
          "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4",
          "..." },
        { "drop table \xc3\xa4", "\xc3\xa4" },
        { "drop table U&\"\\006frders\"", "..." },
        { "drop table U&\"orders\"", "..." },
        { "drop table \"\"", "..." },
        { "drop table a, a, b", "a, b" },
        { "drop table _a1$, \"1a\"", "_a1$, \"1a\"" },
        { "drop table a.", "..." },
    };
    check(examples, COUNT_OF(examples));
}

static void what_is_dropped_is_named_one_by_one(void **state)
{
    (void)state;
    static const struct example examples[] = {
        { "drop table if exists a, b.c", "a, b.c" },
        { "drop table if", "if" },
        { "drop table if, exists", "if, exists" },
        { "drop table a restrict", "a" },
        { "drop table a cascade", "a, ..." },
        { "DROP TABLE a CASCADE", "a, ..." },
        { "drop table cascade", "cascade" },
        { "drop table \"cascade\"", "cascade" },
        { "drop table a, b.c cascade", "a, b.c, ..." },
        { "drop view s.v", "s.v" },
        { "drop materialized view if exists m", "m" },
        { "drop foreign table f", "f" },
        { "drop sequence s.q", "s.q" },
        { "drop function a.f(int, numeric(3, 2)), g()", "a.f, g" },
        { "drop function f(int) cascade", "f, ..." },
        { "drop procedure p", "p" },
        { "drop routine r(int)", "r" },
        { "drop aggregate s.a(int, text)", "s.a" },
        { "drop type s.t", "s.t" },
        { "drop domain d", "d" },
        { "drop collation c", "c" },
        { "drop text search configuration s.c", "s.c" },
        { "drop index i", "i, ..." },
        { "drop index concurrently if exists s.i", "s.i, ..." },
        { "drop statistics s.i", "s.i, ..." },
        { "drop trigger r on public.orders", "public.orders" },
        { "drop trigger if exists r on orders cascade", "orders, ..." },
        { "drop policy p on s.t", "s.t" },
        { "drop rule r on s.t restrict", "s.t" },
        { "drop schema a", "schema a" },
        { "drop schema if exists a, \"B\"", "schema a, schema \"B\"" },
        { "drop schema a cascade", "schema a, ..." },
        { "drop schema a.b", "..." },
        { "drop extension postgis", "..." },
        { "drop operator === (int, int)", "..." },
        { "drop cast (a as b)", "..." },
        { "drop role r", "" },
        { "drop user mapping for u server s", "" },
        { "drop publication p", "" },
        { "drop server s cascade", "..." },
        { "drop owned by r", "..." },
        { "reassign owned by a to b", "..." },
        { "drop database d", "..." },
        { "drop property graph g", "..." },
        { "drop table", "..." },
        { "drop table a b", "a, ..." },
    };
    check(examples, COUNT_OF(examples));
}

static void a_new_table_names_itself_and_those_it_touches(void **state)
{
    (void)state;
    static const struct example examples[] = {
        { "create table if not exists s.t (a int, b text)", "s.t" },
        { "create unlogged table t (a int)", "t" },
        { "create table t (a int references u, b int references v.w (x) on delete cascade)",
          "t, (u), (v.w)" },
        { "create table t (a int, foreign key (a) references u (b) on update cascade)", "t, (u)" },
        { "create table t (like s.u including all, a int, like v)", "t, (s.u), (v)" },
        { "create table t (a text check (a like b))", "t" },
        { "create table t (sequence name, \"references\" int)", "t" },
        { "create table p partition of s.t for values from (1) to (2)", "p, s.t" },
        { "create table p partition of t (a not null) default partition by range (a)", "p, t" },
        { "create table partition of s.y", "partition" },
        { "create table t (a int) inherits (s.u, v)", "t, s.u, v" },
        { "create table t () inherits (only u)", "t, u" },
        { "create table inherits (a int)", "inherits" },
        { "create table t (a int generated always as identity (sequence name s.q start 2))", "t, s.q" },
        { "create table t (a int generated always as (b * 2) stored references u)", "t, (u)" },
        { "create table t as select a like b, c from u, v", "t" },
        { "create table t (a, b) with (fillfactor = 70) as table u", "t" },
        { "create table t as execute p (1)", "t" },
        { "create foreign table s.f (a int) server x options (schema_name 'public')", "s.f" },
        { "create foreign table f partition of t for values in (1) server x", "f, t" },
        { "create table t (a int references U&\"x\")", "t, ..." },
        { "create table t (cascade int)", "t, ..." },
        { "select 1 into t", "t" },
        { "select 1 into table s.t from u", "s.t" },
        { "select 1 into unlogged table t from u", "t" },
        { "select 1 into unlogged t from u", "t" },
        { "select 1 into unlogged from u", "unlogged" },
        { "with c as (select 1) select * into s.t from c", "s.t" },
        { "with c as (insert into u values (1) returning *) select * into t from c", "u, t" },
        { "(select 1 as \"into\" into t)", "t" },
        { "select x.into into t from x", "t" },
    };
    check(examples, COUNT_OF(examples));
}

static void what_else_is_created_is_named_with_what_it_hangs_on(void **state)
{
    (void)state;
    static const struct example examples[] = {
        { "create or replace view s.v as select * from t", "s.v" },
        { "create recursive view v (a) as select 1", "v" },
        { "create materialized view if not exists m as select 1 with no data", "m" },
        { "create index i on t (a)", "i, t" },
        { "create unique index concurrently if not exists i on only s.t using gin (lower(a)) where b > 0",
          "s.i, s.t" },
        { "create index on s.t (a)", "s.t" },
        { "create index concurrently on t (a)", "t" },
        { "create trigger r before insert or update of a, b on s.t for each row execute function f()",
          "s.t" },
        { "create constraint trigger r after insert on s.t from u deferrable for each row execute function "
          "f()",
          "s.t, (u)" },
        { "create or replace trigger r after delete on t execute procedure s.f()", "t" },
        { "create policy p on s.t for select to u using (a > 0)", "s.t" },
        { "create rule r as on insert to s.t where new.a > 0 do instead (delete from u; select 1)", "s.t" },
        { "create rule r as on insert to s.t do also (delete from u; drop table x)", "s.t, ..." },
        { "create sequence if not exists s.q as int owned by s.t.c", "s.q, (s.t)" },
        { "create sequence q start 1 owned by t.c", "q, (t)" },
        { "create sequence q owned by none", "q" },
        { "create sequence q owned by c", "q, ..." },
        { "create sequence q owned by none.c", "q, (none)" },
        { "create function s.f(a int default 1) returns int language sql as 'drop table x'", "s.f" },
        { "create or replace function f() returns int begin atomic; select 1; select 2; end", "f" },
        { "create or replace procedure s.p(inout a int) language sql as $$ select 1 $$", "s.p" },
        { "create aggregate a(int) (sfunc = f, stype = int)", "a" },
        { "create type s.c as (a int, b text)", "s.c" },
        { "create type e as enum ('a', 'b')", "e" },
        { "create domain s.d as int check (value > 0)", "s.d" },
        { "create collation s.c (locale = 'de_DE')", "s.c" },
        { "create statistics s.x (ndistinct) on a, b from s.t", "s.x, s.t" },
        { "create statistics on a, b from t", "t" },
        { "create schema s", "schema s" },
        { "create schema if not exists s authorization u", "schema s" },
        { "create schema authorization u", "schema u" },
        { "create schema s create table t (a int) grant select on t to u", "schema s, ..." },
        { "create extension postgis", "..." },
        { "create role r login password 'x'", "" },
        { "create user mapping for u server s", "" },
        { "create user mapping login", "..." },
        { "create database d", "" },
        { "create server s foreign data wrapper w", "" },
        { "create publication p", "" },
        { "create publication p for table a (x, y) where (x > 0), only s.b, tables in schema s, u with "
          "(publish = 'insert')",
          "a, s.b, schema s, schema u" },
        { "create publication p for all tables", "..." },
        { "create publication p for tables in schema current_schema", "..." },
        { "create subscription s connection 'x' publication p", "..." },
        { "create cast (a as b) without function", "..." },
        { "create operator === (leftarg = int, function = f)", "..." },
        { "create property graph view vertex tables (a)", "..." },
    };
    check(examples, COUNT_OF(examples));
}

static void each_action_of_alter_names_what_it_changes(void **state)
{
    (void)state;
    static const struct example examples[] = {
        { "alter table if exists only s.t add a int", "s.t" },
        { "alter table only (s.t) add a int", "s.t" },
        { "alter table t * add a int", "t" },
        { "alter table t add column a int references s.u, add constraint f foreign key (b) references v",
          "t, (s.u), (v)" },
        { "alter table t add foreign key (b) references v on delete cascade not valid", "t, (v)" },
        { "alter table t drop column a, alter b set not null, validate constraint c", "t" },
        { "alter table t drop column a cascade", "t, ..." },
        { "alter table t drop column delete cascade", "t, ..." },
        { "alter table s.t alter column c type numeric(3, 2) using c::numeric, owner to u", "s.t" },
        { "alter table t add a int[] default array[1, 2], add b int", "t" },
        { "alter table t alter a add generated by default as identity (sequence name s.q)", "t, s.q" },
        { "alter table t add sequence name", "t" },
        { "alter table s.t rename to u", "s.t, s.u" },
        { "alter table t rename to \"U\"", "t, \"U\"" },
        { "alter table t rename column a to b", "t" },
        { "alter table t rename a to b", "t" },
        { "alter table s.t rename constraint a to b", "s.t" },
        { "alter table s.t set schema archive", "s.t, archive.t" },
        { "alter table t set (fillfactor = 70), set without cluster, set logged, reset (fillfactor)", "t" },
        { "alter table s.t attach partition s.p for values in (1)", "s.t, s.p" },
        { "alter table s.t detach partition p concurrently", "s.t, p" },
        { "alter table t inherit s.p, no inherit q", "t, s.p, q" },
        { "alter table t no force row level security, enable row level security, of x, not of", "t" },
        { "alter table s.t add constraint c primary key using index i", "s.t, s.i" },
        { "alter table t add primary key (a) using index tablespace x", "t" },
        { "alter table t replica identity using index i", "t, i" },
        { "alter table t disable trigger all, cluster on i", "t" },
        { "alter table t merge partitions (a, b) into c", "t, ..." },
        { "alter table t split partition a into (partition b for values in (1))", "t, ..." },
        { "alter table t", "t, ..." },
        { "alter table all in tablespace a set tablespace b", "..." },
        { "alter foreign table f options (set a 'b'), rename to g", "f, g" },
        { "alter view s.v rename column a to b", "s.v" },
        { "alter view s.v rename to w", "s.v, s.w" },
        { "alter materialized view m set schema s", "m, s.m" },
        { "alter index s.i rename to j", "s.i, s.j, ..." },
        { "alter index i attach partition j", "i, j, ..." },
        { "alter sequence s.q owned by s.t.c", "s.q, (s.t)" },
        { "alter sequence q restart with 5", "q" },
        { "alter sequence s.q rename to r", "s.q, s.r" },
        { "alter sequence q set schema s", "q, s.q" },
        { "alter type s.t add attribute a int, drop attribute b", "s.t" },
        { "alter type s.t add attribute a int cascade", "s.t, ..." },
        { "alter type e rename to f", "e, f" },
        { "alter type e add value 'a' before 'b'", "e" },
        { "alter domain s.d drop constraint c", "s.d" },
        { "alter domain d set schema s", "d, s.d" },
        { "alter function s.f(int) rename to g", "s.f, s.g" },
        { "alter function f(int, text) set search_path = a, b", "f" },
        { "alter function f set schema s", "f, s.f" },
        { "alter procedure p() owner to u", "p" },
        { "alter schema a rename to b", "schema a, schema b" },
        { "alter schema a owner to u", "schema a" },
        { "alter trigger r on s.t rename to x", "s.t" },
        { "alter policy p on s.t to u", "s.t" },
        { "alter rule r on s.t rename to x", "s.t" },
        { "alter statistics x set statistics 100", "x, ..." },
        { "alter text search configuration s.c add mapping for x with y", "s.c" },
        { "alter extension e update", "..." },
        { "alter role r set search_path = a", "" },
        { "alter system set a = 1", "" },
        { "alter database d set a = 1", "" },
        { "alter default privileges in schema s, t grant select on tables to u", "schema s, schema t" },
        { "alter default privileges for role r grant select on tables to u", "" },
        { "alter publication p add table a, only s.b", "a, s.b" },
        { "alter publication p set table a, tables in schema s", "a, schema s" },
        { "alter publication p drop tables in schema s", "schema s" },
        { "alter publication p set (publish = 'insert')", "" },
        { "alter publication p set all tables", "..." },
        { "alter publication p rename to q", "" },
        { "alter operator === (int, int) owner to u", "..." },
    };
    check(examples, COUNT_OF(examples));
}

static void privileges_and_comments_name_what_they_are_on(void **state)
{
    (void)state;
    static const struct example examples[] = {
        { "grant select on s.a, b to u", "s.a, b" },
        { "grant select (x, y), update on table a to u with grant option", "a" },
        { "revoke all privileges on s.a from public", "s.a" },
        { "revoke grant option for select on a from u cascade", "a, ..." },
        { "grant usage on sequence s.q to u", "s.q" },
        { "grant select on sequence to u", "sequence" },
        { "grant select on function, b to u", "function, b" },
        { "grant execute on function s.f(int, text), g() to u", "s.f, g" },
        { "grant select on all tables in schema s, t to u", "schema s, schema t" },
        { "grant execute on all functions in schema s to u", "schema s" },
        { "grant usage on schema s to u", "schema s" },
        { "grant usage on type s.t to u", "s.t" },
        { "grant connect on database d to u", "" },
        { "grant usage on foreign server f to u", "" },
        { "grant select on large object 12, 13 to u", "" },
        { "grant a, b to u", "" },
        { "revoke admin option for a from u", "" },
        { "grant select on a b to u", "a, ..." },
        { "comment on table s.t is 'on x'", "s.t" },
        { "comment on column s.t.c is 'x'", "s.t" },
        { "comment on column db.s.t.c is null", "s.t" },
        { "comment on column t.c is null", "t" },
        { "comment on column c is null", "..." },
        { "comment on constraint c on s.t is 'x'", "s.t" },
        { "comment on constraint c on domain s.d is 'x'", "s.d" },
        { "comment on constraint c on domain is 'x'", "domain" },
        { "create trigger t before insert on domain execute function f()", "domain" },
        { "comment on statistics s.x is 'x'", "s.x, ..." },
        { "comment on trigger r on s.t is 'x'", "s.t" },
        { "comment on policy p on s.t is 'x'", "s.t" },
        { "comment on rule p on s.t is 'x'", "s.t" },
        { "comment on function s.f(int) is 'x'", "s.f" },
        { "comment on materialized view m is 'x'", "m" },
        { "comment on index s.i is 'x'", "s.i, ..." },
        { "comment on schema s is 'x'", "schema s" },
        { "comment on role r is 'x'", "" },
        { "comment on extension e is 'x'", "" },
        { "comment on operator === (int, int) is 'x'", "..." },
        { "comment on cast (a as b) is 'x'", "..." },
        { "comment on transform for a language b is 'x'", "..." },
        { "comment on nothing known is 'x'", "..." },
        { "security label for p on table s.t is 'x'", "s.t" },
        { "security label on column t.c is 'x'", "t" },
        { "security label for 'p' on role r is 'x'", "" },
    };
    check(examples, COUNT_OF(examples));
}

static void maintenance_names_its_tables_or_may_reach_all(void **state)
{
    (void)state;
    static const struct example examples[] = {
        { "truncate a", "a" },
        { "truncate table only a, s.b *, c restart identity restrict", "a, s.b, c" },
        { "truncate a continue identity cascade", "a, ..." },
        { "truncate a cascade", "a, ..." },
        { "cluster", "..." },
        { "cluster verbose", "..." },
        { "cluster verbose s.t using i", "s.t" },
        { "cluster (verbose) t", "t" },
        { "cluster i on s.t", "i, s.t" },
        { "refresh materialized view s.m", "s.m" },
        { "refresh materialized view concurrently m with no data", "m" },
        { "vacuum full", "..." },
        { "vacuum full verbose analyze s.a (x, y), b", "s.a, b" },
        { "vacuum (full, analyze true) t", "t" },
        { "vacuum (full)", "..." },
        { "reindex table s.t", "s.t" },
        { "reindex (verbose) table concurrently t", "t" },
        { "reindex index s.i", "s.i, ..." },
        { "reindex schema s", "schema s" },
        { "reindex database d", "..." },
        { "reindex system", "..." },
        { "repack t using index i", "t" },
        { "repack", "..." },
        { "import foreign schema a from server s into b", "..." },
        { "do $$ begin drop table t; end $$", "..." },
    };
    check(examples, COUNT_OF(examples));
}

static void only_guarded_statements_of_a_text_count(void **state)
{
    (void)state;
    static const struct example examples[] = {
        { "", "" },
        { "select * from t", "" },
        { "insert into t values ('drop table x')", "" },
        { "create temp table t (a int references u)", "" },
        { "drop table pg_temp.t", "" },
        { "drop table pg_temp.t, s.u", "s.u" },
        { "create index i on pg_temp.t (a)", "" },
        { "begin; alter table a add x int; select 1 from z; drop table s.b; commit", "a, s.b" },
        { ";; drop table a;;", "a" },
        { "drop table a cascade; drop table b", "a, b, ..." },
        { "alter table a add b int references c; drop table c", "a, c" },
        { "explain drop table a", "" },
        { "explain analyze create table t as select 1", "t" },
        { "explain (analyze, verbose) create materialized view s.m as select 1", "s.m" },
        { "explain (select 1)", "" },
        { "explain analyze verbose select 1 into s.t", "s.t" },
        { "prepare p (int) as select 1 into t", "t" },
        { "frobnicate drop table x", "..." },
        { "drop table 'x", "..." },
        { "create index i on t (a) where b = 'x", "i, t, ..." },
        { "(select 1; drop table x", "..." },
    };
    check(examples, COUNT_OF(examples));
}

static void a_cut_text_is_never_complete(void **state)
{
    (void)state;
    assert_true(is_as_said("drop table a; select", standard, true, "a, ..."));
    assert_true(is_as_said("select 1", standard, true, "..."));
}

static void doubtful_readings_are_never_complete(void **state)
{
    (void)state;
    static const struct lexer_reading unsafe = { .has_standard_strings = true, .has_unsafe_encoding = true };
    assert_true(is_as_said("drop table \"\x95\x5c\"", unsafe, false, "\"\\x95\\\\\", ..."));
    assert_true(is_as_said("drop table a", unsafe, false, "a"));
    static const struct lexer_reading foreign = { .has_standard_strings = true, .has_foreign_letters = true };
    assert_true(is_as_said("drop table \xe4", foreign, false, "..."));
    assert_true(is_as_said("comment on table t is '\xe4'", foreign, false, "t"));
    assert_true(is_as_said("drop table \xc3\xa4", standard, false, "\xc3\xa4"));
    assert_true(is_as_said("comment on table t is 'C:\\'", standard, false, "t"));
    assert_true(is_as_said("comment on table t is 'a\\b'", standard, false, "t"));
    assert_true(is_as_said("drop table a; select '\\'; drop table b; --'", standard, false, "a, b, ..."));
}

static void more_names_than_fit_are_not_complete(void **state)
{
    (void)state;
    char sql[1024];
    struct text text;
    struct object_names names;
    text_init(&text, sql, sizeof(sql));
    text_append_string(&text, "drop table t0");
    for (int i = 1; i < OBJECTS_NAMED_MOST; i++)
        text_append_format(&text, ", t%d", i);
    objects_named(text_bytes(&text), false, standard, &names);
    assert_true(names.is_complete);
    assert_int_equal(names.count, OBJECTS_NAMED_MOST);
    text_append_string(&text, ", t0");
    objects_named(text_bytes(&text), false, standard, &names);
    assert_true(names.is_complete);
    text_append_string(&text, ", more");
    objects_named(text_bytes(&text), false, standard, &names);
    assert_false(names.is_complete);
    assert_int_equal(names.count, OBJECTS_NAMED_MOST);
}

static void a_command_that_ends_before_its_names_is_not_complete(void **state)
{
    (void)state;
    static const char *const commands[] = {
#define OBJECTS(reader, kind, command) KIND_##kind == KIND_NOTHING ? "" : command,
#include "sql/objects.def"
#undef OBJECTS
    };
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        struct object_names names;
        struct verdict verdict;
        objects_named(bytes_text(commands[i]), false, standard, &names);
        classify(bytes_text(commands[i]), standard, &verdict);
        bool is_default = strcmp(commands[i], "ALTER DEFAULT PRIVILEGES") == 0;
        if (verdict.is_guarded && !is_default && names.is_complete)
            print_error("%s\n", commands[i]);
        assert_true(!verdict.is_guarded || is_default || !names.is_complete);
        assert_int_equal(names.count, 0);
    }
}

static void what_is_no_schema_change_is_not_read(void **state)
{
    (void)state;
    static const char *const texts[] = { "select 1", "begin", "frobnicate", "" };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct object_names names = { .is_complete = true };
        struct object_walk walk;
        object_walk_begin(&walk, bytes_text(texts[i]), standard, &names);
        object_read(&walk);
        assert_false(names.is_complete);
        assert_int_equal(names.count, 0);
    }
}

static void names_are_said_in_one_printable_line(void **state)
{
    (void)state;
    char storage[128];
    struct text text;
    struct object_names names;
    objects_named(bytes_text("drop table public.orders, \"Lead\", \"a\n\"\"b\""), false, standard, &names);
    text_init(&text, storage, sizeof(storage));
    objects_describe(&names, &text);
    assert_string_equal(storage, "public.orders, \"Lead\", \"a\\x0a\"\"b\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_read_as_the_server_reads_them),
        cmocka_unit_test(what_is_dropped_is_named_one_by_one),
        cmocka_unit_test(a_new_table_names_itself_and_those_it_touches),
        cmocka_unit_test(what_else_is_created_is_named_with_what_it_hangs_on),
        cmocka_unit_test(each_action_of_alter_names_what_it_changes),
        cmocka_unit_test(privileges_and_comments_name_what_they_are_on),
        cmocka_unit_test(maintenance_names_its_tables_or_may_reach_all),
        cmocka_unit_test(only_guarded_statements_of_a_text_count),
        cmocka_unit_test(a_cut_text_is_never_complete),
        cmocka_unit_test(doubtful_readings_are_never_complete),
        cmocka_unit_test(more_names_than_fit_are_not_complete),
        cmocka_unit_test(a_command_that_ends_before_its_names_is_not_complete),
        cmocka_unit_test(what_is_no_schema_change_is_not_read),
        cmocka_unit_test(names_are_said_in_one_printable_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
