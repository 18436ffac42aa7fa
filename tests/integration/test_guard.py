# SPDX-License-Identifier: PostgreSQL
"""Schema changes wait for the gate: what is refused never runs, and everything else goes on as if it had failed."""
import datetime
import json
import os
import random
import socket
import subprocess
import time
import unittest

import psycopg2

from harness import machine, wire
from harness.case import REFUSED, Case, main
from pipeline_model import MODEL_DATABASES, compare_with_model
from random_pipeline import SCHEMA_CHANGES, Pipeline
from test_differential import masked, new_databases

ROUNDS = int(os.environ.get("PIPELINES", "2000"))
SETUP = """
drop schema public cascade;
create schema public;
create table items (id int primary key, name text, parent int references items);
create table notes (note text);
create table pairs (a int, b int);
create function shout(text) returns text language sql as 'select upper($1)';
insert into items values (1, 'one', null);
"""


def refusals(messages):
    return [error for error in wire.errors(messages) if error["M"].startswith("schema change refused")]


class Closed(Case):
    """No window is configured: the gate is closed. Whatever these tests send, nothing changes."""

    settings = {"guard": {"mode": "enforce"}}
    SETUP = SETUP

    def setUp(self):
        self.postgres.run("truncate notes")
        self.before = self.postgres.catalog()

    def tearDown(self):
        self.assertEqual(self.postgres.catalog(), self.before)

    def assert_refused(self, messages, status=b"I"):
        self.assertEqual([error["C"] for error in wire.errors(messages)], [REFUSED], messages)
        self.assertEqual(len(refusals(messages)), 1, messages)
        self.assertEqual(messages[-1], ("Z", status))
        return refusals(messages)[0]

    def test_every_kind_of_change_is_refused_by_query(self):
        raw = self.wire()
        for sql in SCHEMA_CHANGES:
            with self.subTest(sql):
                self.assertEqual(wire.kinds(raw.ask(wire.query(sql))), "EZ")
                self.assert_refused(raw.ask(wire.query(sql)))

    def test_every_kind_of_change_is_refused_by_parse(self):
        raw = self.wire()
        for sql in SCHEMA_CHANGES:
            with self.subTest(sql):
                messages = raw.ask(wire.parse(sql), wire.bind(), wire.describe("P"), wire.execute(), wire.sync())
                self.assertEqual(wire.kinds(messages), "EZ")
                self.assert_refused(messages)

    def test_a_refusal_says_what_why_and_when(self):
        error = self.fails("alter table items drop column name")
        self.assertEqual(error.pgcode, REFUSED)
        self.assertIn("ALTER TABLE", error.diag.message_primary)
        self.assertIn("level 3", error.diag.message_primary)
        self.assertIn("class=", error.diag.message_detail)
        self.assertIn("OPEN WINDOW", error.diag.message_hint)
        self.assertEqual(error.diag.severity, "ERROR")
        self.assertIsInstance(error, psycopg2.ProgrammingError)
        self.assertNotIn("items", str(error))

    def test_what_is_no_change_passes(self):
        for sql in ("create temp table t (a int); alter table pg_temp.t add b int; drop table pg_temp.t",
                    "select 'drop table items'", "select 1 as \"create\"", "/* drop table items */ select 1",
                    "insert into notes select 'create table x ()'", "vacuum notes", "analyze items", "begin; rollback",
                    "select $$ ; drop table items $$", "set search_path = public", "begin; lock table items",
                    "do $$ begin perform 1; end $$", "explain select 1", "select 1 -- create table x ()"):
            with self.subTest(sql):
                if "vacuum" in sql:
                    self.run_sql(sql)
                else:
                    raw = self.wire()
                    self.assertEqual(wire.errors(raw.ask(wire.query(sql))), [])

    # ── transactions

    def test_a_refusal_aborts_the_transaction(self):
        raw = self.wire()
        raw.ask(wire.query("begin"))
        raw.ask(wire.query("insert into notes values ('lost')"))
        self.assert_refused(raw.ask(wire.query("drop table notes")), b"E")
        self.assertEqual(wire.errors(raw.ask(wire.query("select 1")))[0]["C"], "25P02")
        self.assert_refused(raw.ask(wire.query("create table again (a int)")), b"E")
        self.assertEqual(raw.ask(wire.query("commit")), [("C", b"ROLLBACK\0"), ("Z", b"I")])
        self.assertEqual(self.postgres.value("select count(*) from notes"), 0)
        self.assertEqual(wire.rows(raw.ask(wire.query("select 'goes on'"))), [["goes on"]])

    def test_rolling_back_to_a_savepoint_saves_the_transaction(self):
        raw = self.wire()
        for sql in ("begin", "insert into notes values ('kept')", "savepoint s"):
            raw.ask(wire.query(sql))
        self.assert_refused(raw.ask(wire.query("truncate notes")), b"E")
        self.assertEqual(raw.ask(wire.query("rollback to s")), [("C", b"ROLLBACK\0"), ("Z", b"T")])
        self.assertEqual(raw.ask(wire.query("commit")), [("C", b"COMMIT\0"), ("Z", b"I")])
        self.assertEqual(self.postgres.value("select count(*) from notes"), 1)

    def test_nothing_of_a_text_with_a_change_in_it_runs(self):
        raw = self.wire()
        for sql in ("insert into notes values ('a'); drop table notes", "drop table notes; insert into notes values ('b')",
                    "begin; insert into notes values ('c'); commit; drop table notes; select 1"):
            self.assert_refused(raw.ask(wire.query(sql)))
        self.assertEqual(self.postgres.value("select count(*) from notes"), 0)

    def test_psycopg2_and_its_transactions_go_on(self):
        connection = self.connect()
        connection.autocommit = False
        with connection.cursor() as cursor:
            cursor.execute("insert into notes values ('x')")
            with self.assertRaises(psycopg2.errors.InsufficientPrivilege):
                cursor.execute("drop table notes")
            connection.rollback()
            cursor.execute("insert into notes values ('y')")
        connection.commit()
        self.assertEqual(self.postgres.run("select note from notes"), [("y",)])

    # ── pipelines

    def test_a_refusal_in_a_pipeline_undoes_its_segment_and_spares_the_next(self):
        def run(sql):
            return wire.parse(sql) + wire.bind() + wire.execute()

        raw = self.wire()
        raw.send(run("insert into notes values ('earlier segment')"), wire.sync(),
                 run("insert into notes values ('undone')"), run("drop table notes"),
                 run("insert into notes values ('skipped')"), wire.query("select 'skipped'"), wire.sync(),
                 run("insert into notes values ('later segment')"), wire.sync())
        messages = raw.until("Z", 3)
        self.assertEqual(wire.kinds(messages), "12CZ" + "12CEZ" + "12CZ")
        self.assertEqual(len(refusals(messages)), 1)
        self.assertEqual(self.postgres.run("select note from notes order by note"),
                         [("earlier segment",), ("later segment",)])

    def test_a_change_behind_an_error_of_its_segment_is_skipped_unseen(self):
        raw = self.wire()
        messages = raw.ask(wire.parse("select nothing"), wire.parse("drop table notes"), wire.sync())
        self.assertEqual([error["C"] for error in wire.errors(messages)], ["42703"])

    def test_the_unnamed_statement_outlives_a_refused_parse(self):
        raw = self.wire()
        raw.ask(wire.parse("select 'still here'"), wire.sync())
        raw.ask(wire.parse("drop table notes"), wire.sync())
        self.assertEqual(wire.rows(raw.ask(wire.bind(), wire.execute(), wire.sync())), [["still here"]])

    @unittest.skipIf(int(machine.POSTGRES) < 14, "such a server drops the change and goes on")
    def test_a_change_in_the_middle_of_copy_data_ends_the_session_as_directly(self):
        for begin in (wire.query("copy pairs from stdin"), wire.parse("copy pairs from stdin") + wire.bind() + wire.execute()):
            for change in (wire.query("drop table notes"), wire.parse("drop table notes") + wire.sync()):
                said = []
                for port in (self.postgres.port, self.sluice.port):
                    with wire.Wire(("127.0.0.1", port)) as raw:
                        raw.login()
                        raw.send(begin)
                        raw.until("G")
                        raw.send(wire.copy_data(b"1\t2\n"))
                        time.sleep(0.1)
                        raw.send(change)
                        said.append(masked(raw.rest_messages()))
                self.assertEqual(said[0], said[1])
                self.assertEqual([error["C"] for error in wire.errors(said[1])], ["08P01", "08P01"])

    def test_hidden_changes_are_refused(self):
        raw = self.wire()
        for sql in ("explain analyze create table hidden as select 1", "explain (analyze, buffers) select 1 into hidden",
                    "prepare p as select 1 into hidden", "-- x\rcreate table hidden (a int)",
                    "create schema hidden create table t (a int)", ";;;drop table notes", "select 1 a into hidden from notes",
                    "with w as (select 1) select * into hidden from w", "(select 1 as a into hidden)",
                    "/* /* nested */ */ drop table notes", "create or replace view hidden as select 1",
                    "select E'\\'' ; drop table notes; --'", "DrOp\tTaBlE notes", "create\ntable hidden ()"):
            with self.subTest(sql):
                self.assert_refused(raw.ask(wire.query(sql)))

    def test_string_settings_changed_ahead_of_the_text_hide_nothing(self):
        raw = self.wire()
        raw.send(wire.query("set standard_conforming_strings = off"),
                 wire.query("select '\\'' ; drop table notes; --'"))
        messages = raw.until("Z", 2)
        self.assertEqual(len(refusals(messages)), 1)

    def test_an_encoding_changed_ahead_of_the_text_hides_nothing(self):
        hidden = wire.query(b"select E'\x95\x5c'; drop table notes; --'")
        raw = self.wire(client_encoding="SJIS")
        self.assert_refused(raw.ask(hidden))
        raw = self.wire()
        self.assertEqual(len(refusals(raw.ask(wire.query("set client_encoding = 'SJIS'"), hidden, syncs=2))), 1)
        raw = self.wire()
        long = wire.query(b"select E'\x95\x5c'; drop table notes; --'" + b" " * 100000)
        self.assertEqual(len(refusals(raw.ask(wire.query("set client_encoding = 'SJIS'"), long, syncs=2))), 1)
        raw = wire.Wire(("127.0.0.1", self.sluice.port))
        self.addCleanup(raw.close)
        self.assertEqual(len(refusals(raw.ask(wire.startup(client_encoding="SJIS"), hidden, syncs=2))), 1)

    def test_columns_and_labels_of_any_name_hide_no_into(self):
        raw = self.wire()
        for sql in ("select x.as into hidden from (select 1) x (\"as\")", "select 1 as as into hidden",
                    "select insert into hidden from (select 1) x (insert)", "select (1) merge into hidden"):
            with self.subTest(sql):
                self.assert_refused(raw.ask(wire.query(sql)))

    # ── long texts

    def assert_bounded(self, before):
        if not machine.is_sanitized():
            self.assertLess(self.sluice.resident_kib() - before, 8 << 10, "memory grew with the message")

    def test_a_long_text_with_a_change_at_its_end_is_refused_in_little_memory(self):
        long = "select '" + "x" * (20 << 20) + "'"
        raw = self.wire()
        raw.ask(wire.query("select 1"))
        before = self.sluice.resident_kib()
        self.assert_refused(raw.ask(wire.query(long + "; drop table notes")))
        self.assert_refused(raw.ask(wire.parse("/*" + "y" * (20 << 20) + "*/ drop table notes"), wire.bind(),
                                    wire.execute(), wire.sync()))
        raw.ask(wire.query("begin"))
        self.assert_refused(raw.ask(wire.query(long + "; drop table notes")), b"E")
        self.assertEqual(raw.ask(wire.query("commit"))[0], ("C", b"ROLLBACK\0"))
        self.assert_bounded(before)

    def test_a_long_text_without_a_change_passes_in_little_memory(self):
        body = "drop table notes;" * ((20 << 20) // 17)
        raw = self.wire()
        before = self.sluice.resident_kib()
        self.assertEqual(wire.rows(raw.ask(wire.query(f"select length('{body}')"))), [[str(len(body))]])
        self.assertEqual(wire.rows(raw.ask(wire.parse(f"select length('{body}')"), wire.bind(), wire.execute(),
                                           wire.sync())), [[str(len(body))]])
        self.assertEqual(wire.rows(raw.ask(wire.query("select 1;" + " " * (20 << 20)))), [["1"]])
        self.assert_bounded(before)

    def test_long_texts_are_judged_alike_however_they_are_cut(self):
        for seed in range(60):
            chance = random.Random(seed)
            size = chance.choice((10, 4000, 16380, 16384, 16390, 70000))
            has_change = seed % 2 == 0
            filler = chance.choice(("select 'z'; ", "/* drop table notes */ ", "select $a$ ; create $a$; ", "-- c\n"))
            text = filler * (size // len(filler)) + ("drop table notes" if has_change else "select 1")
            messages = wire.query(text) if chance.random() < 0.5 or ";" in filler else \
                wire.parse(text) + wire.bind() + wire.execute() + wire.sync()
            raw = self.wire()
            raw.send_cut(messages, [chance.randrange(1, 9000) for _ in range(40)], pause=0.0002)
            answer = raw.until("Z")
            with self.subTest(seed=seed):
                if has_change:
                    self.assert_refused(answer)
                else:
                    self.assertEqual(wire.errors(answer), [])
            raw.close()

    # ── what the console says of it

    def test_show_ddl_says_who_what_and_why(self):
        self.fails("alter table items add constraint sane check (id > 0)", user="app", application_name="migrator")
        row = self.sluice.console("SHOW DDL LIMIT 1")[0]
        self.assertEqual((row["decision"], row["command"], row["service"], row["user_name"], row["database"]),
                         ("refused", "ALTER TABLE", "migrator", "app", "postgres"))
        self.assertIn("127.0.0.1", row["address"])
        self.assertEqual((row["class"], row["level"]), ("modifying", "modifying"))
        self.assertTrue(row["statement"].startswith("alter table items add constraint"), row["statement"])
        self.assertTrue(row["reason"])
        event = self.sluice.events("ddl_refused")[-1]
        self.assertEqual((event["command"], event["service"], event["safety_level"]), ("ALTER TABLE", "migrator", "3"))

    def test_a_refused_change_is_counted_once(self):
        before = self.sluice.counters()
        self.fails("drop table notes")
        raw = self.wire()
        raw.ask(wire.parse("drop table notes"), wire.bind(), wire.execute(), wire.sync())
        after = self.sluice.counters()
        self.assertEqual(after["ddl_refused"] - before["ddl_refused"], 2)
        self.assertEqual(after["ddl_passed"], before["ddl_passed"])
        self.assertEqual(after["ddl_unseen"], 0)


class Model(Case):
    """Random pipelines with schema changes in them do what they do where those statements simply fail."""

    settings = {"guard": {"mode": "enforce"}, "limits": {"message_memory": "1KiB"}}

    def test_random_pipelines_with_changes_go_on_as_after_an_error(self):
        new_databases(self.postgres, MODEL_DATABASES)
        before = self.postgres.catalog("model_guarded")
        refused, saved = compare_with_model(self, Pipeline, ROUNDS)
        self.assertGreater(refused, ROUNDS / 5)
        self.assertGreater(saved, ROUNDS / 50)
        self.assertEqual(self.postgres.catalog("model_guarded"), before)
        self.assertEqual(self.sluice.counter("ddl_unseen"), 0)
        self.assertEqual(self.sluice.counter("unfollowed"), 0)


class Openings(Case):
    """OPEN WINDOW and CLOSE WINDOW on the console."""

    settings = {"guard": {"mode": "enforce"}}
    SETUP = SETUP

    def open(self, level="modifying", name="by_hand"):
        self.sluice.console(f"OPEN WINDOW {name} FOR '10m' ALLOW {level} REASON 'a test'")

    def close(self, name="by_hand"):
        self.sluice.console(f"CLOSE WINDOW {name}")

    def test_an_opening_lets_changes_pass_until_it_is_closed(self):
        self.assertEqual(self.fails("create table made (a int)").pgcode, REFUSED)
        self.open()
        self.run_sql("create table made (a int)")
        self.run_sql("drop table made")
        row = self.sluice.console("SHOW DDL LIMIT 1")[0]
        self.assertEqual((row["decision"], row["command"], row["window"]), ("passed", "DROP TABLE", "by_hand"))
        self.close()
        self.assertEqual(self.fails("create table made (a int)").pgcode, REFUSED)

    def test_an_additive_opening_lets_only_additions_pass(self):
        self.open("additive", "adding")
        try:
            self.run_sql("create table added (a int)")
            error = self.fails("drop table added")
            self.assertEqual(error.pgcode, REFUSED)
            self.assertIn("adding", error.diag.message_primary)
        finally:
            self.close("adding")
            self.postgres.run("drop table if exists added")

    def prepared_while_open(self, *messages):
        raw = self.wire()
        self.open(name="preparing")
        try:
            self.assertEqual(wire.errors(raw.ask(*messages, wire.sync())), [])
        finally:
            self.close("preparing")
        return raw

    def test_what_was_prepared_while_open_is_refused_at_bind_once_closed(self):
        before = self.postgres.catalog()
        raw = self.prepared_while_open(wire.parse("create table made (a int)", "ddl"), wire.parse("select 7", "dml"))
        messages = raw.ask(wire.bind("", "ddl"), wire.execute(), wire.sync())
        self.assertEqual((wire.kinds(messages), len(refusals(messages))), ("EZ", 1))
        self.assertEqual(wire.rows(raw.ask(wire.bind("", "dml"), wire.execute(), wire.sync())), [["7"]])
        self.assertEqual(self.postgres.catalog(), before)
        self.open()
        self.assertEqual(wire.kinds(raw.ask(wire.bind("", "ddl"), wire.execute(), wire.sync())), "2CZ")
        self.close()
        self.postgres.run("drop table made")

    def test_a_copy_that_reads_what_gives_a_name_another_meaning_leaves_no_way_to_the_old_one(self):
        """A server of up to 13 drops what its COPY has read in place of data, and goes on with what stands behind."""
        before = self.postgres.catalog()
        for behind in (wire.parse("select 1", "ddl"), wire.terminate() + wire.parse("select 1", "ddl"),
                       (wire.copy_data(b"1\t2\n") + wire.parse("select 1", "ddl"))):
            with self.subTest(behind):
                raw = self.prepared_while_open(wire.parse("create table made (a int)", "ddl"))
                raw.send(wire.query("copy pairs from stdin"), behind, wire.bind("", "ddl"), wire.execute(), wire.sync())
                raw.send(wire.bind("", "ddl"), wire.execute(), wire.sync())
                raw.socket.shutdown(socket.SHUT_WR)
                self.assertNotIn(("C", b"CREATE TABLE\0"), raw.rest_messages())
                self.wait_until_all_have_gone()
                self.assertEqual(self.postgres.catalog(), before)

    def test_a_copy_that_is_sent_with_the_login_leaves_no_way_either(self):
        """Which version the server has is not known then."""
        before = self.postgres.catalog()
        raw = wire.Wire(("127.0.0.1", self.sluice.port))
        self.open(name="preparing")
        try:
            raw.send(wire.startup("postgres", "postgres"), wire.parse("create table made (a int)", "ddl"), wire.sync(),
                     wire.query("copy pairs from stdin"))
            raw.until("G")
        finally:
            self.close("preparing")
        raw.send(wire.parse("select 1", "ddl"), wire.bind("", "ddl"), wire.execute(), wire.sync())
        raw.socket.shutdown(socket.SHUT_WR)
        self.assertNotIn(("C", b"CREATE TABLE\0"), raw.rest_messages())
        self.wait_until_all_have_gone()
        self.assertEqual(self.postgres.catalog(), before)

    def test_what_waits_behind_a_copy_is_answered_in_turn(self):
        raw = self.wire()
        messages = raw.ask(wire.query("copy pairs from stdin"), wire.copy_data(b"7\t7\n"), wire.copy_done(), wire.query("select a from pairs where a = 7"),
                           wire.parse("delete from pairs where a = 7"), wire.bind(), wire.execute(), wire.sync(), syncs=3)
        self.assertEqual((wire.kinds(messages), wire.rows(messages)), ("GCZTDCZ12CZ", [["7"]]))
        raw.close()

    def test_what_was_bound_while_open_is_refused_at_execute_once_closed(self):
        raw = self.wire()
        self.open()
        raw.ask(wire.query("begin"))
        raw.ask(wire.parse("create table made (a int)", "ddl"), wire.bind("bound", "ddl"), wire.sync())
        self.close()
        messages = raw.ask(wire.execute("bound"), wire.sync())
        self.assertEqual((wire.kinds(messages), len(refusals(messages))), ("EZ", 1))
        self.assertEqual(messages[-1], ("Z", b"E"))
        self.assertEqual(raw.ask(wire.query("rollback"))[-1], ("Z", b"I"))

    def test_sql_execute_of_what_was_prepared_while_open_is_refused_once_closed(self):
        before = self.postgres.catalog()
        raw = self.prepared_while_open(wire.parse("create table made (a int)", "ddl"))
        self.assertEqual(len(refusals(raw.ask(wire.query("execute ddl")))), 1)
        self.assertEqual(len(refusals(raw.ask(wire.query("select 1; execute ddl")))), 1)
        self.assertEqual(len(refusals(raw.ask(wire.parse("execute ddl"), wire.bind(), wire.execute(), wire.sync()))), 1)
        self.assertEqual(self.postgres.catalog(), before)

    def test_what_was_prepared_while_open_is_refused_once_closed_whatever_else_the_name_was_to_mean(self):
        before = self.postgres.catalog()
        run = wire.execute() + wire.sync()
        raw = self.prepared_while_open(wire.parse("create table made (a int)", "ddl"))
        self.assertEqual(len(refusals(raw.ask(wire.parse("select 1", "ddl"), wire.sync(), wire.bind("", "ddl"), run,
                                              syncs=2))), 1)
        raw = self.prepared_while_open(wire.parse("create table made (a int)"))
        self.assertEqual(len(refusals(raw.ask(wire.bind("", "none"), wire.parse("select 1"), wire.sync(), wire.bind(),
                                              run, syncs=2))), 1)
        raw = self.prepared_while_open(wire.parse("create table made (a int)"))
        raw.ask(wire.parse("discard all", "all"), wire.bind("p", "all"), wire.execute("p"), wire.sync())
        self.assertEqual(len(refusals(raw.ask(wire.bind(), run))), 1)
        self.assertEqual(self.postgres.catalog(), before)

    def test_a_name_that_the_server_cuts_or_converts_hides_nothing(self):
        before = self.postgres.catalog()
        raw = self.prepared_while_open(wire.parse("create table made (a int)", "n" * 62))
        self.assertEqual(len(refusals(raw.ask(wire.query("execute " + "n" * 62 + "\u00e9")))), 1)
        raw = self.prepared_while_open(wire.parse("create table made (a int)", "\u00e9"))
        raw.ask(wire.query("set client_encoding = 'LATIN1'"))
        self.assertEqual(len(refusals(raw.ask(wire.query(b"execute \xe9")))), 1)
        self.assertEqual(self.postgres.catalog(), before)

    def test_an_opening_for_a_user_or_a_database_lets_only_that_pass(self):
        for sql in ("drop database if exists scoped", "create database scoped", "drop role if exists deployer",
                    "create role deployer superuser login"):
            self.postgres.run(sql)
        for scope, what in (("USER deployer", {"user": "deployer"}), ("DATABASE 'scope*'", {"dbname": "scoped"}),
                            ("SERVICE 'ci-?'", {"application_name": "ci-7"})):
            with self.subTest(scope):
                self.assertEqual(self.fails("create table made (a int)").pgcode, REFUSED)
                self.sluice.console(f"OPEN WINDOW some FOR '10m' ALLOW modifying REASON 'a test' {scope}")
                try:
                    self.run_sql("create table made (a int); drop table made", **what)
                    error = self.fails("create table made (a int)")
                    self.assertIn("no window allows it now", error.diag.message_primary)
                    self.assertNotIn("some", error.diag.message_hint)
                finally:
                    self.close("some")
                self.assertEqual(self.fails("create table made (a int)", **what).pgcode, REFUSED)

    def test_an_opening_shows_whom_it_is_for(self):
        said = self.sluice.console_psql("OPEN WINDOW some FOR '10m' ALLOW additive REASON 'r' SERVICE kds USER 'd*'")
        self.assertIn('only for service "kds" and user "d*"', said.stderr)
        row = [row for row in self.sluice.console("SHOW WINDOWS") if row["name"] == "some"][0]
        self.close("some")
        self.assertEqual((row["service"], row["user_name"], row["database"]), ("kds", "d*", ""))
        made = [event for event in self.sluice.events("opening_made") if event["window"] == "some"][-1]
        self.assertEqual((made["service"], made["user"], made.get("database")), ("kds", "d*", None))

    def test_the_operator_and_the_reason_are_kept(self):
        self.open(name="documented")
        rows = [row for row in self.sluice.console("SHOW WINDOWS") if row["name"] == "documented"]
        self.close("documented")
        self.assertEqual((rows[0]["kind"], rows[0]["allow"], rows[0]["state"], rows[0]["reason"], rows[0]["opened_by"]),
                         ("opening", "modifying", "open", "a test", "operator"))


def window(begin, hours, name="now", allow="modifying"):
    """A weekly window that opens `begin` hours from now."""
    start = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=begin)
    end = start + datetime.timedelta(hours=hours)
    return {"name": name, "days": [start.strftime("%a").lower()], "from": start.strftime("%H:%M"),
            "to": end.strftime("%H:%M"), "timezone": "UTC", "allow": allow}


def calendar(*events):
    """An iCalendar file of (summary, hours from now, hours it lasts)."""
    now = datetime.datetime.now(datetime.timezone.utc)
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//pgsluice//tests//EN"]
    for index, (summary, begin, hours) in enumerate(events):
        start = (now + datetime.timedelta(hours=begin)).strftime("%Y%m%dT%H%M%SZ")
        lines += ["BEGIN:VEVENT", f"UID:{index}", f"SUMMARY:{summary}", f"DTSTART:{start}", f"DURATION:PT{hours}H",
                  "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


class Calendar(Case):
    """Windows and freezes by the clock on the wall."""

    SETUP = SETUP

    def sluice_with(self, **guard):
        self.sluice = self.new_sluice(guard={"mode": "enforce", **guard})

    def test_in_its_window_a_change_passes(self):
        self.sluice_with(windows=[window(-1, 2)])
        self.run_sql("create table made (a int)")
        self.run_sql("drop table made")
        self.assertEqual(self.sluice.console("SHOW WINDOWS")[0]["state"], "open")

    def test_outside_its_window_a_change_is_refused_and_told_when(self):
        self.sluice_with(windows=[window(2, 1, "later")])
        error = self.fails("create table made (a int)")
        self.assertEqual(error.pgcode, REFUSED)
        self.assertIn('"later"', error.diag.message_hint)
        self.assertRegex(error.diag.message_hint, "opens in 1 ?h")

    def test_an_additive_window_keeps_modifying_changes_out(self):
        self.sluice_with(windows=[window(-1, 2, "low", "additive"), window(3, 1, "high")])
        self.run_sql("create table made (a int)")
        error = self.fails("drop table made")
        self.postgres.run("drop table made")
        self.assertIn('"low" allows only additive', error.diag.message_primary)
        self.assertIn('"high"', error.diag.message_hint)

    def test_in_a_freeze_no_window_opens(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        freeze = {"name": "peak", "from": (now - datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
                  "to": (now + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ"), "reason": "peak week"}
        self.sluice_with(windows=[window(-1, 2)], freezes=[freeze])
        error = self.fails("create table made (a int)")
        self.assertEqual(error.pgcode, REFUSED)
        self.assertIn('freeze "peak"', error.diag.message_primary)
        self.assertIn("peak week", error.diag.message_primary)

    def test_a_window_that_closes_by_the_clock_ends_what_was_prepared(self):
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=3)
        freeze = {"name": "edge", "from": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
                  "to": (end + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")}
        self.sluice_with(windows=[window(-1, 2)], freezes=[freeze])
        raw = self.wire()
        self.assertEqual(wire.kinds(raw.ask(wire.parse("create table made (a int)", "ddl"), wire.sync())), "1Z")

        def is_refused():
            messages = raw.ask(wire.query("begin"), wire.bind("", "ddl"), wire.execute(), wire.sync(),
                               wire.query("rollback"), syncs=3)
            return refusals(messages)

        self.assertEqual(is_refused(), [])
        self.wait_for(is_refused, "the freeze begins")

    def test_windows_of_a_rule_and_windows_that_open_once(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        begin = (now - datetime.timedelta(hours=1)).strftime("%H:%M")
        later = [(now + datetime.timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ") for hours in (3, 4)]
        self.sluice_with(windows=[
            {"name": "low", "rrule": "FREQ=DAILY", "from": begin, "duration": "2h", "allow": "additive"},
            {"name": "high", "from": later[0], "to": later[1], "allow": "modifying"}])
        self.run_sql("create table made (a int)")
        error = self.fails("drop table made")
        self.postgres.run("drop table made")
        self.assertIn('"low" allows only additive', error.diag.message_primary)
        self.assertIn('"high"', error.diag.message_hint)
        self.assertEqual([(row["kind"], row["state"]) for row in self.sluice.console("SHOW WINDOWS")],
                         [("rule", "open"), ("once", "closed")])

    def test_the_events_of_a_calendar_are_windows_and_freezes(self):
        self.sluice = self.new_sluice(start=False, guard={
            "mode": "enforce",
            "windows": [{"name": "team", "calendar": "team.ics", "match": "gate*", "allow": "modifying"}],
            "freezes": [{"name": "still", "calendar": "team.ics", "match": "freeze*"}]})

        def write(*events):
            with open(os.path.join(self.sluice.folder, "team.ics"), "w", encoding="utf-8") as file:
                file.write(calendar(*events))

        write(("gate for all", -1, 2), ("lunch", -1, 3))
        self.sluice.start()
        self.run_sql("create table made (a int)")
        self.run_sql("drop table made")
        write(("gate for all", -1, 2), ("freeze of the week", -0.5, 5))
        self.sluice.console_psql("RELOAD")
        error = self.fails("create table made (a int)")
        self.assertIn('freeze "still"', error.diag.message_primary)
        write(("gate for all", 2, 1))
        self.sluice.console_psql("RELOAD")
        self.assertIn('"team", opens at', self.fails("create table made (a int)").diag.message_hint)
        with open(os.path.join(self.sluice.folder, "team.ics"), "w", encoding="utf-8") as file:
            file.write("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:tomorrow\n")
        refused = self.sluice.console_psql("RELOAD").stderr
        self.assertIn("the settings were not reloaded", refused)
        self.assertIn("team.ics:3", refused)
        self.assertIn('"team", opens at', self.fails("create table made (a int)").diag.message_hint)

    def ask_windows(self, *options):
        return subprocess.run([machine.BINARY, "windows", "--config", self.sluice.path, *options],
                              capture_output=True, text=True, timeout=20, check=False)

    def test_the_command_windows_shows_what_opens_when(self):
        self.sluice = self.new_sluice(start=False, guard={
            "windows": [{"name": "sunday", "rrule": "FREQ=MONTHLY;BYDAY=1SU", "from": "02:00", "to": "04:00",
                         "timezone": "America/New_York", "allow": "modifying"}],
            "freezes": [{"name": "peak", "from": "2030-03-03T03:00:00-05:00", "to": "2030-03-04T03:00:00-05:00"}]})
        plain = self.ask_windows("--at", "2030-02-03T08:00:00Z", "--next", "1")
        self.assertEqual((plain.returncode, plain.stderr), (0, ""))
        rows = [line.split() for line in plain.stdout.splitlines()]
        self.assertEqual(rows[0], ["state", "from", "to", "allow", "name"])
        self.assertEqual(rows[1][:5], ["open", "2030-02-03T02:00:00-05:00", "2030-02-03T04:00:00-05:00", "modifying",
                                       "sunday"])
        self.assertEqual(rows[2][:8], ["next", "2030-03-03T02:00:00-05:00", "2030-03-03T04:00:00-05:00", "modifying",
                                       "sunday", "frozen", "by", "peak"])
        self.assertEqual(len(rows), 3)
        told = json.loads(self.ask_windows("--at", "2030-03-03T08:30:00Z", "--next", "2", "--json").stdout)
        self.assertEqual([(row["state"], row["from"]) for row in told],
                         [("frozen", "2030-03-03T02:00:00-05:00"), ("next", "2030-04-07T02:00:00-04:00"),
                          ("next", "2030-05-05T02:00:00-04:00")])
        self.assertEqual(told[0]["freezes"], [{"name": "peak", "from": "2030-03-03T03:00:00-05:00",
                                               "to": "2030-03-04T03:00:00-05:00"}])
        self.assertEqual(self.ask_windows("--next", "1001").returncode, 2)
        self.assertEqual(self.ask_windows("--at", "tomorrow").returncode, 2)
        self.sluice.write("{}")
        bad = self.ask_windows()
        self.assertEqual((bad.returncode, bad.stdout), (1, ""))
        self.assertIn("listen: is missing", bad.stderr)

    def test_another_sqlstate_may_be_set(self):
        self.sluice_with(sqlstate="MW001")
        self.assertEqual(self.fails("drop table notes").pgcode, "MW001")


class Modes(Case):
    SETUP = SETUP

    def test_observe_lets_pass_and_counts_what_it_would_refuse(self):
        self.sluice = self.new_sluice(guard={"mode": "observe"})
        self.run_sql("create table made (a int)")
        raw = self.wire()
        self.assertEqual(wire.kinds(raw.ask(wire.parse("drop table made"), wire.bind(), wire.execute(), wire.sync())),
                         "12CZ")
        counters = self.sluice.counters()
        self.assertEqual((counters["ddl_would_refuse"], counters["ddl_refused"], counters["ddl_passed"]), (2, 0, 0))
        self.assertEqual([row["decision"] for row in self.sluice.console("SHOW DDL")], ["would_refuse"] * 2)

    def test_off_lets_pass(self):
        self.sluice = self.new_sluice(guard={"mode": "off"})
        self.run_sql("create table made (a int)")
        self.run_sql("drop table made")
        counters = self.sluice.counters()
        self.assertEqual((counters["ddl_would_refuse"], counters["ddl_refused"]), (0, 0))

    def test_a_change_that_a_function_makes_is_not_seen_but_its_tag_is(self):
        self.sluice = self.new_sluice(guard={"mode": "enforce"})
        self.run_sql("do $$ begin execute 'cre' || 'ate table made_inside (a int)'; end $$")
        self.postgres.run("drop table made_inside")
        self.assertEqual(self.sluice.counter("ddl_unseen"), 0)


if __name__ == "__main__":
    main()
