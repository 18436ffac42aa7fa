#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
"""Prints the median, the 99th percentile and the greatest latency in logs of pgbench -l, in ms, and the CPU time of the
proxy for a transaction, in µs.

usage: latencies.py taken|whole|cycle WATCHED LOG...; cycle: the times between the ends of a client's transactions, connecting
included, in place of those that pgbench noted; WATCHED has two lines: the moment in s and the CPU time until then in ns
"""
import bisect
import math
import sys


def read(paths):
    """(client, end in µs, latency in µs) of each transaction. With pgbench -R the latency counts from when it was due."""
    for path in paths:
        with open(path, encoding="ascii") as lines:
            for line in lines:
                client, _, taken, _, seconds, microseconds = line.split()[:6]
                if taken.isdigit():
                    yield client, int(seconds) * 1000000 + int(microseconds), int(taken)


def cycles_of(transactions):
    ends = {}
    for client, end, _ in transactions:
        if client in ends:
            yield end - ends[client]
        ends[client] = end


def cpu_of(watched, ends):
    """What was used between the two moments for each transaction that ended between them."""
    with open(watched, encoding="ascii") as lines:
        (begun, before), (ended, after) = (line.split() for line in lines)
    count = bisect.bisect(ends, float(ended) * 1000000) - bisect.bisect(ends, float(begun) * 1000000)
    return (int(after) - int(before)) / 1000 / count if count else 0


def percentile(values, part):
    """By the nearest rank; values are sorted."""
    return values[max(0, math.ceil(part * len(values)) - 1)]


def main():
    times, watched, *paths = sys.argv[1:]
    transactions = list(read(paths))
    values = sorted(cycles_of(transactions) if times == "cycle" else (taken for _, _, taken in transactions))
    shown = (percentile(values, 0.5), percentile(values, 0.99), values[-1]) if values else (0, 0, 0)
    cpu = cpu_of(watched, sorted(end for _, end, _ in transactions))
    print(*(f"{value / 1000:.3f}" for value in shown), f"{cpu:.3f}")


if __name__ == "__main__":
    main()
