# SPDX-License-Identifier: PostgreSQL
"""SET READONLY: writes stop, reads go on, and what has begun may end."""
import psycopg2

from harness import wire
from harness.case import REFUSED, Case, main

SETUP = """
drop schema public cascade;
create schema public;
create table bookings (id int primary key, guest text);
insert into bookings values (1, 'a');
"""
WRITES = ("insert into bookings values (2, 'b')", "update bookings set guest = 'c'", "delete from bookings",
          "with gone as (delete from bookings returning *) select * from gone", "explain analyze delete from bookings",
          "merge into bookings using (values (1)) v on true when matched then delete",
          "copy bookings from stdin", "copy (delete from bookings returning id) to stdout", "truncate bookings",
          "create table other (id int)", "do 'begin delete from bookings; end'", "call nothing()",
          "select 1; insert into bookings values (3, 'd')", "prepare w as insert into bookings values (4, 'e')")
READS = ("select * from bookings", "with all_of as (select * from bookings) select * from all_of",
         "explain delete from bookings", "copy bookings to stdout", "begin; commit", "set search_path = public",
         "select id from bookings for update", "show search_path", "select 'insert into bookings'",
         "select 1 as update, 2 as delete", "listen changes", "values (1)", "table bookings",
         "declare c cursor with hold for select 1; close c")


class ReadOnly(Case):
    settings = {
        "services": [{"name": "booking", "when": {"application_name": "booking"}}],
        "guard": {"mode": "observe"},
    }
    SETUP = SETUP

    def order(self, words):
        self.sluice.console(words)
        self.addCleanup(self.sluice.console_psql, "SET READONLY OFF")

    def kept(self):
        return self.postgres.run("select id, guest from bookings order by id")

    def test_what_writes_is_refused_and_what_reads_passes(self):
        self.order("SET READONLY ON REASON 'cut-over'")
        raw = self.wire()
        for sql in WRITES:
            with self.subTest(sql):
                self.assertEqual([error["C"] for error in wire.errors(raw.ask(wire.query(sql)))], [REFUSED])
        for sql in READS:
            with self.subTest(sql):
                self.assertEqual(wire.errors(raw.ask(wire.query(sql))), [])
        self.assertEqual(self.kept(), [(1, "a")])
        error = self.fails("delete from bookings")
        self.assertIn("cut-over", error.diag.message_primary)
        self.assertIn("ground=readonly", error.diag.message_detail)

    def test_what_was_prepared_before_is_refused_when_it_runs(self):
        raw = self.wire()
        raw.ask(wire.parse("insert into bookings values (5, 'x')", "w"), wire.sync())
        raw.ask(wire.query("prepare v as insert into bookings values (6, 'y')"))
        self.order("SET READONLY ON REASON 'cut-over'")
        messages = raw.ask(wire.bind("", "w"), wire.execute(), wire.sync())
        self.assertEqual([error["C"] for error in wire.errors(messages)], [REFUSED])
        self.assertEqual([error["C"] for error in wire.errors(raw.ask(wire.query("execute v")))], [REFUSED])
        self.assertEqual(wire.errors(raw.ask(wire.parse("insert into bookings values (7, 'z')"), wire.sync())), [])
        self.sluice.console("SET READONLY OFF")
        self.assertEqual(wire.errors(raw.ask(wire.bind("", "w"), wire.execute(), wire.sync())), [])
        self.assertEqual(self.kept(), [(1, "a"), (5, "x")])
        self.postgres.run("delete from bookings where id > 1")

    def test_a_transaction_that_has_written_may_commit(self):
        raw = self.wire()
        raw.ask(wire.query("begin"))
        raw.ask(wire.query("insert into bookings values (8, 'v')"))
        self.order("SET READONLY ON REASON 'cut-over'")
        self.assertEqual(raw.ask(wire.query("commit")), [("C", b"COMMIT\0"), ("Z", b"I")])
        self.assertEqual(self.kept(), [(1, "a"), (8, "v")])
        self.postgres.run("delete from bookings where id > 1")

    def test_it_may_be_for_one_service(self):
        self.sluice.console("SET READONLY ON FOR '10m' SERVICE booking REASON 'cut-over'")
        self.addCleanup(self.sluice.console_psql, "SET READONLY OFF SERVICE booking")
        self.assertEqual(self.fails("delete from bookings", application_name="booking").pgcode, REFUSED)
        self.run_sql("update bookings set guest = guest")
        row = self.sluice.console("SHOW READONLY")[0]
        self.assertEqual((row["service"], row["reason"]), ("booking", "cut-over"))
        missing = self.sluice.console_psql("SET READONLY OFF")
        self.assertIn("42704", missing.stderr)

    def test_it_ends_by_itself(self):
        self.order("SET READONLY ON FOR '1s' REASON 'a moment'")
        self.assertEqual(self.fails("delete from bookings").pgcode, REFUSED)

        def is_over():
            try:
                self.run_sql("update bookings set guest = guest")
                return True
            except psycopg2.Error:
                return False
        self.wait_for(is_over, "the order ends")
        self.assertEqual(self.sluice.console("SHOW READONLY"), [])

    def test_its_sqlstate_may_be_chosen(self):
        sluice = self.new_sluice(guard={"readonly_sqlstate": "25006"})
        sluice.console("SET READONLY ON REASON 'cut-over'")
        with self.assertRaises(psycopg2.errors.ReadOnlySqlTransaction):
            with sluice.connect() as connection, connection.cursor() as cursor:
                cursor.execute("delete from bookings")


if __name__ == "__main__":
    main()
