# SPDX-License-Identifier: PostgreSQL
"""However many texts and constraints there are, the memory is what the settings allow, and the counts add up.

TEXTS says how many texts of different shapes there are (1000000), a hundredth of them violations of constraints of
different names. bench/README.md says how the bound is reckoned."""
import os
import struct
import threading

from harness import machine, scripted, wire
from harness.case import Case, main
from harness.scripted import ScriptedServer
from harness.sluice import Sluice

TEXTS = int(os.environ.get("TEXTS", "1000000"))
CONSTRAINTS = TEXTS // 100
BATCH = 500
# Bytes of one entry, and how much more the tables need in which they are found and the allocator.
VIOLATION, ERROR, STATEMENT, OVERHEAD = 1608, 904, 1864, 1.25
FIXED = 24 << 20  # rings of events, buffers, what the first sessions need once
DONE = scripted.message("C", wire.text("SELECT 1")) + scripted.READY


def answer(text):
    """Of a text that names a constraint, its violation."""
    at = text.find(b"constraint_")
    if at < 0:
        return DONE
    name = text[at:].split(b" ")[0]
    return scripted.message("E", b"SERROR\0VERROR\0C23514\0Mviolated\0spublic\0tmade\0n" + name + b"\0\0") + scripted.READY


def serve(peer):
    """Answers Queries as they come, many at once."""
    peer.log_in()
    kept = b""
    while more := peer.socket.recv(1 << 18):
        data, at, said = kept + more, 0, []
        while at + 5 <= len(data):
            (size,) = struct.unpack_from("!i", data, at + 1)
            if at + 1 + size > len(data):
                break
            if data[at:at + 1] == b"Q":
                said.append(answer(data[at + 5:at + size]))
            at += 1 + size
        kept = data[at:]
        peer.send(b"".join(said))


class Memory(Case):
    WORKERS = 2
    TEXTS_KEPT = 8 << 20
    settings = {"guard": {"mode": "enforce"}, "workers": WORKERS, "violations": {"entries": 1000}, "statements": {"entries": 1000},
                "limits": {"statement_memory": f"{TEXTS_KEPT >> 20}MiB"}}

    @classmethod
    def setUpClass(cls):
        if machine.is_sanitized():
            machine.skip("the memory of a sanitized program says nothing")
        cls.server = ScriptedServer(serve)
        cls.addClassCleanup(cls.server.close)
        cls.sluice = Sluice([f"127.0.0.1:{cls.server.port}"], **cls.settings)
        cls.addClassCleanup(cls.sluice.stop)
        cls.work(range(1000))
        cls.before = cls.sluice.resident_kib()
        cls.failures = []
        threads = [threading.Thread(target=cls.part, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        cls.after = cls.sluice.resident_kib()

    @classmethod
    def part(cls, number):
        try:
            cls.work(range(1000 + number, TEXTS, 4))
        except Exception as failure:  # told by the test
            cls.failures.append(failure)

    @classmethod
    def work(cls, numbers):
        with wire.Wire(("127.0.0.1", cls.sluice.port), timeout=120) as raw:
            raw.login(application_name=f"part {numbers.start}")
            for first in range(0, len(numbers), BATCH):
                texts = [cls.text(number) for number in numbers[first:first + BATCH]]
                raw.send(*(wire.query(text) for text in texts))
                raw.until("Z", len(texts))

    @staticmethod
    def text(number):
        """One for each number, told apart by names, not by values; 99 of 100 violate nothing."""
        if number % 100 == 0:
            return f"insert into constraint_{number // 100} values (7)"
        return f"select column_{number} as c{number}, 7 from table_{number % 977} where key_{number} = 'x'"

    def bound(self):
        """In bytes: each worker may have three sets of entries, one being filled and two on their way, and there is one of all;
        of statements, also one of the minute."""
        sets = 1 + 3 * self.WORKERS
        entries = (sets * self.settings["violations"]["entries"] * (VIOLATION + ERROR)
                   + (sets + 1) * self.settings["statements"]["entries"] * STATEMENT)
        return int(entries * OVERHEAD) + self.WORKERS * self.TEXTS_KEPT + FIXED

    def test_every_text_was_answered(self):
        self.assertEqual(self.failures, [])
        self.assertEqual(self.sluice.counter("queries"), TEXTS)

    def test_memory_stays_within_what_the_settings_allow(self):
        grown = (self.after - self.before) << 10
        print(f"        {grown / 1e6:.1f} MB grown, {self.bound() / 1e6:.1f} MB allowed, {self.after / 1e3:.1f} MB in all")
        self.assertLess(grown, self.bound())

    def test_violations_add_up(self):
        rows = self.sluice.violations()
        self.assertLessEqual(len(rows), self.settings["violations"]["entries"] + 1)
        self.assertEqual([row["kind"] for row in rows].count("other"), 1)
        self.assertEqual(sum(int(row["count"]) for row in rows), CONSTRAINTS)
        self.assertEqual(self.sluice.counter("violations"), CONSTRAINTS)

    def test_calls_of_statements_add_up(self):
        rows = self.sluice.console("SHOW STATEMENTS LIMIT 100000")
        self.assertLessEqual(len(rows), self.settings["statements"]["entries"] + 1)
        self.assertEqual(sum(int(row["calls"]) for row in rows), TEXTS)


if __name__ == "__main__":
    main()
