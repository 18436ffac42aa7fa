# SPDX-License-Identifier: PostgreSQL
"""Whatever a client or a server sends, it costs one session at most, and nobody else notices."""
import os
import random
import socket
import struct
import subprocess
import threading
import time

from harness import machine, scripted, wire
from harness.case import Case, main, postgres, psql
from harness.scripted import LOGIN, READY, ScriptedServer
from harness.sluice import Sluice
from harness.wire import Wire

LYING_LENGTHS = (0, 1, 2, 3, 0x7fffffff, 0x80000000, 0xffffffff, 0x80000003)


class Guarded(Case):
    """A canary session works through all that a test does; the sluice stays the same process."""

    settings = {"limits": {"login_timeout": "2s"}}

    def setUp(self):
        self.canary = self.connect(application_name="canary")
        with self.canary.cursor() as cursor:
            cursor.execute("select pg_backend_pid()")
            self.backend = cursor.fetchone()
        self.process = self.sluice.process.pid

    def tearDown(self):
        with self.canary.cursor() as cursor:
            cursor.execute("select pg_backend_pid()")
            self.assertEqual(cursor.fetchone(), self.backend)
        self.assertIsNone(self.sluice.process.poll())

    def address(self):
        return "127.0.0.1", self.sluice.port

    def end_of(self, *data, login=False, shut=False):
        """What the sluice says to bytes until it closes."""
        with Wire(self.address(), timeout=10) as raw:
            if login:
                raw.login()
            try:
                raw.send(*data)
                if shut:
                    raw.socket.shutdown(socket.SHUT_WR)
            except ConnectionError:
                pass
            return raw.rest()

    def assert_fatal(self, said, *sqlstates):
        self.assertEqual(said[:1], b"E", said)
        (size,) = struct.unpack("!i", said[1:5])
        error = wire.fields(said[5:size + 1])
        self.assertEqual(error["S"], "FATAL")
        self.assertIn(error["C"], sqlstates)
        return error


class Clients(Guarded):
    def test_a_first_packet_of_garbage_ends_its_connection(self):
        chance = random.Random(1)
        for garbage in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01", b"\0" * 100, b"\xff" * 100,
                        b"SSH-2.0-OpenSSH\r\n", *(chance.randbytes(chance.randrange(8, 300)) for _ in range(50))):
            with self.subTest(garbage=garbage[:20]):
                said = self.end_of(garbage, shut=True)
                if said:
                    self.assert_fatal(said, "08P01", "0A000")

    def test_a_lying_length_before_login_gets_a_clear_error(self):
        for length in LYING_LENGTHS + (4, 7, 10009, 10001, 65536):
            with self.subTest(length=length):
                said = self.end_of(struct.pack("!II", length, 196608) + b"user\0postgres\0\0", shut=True)
                if length >= 8 and length <= 10004:
                    self.assertEqual(said, b"")
                else:
                    self.assert_fatal(said, "08P01")

    def test_a_startup_packet_that_is_no_list_of_pairs_gets_a_clear_error(self):
        for body in (b"\0", b"user\0", b"user\0postgres", b"user\0postgres\0", b"user\0postgres\0extra\0\0",
                     b"\0user\0postgres\0\0", b"database\0postgres\0\0", b"user\0\0\0"):
            with self.subTest(body=body):
                said = self.end_of(struct.pack("!II", len(body) + 8, 196608) + body, shut=True)
                self.assert_fatal(said, "08P01", "28000")

    def test_an_unsupported_protocol_gets_a_clear_error(self):
        for version in (2 << 16, 1 << 16, 4 << 16, 0, 80877105):
            said = self.end_of(wire.startup(version=version), shut=True)
            self.assertIn("protocol", self.assert_fatal(said, "0A000", "08P01")["M"])

    def test_a_lying_length_after_login_ends_the_session(self):
        for kind in b"QPBDECHSFdcfXp":
            for length in LYING_LENGTHS:
                with self.subTest(kind=chr(kind), length=length):
                    data = struct.pack("!BI", kind, length) + b"x" * 20
                    said = self.end_of(data, login=True, shut=length > 3)
                    if said:
                        self.assert_fatal(said, "08P01")
                    elif length <= 3 or length >= 0x80000000:
                        self.fail("no word about it")

    def test_a_message_beyond_the_servers_own_limit_is_not_waited_for(self):
        for kind in b"SHEDCcf":
            said = self.end_of(struct.pack("!BI", kind, 0x7fffffff), login=True, shut=True)
            if said:
                self.assert_fatal(said, "08P01")

    def test_unknown_message_types_end_the_session(self):
        for kind in (0, 1, 0x20, ord("?"), ord("R"), ord("Z"), ord("T"), 0x7f, 0x80, 0xff):
            with self.subTest(kind=kind):
                said = self.end_of(struct.pack("!BI", kind, 4), login=True)
                self.assert_fatal(said, "08P01")

    def test_messages_whose_fields_do_not_fit_get_the_servers_answer(self):
        for kind, body in (("P", b""), ("P", b"a"), ("P", b"\0select 1\0"), ("P", b"\0select 1\0\0\5"), ("B", b""), ("B", b"\0\0"),
                           ("B", b"\0\0\0\1"), ("D", b""), ("D", b"X\0"), ("E", b""), ("E", b"\0"), ("C", b"S"), ("Q", b""),
                           ("Q", b"select 1"), ("Q", b"select 1\0more"), ("Q", b"drop table x"), ("Q", b"select 1\0;drop table x\0"),
                           ("F", b""), ("F", b"\0\0\0\1"), ("S", b"x"), ("H", b"x"), ("c", b"x"), ("X", b"x")):
            with self.subTest(kind=kind, body=body):
                answers = []
                for port in (self.postgres.port, self.sluice.port):
                    with Wire(("127.0.0.1", port)) as raw:
                        raw.login()
                        raw.send(wire.message(kind, body), wire.sync(), wire.query("select 'alive'"), wire.terminate())
                        answers.append(raw.rest())
                self.assertEqual(answers[1], answers[0])

    def test_a_client_that_vanishes_anywhere_is_forgotten(self):
        data = wire.startup(application_name="vanishes") + wire.query("select 'x' || pg_sleep(0)") + \
            wire.parse("insert into nowhere values ($1)") + wire.bind(values=["1"]) + wire.execute() + wire.sync()
        for cut in range(0, len(data), 3):
            raw = Wire(self.address())
            raw.send(data[:cut])
            raw.reset() if cut % 2 else raw.close()
        for cut in (1, 5, 100_000):
            raw = Wire(self.address())
            raw.login(application_name="vanishes")
            raw.send(wire.query("select '" + "x" * 500_000 + "'")[:cut + 10])
            raw.reset()
            raw = Wire(self.address())
            raw.login(application_name="vanishes")
            raw.send(wire.query("select repeat('y', 10000) from generate_series(1, 5000)"))
            raw.read(cut)
            raw.reset()
        self.wait_for(lambda: self.postgres.value(
            "select count(*) = 0 from pg_stat_activity where application_name = 'vanishes'"), "the backends end")
        self.wait_for(lambda: len(self.sluice.console("SHOW SESSIONS")) == 1, "only the canary is left")

    def test_a_login_that_takes_too_long_is_ended(self):
        raws = []
        for data in (b"", b"\0", wire.startup()[:20], wire.SSL_REQUEST, wire.startup("md5_user")):
            raws.append(Wire(self.address(), timeout=6))
            raws[-1].send(data)
        for raw in raws:
            raw.rest()
            raw.close()
        self.assertGreaterEqual(self.sluice.counter("login_timeouts"), 5)

    def test_ten_thousand_lying_headers_grow_no_memory(self):
        for _ in range(200):
            self.end_of(b"\x7f\xff\xff\xff\0\3\0\0", shut=True)
        before = self.sluice.resident_kib()
        for _ in range(3000):
            raw = Wire(self.address())
            raw.send(b"\x7f\xff\xff\xff\0\3\0\0")
            raw.close()
        time.sleep(0.3)
        if not machine.is_sanitized():
            self.assertLess(self.sluice.resident_kib() - before, 4 << 10)

    def test_a_client_that_never_reads_costs_little_memory(self):
        raw = Wire(self.address())
        raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        raw.login()
        before = self.sluice.resident_kib()
        raw.send(wire.query("select repeat('x', 1000000) from generate_series(1, 1000)"))
        highest = 0
        for _ in range(20):
            time.sleep(0.1)
            highest = max(highest, self.sluice.resident_kib())
        raw.close()
        if not machine.is_sanitized():
            self.assertLess(highest - before, 8 << 10)

    def test_a_server_that_never_reads_costs_little_memory(self):
        raw = self.wire()
        before = self.sluice.resident_kib()
        raw.send(wire.query("select pg_sleep(3)"))
        raw.socket.settimeout(0.5)
        sent = 0
        piece = wire.query("select '" + "z" * 1_000_000 + "'")
        try:
            for _ in range(100):
                raw.socket.sendall(piece)
                sent += len(piece)
        except socket.timeout:
            pass
        self.assertLess(sent, 60_000_000)
        if not machine.is_sanitized():
            self.assertLess(self.sluice.resident_kib() - before, 8 << 10)

    def test_more_requests_in_flight_than_the_limit_wait_and_all_are_answered(self):
        sluice = self.new_sluice(limits={"in_flight": 4096})
        with Wire(("127.0.0.1", sluice.port)) as raw:
            raw.login()
            count = 6000
            data = b"".join(wire.parse(f"select {n}") + wire.bind() + wire.execute() for n in range(count)) + wire.sync()
            sender = threading.Thread(target=raw.send, args=(data,))
            sender.start()
            messages = raw.until("Z")
            sender.join()
            self.assertEqual([row[0] for row in wire.rows(messages)], [str(n) for n in range(count)])
            raw.send(b"".join(wire.query(f"select {n}") for n in range(count)))
            self.assertEqual([row[0] for row in wire.rows(raw.until("Z", count))], [str(n) for n in range(count)])

    def test_more_prepared_names_than_the_limit_end_no_session(self):
        sluice = self.new_sluice(limits={"prepared_statements": 100})
        with Wire(("127.0.0.1", sluice.port)) as raw:
            raw.login()
            raw.send(b"".join(wire.parse(f"select {n}", f"s{n}") for n in range(300)), wire.sync())
            self.assertEqual(wire.errors(raw.until("Z")), [])
            for n in (0, 99, 100, 299):
                messages = raw.ask(wire.bind("", f"s{n}"), wire.execute(), wire.sync())
                self.assertEqual(wire.rows(messages), [[str(n)]])
        self.assertGreater(sluice.counter("statements_not_tracked"), 0)

    def test_random_bytes_after_login_cost_no_one_else_a_thing(self):
        chance = random.Random(5)
        for _ in range(150):
            data = b"".join(chance.choice((wire.query("select 1"), wire.sync(), wire.parse("select 2"), wire.bind(),
                                           chance.randbytes(chance.randrange(1, 40)))) for _ in range(6))
            self.end_of(data, login=True, shut=True)


class Upstreams(Guarded):
    """The canary's server is PostgreSQL; beside it stand servers that lie."""

    @classmethod
    def setUpClass(cls):
        cls.script = None
        cls.server = ScriptedServer(lambda peer: cls.script(peer))
        cls.addClassCleanup(cls.server.close)
        cls.hostile_port = machine.free_port()
        cls.down_port = machine.free_port()
        nowhere = [f"127.0.0.1:{machine.free_port()}", "/nonexistent/.s.PGSQL.5432"]
        cls.settings = {
            "listen": [{"address": f"127.0.0.1:{port}", "upstream": name} for port, name in (
                (machine.free_port(), "main"), (cls.hostile_port, "hostile"), (cls.down_port, "down"))],
            "upstreams": [{"name": "main", "hosts": [f"127.0.0.1:{postgres().port}"]},
                          {"name": "hostile", "hosts": [f"127.0.0.1:{cls.server.port}"]},
                          {"name": "down", "hosts": nowhere, "connect_timeout": "1s"}],
        }
        super().setUpClass()

    def play(self, script, *messages, seconds=10):
        """What a client gets that logs in to a server with this script and then sends messages."""
        type(self).script = staticmethod(script)
        with Wire(("127.0.0.1", self.hostile_port), timeout=seconds) as raw:
            raw.send(wire.startup(), *messages)
            return raw.rest()

    def after_login(self, answer):
        def script(peer):
            peer.log_in()
            peer.read_message()
            peer.send(answer)
            peer.socket.shutdown(socket.SHUT_WR)
            peer.read_to_end()

        return self.play(script, wire.query("select 1"))

    def test_an_upstream_that_is_down_gets_the_client_a_fatal_in_words(self):
        done = psql(self.down_port, "-c", "select 1")
        self.assertEqual(done.returncode, 2)
        self.assertIn('could not connect to upstream "down"', done.stderr)
        with Wire(("127.0.0.1", self.down_port)) as raw:
            raw.send(wire.startup())
            self.assert_fatal(raw.rest(), "08006")

    def test_a_cancel_for_an_upstream_that_is_down_just_ends(self):
        with Wire(("127.0.0.1", self.down_port)) as raw:
            raw.send(wire.cancel(1, 2))
            self.assertEqual(raw.rest(), b"")

    def test_a_server_that_vanishes_mid_answer_ends_its_session_only(self):
        row = scripted.message("D", struct.pack("!hi", 1, 1000) + b"x" * 1000)
        for cut in (1, 4, 5, 6, 200, len(row)):
            said = self.after_login(row[:cut])
            self.assertEqual(said, LOGIN + (row[:cut] if cut >= 5 else b""))

    def test_a_server_that_resets_mid_answer_ends_its_session_only(self):
        def script(peer):
            peer.log_in()
            peer.read_message()
            peer.send(b"D\0\0\1\0half")
            peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        self.assertTrue(self.play(script, wire.query("select 1")).startswith(LOGIN))

    def test_the_last_words_of_a_server_reach_a_client_that_is_still_talking(self):
        last = scripted.message("E", b"SFATAL\0VFATAL\0C57P01\0Mterminating connection\0\0")

        def script(peer):
            peer.log_in()
            peer.read_message()
            time.sleep(0.02)
            peer.send(last)

        def talk(raw):
            try:
                for _ in range(3000):
                    raw.socket.sendall(wire.query("select 1"))
            except OSError:
                pass

        type(self).script = staticmethod(script)
        for _ in range(40):
            with Wire(("127.0.0.1", self.hostile_port)) as raw:
                raw.login()
                talker = threading.Thread(target=talk, args=(raw,))
                talker.start()
                said = raw.rest()
                talker.join()
                self.assertTrue(said.endswith(last), said)

    def test_a_server_that_closes_at_once_ends_its_session_only(self):
        self.play(lambda peer: None)
        self.play(lambda peer: peer.read_startup() and None)

    def test_lying_lengths_of_the_server_are_survived(self):
        for kind in b"RSKZTDCENAGHWdcVsnt123I":
            for length in LYING_LENGTHS:
                with self.subTest(kind=chr(kind), length=length):
                    answer = struct.pack("!BI", kind, length) + b"C42601\0M" + b"x" * 30
                    said = self.after_login(answer + READY)
                    self.assertTrue(said.startswith(LOGIN))

    def test_lying_lengths_during_login_are_survived(self):
        for kind in b"RSKZEN":
            for length in LYING_LENGTHS:
                def script(peer, data=struct.pack("!BI", kind, length) + b"x" * 30):
                    peer.read_startup()
                    peer.send(data)
                    peer.socket.shutdown(socket.SHUT_WR)
                    peer.read_to_end()

                with self.subTest(kind=chr(kind), length=length):
                    self.play(script)

    def test_authentication_messages_that_are_cut_or_odd_are_survived(self):
        for body in (b"", b"\0", b"\0\0\0", b"\0\0\0\x05", b"\0\0\0\x05ab", b"\0\0\0\x0a", b"\0\0\0\x0aSCRAM", b"\xff\xff\xff\xff",
                     b"\0\0\0\x0c" + b"v" * 5000):
            def script(peer, body=body):
                peer.read_startup()
                peer.send(scripted.message("R", body))
                peer.socket.shutdown(socket.SHUT_WR)
                peer.read_to_end()

            with self.subTest(body=body[:12]):
                self.play(script)

    def test_errors_in_every_shape_pass_unchanged(self):
        for body in (b"", b"\0", b"C\0\0", b"C2350\0\0", b"C235055\0\0", b"SERROR\0", b"SERROR\0C23505", b"C23505\0C23514\0\0",
                     b"SERROR\0VERROR\0C23505\0M\xff\xfe\0t" + b"t" * 5000 + b"\0n" + b"n" * 5000 + b"\0\0",
                     b"?what\0C23505\0\0", b"MDuplicate\0MDuplicate\0\0", b"C23505\0\0trailing", b"c" * 40000 + b"\0\0"):
            answer = scripted.message("E", body) + READY
            with self.subTest(body=body[:20]):
                self.assertEqual(self.after_login(answer), LOGIN + answer)

    def test_an_error_in_the_old_protocols_form_passes_and_ends(self):
        old = b"Esorry, too many clients already\n\0"

        def script(peer):
            peer.read_startup()
            peer.send(old)
            peer.socket.shutdown(socket.SHUT_WR)
            peer.read_to_end()

        self.assertEqual(self.play(script), old)

    def test_unknown_and_unasked_messages_of_the_server_are_survived(self):
        for answer in (b"\0\0\0\0\4", b"?\0\0\0\4", b"y\0\0\0\5x", scripted.message("1") * 3, scripted.message("Z", b"I") * 5,
                       scripted.message("Z", b""), scripted.message("Z", b"?"), scripted.message("C", b"SELECT 1"), scripted.message("C"),
                       scripted.message("K", b"x"), scripted.message("S", b"no terminator"), scripted.message("T", b"\xff\xff"),
                       scripted.message("G"), scripted.message("W", b"\0\0\0"), scripted.message("c"), LOGIN):
            with self.subTest(answer=answer[:12]):
                self.assertTrue(self.after_login(answer + READY).startswith(LOGIN))

    def test_a_server_that_speaks_before_it_is_asked_is_survived(self):
        def script(peer):
            peer.send(LOGIN + READY)
            peer.read_startup()
            peer.read_to_end()

        type(self).script = staticmethod(script)
        with Wire(("127.0.0.1", self.hostile_port)) as raw:
            raw.send(wire.startup())
            raw.until("Z")

    def test_random_answers_are_survived(self):
        chance = random.Random(9)
        for _ in range(100):
            data = b"".join(chance.choice((READY, scripted.message("C", b"SELECT 1\0"), scripted.message("D", b"\0\0"),
                                           chance.randbytes(chance.randrange(1, 50)))) for _ in range(5))
            self.after_login(data)


class Starts(Case):
    """A start that cannot succeed says why and ends with status 1."""

    @classmethod
    def setUpClass(cls):
        pass

    def start_of(self, upstream=("127.0.0.1:5432",), text=None, **settings):
        sluice = Sluice(list(upstream), start=False, **settings)
        if text is not None:
            sluice.write(text)
        return sluice

    def assert_start_fails(self, sluice, *words):
        sluice.launch()
        status = sluice.process.wait(20)
        log = sluice.log()
        self.assertEqual(status, 1, log)
        for word in words:
            self.assertIn(word, log)
        self.assertNotIn("Sanitizer", log)

    def test_a_port_in_use_is_told(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            for settings in (dict(listen=[{"address": f"127.0.0.1:{port}", "upstream": "main"}]),
                             dict(console={"address": f"127.0.0.1:{port}"}),
                             dict(workers=3, listen=[{"address": f"127.0.0.1:{port}", "upstream": "main"}])):
                self.assert_start_fails(self.start_of(**settings), str(port), "in use")

    def test_two_sluices_on_one_port_do_not_share_it(self):
        first = self.start_of()
        first.start()
        self.addCleanup(first.stop)
        second = self.start_of(listen=first.settings["listen"])
        self.assert_start_fails(second, str(first.port), "in use")

    def test_an_unreadable_configuration_is_told(self):
        sluice = self.start_of()
        os.remove(sluice.path)
        self.assert_start_fails(sluice, "pgsluice.yaml")
        os.mkdir(sluice.path)
        self.assert_start_fails(sluice, "pgsluice.yaml")

    def test_a_wrong_configuration_is_told_with_its_line(self):
        for text, words in (
            ("", ("listen",)), ("listen: [", ("pgsluice.yaml",)), ("a: b\n", ("a",)), ("\0", ()), ("- 1\n- 2\n", ()),
            ("listen:\n  - { address: '127.0.0.1:6432', upstream: nowhere }\nupstreams:\n  - { name: main, hosts: ['127.0.0.1:1'] }\n",
             ("line=2", "nowhere")),
            ("listen:\n  - { address: here, upstream: main }\nupstreams:\n  - { name: main, hosts: ['127.0.0.1:1'] }\n", ("line=2", "here")),
            ("listen: &a [*a]\n", ()), ("x: " + "[" * 5000, ()), ("listen: 5\n", ("line=1",)),
        ):
            with self.subTest(text=text[:30]):
                self.assert_start_fails(self.start_of(text=text), *words)

    def test_check_says_what_start_would_say(self):
        good = self.start_of()
        self.assertEqual(good.check()[0], 0)
        self.assertIn("gate stays closed", good.check()[1])
        bad = self.start_of(guard={"mode": "of", "sqlstate": "abc"}, workers=0)
        status, said = bad.check()
        self.assertEqual(status, 1)
        for word in ("guard.mode", "guard.sqlstate", "workers"):
            self.assertRegex(said, rf"pgsluice.yaml:\d+:\d+: error: .*{word}")

    def check_of(self, window, files=(), **guard):
        """What check says of one more window beside a good one."""
        sluice = self.start_of(guard={"windows": [
            {"name": "good", "days": ["sun"], "from": "02:00", "to": "04:00", "allow": "modifying"},
            {"name": "odd", "allow": "additive", **window}], **guard})
        for name, content in files:
            with open(os.path.join(sluice.folder, name), "wb") as file:
                file.write(content)
        return sluice.check()

    def test_check_tells_what_is_wrong_with_the_times_of_a_window(self):
        daily = {"rrule": "FREQ=DAILY", "from": "02:00"}
        for window, words in (
            ({"from": "02:00", "to": "03:00", "timezone": "Mars/Phobos"}, "unknown time zone"),
            ({"from": "02:00", "to": "02:00"}, "closes when it opens"),
            ({"from": "2030-12-06T02:00:00Z", "to": "2030-12-05T02:00:00Z"}, "ends before it begins"),
            ({**daily, "rrule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "duration": "1h"}, "never occurs"),
            ({**daily, "rrule": "FREQ=SOMETIMES", "duration": "1h"}, "not a rule for a window"),
        ):
            with self.subTest(words=words):
                status, said = self.check_of(window)
                self.assertEqual(status, 1)
                self.assertRegex(said, rf"pgsluice.yaml:\d+:\d+: error: .*{words}")

    def test_check_warns_of_windows_that_may_not_be_what_is_meant(self):
        daily = {"rrule": "FREQ=DAILY", "from": "02:00"}
        for window, words in (
            ({**daily, "rrule": "FREQ=DAILY;UNTIL=20200101", "duration": "1h"}, "does not open in the next ten years"),
            ({**daily, "start": "2099-01-01", "duration": "1h"}, "does not open in the next ten years"),
            ({**daily, "duration": "24h"}, "never closes"),
            ({**daily, "rrule": "FREQ=WEEKLY;BYDAY=SA,SU", "duration": "25h"}, "run into one another"),
            ({"from": "2020-12-06T02:00:00Z", "to": "2020-12-07T02:00:00Z"}, "is over"),
            ({"from": "03:00", "to": "05:00"}, 'overlaps with "good" .* what "good" allows counts'),
        ):
            with self.subTest(words=words):
                status, said = self.check_of(window)
                self.assertEqual(status, 0, said)
                self.assertRegex(said, rf"pgsluice.yaml:\d+:\d+: warning: .*{words}")

    def test_check_bears_whatever_a_calendar_file_holds(self):
        event = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\n%s\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        for content, words in (
            (random.Random(7).randbytes(2000), "not an iCalendar file"),
            (b"\0" * 50, "not an iCalendar file"),
            (b"", "it is empty"),
            (event % b"DTSTART:20301201T020000Z\r\nDTEND:20301201T010000Z", "does not end after it begins"),
            (event % b"DTSTART;TZID=Mars/Phobos:20301201T020000\r\nDURATION:PT1H", "unknown time zone"),
        ):
            with self.subTest(words=words):
                status, said = self.check_of({"calendar": "odd.ics"}, [("odd.ics", content)])
                self.assertEqual(status, 1)
                self.assertRegex(said, rf"odd.ics(:\d+)?: error: .*{words}")
        status, said = self.check_of({"calendar": "missing.ics"})
        self.assertEqual(status, 1)
        self.assertRegex(said, r"pgsluice.yaml:\d+:\d+: error: .*missing.ics cannot be read")

    def test_check_tells_what_is_wrong_with_rules(self):
        for guard, words in (
            ({"rules": [{"name": "a", "action": "window", "windows": ["god"]}]}, 'error: .*did you mean "good"'),
            ({"rules": [{"name": "a", "action": "allow"}]}, "warning: .*lets every schema change pass"),
            ({"protected": ["a.b.c"]}, "error: .*more than one dot"),
            ({"modes": [{"mode": "off"}]}, "warning: .*guard.mode and the entries after it never count"),
        ):
            with self.subTest(words=words):
                status, said = self.check_of({"days": ["mon"], "from": "02:00", "to": "03:00"}, **guard)
                self.assertEqual(status, words.startswith("error"), said)
                self.assertRegex(said, rf"pgsluice.yaml:\d+:\d+: {words}")

    def test_wrong_arguments_get_usage_and_status_2(self):
        for arguments in ([], ["walk"], ["run", "--what"], ["run", "--config"], ["check", "extra"]):
            done = subprocess.run([machine.BINARY, *arguments], capture_output=True, text=True, timeout=10, check=False)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertTrue(done.stderr)
        for arguments in (["--version"], ["--help"]):
            done = subprocess.run([machine.BINARY, *arguments], capture_output=True, text=True, timeout=10, check=True)
            self.assertIn("pgsluice", done.stdout)


if __name__ == "__main__":
    main()
