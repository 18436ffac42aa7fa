# SPDX-License-Identifier: PostgreSQL
"""The catalogue of constraints: what is in force, what was changed, through the sluice and around it."""
import json
import os

import psycopg2

from harness import machine
from harness.case import Case, main

SETUP = """
drop schema public cascade;
create schema public;
create table inventory_transactions (
    id int primary key, note text, reference_type text not null,
    constraint reference_type_check check (reference_type in
        ('order', 'adjustment', 'member_program_item_schedule')));
create type order_status as enum ('new', 'done');
create table orders (id int, status order_status, customer int, constraint orders_customer_key unique (customer));
create table moves (id int, part int, amount int constraint moves_amount check (amount > 0)) partition by range (part);
create table moves_low partition of moves for values from (0) to (10);
"""

# Incident 2 of the product: a value is added to a list, and another silently lost.
NARROWING = """
alter table inventory_transactions drop constraint reference_type_check,
    add constraint reference_type_check check (reference_type in ('order', 'adjustment', 'count_session'))
"""
DIFFERENCE = "'member_program_item_schedule' was dropped from the list; 'count_session' was added to the list"


def connection_string(port):
    return f"host=127.0.0.1 port={port} user=postgres dbname=postgres"


class Catalog(Case):
    def setUp(self):
        self.postgres.run(SETUP)
        self.sluice = self.surveyed()

    def surveyed(self, interval="1h", **settings):
        sluice = self.new_sluice(guard={"mode": "observe"}, audit={"file": "audit.jsonl"}, catalog=[
            {"database": "postgres", "connection": connection_string(self.postgres.port), "interval": interval}],
            **settings)
        self.wait_for(lambda: sluice.has_logged("catalog_read"), "the constraints are read")
        return sluice

    def changes(self, sluice=None):
        return (sluice or self.sluice).events("constraint_changed")

    def wait_for_change(self, seconds, sluice=None):
        seconds *= 5 if machine.is_sanitized() else 1
        self.wait_for(lambda: self.changes(sluice), "the change is found", seconds)
        return self.changes(sluice)

    def constraint(self, name, sluice=None):
        return (sluice or self.sluice).console(f"SHOW CONSTRAINTS LIKE '{name}'")

    def test_constraints_are_shown_with_what_they_allow(self):
        row = self.constraint("reference_type_check")[0]
        self.assertEqual({key: row[key] for key in ("database", "schema_name", "table_name", "kind", "columns", "allowed",
                                                    "sqlstate", "since_is", "versions", "changed")},
                         {"database": "postgres", "schema_name": "public", "table_name": "inventory_transactions",
                          "kind": "check", "columns": "reference_type", "sqlstate": "23514", "since_is": "or before",
                          "allowed": "'order', 'adjustment', 'member_program_item_schedule'", "versions": "1",
                          "changed": ""})
        self.assertTrue(row["definition"].startswith("CHECK ("), row)
        kinds = {row["kind"]: row["sqlstate"] for row in self.sluice.console("SHOW CONSTRAINTS")}
        self.assertEqual(kinds, {"check": "23514", "primary key": "23505", "unique": "23505", "not null": "23502",
                                 "enum": "22P02", "partition key": "23514"})
        self.assertEqual(len(self.sluice.console("SHOW CONSTRAINTS LIKE 'public.inventory%'")), 4)
        self.assertEqual(len(self.sluice.console("SHOW CONSTRAINTS LIKE 'public.inventory%' LIMIT 2")), 2)
        self.assertEqual(self.changes(), [])

    def test_a_change_through_the_sluice_is_found_at_once(self):
        self.run_sql(NARROWING)
        change = self.wait_for_change(2)[0]
        self.assertEqual((change["constraint"], change["table"], change["kind"], change["change"], change["difference"]),
                         ("reference_type_check", "inventory_transactions", "check", "values dropped, values added",
                          DIFFERENCE))
        self.assertIn("member_program_item_schedule", change["before"])
        self.assertNotIn("member_program_item_schedule", change["after"])
        self.fails("insert into inventory_transactions values (1, 'n', 'member_program_item_schedule')")
        shown = self.sluice.violations()[0]
        self.assertEqual((shown["constraint_name"], shown["changed"]), ("reference_type_check", DIFFERENCE))
        self.assertIn("count_session", shown["definition"])
        found = self.sluice.console("SHOW CONSTRAINT CHANGES")
        self.assertEqual([(row["constraint_name"], row["difference"]) for row in found],
                         [("reference_type_check", DIFFERENCE)])
        self.assertLessEqual(found[0]["not_before"], found[0]["found"])
        row = self.constraint("reference_type_check")[0]
        self.assertEqual((row["versions"], row["since_is"], row["changed"]), ("2", "found", DIFFERENCE))
        with open(os.path.join(self.sluice.folder, "audit.jsonl"), encoding="utf-8") as file:
            audited = [line for line in map(json.loads, file) if line["event"] == "constraint_changed"]
        self.assertEqual([line["difference"] for line in audited], [DIFFERENCE])
        self.assertIn("member_program_item_schedule", audited[0]["before"])

    def test_a_change_in_a_transaction_is_found_when_it_is_committed(self):
        connection = self.connect()
        connection.autocommit = False
        with connection.cursor() as cursor:
            cursor.execute(NARROWING)
            self.assertEqual(self.changes(), [])
            connection.commit()
        self.wait_for_change(2)
        self.assertFalse(self.sluice.has_logged("catalog_unread"))

    def test_a_change_around_the_sluice_is_found_by_the_next_reading(self):
        sluice = self.surveyed("1s")
        self.postgres.run(NARROWING)
        self.assertEqual(self.wait_for_change(3, sluice)[0]["difference"], DIFFERENCE)

    def test_a_renamed_constraint_is_the_same_under_another_name(self):
        self.run_sql("alter table orders rename constraint orders_customer_key to one_order_each")
        change = self.wait_for_change(2)
        self.assertEqual([(row["change"], row["constraint"]) for row in change], [("renamed", "one_order_each")])
        self.assertIn("'orders_customer_key'", change[0]["difference"])

    def test_a_value_of_an_enum_type_is_added(self):
        self.run_sql("alter type order_status add value 'cancelled'")
        change = self.wait_for_change(2)[0]
        self.assertEqual((change["kind"], change["table"], change["change"], change["difference"]),
                         ("enum", "order_status", "values added", "'cancelled' was added to the list"))

    def test_a_value_that_an_enum_type_does_not_have_is_shown_with_those_it_has(self):
        self.run_sql("alter type order_status rename value 'done' to 'shipped'")
        self.wait_for_change(2)
        self.fails("insert into orders (status) values ('done')")
        shown = [row for row in self.sluice.console("SHOW ERRORS") if row["sqlstate"] == "22P02"]
        self.assertEqual([(row["type_name"], row["definition"], row["count"]) for row in shown],
                         [("order_status", "ENUM ('new', 'shipped')", "1")])
        self.assertIn("'done'", shown[0]["changed"])
        self.assertIn("'shipped'", shown[0]["changed"])

    def test_a_dropped_constraint_is_told_and_shown_no_more(self):
        self.run_sql("alter table inventory_transactions drop constraint reference_type_check")
        change = self.wait_for_change(2)[0]
        self.assertEqual((change["change"], change["difference"]), ("dropped", "it was dropped"))
        self.assertNotIn("after", change)
        self.assertEqual(self.constraint("reference_type_check"), [])

    def test_a_partition_shows_the_constraint_of_its_table(self):
        self.fails("insert into moves values (1, 5, -1)")
        shown = self.sluice.violations()[0]
        self.assertEqual((shown["table_name"], shown["constraint_name"]), ("moves_low", "moves_amount"))
        self.assertEqual(shown["definition"], "CHECK ((amount > 0))")
        self.assertEqual([row["table_name"] for row in self.constraint("moves_amount")], ["moves"])

    def test_without_a_catalogue_all_else_works(self):
        sluice = self.new_sluice(guard={"mode": "off"})
        self.assertEqual(sluice.console("SHOW CONSTRAINTS"), [])
        self.assertIn("No database is read", sluice.console_psql("SHOW CONSTRAINT CHANGES").stderr)

    def test_a_bad_connection_string_is_refused_without_its_secret(self):
        sluice = self.new_sluice(guard={"mode": "off"})
        sluice.settings["catalog"] = [{"database": "postgres", "connection": "pasword=hunter2"}]
        sluice.write()
        status, words = sluice.check()
        self.assertEqual(status, 1)
        self.assertIn("pgsluice.yaml", words)
        self.assertNotIn("hunter2", words)
        sluice.settings["catalog"] = [{"database": "postgres", "connection": "host=a"},
                                      {"database": "postgres", "connection": "host=b"}]
        sluice.write()
        status, words = sluice.check()
        self.assertEqual(status, 1)
        self.assertIn("catalog[0]", words)

    def test_a_server_that_cannot_be_reached_is_told_once_and_harms_nobody(self):
        port = machine.free_port()
        sluice = self.new_sluice(guard={"mode": "off"}, catalog=[
            {"database": "gone", "connection": f"{connection_string(port)} password=hunter2", "interval": "1s"},
            {"database": "postgres", "connection": connection_string(self.postgres.port), "interval": "1s"}])
        self.wait_for(lambda: sluice.has_logged("catalog_unread"), "it is told")
        self.wait_for(lambda: sluice.has_logged("catalog_read"), "the other is read")
        with sluice.connect() as connection, connection.cursor() as cursor:
            cursor.execute("select 1")
            self.assertEqual(cursor.fetchall(), [(1,)])
        connection.close()
        self.postgres.run(NARROWING)
        self.wait_for_change(5, sluice)
        told = sluice.events("catalog_unread")
        self.assertEqual([row["database"] for row in told], ["gone"])
        self.assertNotIn("hunter2", sluice.log())

    def test_a_table_that_is_locked_is_waited_for(self):
        sluice = self.surveyed("1s")
        connection = self.postgres.connect()
        connection.autocommit = False
        with connection.cursor() as cursor:
            cursor.execute(NARROWING)
            with self.assertRaises(AssertionError):
                self.wait_for(lambda: self.changes(sluice), "it is not", 2)
            connection.commit()
        connection.close()
        self.wait_for_change(6, sluice)
        self.assertEqual(sluice.events("catalog_unread"), [])

    def test_a_server_that_comes_back_is_read_again(self):
        connection = self.postgres.connect()
        connection.close()
        sluice = self.surveyed("1s")
        self.postgres.restart()
        self.postgres.run(NARROWING)
        self.assertEqual(self.wait_for_change(10, sluice)[0]["difference"], DIFFERENCE)

    def test_secrets_are_not_shown(self):
        sluice = self.new_sluice(guard={"mode": "off"}, catalog=[
            {"database": "postgres", "connection": f"{connection_string(self.postgres.port)} password=hunter2"}])
        with self.assertRaises(psycopg2.Error):
            psycopg2.connect(host="127.0.0.1", port=sluice.port, user="postgres", dbname="nowhere", connect_timeout=5)
        self.assertNotIn("hunter2", str(sluice.console("SHOW SETTINGS")) + sluice.log())

    def refuse_some(self, sluice):
        """Each kind of violation with a value in it."""
        for sql in ("insert into inventory_transactions values (1, 'canary-note', 'count_sesion')",
                    "insert into orders values (1, 'new', 4711), (2, 'new', 4711)"):
            with self.assertRaises(psycopg2.Error), sluice.connect() as connection, connection.cursor() as cursor:
                cursor.execute(sql)

    def test_a_refused_value_is_shown_with_what_was_meant_if_that_is_wanted(self):
        self.postgres.run(NARROWING)
        sluice = self.surveyed(violations={"capture": "values"})
        self.refuse_some(sluice)
        shown = {row["constraint_name"]: (row["attempted"], row["near_miss"]) for row in sluice.violations()}
        words = "'count_sesion' is 1 letter off 'count_session', which is allowed"
        self.assertEqual(shown, {"reference_type_check": ("count_sesion", words), "orders_customer_key": ("4711", "")})
        logged = {row["constraint"]: (row["attempted"], row.get("near_miss")) for row in sluice.events("violation")}
        self.assertEqual(logged, {"reference_type_check": ("count_sesion", words), "orders_customer_key": ("4711", None)})
        self.assertNotIn("canary", sluice.log() + str(sluice.violations()))

    def test_a_value_that_is_not_surely_the_columns_is_not_shown(self):
        sluice = self.surveyed(violations={"capture": "values"})
        with self.assertRaises(psycopg2.Error), sluice.connect() as connection, connection.cursor() as cursor:
            cursor.execute("insert into inventory_transactions values (1, 'canary, note', 'bad')")
        row = sluice.violations()[0]
        self.assertEqual((row["attempted"], row["near_miss"]), ("", ""))
        self.assertNotIn("canary", sluice.log())

    def test_values_are_seen_nowhere_by_default(self):
        self.postgres.run(NARROWING)
        sluice = self.surveyed()
        self.refuse_some(sluice)
        shown = sluice.violations()
        self.assertEqual([(row["attempted"], row["near_miss"]) for row in shown], [("", ""), ("", "")])
        for value in ("sesion", "4711", "canary"):
            self.assertNotIn(value, sluice.log() + str(shown))


if __name__ == "__main__":
    main()
