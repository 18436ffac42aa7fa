#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
"""Keeps the tables of the documentation equal to the tables of the source.

In a Markdown file, what stands between "<!-- table: NAME [word...] -->" and "<!-- end of table -->" is generated.

usage: tables.py --check | tables.py --write
"""
import re
import sys

import sources

MARKED = re.compile(r"(<!-- table: ([^>]+?) -->\n)(.*?)(<!-- end of table -->)", re.DOTALL)


def markdown(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def code(word):
    return f"`{word}`"


def listed(words):
    return ", ".join(map(code, words)) if words else "-"


def settings_table(*prefixes):
    """The settings below these parts of the file, without the sections themselves."""
    rows = [(code(path), standard, about) for path, kind, standard, about in sources.settings()
            if path.startswith(prefixes) and not re.match(r"section|list, ", kind)]
    return markdown(("setting", "default", "meaning"), rows)


def restart_table():
    return listed(sources.restart()) + "\n"


def commands_table():
    return markdown(("command", "role", "what it does"),
                    [(code(syntax), role, about) for syntax, role, about in sources.commands()])


def counters_table():
    return markdown(("counter", "what it counts"), [(code(name), about) for name, about in sources.counters()])


def violations_table():
    return markdown(("kind", "SQLSTATE and what it is"), [(code(name), about) for name, about in sources.violations()])


def phases_table():
    return markdown(("phase", "when the server found it"), [(code(name), about) for name, about in sources.phases()])


def families_table():
    return markdown(("family", "what it is"), [(code(name), about) for name, about in sources.families()])


def verdicts_table():
    return markdown(("verdict", "when"), [(code(name), about) for name, about in sources.verdicts()])


def grounds_table():
    return markdown(("ground", "why a change is suspected"),
                    [(code(name), about) for name, about in reversed(sources.grounds())])


def classes_table():
    rows = [(code(name), level, "yes" if guarded == "true" else "no", about)
            for name, level, guarded, about in sources.classes()]
    return markdown(("class", "level", "needs a window", "what it holds"), rows)


def advice_table():
    rows = [(command + (f" ... {words}" if words else ""), "any" if level == "0" else level, lock, why, instead)
            for command, level, words, lock, why, instead in sources.advice()]
    return markdown(("statement", "level", "lock", "why", "instead"), rows)


def migrations_table():
    sys.path.append(str(sources.ROOT / "tests" / "migrations"))
    import tools  # pylint: disable=import-outside-toplevel
    return markdown(tools.HEAD, tools.rows())


def modes_table():
    return markdown(("mode", "a schema change that no window allows"),
                    [(code(name), about) for name, about in sources.modes()])


def events_table():
    keys = sources.event_keys()
    rows = [(code(name), level, about, listed(keys[name])) for _, name, level, about in sources.events()]
    return markdown(("event", "level", "what happened", "keys, in their order"), rows)


def audit_table():
    rows = [(code(name), about) for symbol, name, _, about in sources.events() if symbol in sources.audited()]
    return markdown(("event", "what happened"), rows + [(code(name), about) for name, _, about, keys in sources.notices()
                                                        if {"operator", "constraint"} & set(keys)])


def notices_table():
    return markdown(("event", "level", "what happened", "keys, in their order"),
                    [(code(name), level, about, listed(keys)) for name, level, about, keys in sources.notices()])


def areas_table():
    rows = [(code(name), listed(uses), listed(headers), " ".join(modules))
            for name, uses, headers, modules in sources.areas()]
    return markdown(("area", "may use", "alone includes", "modules"), rows)


def generate(words):
    name, *arguments = words.split()
    maker = globals().get(f"{name}_table")
    if maker is None:
        raise SystemExit(f"no table is called {name}")
    return maker(*arguments)


def generated(text):
    return MARKED.sub(lambda match: match.group(1) + generate(match.group(2)) + match.group(4), text)


def documents():
    return sorted(path for path in [*sources.ROOT.glob("*.md"), *sources.ROOT.glob("docs/**/*.md")])


def main(arguments):
    if arguments not in (["--check"], ["--write"]):
        raise SystemExit(__doc__)
    stale = [path for path in documents() if generated(path.read_text()) != path.read_text()]
    for path in stale:
        if arguments == ["--write"]:
            path.write_text(generated(path.read_text()))
        print(f"{path.relative_to(sources.ROOT)}: " +
              ("written" if arguments == ["--write"] else "a table is not as the source has it: tables.py --write"))
    return 1 if stale and arguments == ["--check"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
