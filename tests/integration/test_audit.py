# SPDX-License-Identifier: PostgreSQL
"""The audit: every schema change, passed or refused, with what became of it; and what operators did."""
import json
import os
import resource

import psycopg2

from harness import wire
from harness.case import REFUSED, Case, main

SETUP = """
drop schema public cascade;
create schema public;
create table orders (id int primary key, status text);
"""


class Audit(Case):
    SETUP = SETUP

    def setUp(self):
        self.sluice = self.new_sluice(guard={"mode": "enforce"}, audit={"file": "audit.jsonl"})

    def lines(self):
        with open(os.path.join(self.sluice.folder, "audit.jsonl"), encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def told(self, name):
        return [line for line in self.lines() if line["event"] == name]

    def open(self):
        self.sluice.console("OPEN WINDOW w FOR '10m' ALLOW modifying REASON 'release 7'")

    def test_a_refused_change_stands_in_it_with_all_that_is_known(self):
        error = self.fails("alter table orders add constraint c check (status in ('secret'))", user="postgres",
                           application_name="migrator")
        self.assertEqual(error.pgcode, REFUSED)
        self.wait_for(lambda: self.told("ddl_refused"), "it is written")
        line = self.told("ddl_refused")[0]
        self.assertEqual((line["service"], line["user"], line["database"], line["application_name"]),
                         ("migrator", "postgres", "postgres", "migrator"))
        self.assertEqual((line["command"], line["class"], line["objects"], line["ground"]),
                         ("ALTER TABLE", "modifying", "orders", "closed"))
        self.assertIn("127.0.0.1", line["address"])
        self.assertNotIn("secret", json.dumps(line))

    def test_a_change_is_followed_to_the_end_of_its_transaction(self):
        self.open()
        raw = self.wire()
        for sql in ("begin", "alter table orders add a int", "alter table orders add b int", "commit",
                    "begin", "alter table orders add c int", "rollback",
                    "alter table orders add a int", "alter table orders add d int"):
            raw.ask(wire.query(sql))
        self.wait_for(lambda: len(self.told("ddl_committed")) == 2, "it is written")
        self.assertEqual([line["change"] for line in self.told("ddl_passed")], [1, 2, 3, 4, 5])
        self.assertEqual([line["change"] for line in self.told("ddl_completed")], [1, 2, 3, 5])
        self.assertEqual([(line["change"], line["sqlstate"]) for line in self.told("ddl_failed")], [(4, "42701")])
        self.assertEqual([(line["change"], line.get("change_last", line["change"])) for line in self.told("ddl_committed")],
                         [(1, 2), (5, 5)])
        self.assertEqual([line["change"] for line in self.told("ddl_undone")], [3])
        rows = self.sluice.console("SHOW DDL LIMIT 5")
        self.assertEqual([row["outcome"] for row in rows],
                         ["committed", "failed", "undone", "committed", "committed"])
        self.assertEqual(rows[1]["sqlstate"], "42701")
        self.assertTrue(all(line["window"] == "w" for line in self.told("ddl_passed")))

    def test_what_operators_did_stands_in_it(self):
        self.open()
        self.sluice.console("CLOSE WINDOW w")
        self.sluice.console("SET READONLY ON FOR '1m' SERVICE booking REASON 'cut-over'")
        self.sluice.console("SET READONLY OFF SERVICE booking REASON 'done'")
        events = [(line["event"], line.get("reason")) for line in self.lines()]
        self.assertEqual(events, [("opening_made", "release 7"), ("opening_ended", "release 7"),
                                  ("readonly_ordered", "cut-over"), ("readonly_ended", "done")])
        self.assertEqual({line["operator"] for line in self.lines()}, {"operator"})

    def test_it_is_only_appended_to(self):
        self.fails("drop table orders")
        self.wait_for(lambda: self.told("ddl_refused"), "it is written")
        self.sluice.stop()
        self.sluice.start()
        self.fails("drop table orders")
        self.wait_for(lambda: len(self.told("ddl_refused")) == 2, "it is written")

    def test_it_may_be_rotated_away(self):
        path = os.path.join(self.sluice.folder, "audit.jsonl")
        self.fails("drop table orders")
        self.wait_for(lambda: self.told("ddl_refused"), "it is written")
        os.rename(path, path + ".1")
        self.sluice.console("RELOAD")
        self.fails("drop table orders")
        self.wait_for(lambda: len(self.told("ddl_refused")) == 1, "it is written anew")

    def test_it_is_for_its_owner_and_group_only(self):
        self.assertEqual(os.stat(os.path.join(self.sluice.folder, "audit.jsonl")).st_mode & 0o137, 0)

    def test_what_cannot_be_written_is_counted_in_the_log(self):
        sluice = self.new_sluice(guard={"mode": "enforce"}, audit={"file": "/dev/full"})
        for _ in range(3):
            with self.assertRaises(psycopg2.Error):
                sluice.connect().cursor().execute("drop table orders")
        self.wait_for(lambda: sum(int(line["count"]) for line in sluice.events("audit_lost")) == 3, "it is told")

    def test_a_line_behind_a_torn_one_stands_by_itself(self):
        path = os.path.join(self.sluice.folder, "audit.jsonl")
        self.fails("drop table orders")
        self.wait_for(lambda: self.told("ddl_refused"), "it is written")
        size = os.path.getsize(path)
        resource.prlimit(self.sluice.process.pid, resource.RLIMIT_FSIZE, (size + 100, resource.RLIM_INFINITY))
        self.fails("drop table orders")
        self.wait_for(lambda: os.path.getsize(path) == size + 100, "a line is torn")
        resource.prlimit(self.sluice.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        self.fails("drop table orders")
        with open(path, encoding="utf-8") as file:
            self.wait_for(lambda: os.path.getsize(path) > size + 150, "it is written again")
            lines = file.read().splitlines()
        self.assertEqual([json.loads(lines[at])["event"] for at in (0, 2)], ["ddl_refused"] * 2)
        self.assertEqual(len(lines), 3)

    def test_a_reload_to_a_file_that_cannot_be_written_is_refused(self):
        self.sluice.settings["audit"]["file"] = "/nonexistent/audit.jsonl"
        self.sluice.write()
        done = self.sluice.console_psql("RELOAD")
        self.assertIn("audit file", done.stderr)
        self.fails("drop table orders")
        self.wait_for(lambda: self.told("ddl_refused"), "the old one stays")

    def test_a_reload_that_is_refused_changes_nothing_of_what_was_good_in_it(self):
        elsewhere = os.path.join(self.sluice.folder, "elsewhere.log")
        self.sluice.settings["audit"]["file"] = "/nonexistent/audit.jsonl"
        self.sluice.settings["log"] = {"file": elsewhere, "level": "error"}
        self.sluice.settings["console"] = {**self.sluice.settings["console"], "password": "another"}
        self.sluice.write()
        self.assertIn("the old ones stay in force", self.sluice.console_psql("RELOAD").stderr)
        self.assertTrue(self.sluice.console("SHOW VERSION"), "no password is asked for")
        self.fails("drop table orders")
        self.wait_for(lambda: self.sluice.events("ddl_refused"), "the log goes on where it was, as it was")
        self.assertEqual(os.path.getsize(elsewhere), 0)


if __name__ == "__main__":
    main()
