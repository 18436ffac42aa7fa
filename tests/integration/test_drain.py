# SPDX-License-Identifier: PostgreSQL
"""SIGTERM lets what runs finish and cuts nothing short; the program ends with status 0."""
import signal
import threading
import time

import psycopg2

from harness import wire
from harness.case import Case, main
from harness.wire import Wire


class Drain(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sluice.stop()

    def begin(self, **limits):
        self.sluice = self.new_sluice(limits={"drain_timeout": "20s", **limits})

    def terminate(self):
        self.sluice.process.send_signal(signal.SIGTERM)
        self.wait_for(lambda: self.sluice.has_logged("draining"), "it drains")

    def assert_ends(self, seconds=5):
        self.sluice.process.wait(seconds)
        self.sluice.check_end()

    def assert_shut_down(self, raw):
        errors = wire.errors(raw.rest_messages())
        self.assertEqual([error["C"] for error in errors], ["57P01"])
        raw.close()

    def test_with_no_session_it_ends_at_once(self):
        self.begin()
        self.terminate()
        self.assert_ends(3)

    def test_sigint_drains_too(self):
        self.begin()
        self.sluice.process.send_signal(signal.SIGINT)
        self.assert_ends(3)

    def test_an_idle_session_is_told_and_ended(self):
        self.begin()
        raw = self.wire()
        self.terminate()
        self.assert_shut_down(raw)
        self.assert_ends(3)

    def test_clients_that_do_not_hang_up_hold_it_up_for_a_moment_only(self):
        self.begin()
        for _ in range(5):
            self.wire()
        self.terminate()
        self.assert_ends(6)

    def test_a_query_that_runs_gets_its_answer_first(self):
        self.begin()
        raw = self.wire()
        raw.send(wire.query("select pg_sleep(1), 'finished'"))
        time.sleep(0.2)
        self.terminate()
        self.assertIn("finished", wire.rows(raw.until("Z"))[0])
        self.assert_shut_down(raw)
        self.assert_ends(3)

    def test_a_transaction_may_commit_first(self):
        self.postgres.run("drop table if exists drained; create table drained (a int)")
        self.begin()
        raw = self.wire()
        raw.ask(wire.query("begin"))
        raw.ask(wire.query("insert into drained values (1)"))
        self.terminate()
        raw.ask(wire.query("insert into drained values (2)"))
        self.assertEqual(raw.ask(wire.query("commit"))[-1], ("Z", b"I"))
        self.assert_shut_down(raw)
        self.assert_ends(3)
        self.assertEqual(self.postgres.value("select count(*) from drained"), 2)

    def test_a_pipeline_may_have_its_sync_first(self):
        self.postgres.run("drop table if exists drained; create table drained (a int)")
        self.begin(idle_timeout="200ms")
        raw = self.wire()
        raw.send(wire.parse("insert into drained values (1)"), wire.bind(), wire.execute(), wire.flush())
        raw.until("C")
        time.sleep(1)
        self.terminate()
        time.sleep(0.5)
        self.assertEqual(raw.ask(wire.sync()), [("Z", b"I")])
        self.assert_shut_down(raw)
        self.assert_ends(3)
        self.assertEqual(self.postgres.value("select count(*) from drained"), 1)

    def test_a_copy_may_finish_first(self):
        self.postgres.run("drop table if exists drained; create table drained (a int)")
        self.begin()
        raw = self.wire()
        raw.send(wire.query("copy drained from stdin"))
        raw.until("G")
        raw.send(wire.copy_data(b"1\n"))
        self.terminate()
        raw.send(wire.copy_data(b"2\n"), wire.copy_done())
        raw.until("Z")
        raw.close()
        self.assert_ends(3)
        self.assertEqual(self.postgres.value("select count(*) from drained"), 2)

    def test_new_connections_are_not_taken(self):
        self.begin()
        busy = self.wire()
        busy.ask(wire.query("begin"))
        self.terminate()

        def is_refused():
            try:
                with Wire(("127.0.0.1", self.sluice.port)) as raw:
                    raw.send(wire.startup())
                    return not raw.rest_messages()
            except ConnectionError:
                return True

        self.wait_for(is_refused, "no new session is taken")
        busy.ask(wire.query("rollback"))
        busy.close()
        self.assert_ends(3)

    def test_sessions_that_do_not_end_are_cut_when_the_time_is_over(self):
        self.begin(drain_timeout="1s")
        raw = self.wire()
        raw.ask(wire.query("begin"))
        begun = time.monotonic()
        self.terminate()
        said = raw.rest()
        self.assertGreater(time.monotonic() - begun, 0.8)
        self.assertIn(b"C57P01\0Mterminating connection due to administrator command\0", said)
        raw.close()
        self.assert_ends(3)

    def test_a_client_in_the_midst_of_its_login_does_not_hold_it_up(self):
        self.begin(login_timeout="1s")
        raw = Wire(("127.0.0.1", self.sluice.port))
        raw.send(wire.startup()[:10])
        console = Wire(("127.0.0.1", self.sluice.console_port))
        self.terminate()
        self.assert_ends(6)
        raw.close()
        console.close()

    def test_many_busy_sessions_lose_no_transaction(self):
        self.postgres.run("drop table if exists drained; create table drained (a int)")
        self.begin(drain_timeout="10s")
        acknowledged, failures = [], []

        def work(number):
            try:
                connection = self.sluice.connect()
                connection.autocommit = False
                with connection.cursor() as cursor:
                    while True:
                        cursor.execute("insert into drained values (%s)", (number,))
                        cursor.execute("select pg_sleep(0.002)")
                        connection.commit()
                        acknowledged.append(number)
            except (psycopg2.OperationalError, psycopg2.InterfaceError, psycopg2.errors.AdminShutdown) as end:
                if connection.get_transaction_status() == 2:
                    failures.append(end)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        self.wait_for(lambda: len(acknowledged) > 100, "all are at work")
        self.terminate()
        for thread in threads:
            thread.join(15)
        self.assert_ends(5)
        self.assertEqual(failures, [])
        self.assertEqual(self.postgres.value("select count(*) from drained"), len(acknowledged))


if __name__ == "__main__":
    main()
