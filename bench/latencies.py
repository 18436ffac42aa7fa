#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
"""Prints the median, the 99th percentile and the greatest latency in logs of pgbench -l, in ms.

usage: latencies.py cycle|ANY LOG...; cycle: not the latencies but the times between the ends of a client's transactions
"""
import math
import sys


def latencies(lines):
    """In µs. With pgbench -R they count from the time at which a transaction was due."""
    for line in lines:
        taken = line.split(None, 3)[2]
        if taken.isdigit():
            yield int(taken)


def cycles(lines):
    ends = {}
    for line in lines:
        client, _, _, _, seconds, microseconds = line.split()[:6]
        end = int(seconds) * 1000000 + int(microseconds)
        if client in ends:
            yield end - ends[client]
        ends[client] = end


def percentile(values, part):
    """By the nearest rank; values are sorted."""
    return values[max(0, math.ceil(part * len(values)) - 1)]


def main():
    read = cycles if sys.argv[1] == "cycle" else latencies
    values = []
    for path in sys.argv[2:]:
        with open(path, encoding="ascii") as lines:
            values.extend(read(lines))
    values.sort()
    shown = (percentile(values, 0.5), percentile(values, 0.99), values[-1]) if values else (0, 0, 0)
    print(*(f"{value / 1000:.3f}" for value in shown))


if __name__ == "__main__":
    main()
