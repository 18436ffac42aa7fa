# SPDX-License-Identifier: PostgreSQL
"""Several hosts behind one upstream: sessions find the one that is there, or the one that accepts writes."""
import os
import shutil
import signal
import socket
import subprocess
import time

import psycopg2

from harness import machine, wire
from harness.case import Case, main
from harness.postgres import HBA, OWNER, Postgres
from harness.sluice import Sluice
from harness.wire import Wire

INTERVAL = 0.2
TIMEOUT = 1.5
LATE = 5 if machine.is_sanitized() else 2.5  # seconds more than that on a busy machine


def make_primary():
    return Postgres(HBA + "host replication all all trust\n", max_wal_senders="5")


def make_standby(primary):
    """By a copy of the data folder (manual: "Making a Base Backup Using the Low Level API"); not every server at hand
    comes with pg_basebackup."""
    folder = os.path.join(machine.new_folder(OWNER), "backup")
    connection = primary.connect()
    with connection.cursor() as cursor:
        cursor.execute("select pg_backup_start('standby', true)")
        copy = machine.spawn(["cp", "-a", primary.data, folder], user=OWNER, cwd="/tmp", stderr=subprocess.PIPE)
        _, wrong = copy.communicate(timeout=60)
        assert copy.returncode == 0, wrong
        cursor.execute("select labelfile from pg_backup_stop()")
        label = cursor.fetchone()[0]
    connection.close()
    os.unlink(os.path.join(folder, "postmaster.pid"))
    for name, words in (("backup_label", label), ("standby.signal", "")):
        path = os.path.join(folder, name)
        with open(path, "w", encoding="ascii") as file:
            file.write(words)
        if os.geteuid() == 0:
            shutil.chown(path, OWNER, OWNER)
    return Postgres.of_backup(folder, primary_conninfo=f"host=127.0.0.1 port={primary.port} user=postgres")


class SilentHost:
    """Its port takes no connection and refuses none: those that wait to be accepted are as many as may."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.port = self.listener.getsockname()[1]
        self.waiting = []
        for _ in range(4):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", self.port))
            self.waiting.append(client)

    def close(self):
        for each in (*self.waiting, self.listener):
            each.close()


class MuteHost:
    """Accepts connections and never says a word."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.port = self.listener.getsockname()[1]

    def close(self):
        self.listener.close()


def host(server):
    return server if isinstance(server, str) else f"127.0.0.1:{server.port}"


class Hosts(Case):
    @classmethod
    def setUpClass(cls):
        """Each test has a sluice of its own."""

    def opened(self, thing):
        self.addCleanup(thing.close)
        return thing

    def begin(self, *servers, target="any", start=True, **settings):
        upstream = {"name": "main", "hosts": [host(server) for server in servers], "target": target,
                    "connect_timeout": f"{int(TIMEOUT * 1000)}ms",
                    "probe": "dbname=postgres user=postgres", "probe_interval": f"{int(INTERVAL * 1000)}ms"}
        self.sluice = Sluice([], start=start, upstreams=[upstream], **settings)
        self.addCleanup(self.sluice.stop)
        return self.sluice

    def read_only_server(self):
        server = Postgres()
        self.addCleanup(server.stop)
        server.run("alter system set default_transaction_read_only = on")
        server.run("select pg_reload_conf()")
        return server

    def landing(self, sluice=None):
        """The port of the server on which a new session lands."""
        connection = (sluice or self.sluice).connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute("select current_setting('port')::int")
                return cursor.fetchone()[0]
        finally:
            connection.close()

    def landing_or_none(self):
        try:
            return self.landing()
        except psycopg2.OperationalError:
            return None

    def assert_no_host(self, *words, least=0.0, most=TIMEOUT):
        """A new session is refused, in time, and told why of each host."""
        begun = time.monotonic()
        with Wire(("127.0.0.1", self.sluice.port)) as raw:
            raw.send(wire.startup())
            errors = wire.errors(raw.rest_messages())
        took = time.monotonic() - begun
        self.assertEqual([(error["S"], error["C"]) for error in errors], [("FATAL", "08006")])
        self.assertIn('could not connect to upstream "main"', errors[0]["M"])
        for word in words:
            self.assertIn(word, errors[0]["D"])
        self.assertGreaterEqual(took, least)
        self.assertLess(took, most + LATE)


class AnyHost(Hosts):
    @classmethod
    def setUpClass(cls):
        cls.postgres = Postgres()
        cls.addClassCleanup(cls.postgres.stop)
        cls.dead = f"127.0.0.1:{machine.free_port()}"

    def test_a_dead_host_is_passed_over_at_once(self):
        self.begin(self.dead, self.dead, self.postgres)
        begun = time.monotonic()
        self.assertEqual(self.landing(), self.postgres.port)
        self.assertLess(time.monotonic() - begun, TIMEOUT)

    def test_a_silent_host_is_passed_over_when_its_time_is_up(self):
        self.begin(self.opened(SilentHost()), self.postgres)
        begun = time.monotonic()
        self.assertEqual(self.landing(), self.postgres.port)
        self.assertGreaterEqual(time.monotonic() - begun, TIMEOUT - 0.1)
        self.assertLess(time.monotonic() - begun, TIMEOUT + LATE)

    def test_hosts_may_have_names(self):
        self.begin("nowhere.invalid:5432", f"localhost:{self.postgres.port}")
        self.assertEqual(self.landing(), self.postgres.port)

    def test_hosts_may_be_sockets(self):
        self.begin(f"{self.postgres.folder}/.s.PGSQL.1", self.postgres.socket)
        self.assertEqual(self.landing(), self.postgres.port)

    def test_the_first_host_that_answers_is_taken_though_it_cannot_be_written_to(self):
        other = self.read_only_server()
        self.begin(other, self.postgres)
        self.assertEqual({self.landing() for _ in range(5)}, {other.port})

    def test_where_no_host_answers_the_client_is_told_of_each(self):
        silent = self.opened(SilentHost())
        self.begin(self.dead, silent, "nowhere.invalid:5432")
        self.assert_no_host(f"{self.dead}: connection refused", f"127.0.0.1:{silent.port}: ", "nowhere.invalid:5432: ",
                            least=TIMEOUT - 0.1, most=3 * TIMEOUT)

    def test_a_host_that_comes_back_is_found(self):
        self.begin(self.dead, self.postgres)
        self.postgres.stop()
        self.assert_no_host("connection refused", most=0)
        self.postgres.start()
        self.assertEqual(self.landing(), self.postgres.port)


class ReadWrite(Hosts):
    @classmethod
    def setUpClass(cls):
        cls.primary = make_primary()
        cls.standby = make_standby(cls.primary)
        cls.dead = f"127.0.0.1:{machine.free_port()}"
        for server in (cls.standby, cls.primary):
            cls.addClassCleanup(server.stop)

    def test_sessions_land_on_the_primary_in_any_order_of_hosts(self):
        for hosts in ((self.primary, self.standby), (self.standby, self.primary), (self.dead, self.standby, self.primary),
                      (self.standby, self.dead, self.primary)):
            with self.subTest([host(each) for each in hosts]):
                sluice = self.begin(*hosts, target="read-write", workers=2)
                self.assertEqual({self.landing(sluice) for _ in range(20)}, {self.primary.port})

    def test_a_host_that_is_mute_or_silent_delays_nobody_for_long(self):
        for other in (SilentHost(), MuteHost()):
            with self.subTest(type(other).__name__):
                self.opened(other)
                sluice = self.begin(other, self.primary, target="read-write")
                self.wait_for(lambda s=sluice: len(s.events("host_changed")) == 2, "both hosts were asked")
                begun = time.monotonic()
                self.assertEqual({self.landing(sluice) for _ in range(5)}, {self.primary.port})
                self.assertLess(time.monotonic() - begun, TIMEOUT)

    def test_where_none_accepts_writes_the_client_is_told_of_each(self):
        self.begin(self.standby, self.dead, target="read-write")
        self.assert_no_host(f"{host(self.standby)}: is read-only", f"{self.dead}: could not be asked")
        self.wait_for(lambda: len(self.sluice.events("host_changed")) == 2, "both hosts were asked")
        self.assert_no_host(f"{host(self.standby)}: is read-only", f"{self.dead}: could not be asked", most=0)
        changes = {change["host"]: change["state"] for change in self.sluice.events("host_changed")}
        self.assertEqual(set(changes), {host(self.standby), self.dead})

    def test_where_nothing_is_known_yet_the_client_waits_no_longer_than_it_may(self):
        mute = self.opened(MuteHost())
        self.begin(mute, target="read-write")
        self.assert_no_host(f"127.0.0.1:{mute.port}: ")

    def test_a_server_that_may_not_be_written_to_by_its_settings_is_none(self):
        other = self.read_only_server()
        self.begin(other, self.primary, target="read-write")
        self.assertEqual(self.landing(), self.primary.port)

    def test_a_cancel_request_finds_the_session_behind_a_standby(self):
        self.begin(self.standby, self.primary, target="read-write")
        raw = self.wire()
        raw.send(wire.query("select pg_sleep(20)"))
        self.wait_for(lambda: self.primary.value("select count(*) from pg_stat_activity where query ~ '^select pg_sleep'"),
                      "it runs")
        with Wire(("127.0.0.1", self.sluice.port)) as canceller:
            canceller.send(wire.cancel(*raw.key))
            canceller.rest()
        self.assertEqual([error["C"] for error in wire.errors(raw.until("Z"))], ["57014"])

    def test_asking_leaves_no_sessions_behind(self):
        self.begin(self.standby, self.primary, target="read-write")
        self.landing()
        time.sleep(10 * INTERVAL)
        for server in (self.primary, self.standby):
            count = server.value("select count(*) from pg_stat_activity where backend_type = 'client backend'")
            self.assertLessEqual(count, 2)


class Failover(Hosts):
    """A pair of servers for each test, which it uses up."""

    def setUp(self):
        self.primary = make_primary()
        self.addCleanup(self.primary.stop)
        self.standby = make_standby(self.primary)
        self.addCleanup(self.standby.stop)

    def promote(self):
        self.assertTrue(self.standby.value("select pg_promote()"))

    def assert_lands_soon(self, server):
        """Within a few intervals, and from then on."""
        begun = time.monotonic()
        self.wait_for(lambda: self.landing_or_none() == server.port, f"sessions land on {server.port}")
        self.assertLess(time.monotonic() - begun, 5 * INTERVAL + LATE)
        self.assertEqual({self.landing() for _ in range(10)}, {server.port})

    def test_sessions_follow_a_promotion(self):
        other_order = self.begin(self.standby, self.primary, target="read-write")
        self.begin(self.primary, self.standby, target="read-write", workers=2)
        self.assertEqual((self.landing(), self.landing(other_order)), (self.primary.port, self.primary.port))
        kept = self.sluice.connect()
        self.addCleanup(kept.close)
        self.promote()
        self.primary.stop(signal.SIGQUIT)
        self.assert_lands_soon(self.standby)
        self.wait_for(lambda: self.landing(other_order) == self.standby.port, "the other sluice follows too")
        with self.assertRaises(psycopg2.OperationalError), kept.cursor() as cursor:
            cursor.execute("select 1")
        self.assertLessEqual({(host(self.standby), "accepts writes"), (host(self.primary), "cannot be asked")},
                             {(change["host"], change["state"]) for change in self.sluice.events("host_changed")})

    def test_while_there_is_no_primary_sessions_are_refused_and_then_taken(self):
        self.begin(self.primary, self.standby, target="read-write")
        self.assertEqual(self.landing(), self.primary.port)
        self.primary.stop(signal.SIGQUIT)
        self.wait_for(lambda: len(self.sluice.events("host_changed")) >= 3, "it was noticed")
        self.assert_no_host(f"{host(self.primary)}: could not be asked", f"{host(self.standby)}: is read-only", most=0)
        self.promote()
        self.assert_lands_soon(self.standby)

    def test_between_two_questions_a_dead_primary_is_a_clear_refusal(self):
        self.begin(self.primary, self.standby, target="read-write")
        self.assertEqual(self.landing(), self.primary.port)
        self.wait_for(lambda: len(self.sluice.events("host_changed")) >= 2, "both were asked")
        self.primary.stop(signal.SIGQUIT)
        self.assert_no_host(f"{host(self.primary)}: ", f"{host(self.standby)}: is read-only", most=0)

    def test_a_primary_that_comes_back_is_found(self):
        self.begin(self.primary, self.standby, target="read-write")
        self.assertEqual(self.landing(), self.primary.port)
        self.primary.stop(signal.SIGQUIT)
        self.primary.start()
        self.assert_lands_soon(self.primary)


if __name__ == "__main__":
    main()
