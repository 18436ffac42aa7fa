# SPDX-License-Identifier: PostgreSQL
"""Clients come in by every door and find PostgreSQL behind it."""
import hashlib
import os
import struct
import threading
import time

import psycopg2
import psycopg2.extensions

from harness import machine, wire
from harness.case import Case, main, psql
from harness.postgres import PASSWORD
from harness.wire import Wire


class Login(Case):
    def test_a_trusted_user_gets_in(self):
        self.assertEqual(self.run_sql("select current_user", user="trust_user"), [("trust_user",)])

    def test_an_md5_password_is_passed_through(self):
        self.assertEqual(self.run_sql("select current_user", user="md5_user", password=PASSWORD), [("md5_user",)])

    def test_a_scram_password_is_passed_through(self):
        self.assertEqual(self.run_sql("select current_user", user="scram_user", password=PASSWORD), [("scram_user",)])

    def assert_same_refusal(self, **how):
        said = []
        for port in (self.postgres.port, self.sluice.port):
            with self.assertRaises(psycopg2.OperationalError) as caught:
                psycopg2.connect(host="127.0.0.1", port=port, sslmode="disable",
                                 **{"user": "postgres", "dbname": "postgres", **how})
            said.append(str(caught.exception).replace(f"port {port}", "port"))
        self.assertEqual(said[0], said[1])
        return said[0]

    def test_a_wrong_password_gets_the_servers_own_words(self):
        self.assertIn("password authentication failed", self.assert_same_refusal(user="md5_user", password="no"))
        self.assertIn("password authentication failed", self.assert_same_refusal(user="scram_user", password="no"))

    def test_an_unknown_database_or_user_gets_the_servers_own_words(self):
        self.assertIn("does not exist", self.assert_same_refusal(dbname="nowhere"))
        self.assertIn("does not exist", self.assert_same_refusal(user="no_one"))

    def test_a_rejected_user_gets_the_servers_own_words(self):
        self.assertIn("pg_hba.conf rejects", self.assert_same_refusal(user="nobody_may"))

    def test_startup_parameters_reach_the_server(self):
        rows = self.run_sql("select current_setting('search_path'), current_setting('application_name')",
                            options="-c search_path=pg_catalog", application_name="door")
        self.assertEqual(rows, [("pg_catalog", "door")])

    def test_a_newer_minor_version_is_negotiated_by_the_server(self):
        for version in (196610, 3 << 16 | 9999):
            with Wire(("127.0.0.1", self.sluice.port)) as raw:
                raw.send(wire.startup(version=version, **{"_pq_.unheard_of": "1"}))
                messages = raw.until("Z")
                self.assertEqual(wire.kinds(messages).count("v"), 1)
                self.assertEqual(wire.rows(raw.ask(wire.query("select 1"))), [["1"]])


class Encryption(Case):
    def test_sslmode_prefer_and_disable_both_connect(self):
        for mode in ("prefer", "allow", "disable"):
            done = psql(self.sluice.port, "-Atc", "select 1", words=f"sslmode={mode}")
            self.assertEqual((done.stdout, done.stderr), ("1\n", ""))

    def test_sslmode_require_is_told_that_there_is_none(self):
        done = psql(self.sluice.port, "-c", "select 1", words="sslmode=require")
        self.assertIn("server does not support SSL", done.stderr)

    def test_each_request_for_encryption_is_declined_once(self):
        with Wire(("127.0.0.1", self.sluice.port)) as raw:
            for request in (wire.GSS_REQUEST, wire.SSL_REQUEST):
                raw.send(request)
                self.assertEqual(raw.read(1), b"N")
            raw.login()
            self.assertEqual(wire.rows(raw.ask(wire.query("select 1"))), [["1"]])

    def test_a_request_for_encryption_that_comes_twice_ends_the_connection(self):
        for request in (wire.GSS_REQUEST, wire.SSL_REQUEST):
            with Wire(("127.0.0.1", self.sluice.port)) as raw:
                raw.send(request)
                self.assertEqual(raw.read(1), b"N")
                raw.send(request)
                self.assertEqual(raw.rest(), b"")

    def test_bytes_behind_a_request_for_encryption_are_never_read(self):
        for request in (wire.GSS_REQUEST, wire.SSL_REQUEST):
            with Wire(("127.0.0.1", self.sluice.port)) as raw:
                raw.send(request + wire.startup(application_name="smuggled"))
                self.assertIn(raw.rest(), (b"", b"N"))
        self.assertEqual(self.postgres.run(
            "select 1 from pg_stat_activity where application_name = 'smuggled'"), [])
        self.assertNotIn("smuggled", self.sluice.log())


class Doors(Case):
    def test_upstreams_are_reached_by_ipv4_ipv6_and_unix_socket(self):
        port = self.postgres.port
        for host, address in ((f"127.0.0.1:{port}", "127.0.0.1/32"), (f"[::1]:{port}", "::1/128"),
                              (f"localhost:{port}", None), (self.postgres.socket, None)):
            sluice = self.new_sluice([host])
            with sluice.connect() as connection, connection.cursor() as cursor:
                cursor.execute("select inet_server_addr()::text, pg_backend_pid()")
                if address:
                    self.assertEqual(cursor.fetchone()[0], address)
            connection.close()

    def test_the_next_host_is_tried_when_one_is_down(self):
        sluice = self.new_sluice([f"127.0.0.1:{machine.free_port()}", f"127.0.0.1:{self.postgres.port}"])
        sluice.connect().close()

    def test_several_listeners_lead_to_their_own_upstreams(self):
        ports = [machine.free_port() for _ in range(3)]
        self.new_sluice(
            listen=[{"address": f"127.0.0.1:{ports[0]}", "upstream": "main"},
                    {"address": f"[::1]:{ports[1]}", "upstream": "other"},
                    {"address": f"0.0.0.0:{ports[2]}", "upstream": "main"}],
            upstreams=[{"name": "main", "hosts": [f"127.0.0.1:{self.postgres.port}"]},
                       {"name": "other", "hosts": [self.postgres.socket]}])
        for host, port, is_tcp in (("127.0.0.1", ports[0], True), ("::1", ports[1], False),
                                   ("127.0.0.1", ports[2], True)):
            done = psql(port, "-Atc", "select inet_server_addr() is not null", host=host)
            self.assertEqual((done.stdout, done.stderr), ("t\n" if is_tcp else "f\n", ""))

    def test_two_workers_share_the_sessions(self):
        sluice = self.new_sluice(workers=2)
        connections = [sluice.connect(application_name=f"worker test {n}") for n in range(40)]
        self.wait_for(lambda: len(sluice.console("SHOW SESSIONS")) == 40, "all sessions are shown")
        workers = {row["worker"] for row in sluice.console("SHOW SESSIONS")}
        for connection in connections:
            connection.close()
        self.assertEqual(workers, {"0", "1"})


class Cancel(Case):
    def sleep_cancelled_by(self, cancel, connection):
        timer = threading.Timer(0.4, cancel)
        timer.start()
        begin = time.monotonic()
        with self.assertRaises(psycopg2.extensions.QueryCanceledError):
            with connection.cursor() as cursor:
                cursor.execute("select pg_sleep(20)")
        timer.join()
        self.assertLess(time.monotonic() - begin, 10)
        with connection.cursor() as cursor:
            cursor.execute("select 1")
            self.assertEqual(cursor.fetchone(), (1,))

    def test_a_cancel_request_ends_the_query_it_is_for(self):
        first, second = self.connect(), self.connect()
        self.sleep_cancelled_by(first.cancel, first)
        with second.cursor() as cursor:
            cursor.execute("select 1")
        self.assertGreaterEqual(self.sluice.counter("cancel_requests"), 1)

    def test_a_cancel_request_gets_no_answer_but_the_end(self):
        victim = self.wire()
        with Wire(("127.0.0.1", self.sluice.port)) as raw:
            raw.send(wire.cancel(*victim.key))
            self.assertEqual(raw.rest(), b"")

    def test_a_cancel_with_a_wrong_key_hits_nobody(self):
        victim = self.wire()
        victim.send(wire.query("select pg_sleep(0.5)"))
        with Wire(("127.0.0.1", self.sluice.port)) as raw:
            raw.send(wire.cancel(victim.key[0], victim.key[1] ^ 1))
            self.assertEqual(raw.rest(), b"")
        self.assertEqual(wire.errors(victim.until("Z")), [])


class Talk(Case):
    def test_a_notification_comes_while_the_client_waits(self):
        listener = self.connect()
        with listener.cursor() as cursor:
            cursor.execute("listen bell")
        self.postgres.run("notify bell, 'rings'")
        def has_rung():
            listener.poll()
            return listener.notifies

        self.wait_for(has_rung, "the notification arrives")
        self.assertEqual(listener.notifies[0].payload, "rings")

    def test_function_calls_and_large_objects_work(self):
        raw = self.wire()
        messages = raw.ask(wire.function_call(1397, struct.pack("!i", -7)))  # int4abs
        self.assertEqual(wire.kinds(messages), "VZ")
        self.assertEqual(messages[0][1], struct.pack("!ii", 4, 7))
        failed = raw.ask(wire.function_call(999999))
        self.assertEqual(wire.kinds(failed), "EZ")
        connection = self.connect()
        connection.autocommit = False
        data = os.urandom(3_000_000)
        large = connection.lobject(0, "wb")
        large.write(data)
        large.close()
        self.assertEqual(connection.lobject(large.oid, "rb").read(), data)
        connection.rollback()

    def test_a_terminated_backend_says_so(self):
        raw = self.wire()
        self.postgres.run(f"select pg_terminate_backend({raw.key[0]})")
        messages = raw.rest_messages()
        self.assertEqual([error["C"] for error in wire.errors(messages)], ["57P01"])

    def test_the_server_sees_the_client_go(self):
        raw = self.wire(application_name="goes")
        gone = "select count(*) = 0 from pg_stat_activity where application_name = 'goes'"
        self.assertFalse(self.postgres.value(gone))
        raw.close()
        self.wait_for(lambda: self.postgres.value(gone), "the backend ends")

    def test_a_client_that_shuts_its_side_still_gets_its_answer(self):
        raw = self.wire()
        raw.send(wire.query("select pg_sleep(0.3), 'answer'"))
        raw.socket.shutdown(1)
        self.assertIn(b"answer", raw.rest())


class Bulk(Case):
    """The same bytes come out as went in, however many."""

    SETUP = "create table if not exists bulk (line text)"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.megabytes = 20 if machine.is_sanitized() else 100

    def test_a_row_of_a_hundred_megabytes_passes(self):
        size = self.megabytes << 20
        raw = self.wire()
        messages = raw.ask(wire.query(f"select repeat('0123456789abcdef', {size // 16})"))
        self.assertEqual(wire.kinds(messages), "TDCZ")
        self.assertEqual(len(messages[1][1]), size + 6)
        self.assertEqual(messages[1][1][6:], b"0123456789abcdef" * (size // 16))

    def test_a_parameter_of_many_megabytes_passes(self):
        size = self.megabytes // 4 << 20
        raw = self.wire()
        value = b"fedcba9876543210" * (size // 16)
        messages = raw.ask(wire.parse("select md5($1::text), length($1::text)"), wire.bind(values=[value]),
                           wire.execute(), wire.sync())
        self.assertEqual(wire.rows(messages)[0][1], str(size))
        self.assertEqual(wire.rows(messages)[0][0], hashlib.md5(value).hexdigest())

    def test_copy_in_and_out_of_a_hundred_megabytes_keeps_every_byte(self):
        rows = self.megabytes << 10
        self.postgres.run("truncate bulk")
        line = ("%07d " + "x" * 1016).encode()
        with self.sluice.connect() as connection, connection.cursor() as cursor:
            cursor.copy_from(Lines(line, rows), "bulk")
        connection.close()
        total, checksum = self.postgres.run("select count(*), sum(hashtext(line)::bigint) from bulk")[0]
        self.assertEqual(total, rows)
        sink = Sink()
        with self.sluice.connect() as connection, connection.cursor() as cursor:
            cursor.copy_expert("copy (select line from bulk order by line) to stdout", sink)
        connection.close()
        self.assertEqual(sink.size, rows * 1025)
        expected = Sink()
        direct = self.postgres.connect()
        with direct.cursor() as cursor:
            cursor.copy_expert("copy (select line from bulk order by line) to stdout", expected)
        direct.close()
        self.assertEqual(sink.digest.hexdigest(), expected.digest.hexdigest())
        self.assertIsNotNone(checksum)


class Lines:
    """A file of numbered lines."""

    def __init__(self, line, count):
        self.lines = (line % n + b"\n" for n in range(count))
        self.kept = b""

    def read(self, size):
        while len(self.kept) < size:
            more = b"".join(line for _, line in zip(range(64), self.lines))
            if not more:
                break
            self.kept += more
        taken, self.kept = self.kept[:size], self.kept[size:]
        return taken


class Sink:
    """Takes bytes, keeps their number and digest."""

    def __init__(self):
        self.size = 0
        self.digest = hashlib.sha256()

    def write(self, data):
        data = data.encode() if isinstance(data, str) else data
        self.size += len(data)
        self.digest.update(data)


if __name__ == "__main__":
    main()
