#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
"""Holds the documentation against the tree: links, names in backquotes, described tables and commands.

usage: check_docs.py [FOLDER OF PGSLUICE]      with the program, its commands are run too
       check_docs.py --self-test
"""
import json
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import sources
from tables import documents

# names in backquotes that are not the sluice's: PostgreSQL's, examples
FOREIGN = set("no_application_protocol idle_session_timeout orders_status_check shop_app pg_cron pg_isready lo_import "
              "ddl_window gorp_migrations io_submit schema_migrations search_path pg_terminate_backend".split())
FOLDERS = ("src/", "include/", "tests/", "docs/", "conf/", "docker/", "bench/", "build/")
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
PLACEHOLDER = re.compile(r"[A-Z]{4,}|\*|<|\.\.\.")


def prose_of(text):
    return FENCE.sub(lambda match: "\n" * match.group(0).count("\n"), text)


def spans_of(text):
    """What stands in backquotes, with its line."""
    for number, line in enumerate(prose_of(text).splitlines(), 1):
        for span in re.findall(r"`([^`]+)`", line):
            yield number, span


def anchors_of(text):
    headings = re.findall(r"^#+ (.+)$", prose_of(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def check_links(path, text):
    for number, line in enumerate(prose_of(text).splitlines(), 1):
        for target in re.findall(r"\]\(([^)]+)\)", line):
            if re.match(r"https?://", target):
                continue
            file, _, anchor = target.partition("#")
            linked = (path.parent / file).resolve()
            if not linked.exists():
                yield number, f"the link leads nowhere: {target}"
            elif anchor and anchor not in anchors_of(linked.read_text() if file else text):
                yield number, f"no heading has the anchor {target}"


def known_words():
    """Every name with an underscore that the tables of the source have."""
    words = {re.sub(r".*\.", "", path).replace("[]", "") for path, _, _, _ in sources.settings()}
    words |= {row[0] for table in (sources.counters(), sources.violations(), sources.phases(), sources.families(),
                                sources.verdicts()) for row in table}
    words |= {name for _, name, _, _ in sources.events()} | {row[0] for row in sources.notices()}
    words |= {key for keys in sources.event_keys().values() for key in keys}
    for name in ("VIOLATION", "INCIDENT", "DDL", "WOULD_REFUSE", "RULE", "READONLY", "WINDOW", "SESSION", "WORKER", "STAT",
                 "DEPLOY", "CONSTRAINT", "CONSTRAINT_CHANGE", "ERROR", "STATEMENT", "HISTORY"):
        words |= set(sources.columns(name))
    schema = sources.text_of("include/history/migrations.def") + sources.text_of("src/app/live_copy.c")
    words |= set(re.findall(r"\b[a-z]+_[a-z_]+\b", schema))
    words |= set(sources.payload_keys())
    code = "".join(path.read_text() for path in sorted((sources.ROOT / "include").glob("*/*.h")))
    return words | set(re.findall(r"\b[a-z]+_[a-z_]+(?=\()", code)) | FOREIGN


def check_settings(text):
    paths = {path for path, _, _, _ in sources.settings()}
    roots = {path for path in paths if "." not in path}
    known = paths | {path.replace("[]", "") for path in paths}
    for number, span in spans_of(text):
        if re.fullmatch(r"[a-z_]+(\[\])?(\.[a-z_]+(\[\])?)+", span) and re.split(r"[.\[]", span)[0] in roots:
            if span not in known:
                yield number, f"there is no setting {span}"


def check_words(text):
    known = known_words()
    for number, span in spans_of(text):
        if re.fullmatch(r"[a-z]+(_[a-z]+)+", span) and span not in known:
            yield number, f"no table of the source has {span}"


def check_files(path, text):
    for number, span in spans_of(text):
        if not span.startswith(FOLDERS) or " " in span or PLACEHOLDER.search(span) or span.startswith("build/"):
            continue
        if not (sources.ROOT / span).exists():
            yield number, f"there is no {span}"


def stand_in_order(words, among):
    """Some of a command's words may be left out."""
    left = iter(among)
    return words[:1] == among[:1] and all(word in left for word in words)


def is_command(text):
    """Whether the console knows a command that begins so; values do not matter."""
    words = re.findall(r"[A-Z]+", re.sub(r"'[^']*'|\"[^\"]*\"", "", text))
    return any(stand_in_order(words, re.findall(r"[A-Z]+", syntax)) for syntax, _, _ in sources.commands())


def check_commands(text):
    for number, span in spans_of(text):
        if re.match(r"(SHOW|OPEN WINDOW|CLOSE WINDOW|SET READONLY|RELOAD)\b", span) and not is_command(span):
            yield number, f"the console has no command {span}"
    for _, language, block in FENCE.findall(text):
        for command in re.findall(r"((?:SHOW|OPEN WINDOW|CLOSE WINDOW|SET READONLY) [^;\"]*)", block):
            if not is_command(command):
                yield 1, f"the console has no command {command}"


def described(words):
    name, *rest = words.split()
    found = getattr(sources, name)(*rest)
    return list(found)


def check_described(text):
    """A hand-written table after "described: NAME" has in its first column just what the source has."""
    for match in re.finditer(r"<!-- described: ([^>]+?) -->\n\n((?:\|.*\n)+)", text):
        number = text[:match.start()].count("\n") + 1
        written = re.findall(r"^\| `(\w+)` \|", match.group(2), re.MULTILINE)
        wanted = described(match.group(1))
        in_order = written == wanted if match.group(1).startswith("columns") else sorted(written) == sorted(wanted)
        if not in_order:
            yield number, f"described are {written}, the source has {wanted}"


def shell_lines(text):
    for match in FENCE.finditer(text):
        if match.group(2) == "sh":
            for offset, line in enumerate(match.group(3).splitlines(), 1):
                if line.strip():
                    yield text[:match.start()].count("\n") + 1 + offset, line


def judge_script(words):
    script = words[1]
    if not (sources.ROOT / script).is_file():
        return f"there is no {script}"
    options = [word for word in words[2:] if word.startswith("--")]
    source = (sources.ROOT / script).read_text()
    return next((f"{script} knows no {option}" for option in options if option not in source), None)


def judge_cmake(words):
    presets = json.loads(sources.text_of("CMakePresets.json"))
    names = {preset["name"] for kind in ("configurePresets", "buildPresets") for preset in presets[kind]}
    given = [words[at + 1] for at, word in enumerate(words) if word == "--preset"]
    return next((f"there is no preset {name}" for name in given if name not in names), None)


def judge_program(words, program):
    """Runs what ends by itself; of `run` only the settings are checked."""
    if program is None:
        return None
    arguments = ["check" if word == "run" else word for word in words[1:]]
    done = subprocess.run([program, *arguments], cwd=sources.ROOT, capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"ends with status {done.returncode}: {done.stderr}"


def judge_line(words, program):
    if words[0] in ("bash", "python3"):
        return judge_script(words)
    if words[0] in ("cmake", "ctest"):
        return judge_cmake(words)
    if Path(words[0]).name == "pgsluice":
        return judge_program(words, program)
    return f"the test knows no way to try {words[0]}"


def check_shell(text, program):
    for number, line in shell_lines(text):
        fault = judge_line(shlex.split(line, comments=True), program)
        if fault is not None:
            yield number, fault


# what a file of settings needs besides the part that a page shows, and the calendar that it may name
NEEDED = "listen: [ { address: '127.0.0.1:6432', upstream: main } ]\nupstreams: [ { name: main, hosts: ['127.0.0.1:5432'] } ]\n"
CALENDAR = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//pgsluice//EN\r\nEND:VCALENDAR\r\n"


def judge_settings(block, program):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pgsluice.yaml"
        path.write_text(NEEDED + block)
        (Path(folder) / "team.ics").write_text(CALENDAR)
        done = subprocess.run([program, "check", "--config", path], capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"pgsluice check refuses these settings: {done.stdout}{done.stderr}"


def check_examples(text, program):
    """What a page shows of the guard's settings is right."""
    for match in FENCE.finditer(text):
        if program is not None and match.group(2) == "yaml" and match.group(3).startswith("guard:"):
            fault = judge_settings(match.group(3), program)
            if fault is not None:
                yield text[:match.start()].count("\n") + 1, fault


def check_text(path, text, program=None):
    yield from check_links(path, text)
    yield from check_settings(text)
    yield from check_words(text)
    yield from check_files(path, text)
    yield from check_commands(text)
    yield from check_described(text)
    yield from check_shell(text, program)
    yield from check_examples(text, program)


# text, and words of the finding that it must give; no words: none
CASES = [
    ("[here](README.md), `guard.mode`, `ddl_refused`, `SHOW DDL`, `include/wire/framer.h`", ""),
    ("[here](nowhere.md)", "leads nowhere"),
    ("[here](README.md#no-such-heading)", "no heading"),
    ("[here](#title)\n# Title", ""),
    ("`guard.modus`", "no setting guard.modus"),
    ("`guard.windows[].form`", "no setting"),
    ("`ddl_reused`", "no table of the source"),
    ("`src/nothing.c`", "there is no src/nothing.c"),
    ("`SHOW NONSENSE`", "no command SHOW NONSENSE"),
    ("```sql\nCLOSE GATE x; SHOW MANY;\n```", "no command SHOW MANY"),
    ("```sh\nbash tests/walk.sh\n```", "there is no tests/walk.sh"),
    ("```sh\nbash tests/run.sh --slow\n```", "knows no --slow"),
    ("```sh\ncmake --preset fast\n```", "no preset fast"),
    ("```sh\nfrobnicate\n```", "no way to try frobnicate"),
    ("<!-- described: columns STAT -->\n\n| a | b |\n|---|---|\n| `value` | x |\n", "described are"),
]


def self_test():
    for text, words in CASES:
        found = [fault for _, fault in check_text(sources.ROOT / "page.md", text)]
        if (words == "" and found) or not any(words in fault for fault in [*found, ""]):
            yield f"{text!r} gave {found}, not {words!r}"


def main(arguments):
    if arguments == ["--self-test"]:
        faults = list(self_test())
        print("\n".join(faults) if faults else f"{len(CASES)} cases hold")
        return 1 if faults else 0
    program = Path(arguments[0]).resolve() / "pgsluice" if arguments else None
    faults = [f"{path.relative_to(sources.ROOT)}:{number}: {fault}"
              for path in documents()
              for number, fault in check_text(path, path.read_text(), program)]
    print("\n".join(faults) if faults else f"{len(documents())} pages hold")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
