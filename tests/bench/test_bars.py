#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
"""bench/table.py and bench/bars.py, with figures that are known: what is made of them, and that nothing is called reached
which was not measured."""
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

BENCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench")
PEERS = ("pgbouncer", "haproxy", "nginx")
LANES = ("sluice", "sluice_uv", "sluice_uring")
FASTER = 1.3
FAST = {"direct": 2.0, "relay": 1.0, **dict.fromkeys(PEERS, 1.0), **dict.fromkeys(LANES, FASTER)}
RUNS = (("prepared", 1), ("prepared", 8), ("prepared", 32), ("prepared", 200), ("copy-out", 1), ("copy-in", 1), ("connect", 8),
        ("tls", 32), ("workers", 8))


def lines_of(mode, clients, rounds, speed):
    """What run.sh writes of it: a rate by speed, times and CPU the shorter the faster."""
    for number in range(rounds):
        for target, fast in speed.items():
            fast *= 1 + 0.001 * number
            yield f"{number} {target} {mode} {clients} {1000 * fast} {1 / fast} {0.9 / fast} {2 / fast} {3 / fast} {10 / fast} 0"


def all_lines(rounds=5):
    for mode, clients in RUNS:
        speed = dict(FAST)
        if mode == "workers":
            speed = {lane + more: times for lane in LANES for more, times in (("", 1.0), ("_2", 1.7))}
        yield from lines_of(mode, clients, rounds, speed)
    for target, size in (("relay", 700), ("pgbouncer", 830), ("haproxy", 3000), ("nginx", 9000), *((lane, 800) for lane in LANES)):
        yield f"0 {target} idle 10000 {size} 0 0 0 0 0 0"


class Bars(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="pgsluice-test-")
        self.addCleanup(self.folder.cleanup)
        self.json = os.path.join(self.folder.name, "bench.json")

    def table(self, lines, *options):
        results = os.path.join(self.folder.name, "results")
        with open(results, "w", encoding="ascii") as out:
            out.write("\n".join(lines) + "\n")
        told = subprocess.run([sys.executable, os.path.join(BENCH, "table.py"), results, self.json, "5", *options], check=True,
                              capture_output=True, text=True)
        self.assertEqual(told.stderr, "")
        with open(self.json, encoding="utf-8") as kept:
            return {(row["mode"], row["clients"], row["target"]): row for row in json.load(kept)["rows"]}

    def judge(self, lines, *options, is_partial=False):
        """(whether all is reached, what is said)."""
        self.table(lines, *options)
        said = subprocess.run([sys.executable, os.path.join(BENCH, "bars.py"), *(["--measured"] if is_partial else []), self.json],
                              check=False, capture_output=True, text=True)
        self.assertEqual(said.stderr, "")
        return said.returncode == 0, said.stdout.splitlines()

    def assert_one(self, said, verdict, pattern):
        others = [line for line in said if not line.startswith("reached")]
        self.assertEqual(len(others), 1, others)
        self.assertRegex(others[0], f"^{verdict} .*{pattern}")

    def test_all_are_reached(self):
        is_reached, said = self.judge(all_lines())
        self.assertTrue(is_reached, said)
        self.assertEqual(len(said), 39)

    def test_figures(self):
        rows = self.table(all_lines())
        row = rows["prepared", 8, "sluice"]
        of = ("tps_ratio", "cpu_ratio", "p50_ratio", "p99_ratio", "tps_peer", "p50_peer", "p99_peer", "cpu_peer")
        for figure, value in ((name, FASTER if name.startswith("tps") else 1 / FASTER) for name in of):
            self.assertAlmostEqual(row[figure], value)
            self.assertAlmostEqual(row[figure + "_error"], 0)
        self.assertAlmostEqual(rows["prepared", 1, "sluice"]["added_ms"], (1 / FASTER - 1 / 2) / 1.002)
        self.assertAlmostEqual(rows["prepared", 1, "sluice"]["added_peer"], (1 / FASTER - 1 / 2) / (1 / 1 - 1 / 2))
        self.assertIsNone(rows["prepared", 1, "direct"]["added_peer"])
        self.assertEqual([turn["round"] for turn in row["each"]], list(range(5)))

    def test_one_is_missed(self):
        for pattern, change in (("prepared, 200 .* sluice_uv .*p99", (r"^(\d+ sluice_uv prepared 200 \S+ \S+ \S+) \S+", r"\1 9")),
                                ("connect, 8 .* sluice .*tps", (r"^(\d+ sluice connect 8) \S+", r"\1 960")),
                                ("workers, 8 .* sluice_uv .*two", (r"^(\d+ sluice_uv_2 workers 8) \S+", r"\1 1590"))):
            with self.subTest(pattern=pattern):
                is_reached, said = self.judge(re.sub(*change, line) for line in all_lines())
                self.assertFalse(is_reached)
                self.assert_one(said, "MISSED", pattern)

    def test_nothing_is_reached_that_was_not_measured(self):
        for pattern, is_left in (("idle .* sluice_uring .*not measured", r"\d+ sluice_uring idle"),
                                 ("tls, 32 .* sluice .*not measured", r"\d+ sluice tls")):
            with self.subTest(pattern=pattern):
                left = [line for line in all_lines() if not re.match(is_left, line)]
                is_reached, said = self.judge(left)
                self.assertFalse(is_reached)
                self.assert_one(said, "UNKNOWN", pattern)
                self.assertTrue(self.judge(left, is_partial=True)[0])
        is_reached, said = self.judge(line.replace("idle 10000", "idle 9899") for line in all_lines())
        self.assertEqual([line[:8] for line in said if "9899 sessions, where 9900 are needed" in line], ["UNKNOWN "] * 3)
        self.assertFalse(is_reached)
        self.assertTrue(self.judge(line.replace("idle 10000", "idle 9900") for line in all_lines())[0])

    def test_a_peer_less(self):
        _, said = self.judge(line for line in all_lines() if " haproxy prepared 32 " not in line)
        unknown = [line for line in said if line.startswith("UNKNOWN")]
        self.assertEqual(len(unknown), 3, unknown)
        for line in unknown:
            self.assertRegex(line, "prepared, 32 .*tps of the best peer's +without haproxy")

    def test_few_rounds(self):
        is_reached, said = self.judge(all_lines(rounds=4))
        self.assertFalse(is_reached)
        self.assertEqual([line for line in said if "idle" not in line and "4 rounds, where 5 are needed" not in line], [])

    def test_short_turns(self):
        is_reached, said = self.judge(all_lines(rounds=49), "--turn", "200")
        self.assertFalse(is_reached)
        taken = [line for line in said if re.search("prepared|connect", line)]
        self.assertEqual([line for line in said if line.startswith("UNKNOWN")], taken)
        self.assertEqual([line for line in taken if "turns of 9.8 s in all, where 10 are needed" not in line], [])
        self.assertTrue(self.judge(all_lines(rounds=50), "--turn", "200")[0])

    def test_another_base(self):
        _, said = self.judge(all_lines(), "--base", "nginx")
        of_relay = [line for line in said if "of the relay's" in line]
        self.assertEqual(len(of_relay), 14)
        for line in of_relay:
            self.assertRegex(line, "^UNKNOWN .*against nginx")

    def test_rounds_that_only_one_had(self):
        """Two workers are compared with one of the same round, also where one of them has not all."""
        lines = [line for line in all_lines(rounds=6) if not line.startswith("2 sluice workers")]
        lines = [re.sub(r"^(\d) (sluice(?:_2)?) workers 8 (\S+)", lambda found: f"{found[1]} {found[2]} workers 8 "
                        f"{float(found[3]) * (1 + int(found[1]))}", line) for line in lines]
        is_reached, said = self.judge(lines)
        self.assertTrue(is_reached, said)
        self.assertRegex("\n".join(said), r"workers, 8 clients +sluice +two workers against one +1\.700 ")

    def test_what_failed_is_told(self):
        for lines, options, pattern in ((all_lines(), ("--broken", "tls with 32 clients through nginx"), "failed: tls with 32 clients"),
                                        ((line[:-1] + "1" if line.startswith("3 relay tls") else line for line in all_lines()), (),
                                         "1 transactions failed")):
            is_reached, said = self.judge(lines, *options)
            self.assertFalse(is_reached)
            self.assert_one(said, "UNKNOWN", pattern)

    def test_without_io_uring(self):
        """The program as it comes is libuv's lane then, and asked for no more."""
        lines = [line for line in all_lines() if "sluice_uring" not in line]
        is_reached, said = self.judge(lines, "--ring", "no")
        self.assertTrue(is_reached, said)
        self.assertEqual(len([line for line in said if ">= 1.1" in line or "<= 0.8" in line]), 0)
        self.assertEqual(len([line for line in said if "<= 1.08" in line]), 4)

    def test_too_close(self):
        noisy = iter((0.7, 1.3) * 20)
        _, said = self.judge(re.sub(r"^(\d+ sluice connect 8) (\S+)", lambda found: f"{found[1]} {1000 * next(noisy)}", line)
                             for line in all_lines(rounds=8))
        self.assertRegex("\n".join(said), r"connect, 8 clients +sluice .*>= 0\.97, within twice its error")
        self.assertEqual(len([line for line in said if "within" in line]), 1)


if __name__ == "__main__":
    unittest.main()
