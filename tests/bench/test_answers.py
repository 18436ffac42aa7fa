#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
"""bench_answers: of a client that asks the same again and again it counts the bytes in place of reading them, and
answers as if it had read them."""
import os
import subprocess
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))
from harness import wire
from harness.machine import free_port

BATCH = 400
BIND, EXECUTE = wire.bind(prepared="P_0", values=("123456",)), wire.execute()
ASKED = BIND + wire.describe("P") + EXECUTE + wire.sync()
ANSWERED = ["2", "T", "D", "C", "Z"]
OTHER, OTHER_ANSWERED = BIND + EXECUTE + wire.sync(), ["2", "D", "C", "Z"]


class Answers(unittest.TestCase):
    def setUp(self):
        self.port = free_port()
        self.program = subprocess.Popen([os.path.join(os.environ["BUILD"], "bench_answers"), str(self.port)])
        self.addCleanup(self.end)

    def end(self):
        self.program.kill()
        self.program.wait()

    def client(self):
        """One that has logged in."""
        end = time.monotonic() + 10
        while True:
            try:
                client = wire.Wire(("127.0.0.1", self.port))
                break
            except ConnectionRefusedError:
                self.assertLess(time.monotonic(), end)
                time.sleep(0.02)
        self.addCleanup(client.close)
        client.send(wire.startup())
        client.until("Z")
        return client

    def counted(self):
        """One whose batches are counted from now on."""
        client = self.client()
        for _ in range(3):
            client.send(ASKED * BATCH)
            self.assert_answered(client, BATCH)
        return client

    def assert_answered(self, client, count, kinds=None):
        told = [kind for kind, _ in client.until("Z", count)]
        self.assertEqual(told, (kinds or ANSWERED) * count)
        self.assertEqual(client.kept, b"")

    def test_pieces_of_any_size(self):
        client = self.counted()
        for size in (1, 7, len(ASKED) - 1, len(ASKED), len(ASKED) + 1, 1000, 30000):
            with self.subTest(size=size):
                count = min(BATCH, max(3, 4 * size // len(ASKED)))
                data = ASKED * count
                client.send_cut(data, [size] * (len(data) // size), pause=0.001 if size < 1000 else 0)
                self.assert_answered(client, count)

    def test_another_question_after_any_byte(self):
        for size in range(len(ASKED)):
            if not OTHER.startswith(ASKED[:size]):
                break
            client = self.counted()
            client.send(ASKED * 2 + ASKED[:size])
            self.assert_answered(client, 2)
            client.send(OTHER[size:])
            self.assert_answered(client, 1, OTHER_ANSWERED)
            client.send(ASKED * BATCH)
            self.assert_answered(client, BATCH)
            client.close()
        self.assertEqual(size, len(BIND) + 1)

    def test_many_at_once(self):
        """More than there are answers ready."""
        client = self.counted()
        client.send(ASKED * 3000)
        self.assert_answered(client, 3000)

    def test_it_is_counted(self):
        """What is behind the first of a burst is not looked at."""
        client = self.counted()
        client.send(ASKED + b"?" * len(ASKED))
        self.assert_answered(client, 2)

    def test_queries_as_long_as_each_other(self):
        client = self.client()
        answered = ["T", "D", "C", "Z"]
        for first in (10000, 20000, 30000):
            client.send(*(wire.query(f"SELECT {number}") for number in range(first, first + BATCH)))
            self.assert_answered(client, BATCH, answered)
        data = b"".join(wire.query(f"SELECT {number}") for number in range(40000, 40100))
        for size in (1, 4, 6, 18, 19, 20, 500):
            client.send_cut(data, [size] * (len(data) // size), pause=0.0005 if size < 100 else 0)
            self.assert_answered(client, 100, answered)
        client.send(wire.query("SELECT 1"))
        self.assert_answered(client, 1, answered)
        client.send(data[:7])
        client.send(data[7:])
        self.assert_answered(client, 100, answered)

    def test_one_asks_otherwise_beside_it(self):
        client, other = self.counted(), self.client()
        for _ in range(3):
            other.send(OTHER * BATCH)
            self.assert_answered(other, BATCH, OTHER_ANSWERED)
            client.send(ASKED * BATCH)
            self.assert_answered(client, BATCH)
        client.close()
        for _ in range(3):  # which are counted as well now
            other.send(OTHER * BATCH)
            self.assert_answered(other, BATCH, OTHER_ANSWERED)


if __name__ == "__main__":
    unittest.main()
