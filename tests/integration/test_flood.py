# SPDX-License-Identifier: PostgreSQL
"""More violations than the log can take: counts stay exact, and the details that are left out are counted.

VIOLATIONS says how many there are (100000)."""
import os
import selectors
import socket
import struct
import threading
from collections import Counter

from harness import wire
from harness.case import Case, main
from harness.sluice import Sluice

VIOLATIONS = int(os.environ.get("VIOLATIONS", "100000"))
SESSIONS = 64
BATCH = 100
SERVICES = 8
SETUP = """
drop schema if exists flood cascade;
create schema flood;
create table flood.strict (id int not null, state text constraint strict_state check (state in ('new', 'done')));
create domain flood.positive as int constraint positive_value check (value > 0);
"""
ACTS = (("insert into flood.strict values (1, 'old')", "23514", "strict_state"),
        ("insert into flood.strict values (null, 'new')", "23502", ""),
        ("select 0::flood.positive", "23514", "positive_value"))


class Pump:
    """One session that keeps a batch of violations under way until it has had all of its own."""

    def __init__(self, port, number, violations):
        self.act = ACTS[number % len(ACTS)]
        self.service = f"flood {number % SERVICES}"
        self.raw = wire.Wire(("127.0.0.1", port), timeout=120)
        self.raw.login(application_name=self.service)
        self.raw.send(wire.parse(self.act[0], "s"), wire.sync())
        self.raw.until("Z")
        one = wire.query(self.act[0]) if number % 2 else wire.bind("", "s") + wire.execute() + wire.sync()
        self.one, self.left, self.awaited = one, violations, 0
        self.kept, self.codes = b"", Counter()

    def send(self):
        self.awaited = min(BATCH, self.left)
        self.left -= self.awaited
        self.raw.socket.sendall(self.one * self.awaited)

    def receive(self):
        """Takes what has come; whether the session is done."""
        data = self.kept + self.raw.socket.recv(1 << 18)
        at = 0
        while at + 5 <= len(data):
            (size,) = struct.unpack_from("!i", data, at + 1)
            if at + 1 + size > len(data):
                break
            if data[at:at + 1] == b"E":
                code = data.index(b"\0C", at) + 2
                self.codes[data[code:code + 5].decode()] += 1
            elif data[at:at + 1] == b"Z":
                self.awaited -= 1
            at += 1 + size
        self.kept = data[at:]
        if self.awaited == 0 and self.left > 0:
            self.send()
        return self.awaited == 0


def flood(pumps):
    """Runs all sessions to their end."""
    selector = selectors.DefaultSelector()
    for pump in pumps:
        selector.register(pump.raw.socket, selectors.EVENT_READ, pump)
        pump.send()
    left = len(pumps)
    while left > 0:
        for key, _ in selector.select(60):
            if key.data.receive():
                selector.unregister(key.fileobj)
                left -= 1


class SlowLog(Sluice):
    """Logs to a pipe, of which the reader stops for as long as it is told to."""

    def __init__(self, upstream, **settings):
        super().__init__(upstream, start=False, **settings)
        path = os.path.join(self.folder, "pipe")
        os.mkfifo(path)
        self.settings["log"] = {"level": "info", "file": path}
        self.write()
        self.lines, self.may_read = [], threading.Event()
        self.may_read.set()
        self.reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self.writer = os.open(path, os.O_WRONLY)  # so that the reader sees no end
        os.set_blocking(self.reader, True)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        with os.fdopen(self.reader, encoding="utf-8", errors="replace") as pipe:
            for line in pipe:
                self.lines.append(line)
                self.may_read.wait()

    def log(self):
        return super().log() + "".join(list(self.lines))


class Flood(Case):
    SETUP = SETUP
    LOGGED = 100000  # a second
    settings = {"guard": {"mode": "enforce"}, "violations": {"log_per_second": LOGGED}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sluice.stop()
        cls.sluice = SlowLog(cls.postgres, **cls.settings)
        cls.addClassCleanup(cls.sluice.stop)
        cls.sluice.start()
        cls.pumps = [Pump(cls.sluice.port, number, cls.share(number)) for number in range(SESSIONS)]
        cls.addClassCleanup(lambda: [pump.raw.close() for pump in cls.pumps])
        cls.before = cls.sluice.counters()
        cls.run_flood()
        cls.counters = cls.sluice.counters()

    @staticmethod
    def share(number):
        return VIOLATIONS // SESSIONS + (number < VIOLATIONS % SESSIONS)

    @classmethod
    def run_flood(cls):
        """The log's reader sleeps meanwhile, so that the control thread comes to stand still."""
        cls.sluice.may_read.clear()
        try:
            flood(cls.pumps)
        finally:
            cls.sluice.may_read.set()

    def since(self, counter):
        return self.counters[counter] - self.before[counter]

    def logged(self):
        return self.sluice.events("violation")

    def not_logged(self):
        return sum(int(event["count"]) for event in self.sluice.events("violations_not_logged"))

    def is_all_told(self):
        return len(self.logged()) + self.not_logged() + self.sluice.counter("events_dropped") >= VIOLATIONS

    def test_every_session_got_its_own_errors(self):
        for number, pump in enumerate(self.pumps):
            self.assertEqual(pump.codes, {pump.act[1]: self.share(number)})

    def test_counts_are_exact(self):
        done, told = Counter(), Counter()
        for pump in self.pumps:
            done[pump.service, pump.act[1], pump.act[2]] += sum(pump.codes.values())
        for row in self.sluice.violations():
            told[row["service"], row["sqlstate"], row["constraint_name"]] += int(row["count"])
        self.assertEqual(told, done)
        self.assertEqual((self.since("violations"), self.since("errors")), (VIOLATIONS, VIOLATIONS))

    def test_the_history_counts_the_same(self):
        for table in ("violation_counts", "error_counts"):
            asked = self.sluice.console_psql(f"SELECT sum(count) FROM {table}", "-At")
            self.assertEqual((asked.stdout.strip(), asked.stderr), (str(VIOLATIONS), ""), table)

    def test_the_statements_and_errors_shown_add_up(self):
        shown = self.sluice.console("SHOW STATEMENTS LIMIT 100000")
        errors = self.sluice.console("SHOW ERRORS LIMIT 100000")
        self.assertEqual(sum(int(row["errors"]) for row in shown), VIOLATIONS)
        self.assertEqual(sum(int(row["count"]) for row in errors), VIOLATIONS)

    def test_details_were_dropped_and_what_was_logged_adds_up(self):
        """Only violations happen between the two counts of what was dropped."""
        self.assertEqual(self.before["events_dropped"], 0)
        self.assertGreater(self.since("events_dropped"), 0)
        self.wait_for(self.is_all_told, "the log has caught up")
        self.assertEqual(len(self.logged()) + self.not_logged() + self.sluice.counter("events_dropped"), VIOLATIONS)
        self.assertGreater(len(self.logged()), 0)

    def test_what_is_logged_is_true(self):
        true = {(pump.service, *pump.act[1:]) for pump in self.pumps}
        for event in self.logged():
            self.assertIn((event["service"], event["sqlstate"], event.get("constraint", "")), true)


class FloodAboveTheRate(Flood):
    """The same where few violations a second may be logged, and the log is read all the while."""

    LOGGED = 50
    settings = {"guard": {"mode": "enforce"}, "violations": {"log_per_second": LOGGED}}

    @classmethod
    def run_flood(cls):
        flood(cls.pumps)

    def test_details_were_dropped_and_what_was_logged_adds_up(self):
        """Some only because of the rate, others because the control thread was behind."""
        self.wait_for(self.is_all_told, "the log has caught up")
        self.assertEqual(len(self.logged()) + self.not_logged() + self.sluice.counter("events_dropped"), VIOLATIONS)
        self.assertGreater(self.not_logged(), 0)

    def test_the_log_keeps_to_its_rate(self):
        """A line has the time of its violation, the rate counts when it is written: it may be the next second's."""
        seconds = Counter(event["time"][:19] for event in self.logged())
        left_out = Counter(event["second"][:19] for event in self.sluice.events("violations_not_logged"))
        self.assertLessEqual(max(seconds.values()), 2 * self.LOGGED)
        self.assertEqual(set(left_out.values()), {1})
        self.assertLessEqual(len(self.logged()), self.LOGGED * (len(left_out) + 1))
        self.assertGreaterEqual(len(self.logged()), self.LOGGED * len(left_out))


if __name__ == "__main__":
    main()
