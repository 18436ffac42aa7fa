#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
"""Holds tests/unit/catalog/definitions.def against what a real server writes; the unit test holds the code against it.

usage: test_forms.py             compares (PGSLUICE_POSTGRES names the server's version)
       test_forms.py --write     writes the file
"""
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration"))

import forms  # pylint: disable=wrong-import-position
from harness import machine  # pylint: disable=wrong-import-position

TABLE = ROOT / "tests" / "unit" / "catalog" / "definitions.def"
HEAD = """/* SPDX-License-Identifier: PostgreSQL */
/* What servers from 15 to 18 write of the constraints of tests/catalog/forms.py: made by
 * tests/catalog/test_forms.py --write, and held against real servers by it.
 * DEFINITION(text, column, values with a NUL behind each, how many, is_whole, refuses_null, is_not_valid) */
"""


def literal(text):
    """In C; a new literal behind each escape, whose digits would run on."""
    escaped = "".join(chr(byte) if 32 <= byte < 127 and chr(byte) not in '\\"?' else f"\\{byte:03o}"
                      for byte in text.encode())
    pieces = []
    while escaped:
        cut = min(len(escaped), 96)
        back = escaped.rfind("\\", max(0, cut - 3), cut)
        cut = back if 0 < back and cut < len(escaped) else cut
        pieces.append(escaped[:cut])
        escaped = escaped[cut:]
    return "\n           ".join(f'"{piece}"' for piece in pieces or [""])


def row(text, form):
    _, column, values, words = form
    packed = "".join(value + "\0" for value in values or [])
    flags = ", ".join("true" if word in words.split() else "false" for word in ("whole", "not_null", "not_valid"))
    count = "-1" if values is None else len(values)
    return f"DEFINITION({literal(text)},\n           {literal(column or '')}, {literal(packed)}, {count}, {flags})\n"


def written_by_server():
    if not os.path.exists(f"{machine.SERVER_BIN}/postgres"):
        machine.skip(f"no PostgreSQL {machine.POSTGRES} here; tests/install.sh servers would install it")
    from harness.postgres import Postgres  # pylint: disable=import-outside-toplevel
    server = Postgres()
    server.run(forms.create_table())
    connection = server.connect(options="-c search_path=pg_catalog -c standard_conforming_strings=on")
    with connection.cursor() as cursor:
        cursor.execute("select pg_get_constraintdef(oid) from pg_constraint where conrelid = "
                       "'catalog_forms.forms'::regclass order by conname")
        return [text for text, in cursor.fetchall()]


def main(arguments):
    texts = written_by_server()
    assert len(texts) == len(forms.FORMS), (len(texts), len(forms.FORMS))
    table = HEAD + "".join(map(row, texts, forms.FORMS))
    if arguments == ["--write"]:
        TABLE.write_text(table)
    elif TABLE.read_text() != table:
        print(f"{TABLE.relative_to(ROOT)} is not what PostgreSQL {machine.POSTGRES} writes: {sys.argv[0]} --write")
        for text, form in zip(texts, forms.FORMS):
            if row(text, form) not in TABLE.read_text():
                print(f"  {form[0]}: {text}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
