# SPDX-License-Identifier: PostgreSQL
"""Bounds of how many sessions there may be, and of how long they may rest."""
import socket
import struct
import threading
import time

from harness import wire
from harness.case import Case, main
from harness.scripted import ScriptedServer
from harness.sluice import Sluice
from harness.wire import Wire


class Bounded(Case):
    def raw(self, sluice=None, user="postgres", **startup):
        raw = Wire(("127.0.0.1", (sluice or self.sluice).port))
        self.addCleanup(raw.close)
        raw.send(wire.startup(user, **startup))
        return raw

    def enters(self, sluice=None, **how):
        raw = self.raw(sluice, **how)
        self.assertEqual(wire.errors(raw.until("Z")), [])
        return raw

    def refused(self, sluice=None, **how):
        """The error of one too many, which comes before the server is asked for anything."""
        (error,) = wire.errors(self.raw(sluice, **how).rest_messages())
        self.assertEqual((error["S"], error["C"], error["R"]), ("FATAL", "53300", "pgsluice"))
        return error["M"]

    def count(self, sluice=None):
        return len((sluice or self.sluice).console("SHOW SESSIONS"))

    def leave(self, raws, sluice=None, left=0):
        for raw in raws:
            raw.close()
        self.wait_for(lambda: self.count(sluice) == left, "they have left")


class Sessions(Bounded):
    settings = {"limits": {"sessions": 3, "login_timeout": "2s"}}

    def setUp(self):
        self.wait_for(lambda: self.count() == 0, "nobody is there")

    def test_one_too_many_is_refused_and_may_come_when_another_has_left(self):
        raws = [self.enters() for _ in range(3)]
        refused = self.sluice.counter("sessions_refused")
        self.assertIn("too many clients", self.refused())
        self.assertEqual(self.sluice.counter("sessions_refused"), refused + 1)
        self.assertEqual(self.sluice.events("session_refused")[-1]["reason"], "limits.sessions reached")
        for leave in (lambda raw: raw.send(wire.terminate()), Wire.close, Wire.reset):
            leave(raws.pop(0))
            self.wait_for(lambda: self.count() == 2, "one has left")
            raws.append(self.enters())
            self.refused()
        self.leave(raws)

    def test_sessions_that_failed_do_not_count_on(self):
        for _ in range(4):
            raw = self.raw(user="no_one")
            self.assertEqual(wire.errors(raw.rest_messages())[0]["C"], "28000")
            raw = self.raw(database="nowhere")
            self.assertEqual(wire.errors(raw.rest_messages())[0]["C"], "3D000")
            self.raw().close()
            self.raw(user="md5_user").reset()
            self.wait_for(lambda: self.count() == 0, "all have left")
        self.leave([self.enters() for _ in range(3)])

    def test_logins_that_are_late_leave_too(self):
        raws = [self.raw(user="md5_user") for _ in range(3)]
        self.assertIn("too many clients", self.refused())
        for raw in raws:
            raw.rest()
        self.leave([self.enters() for _ in range(3)])

    def test_connections_that_wait_to_log_in_have_a_bound_too(self):
        sluice = self.new_sluice(limits={"sessions": 3, "login_timeout": "30s"})
        raws = [Wire(("127.0.0.1", sluice.port)) for _ in range(1003)]
        for raw in raws:
            self.addCleanup(raw.close)
        self.wait_for(lambda: self.count(sluice) == 1003, "they are there")
        for _ in range(5):
            with Wire(("127.0.0.1", sluice.port)) as late:
                self.assertEqual(late.rest(), b"")
        self.leave(raws[:5], sluice, 998)
        self.leave([self.enters(sluice) for _ in range(3)], sluice, 998)

    def test_a_cancel_request_and_the_console_still_come_in(self):
        raws = [self.enters() for _ in range(2)]
        victim = self.raw()
        victim.key = struct.unpack("!iI", [body for kind, body in victim.until("Z") if kind == "K"][0])
        victim.send(wire.query("select pg_sleep(20)"))
        self.wait_until_asleep(victim)
        with Wire(("127.0.0.1", self.sluice.port)) as other:
            other.send(wire.cancel(*victim.key))
            other.rest()
        self.assertEqual([error["C"] for error in wire.errors(victim.until("Z"))], ["57014"])
        self.leave(raws + [victim])

    def test_many_at_once_never_pass_the_bound(self):
        def knock():
            for _ in range(6):
                with Wire(("127.0.0.1", self.sluice.port)) as raw:
                    raw.send(wire.startup(application_name="knock"))
                    kind = "Z"
                    for kind, body in iter(raw.read_message, None):
                        if kind in "ZE":
                            break
                    said.append(kind if kind == "Z" else wire.fields(body)["C"])
                    if kind == "Z":
                        found = wire.rows(raw.ask(wire.query(
                            "select count(*) from pg_stat_activity where application_name = 'knock'")))
                        counts.append(int(found[0][0]))

        said, counts = [], []
        threads = [threading.Thread(target=knock) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(said), 48)
        self.assertLessEqual(set(said), {"Z", "53300"})
        self.assertIn("Z", said)
        self.wait_for(lambda: self.count() == 0, "all have left")
        self.leave([self.enters() for _ in range(3)])


class Workers(Bounded):
    """A bound is one for all workers."""

    settings = {"limits": {"sessions": 4, "sessions_per_service": 3}, "workers": 3}

    def test_the_bounds_hold_for_all_workers_together(self):
        raws = [self.enters(user="app") for _ in range(3)]
        for _ in range(6):
            self.assertIn('service "app"', self.refused(user="app"))
        raws.append(self.enters())
        for _ in range(6):
            self.assertIn("too many clients", self.refused())
        self.leave(raws)
        self.leave([self.enters() for _ in range(3)])


class Services(Bounded):
    settings = {"limits": {"sessions_per_service": 2}, "services": [{"name": "kitchen", "when": {"application_name": "k*"}}]}

    def test_each_service_has_a_bound_of_its_own(self):
        kitchen = [self.enters(application_name=name) for name in ("kds", "kitchen")]
        self.assertEqual(self.refused(application_name="k"), 'too many connections for service "kitchen"')
        others = [self.enters(user="app") for _ in range(2)]
        self.assertIn('service "app"', self.refused(user="app"))
        kitchen.pop().close()
        self.wait_for(lambda: self.count() == 3, "one has left")
        kitchen.append(self.enters(application_name="kds"))
        self.refused(application_name="kds")
        self.assertEqual(self.sluice.events("session_refused")[-1]["reason"], "limits.sessions_per_service reached")
        self.leave(kitchen + others)


class Addresses(Bounded):
    settings = {"limits": {"sessions_per_address": 2}}

    def test_each_address_has_a_bound_of_its_own(self):
        def from_address(host):
            raw = Wire.__new__(Wire)
            raw.socket = socket.create_connection(("127.0.0.1", self.sluice.port), 20, (host, 0))
            raw.timeout, raw.kept, raw.key = 20, b"", None
            self.addCleanup(raw.close)
            raw.send(wire.startup())
            return raw

        raws = []
        for host in ("127.0.0.1", "127.0.0.2", "127.0.0.3"):
            for _ in range(2):
                raws.append(from_address(host))
                raws[-1].until("Z")
            (error,) = wire.errors(from_address(host).rest_messages())
            self.assertEqual((error["C"], error["M"]), ("53300", "too many connections from this address"))
        self.leave(raws)
        reasons = {row["reason"] for row in self.sluice.events("session_refused")}
        self.assertEqual(reasons, {"limits.sessions_per_address reached"})


class Idle(Bounded):
    settings = {"limits": {"idle_timeout": "1s", "idle_in_transaction_timeout": "2s"}}

    def ends(self, raw, sqlstate, seconds):
        begin = time.monotonic()
        (error,) = wire.errors(raw.rest_messages())
        self.assertEqual((error["S"], error["C"]), ("FATAL", sqlstate))
        self.assertTrue(seconds - 0.1 <= time.monotonic() - begin < seconds + 1.5, time.monotonic() - begin)

    def test_a_session_that_rests_is_ended(self):
        before = self.sluice.counter("idle_timeouts")
        self.ends(self.enters(), "57P05", 1)
        raw = self.enters()
        time.sleep(0.6)
        raw.ask(wire.query("select 1"))
        self.ends(raw, "57P05", 1)
        self.assertEqual(self.sluice.counter("idle_timeouts"), before + 2)
        self.assertEqual(self.sluice.events("session_closed")[-1]["reason"], "idle-session timeout")

    def test_a_session_that_rests_in_a_transaction_is_ended_and_the_server_sees_no_broken_client(self):
        for failing in (False, True):
            raw = self.enters(application_name="rests")
            raw.ask(wire.query("begin; create temporary table t (n int)"))
            if failing:
                raw.ask(wire.query("select 1/0"))
            self.ends(raw, "25P03", 2)
            self.wait_for(lambda: not self.postgres.run("select from pg_stat_activity where application_name = 'rests'"),
                          "the backend is gone")
        self.assertNotRegex(self.postgres.log(), r"rests\|.*unexpected EOF")
        self.assertEqual(self.sluice.events("session_closed")[-1]["reason"], "idle-in-transaction timeout")

    def test_a_transaction_has_the_time_of_transactions(self):
        raw = self.enters()
        raw.ask(wire.query("begin"))
        time.sleep(1.5)
        self.assertEqual(wire.rows(raw.ask(wire.query("select 1"))), [["1"]])
        raw.ask(wire.query("commit"))
        self.ends(raw, "57P05", 1)

    def test_a_session_that_is_at_work_is_left_alone(self):
        raw = self.enters()
        for sql in ("select pg_sleep(2.5), 'worked'", "begin; select pg_sleep(2.5), 'worked'"):
            self.assertEqual(wire.rows(raw.ask(wire.query(sql)))[0][1], "worked")

    def test_a_session_that_says_something_now_and_then_is_left_alone(self):
        raw = self.enters()
        for _ in range(8):
            time.sleep(0.5)
            self.assertEqual(wire.rows(raw.ask(wire.query("select 1"))), [["1"]])

    def test_a_copy_that_goes_on_is_left_alone(self):
        self.postgres.run("create table if not exists slow_copy (n int)")
        raw = self.enters()
        raw.send(wire.query("copy slow_copy from stdin"))
        self.assertEqual(raw.until("G")[-1][0], "G")
        for number in range(4):
            time.sleep(0.7)
            raw.send(wire.copy_data(b"%d\n" % number))
        time.sleep(1.5)
        raw.send(wire.copy_done())
        self.assertEqual(wire.errors(raw.until("Z")), [])

    def test_a_login_that_takes_its_time_is_not_idle(self):
        raw = self.raw(user="md5_user")
        time.sleep(1.6)
        self.assertEqual(raw.read_message()[0], "R")
        raw.send(wire.message("p", b"md5wrong\0"))
        self.assertEqual([error["C"] for error in wire.errors(raw.rest_messages())], ["28P01"])

    def test_one_that_only_listens_is_ended_as_by_the_servers_own_timeout(self):
        raw = self.enters()
        raw.ask(wire.query("listen bell"))
        begin = time.monotonic()
        time.sleep(0.6)
        self.postgres.run("notify bell")
        self.assertEqual(raw.read_message()[0], "A")
        self.assertEqual([error["C"] for error in wire.errors(raw.rest_messages())], ["57P05"])
        self.assertLess(time.monotonic() - begin, 1.5)


class Never(Bounded):
    """At the default, nobody is ended for resting."""

    def test_who_rests_stays(self):
        raw, other = self.enters(), self.enters()
        other.ask(wire.query("begin"))
        time.sleep(2)
        for one in (raw, other):
            self.assertEqual(wire.rows(one.ask(wire.query("select 1"))), [["1"]])


class LoginTimeout(Bounded):
    def test_it_bounds_the_whole_login_and_nothing_after_it(self):
        deaf = ScriptedServer(lambda peer: peer.read_to_end())
        self.addCleanup(deaf.close)
        sluice = Sluice([f"127.0.0.1:{deaf.port}"], limits={"login_timeout": "1s"})
        self.addCleanup(sluice.stop)
        begin = time.monotonic()
        errors = wire.errors(self.raw(sluice).rest_messages())
        self.assertLess(time.monotonic() - begin, 2.5)
        self.assertEqual([(error["C"], error["M"]) for error in errors], [("57014", "login took too long")])
        self.assertEqual(sluice.counter("login_timeouts"), 1)
        self.assertEqual(self.count(sluice), 0)


if __name__ == "__main__":
    main()
