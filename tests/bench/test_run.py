#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
"""bench/run.sh from its server to its table, with little of everything: by pgbench and in turns."""
import json
import os
import subprocess
import tempfile
import unittest

RUN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench", "run.sh")
TARGETS = ("direct", "relay", "sluice")


def run(**variables):
    """The rows that bench/run.sh tells, by what was run and through what."""
    with tempfile.TemporaryDirectory(prefix="pgsluice-test-") as folder:
        path = os.path.join(folder, "bench.json")
        subprocess.run(["bash", RUN], check=True, stdout=subprocess.DEVNULL, timeout=240,
                       env={**os.environ, "JSON": path, "TARGETS": " ".join(TARGETS), **variables})
        with open(path, encoding="utf-8") as lines:
            told = json.load(lines)
    return told, {(row["mode"], row["target"]): row for row in told["rows"]}


class Run(unittest.TestCase):
    def assert_whole(self, row, clients, rounds):
        """The figures fit each other: so many clients, none of whom rests."""
        self.assertEqual((row["clients"], row["rounds"], len(row["each"])), (clients, rounds, rounds))
        for turn in row["each"]:
            self.assertGreater(turn["tps"], 0)
            self.assertTrue(0 < turn["p50_ms"] <= turn["p99_ms"] <= turn["most_ms"], turn)
            self.assertLessEqual(turn["latency_ms"], turn["most_ms"])
            self.assertEqual(turn["cpu_us"] > 0, row["target"] != "direct", turn)
        self.assertLess(row["tps"] * row["latency_ms"] / 1000, clients * 1.5)
        self.assertGreater(row["tps"] * row["latency_ms"] / 1000, clients * 0.5)

    def test_one_after_the_other(self):
        told, rows = run(ROUNDS="1", SECONDS="2", MODES="prepared/2")
        self.assertEqual(told["failed"], 0)
        for target in TARGETS:
            self.assert_whole(rows["prepared", target], 2, 1)

    def test_turns(self):
        told, rows = run(ROUNDS="2", SECONDS="1", TURN="250", MODES="prepared/2 connect/2")
        self.assertEqual(told["failed"], 0)
        for target in TARGETS:
            for mode in ("prepared", "connect"):
                self.assert_whole(rows[mode, target], 2, 8)
        for mode in ("prepared", "connect"):
            self.assertGreater(rows[mode, "sluice"]["tps_ratio"], 0)


if __name__ == "__main__":
    unittest.main()
