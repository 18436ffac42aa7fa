#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
"""Holds the source against the house rules.

The area(...) lines of CMakeLists.txt say which areas an area may use and which outside headers it alone includes; every
#include under src/ and include/ is held against them. Core areas get no header of sockets, clocks, threads or output.

usage: check_areas.py [ROOT] | check_areas.py --self-test
"""
import fnmatch
import os
import re
import sys
import tempfile
from pathlib import Path

CORE_AREAS = {"base", "wire", "sql", "observe", "catalog", "policy", "session"}

STANDARD_HEADERS = set(
    """
    assert.h complex.h ctype.h errno.h fenv.h float.h inttypes.h iso646.h limits.h locale.h math.h setjmp.h signal.h
    stdalign.h stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h stdlib.h stdnoreturn.h string.h tgmath.h
    threads.h time.h uchar.h wchar.h wctype.h
    arpa/inet.h dirent.h dlfcn.h fcntl.h fnmatch.h getopt.h glob.h grp.h net/if.h netdb.h netinet/in.h netinet/tcp.h
    poll.h pthread.h pwd.h regex.h sched.h strings.h sys/ioctl.h sys/mman.h sys/random.h sys/resource.h sys/select.h sys/socket.h
    sys/stat.h sys/syscall.h sys/time.h sys/types.h sys/uio.h sys/un.h sys/wait.h syslog.h termios.h unistd.h
    """.split()
)

FORBIDDEN_IN_CORE = """
    sys/* netinet/* net/* arpa/* netdb.h dirent.h dlfcn.h fcntl.h getopt.h glob.h grp.h locale.h poll.h pthread.h pwd.h
    sched.h signal.h stdio.h syslog.h termios.h threads.h time.h unistd.h uv.h openssl/*
    """.split()

# file: header: why it may nevertheless
EXCEPTIONS_IN_CORE = {
    "src/base/text.c": {"stdio.h": "vsnprintf into memory"},
    "src/base/address.c": {"arpa/inet.h": "inet_pton and inet_ntop, which are pure"},
}

DENIED_WORDS = ("TO" + "DO", "FIX" + "ME", "X" + "XX")  # in two pieces, so that this line passes
SPDX_LINE = "SPDX-License-Identifier: PostgreSQL"
CODE_SUFFIXES = {".c", ".h", ".def", ".py", ".sh", ".cmake"}
PROSE_SUFFIXES = {".md", ".yaml", ".yml"}
SKIPPED_FOLDERS = {"build", ".git", "__pycache__"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
GUARD_OR_INCLUDE = re.compile(r"^\s*#\s*(include\b.*|ifndef\s+\w+|define\s+\w+|endif\b.*|pragma\s+once)\s*$")
AREA = re.compile(r"^\s*area\(([^)]*)\)", re.MULTILINE)


class Area:
    def __init__(self, words):
        self.name = words[0]
        lists = {"USES": [], "LIBRARIES": [], "HEADERS": []}
        current = None
        for word in words[1:]:
            if word in lists:
                current = word
            elif current is not None:
                lists[current].append(word)
        self.uses = set(lists["USES"])
        self.headers = lists["HEADERS"]


def read_areas(root):
    text = re.sub(r"#.*", "", (root / "CMakeLists.txt").read_text())
    areas = [Area(match.group(1).split()) for match in AREA.finditer(text)]
    return {area.name: area for area in areas}


def files_under(root, folders, suffixes):
    for folder in folders:
        for path, names, files in os.walk(root / folder):
            names[:] = sorted(name for name in names if name not in SKIPPED_FOLDERS)
            for file in sorted(files):
                if Path(file).suffix in suffixes or (".cmake" in suffixes and file == "CMakeLists.txt"):
                    yield Path(path) / file


def lines_of(path):
    return path.read_text(errors="replace").splitlines()


def relative(root, path):
    return path.relative_to(root).as_posix()


def area_of(root, path):
    """The area of a file: its folder under src/ or include/; what lies in src/ itself only starts the app."""
    parts = path.relative_to(root).parts
    return parts[1] if len(parts) > 2 else None


def is_own_file(path, header):
    return "/" not in header and (path.parent / header).is_file()


def judge_quoted(area, areas, path, header):
    other = header.split("/")[0]
    allowed = {area.name} | area.uses if area is not None else {"app"}
    if is_own_file(path, header) or other in allowed:
        return None
    if other not in areas:
        return f'"{header}" is in no area (write "area/header.h")'
    return f'{area.name if area else "src"} may not use {other}: "{header}"'


def judge_angled(area, where, header):
    if area is not None and any(fnmatch.fnmatch(header, pattern) for pattern in area.headers):
        return None
    if header not in STANDARD_HEADERS:
        return f"<{header}> is neither a standard header nor named after HEADERS"
    is_core = area is not None and area.name in CORE_AREAS
    if is_core and any(fnmatch.fnmatch(header, pattern) for pattern in FORBIDDEN_IN_CORE):
        if header not in EXCEPTIONS_IN_CORE.get(where, {}):
            return f"<{header}> has no place in the core area {area.name}"
    return None


def check_includes(root, areas):
    for path in files_under(root, ("src", "include"), {".c", ".h", ".def"}):
        name = area_of(root, path)
        if name is not None and name not in areas:
            continue  # check_folders says it once
        area = areas[name] if name is not None else None
        where = relative(root, path)
        for number, line in enumerate(lines_of(path), 1):
            match = INCLUDE.match(line)
            if match is None:
                continue
            is_quoted, header = match.group(1) == '"', match.group(2)
            fault = judge_quoted(area, areas, path, header) if is_quoted else judge_angled(area, where, header)
            if fault is not None:
                yield where, number, fault


def check_folders(root, areas):
    """src/, include/ and CMakeLists.txt name the same areas."""
    found = {}
    for top in ("src", "include"):
        paths = files_under(root, (top,), {".c", ".h", ".def"})
        found[top] = {area_of(root, path) for path in paths} - {None}
    for name in sorted(found["src"] | found["include"] | set(areas)):
        if name not in areas:
            yield "CMakeLists.txt", 1, f"no area({name} ...) for the folder {name}"
        for top in ("src", "include"):
            if name not in found[top]:
                yield f"{top}/{name}", 1, f"area {name} has no files here"


def check_uses(areas):
    """A core area uses core areas only, and nobody uses an area that is not there."""
    for area in areas.values():
        for other in sorted(area.uses):
            if other not in areas:
                yield "CMakeLists.txt", 1, f"area {area.name} uses {other}, which is no area"
            elif area.name in CORE_AREAS and other not in CORE_AREAS:
                yield "CMakeLists.txt", 1, f"core area {area.name} may not use {other}"


def check_umbrellas(root):
    for path in files_under(root, ("include", "src"), {".h"}):
        text = re.sub(r"/\*.*?\*/", "", path.read_text(errors="replace"), flags=re.DOTALL)
        lines = [line for line in text.splitlines() if line.strip()]
        if any(INCLUDE.match(line) for line in lines) and all(GUARD_OR_INCLUDE.match(line) for line in lines):
            yield relative(root, path), 1, "a header that only includes others hides the architecture"


def check_licences(root):
    for path in files_under(root, (".",), CODE_SUFFIXES):
        first = [line for line in lines_of(path)[:2] if not line.startswith("#!")]
        if not first or SPDX_LINE not in first[0]:
            yield relative(root, path), 1, f"the first line must say {SPDX_LINE}"


def check_words(root):
    denied = re.compile(r"\b(" + "|".join(DENIED_WORDS) + r")\b")
    for path in files_under(root, (".",), CODE_SUFFIXES | PROSE_SUFFIXES):
        for number, line in enumerate(lines_of(path), 1):
            match = denied.search(line)
            if match is not None:
                yield relative(root, path), number, f"{match.group(1)} has no place in the tree"


def check_exceptions(root):
    """An exception that nobody needs any more goes."""
    for where, headers in EXCEPTIONS_IN_CORE.items():
        path = root / where
        included = {match.group(2) for match in map(INCLUDE.match, lines_of(path)) if match} if path.is_file() else set()
        for header in sorted(set(headers) - included):
            yield where, 1, f"does not include <{header}>, for which EXCEPTIONS_IN_CORE has a line"


def check_all(root):
    areas = read_areas(root)
    yield from check_includes(root, areas)
    yield from check_folders(root, areas)
    yield from check_uses(areas)
    yield from check_umbrellas(root)
    yield from check_licences(root)
    yield from check_words(root)


SPDX_C = f"/* {SPDX_LINE} */\n"
CLEAN_TREE = {
    "CMakeLists.txt": f"# {SPDX_LINE}\narea(base)\narea(wire USES base HEADERS own/*.h)\narea(net\n    USES wire)\n",
    "include/base/a.h": SPDX_C + "#ifndef A\n#define A\n#include <stddef.h>\nint a(void);\n#endif\n",
    "src/base/a.c": SPDX_C + '#include "base/a.h"\n',
    "include/wire/w.h": SPDX_C + '#include "base/a.h"\nint w(void);\n',
    "src/wire/w.c": SPDX_C + '#include "wire/w.h"\n#include "inner.h"\n#include <own/x.h>\n',
    "src/wire/inner.h": SPDX_C + "int inner(void);\n",
    "include/net/n.h": SPDX_C + "int n(void);\n",
    "src/net/n.c": SPDX_C + '#include "wire/w.h"\n#include <sys/socket.h>\n',
    "tool.sh": f"#!/bin/sh\n# {SPDX_LINE}\n",
    "build/generated.c": "no licence here\n",
}
# file, content, the line and the words of the finding
VIOLATIONS = [
    ("src/base/a.c", SPDX_C + '#include "wire/w.h"\n', 2, "base may not use wire"),
    ("src/net/n.c", SPDX_C + '\n#include "base/a.h"\n', 3, "net may not use base"),
    ("include/base/a.h", SPDX_C + '#  include "wire/w.h"\nint a(void);\n', 2, "base may not use wire"),
    ("src/base/a.c", SPDX_C + '#include "a.h"\n', 2, "is in no area"),
    ("src/net/n.c", SPDX_C + "#include <own/x.h>\n", 2, "neither a standard header"),
    ("src/wire/w.c", SPDX_C + "#include <sys/socket.h>\n", 2, "no place in the core area wire"),
    ("src/wire/w.c", SPDX_C + "#include <time.h>\n", 2, "no place in the core area wire"),
    ("src/wire/w.c", SPDX_C + "#include <stdio.h>\n", 2, "no place in the core area wire"),
    ("src/main.c", SPDX_C + '#include "base/a.h"\n', 2, "src may not use base"),
    ("include/net/all.h", SPDX_C + '#ifndef X\n#define X\n#include "wire/w.h"\n#endif\n', 1, "only includes others"),
    ("src/stray/s.c", SPDX_C, 1, "no area(stray ...)"),
    ("src/stray/s.c", SPDX_C, 1, "area stray has no files here"),
    ("src/base/b.c", "int b;\n", 1, "the first line must say"),
    ("tool.sh", "#!/bin/sh\necho\n", 1, "the first line must say"),
    ("table.def", "", 1, "the first line must say"),
    ("src/base/b.c", SPDX_C + "\n/* " + DENIED_WORDS[0] + ": later */\n", 3, DENIED_WORDS[0]),
    ("readme.md", DENIED_WORDS[2] + "\n", 1, DENIED_WORDS[2]),
    ("CMakeLists.txt", f"# {SPDX_LINE}\narea(base USES net)\narea(wire USES base)\narea(net)\n", 1, "core area base"),
    ("CMakeLists.txt", f"# {SPDX_LINE}\narea(base)\narea(wire)\narea(net USES lost)\n", 1, "uses lost"),
]


def findings_of(tree):
    with tempfile.TemporaryDirectory() as folder:
        for name, content in tree.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return list(check_all(Path(folder)))


def self_test():
    faults = [f"the clean tree: {finding}" for finding in findings_of(CLEAN_TREE)]
    for name, content, line, words in VIOLATIONS:
        found = findings_of({**CLEAN_TREE, name: content})
        if not any(number == line and words in text for _, number, text in found):
            faults.append(f"{name}: {content!r} was not found as line {line} {words!r}, only {found}")
    return faults


def main(arguments):
    if arguments == ["--self-test"]:
        faults = self_test()
    else:
        root = Path(arguments[0] if arguments else Path(__file__).parents[2]).resolve()
        findings = [*check_all(root), *check_exceptions(root)]
        faults = [f"{where}:{line}: {text}" for where, line, text in findings]
    print("\n".join(faults) if faults else "all rules are kept")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
