# SPDX-License-Identifier: PostgreSQL
"""Behind a load balancer that says by a PROXY header whose connection it carries."""
import socket
import ssl
import struct

from harness import wire
from harness.case import main
from harness.encrypted import EncryptedCase, EncryptedWire, client_context, listener, upstream
from harness.wire import Wire

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
PROXY, LOCAL = 0x21, 0x20
UNSPEC, TCP4, UDP4, TCP6, UNIX = 0x00, 0x11, 0x12, 0x21, 0x31


def line(words):
    return f"PROXY {words}\r\n".encode()


def block(family, body, command=PROXY):
    return SIGNATURE + struct.pack("!BBH", command, family, len(body)) + body


def ipv4(address, port=5555):
    return socket.inet_aton(address) + socket.inet_aton("192.0.2.1") + struct.pack("!HH", port, 6432)


def ipv6(address, port=5555):
    return socket.inet_pton(socket.AF_INET6, address) + bytes(16) + struct.pack("!HH", port, 6432)


TLVS = b"\x04\0\x03abc" + b"\x20\0\x05\x01\0\0\0\0" + b"\xea\0\0"

# headers, and the address that they tell; None: the balancer's own
HEADERS = {
    "version 1, TCP4": (line("TCP4 10.1.2.3 192.0.2.1 5555 6432"), "10.1.2.3:5555"),
    "version 1, TCP6": (line("TCP6 2001:db8::7 ::1 5555 6432"), "[2001:db8::7]:5555"),
    "version 1, UNKNOWN": (line("UNKNOWN"), None),
    "version 1, UNKNOWN with words": (line("UNKNOWN ffff::1 ffff::2 1 2"), None),
    "version 2, TCP4": (block(TCP4, ipv4("10.1.2.3")), "10.1.2.3:5555"),
    "version 2, TCP4 with TLVs": (block(TCP4, ipv4("10.1.2.3") + TLVS), "10.1.2.3:5555"),
    "version 2, TCP6": (block(TCP6, ipv6("2001:db8::7")), "[2001:db8::7]:5555"),
    "version 2, TCP6 with TLVs": (block(TCP6, ipv6("2001:db8::7") + TLVS), "[2001:db8::7]:5555"),
    "version 2, LOCAL": (block(UNSPEC, b"", LOCAL), None),
    "version 2, LOCAL with an address": (block(TCP4, ipv4("10.1.2.3"), LOCAL), None),
    "version 2, UNSPEC": (block(UNSPEC, b"whatever"), None),
}

MALFORMED = {
    "no header": wire.startup("plain_user"),
    "an SSLRequest": wire.SSL_REQUEST,
    "TLS": b"\x16\x03\x01\x02\0\x01",
    "another line": b"GET / HTTP/1.1\r\n\r\n",
    "a line without a family": b"PROXY\r\n",
    "a number too large": line("TCP4 1.2.3.256 1.2.3.4 1 2"),
    "a port too large": line("TCP4 1.2.3.4 1.2.3.4 65536 2"),
    "two spaces": line("TCP4  1.2.3.4 1.2.3.4 1 2"),
    "words left": line("TCP4 1.2.3.4 1.2.3.4 1 2 3"),
    "the other family": line("TCP4 ::1 ::1 1 2"),
    "a bare line feed": b"PROXY UNKNOWN\n",
    "a line that does not end": b"PROXY UNKNOWN " + b"x" * 200,
    "version 3": SIGNATURE + b"\x31\x11\0\x0c" + ipv4("1.2.3.4"),
    "an unknown command": block(TCP4, ipv4("1.2.3.4"), 0x22),
    "a datagram": block(UDP4, ipv4("1.2.3.4")),
    "an address cut short": block(TCP4, b"\1\2\3\4"),
    "a TLV that goes too far": block(TCP4, ipv4("1.2.3.4") + b"\x04\0\x09abc"),
    "more than there may be": block(TCP4, ipv4("1.2.3.4") + b"\x04\x1f\xfd" + b"x" * 8189),
    "a broken signature": SIGNATURE[:-1] + b"x",
}


class Balanced(EncryptedCase):
    settings = {"limits": {"login_timeout": "3s"}}

    @classmethod
    def make_doors(cls):
        doors = {"plain": listener("disable"), "tls": listener("allow"), "strict": listener("require"),
                 "elsewhere": listener("allow"), "direct": listener("allow")}
        for name, networks in (("plain", ["192.0.2.0/24", "127.0.0.0/8"]), ("tls", ["127.0.0.1/32"]),
                               ("strict", ["127.0.0.1/32"]), ("elsewhere", ["10.0.0.0/8", "::1/128"])):
            doors[name]["proxy_protocol"] = {"from": networks}
        return doors

    @classmethod
    def make_upstreams(cls):
        return [upstream(cls.postgres.port, "disable")]

    def raw(self, door="plain"):
        raw = Wire(self.address(door), timeout=10)
        self.addCleanup(raw.close)
        return raw

    def sessions(self):
        return {row["application_name"]: row for row in self.sluice.console("SHOW SESSIONS")}

    def setUp(self):
        self.wait_for(lambda: not self.sessions(), "nobody is there")

    def assert_shown(self, name, address):
        shown = self.sessions()[name]["address"]
        if address:
            self.assertEqual(shown, address)
        else:
            self.assertRegex(shown, r"^127\.0\.0\.1:\d+$")


class Headers(Balanced):
    def test_each_tells_the_address_in_the_console_and_in_the_log(self):
        for number, (name, (header, address)) in enumerate(HEADERS.items()):
            with self.subTest(name):
                raw = self.raw()
                raw.send(header)
                raw.login("plain_user", application_name=f"header {number}")
                self.assert_shown(f"header {number}", address)
                (event,) = [row for row in self.sluice.events("session_opened")
                            if row.get("application_name") == f"header {number}"]
                if address:
                    self.assertEqual(event["address"], address)
                raw.close()

    def test_each_may_come_in_pieces_and_together_with_what_follows(self):
        expected = {}
        for number, (header, address) in enumerate(HEADERS.values()):
            for cut in range(len(header) + 4):
                name = f"cut {number} {cut}"
                expected[name] = address
                with self.subTest(name), Wire(self.address("plain"), timeout=10) as raw:
                    raw.send_cut(header + wire.startup("plain_user", application_name=name), [cut] if cut else [], pause=0.002)
                    raw.until("Z")
        told = {row["application_name"]: row["address"] for row in self.sluice.events("session_opened")
                if row.get("application_name", "").startswith("cut ")}
        self.assertEqual({name: told[name] if address else None for name, address in expected.items()}, expected)

    def test_byte_by_byte(self):
        for name, (header, address) in HEADERS.items():
            with self.subTest(name), Wire(self.address("plain"), timeout=10) as raw:
                raw.send_cut(header, [1] * len(header), pause=0.001)
                raw.login("plain_user", application_name="bytes")
                self.assert_shown("bytes", address)
            self.wait_for(lambda: not self.sessions(), "it is gone")

    def test_a_cancel_request_has_a_header_too(self):
        header = HEADERS["version 2, TCP4"][0]
        raw = self.raw()
        raw.send(header)
        raw.login("plain_user")
        raw.send(wire.query("select pg_sleep(20)"))
        self.wait_until_asleep(raw)
        other = self.raw()
        other.send(header + wire.cancel(*raw.key))
        self.assertEqual(other.rest(), b"")
        self.assertEqual([error["C"] for error in wire.errors(raw.until("Z"))], ["57014"])


class Judged(Balanced):
    settings = {"limits": {"sessions_per_address": 3},
                "services": [{"name": "kitchen", "when": {"address": "10.1.0.0/16"}},
                             {"name": "bar", "when": {"address": "2001:db8::/32"}}]}

    def test_services_and_bounds_go_by_the_address_told(self):
        raws = []
        for number in range(3):
            raws.append(self.raw())
            raws[-1].send(line(f"TCP4 10.1.2.3 192.0.2.1 {5555 + number} 6432"))
            raws[-1].login("plain_user", application_name=f"kitchen {number}")
        self.assertEqual({row["service"] for row in self.sessions().values()}, {"kitchen"})
        late = self.raw()
        late.send(line("TCP4 10.1.2.3 192.0.2.1 7777 6432") + wire.startup("plain_user"))
        (error,) = wire.errors(late.rest_messages())
        self.assertEqual(error["C"], "53300")
        other = self.raw()
        other.send(block(TCP6, ipv6("2001:db8::1")))
        other.login("plain_user", application_name="other")
        self.assertEqual(self.sessions()["other"]["service"], "bar")


class Behind(Balanced):
    """TLS goes on behind the header."""

    def test_both_ways_to_begin_tls_work(self):
        for header, address in HEADERS.values():
            for is_direct in (False, True):
                with EncryptedWire(self.address("strict"), is_direct=is_direct, before=(header, b"")) as raw:
                    raw.login("plain_user", application_name="behind")
                    self.assert_shown("behind", address)
                    self.assertEqual(self.sessions()["behind"]["client_tls"], "TLSv1.3")
                self.wait_for(lambda: not self.sessions(), "it is gone")

    def test_a_client_hello_may_come_with_the_header(self):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        with self.assertRaises(ssl.SSLWantReadError):
            client_context().wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
        hello = outgoing.read()
        for cut in (0, 10, 30, 45, 60, 200):
            with self.subTest(cut=cut), Wire(self.address("strict"), timeout=10) as raw:
                raw.send_cut(HEADERS["version 1, TCP4"][0] + hello, [cut] if cut else [], pause=0.01)
                self.assertEqual(raw.read(1), b"\x16")

    def test_a_request_for_tls_may_come_with_the_header_but_nothing_behind_it(self):
        header = HEADERS["version 2, TCP4 with TLVs"][0]
        with Wire(self.address("tls"), timeout=10) as raw:
            raw.send(header + wire.SSL_REQUEST)
            self.assertEqual(raw.read(1), b"S")
        with Wire(self.address("tls"), timeout=10) as raw:
            raw.send(header + wire.SSL_REQUEST + wire.startup(application_name="smuggled"))
            self.assertEqual(raw.rest(), b"")
        self.assertNotIn("smuggled", self.sluice.log())

    def test_a_header_inside_tls_or_a_second_one_is_none(self):
        header = HEADERS["version 1, TCP4"][0]
        with EncryptedWire(self.address("strict"), before=(header, b"")) as raw:
            raw.send(header)
            self.assertEqual([error["C"] for error in wire.errors(raw.rest_messages())], ["08P01"])
        with Wire(self.address("plain"), timeout=10) as raw:
            raw.send(header + header)
            self.assertEqual([error["C"] for error in wire.errors(raw.rest_messages())], ["08P01"])


class Refusals(Balanced):
    def test_who_is_no_load_balancer_is_refused(self):
        with Wire(self.address("elsewhere"), timeout=10) as raw:
            raw.send(wire.startup("plain_user"))
            (error,) = wire.errors(raw.rest_messages())
        self.assertEqual((error["S"], error["C"]), ("FATAL", "28000"))
        self.assertIn("load balancers", error["M"])
        self.refused_reason("in none of the networks of proxy_protocol")
        with EncryptedWire(self.address("elsewhere")) as raw:
            raw.send(wire.startup("plain_user"))
            self.assertEqual([error["C"] for error in wire.errors(raw.rest_messages())], ["28000"])

    def test_who_is_no_load_balancer_cannot_say_who_it_is(self):
        for header, _ in HEADERS.values():
            for door in ("elsewhere", "direct"):
                with self.subTest(header=header, door=door), Wire(self.address(door), timeout=10) as raw:
                    raw.send(header + wire.startup(application_name="liar"))
                    self.assertEqual([error["C"] for error in wire.errors(raw.rest_messages())], ["08P01"])
        self.refused_reason("a PROXY header where none is expected")
        self.assertNotIn("liar", self.sluice.log())
        self.assertTrue(all(row["address"].startswith("127.") for row in self.sluice.events("session_refused")))

    def test_who_is_no_load_balancer_cannot_cancel(self):
        header = HEADERS["version 2, TCP4"][0]
        raw = self.raw()
        raw.send(header)
        raw.login("plain_user")
        raw.send(wire.query("select pg_sleep(1)"))
        with Wire(self.address("elsewhere"), timeout=10) as other:
            other.send(wire.cancel(*raw.key))
            self.assertEqual(other.rest(), b"")
        self.assertEqual(wire.errors(raw.until("Z")), [])

    def test_what_is_no_header_ends_the_connection_and_the_log_says_why(self):
        for name, data in MALFORMED.items():
            with self.subTest(name):
                before = len(self.sluice.events("session_refused"))
                with Wire(self.address("plain"), timeout=10) as raw:
                    raw.send(data)
                    self.assertEqual(raw.rest(), b"")
                refused = self.wait_for(lambda: self.sluice.events("session_refused")[before:], "the log says it")
                self.assertEqual(len(refused), 1)
                self.assertRegex(refused[0]["reason"], "^bad PROXY header: ")

    def test_half_a_header_and_a_look_whether_the_port_answers_cost_nothing(self):
        for header, _ in HEADERS.values():
            for size in range(len(header)):
                with Wire(self.address("plain"), timeout=10) as raw:
                    raw.send(header[:size])
        for _ in range(3):  # a health check
            with Wire(self.address("plain"), timeout=10) as raw:
                raw.send(HEADERS["version 2, LOCAL"][0])
        raw = self.raw()
        raw.send(HEADERS["version 1, TCP4"][0])
        raw.login("plain_user")
        self.wait_for(lambda: len(self.sessions()) == 1, "only this one is left")


if __name__ == "__main__":
    main()
