#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
"""bench/run.sh from its server to its table, with little of everything: by pgbench and in turns."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

BENCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench")
TARGETS = ("direct", "relay", "sluice")


def run(**variables):
    """What bench/run.sh tells, its rows by what was run and through what, and what bench/bars.py says of them."""
    with tempfile.TemporaryDirectory(prefix="pgsluice-test-") as folder:
        path = os.path.join(folder, "bench.json")
        subprocess.run(["bash", os.path.join(BENCH, "run.sh")], check=True, stdout=subprocess.DEVNULL, timeout=240,
                       env={**os.environ, "JSON": path, "TARGETS": " ".join(TARGETS), **variables})
        judged = subprocess.run([sys.executable, os.path.join(BENCH, "bars.py"), "--measured", path], check=False,
                                capture_output=True, text=True)
        with open(path, encoding="utf-8") as lines:
            told = json.load(lines)
    return told, {(row["mode"], row["target"]): row for row in told["rows"]}, judged.stdout.splitlines()


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
        told, rows, _ = run(ROUNDS="1", SECONDS="2", MODES="prepared/2")
        self.assertEqual(told["failed"], 0)
        for target in TARGETS:
            self.assert_whole(rows["prepared", target], 2, 1)
        self.assertIsNone(rows["prepared", "sluice"]["tps_ratio_error"])
        self.assertGreater(rows["prepared", "sluice"]["p99_ratio"], 0)

    def test_turns(self):
        told, rows, judged = run(ROUNDS="2", SECONDS="1", TURN="250", MODES="prepared/8 connect/8")
        self.assertEqual(told["failed"], 0)
        for mode in ("prepared", "connect"):
            for target in TARGETS:
                self.assert_whole(rows[mode, target], 8, 8)
            self.assertGreater(rows[mode, "sluice"]["tps_ratio"], 0)
            self.assertGreater(rows[mode, "sluice"]["tps_ratio_error"], 0)
        self.assertEqual(len(judged), 3, judged)
        for line, figure in zip(judged, ("CPU of the relay's", "tps of the best peer's", "tps of the relay's")):
            self.assertRegex(line, rf"^UNKNOWN .*, 8 clients +sluice +{figure} +turns of 2 s in all, where 10 are needed")

    def test_idle_sessions_are_measured_once(self):
        told, rows, judged = run(ROUNDS="3", SECONDS="1", MODES="idle", IDLE="300")
        self.assertEqual(told["failed"], 0)
        self.assertEqual({target for _, target in rows}, {"relay", "sluice"})
        for row in rows.values():
            self.assertEqual((row["rounds"], row["clients"]), (1, 300))
            self.assertGreater(row["tps"], 0)
        self.assertEqual(len(judged), 1, judged)
        self.assertRegex(judged[0], "^UNKNOWN +idle, .*300 sessions, where 9900 are needed")

    def test_workers(self):
        told, rows, judged = run(ROUNDS="5", SECONDS="1", MODES="workers")
        self.assertEqual(told["failed"], 0)
        self.assertEqual({target for _, target in rows}, {"relay", "sluice", "sluice_2"})
        for row in rows.values():
            self.assertGreater(row["tps"], 0)
            self.assertGreater(row["each"][0]["cpu_us"], 0)
        self.assertEqual(len(judged), 1, judged)
        self.assertRegex(judged[0], r"^(reached|MISSED) +workers, 8 clients +sluice +two workers against one +\d.* ± \d")

    def test_a_turn_longer_than_its_round_is_refused(self):
        for turn in ("1001", "0.2", "-1"):
            tried = subprocess.run(["bash", os.path.join(BENCH, "run.sh")], check=False, capture_output=True, text=True,
                                   timeout=60, env={**os.environ, "SECONDS": "1", "TURN": turn})
            self.assertEqual((tried.returncode, tried.stdout), (2, ""))
            self.assertIn(f"TURN is {turn}: a number of ms", tried.stderr)


if __name__ == "__main__":
    unittest.main()
