# SPDX-License-Identifier: PostgreSQL
"""`pgsluice report`: what an engineer on call gets to know of a history, in its three forms."""
import json
import os
import re
import sqlite3
import subprocess
import unittest

from harness import machine

MAKER = os.environ.get("PGSLUICE_HISTORY_MAKER", os.path.join(os.path.dirname(machine.BINARY), "tests/integration/history_maker"))
PERIOD = ("--since", "2026-11-21T12:00:00Z", "--until", "2026-11-21T13:00:00Z")
HOSTILE = "a`b|c<d>\x1b[2J\n## x\"'\\*_[l](u)\u202e\u2028"
ORDERS = {"service": "kds", "database": "shop", "schema_name": "public", "table_name": "orders"}


def insert(connection, table, **values):
    """A row of the table; what is not said is empty, 0 or NULL."""
    for _, name, kind, is_needed, _, _ in connection.execute(f"PRAGMA table_info({table})").fetchall():
        if name not in values and is_needed:
            values[name] = "" if kind == "TEXT" else 0
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(values.values()))


def tell_drift(connection):
    """A change lost a value of a list; one service violates the constraint from then on."""
    insert(connection, "incidents", **ORDERS, started="2026-11-21 12:14:05.250000", detected="2026-11-21 12:14:07.000000",
           about="constraint", subject="orders_status_check", sqlstate="23514", kind="check", is_first=1, is_spike=1,
           count=41, rate=40.0, baseline=0.25, peak=33, fingerprint="f1", statement="UPDATE orders SET status = ?",
           definition="CHECK (status IN ('new', 'paid'))", difference="'served' was dropped from the list",
           near_miss="'payed' is 1 letter off 'paid'", run=2, incident=1)
    insert(connection, "incident_suspects", run=2, incident=1, rank=1, time="2026-11-21 12:13:58.000000",
           not_before="2026-11-21 12:13:58.000000", was_seen=1, service="deploy", user_name="migrator",
           application_name="flyway", address="10.0.0.9:4000", command="ALTER TABLE", object="public.orders",
           difference="'served' was dropped from the list", statement="ALTER TABLE orders ADD CONSTRAINT ...")
    insert(connection, "incident_suspects", run=1, incident=1, rank=1, time="2026-11-20 00:00:00.000000", object="nothing of it")
    for minute, count in (("12:14", 33), ("12:15", 7), ("13:00", 1000), ("11:59", 1000)):
        insert(connection, "violation_counts", **ORDERS, minute=f"2026-11-21 {minute}:00", user_name="app", sqlstate="23514",
               kind="check", constraint_name="orders_status_check", fingerprint="f1", count=count)
    insert(connection, "violation_counts", minute="2026-11-21 12:20:00", service="web", kind="unique", sqlstate="23505",
           constraint_name="users_email_key", count=10)
    for second in ("14:05.250000", "15:40.000000"):
        insert(connection, "violations", **ORDERS, time=f"2026-11-21 12:{second}", user_name="app", sqlstate="23514", kind="check",
               constraint_name="orders_status_check", fingerprint="f1", statement="UPDATE orders SET status = ?")
    insert(connection, "ddl", time="2026-11-21 12:13:58.000000", decision="passed", outcome="committed", service="deploy",
           user_name="migrator", command="ALTER TABLE", objects="public.orders", window_name="nightly", duration_us=1500, run=2)
    insert(connection, "constraint_changes", time="2026-11-21 12:14:30.000000", not_before="2026-11-21 12:13:30.000000",
           schema_name="public", table_name="orders", constraint_name="orders_status_check", kind="check", change="values dropped",
           difference="'served' was dropped from the list")
    insert(connection, "error_counts", minute="2026-11-21 12:14:00", service="kds", sqlstate="40001",
           condition="serialization_failure", family="contention", fingerprint="f2", count=3)
    insert(connection, "error_counts", minute="2026-11-21 12:14:00", service="kds", sqlstate="23514",
           condition="check_violation", family="violation", fingerprint="f1", count=40)
    insert(connection, "statement_minutes", minute="2026-11-21 12:14:00", service="kds", database="shop", fingerprint="f2",
           calls=100, errors=3, p95_us=1000, p99_us=2500, longest_us=9000)
    insert(connection, "statement_texts", fingerprint="f2", statement="SELECT pg_sleep(?)")
    insert(connection, "refused_statements", time="2026-11-21 12:30:00.000000", decision="refused", service="web", command="UPDATE",
           ground="readonly", statement="UPDATE users SET x = ?")


def tell_runs(connection):
    """The first run was killed, the second took over."""
    connection.execute("DELETE FROM runs")
    insert(connection, "runs", run=1, started="2026-11-21 11:00:00.000000", flushed="2026-11-21 12:01:02.000000")
    insert(connection, "runs", run=2, started="2026-11-21 12:02:00.000000", flushed="2026-11-21 12:55:00.000000",
           ended="2026-11-21 12:55:00.000000", details_dropped=38)


class Report(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.path = os.path.join(machine.new_folder(), "history.db")

    def make(self, *tellers):
        subprocess.run([MAKER, self.path], check=True, timeout=20)
        with sqlite3.connect(self.path) as connection:
            for teller in tellers:
                teller(connection)
        connection.close()

    def run_it(self, *words):
        done = subprocess.run([machine.BINARY, "report", *words], capture_output=True, timeout=60, check=False)
        self.assertNotIn(b"Sanitizer", done.stderr)
        return done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8")

    def report(self, *words):
        status, said, complaint = self.run_it("--history", self.path, *words)
        self.assertEqual((status, complaint), (0, ""))
        return said

    def test_an_engineer_finds_who_what_since_when_and_after_which_change(self):
        self.make(tell_runs, tell_drift)
        said = self.report(*PERIOD)
        for line in (
                "- not followed to its end from 2026-11-21 12:14:05Z service kds check orders_status_check of public.orders"
                " SQLSTATE 23514",
                "    seen: 41 times, at most 33 within a minute; 0.25 a minute are usual, 40 a minute were seen; never seen before",
                "    statement: UPDATE orders SET status = ?",
                "    definition in force: CHECK (status IN ('new', 'paid'))",
                "    near miss: 'payed' is 1 letter off 'paid'",
                "    suspect 1 at 2026-11-21 12:13:58Z ALTER TABLE on public.orders by migrator",
                "        what changed: 'served' was dropped from the list",
                "        application: flyway",
                "- 2026-11-21 12:13:58Z passed outcome committed ALTER TABLE on public.orders by migrator",
                "violations: 50",
                "- from 2026-11-21 12:01:02Z to 2026-11-21 12:02:00Z the program ended without a word: a second before this is"
                " missing, and all until it ran again",
                "- from 2026-11-21 12:55:00Z the program did not run",
                "- 48 violations of this period are counted but not kept singly"):
            self.assertIn(f"\n{line}\n", said)
        self.assertRegex(said, r"\n40     80\.0%  kds      check   orders_status_check   public\.orders  23514     "
                               r"2026-11-21 12:14:05Z  2026-11-21 12:15:40Z  f1           UPDATE orders SET status = \?\n")
        self.assertNotIn("nothing of it", said)
        self.assertNotRegex(said, r"[ \t]\n")

    def test_json_says_the_same_to_programs(self):
        self.make(tell_runs, tell_drift)
        said = json.loads(self.report(*PERIOD, "--format", "json"))
        self.assertEqual(list(said), ["report", "totals", "incidents", "violations", "errors", "schema_changes",
                                      "constraint_changes", "refused_statements", "statements", "notes", "more"])
        self.assertEqual((said["report"]["since"], said["report"]["until"], said["report"]["service"]),
                         ("2026-11-21T12:00:00.000000Z", "2026-11-21T13:00:00.000000Z", None))
        self.assertEqual(said["totals"]["violations"], 50)
        incident = said["incidents"][0]
        self.assertEqual((incident["started"], incident["is_first"], incident["baseline"], incident["ended"]),
                         ("2026-11-21T12:14:05.250000Z", True, 0.25, None))
        self.assertEqual([suspect["user"] for suspect in incident["suspects"]], ["migrator"])
        self.assertEqual([(row["count"], row["subject"], row["first"]) for row in said["violations"]],
                         [(40, "orders_status_check", "2026-11-21T12:14:05.250000Z"), (10, "users_email_key", "2026-11-21T12:20:00Z")])
        self.assertEqual([(row["family"], row["count"]) for row in said["errors"]], [("violation", 40), ("contention", 3)])
        self.assertEqual((said["statements"][0]["p99_us"], said["statements"][0]["statement"]), (2500, "SELECT pg_sleep(?)"))
        self.assertEqual([row["kind"] for row in said["notes"]], ["unlisted", "gap", "dropped", "stopped"])

    def test_markdown_has_tables_and_lists(self):
        self.make(tell_runs, tell_drift)
        said = self.report(*PERIOD, "--format", "md")
        self.assertIn("\n- not followed to its end from 2026-11-21 12:14:05Z service `kds` check `orders_status_check`"
                      " of `public.orders` SQLSTATE 23514\n", said)
        self.assertIn("\n  - suspect 1 at 2026-11-21 12:13:58Z `ALTER TABLE` on `public.orders` by `migrator`\n", said)
        self.assertIn("\n| 40 | 80.0% | `kds` | check | `orders_status_check` | `public.orders` | 23514 |", said)

    def test_one_service_alone(self):
        self.make(tell_runs, tell_drift)
        said = json.loads(self.report(*PERIOD, "--format", "json", "--service", "web"))
        self.assertEqual((said["totals"]["violations"], said["incidents"], said["errors"]), (10, [], []))
        self.assertEqual([row["service"] for row in said["violations"]], ["web"])
        self.assertEqual([row["service"] for row in said["schema_changes"]], ["deploy"], "whoever made them")
        self.assertEqual(said["report"]["service"], "web")

    def test_nothing_happened(self):
        self.make()
        said = self.report("--since", "2d", "--until", "1d")
        self.assertEqual(said.count("\nnone\n"), 7)
        self.assertIn("\nviolations: 0\n", said)
        self.assertIn("the history begins within this period", self.report("--since", "30m"))
        self.assertNotIn("more", said)
        said = json.loads(self.report("--format", "json"))
        self.assertEqual((said["incidents"], said["totals"]["violations"]), ([], 0))

    def test_hostile_names_stay_what_they_are(self):
        def tell(connection):
            insert(connection, "violation_counts", minute="2026-11-21 12:20:00", service=HOSTILE, kind=HOSTILE, count=1,
                   constraint_name=HOSTILE, fingerprint=HOSTILE)
            insert(connection, "violations", time=HOSTILE, service=HOSTILE, kind=HOSTILE)
            connection.execute("UPDATE violation_counts SET table_name = CAST(x'fffe41' AS TEXT)")
            insert(connection, "incidents", started="2026-11-21 12:20:00", service=HOSTILE, subject=HOSTILE, statement=HOSTILE, about=HOSTILE,
                   kind=HOSTILE, definition=HOSTILE, run=1, incident=1)
            insert(connection, "incident_suspects", run=1, incident=1, rank=1, time=HOSTILE, object=HOSTILE, user_name=HOSTILE)
        self.make(tell)
        for form in ("text", "md"):
            said = self.report(*PERIOD, "--format", form)
            self.assertNotRegex(said, "[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]")
            self.assertNotRegex(said, r"(?m)^## x")
        rows = re.findall(r"(?m)^\|.*$", said)
        self.assertEqual({row.count("|") for row in rows}, {12})
        for mark in ("](", "<d>", "a`b"):
            self.assertNotIn(mark, said)
        said = json.loads(self.report(*PERIOD, "--format", "json"))
        self.assertEqual(said["violations"][0]["constraint_name"], HOSTILE)
        self.assertEqual(said["violations"][0]["table"], "\ufffd\ufffdA")
        self.assertEqual(said["incidents"][0]["suspects"][0]["user"], HOSTILE)

    def test_a_list_that_is_cut_says_how_much_is_left_out(self):
        def tell(connection):
            for number in range(60):
                insert(connection, "incidents", started=f"2026-11-21 12:{number:02}:00.000000", service="kds", subject="c", run=1, incident=number + 1)
                insert(connection, "incident_suspects", run=1, incident=number + 1, rank=1, object=f"t{number}")
            for number in range(27):
                insert(connection, "violation_counts", minute="2026-11-21 12:20:00", service="kds", constraint_name=f"c{number}", count=1)
                insert(connection, "error_counts", minute="2026-11-21 12:20:00", service="kds", sqlstate=f"{number:05}", count=1)
                insert(connection, "statement_minutes", minute="2026-11-21 12:20:00", service="kds", fingerprint=f"f{number}", errors=1, calls=1)
                insert(connection, "refused_statements", time="2026-11-21 12:20:00.000000", service="kds", command=f"c{number}")
            for number in range(31):
                insert(connection, "ddl", time=f"2026-11-21 12:20:{number:02}.000000", decision="passed", outcome="committed")
                insert(connection, "constraint_changes", time=f"2026-11-21 12:20:{number:02}.000000")
        self.make(tell)
        said = json.loads(self.report(*PERIOD, "--format", "json"))
        shown = len(said["statements"])
        self.assertEqual(said["more"], {"incidents": 10, "violations": 7, "errors": 7, "schema_changes": 1, "constraint_changes": 1,
                                        "refused_statements": 7, "statements": 27 - shown, "notes": 0})
        self.assertEqual([row["suspects"][0]["object"] for row in said["incidents"]][:2], ["t59", "t58"])
        for form in ("text", "md"):
            cut = re.findall(r"(?m)^and (\d+) more$", self.report(*PERIOD, "--format", form))
            self.assertEqual(cut, ["10", "7", "7", "1", "1", "7", str(27 - shown)], form)

    def test_an_incident_that_was_cut_says_so(self):
        def tell(connection):
            insert(connection, "incidents", started="2026-11-21 12:00:30.000000", ended="2026-11-21 12:40:00.000000", is_cut=1,
                   service="kds", subject="c", run=1, incident=1)
        self.make(tell_runs, tell)
        said, = json.loads(self.report(*PERIOD, "--format", "json"))["incidents"]
        self.assertEqual((said["state"], said["ended"]), ("not followed to its end", "2026-11-21T12:40:00.000000Z"))

    def test_an_incident_that_goes_on_is_open(self):
        def tell(connection):
            connection.execute("UPDATE runs SET ended = NULL, flushed = strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'")
            insert(connection, "incidents", started="2026-11-01 00:00:00.000000", service="kds", subject="c", run=1, incident=1)
        self.make(tell)
        said = json.loads(self.report("--format", "json", "--since", "5m"))
        self.assertEqual([row["state"] for row in said["incidents"]], ["open"])

    def test_an_incident_that_the_next_run_took_over_is_told_once(self):
        def tell(connection):
            for run, ended in ((1, None), (2, "2026-11-21 12:50:00.000000")):
                insert(connection, "incidents", started="2026-11-21 12:00:30.000000", ended=ended, service="kds", subject="c",
                       run=run, incident=1)
        self.make(tell_runs, tell)
        said = json.loads(self.report(*PERIOD, "--format", "json"))
        self.assertEqual([(row["run"], row["state"]) for row in said["incidents"]], [(2, "ended")])

    def test_what_cannot_be_read_is_said(self):
        status, said, complaint = self.run_it("--history", self.path)
        self.assertEqual((status, said), (1, ""))
        self.assertEqual(complaint, f"pgsluice: {self.path}: No such file or directory\n")
        with sqlite3.connect(self.path) as connection:
            connection.execute("CREATE TABLE bookmarks (url TEXT)")
        connection.close()
        status, said, complaint = self.run_it("--history", self.path)
        self.assertEqual((status, said), (1, ""))
        self.assertIn("cannot be read as a history", complaint)
        with open(self.path, "wb") as file:
            file.write(b"x" * 5000)
        status, said, complaint = self.run_it("--history", self.path)
        self.assertEqual((status, said), (1, ""))
        self.assertIn("not a database", complaint)

    def test_arguments_that_make_no_sense(self):
        self.make()
        for words, part in ((("--history", self.path, "--since", "yesterday"), '--since is a span'),
                            (("--history", self.path, "--until", "2026"), "--until is a span"),
                            (("--history", self.path, "--since", "1h", "--until", "2h"), "ends before it begins"),
                            (("--history", self.path, "--format", "xml"), "text, json or md"),
                            (("--history", self.path, "--json"), "not an option here"),
                            (("--history", self.path, "more"), "more words")):
            status, said, complaint = self.run_it(*words)
            self.assertEqual((status, said), (2, ""), words)
            self.assertIn(part, complaint)

    def test_the_settings_say_where_the_history_is(self):
        self.make()
        path = os.path.join(os.path.dirname(self.path), "pgsluice.yaml")
        with open(path, "w") as settings:
            settings.write("listen:\n  - address: 127.0.0.1:6432\n    upstream: main\nupstreams:\n  - name: main\n"
                           f"    hosts: [127.0.0.1:5432]\nhistory:\n  file: {os.path.basename(self.path)}\n")
        by_settings, said, complaint = self.run_it("--config", path, *PERIOD)
        self.assertEqual((by_settings, complaint), (0, ""))
        self.assertEqual(said, self.run_it("--history", self.path, *PERIOD)[1])
        status, said, complaint = self.run_it("--config", path + ".none")
        self.assertEqual((status, said), (1, ""))
        self.assertIn("the file cannot be opened", complaint)

    def test_it_reads_while_another_process_writes(self):
        self.make()
        with subprocess.Popen([MAKER, self.path, "3000"]) as writer:
            seen = 0
            while writer.poll() is None:
                now = json.loads(self.report("--format", "json", "--service", "kds"))["totals"]["violations"]
                self.assertGreaterEqual(now, seen)
                seen = now
            self.assertEqual(writer.returncode, 0)
        self.assertGreater(seen, 0)
        self.assertEqual(json.loads(self.report("--format", "json"))["totals"]["violations"], 3000)


if __name__ == "__main__":
    unittest.main(verbosity=2)
