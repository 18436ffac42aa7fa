# SPDX-License-Identifier: PostgreSQL
"""One statement of 500 MiB streams through the guard: it runs as directly, or is refused for its last words, and the
sluice needs next to no memory for it."""
import os
import re
import shutil
import struct
import threading
import time

from harness import machine, wire
from harness.case import REFUSED, Case, main
from harness.postgres import Postgres
from harness.sluice import Sluice

SIZE = int(os.environ.get("STATEMENT_MIB", "500")) << 20
ROW_SIZE = 100_000  # bytes of one row's value
ROWS_IN_PIECE = 10
EXTRA_MOST_KIB = 1 << 10
ROOM_NEEDED = 4 << 30  # bytes of memory and in /tmp: the server holds such a text several times
SETUP = "create table big (line text); alter table big alter line set storage external; create table kept (note text)"
HEAD = struct.Struct("!ci")


def available_bytes():
    with open("/proc/meminfo", encoding="ascii") as info:
        return int(re.search(r"MemAvailable: +(\d+)", info.read()).group(1)) << 10


def texts(*parts):
    """Pieces of a statement as bytes; a pair is a piece and how often it comes."""
    for part in parts:
        piece, count = part if isinstance(part, tuple) else (part, 1)
        for _ in range(count):
            yield piece.encode()


def size_of(*parts):
    return sum(len(part[0]) * part[1] if isinstance(part, tuple) else len(part) for part in parts)


def send_text(raw, kind, *parts):
    """A Query, or a Parse of the unnamed statement, of which no more than a piece is ever in memory."""
    before, behind = (b"\0", struct.pack("!h", 0)) if kind == "P" else (b"", b"")
    raw.send(HEAD.pack(kind.encode(), 4 + len(before) + size_of(*parts) + 1 + len(behind)), before)
    for piece in texts(*parts):
        raw.send(piece)
    raw.send(b"\0", behind)


def pieces_of(size):
    """How many make SIZE or a little more."""
    return -(-SIZE // size)


def rows(tail):
    """An INSERT of SIZE bytes in rows of words that are no schema change there, and a tail."""
    line = ("drop table kept; " * (ROW_SIZE // 17 + 1))[:ROW_SIZE]
    row = f"('{line}')"
    count = pieces_of((len(row) + 2) * ROWS_IN_PIECE)
    piece = f"{row},\n" * ROWS_IN_PIECE
    return count * ROWS_IN_PIECE + 1, ["insert into big values ", (piece, count), row, tail]


def literal():
    """A SELECT of the length of one string of SIZE bytes."""
    piece = "x; drop table kept; " * 50_000
    count = pieces_of(len(piece))
    return len(piece) * count, ["select length('", (piece, count), "')"]


class Watch:
    """What memory a process has while something goes on: the most that the kernel saw, and that samples show. Of the
    proportional size only what is no file counts: that of files changes as others that use them come and go."""

    def __init__(self, pid):
        self.pid = pid
        self.seen = {"Rss": 0, "Pss_Anon": 0}
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self._sample)

    def read(self, file):
        with open(f"/proc/{self.pid}/{file}", encoding="ascii") as text:
            return {name: int(kib) for name, kib in re.findall(r"^(\w+):\s+(\d+) kB", text.read(), re.MULTILINE)}

    def _sample(self):
        while not self.is_over.is_set():
            rollup = self.read("smaps_rollup")
            self.seen = {name: max(most, rollup[name]) for name, most in self.seen.items()}
            time.sleep(0.05)

    def __enter__(self):
        with open(f"/proc/{self.pid}/clear_refs", "w", encoding="ascii") as peak:
            peak.write("5")  # the peak begins anew
        self.before = {**self.read("smaps_rollup"), **self.read("status")}
        self.begin = time.monotonic()
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()
        self.seconds = time.monotonic() - self.begin
        self.extra = {name: most - self.before[name] for name, most in self.seen.items()}
        self.extra["peak"] = self.read("status")["VmHWM"] - self.before["VmRSS"]

    def told(self):
        return (f"{self.seconds:.1f} s, before {self.before['Rss']} KiB resident ({self.before['Pss_Anon']} KiB its own), "
                f"more at most {self.extra['Rss']} KiB ({self.extra['Pss_Anon']} KiB), by the kernel's peak {self.extra['peak']} KiB")


class HalfGigabyte(Case):
    settings = {"guard": {"mode": "enforce"}}

    @classmethod
    def setUpClass(cls):
        if min(available_bytes(), shutil.disk_usage("/tmp").free) < ROOM_NEEDED:
            machine.skip("not enough memory, or room in /tmp")
        cls.postgres = Postgres(max_wal_size="256MB", min_wal_size="80MB", synchronous_commit="off", wal_level="minimal",
                                max_wal_senders="0")
        cls.addClassCleanup(shutil.rmtree, cls.postgres.folder, ignore_errors=True)
        cls.addClassCleanup(cls.postgres.stop)
        cls.postgres.run(SETUP)
        cls.sluice = Sluice(cls.postgres, **cls.settings)
        cls.addClassCleanup(cls.sluice.stop)

    def setUp(self):
        self.postgres.run("truncate big")
        self.before = self.postgres.catalog()
        self.raw = wire.Wire(("127.0.0.1", self.sluice.port), 300)
        self.addCleanup(self.raw.close)
        self.raw.login()
        self.raw.ask(wire.query("select 1"))

    def tearDown(self):
        self.assertEqual(self.postgres.catalog(), self.before)
        counters = self.sluice.counters()
        for name in ("unfollowed", "protocol_errors_client", "protocol_errors_server", "ddl_unseen", "ddl_passed"):
            self.assertEqual(counters[name], 0, name)

    def answer(self, kind, parts):
        """What the server says to a statement, with the sluice's memory watched meanwhile."""
        carried = self.sluice.counter("bytes_from_clients")
        with Watch(self.sluice.process.pid) as watch:
            send_text(self.raw, kind, *parts)
            if kind == "P":
                self.raw.send(wire.bind(), wire.execute(), wire.sync())
            messages = self.raw.until("Z")
        print(f"        {size_of(*parts) >> 20} MiB in {watch.told()}", flush=True)
        self.assertGreaterEqual(self.sluice.counter("bytes_from_clients") - carried, size_of(*parts))
        if not machine.is_sanitized():
            for name, extra in watch.extra.items():
                self.assertLess(extra, EXTRA_MOST_KIB, name)
        return messages

    def assert_inserted(self, kind):
        count, parts = rows("")
        messages = self.answer(kind, parts)
        self.assertEqual(wire.errors(messages), [])
        self.assertIn(("C", b"INSERT 0 %d\0" % count), messages)
        self.assertEqual(self.postgres.run("select count(*), min(length(line)), count(distinct md5(line)) from big"),
                         [(count, ROW_SIZE, 1)])

    def assert_refused(self, kind, parts):
        messages = self.answer(kind, parts)
        self.assertEqual(wire.kinds(messages), "EZ")
        error = wire.errors(messages)[0]
        self.assertEqual((error["C"], error.get("R")), (REFUSED, "pgsluice_guard"))
        self.assertEqual(messages[-1], ("Z", b"I"))
        self.assertEqual(self.postgres.run("select count(*) from big"), [(0,)])
        self.assertEqual(wire.rows(self.raw.ask(wire.query("select 'goes on'"))), [["goes on"]])

    def test_rows_by_query_arrive(self):
        self.assert_inserted("Q")

    def test_rows_by_parse_arrive(self):
        self.assert_inserted("P")

    def test_a_string_by_query_arrives(self):
        length, parts = literal()
        self.assertEqual(wire.rows(self.answer("Q", parts)), [[str(length)]])

    def test_a_change_behind_rows_is_refused(self):
        self.assert_refused("Q", rows("; drop table kept")[1])

    def test_a_change_behind_a_comment_is_refused_in_parse(self):
        piece = "drop table kept; " * 50_000
        self.assert_refused("P", ["/*", (piece, pieces_of(len(piece))), "*/ drop table kept"])


if __name__ == "__main__":
    main()
