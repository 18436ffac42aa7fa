# SPDX-License-Identifier: PostgreSQL
"""A session that rests needs little memory, whatever it did before. bench/idle.sh measures it with ten times as many."""
import time

from harness import crowd, machine, wire
from harness.case import Case, main
from harness.sluice import Sluice

SESSIONS = 2000
# Bytes for each. Two links of libuv take about 740 of them; the session, its relay and its part in the census 450.
RESTING = 1280
NAMED = 1536  # with the name spaces, an unnamed statement and an unnamed portal
SELECT = "select balance from accounts where id = $1"


class Idle(Case):
    settings = {"workers": 1, "log": {"level": "info"}, "limits": {"sessions": 0}, "history": {"record": False}}

    @classmethod
    def setUpClass(cls):
        if machine.is_sanitized():
            machine.skip("the memory of a sanitized program says nothing")
        if crowd.sessions_most() < SESSIONS:
            machine.skip("too few descriptors here")
        cls.server = crowd.PatientServer()
        cls.addClassCleanup(cls.server.close)
        cls.sluice = Sluice([f"127.0.0.1:{cls.server.port}"], **cls.settings)
        cls.addClassCleanup(cls.sluice.stop)

    @staticmethod
    def ask_simply(clients):
        clients.ask(lambda number: wire.query(f"select balance from accounts where id = {number}"))
        clients.ask(lambda number: wire.query("begin") + wire.query("select 1") + wire.query("commit"), 3)
        clients.ask(lambda number: wire.query("select 1") * 50, 50)

    @staticmethod
    def ask_in_parts(clients):
        clients.ask(lambda number: wire.parse(SELECT) + wire.bind(values=["7"]) + wire.describe("P") + wire.execute() + wire.sync())

    def own(self):
        """Bytes that are in no file and so belong to this process alone, once all is said and done."""
        time.sleep(1)
        return crowd.memory(self.sluice.process.pid)["Anonymous"]

    def warm_up(self):
        for _ in range(150):
            few = crowd.Crowd(self.sluice.port, 10)
            self.ask_simply(few)
            self.ask_in_parts(few)
            few.close()

    def test_a_resting_session_needs_little_memory_whatever_it_did(self):
        self.warm_up()
        before = self.own()
        many = crowd.Crowd(self.sluice.port, SESSIONS, at_once=10)
        needs = {"logged in": self.own()}
        self.ask_simply(many)
        needs["queries"] = self.own()
        self.ask_in_parts(many)
        needs["an unnamed statement"] = self.own()
        many.close()
        for name, need in needs.items():
            needs[name] = (need - before) // SESSIONS
        print(f"        bytes a session: {needs}")
        self.assertLess(needs["logged in"], RESTING)
        self.assertLess(needs["queries"], RESTING)
        self.assertLess(needs["an unnamed statement"], NAMED)


if __name__ == "__main__":
    main()
