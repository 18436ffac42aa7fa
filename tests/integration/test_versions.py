# SPDX-License-Identifier: PostgreSQL
"""What only newer servers have, or do otherwise, comes through: run with each by ctest -L versions."""
import struct
import time
import unittest

from harness import machine, wire
from harness.case import Case, main

VERSION = int(machine.POSTGRES)
SETUP = """
create schema if not exists versions;
create table if not exists versions.parent (id int primary key);
create table if not exists versions.child (id int primary key, parent int references versions.parent on delete restrict);
insert into versions.parent values (1) on conflict do nothing;
insert into versions.child values (1, 1) on conflict do nothing;
"""


def since(version):
    return unittest.skipIf(VERSION < version, f"PostgreSQL {version} and later")


class Versions(Case):
    SETUP = SETUP
    settings = {"guard": {"mode": "enforce"}}

    def statuses(self, messages):
        return dict(part.decode().split("\0")[:2] for kind, part in messages if kind == "S")

    def told(self, service):
        return [(row["kind"], row["sqlstate"], row["constraint_name"]) for row in self.sluice.violations()
                if row["service"] == service]

    def test_the_server_reports_what_it_reports_directly(self):
        reported = []
        for port in (self.postgres.port, self.sluice.port):
            with wire.Wire(("127.0.0.1", port)) as raw:
                reported.append(self.statuses(raw.login(application_name="reported")))
        self.assertEqual(reported[0], reported[1])
        self.assertEqual("scram_iterations" in reported[0], VERSION >= 16)
        self.assertEqual("search_path" in reported[0], VERSION >= 18)

    def test_a_restricting_foreign_key_is_told_by_the_servers_own_code(self):
        error = self.fails("delete from versions.parent where id = 1", application_name="restricted")
        expected = ("restrict", "23001") if VERSION >= 18 else ("foreign_key", "23503")
        self.assertEqual(error.pgcode, expected[1])
        self.assertEqual(self.told("restricted"), [(*expected, "child_parent_fkey")])

    @since(18)
    def test_a_changed_search_path_is_reported(self):
        messages = self.wire().ask(wire.query("set search_path = versions"))
        self.assertEqual(self.statuses(messages), {"search_path": "versions"})

    @since(18)
    def test_a_long_cancel_key_of_protocol_3_2_works(self):
        raw = wire.Wire(("127.0.0.1", self.sluice.port))
        self.addCleanup(raw.close)
        raw.send(wire.startup(version=3 << 16 | 2, application_name="long key"))
        messages = raw.until("Z")
        self.assertNotIn("v", wire.kinds(messages))
        key = next(body for kind, body in messages if kind == "K")
        self.assertGreater(len(key), 8)
        raw.send(wire.query("select pg_sleep(20)"))
        self.wait_for(lambda: self.postgres.value("select count(*) from pg_stat_activity where application_name = "
                                                  "'long key' and wait_event = 'PgSleep'"), "the statement runs")
        begin = time.monotonic()
        with wire.Wire(("127.0.0.1", self.sluice.port)) as messenger:
            messenger.send(struct.pack("!ii", len(key) + 8, 80877102) + key)
            self.assertEqual(messenger.rest(), b"")
        self.assertEqual([error["C"] for error in wire.errors(raw.until("Z"))], ["57014"])
        self.assertLess(time.monotonic() - begin, 10)

    @since(18)
    def test_periods_that_overlap_and_virtual_columns_are_told(self):
        self.postgres.run("""
            create extension if not exists btree_gist;
            create table versions.stay (room int, during daterange,
                constraint stay_alone primary key (room, during without overlaps));
            create table versions.twice (id int, double int generated always as (id * 2) virtual,
                constraint twice_small check (double < 100), constraint twice_id not null id);
            insert into versions.stay values (1, '[2024-01-01,2024-02-01)')""")
        self.fails("insert into versions.stay values (1, '[2024-01-15,2024-03-01)')", application_name="overlap")
        self.assertEqual(self.told("overlap"), [("exclusion", "23P01", "stay_alone")])
        self.fails("insert into versions.twice values (51)", application_name="virtual")
        self.assertEqual(self.told("virtual"), [("check", "23514", "twice_small")])
        self.fails("insert into versions.twice values (null)", application_name="not null")
        self.assertEqual([row[:2] for row in self.told("not null")], [("not_null", "23502")])

    @since(18)
    def test_new_forms_of_commands_are_refused(self):
        for sql in ("alter table versions.child alter constraint child_parent_fkey not enforced",
                    "create table versions.made (id int, two int generated always as (id * 2) virtual)",
                    "alter table versions.child add constraint stays not null parent not valid"):
            self.assertEqual(self.fails(sql).pgcode, "42501", sql)
        self.assertIsNone(self.postgres.value("select to_regclass('versions.made')"))

    @since(17)
    def test_merge_with_returning_and_a_transaction_timeout_pass(self):
        rows = self.run_sql("merge into versions.parent p using (values (7)) s (id) on p.id = s.id "
                            "when not matched then insert values (s.id) returning merge_action(), p.id")
        self.assertEqual(rows, [("INSERT", 7)])
        raw = self.wire()
        raw.ask(wire.query("set transaction_timeout = '200ms'"))
        raw.ask(wire.query("begin"))
        self.assertEqual([error["C"] for error in wire.errors(raw.rest_messages())], ["25P04"])


if __name__ == "__main__":
    main()
