#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
"""Prints the tables of a benchmark and writes them as JSON.

usage: table.py RESULTS JSON SECONDS [--turn MS] [--base TARGET] [--ring yes|no] [--broken WHAT ...]; RESULTS has lines of:
round target mode clients rate latency_ms p50_ms p99_ms most_ms cpu_us failed
"""
import argparse
import json
import math
import statistics
from collections import defaultdict

MEASURES = ("tps", "latency_ms", "p50_ms", "p99_ms", "most_ms", "cpu_us")
PEERS = ("pgbouncer", "haproxy", "nginx")
UNITS = {"copy-out": "MB/s", "copy-in": "MB/s", "rows": "MB/s", "idle": "bytes"}
# name, what of the row it shows, how
COLUMNS = (
    ("latency", "latency_ms", ".3f"),
    ("p50", "p50_ms", ".3f"),
    ("p99", "p99_ms", ".3f"),
    ("most", "most_ms", ".2f"),
    ("cpu µs", "cpu_us", ".2f"),
    ("tps/base", "tps_ratio", ".3f"),
    ("±", "tps_ratio_error", ".3f"),
    ("cpu/base", "cpu_ratio", ".3f"),
    ("p50/base", "p50_ratio", ".3f"),
    ("p99/base", "p99_ratio", ".3f"),
    ("tps/peer", "tps_peer", ".3f"),
    ("p50/peer", "p50_peer", ".3f"),
    ("p99/peer", "p99_peer", ".3f"),
    ("cpu/peer", "cpu_peer", ".3f"),
    ("added", "added_ms", ".4f"),
    ("add/peer", "added_peer", ".3f"),
    ("±", "added_peer_error", ".3f"),
)


def read(path):
    """{(mode, clients): {target: {round: {measure: value}}}}, and how many transactions failed."""
    cells = defaultdict(lambda: defaultdict(dict))
    failed = 0
    with open(path, encoding="ascii") as lines:
        for line in lines:
            number, target, mode, clients, *values = line.split()
            failed += int(values.pop())
            cells[mode, int(clients)][target][int(number)] = dict(zip(MEASURES, map(float, values)))
    return cells, failed


def median_of(rounds, measure):
    return statistics.median(values[measure] for values in rounds.values())


def error_of(values):
    """The standard error of their median, as if they were spread normally; of few nothing can be said."""
    return math.sqrt(math.pi / 2 / len(values)) * statistics.stdev(values) if len(values) >= 5 else None


def ratio_of(rounds, base, measure):
    """The median of the ratios within each round, and its error: what disturbed one round disturbed both."""
    ratios = [rounds[n][measure] / base[n][measure] for n in rounds if n in base and base[n][measure] > 0]
    return (statistics.median(ratios), error_of(ratios)) if ratios else (None, None)


def peers_of(targets):
    return [name for name in PEERS if name in targets]


def best_peer(targets, measure, best):
    """The rounds of the proxy that is the best in this."""
    peers = [targets[name] for name in peers_of(targets)]
    return best(peers, key=lambda rounds: median_of(rounds, measure)) if peers else {}


def later(rounds, others):
    """By how much it took longer than another, in ms, in each round that both had."""
    return [rounds[n]["latency_ms"] - others[n]["latency_ms"] for n in rounds if n in others]


def added_of(rounds, targets):
    """The median of what was added to the latency without a proxy, in ms; what that is of what the best of the others added; the
    error of this. What they added differs by little: it is compared within each round, and not by the medians of each."""
    added = {name: statistics.median(later(targets[name], targets["direct"]) or [math.nan])
             for name in peers_of(targets)} if "direct" in targets else {}
    mine = later(rounds, targets.get("direct", {}))
    best = min(added, key=added.get) if added else None
    if not mine or best is None or not added[best] > 0:
        return statistics.median(mine) if mine else None, None, None
    more = later(rounds, targets[best])
    error = error_of(more)
    return statistics.median(mine), 1 + statistics.median(more) / added[best], error and error / added[best]


def row_of(target, targets, base_target, most):
    rounds = targets[target]
    row = {"target": target, "rounds": len(rounds), "peers": peers_of(targets)}
    row.update({measure: median_of(rounds, measure) for measure in MEASURES})
    base = targets.get(base_target, {}) if target != base_target else {}
    cpu_base = base if target != "direct" else {}
    for name, other, measure in (("tps_ratio", base, "tps"), ("cpu_ratio", cpu_base, "cpu_us"),
                                 ("p50_ratio", base, "p50_ms"), ("p99_ratio", base, "p99_ms"),
                                 ("tps_peer", best_peer(targets, "tps", most), "tps"),
                                 ("p50_peer", best_peer(targets, "p50_ms", min), "p50_ms"),
                                 ("p99_peer", best_peer(targets, "p99_ms", min), "p99_ms"),
                                 ("cpu_peer", best_peer(targets, "cpu_us", min), "cpu_us")):
        row[name], row[name + "_error"] = ratio_of(rounds, other, measure)
    if target == "direct":
        row["cpu_peer"] = row["cpu_peer_error"] = None
    row["added_ms"], row["added_peer"], row["added_peer_error"] = \
        added_of(rounds, targets) if target != "direct" else (None, None, None)
    row["each"] = [{"round": n, **rounds[n]} for n in sorted(rounds)]
    return row


def rows_of(cells, base_target):
    for (mode, clients), targets in cells.items():
        for target in targets:
            most = min if mode == "idle" else max
            yield {"mode": mode, "clients": clients, "unit": UNITS.get(mode, "tps"),
                   **row_of(target, targets, base_target, most)}


def shown(value, form):
    return format(value, form) if value else "-"


def show(rows):
    """A table for each mode, of the columns in which something is said."""
    for mode in dict.fromkeys(row["mode"] for row in rows):
        here = sorted((row for row in rows if row["mode"] == mode), key=lambda row: row["clients"])
        columns = [column for column in COLUMNS if any(row[column[1]] for row in here)]
        print(f"{mode:9} {'target':14} {here[0]['unit']:>8} " + " ".join(f"{name:>8}" for name, _, _ in columns))
        for row in here:
            print(f"{row['clients']:9} {row['target']:14} {row['tps']:8.0f} " +
                  " ".join(f"{shown(row[key], form):>8}" for _, key, form in columns))
        print()


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1])
    parser.add_argument("results")
    parser.add_argument("json")
    parser.add_argument("seconds", type=float)
    parser.add_argument("--turn", type=int, default=0, help="how long each of the turns was, in ms, that are rounds of what takes turns")
    parser.add_argument("--base", default="relay", help="the target that the others are compared with")
    parser.add_argument("--ring", choices=("yes", "no"), default="yes", help="whether io_uring can be had here")
    parser.add_argument("--broken", nargs="*", default=[], help="what could not be measured")
    asked = parser.parse_args()
    cells, failed = read(asked.results)
    rows = list(rows_of(cells, asked.base))
    print(f"times in ms; cpu of the proxy for a transaction or MB; base: {asked.base}; peer: the best of {', '.join(PEERS)}\n")
    show(rows)
    print(f"failed transactions: {failed}")
    with open(asked.json, "w", encoding="utf-8") as out:
        json.dump({"seconds": asked.seconds, "turn": asked.turn, "failed": failed, "broken": asked.broken, "base": asked.base,
                   "ring": asked.ring == "yes", "rows": rows}, out, indent=1)


if __name__ == "__main__":
    main()
