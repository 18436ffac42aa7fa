#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
"""The objects that are read out of a schema change hold all that the server's grammar finds named in it, or are said not
to be complete: for each statement of PostgreSQL's regression tests that the guard asks a window for.

usage: test_names.py FOLDER    the scripts are fetched into it
"""
import collections
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

import fetch  # noqa: E402
import parse_tree  # noqa: E402
import psql_script  # noqa: E402
import tree_names  # noqa: E402
from harness import machine  # noqa: E402


class Case:
    def __init__(self, path, statement):
        self.place = f"{path.name}:{statement.line}"
        self.text = statement.text.encode("utf-8", "surrogateescape")
        self.has_standard_strings = statement.has_standard_strings
        self.is_guarded = False
        self.is_complete = False
        self.names = set()

    def __str__(self):
        return f"{self.place}: {' '.join(self.text.decode('utf-8', 'replace').split())[:110]}"


def ask(tool, cases):
    """The tool's line for each text."""
    given = b"".join(b"%d %d\n%s" % (case.has_standard_strings, len(case.text), case.text) for case in cases)
    said = subprocess.run([os.environ[tool]], input=given, stdout=subprocess.PIPE, check=True)
    lines = said.stdout.decode().splitlines()
    assert len(lines) == len(cases)
    return zip(cases, lines)


def read_cases(paths):
    cases = [Case(path, statement) for path in paths for statement in psql_script.statements(path)]
    for case, line in ask("PGSLUICE_VERDICTS", cases):
        case.is_guarded = line.split("\t")[2] == "1"
    for case, line in ask("PGSLUICE_NAMES", cases):
        is_complete, *names = line.split()
        case.is_complete = is_complete == "1"
        case.names = {tuple(bytes.fromhex(part).decode("utf-8", "replace") for part in name.split(".")) for name in names}
    return [case for case in cases if case.is_guarded]


def missing(case, tree):
    """What the names lack, in words; empty where nothing is."""
    if not case.is_complete:
        return ""
    wanted = {name for tag, node in tree if not parse_tree.is_temporary(tag, node)
              for name in tree_names.of_statement(tag, node)}
    lacking = [".".join(name) for name in sorted(wanted - case.names)]
    if any(tree_names.has_cascade(node) for _, node in tree):
        lacking.append("what CASCADE reaches")
    return ", ".join(lacking)


def main(folder):
    try:
        paths = fetch.scripts(folder)
    except fetch.Unavailable as why:
        machine.skip(f"no source package of PostgreSQL here: {why}")
    counts = collections.Counter()
    for case in read_cases(paths):
        tree = parse_tree.statements(case.text)
        if tree is None:
            continue
        lacking = missing(case, [parse_tree.bare(tag, node) for tag, node in tree])
        counts["wrong" if lacking else "complete" if case.is_complete else "not complete"] += 1
        if lacking:
            print(f"WRONG: {lacking} is missing: {case}")
    print(", ".join(f"{count} {word}" for word, count in sorted(counts.items())))
    return 0 if counts["wrong"] == 0 and counts["complete"] > 12000 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
