# SPDX-License-Identifier: PostgreSQL
"""One address, several servers: the database says which."""
import struct
import time

import psycopg2

from harness import encrypted, machine, wire
from harness.case import Case, main, postgres, psql
from harness.encrypted import EncryptedWire, listener, papers, upstream
from harness.postgres import Postgres
from harness.scripted import ScriptedServer
from harness.sluice import Sluice
from harness.wire import Wire

DATABASES = ("orders", "orders_archive", "stock", "shared", "Orders")


class Routes(Case):
    @classmethod
    def setUpClass(cls):
        cls.first, cls.second = postgres(), Postgres()
        cls.addClassCleanup(cls.second.stop)
        for server, name in ((cls.first, "first"), (cls.second, "second")):
            for database in DATABASES:
                server.run(f'create database "{database}"')
            server.run(f"alter role all set search_path = '{name}'")
        cls.deaf = machine.free_port()
        cls.sluice = Sluice([], listen=[
            {"address": f"127.0.0.1:{machine.free_port()}", "upstream": "first", "routes": [
                {"database": "orders_archive", "upstream": "first"}, {"database": "orders*", "upstream": "second"},
                {"database": "stock", "upstream": "second"}, {"database": "app", "upstream": "second"},
                {"database": "down*", "upstream": "down"}]},
            {"address": f"127.0.0.1:{machine.free_port()}", "upstream": "second"}],
            upstreams=[{"name": "first", "hosts": [f"127.0.0.1:{cls.first.port}"]},
                       {"name": "second", "hosts": [f"127.0.0.1:{cls.second.port}"]},
                       {"name": "down", "hosts": [f"127.0.0.1:{cls.deaf}"]}])
        cls.addClassCleanup(cls.sluice.stop)

    def whose(self, database, **how):
        connection = self.connect(dbname=database, **how)
        with connection.cursor() as cursor:
            cursor.execute("show search_path")
            name = cursor.fetchone()[0]
            cursor.execute("select current_database()")
            self.assertEqual(cursor.fetchone()[0], database)
        (row,) = [row for row in self.sluice.console("SHOW SESSIONS") if row["database"] == database]
        self.assertEqual(row["upstream"], name)
        connection.close()
        return name

    def test_the_first_route_that_holds_says_where_the_database_is(self):
        for database, name in (("orders", "second"), ("orders_archive", "first"), ("stock", "second"), ("shared", "first"),
                               ("postgres", "first")):
            self.assertEqual(self.whose(database), name)

    def test_names_are_compared_letter_by_letter(self):
        self.assertEqual(self.whose("Orders"), "first")

    def test_the_database_that_is_not_named_is_the_users(self):
        """As the server has it: a client without database means the one that is called as the user."""
        for server in (self.first, self.second):
            server.run("drop database if exists app")
        self.second.run("create database app")
        for parameters in ({"database": None}, {"database": ""}, {"database": "app"}):
            with Wire(("127.0.0.1", self.sluice.port)) as raw:
                raw.login(user="app", **parameters)
                self.assertEqual(wire.rows(raw.ask(wire.query("show search_path"))), [["second"]])

    def test_the_last_of_several_databases_counts_as_for_the_server(self):
        packet = wire.startup("postgres", "shared")
        packet = packet[4:-1] + wire.text("database") + wire.text("stock") + b"\0"
        with Wire(("127.0.0.1", self.sluice.port)) as raw:
            raw.send(struct.pack("!i", len(packet) + 4) + packet)
            raw.until("Z")
            self.assertEqual(wire.rows(raw.ask(wire.query("select current_setting('search_path'), current_database()"))),
                             [["second", "stock"]])

    def test_another_address_has_routes_of_its_own(self):
        port = int(self.sluice.settings["listen"][1]["address"].rsplit(":", 1)[1])
        done = psql(port, "-Atc", "show search_path", database="shared")
        self.assertEqual((done.stdout, done.stderr), ("second\n", ""))

    def test_an_upstream_that_is_down_is_down_for_its_databases_only(self):
        with Wire(("127.0.0.1", self.sluice.port)) as raw:
            raw.send(wire.startup(database="downtown"))
            (error,) = wire.errors(raw.rest_messages())
        self.assertEqual((error["C"], error["M"]), ("08006", 'could not connect to upstream "down"'))
        self.assertEqual(self.whose("stock"), "second")

    def test_a_database_that_is_nowhere_gets_the_servers_own_words(self):
        for database in ("nowhere", "orders_none"):
            with self.assertRaises(psycopg2.OperationalError) as caught:
                self.sluice.connect(dbname=database)
            self.assertIn(f'database "{database}" does not exist', str(caught.exception))

    def test_a_cancel_request_reaches_the_server_that_has_the_session_and_no_other_session(self):
        """It names no database, so every server is asked; only one knows the key."""
        raws = {}
        for database in ("orders", "shared", "stock"):
            raws[database] = self.wire(database=database)
        for database in ("orders", "shared"):
            others = [name for name in raws if name != database]
            for name, raw in raws.items():
                raw.send(wire.query(f"select pg_sleep({20 if name == database else 1.5})"))
            time.sleep(0.4)
            begin = time.monotonic()
            with Wire(("127.0.0.1", self.sluice.port)) as other:
                other.send(wire.cancel(*raws[database].key))
                self.assertEqual(other.rest(), b"")
            self.assertEqual([error["C"] for error in wire.errors(raws[database].until("Z"))], ["57014"])
            self.assertLess(time.monotonic() - begin, 1)
            for name in others:
                self.assertEqual(wire.errors(raws[name].until("Z")), [])

    def test_a_cancel_request_does_not_wait_for_an_upstream_that_is_down(self):
        deaf = ScriptedServer(lambda peer: peer.read_to_end())
        self.addCleanup(deaf.close)
        sluice = Sluice([], listen=[{"address": f"127.0.0.1:{machine.free_port()}", "upstream": "deaf", "routes": [
            {"database": "stock", "upstream": "second"}]}],
            upstreams=[{"name": "deaf", "hosts": [f"127.0.0.1:{deaf.port}"], "tls": {"mode": "require"}, "connect_timeout": "5s"},
                       {"name": "second", "hosts": [f"127.0.0.1:{self.second.port}"]}])
        self.addCleanup(sluice.stop)
        raw = self.wire(sluice, database="stock")
        raw.send(wire.query("select pg_sleep(20)"))
        self.wait_until_asleep(raw, self.second)
        begin = time.monotonic()
        with Wire(("127.0.0.1", sluice.port)) as other:
            other.send(wire.cancel(*raw.key))
            self.assertEqual([error["C"] for error in wire.errors(raw.until("Z"))], ["57014"])
            self.assertLess(time.monotonic() - begin, 2)

    def test_a_cancel_request_reaches_every_host_of_an_upstream(self):
        """The session may be on the second host, if the first was down when it came."""
        hosts = [f"127.0.0.1:{self.first.port}", f"127.0.0.1:{self.second.port}"]
        sluice = Sluice(hosts[::-1])
        self.addCleanup(sluice.stop)
        both = Sluice(hosts)
        self.addCleanup(both.stop)
        raw = self.wire(sluice)
        self.assertEqual(wire.rows(raw.ask(wire.query("show search_path"))), [["second"]])
        raw.send(wire.query("select pg_sleep(20)"))
        self.wait_until_asleep(raw, self.second)
        with Wire(("127.0.0.1", both.port)) as other:
            other.send(wire.cancel(*raw.key))
            self.assertEqual(other.rest(), b"")
        self.assertEqual([error["C"] for error in wire.errors(raw.until("Z"))], ["57014"])


class EncryptedRoutes(Case):
    """Each upstream has rules of its own for TLS."""

    @classmethod
    def setUpClass(cls):
        cls.plain, cls.encrypted = postgres(), encrypted.start_postgres(papers().server)
        door = listener("allow")
        door["routes"] = [{"database": "safe", "upstream": "encrypted"}]
        door["upstream"] = "plain"
        cls.encrypted.run("create database safe")
        cls.sluice = Sluice([], listen=[door], upstreams=[upstream(cls.plain.port, "disable", "plain"),
                                                          upstream(cls.encrypted.port, name="encrypted")])
        cls.addClassCleanup(cls.sluice.stop)

    def test_each_database_is_reached_as_its_upstream_says(self):
        for database, has_tls in (("postgres", "f"), ("safe", "t")):
            with EncryptedWire(("127.0.0.1", self.sluice.port)) as raw:
                raw.login(database=database)
                rows = wire.rows(raw.ask(wire.query("select ssl from pg_stat_ssl where pid = pg_backend_pid()")))
                self.assertEqual(rows, [[has_tls]])
                raw.send(wire.query("select pg_sleep(20)"))
                self.wait_until_asleep(raw, self.encrypted if has_tls == "t" else self.plain)
                with EncryptedWire(("127.0.0.1", self.sluice.port)) as other:
                    other.send(wire.cancel(*raw.key))
                    self.assertEqual(other.rest(), b"")
                self.assertEqual([error["C"] for error in wire.errors(raw.until("Z"))], ["57014"])


if __name__ == "__main__":
    main()
