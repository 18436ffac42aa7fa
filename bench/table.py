#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
"""Prints the table of a benchmark and writes it as JSON.

usage: table.py RESULTS JSON SECONDS [BASE]; BASE is the target that the others are compared with (relay); RESULTS has lines of: round target mode clients tps latency_ms cpu_us failed
"""
import json
import statistics
import sys
from collections import defaultdict

MEASURES = ("tps", "latency_ms", "cpu_us")


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


def ratio_of(rounds, base, measure):
    """The median of the ratios within each round: what disturbed one round disturbed both."""
    ratios = [rounds[n][measure] / base[n][measure] for n in rounds if n in base and base[n][measure] > 0]
    return statistics.median(ratios) if ratios else None


def rows_of(cells, base_target):
    for (mode, clients), targets in cells.items():
        for target, rounds in targets.items():
            row = {"mode": mode, "clients": clients, "target": target, "rounds": len(rounds)}
            row.update({measure: median_of(rounds, measure) for measure in MEASURES})
            base = targets.get(base_target, {}) if target != base_target else {}
            row["tps_ratio"] = ratio_of(rounds, base, "tps")
            row["cpu_ratio"] = ratio_of(rounds, base, "cpu_us") if target != "direct" else None
            row["each"] = [rounds[n] for n in sorted(rounds)]
            yield row


def shown(value, form):
    return format(value, form) if value else "-"


def main():
    results, json_path, seconds = sys.argv[1:4]
    base_target = (sys.argv[4:] or ["relay"])[0]
    cells, failed = read(results)
    rows = list(rows_of(cells, base_target))
    print(f"{'mode':9} {'clients':>7} {'target':8} {'tps':>9} {'latency ms':>10} {'cpu µs/tx':>9} {'tps/' + base_target:>9} "
          f"{'cpu/' + base_target:>9}")
    for row in sorted(rows, key=lambda r: (r["mode"], r["clients"], r["target"])):
        print(f"{row['mode']:9} {row['clients']:7} {row['target']:8} {row['tps']:9.0f} {row['latency_ms']:10.3f} "
              f"{shown(row['cpu_us'], '9.2f'):>9} {shown(row['tps_ratio'], '9.3f'):>9} "
              f"{shown(row['cpu_ratio'], '9.3f'):>9}")
    print(f"failed transactions: {failed}")
    with open(json_path, "w", encoding="utf-8") as out:
        json.dump({"seconds": float(seconds), "failed": failed, "base": base_target, "rows": rows}, out, indent=1)


if __name__ == "__main__":
    main()
