# SPDX-License-Identifier: PostgreSQL
"""How sessions' bytes move: by io_uring where it can be had and pays, by epoll where not, and who is told."""
import contextlib
import ctypes
import os
import platform
import re
import struct
import subprocess
import sys
import time

from harness import machine, stopped, wire
from harness.case import Case, main
from harness.sluice import Sluice
from harness.wire import Wire

# Runs a program for which the kernel refuses io_uring_setup with EPERM, as a container's seccomp filter does.
WITHOUT_URING = """
import ctypes, os, struct, sys
# load the call's number; unless it is 425, pass it; else EPERM
code = b"".join(struct.pack("HBBI", *step) for step in ((0x20, 0, 0, 0), (0x15, 0, 1, 425), (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7fff0000)))
filters = ctypes.create_string_buffer(code)
program = struct.pack("HxxxxxxQ", 4, ctypes.addressof(filters))
libc = ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, program) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""


SCHED_GETATTR = {"x86_64": 315, "aarch64": 275}.get(platform.machine())
ATTRIBUTES = "IIQiIQQQ"  # size, policy, flags, nice, priority, runtime, deadline, period


def heeds_slices():
    release = tuple(int(part) for part in re.findall(r"\d+", platform.release())[:2])
    return SCHED_GETATTR is not None and release >= (6, 12)


def scheduling_of(thread):
    """Its policy, how nice it is, and how long the scheduler lets it run at a stretch, in ms."""
    attributes = ctypes.create_string_buffer(struct.calcsize(ATTRIBUTES))
    assert machine.LIBC.syscall(SCHED_GETATTR, thread, attributes, len(attributes), 0) == 0
    _, policy, _, nice, _, runtime, _, _ = struct.unpack(ATTRIBUTES, attributes.raw)
    return policy, nice, runtime / 1e6


@contextlib.contextmanager
def crowd_at(case, sluice):
    """Many clients, so that several things come at a time."""
    script = os.path.join(sluice.folder, "crowd.sql")
    with open(script, "w", encoding="ascii") as text:
        text.write("select 1;")
    load = machine.spawn(["pgbench", "-n", "-h", "127.0.0.1", "-p", str(sluice.port), "-U", "postgres", "-c", "48", "-j", "4", "-T",
                          "60", "-f", script, "postgres"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
        case.assertIsNone(load.poll(), "it went on until now")
    finally:
        load.kill()
        load.wait()


class Deprived(Sluice):
    wrapper = (sys.executable, "-c", WITHOUT_URING)


class Nice(Sluice):
    wrapper = ("nice", "-n", "5")


class Batch(Sluice):
    wrapper = ("chrt", "--batch", "0")


class Entering(Case):
    def enters(self, sluice=None):
        raw = Wire(("127.0.0.1", (sluice or self.sluice).port))
        self.addCleanup(raw.close)
        raw.send(wire.startup("postgres"))
        self.assertEqual(wire.errors(raw.until("Z")), [])
        return raw


class Lanes(Entering):
    def started(self, sluice):
        return re.search(r" event=started .*", sluice.log()).group()

    def new_deprived(self, **settings):
        sluice = Deprived(self.postgres, **settings)
        self.addCleanup(sluice.stop)
        return sluice

    def test_it_is_io_uring_where_that_can_be_had(self):
        if not machine.has_uring():
            self.skipTest("io_uring cannot be had here")
        for io in ("auto", "uring"):
            sluice = self.new_sluice(io=io)
            self.assertRegex(self.started(sluice), rf" io={io}$")
            self.assertEqual({row["io"] for row in sluice.console("SHOW WORKERS")}, {io})

    def test_it_is_libuv_where_that_is_asked_for(self):
        sluice = self.new_sluice(io="uv")
        self.assertRegex(self.started(sluice), r" io=uv$")
        self.assertEqual({row["io"] for row in sluice.console("SHOW WORKERS")}, {"uv"})

    def test_where_io_uring_is_forbidden_libuv_does_it_and_the_log_says_why(self):
        sluice = self.new_deprived(io="auto")
        self.assertRegex(self.started(sluice), r' io=uv reason="io_uring is not allowed here .*"$')
        self.assertEqual(wire.rows(self.enters(sluice).ask(wire.query("select 1"))), [["1"]])

    def test_where_io_uring_is_forbidden_and_must_be_it_does_not_start(self):
        sluice = Deprived(self.postgres, start=False, io="uring")
        sluice.launch()
        self.assertEqual(sluice.process.wait(20), 1)
        self.assertIn("io is uring, but io_uring is not allowed here", sluice.log())
        sluice.process = None


class Slices(Case):
    def setUp(self):
        if not heeds_slices():
            self.skipTest("this kernel does not heed what slice a thread asks for")

    def begin(self, kind=Sluice, **settings):
        sluice = kind(self.postgres, **settings)
        self.addCleanup(sluice.stop)
        self.wait_for(lambda: "worker 0" in stopped.threads(sluice.process.pid), "the worker runs")
        self.assertEqual(self.run_sql("select 1", port=sluice.port), [(1,)])
        return sluice

    def scheduling(self, sluice):
        """That of the first worker, and that of the control thread."""
        return scheduling_of(stopped.threads(sluice.process.pid)["worker 0"]), scheduling_of(sluice.process.pid)

    def expect(self, sluice, slice_ms):
        """None: the usual one."""
        usual = scheduling_of(sluice.process.pid)[2]
        self.assertNotEqual(usual, slice_ms)
        self.wait_for(lambda: self.scheduling(sluice)[0][2] == (slice_ms or usual), f"{slice_ms} ms at a stretch")

    def expect_when_busy(self, busy_ms, kind=Sluice, **settings):
        """The usual one while one thing comes at a time, and this one while several do."""
        sluice = self.begin(kind, **settings)
        self.expect(sluice, None)
        with crowd_at(self, sluice):
            time.sleep(0 if busy_ms else 1)
            self.expect(sluice, busy_ms)
            worker, control = self.scheduling(sluice)
            self.assertEqual((control[2], worker[:2]), (scheduling_of(os.getpid())[2], control[:2]))
        with contextlib.closing(self.connect(port=sluice.port)) as connection, connection.cursor() as cursor:
            for _ in range(600):  # one at a time
                cursor.execute("select 1")
        self.expect(sluice, None)

    def test_a_worker_with_io_uring_asks_for_long_slices_while_it_is_busy(self):
        if not machine.has_uring():
            self.skipTest("io_uring cannot be had here")
        self.expect_when_busy(10, io="uring")
        self.expect_when_busy(20, io="uring", worker_slice="20ms")
        self.expect_when_busy(None, io="uring", worker_slice="0s")
        self.expect_when_busy(10, io="auto")

    def test_one_with_libuv_has_the_usual_ones_then(self):
        self.expect_when_busy(None, io="uv")

    def test_what_an_operator_gave_it_stays(self):
        if not machine.has_uring():
            self.skipTest("io_uring cannot be had here")
        self.expect_when_busy(10, kind=Nice, io="uring")
        sluice = self.begin(Batch, io="uring")
        with crowd_at(self, sluice):
            time.sleep(1)
            own, usual = self.scheduling(sluice)
            self.assertEqual(own[0], os.SCHED_BATCH)
            self.assertEqual(own, usual)


class Changes(Entering):
    """With io: auto a session's sockets are a ring's while many things come at a time, else those of a set of sockets."""

    def setUp(self):
        if not machine.has_uring():
            self.skipTest("io_uring cannot be had here")

    @staticmethod
    def watched(sluice):
        """Sockets that the sets of its threads wait for: those of a ring are none of them."""
        folder = f"/proc/{sluice.process.pid}"
        watched = set()
        for number in os.listdir(f"{folder}/fdinfo"):
            with contextlib.suppress(FileNotFoundError), open(f"{folder}/fdinfo/{number}", encoding="ascii") as info:
                watched |= {int(line.split()[1]) for line in info if line.startswith("tfd:")}
        return watched & Changes.sockets(sluice)

    @staticmethod
    def sockets(sluice):
        folder = f"/proc/{sluice.process.pid}/fd"
        sockets = set()
        for number in os.listdir(folder):
            with contextlib.suppress(FileNotFoundError):
                sockets |= {int(number)} if os.readlink(f"{folder}/{number}").startswith("socket:") else set()
        return sockets

    def ask(self, raw, number):
        self.assertEqual(wire.rows(raw.ask(wire.query(f"select {number}"))), [[str(number)]])

    def test_sessions_go_to_the_ring_and_come_back(self):
        sluice = self.new_sluice(io="auto", workers=1)
        resting, speaking = self.enters(sluice), self.enters(sluice)
        alone = len(self.watched(sluice))
        with crowd_at(self, sluice):
            self.wait_for(lambda: len(self.sockets(sluice)) > 90, "the crowd is there")
            self.wait_for(lambda: len(self.watched(sluice)) <= alone + 10, "nearly all of them are the ring's")
            self.wait_for(lambda: self.ask(speaking, 1) or len(self.watched(sluice)) < alone, "and what speaks is the ring's, too")
        for number in range(600):  # one at a time
            self.ask(speaking, number)
        self.wait_for(lambda: len(self.watched(sluice)) == alone, "all are back")
        self.ask(resting, 1)

    def test_a_session_that_stays_with_the_ring_while_it_is_silent_is_heard(self):
        sluice = self.new_sluice(io="auto", workers=1)
        speaking, silent = self.enters(sluice), self.enters(sluice)
        alone, sockets = len(self.watched(sluice)), len(self.sockets(sluice))
        with crowd_at(self, sluice):
            self.wait_for(lambda: self.ask(silent, 1) or len(self.watched(sluice)) <= alone - 2, "it is the ring's")
        self.wait_for(lambda: len(self.sockets(sluice)) == sockets, "the crowd is gone")
        for number in range(600):
            self.ask(speaking, number)
        self.assertEqual(len(self.watched(sluice)), alone - 2, "what speaks is back, what is silent is not")
        silent.send(wire.query("select 2"))
        self.assertEqual(wire.rows(silent.until("Z")), [["2"]])
        self.ask(silent, 3)
        self.wait_for(lambda: len(self.watched(sluice)) == alone, "it is back")

    def test_with_uring_all_are_the_rings_and_with_uv_none(self):
        ring, uv = self.new_sluice(io="uring", workers=1), self.new_sluice(io="uv", workers=1)
        before = len(self.watched(ring)), len(self.watched(uv))
        for sluice in (ring, uv):
            self.ask(self.enters(sluice), 1)
        self.assertEqual((len(self.watched(ring)), len(self.watched(uv))), (before[0], before[1] + 2))


class Crowd(Entering):
    def test_many_who_speak_at_once_are_all_answered(self):
        """More than the ring has blocks for, so that receives end and are asked for anew."""
        raws = [self.enters() for _ in range(50)]
        for _ in range(20):
            for raw in raws:
                raw.send(wire.query("select repeat('x', 3000)") * 3)
            for raw in raws:
                for _ in range(3):
                    self.assertEqual(wire.rows(raw.until("Z")), [["x" * 3000]])

    def test_rows_that_nobody_reads_are_held_up_and_arrive_whole(self):
        raw = self.enters()
        raw.send(wire.query("select repeat(n::text, 1000) from generate_series(100000, 102999) n"))
        time.sleep(1)
        rows = wire.rows(raw.until("Z"))
        self.assertEqual([row[0][:6] for row in rows], [str(n) for n in range(100000, 103000)])


if __name__ == "__main__":
    main()
