# SPDX-License-Identifier: PostgreSQL
"""The history file: exact across ends of every kind, and no trouble of its own becomes one of the traffic."""
import os
import resource
import signal
import sqlite3
import time

import psycopg2

from harness import machine, wire
from harness.case import Case, main
from harness.wire import Wire

ITEMS = """
drop table if exists items, parts;
create table items (id int primary key, amount int constraint items_amount_check check (amount > 0));
create table parts (id int primary key, item int constraint parts_item_fkey references items);
insert into items values (1, 1);
grant all on items, parts to public;
"""


class Files(Case):
    SETUP = ITEMS
    settings = {"services": [{"name": "kds", "when": {"application_name": "kds*"}}]}

    def path(self, sluice):
        return os.path.join(sluice.folder, "pgsluice-history.db")

    def ask_file(self, sluice, sql):
        try:
            with sqlite3.connect(f"file:{self.path(sluice)}?mode=ro", uri=True) as connection:
                return connection.execute(sql).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" not in str(error) and "unable to open" not in str(error):
                raise
            return None # clients are served before the file is made

    def violate(self, sluice, count, **how):
        connection = sluice.connect(application_name="kds-1", user="app", **how)
        with connection.cursor() as cursor:
            for number in range(count):
                with self.assertRaises(psycopg2.IntegrityError):
                    if number % 2 == 0:
                        cursor.execute("insert into items values (%s, -1)", (number + 10,))
                    else:
                        cursor.execute("insert into parts values (%s, 99)", (number,))
        connection.close()

    def test_counts_are_exact_after_a_clean_end_and_a_new_start(self):
        sluice = self.new_sluice(**self.settings)
        self.violate(sluice, 20)
        sluice.stop()
        by_constraint = "select constraint_name, sum(count) from violation_counts group by 1 order by 1"
        self.assertEqual(self.ask_file(sluice, by_constraint), [("items_amount_check", 10), ("parts_item_fkey", 10)])
        self.assertEqual(self.ask_file(sluice, "select count(*), min(service) from violations"), [(20, "kds")])
        self.assertEqual(self.ask_file(sluice, "select count(*) from runs where ended is null"), [(0,)])
        self.assertEqual(os.stat(self.path(sluice)).st_mode & 0o777, 0o600)
        sluice.start()
        self.violate(sluice, 4)
        sluice.stop()
        self.assertEqual(self.ask_file(sluice, by_constraint), [("items_amount_check", 12), ("parts_item_fkey", 12)])
        sessions = "select count(*) from sessions where service = 'kds' and closed is not null"
        self.assertEqual(self.ask_file(sluice, sessions), [(2,)])
        self.assertFalse(sluice.has_logged("history_gap"))

    def test_a_kill_loses_nothing_that_is_older_than_a_second(self):
        sluice = self.new_sluice(**self.settings)
        self.violate(sluice, 10)
        counted = "select total(count) from violation_counts"
        self.wait_for(lambda: self.ask_file(sluice, counted) == [(10,)], "all is in the file", seconds=2)
        sluice.process.send_signal(signal.SIGKILL)
        sluice.process.wait()
        sluice.start()
        self.wait_for(lambda: sluice.has_logged("history_gap"), "the gap is told")
        self.violate(sluice, 6)
        sluice.stop()
        self.assertEqual(self.ask_file(sluice, counted), [(16,)])
        self.assertEqual(self.ask_file(sluice, "select count(*) from gaps"), [(1,)])

    def call(self, sluice, count):
        connection = sluice.connect(application_name="kds-1", user="app")
        with connection.cursor() as cursor:
            for number in range(count):
                cursor.execute("select amount from items where id = %s", (number,))
        connection.close()

    def test_a_kill_within_a_minute_keeps_its_calls(self):
        sluice = self.new_sluice(**self.settings)
        counted = ("select sum(calls), sum(row_count), min(p50_us > 0 and p50_us <= p99_us) from statement_minutes join"
                   " statement_texts using (fingerprint) where service = 'kds' and statement like 'select amount from items%'")
        self.call(sluice, 20)
        self.wait_for(lambda: self.ask_file(sluice, counted)[0][0] == 20, "the first calls are in the file", seconds=2)
        self.call(sluice, 10)
        time.sleep(1.5)
        sluice.process.send_signal(signal.SIGKILL)
        sluice.process.wait()
        self.assertEqual(self.ask_file(sluice, counted), [(30, 2, 1)])
        sluice.start()
        self.call(sluice, 4)
        sluice.stop()
        self.assertEqual(self.ask_file(sluice, counted), [(34, 3, 1)])
        self.assertEqual(self.ask_file(sluice, "select count(distinct run) from statement_minutes where service = 'kds'"), [(2,)])

    def state(self, sluice):
        return sluice.console("SHOW HISTORY")[0]

    def total(self, sluice):
        return sluice.console("SELECT total(count) AS n FROM violation_counts")[0]["n"]

    def test_a_file_that_may_not_grow_degrades_with_an_alarm_and_traffic_goes_on(self):
        sluice = self.new_sluice(**self.settings)
        self.wait_for(lambda: self.state(sluice)["health"] == "ok", "it begins well")
        self.wait_for(lambda: os.path.exists(self.path(sluice) + "-wal"), "its file is there")
        size = os.path.getsize(self.path(sluice)) + os.path.getsize(self.path(sluice) + "-wal")
        none, _ = resource.prlimit(sluice.process.pid, resource.RLIMIT_FSIZE, (min(size, 4096), resource.RLIM_INFINITY))
        self.violate(sluice, 6)
        self.wait_for(lambda: self.state(sluice)["health"] == "degraded", "it says so")
        self.assertEqual(self.total(sluice), "6")
        self.violate(sluice, 6)
        self.assertEqual(self.total(sluice), "12")
        resource.prlimit(sluice.process.pid, resource.RLIMIT_FSIZE, (none, resource.RLIM_INFINITY))
        self.wait_for(lambda: self.state(sluice)["health"] == "ok", "it recovers")
        sluice.stop()
        self.assertEqual(self.ask_file(sluice, "select total(count) from violation_counts"), [(12,)])

    def test_a_locked_file_delays_nothing_but_itself(self):
        sluice = self.new_sluice(**self.settings)
        self.wait_for(lambda: self.state(sluice)["health"] == "ok", "it begins well")
        lock = sqlite3.connect(self.path(sluice), isolation_level=None)
        lock.execute("begin immediate")
        self.violate(sluice, 4)
        self.wait_for(lambda: sluice.has_logged("history_degraded"), "the alarm")
        self.assertEqual(self.total(sluice), "4")
        lock.execute("rollback")
        lock.close()
        self.wait_for(lambda: sluice.has_logged("history_restored"), "its end")
        self.assertEqual(self.total(sluice), "4")

    def test_what_goes_on_while_the_file_is_locked_is_told_as_it_is(self):
        sluice = self.new_sluice(**self.settings, guard={"mode": "observe"}, incidents={"learning": "0s"})
        self.wait_for(lambda: self.state(sluice)["health"] == "ok", "it begins well")
        connection = sluice.connect(application_name="migrator")
        with connection.cursor() as cursor:
            cursor.execute("begin")
            cursor.execute("alter table parts add column note text")
        self.violate(sluice, 1)
        begun = ("select (select count(*) from ddl), (select count(*) from incidents),"
                 " (select count(*) from sessions where application_name = 'migrator')")
        self.wait_for(lambda: self.ask_file(sluice, begun) == [(1, 1, 1)], "all of it has begun")
        lock = sqlite3.connect(self.path(sluice), isolation_level=None)
        lock.execute("begin immediate")
        with connection.cursor() as cursor:
            cursor.execute("commit")
        connection.close()
        self.violate(sluice, 7)
        self.wait_for(lambda: sluice.has_logged("history_degraded"), "the alarm")
        questions = {"SELECT total(count) AS told FROM violation_counts": "8",
                     "SELECT group_concat(outcome) AS told FROM ddl": "committed",
                     "SELECT count(*) AS told FROM sessions WHERE closed IS NULL": "0",
                     "SELECT count(DISTINCT incident) = count(*) AS told FROM incidents": "1"}
        for question, told in questions.items():
            self.wait_for(lambda: sluice.console(question) == [{"told": told}], question, 5)
        incidents = "SELECT incident, count, is_first FROM incidents ORDER BY 1"
        self.wait_for(lambda: sluice.console(incidents)[0]["count"] == "5", "it grew")
        self.assertEqual(self.ask_file(sluice, "select incident, count from incidents"), [(1, 1)])
        told = sluice.console(incidents)
        lock.execute("rollback")
        lock.close()
        self.wait_for(lambda: sluice.has_logged("history_restored"), "its end")
        self.assertEqual(sluice.console(incidents), told)

    def test_a_file_that_is_damaged_or_not_ours_is_kept_aside(self):
        sluice = self.new_sluice(start=False, **self.settings)
        with open(self.path(sluice), "wb") as file:
            file.write(b"this is no history at all\n" * 400)
        sluice.start()
        self.wait_for(lambda: sluice.has_logged("history_set_aside"), "the alarm")
        self.violate(sluice, 2)
        state = self.state(sluice)
        self.assertEqual((state["health"], state["files_set_aside"]), ("ok", "1"))
        with open(state["set_aside"], "rb") as file:
            self.assertTrue(file.read().startswith(b"this is no history"))
        self.assertEqual(self.total(sluice), "2")

    def test_without_a_history_there_are_still_live_tables(self):
        sluice = self.new_sluice(history={"record": False}, **self.settings)
        self.violate(sluice, 2)
        rows = sluice.console("SELECT constraint_name, count FROM live_violations ORDER BY 1")
        self.assertEqual([tuple(row.values()) for row in rows], [("items_amount_check", "1"), ("parts_item_fkey", "1")])
        self.assertFalse(os.path.exists(self.path(sluice)))
        self.assertEqual(sluice.console("SHOW HISTORY"), [])


class Queries(Case):
    SETUP = ITEMS
    settings = {"services": [{"name": "kds", "when": {"application_name": "kds*"}}], "console": {
        "address": f"127.0.0.1:{machine.free_port()}", "query_time": "2s"}}
    ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        connection = cls.sluice.connect(application_name="kds-1", user="app")
        for _ in range(7):
            try:
                connection.cursor().execute("insert into items values (9, -1)")
            except psycopg2.IntegrityError:
                pass
        connection.close()

    def operator(self, user="viewer"):
        connection = psycopg2.connect(host="127.0.0.1", port=self.sluice.console_port, user=user, dbname="pgsluice")
        connection.autocommit = True
        self.addCleanup(connection.close)
        return connection

    def raw(self):
        raw = Wire(("127.0.0.1", self.sluice.console_port))
        self.addCleanup(raw.close)
        raw.login("viewer", "pgsluice")
        return raw

    def code(self, sql):
        with self.assertRaises(psycopg2.Error) as caught, self.operator().cursor() as cursor:
            cursor.execute(sql)
        return caught.exception.pgcode

    def test_the_question_of_the_day_is_answered(self):
        rows = self.sluice.console("SELECT service, constraint_name, sum(count) AS n FROM violation_counts"
                                   " WHERE minute > datetime('now', '-1 hour') GROUP BY 1, 2")
        self.assertEqual([tuple(row.values()) for row in rows], [("kds", "items_amount_check", "7")])

    def test_values_have_the_types_of_drivers(self):
        with self.operator().cursor() as cursor:
            cursor.execute("SELECT count(*), 2.5, 'word', NULL, sum(count) FROM violations, violation_counts")
            self.assertEqual(cursor.fetchone(), (7, 2.5, "word", None, 49))

    def test_each_mistake_has_its_code(self):
        for sql, code in (("SELECT 1 +", "42601"), ("SELECT * FROM nowhere", "42P01"), ("SELECT x FROM runs", "42703"),
                          ("SELECT nope(1)", "42883"), ("WITH a AS (SELECT 1) DELETE FROM runs", "25006"),
                          (self.ENDLESS, "57014"), ("SELECT hex(zeroblob(99999999))", "54000"),
                          ("SHOW COLUMNS FROM nowhere", "42P01")):
            with self.subTest(sql):
                self.assertEqual(self.code(sql), code)

    def test_the_place_of_a_mistake_is_that_in_the_whole_text(self):
        done = self.sluice.console_psql("SHOW VERSION; SELECT nope FROM runs")
        self.assertRegex(done.stderr, r"LINE 1: SHOW VERSION; SELECT nope FROM runs\n {29}\^")

    def test_a_long_query_holds_nobody_up_and_can_be_cancelled(self):
        slow = self.raw()
        slow.send(wire.query(self.ENDLESS) + wire.query("SHOW VERSION"))
        begin = time.monotonic()
        self.assertTrue(self.sluice.console("SHOW VERSION"))
        self.assertEqual(self.run_sql("select 1"), [(1,)])
        with Wire(("127.0.0.1", self.sluice.console_port)) as canceller:
            canceller.send(wire.cancel(*slow.key))
            canceller.rest()
        self.assertEqual(slow.read_message()[0], "E")
        self.assertLess(time.monotonic() - begin, 1.9)
        self.assertEqual([slow.read_message()[0] for _ in range(5)], list("ZTDCZ"))

    def test_a_client_that_goes_takes_its_query_along(self):
        for _ in range(5):
            raw = self.raw()
            raw.send(wire.query(self.ENDLESS))
            raw.close()
        self.wait_for(lambda: self.sluice.console_psql("SELECT 1").stdout, "there is room for others", seconds=1)

    def test_more_queries_than_are_answered_at_a_time_are_refused(self):
        slow = [self.raw() for _ in range(4)]
        for raw in slow:
            raw.send(wire.query(self.ENDLESS))
        kinds = [wire.errors(raw.until("Z"))[0]["C"] for raw in slow]
        self.assertEqual(sorted(kinds), ["53300"] + 3 * ["57014"])

    def test_the_extended_protocol_describes_before_it_executes(self):
        raw = self.raw()
        messages = raw.ask(wire.parse("SELECT count(*) FROM violations WHERE service = $1"), wire.bind(values=[b"kds"]),
                           wire.describe("P"), wire.execute(), wire.sync())
        self.assertEqual(wire.kinds(messages), "12TDCZ")
        self.assertEqual(wire.rows(messages), [["7"]])
        described = raw.ask(wire.parse("SELECT service, count FROM violation_counts WHERE count > $1"),
                            wire.describe("S"), wire.sync())
        self.assertEqual(wire.kinds(described), "1tTZ")
        failed = raw.ask(wire.parse("SELECT nope FROM runs"), wire.bind(), wire.describe("P"), wire.execute(),
                         wire.sync())
        self.assertEqual(wire.kinds(failed), "12EZ")
        self.assertEqual(wire.kinds(raw.ask(wire.query("SELECT 1"))), "TDCZ")


if __name__ == "__main__":
    main()
