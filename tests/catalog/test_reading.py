#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
"""Readings of a real server: what an error names is found, and what changes between two readings is told."""
import os
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

import psycopg2  # pylint: disable=wrong-import-position

from harness import machine  # pylint: disable=wrong-import-position
from harness.postgres import Postgres  # pylint: disable=wrong-import-position

VERSION = int(machine.POSTGRES)
HOSTILE = "it's \"quoted\"\n\x1b[2J | é"
ORDERS = "create table orders (id int primary key, status varchar(20) constraint orders_status_check " \
         "check (status in ('new', 'paid', 'preparing', 'ready', 'served')))"
KINDS = """
    create extension btree_gist;
    create domain letter as text constraint letter_known check (value in ('x', 'y'));
    create domain present as text not null;
    create table parent (id int primary key, code text unique);
    create table child (id int not null, parent int constraint child_parent references parent, during int4range,
        first letter, last present, constraint alone exclude using gist (id with =, during with &&));
    create unique index child_first on child (lower(first));
    create table parted (id int, day date not null, kind text constraint kind_known check (kind in ('a', 'b')),
        ref int references parent, primary key (id, day, kind)) partition by range (day);
    create table parted_2024 partition of parted for values from ('2024-01-01') to ('2025-01-01')
        partition by list (kind);
    create table parted_2024_a partition of parted_2024 for values in ('a', 'z');
    alter table parted_2024_a add constraint own check (id < 1000);
    create unique index on parted (lower(kind), day, kind);
"""


class Reader:
    """The C program that reads, kept running."""

    def __init__(self, server, database):
        self.process = machine.spawn(
            [os.environ["CATALOG_READER"], f"host={server.folder} port={server.port} user=postgres dbname={database}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=sys.stderr, text=True)

    def ask(self, line, last):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        lines = []
        while not lines or not lines[-1].startswith(last):
            lines.append(self.process.stdout.readline().rstrip("\n"))
            assert self.process.poll() is None or lines[-1], lines
        return lines

    def read(self):
        """What changed."""
        lines = self.ask("", "read ")
        return sorted(line.removeprefix("change ") for line in lines[:-1])

    def find(self, *names):
        return self.ask("?" + "|".join(name or "" for name in names), "found ")[0].removeprefix("found ")

    def close(self):
        self.process.stdin.close()
        status = self.process.wait(10)
        self.process.stdout.close()
        return status


class Reading(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.postgres = Postgres(log_statement="all")

    def setUp(self):
        self.database = self.id().rpartition(".")[2][:63]
        self.postgres.run(f'create database "{self.database}"')
        self.reader = Reader(self.postgres, self.database)
        self.addCleanup(lambda: self.assertEqual(self.reader.close(), 0))

    def run_sql(self, sql):
        return self.postgres.run(sql, self.database)

    def about(self, sql):
        """What the catalogue says of the constraint that an error of the server is about."""
        with self.assertRaises(psycopg2.Error) as caught:
            self.run_sql(sql)
        names = caught.exception.diag
        return self.reader.find(names.schema_name, names.table_name, names.column_name, names.constraint_name,
                                names.datatype_name)

    def test_every_error_of_a_constraint_finds_it(self):
        self.run_sql(KINDS)
        self.assertEqual(self.reader.read(), [])
        self.run_sql("insert into parent values (1, 'a'); insert into child values (1, 1, '[1,5)', 'x', 'y');"
                     "insert into parted values (1, '2024-01-01', 'a', 1)")
        for sql, told in (
                ("insert into parent values (1)", "primary key: PRIMARY KEY (id);"),
                ("insert into parent values (2, 'a')", "unique: UNIQUE (code);"),
                ("insert into parent values (null)", "not null: NOT NULL id;"),
                ("insert into child values (9, 9, null, null, 'y')",
                 "foreign key: FOREIGN KEY (parent) REFERENCES public.parent(id);"),
                ("delete from parent", "foreign key: FOREIGN KEY (parent) REFERENCES public.parent(id);"),
                ("insert into child values (1, 1, '[2,3)', 'y', 'y')", "exclusion: EXCLUDE USING gist (id WITH =,"),
                ("insert into child values (2, 1, null, 'x', 'y')", "unique index: CREATE UNIQUE INDEX child_first ON "),
                ("insert into child values (2, 1, null, 'z', 'y')",
                 "domain check: CHECK ((VALUE = ANY (ARRAY['x'::text, 'y'::text]))); allowed: 'x' and 'y';"),
                ("insert into child values (2, 1, null, 'y', null)", "domain not null: NOT NULL;"),
                ("insert into parted values (1, '2024-01-01', 'a')", "primary key: PRIMARY KEY (id, day, kind);"),
                ("insert into parted values (2, '2024-01-02', 'z')", "check: CHECK ((kind = ANY (ARRAY['a'::text, "),
                ("insert into parted values (2000, '2024-01-02', 'a')", "check: CHECK ((id < 1000));"),
                ("insert into parted values (2, '2024-01-02', 'a', 7)",
                 "foreign key: FOREIGN KEY (ref) REFERENCES public.parent(id);"),
                ("insert into parted_2024_a values (2, null, 'a')", "not null: NOT NULL day;"),
                ("insert into parted values (3, '2024-01-01', 'a')", "unique index: CREATE UNIQUE INDEX parted_lower_"),
                ("insert into parted values (2, '2026-01-02', 'a')", "partition key: PARTITION BY RANGE (day);"),
                ("insert into parted values (2, '2024-01-02', 'b')", "partition key: PARTITION BY LIST (kind);")):
            with self.subTest(sql):
                self.assertEqual(self.about(sql)[:len(told)], told)
        self.assertEqual(self.reader.read(), [])

    def test_incident_1_the_allowed_values_stand_beside_the_violation(self):
        self.run_sql(ORDERS)
        self.reader.read()
        told = self.about("insert into orders values (1, 'handed_over')")
        self.assertIn("allowed: 'new', 'paid', 'preparing', 'ready' and 'served'; so since before ", told)

    def test_incident_2_the_value_that_was_lost_is_named(self):
        name = "inventory_transactions_reference_type_check"
        make = f"alter table inventory_transactions add constraint {name} check (reference_type in ("
        self.run_sql("create table inventory_transactions (reference_type varchar(40))")
        self.run_sql(make + "'order', 'member_program_item_schedule', 'waste'))")
        self.reader.read()
        self.run_sql(f"begin; alter table inventory_transactions drop constraint {name}; "
                     f"{make} 'order', 'waste', 'count_session')); commit")
        words = "'member_program_item_schedule' was dropped from the list; 'count_session' was added to the list"
        self.assertEqual(self.reader.read(), [f"check public.inventory_transactions.{name} {words}"])
        told = self.about("insert into inventory_transactions values ('member_program_item_schedule')")
        self.assertRegex(told, r"allowed: 'order', 'waste' and 'count_session'; so since 20\S+Z: 'member_program_item_")

    def test_incident_3_a_column_that_is_not_null_now(self):
        self.run_sql('create table "Lead" (id int, customer_id int)')
        self.reader.read()
        self.run_sql('alter table "Lead" alter column customer_id set not null')
        self.assertEqual(self.reader.read(), ["not null public.Lead.customer_id it was made"])
        self.assertIn("not null: NOT NULL customer_id; so since 20", self.about('insert into "Lead" values (1, null)'))
        self.run_sql('alter table "Lead" alter column customer_id drop not null')
        self.assertEqual(self.reader.read(), ["not null public.Lead.customer_id it was dropped"])

    def test_incident_5_one_spelling_in_place_of_another(self):
        self.run_sql("create type booking as enum ('held', 'canceled')")
        self.reader.read()
        self.run_sql("alter type booking rename value 'canceled' to 'cancelled'")
        self.assertEqual(self.reader.read(), ["enum public.booking. 'canceled' was dropped from the list; "
                                              "'cancelled' was added to the list"])

    def test_each_change_is_told_in_words(self):
        self.run_sql("create table t (s text, i int); alter table t add constraint c check (s in ('a')) not valid")
        self.reader.read()
        for sql, told in (
                ("alter table t validate constraint c", "check public.t.c it was validated: it holds for all rows now"),
                ("alter table t rename constraint c to d", "check public.t.d it was called 'c' on 't' of schema 'public'"),
                ("alter table t rename to u", "check public.u.d it was called 'd' on 't' of schema 'public'"),
                ("alter table u drop constraint d", "check public.u.d it was dropped"),
                ("create unique index uniq on u (i)", "unique index public.u.uniq it was made"),
                ("drop table u", "unique index public.u.uniq it was dropped")):
            self.run_sql(sql)
            self.assertEqual(self.reader.read(), [told], sql)

    def test_a_table_that_is_locked_fails_the_reading_and_drops_nothing(self):
        self.run_sql(ORDERS)
        self.reader.read()
        connection = self.postgres.connect(dbname=self.database)
        connection.autocommit = False
        with connection.cursor() as cursor:
            cursor.execute("lock table orders in access exclusive mode")
            lines = self.reader.ask("", "read ")
            self.assertEqual(len(lines), 2)
            self.assertIn("55P03", lines[0])
        connection.rollback()
        connection.close()
        self.assertEqual(self.reader.read(), [])
        self.assertIn("check: CHECK", self.about("insert into orders values (1, 'handed_over')"))

    def test_hostile_names_and_values(self):
        quoted = HOSTILE.replace('"', '""')
        literal = HOSTILE.replace("'", "''")
        long = "v" * 10240
        self.run_sql(f"""create table "{quoted}" ("{quoted}" text not null, constraint "{quoted}x"
            check ("{quoted}" in ('{literal}', '{long}')));
            create type "{quoted}t" as enum ('{literal}', E'back\\\\slash')""")
        self.assertEqual(self.reader.read(), [])
        self.run_sql(f"""alter table "{quoted}" drop constraint "{quoted}x";
            alter type "{quoted}t" add value 'more'""")
        changes = self.reader.read()
        self.assertEqual(len(changes), 2)
        self.assertTrue(changes[0].endswith("it was dropped"))
        self.assertTrue(changes[1].endswith("'more' was added to the list"))
        self.assertTrue(all(line.isprintable() for line in changes))

    def test_a_definition_beyond_the_limit_is_cut_and_its_changes_are_seen(self):
        values = ", ".join(f"'value number {number}'" for number in range(3000))
        self.run_sql(f"create table long (s text constraint c check (s in ({values})))")
        self.assertEqual(self.reader.read(), [])
        self.run_sql(f"begin; alter table long drop constraint c; alter table long add constraint c "
                     f"check (s in ({values}, 'last')); commit")
        self.assertEqual(self.reader.read(), ["check public.long.c the definition was changed"])

    def test_only_a_session_of_its_own_that_cannot_write_asks(self):
        self.reader.read()
        self.assertTrue(f"pgsluice-catalog|postgres|{self.database}|LOG:" in self.postgres.log())

    @unittest.skipIf(VERSION < 18, "PostgreSQL 18 and later")
    def test_constraints_of_newer_servers(self):
        self.run_sql("create table t (i int, j int, constraint i_there not null i, constraint small check (j < 9))")
        self.reader.read()
        for sql, told in (
                ("alter table t add constraint j_there not null j not valid", "not null public.t.j it was made"),
                ("alter table t validate constraint j_there",
                 "not null public.t.j it was validated: it holds for all rows now"),
                ("alter table t drop constraint small; alter table t add constraint small check (j < 9) not enforced",
                 "check public.t.small it is not enforced any longer"),
                ("alter table t rename constraint i_there to i_needed",
                 "not null public.t.i it was called 'i_there' on 't' of schema 'public'")):
            self.run_sql(sql)
            self.assertEqual(self.reader.read(), [told], sql)
        self.assertIn("not null: NOT NULL i;", self.about("insert into t values (null, 1)"))

    def test_thousands_of_constraints_are_read_within_seconds(self):
        self.run_sql("do $$ begin for i in 1..1000 loop execute format('create table t%s (a text not null check "
                     "(a in (''x'', ''y'')), b int primary key, c int references t%s)', i, greatest(i - 1, 1)); "
                     "end loop; end $$".replace("references t%s", "").replace(", greatest(i - 1, 1)", ""))
        self.reader.read()
        figures = self.reader.ask("", "read ")[-1]
        print(f"        {figures}", file=sys.stderr)
        self.assertRegex(figures, "^read 4000 constraints, 0 parts, ")
        self.assertLess(int(figures.split()[-2]), 5_000_000)


if __name__ == "__main__":
    if not os.path.exists(f"{machine.SERVER_BIN}/postgres"):
        machine.skip(f"no PostgreSQL {machine.POSTGRES} here; tests/install.sh servers would install it")
    unittest.main(verbosity=2)
