# SPDX-License-Identifier: PostgreSQL
"""`pgsluice classify`: what it says of a script, and whether a window would let it pass."""
import json
import os
import subprocess
import sys
import unittest

from harness import machine

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "classify")
SCRIPT = "classify.sql"
SETTINGS = {
    "listen": [{"address": "127.0.0.1:6432", "upstream": "main"}],
    "upstreams": [{"name": "main", "hosts": ["127.0.0.1:5432"]}],
    "guard": {
        "mode": "observe",
        "windows": [
            {"name": "weekly", "days": ["sun"], "from": "02:00", "to": "04:00", "timezone": "UTC", "allow": "modifying"},
            {"name": "nightly", "days": ["mon", "tue"], "from": "02:00", "to": "03:00", "timezone": "UTC", "allow": "additive"},
        ],
        "freezes": [{"name": "peak", "from": "2026-11-29T00:00:00Z", "to": "2026-12-01T12:00:00Z", "reason": "peak week"}],
    },
}


class Classify(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.config = os.path.join(machine.new_folder(), "pgsluice.yaml")
        with open(self.config, "w", encoding="ascii") as file:
            json.dump(SETTINGS, file)

    def run_it(self, *words, text=None):
        done = subprocess.run([machine.BINARY, "classify", *words], cwd=FOLDER, input=text, capture_output=True, text=True,
                              timeout=20, check=False)
        self.assertNotIn("Sanitizer", done.stderr)
        return done.returncode, done.stdout, done.stderr

    def assert_golden(self, name, said):
        path = os.path.join(FOLDER, name)
        if os.environ.get("PGSLUICE_WRITE_GOLDEN"):
            with open(path, "w", encoding="utf-8") as file:
                file.write(said)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(said, file.read())

    def test_it_says_of_each_statement_what_it_is_and_does(self):
        status, said, _ = self.run_it(SCRIPT)
        self.assertEqual(status, 1)
        self.assert_golden("classify.txt", said)

    def test_json_says_the_same_in_one_object_a_line(self):
        status, said, _ = self.run_it("--json", SCRIPT)
        self.assertEqual(status, 1)
        self.assert_golden("classify.jsonl", said)
        rows = [json.loads(line) for line in said.splitlines()]
        self.assertEqual([row["line"] for row in rows], [3, 4, 6, 7, 8, 12, 13, 13, 14, 15, 16, 17])
        self.assertEqual(rows[3]["objects"], ["items", "shop.orders"])

    def test_a_window_lets_it_pass_and_says_its_name(self):
        status, said, _ = self.run_it(SCRIPT, "--config", self.config, "--at", "2026-11-22T03:00:00Z")
        self.assertEqual(status, 0)
        self.assertIn('gate: passes: "weekly" is open', said)

    def test_outside_it_says_when(self):
        status, said, _ = self.run_it(SCRIPT, "--config", self.config, "--at", "2026-11-21T20:00:00-06:00")
        self.assertEqual(status, 0, said)
        status, said, _ = self.run_it(SCRIPT, "--config", self.config, "--at", "2026-11-22T04:00:00Z")
        self.assertEqual(status, 1)
        self.assertIn('"nightly", opens at 2026-11-23T02:00:00+00:00', said)
        self.assertIn("2026-12-06T02:00:00+00:00", said)

    def test_an_additive_window_lets_only_additive_changes_pass(self):
        at = ("--config", self.config, "--at", "2026-11-23T02:30:00Z", "--json", "-")
        self.assertEqual(self.run_it(*at, text="alter table t add a int")[0], 0)
        status, said, _ = self.run_it(*at, text="select 1; alter table t add a int; drop table t;")
        self.assertEqual(status, 1)
        self.assertEqual([json.loads(line)["passes"] for line in said.splitlines()], [True, True, False])

    def test_a_freeze_is_named(self):
        _, said, _ = self.run_it("-", "--config", self.config, "--at", "2026-11-29T03:00:00Z", text="drop table t")
        self.assertIn('freeze "peak"', said)
        self.assertIn("peak week", said)

    def test_a_script_that_changes_nothing_passes_without_settings(self):
        self.assertEqual(self.run_it("-", text="select 1; insert into t values (';drop table t')")[0], 0)
        self.assertEqual(self.run_it("-", text="")[:2], (0, ""))
        self.assertEqual(self.run_it("-", text="-- drop table t")[:2], (0, ""))

    def test_bytes_of_names_stay_in_their_line(self):
        _, said, _ = self.run_it("--json", "-", text='drop table "a\n\u001b[2J""b"')
        self.assertEqual(json.loads(said)["objects"], ['"a\\x0a\\x1b[2J""b"'])
        self.assertEqual(len(said.splitlines()), 1)

    def test_a_large_script_is_read_whole(self):
        status, said, _ = self.run_it("--json", "-", text="select 1;\n" * 20000 + "drop table t")
        self.assertEqual(status, 1)
        self.assertEqual(json.loads(said.splitlines()[-1])["line"], 20001)

    def test_what_cannot_be_told_is_status_2(self):
        for words in ((), ("nowhere.sql",), (SCRIPT, "other.sql"), (SCRIPT, "--at", "tomorrow"), (SCRIPT, "--at"),
                      (SCRIPT, "--config", "nowhere.yaml"), (SCRIPT, "--print-sample"), (FOLDER,)):
            with self.subTest(words):
                status, said, why = self.run_it(*words)
                self.assertEqual((status, said), (2, ""))
                self.assertTrue(why)

    def test_rules_and_protected_objects_are_asked_for_whom_it_is_said(self):
        settings = {**SETTINGS, "guard": {"protected": ["public.orders"], "rules": [
            {"name": "ours", "when": {"service": "deploy", "database": "shop", "class": ["additive"]}, "action": "allow"},
            {"name": "no-locks", "when": {"user": "app", "class": ["lock"]}, "action": "refuse"}]}}
        with open(self.config, "w", encoding="ascii") as file:
            json.dump(settings, file)
        whom = ("--service", "deploy", "--database", "shop")
        status, said, _ = self.run_it("--config", self.config, *whom, "-", text="create table a ();")
        self.assertEqual(status, 0, said)
        self.assertIn('the rule "ours" allows it', said)
        self.assertEqual(self.run_it("--config", self.config, "-", text="create table a ();")[0], 1)
        status, said, _ = self.run_it("--config", self.config, *whom, "-", text="create table b (o int references orders);")
        self.assertEqual(status, 1)
        self.assertIn("protected", said)
        status, said, _ = self.run_it("--config", self.config, "--user", "app", "-", text="lock table a;")
        self.assertEqual(status, 1)
        self.assertIn('the rule "no-locks" refuses it', said)


if __name__ == "__main__":
    if not machine.BINARY:
        sys.exit("set PGSLUICE to the program that is to be tested")
    unittest.main(verbosity=2)
