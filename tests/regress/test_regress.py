#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
"""What the guard asks a window for is what the server itself calls a schema change: for each statement of PostgreSQL's
regression tests the classifier's verdict is held against the server's word (the log level that log_statement = ddl goes
by), with TRUNCATE, REINDEX and VACUUM FULL, and without what is temporary by its own words.

Nothing is run: each text goes to a transaction that has failed, where the server logs it and then ignores it.

usage: test_regress.py FOLDER    the scripts are fetched into it
"""
import collections
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

import fetch  # noqa: E402
import parse_tree  # noqa: E402
import psql_script  # noqa: E402
from harness import machine, wire  # noqa: E402
from harness.postgres import Postgres  # noqa: E402

KEYWORDS = re.findall(r'^KEYWORD\("(\w+)"', (HERE.parents[1] / "include/sql/keywords.def").read_text(), re.MULTILINE)
GROUPS = ("schema change", "no change", "DO", "no SQL of this version")
FAILED = "25P02"


class Server:
    """A session in a transaction that has failed."""

    def __init__(self, postgres):
        self.wire = wire.Wire(postgres.socket)
        self.wire.login(client_min_messages="log", log_statement="ddl", client_encoding="UTF8")
        self.fail()

    def fail(self):
        self.wire.ask(wire.query("rollback"))
        self.wire.ask(wire.query("begin"))
        self.wire.ask(wire.query("select 1 / 0"))

    def set_strings(self, is_standard):
        self.wire.ask(wire.query("rollback"))
        self.wire.ask(wire.query(f"set standard_conforming_strings = {'on' if is_standard else 'off'}"))
        self.fail()

    def judge(self, text):
        """(whether it is a schema change, whether it is SQL)"""
        messages = self.wire.ask(wire.query(text))
        if messages[-1] != ("Z", b"E"):
            self.fail()
        logged = any(kind == "N" and wire.fields(body)["M"].startswith("statement: ") for kind, body in messages)
        return logged, all(error["C"] == FAILED for error in wire.errors(messages))


class Case:
    def __init__(self, path, statement):
        self.path = path
        self.line = statement.line
        self.text = statement.text.encode("utf-8", "surrogateescape")
        self.has_standard_strings = statement.has_standard_strings
        self.command = ""
        self.is_refused = False
        self.group = ""

    def __str__(self):
        return f"{self.path.name}:{self.line}: {' '.join(self.text.decode('utf-8', 'replace').split())[:110]}"


def needs_window(tag, node):
    """What is no schema change to the server's log, yet to the guard."""
    tag, node = parse_tree.bare(tag, node)
    is_full = tag == "VacuumStmt" and parse_tree.option_is_on(node, "full")
    return tag in ("TruncateStmt", "ReindexStmt") or is_full


def group_of(case, is_logged, is_sql):
    tree = parse_tree.statements(case.text) if is_sql else None
    if tree is None:
        return "no SQL of this version"
    if any(tag == "DoStmt" for tag, _ in tree):
        return "DO"
    is_change = is_logged or any(needs_window(tag, node) for tag, node in tree)
    is_temporary = len(tree) > 0 and all(parse_tree.is_temporary(tag, node) for tag, node in tree)
    return "schema change" if is_change and not is_temporary else "no change"


def begins_with_keyword(text):
    """Whether some statement in it begins with a word that begins a schema change."""
    bare = re.sub(rb"--[^\r\n]*|/\*.*?\*/", b" ", text, flags=re.DOTALL)
    return any(re.match(rb"[\s(]*(" + "|".join(KEYWORDS).encode() + rb")\b", part, re.IGNORECASE)
               for part in bare.split(b";"))


def read_cases(paths):
    return [Case(path, statement) for path in paths for statement in psql_script.statements(path)]


def ask_server(cases):
    server = Server(Postgres())
    has_standard_strings = True
    for case in cases:
        if case.has_standard_strings != has_standard_strings:
            has_standard_strings = case.has_standard_strings
            server.set_strings(has_standard_strings)
        case.group = group_of(case, *server.judge(case.text))


def ask_classifier(cases):
    given = b"".join(b"%d %d\n%s" % (case.has_standard_strings, len(case.text), case.text) for case in cases)
    said = subprocess.run([os.environ["PGSLUICE_VERDICTS"]], input=given, stdout=subprocess.PIPE, check=True)
    lines = said.stdout.decode().splitlines()
    assert len(lines) == len(cases)
    for case, line in zip(cases, lines):
        _, _, guarded, case.command = line.split("\t")
        case.is_refused = guarded == "1"


def read_exceptions():
    """(file, beginning of the text) -> reason"""
    lines = (HERE / "exceptions.tsv").read_text().splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return {(file, text): reason for file, text, reason in rows}


def exception_of(case, exceptions):
    text = " ".join(case.text.decode("utf-8", "replace").split())
    return next((key for key in exceptions if key[0] == case.path.name and text.startswith(key[1])), None)


def is_wrong(case):
    if case.group == "schema change":
        return not case.is_refused
    if case.group == "no change":
        return case.is_refused
    if case.group == "DO":
        return case.is_refused and not re.search(rb"\b(" + "|".join(KEYWORDS).encode() + rb")\b", case.text, re.IGNORECASE)
    return not case.is_refused and begins_with_keyword(case.text)


def print_matrix(cases):
    counts = collections.Counter((case.group, case.is_refused) for case in cases)
    print(f"{'the server says':24} {'passes':>8} {'asks for a window':>18}")
    for group in GROUPS:
        print(f"{group:24} {counts[group, False]:8} {counts[group, True]:18}")


def print_apart(cases):
    """What the server cannot judge: a DO is refused for the words in its body."""
    for case in cases:
        if case.group == "DO" and case.is_refused:
            print(f"DO with a schema change in it: {case}")


def main(folder):
    try:
        paths = fetch.scripts(folder)
    except fetch.Unavailable as why:
        machine.skip(f"no source package of PostgreSQL here: {why}")
    cases = read_cases(paths)
    ask_server(cases)
    ask_classifier(cases)
    exceptions = read_exceptions()
    print(f"{len(cases)} statements in {len(paths)} scripts")
    print_matrix(cases)
    print_apart(cases)
    wrong = [(case, exception_of(case, exceptions)) for case in cases if is_wrong(case)]
    used = {key for _, key in wrong if key is not None}
    for case, key in wrong:
        word = "refused for nothing" if case.is_refused else "passes"
        print(f"{'WRONG' if key is None else 'excepted'}: {word} ({case.group}): {case}" +
              (f" -- {exceptions[key]}" if key else ""))
    for key in sorted(set(exceptions) - used):
        print(f"WRONG: this exception is not needed: {key}")
    is_good = used == set(exceptions) and all(key is not None for _, key in wrong)
    return 0 if is_good and len(cases) > 20000 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
