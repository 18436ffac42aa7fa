# SPDX-License-Identifier: PostgreSQL
"""Encrypted on one leg, on both, or on none: who comes in, who is turned away and with which words, and that every byte
arrives."""
import hashlib
import socket
import ssl
import threading
import time
import unittest
import warnings

from test_connect import Lines, Sink

from harness import machine, scripted, wire
from harness.case import Case, main
from harness.encrypted import SERVER_MODES, EncryptedCase, EncryptedWire, client_context, listener, upstream
from harness.postgres import PASSWORD
from harness.scripted import ScriptedServer
from harness.sluice import Sluice


class Modes(EncryptedCase):
    """Every pair of modes."""

    @classmethod
    def make_doors(cls):
        return {f"{client} {server}": listener(client, upstream=server)
                for client in ("disable", "allow", "require") for server in SERVER_MODES}

    @classmethod
    def make_upstreams(cls):
        return [upstream(cls.postgres.port, mode, name=mode) for mode in SERVER_MODES]

    def assert_passes(self, door, sslmode, is_encrypted):
        server = door.split()[1]
        user = "plain_user" if server == "disable" else "postgres"
        with self.subTest(door=door, sslmode=sslmode):
            connection = self.enter(door, sslmode=sslmode, user=user, sslrootcert=self.papers.authority)
            self.assertEqual(connection.info.ssl_in_use, is_encrypted)
            has_tls = self.value(connection, "select ssl from pg_stat_ssl where pid = pg_backend_pid()")
            self.assertEqual(has_tls, server != "disable")
            row = self.shown(connection)
            self.assertEqual(row["client_tls"], "TLSv1.3" if is_encrypted else "")
            self.assertEqual(row["server_tls"], "TLSv1.3" if has_tls else "")
            self.assertEqual(row["upstream"], server)
            connection.close()

    def test_without_tls_all_clients_that_can_do_without_come_in(self):
        for server in SERVER_MODES:
            for sslmode in ("disable", "allow", "prefer"):
                self.assert_passes(f"disable {server}", sslmode, False)
            self.assertIn("server does not support SSL", self.refusal(f"disable {server}", sslmode="require"))

    def test_where_tls_is_allowed_the_client_chooses(self):
        for server in SERVER_MODES:
            for sslmode in ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"):
                self.assert_passes(f"allow {server}", sslmode, sslmode not in ("disable", "allow"))

    def test_where_tls_is_required_every_client_that_can_encrypts(self):
        for server in SERVER_MODES:
            for sslmode in ("allow", "prefer", "require", "verify-ca", "verify-full"):
                self.assert_passes(f"require {server}", sslmode, True)

    def test_a_plain_client_where_tls_is_required_is_told_what_to_do(self):
        with wire.Wire(self.address("require require")) as raw:
            raw.send(wire.startup())
            (error,) = wire.errors(raw.rest_messages())
        self.assertEqual((error["S"], error["C"]), ("FATAL", "28000"))
        self.assertIn("sslmode=require", error["H"])
        self.refused_reason("without TLS")

    def test_tls_at_an_address_without_is_declined_and_plain_goes_on(self):
        with wire.Wire(self.address("disable require")) as raw:
            raw.send(wire.SSL_REQUEST)
            self.assertEqual(raw.read(1), b"N")
            raw.login()
            self.assertEqual(wire.rows(raw.ask(wire.query("select 1"))), [["1"]])

    def test_direct_tls_at_an_address_without_is_closed(self):
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.encrypted("disable require", is_direct=True)
        self.refused_reason("TLS is not offered")


class Direct(EncryptedCase):
    """TLS from the first byte, which needs ALPN (manual: "SSL Session Encryption")."""

    def test_it_works_with_the_protocol_named(self):
        raw = self.encrypted(is_direct=True)
        self.assertEqual(raw.socket.selected_alpn_protocol(), "postgresql")
        raw.login()
        self.assertEqual(wire.rows(raw.ask(wire.query("select 1"))), [["1"]])

    def test_another_protocol_gets_the_alert_for_that(self):
        for is_direct in (True, False):
            with self.assertRaises(ssl.SSLError) as caught:
                self.encrypted(context=client_context(protocols=("http/1.1",)), is_direct=is_direct).read(1)
            self.assertIn("NO_APPLICATION_PROTOCOL", str(caught.exception).upper().replace(" ", "_"))

    def test_one_of_several_protocols_is_enough(self):
        raw = self.encrypted(context=client_context(protocols=("h2", "postgresql")), is_direct=True)
        raw.login()

    def test_no_protocol_is_refused_and_nothing_is_read(self):
        raw = self.encrypted(context=client_context(protocols=()), is_direct=True)
        raw.send(wire.startup(application_name="smuggled"))
        (error,) = wire.errors(raw.rest_messages())
        self.assertEqual((error["S"], error["C"]), ("FATAL", "08P01"))
        self.assertIn("ALPN", error["M"])
        self.assertNotIn("smuggled", self.postgres.log())
        self.refused_reason("ALPN")

    def test_behind_an_ssl_request_no_protocol_is_needed(self):
        self.encrypted(context=client_context(protocols=())).login()

    def test_tls_inside_tls_is_refused(self):
        raw = self.encrypted()
        raw.send(wire.SSL_REQUEST)
        self.assertEqual(raw.rest(), b"")
        raw = self.encrypted(is_direct=True)
        raw.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        self.assertEqual(raw.rest()[:1], b"")


class Versions(EncryptedCase):
    @classmethod
    def make_doors(cls):
        return {"main": listener(), "newest": listener(version_least="1.3")}

    def with_version(self, version, door):
        context = client_context()
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        with warnings.catch_warnings():  # the old ones are deprecated
            warnings.simplefilter("ignore")
            context.minimum_version = context.maximum_version = version
        raw = self.encrypted(door, context)
        raw.login()
        return raw.socket.version()

    def test_each_version_from_the_least_on_is_taken(self):
        self.assertEqual(self.with_version(ssl.TLSVersion.TLSv1_2, "main"), "TLSv1.2")
        self.assertEqual(self.with_version(ssl.TLSVersion.TLSv1_3, "main"), "TLSv1.3")
        self.assertEqual(self.with_version(ssl.TLSVersion.TLSv1_3, "newest"), "TLSv1.3")

    def test_older_versions_are_refused(self):
        for version, door in ((ssl.TLSVersion.TLSv1_1, "main"), (ssl.TLSVersion.TLSv1_2, "newest")):
            with self.assertRaises(ssl.SSLError) as caught:
                self.with_version(version, door)
            self.assertIn("PROTOCOL_VERSION", str(caught.exception).upper().replace(" ", "_"))


class ChannelBinding(EncryptedCase):
    """The table of docs/tls.md."""

    @classmethod
    def make_doors(cls):
        return {"same": listener("allow", cls.papers.server), "other": listener("allow"),
                "plain server": listener("allow", upstream="plain")}

    @classmethod
    def make_upstreams(cls):
        return [upstream(cls.postgres.port), upstream(cls.postgres.port, "disable", name="plain")]

    def assert_logs_in(self, door, sslmode, channel_binding):
        user = "plain_scram" if door == "plain server" else "scram_user"
        with self.subTest(door=door, sslmode=sslmode, channel_binding=channel_binding):
            connection = self.enter(door, user=user, password=PASSWORD, sslmode=sslmode, channel_binding=channel_binding)
            self.assertEqual(self.value(connection, "select current_user"), user)
            connection.close()

    def test_the_same_certificate_on_both_legs_allows_all(self):
        for channel_binding in ("disable", "prefer", "require"):
            self.assert_logs_in("same", "require", channel_binding)

    def test_two_certificates_need_channel_binding_to_be_off(self):
        self.assert_logs_in("other", "require", "disable")
        for channel_binding in ("prefer", "require"):
            said = self.refusal("other", user="scram_user", password=PASSWORD, sslmode="require", channel_binding=channel_binding)
            self.assertIn("channel binding cannot pass between two different certificates", said)
            self.assertIn("channel_binding=disable", said)
        self.refused_reason("channel binding")

    def test_a_plain_client_is_not_offered_it(self):
        for door in ("same", "other"):
            for channel_binding in ("disable", "prefer"):
                self.assert_logs_in(door, "disable", channel_binding)

    def test_a_plain_server_does_not_offer_it(self):
        for sslmode in ("disable", "require"):
            for channel_binding in ("disable", "prefer"):
                self.assert_logs_in("plain server", sslmode, channel_binding)
        self.assertIn("channel binding", self.refusal("plain server", user="plain_scram", password=PASSWORD, sslmode="require",
                                                      channel_binding="require"))


class Bulk(EncryptedCase):
    """The same bytes come out as went in, however many, by TLS on both legs."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.postgres.run("create table if not exists bulk (line text)")
        cls.megabytes = 20 if machine.is_sanitized() else 100

    def test_a_row_of_a_hundred_megabytes_passes(self):
        size = self.megabytes << 20
        raw = self.encrypted()
        raw.login()
        messages = raw.ask(wire.query(f"select repeat('0123456789abcdef', {size // 16})"))
        self.assertEqual(wire.kinds(messages), "TDCZ")
        self.assertEqual(hashlib.md5(messages[1][1][6:]).hexdigest(), hashlib.md5(b"0123456789abcdef" * (size // 16)).hexdigest())

    def test_copy_in_and_out_keeps_every_byte(self):
        rows = self.megabytes << 10
        self.postgres.run("truncate bulk")
        expected = hashlib.sha256()
        for number in range(rows):
            expected.update(b"%07d " % number + b"x" * 1016 + b"\n")
        connection = self.enter(sslmode="require")
        with connection.cursor() as cursor:
            cursor.copy_from(Lines(b"%07d " + b"x" * 1016, rows), "bulk")
        sink = Sink()
        with connection.cursor() as cursor:
            cursor.copy_expert("copy (select line from bulk order by line) to stdout", sink)
        self.assertEqual((sink.size, sink.digest.hexdigest()), (rows * 1025, expected.hexdigest()))

    def test_a_client_that_reads_late_gets_it_all(self):
        before = self.sluice.resident_kib()
        raw = self.encrypted()
        raw.login()
        raw.send(wire.query(f"select repeat('x', 1024) from generate_series(1, {self.megabytes << 10})"))
        time.sleep(1)
        grown = self.sluice.resident_kib() - before
        if not machine.is_sanitized():
            self.assertLess(grown, 8 << 10)
        self.assertEqual(len(wire.rows(raw.until("Z"))), self.megabytes << 10)

    def test_a_server_that_reads_late_costs_little_memory(self):
        raw = self.encrypted()
        raw.login()
        before = self.sluice.resident_kib()
        raw.send(wire.query("select pg_sleep(2)"))
        piece, sent = wire.query("select length('" + "z" * 1_000_000 + "')"), 0
        raw.socket.settimeout(0.5)
        with self.assertRaises(socket.timeout):  # nobody takes it any more
            for sent in range(100):
                raw.send(piece)
        self.assertLess(sent, 60)
        if not machine.is_sanitized():
            self.assertLess(self.sluice.resident_kib() - before, 8 << 10)

    def test_many_sessions_at_once_keep_their_bytes_apart(self):
        def work(number):
            connection = self.enter(sslmode="require")
            for turn in range(10):
                found = self.value(connection, f"select repeat('{number}:{turn};', 20000)")
                if found != f"{number}:{turn};" * 20000:
                    wrong.append((number, turn))
            connection.close()
            done.append(number)

        wrong, done = [], []
        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((wrong, len(done)), ([], 8))


class Handmade:
    """TLS by hand, so that one side of it can be ended."""

    def __init__(self, address):
        self.raw = wire.Wire(address)
        self.raw.send(wire.SSL_REQUEST)
        self.raw.read(1)
        self.is_cut = False  # the other side closed without saying so in TLS
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = client_context().wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        self.do(self.tls.do_handshake)

    def flush(self):
        if self.outgoing.pending:
            self.raw.socket.sendall(self.outgoing.read())

    def do(self, what, *arguments):
        while True:
            try:
                said = what(*arguments)
                self.flush()
                return said
            except ssl.SSLZeroReturnError:
                return b""
            except ssl.SSLWantReadError:
                self.flush()
                more = self.raw.socket.recv(65536)
                if not more:
                    self.is_cut = True
                    return b""
                self.incoming.write(more)

    def send(self, data):
        self.do(self.tls.write, data)

    def read_until(self, end):
        data = b""
        while not data.endswith(end):
            more = self.do(self.tls.read, 65536)
            if not more:
                break
            data += more
        return data

    def end(self):
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        self.flush()


class Ends(EncryptedCase):
    def handmade(self):
        client = Handmade(self.address())
        self.addCleanup(client.raw.close)
        client.send(wire.startup(application_name="half closed"))
        client.read_until(scripted.READY)
        return client

    def test_a_client_that_ends_its_side_still_gets_its_answer(self):
        client = self.handmade()
        client.send(wire.query("select pg_sleep(0.3), 'answer'"))
        client.end()
        client.raw.socket.shutdown(socket.SHUT_WR)
        self.assertIn(b"answer", client.read_until(b"no such end"))
        self.assertFalse(client.is_cut)

    def test_a_connection_that_breaks_without_a_word_is_forgotten(self):
        gone = "select count(*) = 0 from pg_stat_activity where application_name = 'half closed'"
        for how in ("cut", "reset", "close"):
            client = self.handmade()
            self.assertFalse(self.postgres.value(gone))
            if how == "cut":
                client.raw.socket.shutdown(socket.SHUT_WR)
            elif how == "reset":
                client.raw.reset()
            else:
                client.raw.close()
            self.wait_for(lambda: self.postgres.value(gone), f"the backend ends after {how}")

    def test_garbage_in_the_stream_ends_the_session(self):
        client = self.handmade()
        client.raw.send(b"\x17\x03\x03\x00\x20" + b"\0" * 32)
        client.raw.rest()
        self.wait_for(lambda: any("client connection failed" in row.get("reason", "")
                                  for row in self.sluice.events("session_closed")), "the log says why")

    def test_a_server_that_goes_is_passed_on(self):
        raw = self.encrypted()
        raw.login()
        self.postgres.run(f"select pg_terminate_backend({raw.key[0]})")
        self.assertEqual([error["C"] for error in wire.errors(raw.rest_messages())], ["57P01"])

    def test_a_stop_is_told_inside_tls(self):
        sluice = Sluice([], listen=[listener()], upstreams=[upstream(self.postgres.port)])
        client = Handmade(("127.0.0.1", sluice.port))
        self.addCleanup(client.raw.close)
        client.send(wire.startup())
        client.read_until(scripted.READY)
        sluice.stop()
        self.assertIn(b"C57P01\0", client.read_until(b"no such end"))
        self.assertFalse(client.is_cut)

    def test_the_end_of_the_server_is_the_end_of_the_clients_tls(self):
        client = self.handmade()
        client.send(wire.terminate())
        self.assertEqual(client.read_until(b"no such end"), b"")
        self.assertFalse(client.is_cut)


class Cancel(EncryptedCase):
    def assert_cancels(self, send):
        raw = self.encrypted()
        raw.login()
        raw.send(wire.query("select pg_sleep(20)"))
        self.wait_until_asleep(raw)
        send(raw)
        self.assertEqual([error["C"] for error in wire.errors(raw.until("Z"))], ["57014"])
        self.assertEqual(wire.rows(raw.ask(wire.query("select 1"))), [["1"]])

    def test_a_cancel_request_by_tls_ends_the_query(self):
        for is_direct in (False, True):
            def send(raw, is_direct=is_direct):
                with EncryptedWire(self.address(), is_direct=is_direct) as other:
                    other.send(wire.cancel(*raw.key))
                    self.assertEqual(other.rest(), b"")

            self.assert_cancels(send)

    def test_a_cancel_request_without_tls_ends_the_query_as_older_clients_send_no_other(self):
        def send(raw):
            with wire.Wire(self.address()) as other:
                other.send(wire.cancel(*raw.key))
                self.assertEqual(other.rest(), b"")

        self.assert_cancels(send)


@unittest.skipIf(machine.POSTGRES in ("15", "16"), "TLS without asking came with PostgreSQL 17")
class DirectServer(EncryptedCase):
    """To the server, too, TLS from the first byte."""

    @classmethod
    def make_upstreams(cls):
        return [upstream(cls.postgres.port, direct=True)]

    def test_a_session_and_its_cancel_pass(self):
        raw = self.encrypted(is_direct=True)
        raw.login()
        self.assertEqual(wire.rows(raw.ask(wire.query("select ssl from pg_stat_ssl where pid = pg_backend_pid()"))), [["t"]])
        raw.send(wire.query("select pg_sleep(20)"))
        self.wait_until_asleep(raw)
        with EncryptedWire(self.address(), is_direct=True) as other:
            other.send(wire.cancel(*raw.key))
            other.rest()
        self.assertEqual([error["C"] for error in wire.errors(raw.until("Z"))], ["57014"])


class DirectToTheDeaf(Case):
    """A server that knows nothing of TLS without asking, such as PostgreSQL 15."""

    @classmethod
    def setUpClass(cls):
        pass

    def test_it_is_told_as_a_failure_of_tls(self):
        fake = ScriptedServer(lambda peer: peer.read(8))
        self.addCleanup(fake.close)
        sluice = Sluice([], listen=[listener("disable")], upstreams=[upstream(fake.port, "require", direct=True)])
        self.addCleanup(sluice.stop)
        with wire.Wire(("127.0.0.1", sluice.port)) as raw:
            raw.send(wire.startup())
            (error,) = wire.errors(raw.rest_messages())
        self.assertEqual(error["C"], "08006")
        self.assertIn("TLS failed", error["D"])


if __name__ == "__main__":
    main()
