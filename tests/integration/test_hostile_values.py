# SPDX-License-Identifier: PostgreSQL
"""Names and error fields of every unlikely form are counted exactly, and nothing unprintable gets out."""
import json
import os
import re
import threading

from harness import leaks, machine, scripted, wire
from harness.case import Case, main
from harness.scripted import ScriptedServer
from harness.sluice import parse_logfmt

LONG = 10 << 10
HUGE = 1 << 20
# What names may hold: application names, and the fields of errors.
NAMES = {
    "control bytes": bytes(range(1, 32)) + b"\x7f",
    "terminal escapes": b"\x1b[2J\x1b]0;owned\x07\x1b[31mred\x9b5n",
    "quotes": b"'\"`\\'; drop table x; -- \" $$ {{7*7}} <script>alert(1)</script>",
    "logfmt": b"x level=error event=violation service=other\nlevel=error event=stopped",
    "json": b'","event":"stopped","x":"\\u0000',
    "csv": b'a,"b\r\nc",=cmd|calc!A1',
    "ten kilobytes": b"n" * LONG,
    "not utf-8": b"\xff\xfe\xc3(\xed\xa0\x80\xf8\x88",
    "cut utf-8": b"x" * 62 + "\u00fc\u00fc".encode(),
    "right to left": "\u202egnp.exe\u2066".encode(),
    "spaces": b"   ",
    "percent": b"%s%n%x%99999d",
    "sql wildcards": b"*?%_",
}
CODES = (b"", b"2", b"23", b"2350", b"235055", b"23505" * 1000, b"23\x1b[m", b"     ", b"\xff\xff\xff\xff\xff", b"23 05", b"2350\n",
         b"23abc", b"'''''")
UNPRINTABLE = re.compile(rb"[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]")


def error(*fields):
    """An ErrorResponse of these fields, which stand as they are given: letters and bytes."""
    return scripted.message("E", b"".join(letter.encode() + value + b"\0" for letter, value in fields) + b"\0")


def violation(code=b"23505", *more):
    return error(("S", b"ERROR"), ("V", b"ERROR"), ("C", code), ("M", b"no"), *more)


class HostileValues(Case):
    """The scripted server answers each Query with what the test says next."""

    FORMAT = "logfmt"

    @classmethod
    def setUpClass(cls):
        def script(peer):
            peer.log_in()
            while True:
                kind, _ = peer.read_message()
                if kind == "Q":
                    peer.send(cls.answer + scripted.READY)
                if kind == "X":
                    return

        cls.answer = b""
        cls.server = ScriptedServer(script)
        cls.addClassCleanup(cls.server.close)

    def setUp(self):
        self.sluice = self.new_sluice([f"127.0.0.1:{self.server.port}"], guard={"mode": "observe"}, audit={"file": "audit.jsonl"},
                                      log={"level": "debug", "format": self.FORMAT}, violations={"log_per_second": 100000})

    def ask(self, answer, text="insert into t values (1)", raw=None, **startup):
        """The errors that the client gets to see for what the server says."""
        type(self).answer = answer
        mine = raw or self.wire(**startup)
        errors = [body for kind, body in mine.ask(wire.query(text)) if kind == "E"]
        if raw is None:
            mine.close()
        return errors

    def assert_printable(self):
        """All that the program says can be shown on a terminal, and each line of the log is one."""
        said = leaks.console_says(self.sluice) + leaks.report_says(self.sluice)
        for name in ("log", "audit.jsonl"):
            with open(os.path.join(self.sluice.folder, name), "rb") as file:
                said += file.read()
        found = UNPRINTABLE.search(said)
        self.assertIsNone(found, found and said[max(found.start() - 300, 0):found.end() + 50])
        said.decode("utf-8")
        for line in self.sluice.log().splitlines():
            row = json.loads(line) if self.FORMAT == "json" else parse_logfmt(line)
            self.assertIn("event", row)
            self.assertNotEqual(row["event"], "stopped")

    def assert_counted(self, violations, errors):
        counters = self.sluice.counters()
        self.assertEqual((counters["violations"], counters["errors"]), (violations, errors))
        self.assertEqual(sum(int(row["count"]) for row in self.sluice.violations()), violations)
        self.assertIsNone(self.sluice.process.poll())

    def test_application_names_of_every_form_are_counted_and_printable(self):
        for name, value in NAMES.items():
            with self.subTest(name):
                sent = violation(b"23505", ("s", b"public"), ("t", b"t"), ("n", b"c"))
                self.assertEqual(len(self.ask(sent, application_name=value[:9000])), 1)
        self.assert_counted(len(NAMES), len(NAMES))
        self.assertGreater(len({row["service"] for row in self.sluice.violations()}), len(NAMES) // 2)
        self.assert_printable()

    def test_application_names_told_by_the_server_too(self):
        """As after SET application_name, within a session."""
        raw = self.wire(application_name="calm")
        for value in NAMES.values():
            status = scripted.message("S", wire.text("application_name") + wire.text(value))
            self.assertEqual(len(self.ask(status + violation(b"23514", ("t", b"t"), ("n", b"c")), raw=raw)), 1)
        self.assert_counted(len(NAMES), len(NAMES))
        self.assert_printable()

    def test_users_and_databases_of_every_form(self):
        for value in NAMES.values():
            self.ask(violation(b"23505", ("t", b"t"), ("n", b"c")), user=value[:4000], database=value[:4000])
        self.assert_counted(len(NAMES), len(NAMES))
        self.assert_printable()

    def test_sqlstates_of_every_form(self):
        """A client gets what the server sent; only codes of five characters are any."""
        for code in CODES:
            with self.subTest(code=code[:20]):
                sent = violation(code, ("n", b"c"))
                self.assertEqual(self.ask(sent), [sent[5:]])
        counters = self.sluice.counters()
        self.assertEqual(counters["errors"], len(CODES))
        self.assertGreaterEqual(counters["errors_without_sqlstate"], len(CODES) - 2)
        self.assertEqual(sum(int(row["count"]) for row in self.sluice.violations()), counters["violations"])
        for row in self.sluice.violations():
            self.assertRegex(row["sqlstate"], "^[0-9A-Za-z]{5}$")
        self.assert_printable()

    def test_fields_of_every_form(self):
        for value in NAMES.values():
            sent = violation(b"23505", *((letter, value) for letter in "stcdnDHWqFLR"))
            self.assertEqual(self.ask(sent), [sent[5:]])
        self.assert_counted(len(NAMES), len(NAMES))
        self.assert_printable()

    def test_fields_that_are_missing_or_there_twice(self):
        answers = (error(), error(("C", b"23505")), error(("M", b"only")), violation(b"23505"),
                   violation(b"23505", ("n", b"one"), ("n", b"two"), ("t", b"one"), ("t", b"two")),
                   violation(b"23505", *((letter, b"") for letter in "stcdn")),
                   violation(b"23505", ("C", b"23514"), ("C", b"42601")),
                   violation(b"23505", *(("n", b"%d" % number) for number in range(5000))),
                   violation(b"23505", *((chr(letter), b"odd") for letter in range(1, 128))))
        for sent in answers:
            with self.subTest(sent=sent[:60]):
                self.assertEqual(self.ask(sent), [sent[5:]])
        counters = self.sluice.counters()
        self.assertEqual(counters["errors"], len(answers))
        self.assertEqual(sum(int(row["count"]) for row in self.sluice.violations()), counters["violations"])
        self.assertGreaterEqual(counters["violations"], len(answers) - 3)
        self.assert_printable()

    def test_fields_of_a_megabyte(self):
        """Also in front of the fields that tell of the violation."""
        before = self.sluice.resident_kib()
        answers = [violation(b"23505", (letter, b"z" * HUGE)) for letter in "MDHWstcdn"]
        answers += [error(("S", b"ERROR"), ("M", b"z" * HUGE), ("D", b"Key (a)=(" + b"z" * HUGE), ("C", b"23505"),
                          ("n", b"behind"))]
        for sent in answers:
            self.assertEqual(self.ask(sent), [sent[5:]])
        counters = self.sluice.counters()
        self.assertEqual(counters["errors"], len(answers))
        self.assertGreaterEqual(counters["violations"], len(answers) - 2)
        self.assertEqual(sum(int(row["count"]) for row in self.sluice.violations()), counters["violations"])
        if not machine.is_sanitized():
            self.assertLess(self.sluice.resident_kib() - before, 16 << 10)
        self.assert_printable()

    def test_statements_of_every_form(self):
        """Their masked text is shown."""
        for value in NAMES.values():
            text = b'insert into "' + value + b'" values (1)'
            self.ask(violation(b"23505", ("t", b"t"), ("n", b"c")), text=text)
            text = b"/*route='" + value + b"',traceparent='" + value + b"'*/ select 1"
            self.ask(violation(b"23505", ("t", b"t"), ("n", b"c")), text=text)
        self.assert_counted(2 * len(NAMES), 2 * len(NAMES))
        self.assert_printable()

    def test_many_sessions_with_hostile_names_at_once(self):
        """A client without trouble in between is served and counted all the same."""
        type(self).answer = violation(b"23505", *((letter, NAMES["terminal escapes"]) for letter in "stcdn"))
        failures = []

        def session(number):
            try:
                with wire.Wire(("127.0.0.1", self.sluice.port)) as raw:
                    raw.login(application_name=list(NAMES.values())[number % len(NAMES)][:9000])
                    for _ in range(50):
                        raw.ask(wire.query(f"insert into t{number} values (1)"))
            except Exception as failure:
                failures.append(failure)

        threads = [threading.Thread(target=session, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assert_counted(1000, 1000)
        self.assert_printable()


class HostileValuesInJson(HostileValues):
    FORMAT = "json"


if __name__ == "__main__":
    main()
