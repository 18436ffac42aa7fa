# SPDX-License-Identifier: PostgreSQL
"""A value that stands in every violation, wherever values can stand, is found nowhere: not on the console, in the log, in a
file or in a report. (test_secrets is about single ways in which it might get out.)"""
import struct

import psycopg2

from harness import leaks, machine, wire
from harness.case import Case, main, postgres

TEXT = "canary7Q9"
NUMBER = 739184265
SECRETS = (TEXT, TEXT.upper(), str(NUMBER), TEXT.encode().hex())
SETUP = f"""
create extension if not exists btree_gist;
drop schema if exists canary cascade;
create schema canary;
set search_path = canary, public;
create table uni (id int8, name text constraint uni_name unique, mail text, state text not null
    constraint uni_state check (state in ('new', 'done')));
create unique index uni_mail on uni (lower(mail));
insert into uni values (1, '{TEXT}', '{TEXT}', 'new');
create table book (room text, during int4range, constraint book_overlap exclude using gist (room with =, during with &&));
insert into book values ('{TEXT}', '[1,{NUMBER})');
create table parent (name text primary key);
create table child (parent text constraint child_parent references parent);
create table late_child (parent text constraint late_parent references parent deferrable initially deferred);
insert into parent values ('{TEXT}');
insert into child values ('{TEXT}');
create domain short as text constraint short_enough check (length(value) < 5);
create domain present as text not null;
create table listed (name text) partition by list (name);
create view new_ones as select * from uni where state = 'new' with check option;
create type mood as enum ('good', 'bad');
create function raised(code text, what text) returns int language plpgsql as $$
begin
    raise notice 'about %', what;
    raise warning 'about %', what using detail = what, hint = what;
    raise exception 'about %', what using errcode = code, detail = what, hint = what, schema = 'canary', table = 'uni',
        constraint = 'uni_state';
end $$;
create function insert_again(what text) returns int language plpgsql as $$
begin execute format('insert into canary.uni values (2, %L, %L, %L)', what, what, what); return 1; end $$;
drop role if exists has_canary;
create role has_canary login;
"""
# Each breaks a constraint of its own kind; {t} is the text, {n} the number.
VIOLATIONS = (
    ("23505", "insert into canary.uni values ({n}, '{t}', 'x', 'new')"),
    ("23505", "insert into canary.uni values ({n}, 'x', '{t}', 'new')"),
    ("23505", "with x as (select '{t}' as a) update canary.uni set name = x.a from x where false; "
              "insert into canary.uni select {n}, '{t}', 'z', 'new'"),
    ("23P01", "insert into canary.book values ('{t}', '[3,{n})')"),
    ("23503", "insert into canary.child values ('{t}{t}')"),
    ("23503", "delete from canary.parent where name = '{t}'"),
    ("23503", "insert into canary.late_child values ('{t}{t}')"),
    ("23502", "insert into canary.uni values ({n}, '{t}1', '{t}1', null)"),
    ("23502", "select null::canary.present, '{t}', {n}"),
    ("23514", "insert into canary.uni values ({n}, '{t}1', '{t}1', '{t}')"),
    ("23514", "select '{t}'::canary.short"),
    ("23514", "select U&'{t}'::canary.short, E'{t}', $a${t}$a$, -{n}, '{{{n}}}'::int[]"),
    ("23514", "insert into canary.listed values ('{t}')"),
    ("44000", "insert into canary.new_ones values ({n}, '{t}1', '{t}1', 'done')"),
    ("23514", "select canary.insert_again('{t}1')"),
    ("23514", "do $$ begin perform canary.insert_again('{t}1'); end $$"),
    ("23514", "/* {t} {n} */ insert into canary.uni values (-{n}, '{t}1', '{t}1', 'x') /* mail='{t}', session='{n}' */ -- {t}"),
    ("23514", "execute taken('{t}', {n})"),
    ("23001", "select canary.raised('23001', '{t} {n}')"),
    ("23000", "select canary.raised('23000', '{t} {n}')"),
    ("23Z42", "select canary.raised('23Z42', '{t} {n}')"),
)
# Errors of other families, of which the text names values.
OTHERS = ("select '{t}'::int", "select '{t}'::canary.mood", "select '{t}'::varchar(3)::\"char\" / 0", "select {n}::int2",
          "select {n} / 0", "select '{t}'::timestamp", "select * from canary.uni where id = '{t}'", "select canary.nothing('{t}')",
          "selec '{t}'", "select '{t}", "select xmlparse(document '{t}')", "select '{t}'::json", "set search_path_of = '{t}'",
          "select canary.raised('40001', '{t}')", "select canary.raised('P0001', '{t}')", "select canary.raised('22P02', '{t}')",
          "select '{t}'::regclass", "notify a, '{t}'; select 1 / 0", "create table canary.t (a text default '{t}', b int default {n}); "
          "drop table canary.t", "alter table canary.uni add constraint c check (name <> '{t}')",
          "comment on table canary.uni is '{t}'", "alter role has_canary password '{t}'", "create role other_canary password '{t}'",
          "create user mapping for has_canary server s options (password '{t}')", "alter system set primary_conninfo = 'password={t}'",
          "create subscription s connection 'host=127.0.0.1 password={t}' publication p", "copy canary.uni to '/{t}'",
          "select E'{t}", "select $a${t}", "select U&'{t}", "select x'{t}", "/* {t}", "select 0x{n}", "select {n}abc",
          "select 'a' '{t}'", "select 'a'\n'{t}' from canary.nowhere", "select $1${t}$1$", "select 1; select '{t}'; selec '{t}'",
          "set standard_conforming_strings = off; select 'a\\' {t}' from canary.nowhere")
# The same where a backslash escapes, and in an encoding in which one may be half a letter.
READINGS = ("set standard_conforming_strings = off", "set client_encoding = 'SJIS'")
ESCAPES = ("select 'a\\'{t}' from canary.nowhere", "select 'a\\\\', '{t}' from canary.nowhere", "select 'a\\' {t} '",
           "select '\x83\\' ,' {t} '")


def filled(sql):
    return sql.format(t=TEXT, n=NUMBER)


class Canary(Case):
    SETUP = SETUP
    FORMAT = "logfmt"

    @classmethod
    def setUpClass(cls):
        cls.password = TEXT + "console"
        cls.settings = {"log": {"format": cls.FORMAT, "level": "debug"}, "audit": {"file": "audit.jsonl"},
                        "guard": {"mode": "observe"}, "violations": {"log_per_second": 100000},
                        "console": {"address": f"127.0.0.1:{machine.free_port()}", "password": cls.password},
                        "upstreams": [{"name": "main", "hosts": [f"127.0.0.1:{postgres().port}"], "target": "read-write",
                                       "probe": f"dbname=postgres user=trust_user password={TEXT} application_name={TEXT}"}]}
        if leaks.knows("catalog"):
            cls.settings["catalog"] = [{"database": "postgres", "connection":
                                        f"host=127.0.0.1 port={postgres().port} dbname=postgres user=trust_user password={TEXT}"}]
        if leaks.knows("alerts"):
            cls.settings["alerts"] = {"webhook": {"url": f"http://127.0.0.1:{machine.free_port()}/{TEXT}"}}
        super().setUpClass()
        cls.sluice.console("OPEN WINDOW w FOR '5m' ALLOW modifying REASON 'deploy'", password=cls.password)
        cls.found = cls.run_everything()
        cls.said = cls.whole()

    @classmethod
    def raw(cls):
        raw = wire.Wire(("127.0.0.1", cls.sluice.port))
        raw.login(application_name="shop")
        raw.ask(wire.query("set log_parameter_max_length_on_error = -1; set client_min_messages = debug1"))
        raw.ask(wire.query("prepare taken as insert into canary.uni values (-$2, $1, $1, $1)"))
        return raw

    @classmethod
    def run_everything(cls):
        """The SQLSTATEs that came of it, in order."""
        codes = []

        def ask(*messages, syncs=1):
            raw = cls.raw()
            codes.extend(error["C"] for error in wire.errors(raw.ask(*messages, syncs=syncs)))
            raw.close()

        for _, sql in VIOLATIONS:
            ask(wire.query(filled(sql)))
            if ";" not in sql.replace("$$", "") or sql.startswith("do"):
                ask(wire.parse(filled(sql)), wire.bind(), wire.execute(), wire.sync())
        for sql in OTHERS:
            ask(wire.query(filled(sql)))
            ask(wire.parse(filled(sql)), wire.bind(), wire.execute(), wire.sync())
        for reading in READINGS:
            for sql in ESCAPES:
                ask(wire.query(reading), wire.query(filled(sql)), syncs=2)
                ask(wire.query(reading), wire.parse(filled(sql)), wire.bind(), wire.execute(), wire.sync(), syncs=2)
        insert = "insert into canary.uni values ($1, $2, $2, $3)"
        for number, formats in ((str(NUMBER), ()), (struct.pack("!q", NUMBER), (1, 0, 1))):
            ask(wire.parse(insert), wire.bind("", "", (number, TEXT + "p", TEXT), formats), wire.execute(), wire.sync())
        ask(wire.parse("select canary.raised('23514', $1), $2::int4"), wire.bind("", "", (TEXT, struct.pack("!i", NUMBER)), (0, 1)),
            wire.execute(), wire.sync())
        ask(wire.parse("select $1::int"), wire.bind("", "", (TEXT,)), wire.execute(), wire.sync())
        for line in (f"{NUMBER}\t{TEXT}c\t{TEXT}c\t{TEXT}\n", f"{TEXT}\n", f"{NUMBER}\t{TEXT}\n", f"1\t{TEXT}\tx\tnew\n"):
            ask(wire.query("copy canary.uni from stdin"), wire.copy_data(line.encode()), wire.copy_done())
        ask(wire.query("copy canary.uni from stdin"), wire.copy_fail(TEXT))
        ask(wire.function_call(1397, TEXT.encode()))
        cls.log_in()
        return codes

    @classmethod
    def log_in(cls):
        """With passwords and connection strings that hold it."""
        for user in ("md5_user", "scram_user", "trust_user", "nobody_may"):
            try:
                psycopg2.connect(host="127.0.0.1", port=cls.sluice.port, user=user, dbname="postgres", password=TEXT,
                                 options=f"-c canary.value={TEXT}").close()
            except psycopg2.OperationalError:
                pass
        cls.sluice.console_psql("SHOW STATS", password=TEXT)
        cls.sluice.console_psql(f"SHOW NOTHING '{TEXT}'", password=cls.password)

    @classmethod
    def whole(cls):
        machine.wait_for(lambda: cls.sluice.log().count("session_closed") >= len(VIOLATIONS), "the log has come as far")
        return leaks.everything(cls.sluice, cls.password)

    def test_violations_of_every_kind_happened(self):
        for sqlstate, sql in VIOLATIONS:
            self.assertIn(sqlstate, self.found, sql)
        kinds = {row["kind"] for row in self.sluice.console("SHOW VIOLATIONS", password=self.password)}
        self.assertLessEqual({"unique", "exclusion", "foreign_key", "restrict", "not_null", "check", "domain_check",
                              "domain_not_null", "partition", "check_option", "integrity"}, kinds)

    def test_what_was_searched_is_where_it_would_be(self):
        for word in (b"uni_state", b"late_parent", b"short_enough", b"insert into canary.uni values", b"file log",
                     b"file audit.jsonl", b"SHOW SETTINGS", b"probe"):
            self.assertIn(word, self.said)

    def test_the_canary_is_nowhere(self):
        for secret in SECRETS:
            at = self.said.find(secret.encode())
            self.assertEqual(at, -1, self.said[max(at - 500, 0):at + 100])


class CanaryInJson(Canary):
    FORMAT = "json"


if __name__ == "__main__":
    main()
