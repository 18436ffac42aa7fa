# SPDX-License-Identifier: PostgreSQL
"""What the source says that the documentation repeats: the .def tables, columns, log events, areas."""
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def text_of(path):
    return (ROOT / path).read_text()


def without_comments(text):
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


def unquoted(word):
    """A C string literal's text, adjacent literals put together; other words as they are."""
    parts = re.findall(r'"((?:[^"\\]|\\.)*)"', word)
    return "".join(parts).replace('\\"', '"').replace("\\\\", "\\") if parts else word.strip()


def arguments_of(inner):
    return [unquoted(part) for part in re.findall(r'(?:"(?:[^"\\]|\\.)*"|[^",])+', inner)]


def rows_of(path, macro):
    """The argument lists of all MACRO(...) rows of a .def table."""
    rows = re.findall(rf"^{macro}\(((?:\"(?:[^\"\\]|\\.)*\"|[^\")])*)\)", without_comments(text_of(path)), re.MULTILINE)
    if not rows:
        raise ValueError(f"{path} has no row {macro}(...)")
    return [arguments_of(row) for row in rows]


def settings():
    """Path, type, default and meaning, as docs/settings.md has them (a unit test keeps that file)."""
    found = re.findall(r"^\| `([^`]+)` \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$", text_of("docs/settings.md"), re.MULTILINE)
    return [tuple(cell.strip() for cell in row) for row in found]


def restart():
    """The settings and sections that only a start takes up."""
    paths = [row[0] for row in rows_of("include/app/restart.def", "RESTART")]
    unknown = set(paths) - {row[0] for row in settings()}
    if unknown:
        raise ValueError(f"include/app/restart.def: there is no setting {sorted(unknown)}")
    return paths


def commands():
    """Syntax, role and meaning of the console's commands."""
    return [(row[1], row[2].lower(), row[5]) for row in rows_of("include/control/commands.def", "COMMAND")]


def counters():
    return rows_of("include/observe/counters.def", "COUNTER")


def violations():
    return [row[1:] for row in rows_of("include/observe/violations.def", "VIOLATION")]


def phases():
    return [row[1:] for row in rows_of("include/observe/phases.def", "PHASE")]


def families():
    return [row[1:] for row in rows_of("include/observe/families.def", "FAMILY")]


def verdicts():
    """What SHOW DEPLOYS may say of a service, and when."""
    return [row[1:] for row in rows_of("include/observe/deploy_verdicts.def", "VERDICT")]


def grounds():
    """By what a change is suspected, weakest first."""
    return [row[1:] for row in rows_of("include/observe/suspect_grounds.def", "GROUND")]


def classes():
    """Name, level, whether it is guarded, meaning."""
    return [row[1:] for row in rows_of("include/sql/classes.def", "CLASS")]


def advice():
    """Command, level, words, lock, why, instead."""
    return rows_of("include/sql/advice.def", "ADVICE")


def modes():
    return [row[1:] for row in rows_of("include/policy/modes.def", "MODE")]


def events():
    """Symbol, name, level, meaning."""
    return [(row[0], row[1], row[2].removeprefix("LOG_").lower(), row[3])
            for row in rows_of("include/observe/events.def", "EVENT")]


def audited():
    """The symbols of the events that src/app/audit.c writes."""
    return set(re.findall(r"case EVENT_(\w+):", (ROOT / "src/app/audit.c").read_text()))


def event_masks(source, symbols):
    """The masks IN_... of src/observe/event.c: which events each stands for."""
    bits = {f"EVENT_{symbol}": number for number, symbol in enumerate(symbols)}
    bits["EVENT_KIND_COUNT"] = len(symbols)
    masks = {}
    for name, value in re.findall(r"^    (IN_\w+) = ([^,}]+)", source, re.MULTILINE):
        words = re.sub(r"(\d+)u", r"\1", " ".join(value.split()))
        masks[name] = eval(words, {"__builtins__": {}}, {**bits, **masks})  # sums of the tree's own names
    return masks


def event_keys():
    """For each event's name the keys of its line, in their order."""
    source = text_of("src/observe/event.c")
    symbols = [symbol for symbol, _, _, _ in events()]
    masks = event_masks(source, symbols)
    fields = re.findall(r'\{ "(\w+)", FIELD_\w+, offsetof\(struct event, [\w.]+\), ([^,]+),', source)
    keys = {name: [] for _, name, _, _ in events()}
    for key, words in fields:
        kinds = eval(words, {"__builtins__": {}}, masks)
        for number, (_, name, _, _) in enumerate(events()):
            if kinds >> number & 1:
                keys[name].append(key)
    return keys


def notices():
    """Name, level, meaning, keys: the lines of the log that the program writes about itself."""
    return [(row[1], row[2].removeprefix("LOG_").lower(), row[3], row[4].split())
            for row in rows_of("include/app/notices.def", "NOTICE")]


def columns(name):
    """The columns of a SHOW command, by its name in the source: VIOLATION, INCIDENT, DDL, SESSION ..."""
    source = "".join(path.read_text() for path in sorted((ROOT / "src/control").glob("show*.c")))
    body = re.search(rf"#define {name}_COLUMNS\(COLUMN\)((?:.*\\\n)*.*)", source).group(1)
    return re.findall(r"COLUMN\((\w+),", body)


def payload_keys():
    """The keys of an alert."""
    return re.findall(r'json_\w+\(&?json, "(\w+)"', text_of("src/alert/payload.c"))


def areas():
    """Name, areas it may use, outside headers, modules."""
    text = re.sub(r"#.*", "", text_of("CMakeLists.txt"))
    for inner in re.findall(r"^area\(([^)]*)\)", text, re.MULTILINE):
        lists = {"": [], "USES": [], "LIBRARIES": [], "HEADERS": []}
        current = ""
        for word in inner.split():
            if word in lists:
                current = word
            else:
                lists[current].append(word)
        name = lists[""][0]
        modules = sorted(path.stem for path in (ROOT / "include" / name).glob("*.h"))
        yield name, lists["USES"], lists["HEADERS"], modules
