#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
"""Prints zones.def: what Python's zoneinfo makes of the system's time zones from 2024 to 2030.

usage: make_zones.py > zones.def
"""
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

ZONES = ["America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]
BEGIN = int(datetime(2024, 1, 1, tzinfo=timezone.utc).timestamp())
END = int(datetime(2031, 1, 1, tzinfo=timezone.utc).timestamp())
HALF_HOUR = 1800
DAY = 86400
MONTH = 30 * DAY


def offset_at(zone, second):
    return int(datetime.fromtimestamp(second, zone).utcoffset().total_seconds())


def changes(zone):
    return [second for second in range(BEGIN, END, HALF_HOUR)
            if offset_at(zone, second) != offset_at(zone, second - HALF_HOUR)]


def instants(zone):
    near = {change + step for change in changes(zone) for step in (-HALF_HOUR, -1, 0, 1, HALF_HOUR)}
    return sorted(near | set(range(BEGIN, END, MONTH)))


def local_times(zone):
    """Every half hour of the local days on which the offset changes, and noon of other days."""
    days = {datetime.fromtimestamp(second, zone).date() for second in range(BEGIN, END, 3 * MONTH)}
    for day in sorted(days):
        yield day, 12 * 60
    for change in changes(zone):
        day = datetime.fromtimestamp(change, zone).date()
        for minute in range(0, 5 * 60, 15):
            yield day, minute


def main():
    print("/* SPDX-License-Identifier: PostgreSQL */")
    print("/* Made by make_zones.py. OFFSET(zone, second since 1970, offset in seconds)")
    print(" * LOCAL(zone, day since 1970, minute of the day, second since 1970: the first of two, the offset before a gap) */")
    epoch = datetime(1970, 1, 1).date()
    for name in ZONES:
        zone = ZoneInfo(name)
        for second in instants(zone):
            print(f'OFFSET("{name}", {second}, {offset_at(zone, second)})')
        for day, minute in local_times(zone):
            local = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)
            second = int(local.replace(tzinfo=zone, fold=0).timestamp())
            print(f'LOCAL("{name}", {(day - epoch).days}, {minute}, {second})')


if __name__ == "__main__":
    main()
