#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
"""Measures what sessions that rest cost in memory: bytes of the process for each, once they have logged in and once they
have done this and that. See README.md."""
import argparse
import json
import os
import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "integration"))

SELECT = "select balance from accounts where id = $1"


def phases(wire):
    """What all clients do, by the words that the table has for it: what client number i says, and how often it is answered."""
    return {
        "a query": (lambda i: wire.query("select balance from accounts where id = 7"), 1),
        "a query of its own": (lambda i: wire.query(f"select balance from accounts where id = {i}"), 1),
        "an unnamed statement": (lambda i: wire.parse(SELECT) + wire.bind(values=["7"]) + wire.describe("P") + wire.execute() +
                                 wire.sync(), 1),
        "a transaction": (lambda i: b"".join(wire.query(sql) for sql in ("begin", "select 1", "select 2", "commit")), 4),
        "100 queries in a row": (lambda i: wire.query("select 1") * 100, 100),
        "a query of 100 KB": (lambda i: wire.query("select " + "1, " * 33000 + str(i)), 1),
        "a prepared statement": (lambda i: wire.parse(SELECT, "balance") + wire.bind(prepared="balance", values=["7"]) +
                                 wire.execute() + wire.sync(), 1),
    }


def settle(crowd, pid):
    """The memory once what the sessions did is done with."""
    time.sleep(1.5)
    return crowd.memory(pid)


def warm_up(crowd, wire, sluice):
    """All that the process needs once: few sessions at a time, so that they leave no memory for those to come."""
    for _ in range(150):
        few = crowd.Crowd(sluice.port, 10)
        for said, count in phases(wire).values():
            few.ask(said, count)
        few.close()


def measure(options, sluice, crowd, wire):
    pid = sluice.process.pid
    warm_up(crowd, wire, sluice)
    before = settle(crowd, pid)
    many = crowd.Crowd(sluice.port, options.sessions, options.at_once)
    rows = [{"phase": "logged in", **settle(crowd, pid)}]
    for name, (said, count) in phases(wire).items():
        many.ask(said, count)
        rows.append({"phase": name, **settle(crowd, pid)})
    many.close()
    rows.append({"phase": "gone again", **settle(crowd, pid)})
    return [{"phase": row["phase"], **{name.lower(): round((row[name] - before[name]) / options.sessions)
                                       for name in ("Pss", "Rss", "Anonymous")}} for row in rows], before


def show(result):
    print(f"{result['sessions']} sessions; bytes for each; {result['before'] / 1e6:.1f} MB before the first")
    print(f"{'once all had':24}{'PSS':>8}{'RSS':>8}{'own':>8}")
    for row in result["phases"]:
        print(f"{row['phase']:24}{row['pss']:8}{row['rss']:8}{row['anonymous']:8}")


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--sessions", type=int, default=10000, help="as far as descriptors allow")
    words.add_argument("--at-once", type=int, default=50, help="how many log in, or ask, at a time")
    words.add_argument("--setting", action="append", default=[], metavar="NAME=JSON", help="a section of the settings")
    words.add_argument("--json", default=os.environ.get("JSON", ""), help="where the figures go, too")
    options = words.parse_args()
    os.environ["PGSLUICE"] = str(ROOT / os.environ.get("BUILD", "build/release") / "pgsluice")
    from harness import crowd, wire
    from harness.sluice import Sluice
    options.sessions = min(options.sessions, crowd.sessions_most())
    server = crowd.PatientServer()
    # the history keeps pages of its file in memory, more and more up to 4 MB, however many sessions there are
    settings = {"workers": 1, "log": {"level": "info"}, "limits": {"sessions": 0}, "history": {"record": False}}
    settings.update((name, json.loads(value)) for name, value in (pair.split("=", 1) for pair in options.setting))
    sluice = Sluice([f"127.0.0.1:{server.port}"], **settings)
    try:
        rows, before = measure(options, sluice, crowd, wire)
    finally:
        sluice.stop()
        server.close()
    result = {"sessions": options.sessions, "before": before["Pss"], "phases": rows}
    show(result)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
