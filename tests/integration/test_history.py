# SPDX-License-Identifier: PostgreSQL
"""The history file: exact across ends of every kind, and no trouble of its own becomes one of the traffic."""
import os
import resource
import signal
import sqlite3
import subprocess

import psycopg2

from harness import machine
from harness.case import Case, main

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
        with sqlite3.connect(f"file:{self.path(sluice)}?mode=ro", uri=True) as connection:
            return connection.execute(sql).fetchall()

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


if __name__ == "__main__":
    main()
