#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
"""Holds a built program and our libraries against two rules about names. libpg_query exports the server's own names by the
thousand, so: the program exports no function (the library looks names up and would call ours), and none of our names is also
one of a library that the program is linked with (the linker would bind our calls to theirs).

usage: check_symbols.py PROGRAM FOLDER (with libbase.a and so on) | check_symbols.py --self-test
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

LINKERS_OWN = {"_init", "_fini", "_start", "__bss_start", "_edata", "_end", "__data_start", "data_start", "main",
               "_IO_stdin_used", "__libc_csu_init", "__libc_csu_fini"}


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def exported(path):
    """What a program or shared library defines for others; versions are left off."""
    rows = [line.split() for line in run("nm", "-D", "--defined-only", path).splitlines()]
    return {row[-1].split("@")[0]: "@" in row[-1] for row in rows}


def exported_by_program(program):
    # what a shared library defines and the program holds a copy of (stderr@GLIBC_2.2.5) bears a version
    return sorted(name for name, has_version in exported(program).items()
                  if not has_version and name not in LINKERS_OWN)


def global_names(library):
    return {line.split()[2] for line in run("nm", "-g", "--defined-only", library).splitlines() if len(line.split()) == 3}


def linked_libraries(program):
    return re.findall(r"=> (/\S+)", run("ldd", program))


def shared_names(program, libraries):
    """(our library, name, their library) where a name is on both sides."""
    found = []
    for theirs in linked_libraries(program):
        names = set(exported(theirs))
        found += [(ours, name, theirs) for ours in libraries for name in sorted(global_names(ours) & names)]
    return found


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        source, program, archive = Path(folder, "one.c"), Path(folder, "one"), Path(folder, "libone.a")
        source.write_text("int hash_bytes(void) { return 1; }\nint main(void) { return hash_bytes(); }\n")
        run("cc", "-rdynamic", "-o", program, source)
        assert exported_by_program(program) == ["hash_bytes"], exported_by_program(program)
        run("cc", "-rdynamic", "-fvisibility=hidden", "-o", program, source)
        assert exported_by_program(program) == [], exported_by_program(program)
        source.write_text("int own(void) { return 1; }\nint qsort(void) { return 1; }\n")
        run("cc", "-fno-builtin", "-c", "-o", Path(folder, "one.o"), source)
        run("ar", "rcs", archive, Path(folder, "one.o"))
        names = {name for _, name, _ in shared_names(program, [archive])}
        assert names == {"qsort"}, names
    print("exported and shared names are found")


def main():
    if sys.argv[1] == "--self-test":
        self_test()
        return
    program, libraries = sys.argv[1], sorted(Path(sys.argv[2]).glob("lib*.a"))
    assert len(libraries) >= 10, f"only {len(libraries)} libraries in {sys.argv[2]}"
    problems = [f"{program}: exports {name}" for name in exported_by_program(program)]
    problems += [f"{ours.name}: {name} is also a name of {theirs}" for ours, name, theirs in shared_names(program, libraries)]
    print("\n".join(problems) or "nothing is exported, no name is shared")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
