# SPDX-License-Identifier: PostgreSQL
"""Every violation among many sessions is told under its own service, constraint and statement: none is wrong, none missing.

VIOLATIONS says how many there are (10000)."""
import glob
import json
import os
import re
from collections import Counter

import violation_load
from harness.case import Case, main
from harness.constraints import SETUP
from harness.postgres import Postgres
from harness.sluice import Sluice, parse_csv
from violation_load import Deed

VIOLATIONS = int(os.environ.get("VIOLATIONS", "10000"))
SESSIONS = 50
RULED = ("kds", "booking", "billing", "stock")  # services by rule, of several sessions; each other session is its own
CONSTRAINT = re.compile(r'constraint "([^"]*)"')


def session_of(number):
    if number % 2 == 0:
        return violation_load.Session(number, f"{RULED[number // 2 % 4]}-{number}", RULED[number // 2 % 4])
    return violation_load.Session(number, f"lone {number}", f"lone {number}")


class Exactness(Case):
    SETUP = SETUP
    settings = {"guard": {"mode": "enforce"}, "workers": 2, "violations": {"log_per_second": 100000, "entries": 20000},
                "statements": {"entries": 20000},
                "services": [{"name": name, "when": {"application_name": f"{name}-*"}} for name in RULED]}

    @classmethod
    def setUpClass(cls):
        cls.postgres = Postgres(logging_collector="on", log_destination="jsonlog", log_directory="errors", log_rotation_size="0")
        cls.addClassCleanup(cls.postgres.stop)
        cls.postgres.run(cls.SETUP)
        cls.sluice = Sluice(cls.postgres, **cls.settings)
        cls.addClassCleanup(cls.sluice.stop)
        cls.sessions = [session_of(number) for number in range(SESSIONS)]
        cls.done, cls.failures = violation_load.run_all(cls.sessions, cls.sluice.port, VIOLATIONS // SESSIONS)
        cls.total = sum(cls.done.values())

    def assert_same(self, told, done):
        """Names what differs only: the whole is long."""
        self.assertEqual((told - done, done - told), (Counter(), Counter()))

    def test_the_sessions_did_what_they_meant_to(self):
        self.assertEqual(self.failures, [])
        self.assertEqual(self.total, VIOLATIONS // SESSIONS * SESSIONS)
        self.assertGreater(len({deed.service for deed in self.done}), 4)

    def test_show_violations_tells_each_of_them(self):
        told = Counter()
        for row in self.sluice.violations():
            told[Deed(row["service"], row["sqlstate"], row["kind"], row["schema_name"], row["table_name"], row["column_name"],
                      row["constraint_name"], row["statement"])] += int(row["count"])
        self.assert_same(told, self.done)

    def test_the_log_tells_nothing_else_and_what_it_leaves_out_is_counted(self):
        told = self.wait_for(self.all_logged, "each violation is logged or its detail was dropped")
        self.assertEqual(told - self.done, Counter())
        self.assertGreater(sum(told.values()), 0)

    def all_logged(self):
        told = Counter(Deed(event["service"], event["sqlstate"], event["kind"], event.get("schema", ""), event.get("table", ""),
                            event.get("column", ""), event.get("constraint", ""), event.get("statement", ""))
                       for event in self.sluice.events("violation"))
        return told if sum(told.values()) + self.sluice.counter("events_dropped") >= self.total else None

    def test_the_history_counts_each_of_them(self):
        """What violation_counts has: no statement, but its fingerprint."""
        keys = "service, sqlstate, kind, schema_name, table_name, column_name, constraint_name"
        asked = self.sluice.console_psql(f"SELECT {keys}, sum(count) AS count FROM violation_counts GROUP BY {keys}", "--csv")
        self.assertEqual(asked.returncode, 0, asked.stderr)
        told, done = Counter(), Counter()
        for row in parse_csv(asked.stdout):
            told[tuple(row[key] for key in keys.split(", "))] += int(row["count"])
        for deed, count in self.done.items():
            done[tuple(deed)[:-1]] += count
        self.assert_same(told, done)

    def test_show_stats_counts_all_of_them(self):
        counters = self.sluice.counters()
        self.assertEqual(counters["violations"], self.total)
        self.assertEqual(counters["unfollowed"], 0)

    def test_show_errors_has_each_of_them_and_each_other_error(self):
        told, done = Counter(), Counter()
        for row in self.sluice.console("SHOW ERRORS LIMIT 100000"):
            told[row["service"], row["sqlstate"]] += int(row["count"])
        for session in self.sessions:
            for code, count in session.codes.items():
                done[session.service, code] += count
        self.assert_same(told, done)

    def test_show_statements_has_each_answer(self):
        """Calls, errors and rows as the clients counted them; what fails at a Sync is no call of a statement."""
        told, done = Counter(), Counter()
        for row in self.sluice.console("SHOW STATEMENTS LIMIT 100000"):
            for what in ("calls", "errors", "row_count"):
                told[row["service"], what] += int(row[what])
        for session in self.sessions:
            for what, count in session.answers.items():
                done[session.service, what] += count
        self.assert_same(told, done)

    def test_all_that_counts_errors_counts_as_many(self):
        errors = self.sluice.counter("errors")
        self.assertEqual(errors, sum(sum(session.codes.values()) for session in self.sessions))
        for question, column in (("SHOW ERRORS LIMIT 100000", "count"), ("SHOW FAMILIES", "count"),
                                 ("SELECT sum(count) AS count FROM error_counts", "count")):
            self.assertEqual(sum(int(row[column]) for row in self.sluice.console(question)), errors, question)
        kept = self.sluice.console("SELECT sum(calls) AS calls, sum(errors) AS errors, sum(row_count) AS row_count "
                                   "FROM statement_minutes")[0]
        for what, count in kept.items():
            self.assertEqual(int(count), sum(session.answers[what] for session in self.sessions), what)

    def test_the_servers_own_log_has_the_same_counts(self):
        """By SQLSTATE, constraint and application; the server's log names the constraint in its message only."""
        self.assertEqual(self.log_of_server(), self.counted_by(
            lambda session, deed: (deed.sqlstate, deed.constraint, session.application)))

    def test_the_servers_own_log_has_the_counts_of_show_violations(self):
        service_of = {session.application: session.service for session in self.sessions}
        logged, shown = Counter(), Counter()
        for (sqlstate, constraint, application), count in self.log_of_server().items():
            logged[sqlstate, constraint, service_of[application]] += count
        for row in self.sluice.violations():
            shown[row["sqlstate"], row["constraint_name"], row["service"]] += int(row["count"])
        self.assertEqual(shown, logged)

    def counted_by(self, key):
        counts = Counter()
        for session in self.sessions:
            for deed, count in session.deeds.items():
                counts[key(session, deed)] += count
        return counts

    def log_of_server(self):
        counts = Counter()
        for path in glob.glob(os.path.join(self.postgres.data, "errors", "*.json")):
            with open(path, encoding="utf-8") as lines:
                for line in lines:
                    row = json.loads(line)
                    code = row.get("state_code", "")
                    if row["error_severity"] == "ERROR" and (code[:2] == "23" or code == "44000") and "application_name" in row:
                        found = CONSTRAINT.search(row["message"])
                        counts[code, found.group(1) if found else "", row["application_name"]] += 1
        return counts


if __name__ == "__main__":
    main()
