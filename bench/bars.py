#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
"""Holds the figures of bench/run.sh against what the sluice must reach, and fails when it does not.

usage: bars.py [build/bench.json]
"""
import json
import statistics
import sys

from table import PEERS, error_of

# The lanes; the program as it comes, by both where io_uring can be had; and all ways to run it.
UV = ("sluice_uv",)
RING = ("sluice_uring", "sluice")
DEFAULT = ("sluice", "sluice_uv")
ALL = ("sluice", "sluice_uv", "sluice_uring")
# name, lanes, what it is run as, figure of the row, at least (>=) or at most (<=), bound
BARS = (
    ("CPU of the relay's", UV, (("prepared", 8), ("prepared", 32)), "cpu_ratio", "<=", 1.08),
    ("CPU of the relay's", RING, (("prepared", 8), ("prepared", 32)), "cpu_ratio", "<=", 0.80),
    ("tps of the best peer's", UV, (("prepared", 8), ("prepared", 32)), "tps_peer", ">=", 1.00),
    ("tps of the best peer's", RING, (("prepared", 8), ("prepared", 32)), "tps_peer", ">=", 1.10),
    ("added latency of the best peer's", DEFAULT, (("prepared", 1),), "added_peer", "<=", 1.00),
    ("p99 of the best peer's", ALL, (("prepared", 200),), "p99_peer", "<=", 1.00),
    ("MB/s of the relay's", ALL, (("copy-out", 1), ("copy-in", 1)), "tps_ratio", ">=", 0.97),
    ("MB/s of the best peer's", ALL, (("copy-out", 1), ("copy-in", 1)), "tps_peer", ">=", 1.00),
    ("tps of the relay's", DEFAULT, (("connect", 8),), "tps_ratio", ">=", 0.97),
    ("bytes of a session", ALL, (("idle", None),), "tps", "<=", 1024),
    ("tps of the best peer's", ALL, (("tls", 32),), "tps_peer", ">=", 1.00),
    ("two workers against one", DEFAULT, (("workers", 8),), "two_ratio", ">=", 1.60),
)


def find(rows, mode, clients, target):
    return next((row for row in rows if row["mode"] == mode and row["target"] == target and
                 clients in (None, row["clients"])), None)


def enrich(rows):
    """What only a comparison of several rows says."""
    for row in rows:
        peers = [find(rows, row["mode"], row["clients"], peer) for peer in PEERS]
        added = [peer["added_ms"] for peer in peers if peer and peer["added_ms"]]
        if added and row["added_ms"] and min(added) > 0:
            row["added_peer"] = row["added_ms"] / min(added)
        two = find(rows, row["mode"], row["clients"], row["target"] + "_2")
        if two:
            ratios = [b["tps"] / a["tps"] for a, b in zip(row["each"], two["each"])]
            row["two_ratio"], row["two_ratio_error"] = statistics.median(ratios), error_of(ratios)


def by_libuv(lanes):
    return ("sluice", "sluice_uv") if "sluice_uv" in lanes else ()


def judged(rows):
    """(whether it is reached, what is said of it), for all that was measured. Where there is no lane of io_uring, the program as it
    comes is libuv's."""
    has_ring = any(row["target"] == "sluice_uring" for row in rows)
    for name, lanes, runs, figure, direction, bound in BARS:
        for mode, clients in runs:
            for lane in lanes if has_ring else by_libuv(lanes):
                row = find(rows, mode, clients, lane) or {}
                value, error = row.get(figure), row.get(figure + "_error")
                if value is None:
                    continue
                is_reached = value <= bound if direction == "<=" else value >= bound
                where = f"{mode}, {clients} clients" if clients else mode
                yield is_reached, f"{where:22} {lane:13} {name:33} {value:9.3f} " \
                                  f"{f'± {error:.3f}' if error else '':7}  {direction} {bound}"


def main():
    path = (sys.argv[1:] or ["build/bench.json"])[0]
    with open(path, encoding="utf-8") as lines:
        rows = json.load(lines)["rows"]
    enrich(rows)
    verdicts = list(judged(rows))
    for is_reached, said in verdicts:
        print("reached " if is_reached else "MISSED  ", said)
    sys.exit(not verdicts or not all(is_reached for is_reached, _ in verdicts))


if __name__ == "__main__":
    main()
