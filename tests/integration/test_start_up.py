# SPDX-License-Identifier: PostgreSQL
"""Before the login: what a client or a server may put into the start-up, byte by byte, and what comes of it."""
import socket
import struct
import time

from harness import machine, scripted, wire
from harness.case import Case, main
from harness.encrypted import EncryptedCase, EncryptedWire, listener, papers, server_context, upstream
from harness.scripted import LOGIN, ScriptedServer
from harness.sluice import Sluice
from harness.wire import Wire

CLIENT_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x55" * 60
PLUS_OFFER = b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"


def startup_of(pairs, version=196608):
    """A start-up packet of exactly these names and values, in their order."""
    body = b"".join(wire.text(word) for pair in pairs for word in pair) + b"\0"
    return struct.pack("!ii", len(body) + 8, version) + body


class Requests(EncryptedCase):
    """Requests for encryption: each once, and nothing behind them (CVE-2021-23214, CVE-2021-23222, CVE-2021-3935)."""

    settings = {"limits": {"login_timeout": "4s"}}

    @classmethod
    def make_doors(cls):
        return {"tls": listener("allow"), "plain": listener("disable")}

    def said_to(self, door, *data):
        with Wire(self.address(door), timeout=10) as raw:
            raw.send(*data)
            return raw.rest()

    def assert_nothing_got_through(self):
        self.assertNotIn("smuggled", self.postgres.log())
        self.assertNotIn("smuggled", self.sluice.log())
        self.assertNotIn("smuggled", str(self.sluice.console("SHOW SESSIONS")))

    def test_bytes_behind_a_request_in_the_same_segment_end_the_connection_unread(self):
        extras = (wire.startup(application_name="smuggled"), wire.startup(application_name="smuggled")[:9], b"\0", CLIENT_HELLO,
                  wire.SSL_REQUEST, wire.GSS_REQUEST, wire.cancel(1, 2))
        for door in self.doors:
            for request in (wire.SSL_REQUEST, wire.GSS_REQUEST):
                for extra in extras:
                    with self.subTest(door=door, request=request, extra=extra[:12]):
                        self.assertEqual(self.said_to(door, request + extra), b"")
        self.refused_reason("data sent before the answer to an encryption request")
        self.assert_nothing_got_through()

    def test_a_plain_start_up_where_a_handshake_was_agreed_on_is_never_read(self):
        with Wire(self.address("tls"), timeout=10) as raw:
            raw.send(wire.SSL_REQUEST)
            self.assertEqual(raw.read(1), b"S")
            raw.send(wire.startup(application_name="smuggled"))
            said = raw.rest()
            self.assertIn(said[:1], (b"", b"\x15"), said)  # at most a TLS alert
        self.assert_nothing_got_through()

    def test_a_request_may_come_once_and_each_of_both(self):
        for door in self.doors:
            for request in (wire.SSL_REQUEST, wire.GSS_REQUEST):
                if (door, request) == ("tls", wire.SSL_REQUEST):
                    continue  # the second would be inside TLS: below
                with self.subTest(door=door, request=request), Wire(self.address(door)) as raw:
                    raw.send(request)
                    self.assertEqual(raw.read(1), b"N")
                    raw.send(request)
                    self.assertEqual(raw.rest(), b"")
        with Wire(self.address("plain")) as raw:
            for request in (wire.GSS_REQUEST, wire.SSL_REQUEST):
                raw.send(request)
                self.assertEqual(raw.read(1), b"N")
            raw.login()
        self.refused_reason("encryption requested twice")

    def test_inside_tls_neither_is_granted(self):
        for request, answer in ((wire.SSL_REQUEST, b""), (wire.GSS_REQUEST, b"N")):
            raw = self.encrypted("tls")
            raw.send(request)
            if answer:
                self.assertEqual(raw.read(1), answer)
                raw.login()
            else:
                self.assertEqual(raw.rest(), b"")

    def test_a_gss_request_first_does_not_hinder_tls(self):
        with EncryptedWire(self.address("tls"), before=(wire.GSS_REQUEST, b"N")) as raw:
            raw.login()

    def test_requests_cut_anywhere_are_answered_the_same(self):
        for cut in range(1, 8):
            with Wire(self.address("plain")) as raw:
                raw.send_cut(wire.SSL_REQUEST, [cut], pause=0.01)
                self.assertEqual(raw.read(1), b"N")


class Answers(Case):
    """What a server says to SSLRequest (CVE-2021-23222, CVE-2024-10977)."""

    @classmethod
    def setUpClass(cls):
        cls.papers = papers()
        cls.context = server_context(cls.papers.server)

    def before(self, script, mode="require"):
        server = ScriptedServer(script)
        self.addCleanup(server.close)
        sluice = Sluice([], listen=[listener("disable")], upstreams=[upstream(server.port, mode, ca=self.papers.authority)])
        self.addCleanup(sluice.stop)
        return sluice

    def refusal(self, sluice):
        with Wire(("127.0.0.1", sluice.port)) as raw:
            raw.send(wire.startup())
            said = raw.rest_messages()
        (error,) = wire.errors(said)
        self.assertEqual((wire.kinds(said), error["S"], error["C"]), ("E", "FATAL", "08006"))
        return error

    def test_bytes_behind_the_yes_are_not_taken_for_the_server(self):
        """They stand before the handshake, where somebody else may have put them."""
        startups = []

        def script(peer):
            peer.read_startup()
            peer.send(b"S" + LOGIN)
            startups.append(peer.read_to_end())

        for mode in ("prefer", "require"):
            sluice = self.before(script, mode)
            self.assertIn("data after the answer to SSLRequest", self.refusal(sluice)["D"])
        self.assertEqual([data for data in startups if b"user" in data], [])

    def test_another_answer_is_never_shown(self):
        for answer in (b"E" + struct.pack("!i", 60) + b"SFATAL\0C28000\0Mcall 555-1234 to unlock\0\0",
                       b"EFATAL: call 555-1234\n\0", b"HTTP/1.1 200 call 555-1234\r\n", b"\0", b"s", b"\x16\x03\x01", LOGIN):
            def script(peer, answer=answer):
                peer.read_startup()
                peer.send(answer)
                peer.read_to_end()

            for mode in ("prefer", "require", "verify-full"):
                with self.subTest(answer=answer[:12], mode=mode):
                    sluice = self.before(script, mode)
                    error = self.refusal(sluice)
                    self.assertIn("neither yes nor no to SSLRequest", error["D"])
                    self.assertNotIn("call 555", str(error) + sluice.log())

    def test_silence_and_an_early_end_are_told(self):
        def silent(peer):
            peer.read_to_end()

        def ending(peer):
            peer.read_startup()

        def ending_later(peer):
            peer.read_startup()
            peer.send(b"S")
            peer.read(5)

        for script, words in ((silent, "timed out"), (ending, "closed the connection"), (ending_later, "TLS failed")):
            sluice = self.before(script)
            sluice.stop()
            sluice.settings["upstreams"][0]["connect_timeout"] = "1s"
            sluice.write()
            sluice.start()
            self.assertIn(words, self.refusal(sluice)["D"])

    def test_an_offer_of_mechanisms_in_any_shape_is_survived(self):
        """Between a plain client and a server with TLS the offer is rewritten (CVE-2026-6665)."""
        offers = [PLUS_OFFER[:cut] for cut in range(len(PLUS_OFFER))]
        offers += [b"x" * 100_000, b"\0" * 100, b"A-PLUS\0" * 3000 + b"\0", b"B-PLUS\0" + b"A" * 9000 + b"\0\0", b"-PLUS\0\0",
                   PLUS_OFFER + b"more", b"\xff" * 50 + b"-PLUS\0\0"]
        bodies = [struct.pack("!i", 10) + offer for offer in offers]
        bodies += [b"", b"\0\0", b"\0\0\0\x0b", b"\0\0\0\x0c" + b"v" * 60_000]
        turn = iter(bodies)

        def script(peer):
            peer.read_startup()
            peer.send(b"S")
            peer.socket = self.context.wrap_socket(peer.socket, server_side=True)
            peer.read_startup()
            peer.send(scripted.message("R", next(turn)) + scripted.message("E", b"SFATAL\0C28000\0Mno\0\0"))

        sluice = self.before(script)
        for body in bodies:
            with self.subTest(body=body[:40]), Wire(("127.0.0.1", sluice.port)) as raw:
                raw.send(wire.startup())
                messages = raw.rest_messages()
                self.assertIn(wire.kinds(messages), ("RE", "E"))
                self.assertIn(wire.errors(messages)[0]["C"], ("28000",) if len(messages) == 2 else ("08P01", "54000"))
        self.assertIsNone(sluice.process.poll())

    def test_only_the_mechanisms_that_bind_are_taken_out(self):
        def script(peer):
            peer.read_startup()
            peer.send(b"S")
            peer.socket = self.context.wrap_socket(peer.socket, server_side=True)
            peer.read_startup()
            peer.send(scripted.message("R", struct.pack("!i", 10) + PLUS_OFFER))
            peer.read_to_end()

        with Wire(("127.0.0.1", self.before(script).port)) as raw:
            raw.send(wire.startup())
            self.assertEqual(raw.read_message(), ("R", struct.pack("!i", 10) + b"SCRAM-SHA-256\0\0"))


class Lengths(Case):
    """Before the login a connection holds 10,000 bytes at most (CVE-2012-4575)."""

    settings = {"limits": {"login_timeout": "30s"}}

    def end_of(self, data):
        with Wire(("127.0.0.1", self.sluice.port)) as raw:
            raw.send(data)
            raw.socket.shutdown(socket.SHUT_WR)
            return raw.rest()

    def test_lying_lengths_are_refused_at_once_and_leave_no_memory(self):
        lies = [struct.pack("!II", length, 196608) for length in (0, 3, 4, 7, 10005, 65536, 0x7fffffff, 0x80000000, 0xffffffff)]
        for data in lies:
            self.assertEqual(self.end_of(data)[:1], b"E", data)
        for _ in range(200):
            self.end_of(lies[6])
        before = self.sluice.resident_kib()
        for turn in range(600):
            self.end_of(lies[turn % len(lies)])
        if not machine.is_sanitized():
            self.assertLess(self.sluice.resident_kib() - before, 2 << 10)

    def test_connections_that_wait_with_much_announced_cost_little(self):
        before = self.sluice.resident_kib()
        head = struct.pack("!II", 10004, 196608) + b"user\0"
        raws = [Wire(("127.0.0.1", self.sluice.port)) for _ in range(400)]
        for raw in raws:
            self.addCleanup(raw.close)
            raw.send(head + b"x" * 9000)
        self.wait_for(lambda: self.sluice.counter("sessions_opened") >= 400, "all are there")
        if not machine.is_sanitized():
            self.assertLess(self.sluice.resident_kib() - before, 400 * 24)

    def test_the_longest_packet_is_the_servers_own(self):
        fill = 10004 - len(wire.startup(application_name=""))
        for port in (self.postgres.port, self.sluice.port):
            with Wire(("127.0.0.1", port)) as raw:
                raw.login(application_name="n" * fill)
        with Wire(("127.0.0.1", self.sluice.port)) as raw:
            raw.send(wire.startup(application_name="n" * (fill + 1)))
            self.assertEqual([error["C"] for error in wire.errors(raw.rest_messages())], ["08P01"])


class Parameters(Case):
    """The pairs of the start-up: the sluice takes the client for whom the server takes it (Teleport #45554)."""

    def outcome(self, port, packet):
        """Who the client is for the server, or None when it is refused."""
        with Wire(("127.0.0.1", port)) as raw:
            raw.send(packet)
            try:
                while True:
                    kind, _ = raw.read_message()
                    if kind == "E":
                        return None
                    if kind == "Z":
                        break
            except wire.Closed:
                return None
            (row,) = wire.rows(raw.ask(wire.query("select current_user, current_database(), "
                                                  "current_setting('application_name')")))
            if port == self.sluice.port:
                (shown,) = self.sluice.console("SHOW SESSIONS")
                self.assertEqual([shown["user_name"], shown["database"], shown["application_name"]], row)
            return row

    def test_who_it_is_does_not_depend_on_whom_one_asks(self):
        name = "user", "postgres"
        for pairs in (
            [name], [name, ("database", "postgres")], [name, ("database", "")], [("database", "postgres"), name],
            [("user", "app"), name], [name, ("user", "app"), ("database", "postgres")],
            [name, ("database", "nowhere"), ("database", "postgres")], [name, ("database", "postgres"), ("database", "nowhere")],
            [name, ("application_name", "one"), ("application_name", "two")],
            [("user", "")], [("user", ""), name], [name, ("user", "")], [("database", "postgres")], [],
            [("USER", "app"), name], [("user", "app"), ("USER", "postgres"), ("database", "postgres")],
            [name, ("application_name", "")], [("application_name", "user"), ("postgres", "x")], [name, ("nonsense", "1")],
            [name, ("options", "-c application_name=option")], [("", "user"), name], [name, ("", "")],
        ):
            with self.subTest(pairs=pairs):
                packet = startup_of(pairs)
                self.wait_for(lambda: not self.sluice.console("SHOW SESSIONS"), "nobody is left")
                self.assertEqual(self.outcome(self.sluice.port, packet), self.outcome(self.postgres.port, packet))

    def test_packets_that_are_no_pairs_are_refused_as_the_server_does(self):
        for body in (b"", b"\0", b"user", b"user\0", b"user\0postgres", b"user\0postgres\0", b"user\0postgres\0database\0\0",
                     b"user\0postgres\0\0\0", b"user\0postgres\0\0x", b"\0user\0postgres\0\0", b"\0\0", b"postgres\0user\0\0"):
            with self.subTest(body=body):
                packet = struct.pack("!ii", len(body) + 8, 196608) + body
                direct = self.outcome(self.postgres.port, packet)
                self.assertEqual((direct, self.outcome(self.sluice.port, packet)), (None, None))


class Negotiation(Case):
    """NegotiateProtocolVersion is the server's, and comes once (pgbouncer #1459)."""

    VERSIONS = {"3.0": 3 << 16, "3.1": 3 << 16 | 1, "3.2": 3 << 16 | 2, "3.9999": 3 << 16 | 9999}

    def login(self, port, version, options):
        with Wire(("127.0.0.1", port)) as raw:
            raw.send(wire.startup(version=version, **options))
            messages = raw.until("Z")
            self.assertEqual(wire.rows(raw.ask(wire.query("select 1"))), [["1"]])
            return messages

    def test_it_comes_as_often_and_with_the_same_bytes_as_from_the_server(self):
        for name, version in self.VERSIONS.items():
            for options in ({}, {"_pq_.one": "1"}, {"_pq_.one": "1", "_pq_.test_protocol_negotiation": ""}):
                with self.subTest(version=name, options=options):
                    said = [[body for kind, body in self.login(port, version, options) if kind == "v"]
                            for port in (self.postgres.port, self.sluice.port)]
                    self.assertEqual(said[0], said[1])
                    self.assertLessEqual(len(said[1]), 1)
                    if options or name == "3.9999":
                        self.assertEqual(len(said[1]), 1)

    def test_the_cancel_key_of_the_agreed_version_cancels(self):
        for name, version in self.VERSIONS.items():
            with self.subTest(version=name), Wire(("127.0.0.1", self.sluice.port)) as raw:
                raw.send(wire.startup(version=version))
                (key,) = [body for kind, body in raw.until("Z") if kind == "K"]
                is_long = self.postgres.version >= 18 and name not in ("3.0", "3.1")
                self.assertEqual(len(key), 36 if is_long else 8)
                raw.send(wire.query("select pg_sleep(20)"))
                raw.key = struct.unpack("!i", key[:4])
                self.wait_until_asleep(raw)
                with Wire(("127.0.0.1", self.sluice.port)) as other:
                    other.send(struct.pack("!ii", len(key) + 8, 80877102) + key)
                    self.assertEqual(other.rest(), b"")
                self.assertEqual([error["C"] for error in wire.errors(raw.until("Z"))], ["57014"])


class Cancel(Case):
    def test_wrong_keys_harm_nobody(self):
        victim = self.wire()
        victim.send(wire.query("select pg_sleep(1)"))
        pid, key = victim.key
        guesses = [struct.pack("!iI", pid, key ^ 1 << bit) for bit in range(0, 32, 5)]
        guesses += [struct.pack("!iI", pid + 1, key), struct.pack("!iI", 0, key), struct.pack("!iI", -1, 0),
                    struct.pack("!i", pid) + b"\xff" * 256, struct.pack("!i", pid) + b"k", struct.pack("!i", pid) + bytes(32)]
        for guess in guesses:
            with Wire(("127.0.0.1", self.sluice.port)) as raw:
                raw.send(struct.pack("!ii", len(guess) + 8, 80877102) + guess)
                self.assertEqual(raw.rest(), b"")
        self.assertEqual(wire.errors(victim.until("Z")), [])

    def test_a_key_that_cannot_be_one_is_refused(self):
        for key in (b"", b"k" * 257, b"k" * 9000):
            with Wire(("127.0.0.1", self.sluice.port)) as raw:
                raw.send(struct.pack("!iii", len(key) + 12, 80877102, 1) + key)
                self.assertEqual([error["C"] for error in wire.errors(raw.rest_messages())], ["08P01"])


class Silence(EncryptedCase):
    """Whoever stops in the middle of the start-up is ended by login_timeout, in whichever phase."""

    settings = {"limits": {"login_timeout": "1s"}}

    @classmethod
    def make_doors(cls):
        cls.deaf = ScriptedServer(lambda peer: peer.read_to_end())
        cls.addClassCleanup(cls.deaf.close)
        behind = listener("allow")
        behind["proxy_protocol"] = {"from": ["127.0.0.0/8"]}
        return {"tls": listener("allow"), "balanced": behind, "deaf": listener("allow", upstream="deaf"),
                "deaf-tls": listener("allow", upstream="deaf-tls")}

    @classmethod
    def make_upstreams(cls):
        return [upstream(cls.postgres.port), upstream(cls.deaf.port, "disable", "deaf"),
                upstream(cls.deaf.port, "require", "deaf-tls")]

    def assert_ended(self, raws):
        """Within a second or a little more, however many wait at once."""
        begin = time.monotonic()
        before = self.sluice.counter("login_timeouts")
        for name, raw in raws.items():
            with self.subTest(name):
                raw.rest()
                self.assertLess(time.monotonic() - begin, 3)
                raw.close()
        self.assertEqual(self.sluice.counter("login_timeouts") - before, len(raws))

    def test_in_every_phase_before_tls(self):
        raws = {}
        for door, data in (("tls", b""), ("tls", b"\0\0"), ("tls", wire.startup()[:30]), ("tls", wire.SSL_REQUEST[:7]),
                           ("tls", wire.SSL_REQUEST), ("tls", CLIENT_HELLO[:1]), ("tls", CLIENT_HELLO), ("balanced", b""),
                           ("balanced", b"PROXY TCP4 1."), ("balanced", b"PROXY UNKNOWN\r\n"),
                           ("balanced", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x01"),
                           ("balanced", b"PROXY UNKNOWN\r\n" + CLIENT_HELLO),
                           ("deaf", wire.startup()), ("deaf-tls", wire.startup())):
            raw = raws[f"{door} {data[:40]!r}"] = Wire(self.address(door), timeout=10)
            raw.send(data)
        self.assert_ended(raws)

    def test_in_every_phase_inside_tls(self):
        raws = {}
        for data in (b"", b"\0\0", wire.startup()[:30], wire.startup("scram_user")):
            for is_direct in (False, True):
                raw = raws[f"{data!r} {is_direct}"] = EncryptedWire(self.address("tls"), is_direct=is_direct, timeout=10)
                raw.send(data)
        self.assert_ended(raws)

    def test_half_a_client_hello_behind_the_yes(self):
        with Wire(self.address("tls"), timeout=10) as raw:
            raw.send(wire.SSL_REQUEST)
            self.assertEqual(raw.read(1), b"S")
            raw.send(CLIENT_HELLO)
            begin = time.monotonic()
            raw.rest()
            self.assertLess(time.monotonic() - begin, 3)

    def test_a_byte_now_and_then_wins_no_time(self):
        with Wire(self.address("tls"), timeout=0.1) as raw:
            begin = time.monotonic()
            with self.assertRaises((wire.Closed, OSError)):
                for byte in wire.startup(application_name="n" * 100):
                    raw.send(bytes([byte]))
                    with self.assertRaises(AssertionError):
                        raw.read_some()  # nothing within 0.1 s
            self.assertLess(time.monotonic() - begin, 2.5)

    def test_who_logged_in_in_time_is_left_alone(self):
        raw = self.encrypted("tls")
        raw.login()
        time.sleep(1.5)
        self.assertEqual(wire.rows(raw.ask(wire.query("select 1"))), [["1"]])


class Unfollowed(Case):
    """A server that answers what nobody asked: the sluice cannot know any more whose answers are whose."""

    @classmethod
    def setUpClass(cls):
        pass

    def before(self, mode):
        def script(peer):
            peer.log_in()
            peer.read_message()
            peer.send(scripted.message("1") + scripted.message("C", b"SELECT 1\0") + scripted.READY)
            while True:
                kind, _ = peer.read_message()
                peer.send(scripted.message("C", kind.encode() + b"\0") + scripted.READY)

        server = ScriptedServer(script)
        self.addCleanup(server.close)
        sluice = Sluice([f"127.0.0.1:{server.port}"], guard={"mode": mode})
        self.addCleanup(sluice.stop)
        return sluice

    def test_where_nothing_is_enforced_it_flows_and_is_shown(self):
        for mode in ("observe", "off"):
            sluice = self.before(mode)
            with Wire(("127.0.0.1", sluice.port)) as raw:
                raw.login()
                raw.send(wire.query("select 1"))
                self.assertEqual(wire.kinds(raw.until("Z")), "1CZ")
                raw.send(wire.query("select 2"))
                self.assertEqual(wire.kinds(raw.until("Z")), "CZ")
                (row,) = sluice.console("SHOW SESSIONS")
                self.assertEqual((row["phase"], sluice.counter("unfollowed")), ("unfollowed", 1))
            (event,) = sluice.events("session_unfollowed")
            self.assertIn("not in flight", event["reason"])

    def test_under_enforcement_it_is_closed(self):
        sluice = self.before("enforce")
        with Wire(("127.0.0.1", sluice.port)) as raw:
            raw.login()
            raw.send(wire.query("select 1"))
            errors = wire.errors(raw.rest_messages())
        self.assertEqual([(error["S"], error["C"]) for error in errors], [("FATAL", "08P01")])
        self.assertEqual(sluice.counter("unfollowed"), 1)
        self.wait_for(lambda: not sluice.console("SHOW SESSIONS"), "it is gone")


if __name__ == "__main__":
    main()
