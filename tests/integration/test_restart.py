# SPDX-License-Identifier: PostgreSQL
"""What is known over the end of the program: incidents go on or are ended honestly, changes stay suspects."""
import json
import os
import signal
import sqlite3
import subprocess
import time

import psycopg2

from harness import machine
from harness.case import Case, main

SETUP = """
drop schema public cascade;
create schema public;
create table orders (id int primary key, status text constraint orders_status_check check (status in ('new', 'done')));
create table parts (id int primary key, amount int constraint parts_amount_check check (amount > 0));
grant all on schema public to public;
"""
QUICK = {"learning": "0s", "calm": "1m"}


class Restarts(Case):
    SETUP = SETUP
    settings = {"incidents": QUICK, "services": [{"name": "kds", "when": {"application_name": "kds*"}}]}

    def path(self, sluice):
        return os.path.join(sluice.folder, "pgsluice-history.db")

    def ask(self, sluice, sql):
        try:
            with sqlite3.connect(f"file:{self.path(sluice)}?mode=ro", uri=True) as connection:
                return connection.execute(sql).fetchall()
        except sqlite3.OperationalError:
            return [] # it is being made

    def storm(self, sluice, count, sql="insert into orders values (1, 'lost')"):
        connection = sluice.connect(application_name="kds-1")
        with connection.cursor() as cursor:
            for _ in range(count):
                with self.assertRaises(psycopg2.IntegrityError):
                    cursor.execute(sql)
        connection.close()

    def incident(self, sluice, count):
        """The only one in the file, once it has that count."""
        rows = "select count from incidents"
        self.wait_for(lambda: self.ask(sluice, rows) == [(count,)], f"one incident of {count}", 20)

    def kill(self, sluice):
        sluice.process.send_signal(signal.SIGKILL)
        sluice.process.wait()

    def report(self, sluice):
        done = subprocess.run([machine.BINARY, "report", "--history", self.path(sluice), "--since", "1d", "--format", "json"],
                              capture_output=True, text=True, timeout=60, check=True)
        return [(row["incident"], row["state"], row["count"]) for row in json.loads(done.stdout)["incidents"]]

    def test_what_goes_on_behind_a_kill_is_one_incident(self):
        sluice = self.new_sluice(**self.settings)
        self.storm(sluice, 30)
        self.incident(sluice, 30)
        started, = self.ask(sluice, "select started from incidents")
        self.kill(sluice)
        sluice.start()
        self.storm(sluice, 10)
        self.incident(sluice, 40)
        self.assertEqual(self.ask(sluice, "select started, ended, run, incident, is_cut, is_first from incidents"),
                         [(*started, None, 2, 1, 0, 1)])
        row, = sluice.console("SHOW INCIDENTS")
        self.assertEqual((row["incident"], row["count"], row["constraint_name"]), ("1", "40", "orders_status_check"))
        self.assertEqual(len(sluice.events("incident_started")), 1)
        self.assertEqual(self.report(sluice), [(1, "open", 40)])

    def test_what_does_not_go_on_ends_when_it_was_last_seen(self):
        sluice = self.new_sluice(**self.settings)
        self.storm(sluice, 30)
        self.incident(sluice, 30)
        self.kill(sluice)
        killed = time.time()
        sluice.start()
        self.wait_for(lambda: sluice.events("incident_ended"), "it ends", 100)
        self.wait_for(lambda: self.ask(sluice, "select count(*) from incidents where ended is not null") == [(1,)], "in the file")
        (ended, cut), = self.ask(sluice, "select unixepoch(ended), is_cut from incidents")
        self.assertLessEqual(ended, killed)
        self.assertGreater(ended, killed - 20)
        self.assertEqual(cut, 0)
        self.assertEqual(self.report(sluice), [(1, "ended", 30)])

    def test_what_was_open_long_ago_is_cut_where_the_program_ended(self):
        sluice = self.new_sluice(**self.settings)
        self.storm(sluice, 30)
        self.incident(sluice, 30)
        self.kill(sluice)
        with sqlite3.connect(self.path(sluice)) as connection:
            connection.execute("update incidents set started = datetime(started, '-3 hours'), detected = datetime(detected, '-3 hours')")
            connection.execute("update runs set flushed = datetime(flushed, '-2 hours')")
        sluice.start()
        self.wait_for(lambda: self.ask(sluice, "select is_cut from incidents") == [(1,)], "it is cut", 20)
        self.assertEqual(self.ask(sluice, "select incidents.ended = flushed from incidents join runs using (run)"), [(1,)])
        self.assertEqual(self.report(sluice), [(1, "not followed to its end", 30)])
        self.assertEqual(sluice.console("SHOW INCIDENTS"), [])

    def test_a_change_before_the_kill_is_suspected_behind_it(self):
        sluice = self.new_sluice(**self.settings, guard={"mode": "observe"})
        connection = sluice.connect(application_name="migrator")
        with connection.cursor() as cursor:
            cursor.execute("alter table parts add constraint parts_even check (amount % 2 = 0)")
        connection.close()
        self.wait_for(lambda: self.ask(sluice, "select outcome from ddl") == [("committed",)], "the change is kept")
        self.kill(sluice)
        sluice.start()
        self.storm(sluice, 20, "insert into parts values (1, 3)")
        self.wait_for(lambda: sluice.events("incident_started"), "an incident", 20)
        line = sluice.events("incident_started")[0]
        self.assertIn("parts_even", line["suspect"])
        suspects = "select application_name, command, was_seen from incident_suspects"
        self.wait_for(lambda: self.ask(sluice, suspects) == [("migrator", "ALTER TABLE", 1)], "it is in the history")

    def test_what_was_seen_in_the_very_minute_of_the_kill_is_not_first_ever(self):
        sluice = self.new_sluice(**{**self.settings, "incidents": {**QUICK, "first": False}})
        self.storm(sluice, 1)
        counted = "select total(count) from violation_counts"
        self.wait_for(lambda: self.ask(sluice, counted) == [(1,)], "it is in the file", 5)
        self.kill(sluice)
        sluice.settings["incidents"] = QUICK
        sluice.write()
        sluice.start()
        self.storm(sluice, 1)
        self.storm(sluice, 1, "insert into parts values (1, -1)")
        self.wait_for(lambda: sluice.events("incident_started"), "the other is the first ever", 20)
        self.assertEqual([row["constraint"] for row in sluice.events("incident_started")], ["parts_amount_check"])

    def test_what_never_happened_in_quiet_days_before_a_restart_is_first_ever(self):
        sluice = self.new_sluice(**{**self.settings, "incidents": {"calm": "1m"}})
        self.storm(sluice, 1)
        counted = "select total(count) from violation_counts"
        self.wait_for(lambda: self.ask(sluice, counted) == [(1,)], "it is in the file", 5)
        sluice.stop()
        with sqlite3.connect(self.path(sluice)) as connection:
            connection.execute("update violation_counts set minute = datetime(minute, '-10 days')")
            connection.execute("update runs set started = datetime(started, '-10 days', '-5 minutes')")
        sluice.start()
        self.storm(sluice, 1, "insert into parts values (1, -1)")
        self.wait_for(lambda: sluice.events("incident_started"), "an incident", 20)
        line = sluice.events("incident_started")[0]
        self.assertEqual((line["constraint"], line["first_ever"]), ("parts_amount_check", "true"))


if __name__ == "__main__":
    main()
