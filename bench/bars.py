#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
"""Holds the figures of bench/run.sh against what the sluice must reach, and fails when it does not, or when that cannot be
told: what was not measured, or too seldom.

usage: bars.py [--measured] [FILE ...]; FILE: JSON of bench/run.sh (build/bench.json), of several what each has; --measured:
nothing is said of what is in none of them
"""
import argparse
import json
import statistics
import sys
from collections import namedtuple

from table import PEERS, error_of

Bar = namedtuple("Bar", "name lanes runs figure direction bound")

# The lanes; the program as it comes, by both where io_uring can be had; and all ways to run it.
UV = ("sluice_uv",)
RING = ("sluice_uring", "sluice")
DEFAULT = ("sluice", "sluice_uv")
ALL = ("sluice", "sluice_uv", "sluice_uring")
# name, lanes, what it is run as, figure of the row, at least (>=) or at most (<=), bound
BARS = tuple(Bar(*bar) for bar in (
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
    ("tps of PgBouncer's", ALL, (("tls", 32),), "tps_peer", ">=", 1.00),
    ("two workers against one", DEFAULT, (("workers", 8),), "two_ratio", ">=", 1.60),
))
ROUNDS_LEAST = 5
TURNS_LEAST_MS = 10000  # of all turns of one target together
TAKE_TURNS = ("prepared", "connect")
SESSIONS_LEAST = 9900  # of 10,000: what a limit of 20,000 descriptors leaves room for, at two each
ONCE = ("idle",)  # is measured in the first round only
PEERS_OF = {"tls": ("pgbouncer",)}


def two_ratio(row, two):
    """What two workers make of what one makes, in the rounds that both had, and its error."""
    of_one = {turn["round"]: turn["tps"] for turn in row["each"]}
    ratios = [turn["tps"] / of_one[turn["round"]] for turn in two["each"] if turn["round"] in of_one]
    return (statistics.median(ratios), error_of(ratios)) if ratios else (None, None)


def rows_of(paths):
    """By mode, clients and target; each with what its file says of it."""
    rows, troubles, has_ring = {}, [], True
    for path in paths:
        with open(path, encoding="utf-8") as lines:
            told = json.load(lines)
        troubles += [f"{path}: failed: {what}" for what in told["broken"]]
        if told["failed"] > 0:
            troubles.append(f"{path}: {told['failed']} transactions failed")
        has_ring = has_ring and told["ring"]
        for row in told["rows"]:
            turn = told["turn"] if row["mode"] in TAKE_TURNS else 0
            rows[row["mode"], row["clients"], row["target"]] = {**row, "base": told["base"], "turn": turn}
    for (mode, clients, target), row in rows.items():
        two = rows.get((mode, clients, target + "_2"))
        if two:
            row["two_ratio"], row["two_ratio_error"] = two_ratio(row, two)
    return rows, troubles, has_ring


def lack_of(bar, mode, row):
    """Why the row says nothing of the bar, or nothing."""
    missing = [peer for peer in PEERS_OF.get(mode, PEERS) if peer not in row["peers"]]
    if mode == "idle" and row["clients"] < SESSIONS_LEAST:
        return f"{row['clients']} sessions, where {SESSIONS_LEAST} are needed"
    if mode not in ONCE and row["rounds"] < ROUNDS_LEAST:
        return f"{row['rounds']} rounds, where {ROUNDS_LEAST} are needed"
    if row["turn"] > 0 and row["rounds"] * row["turn"] < TURNS_LEAST_MS:
        return f"turns of {row['rounds'] * row['turn'] / 1000:g} s in all, where {TURNS_LEAST_MS / 1000:g} are needed"
    if bar.figure.endswith("_peer") and missing:
        return f"without {', '.join(missing)}"
    if bar.name.endswith("of the relay's") and row["base"] != "relay":
        return f"against {row['base']}"
    if row.get(bar.figure) is None:
        return "nothing to compare it with"
    return None


def lanes_of(bar, has_ring):
    """Where io_uring cannot be had, the program as it comes is libuv's lane."""
    if has_ring:
        return bar.lanes
    return DEFAULT if "sluice_uv" in bar.lanes else ()


def judge(bar, row):
    """(verdict, figure), of a row that says something of the bar."""
    value, error = row[bar.figure], row.get(bar.figure + "_error")
    verdict = "reached" if (value <= bar.bound if bar.direction == "<=" else value >= bar.bound) else "MISSED"
    figure = f"{value:9.3f} {f'± {error:.3f}' if error else '':7}  {bar.direction} {bar.bound:g}"
    if error and abs(value - bar.bound) < 2 * error:
        figure += ", within twice its error"
    return verdict, figure


def find(rows, mode, clients, target):
    """Without a number of clients, of those that there are the most."""
    found = [row for key, row in rows.items() if key[0] == mode and key[2] == target and clients in (None, key[1])]
    return max(found, key=lambda row: row["clients"], default=None)


def judged(rows, has_ring, is_partial):
    asked = ((bar, *run, lane) for bar in BARS for run in bar.runs for lane in lanes_of(bar, has_ring))
    for bar, mode, clients, lane in asked:
        row = find(rows, mode, clients, lane)
        lack = "not measured" if row is None else lack_of(bar, mode, row)
        if row is None and is_partial:
            continue
        verdict, figure = ("UNKNOWN", "          " + lack) if lack else judge(bar, row)
        count = row["clients"] if row else clients
        yield verdict, f"{f'{mode}, {count} clients' if count else mode:22} {lane:13} {bar.name:33} {figure}"


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1])
    parser.add_argument("--measured", action="store_true")
    parser.add_argument("files", nargs="*", default=["build/bench.json"])
    options = parser.parse_args()
    rows, troubles, has_ring = rows_of(options.files)
    verdicts = list(judged(rows, has_ring, options.measured))
    for verdict, said in verdicts:
        print(f"{verdict:8}", said)
    for trouble in troubles:
        print(f"{'UNKNOWN':8}", trouble)
    sys.exit(not verdicts or bool(troubles) or any(verdict != "reached" for verdict, _ in verdicts))


if __name__ == "__main__":
    main()
