#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
"""Holds a built program against the rule that it exports no function: libpg_query looks the server's names up by name, and
would call ours where one is alike.

usage: check_exports.py PROGRAM | check_exports.py --self-test
"""
import subprocess
import sys
import tempfile
from pathlib import Path

LINKERS_OWN = {"_init", "_fini", "_start", "__bss_start", "_edata", "_end", "__data_start", "data_start", "main",
               "_IO_stdin_used", "__libc_csu_init", "__libc_csu_fini"}


def exported(program):
    output = subprocess.run(["nm", "-D", "--defined-only", program], check=True, capture_output=True, text=True).stdout
    rows = [line.split() for line in output.splitlines()]
    # what a shared library defines and the program holds a copy of (stderr@GLIBC_2.2.5) bears a version
    return sorted(row[2] for row in rows if "@" not in row[2] and row[2] not in LINKERS_OWN)


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        source, program = Path(folder, "one.c"), Path(folder, "one")
        source.write_text("int hash_bytes(void) { return 1; }\nint main(void) { return hash_bytes(); }\n")
        subprocess.run(["cc", "-rdynamic", "-o", program, source], check=True)
        assert exported(program) == ["hash_bytes"], exported(program)
        subprocess.run(["cc", "-rdynamic", "-fvisibility=hidden", "-o", program, source], check=True)
        assert exported(program) == [], exported(program)
    print("an exported function is found")


def main():
    if sys.argv[1] == "--self-test":
        self_test()
        return
    names = exported(sys.argv[1])
    for name in names:
        print(f"{sys.argv[1]}: exports {name}")
    sys.exit(1 if names else print("nothing is exported"))


if __name__ == "__main__":
    main()
