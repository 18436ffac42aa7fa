# SPDX-License-Identifier: PostgreSQL
"""Connections spread evenly over the workers, and go to the others while one stands still."""
import contextlib
import socket
import threading
import time

import psycopg2

from harness import machine, wire
from harness.case import Case, main
from harness.certificate import Certificate
from harness.postgres import Postgres
from harness.stopped import Stopped, may_trace, threads
from harness.wire import Wire

SOON = 2 * (3 if machine.is_sanitized() else 1)  # seconds
PROXY_HEADER = b"PROXY TCP4 10.1.2.3 192.0.2.1 5555 6432\r\n"


def listener(**how):
    return {"address": f"127.0.0.1:{machine.free_port()}", "upstream": "main", **how}


class Workers(Case):
    def begin(self, workers, **settings):
        return self.new_sluice(workers=workers, **settings)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sluice.stop()

    def rows(self, sluice):
        return sluice.console("SHOW WORKERS")

    def counts(self, sluice):
        return [int(row["connections"]) for row in self.rows(sluice)]

    def assert_spread(self, sluice, total, most=1):
        """What was accepted is told at the end of a turn of the loop."""
        self.wait_for(lambda: sum(self.counts(sluice)) == total, f"there are {total} connections")
        counts = self.counts(sluice)
        self.assertLessEqual(max(counts) - min(counts), most, counts)

    def sessions_by_worker(self, sluice):
        found = [0] * len(self.rows(sluice))
        for row in sluice.console("SHOW SESSIONS"):
            found[int(row["worker"])] += 1
        return found

    def session(self, sluice, **how):
        connection = sluice.connect(**how)
        self.addCleanup(connection.close)
        return connection


class Spread(Workers):
    def test_sessions_that_come_one_by_one(self):
        sluice = self.begin(4)
        for _ in range(42):
            self.session(sluice)
        self.assert_spread(sluice, 42)
        self.assertEqual(sorted(self.sessions_by_worker(sluice)), [10, 10, 11, 11])
        self.assertGreater(sluice.counter("connections_handed"), 0)

    def test_two_hundred_that_come_at_once(self):
        sluice = self.begin(3)
        sockets = []
        for _ in range(200):
            client = socket.socket()
            self.addCleanup(client.close)
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", sluice.port))
            sockets.append(client)
        self.assert_spread(sluice, 200)
        for client in sockets:
            client.close()
        self.assert_spread(sluice, 0)

    def test_sessions_that_log_in_at_once(self):
        sluice = self.begin(3)
        done, held = [], threading.Event()

        def stay():
            with contextlib.closing(sluice.connect()):
                done.append(1)
                held.wait(60)

        clients = [threading.Thread(target=stay) for _ in range(60)]
        for client in clients:
            client.start()
        self.wait_for(lambda: len(done) == 60, "all have logged in", 60)
        self.assert_spread(sluice, 60, 2)
        held.set()
        for client in clients:
            client.join()
        self.assert_spread(sluice, 0)

    def test_those_that_come_fill_up_where_others_left(self):
        sluice = self.begin(2)
        held = {0: [], 1: []}
        for number in range(20):
            name = f"number {number}"
            connection = self.session(sluice, application_name=name)
            (worker,) = [row["worker"] for row in sluice.console("SHOW SESSIONS") if row["application_name"] == name]
            held[int(worker)].append(connection)
        for connection in held[0]:
            connection.close()
        self.wait_for(lambda: self.counts(sluice) == [0, 10], "those of one worker have gone")
        for _ in range(10):
            self.session(sluice)
        self.assert_spread(sluice, 20)
        self.assertEqual(self.sessions_by_worker(sluice), [10, 10])

    def test_through_every_listener(self):
        certificate = Certificate(Postgres.OWNER)
        plain, proxied = listener(), listener(proxy_protocol={"from": ["127.0.0.1"]})
        encrypted = listener(tls={"mode": "require", "certificate": certificate.path, "key": certificate.key})
        sluice = self.begin(3, listen=[plain, encrypted, proxied])
        for _ in range(6):
            self.session(sluice)
            self.session(sluice, port=encrypted["address"].split(":")[1], sslmode="require")
            behind = Wire(("127.0.0.1", int(proxied["address"].split(":")[1])))
            self.addCleanup(behind.close)
            behind.send(PROXY_HEADER)
            behind.login()
        self.assert_spread(sluice, 18)
        rows = sluice.console("SHOW SESSIONS")
        self.assertEqual(sum(row["address"] == "10.1.2.3:5555" for row in rows), 6)
        self.assertEqual(sum(row["client_tls"] != "" for row in rows), 6)

    def test_bounds_are_those_of_all(self):
        sluice = self.begin(3, limits={"sessions": 10})
        for _ in range(10):
            self.session(sluice)
        with self.assertRaisesRegex(psycopg2.OperationalError, "sorry, too many clients already"):
            sluice.connect()
        self.assert_spread(sluice, 10)

    def test_one_worker_hands_nothing_over(self):
        sluice = self.begin(1)
        for _ in range(10):
            self.session(sluice)
        self.assertEqual(self.counts(sluice), [10])
        self.assertEqual(sluice.counter("connections_handed"), 0)

    def test_draining_loses_nobody(self):
        """Whoever was accepted gets an answer: a session, or a word that the sluice shuts down, or a clean end."""
        sluice = self.begin(4)
        odd, stop = [], threading.Event()

        def come_and_go():
            while not stop.is_set():
                try:
                    with contextlib.closing(sluice.connect()) as connection, connection.cursor() as cursor:
                        cursor.execute("select 1")
                except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
                    if not any(word in str(error) for word in ("refused", "shutting down", "closed", "reset")):
                        odd.append(str(error))

        clients = [threading.Thread(target=come_and_go) for _ in range(8)]
        for client in clients:
            client.start()
        time.sleep(0.5)
        sluice.stop()
        stop.set()
        for client in clients:
            client.join()
        self.assertEqual(odd, [])


@contextlib.contextmanager
def storm(sluice):
    """Clients that connect, ask and go, without a break; yields what took how long, and what failed."""
    took, failures, stop = [], [], threading.Event()

    def come_and_go():
        while not stop.is_set():
            begun = time.monotonic()
            try:
                with contextlib.closing(sluice.connect()) as connection, connection.cursor() as cursor:
                    cursor.execute("select 42")
                    assert cursor.fetchone() == (42,)
                    took.append(time.monotonic() - begun)
            except Exception as failure:  # shown by the test
                failures.append(repr(failure))

    clients = [threading.Thread(target=come_and_go) for _ in range(6)]
    for client in clients:
        client.start()
    try:
        yield took, failures
    finally:
        stop.set()
        for client in clients:
            client.join()


def is_refused(sluice):
    try:
        socket.create_connection(("127.0.0.1", sluice.port), 1).close()
        return False
    except ConnectionError:
        return True


class Stalled(Workers):
    def setUp(self):
        if not may_trace():
            self.skipTest("threads of other processes cannot be stopped here")

    def still(self, sluice, worker):
        name = f"worker {worker}"
        self.wait_for(lambda: name in threads(sluice.process.pid), f"{name} runs")
        return Stopped(threads(sluice.process.pid)[name])

    def wait_until(self, sluice, worker, state):
        self.wait_for(lambda: self.rows(sluice)[worker]["state"] == state, f"worker {worker} is {state}")

    def log_in_at_once(self, sluice, count, **how):
        """Their connections, and how long the slowest took."""
        took, connections = [], []

        def log_in():
            begun = time.monotonic()
            connections.append(self.session(sluice, **how))
            took.append(time.monotonic() - begun)

        clients = [threading.Thread(target=log_in) for _ in range(count)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        self.assertEqual(len(connections), count)
        return connections, max(took)

    def test_the_others_get_what_comes_and_it_takes_its_part_when_it_goes_on(self):
        sluice = self.begin(3)
        before = [self.session(sluice) for _ in range(12)]
        self.assertEqual(self.sessions_by_worker(sluice), [4, 4, 4])
        with self.still(sluice, 1):
            connections, slowest = self.log_in_at_once(sluice, 30)
            self.assertLess(slowest, SOON)
            self.wait_until(sluice, 1, "stalled")
            _, slowest = self.log_in_at_once(sluice, 10)
            self.assertLess(slowest, SOON / 2)
            self.assertEqual(self.counts(sluice), [24, 4, 24])
            begun = time.monotonic()
            self.assertEqual(len(sluice.console("SHOW SESSIONS")), 48)  # of the others
            self.assertLess(time.monotonic() - begun, SOON / 2)
            (told,) = sluice.events("worker_stalled")
            self.assertEqual((told["worker"], told["connections"]), ("1", "4"))
        self.wait_until(sluice, 1, "running")
        (told,) = sluice.events("worker_recovered")
        self.assertEqual(told["worker"], "1")
        self.assertGreater(int(told["duration_us"]), 1_000_000)
        self.assertGreater(int(told["handed"]), 0)
        for connection in before + connections:
            with connection.cursor() as cursor:
                cursor.execute("select 1")
        self.log_in_at_once(sluice, 15)
        self.assertEqual(self.counts(sluice), [24, 19, 24])
        row = self.rows(sluice)[1]
        self.assertEqual((row["state"], row["stalls"]), ("running", "1"))
        self.assertGreater(int(row["longest_stall_us"]), 1_000_000)

    def test_what_was_on_its_way_to_it_is_taken_back(self):
        sluice = self.begin(2)
        with contextlib.ExitStack() as stack:
            for _ in range(20):
                stack.enter_context(contextlib.closing(sluice.connect()))
        self.assert_spread(sluice, 0)
        with self.still(sluice, 0):
            # Half of them are handed to the one that stands still, before anybody knows.
            connections, slowest = self.log_in_at_once(sluice, 40)
            self.assertLess(slowest, SOON)
            self.wait_until(sluice, 0, "stalled")
            self.assertEqual(self.counts(sluice), [0, 40])
        self.assertEqual(len(connections), 40)
        self.wait_until(sluice, 0, "running")
        self.log_in_at_once(sluice, 40)
        self.assertEqual(self.counts(sluice), [40, 40])

    def test_nothing_is_lost_in_a_storm(self):
        sluice = self.begin(3)
        refused_before = sluice.counter("sessions_refused")
        with storm(sluice) as (took, failures):
            for worker in (0, 2, 1, 0):
                time.sleep(0.3)
                with self.still(sluice, worker):
                    # A session that is logging in there waits for it: only new ones can be helped.
                    time.sleep(2.5)
                self.wait_until(sluice, worker, "running")
        self.assertEqual(failures, [])
        self.assertGreater(len(took), 100)
        self.assert_spread(sluice, 0)
        stalled = [row["worker"] for row in sluice.events("worker_stalled")]
        self.assertLessEqual({"0", "1", "2"}, set(stalled))
        self.assertGreaterEqual(len(stalled), 4)  # more where the machine has no time for a worker
        self.assertEqual(sorted(stalled), sorted(row["worker"] for row in sluice.events("worker_recovered")))
        counters = sluice.counters()
        self.assertEqual(counters["sessions_opened"], counters["sessions_closed"])
        self.assertEqual(counters["sessions_refused"], refused_before)

    def test_when_all_stand_still_those_who_come_wait(self):
        sluice = self.begin(2)
        with self.still(sluice, 0), self.still(sluice, 1):
            self.wait_until(sluice, 0, "stalled")
            self.wait_until(sluice, 1, "stalled")
            waiting = [socket.create_connection(("127.0.0.1", sluice.port)) for _ in range(10)]
            for client in waiting:
                client.sendall(wire.startup())
            time.sleep(1)
        for client in waiting:
            client.settimeout(10)
            self.assertEqual(client.recv(1), b"R")
            client.close()
        self.assert_spread(sluice, 0)

    def test_one_worker_alone_is_told_of(self):
        sluice = self.begin(1)
        with self.still(sluice, 0):
            self.wait_until(sluice, 0, "stalled")
        self.wait_until(sluice, 0, "running")
        self.session(sluice)
        self.assertTrue(sluice.has_logged("worker_recovered"))

    def test_draining_while_one_stands_still(self):
        sluice = self.begin(3)
        with self.still(sluice, 1):
            self.wait_until(sluice, 1, "stalled")
            sluice.process.terminate()
            self.wait_for(lambda: sluice.has_logged("draining"), "it drains")
            self.wait_for(lambda: is_refused(sluice), "nobody waits in vain for a worker that stands still")
        sluice.process.wait(20)
        sluice.check_end()

    def assert_abandoned(self, sluice, worker, connections):
        self.assertEqual(sluice.process.wait(20), 1)
        (told,) = sluice.events("worker_abandoned")
        self.assertEqual((told["worker"], told["connections"]), (str(worker), str(connections)))
        sluice.process = None

    def test_one_that_never_goes_on_does_not_keep_the_program_from_ending(self):
        sluice = self.begin(2, limits={"drain_timeout": "2s"}, history={"file": "history.db"})
        held = [self.session(sluice) for _ in range(4)]
        for connection in held:
            with connection.cursor() as cursor, contextlib.suppress(psycopg2.Error):
                cursor.execute("select * from no_such_table")
        self.assertEqual(len(sluice.console("SHOW SESSIONS")), 4)  # what was counted until now is told
        with self.still(sluice, 0):
            self.wait_until(sluice, 0, "stalled")
            sluice.process.terminate()
            self.wait_for(lambda: sluice.has_logged("stopped"), "it ends")
            time.sleep(0.5)
        self.assert_abandoned(sluice, 0, 2)
        sluice.start()
        self.assertFalse(sluice.has_logged("history_gap"))
        (row,) = sluice.console("SELECT sum(count) AS errors FROM error_counts")
        self.assertEqual(row["errors"], "4")

    def test_one_that_stands_still_while_it_drains_does_not_either(self):
        sluice = self.begin(2, limits={"drain_timeout": "2s"})
        for connection in [self.session(sluice) for _ in range(4)]:
            connection.autocommit = False
            with connection.cursor() as cursor:
                cursor.execute("select 1")
        sluice.process.terminate()
        self.wait_for(lambda: is_refused(sluice), "both workers drain")
        time.sleep(0.2)
        with self.still(sluice, 0):
            self.wait_for(lambda: sluice.has_logged("stopped"), "it ends")
            time.sleep(0.5)
        self.assert_abandoned(sluice, 0, 2)
        self.assertFalse(sluice.has_logged("worker_recovered"))

    def test_one_that_takes_its_time_to_end_its_sessions_may_do_so(self):
        sluice = self.begin(1, limits={"drain_timeout": "1s"})
        connection = self.session(sluice)
        connection.autocommit = False
        connection.cursor().execute("select 1")
        sluice.process.terminate()
        self.wait_for(lambda: is_refused(sluice), "it drains")
        time.sleep(0.3)
        with self.still(sluice, 0):
            self.wait_for(lambda: sluice.has_logged("worker_stalled"), "that it stands still is seen")
            time.sleep(1)
            self.assertFalse(sluice.has_logged("stopped"))
        connection.close()
        sluice.check_end()


if __name__ == "__main__":
    main()
