# SPDX-License-Identifier: PostgreSQL
"""An operator stops writes from the console: for all or for some, for a while or until they are let again."""
import contextlib
import os
import subprocess

import psycopg2

from harness import wire
from harness.case import REFUSED, Case, main
from harness.wire import Wire

SETUP = """
drop schema public cascade;
create schema public;
create table items (id int primary key, name text);
create sequence numbers;
create function add_item() returns void language sql as 'insert into items values (100, ''by a function'')';
insert into items values (1, 'one');
"""
EVER_OPEN = {"mode": "enforce", "rules": [{"name": "all", "when": {"user": "*"}, "action": "allow"}]}
WRITES = ("insert into items values (2, 'two')", "update items set name = 'x'", "delete from items",
          "merge into items using (select 1 as a) s on id = a when matched then delete",
          "with gone as (delete from items returning id) select * from gone",
          "explain analyze insert into items values (3, 'three')",
          "create table made (a int)", "drop table items", "truncate items",
          "do $$ begin insert into items values (4, 'four'); end $$",
          "copy items to program 'true'", "copy items from stdin", "copy (delete from items returning id) to stdout",
          "call nothing()", "select 1; insert into items values (6, 'six')", "execute nobody_knows",
          "prepare w as insert into items values (7, 'seven')", "drop table items; select 1")
READS = ("select * from items", "select * from items for update", "begin; lock table items; commit",
         "select nextval('numbers')", "create temp table own (a int)", "set work_mem = '4MB'",
         "explain delete from items", "copy items to stdout", "select 'insert into items'", "table items",
         "select 1 as update, 2 as delete", "with all_of as (select * from items) select * from all_of",
         "declare c cursor with hold for select 1; close c", "prepare r as select 1; execute r")


class Orders(Case):
    settings = {"guard": EVER_OPEN}
    SETUP = SETUP

    def setUp(self):
        self.before = self.items()
        self.addCleanup(self.take_all_back)

    def items(self):
        return self.postgres.run("select * from items order by id")

    def take_all_back(self):
        for row in self.sluice.console("SHOW READONLY"):
            words = [f"{word} '{row[key]}'" for word, key in
                     (("SERVICE", "service"), ("USER", "user_name"), ("DATABASE", "database")) if row[key]]
            self.sluice.console(" ".join(["SET READONLY OFF", *words]))

    def stop_writes(self, words="", reason="incident 42"):
        self.sluice.console(f"SET READONLY ON {words} REASON '{reason}'")

    def test_all_that_writes_is_refused_and_the_rest_goes_on(self):
        self.stop_writes()
        raw = self.wire()
        for sql in WRITES:
            with self.subTest(sql):
                errors = wire.errors(raw.ask(wire.query(sql)))
                self.assertEqual([error["C"] for error in errors], [REFUSED])
                self.assertIn("incident 42", errors[0]["M"])
                self.assertIn("ground=readonly", errors[0]["D"])
        for sql in READS:
            with self.subTest(sql):
                self.assertEqual(wire.errors(raw.ask(wire.query(sql))), [])
        self.assertEqual(self.items(), self.before)

    def test_writes_pass_again_when_the_order_is_taken_back(self):
        self.stop_writes()
        self.assertEqual(self.fails("insert into items values (5, 'five')").pgcode, REFUSED)
        self.sluice.console("SET READONLY OFF REASON 'mended'")
        self.run_sql("insert into items values (5, 'five'); delete from items where id = 5")
        self.assertEqual(self.sluice.console("SHOW READONLY"), [])
        given, ended = self.sluice.events("readonly_ordered")[-1], self.sluice.events("readonly_ended")[-1]
        self.assertEqual((given["operator"], given["reason"]), ("operator", "incident 42"))
        self.assertEqual((ended["operator"], ended["reason"]), ("operator", "mended"))
        self.assertNotIn("until", given)

    def test_what_the_console_has_answered_is_in_force_at_once(self):
        """Also for a worker that is busy with what others sent before."""
        with self.many_reads(), self.wire() as raw, Wire(("127.0.0.1", self.sluice.console_port)) as console:
            console.login("operator", "pgsluice")
            for _ in range(200):
                for order, expected in (("ON REASON 'now'", [REFUSED]), ("OFF REASON 'now'", [])):
                    self.assertEqual(wire.errors(console.ask(wire.query(f"SET READONLY {order}"))), [])
                    told = raw.ask(wire.query("update items set name = 'one'"))
                    self.assertEqual([error["C"] for error in wire.errors(told)], expected, order)

    @contextlib.contextmanager
    def many_reads(self):
        """Clients that always have something on its way."""
        script = os.path.join(self.sluice.folder, "read.sql")
        with open(script, "w", encoding="utf-8") as file:
            file.write("select 1;\n")
        with subprocess.Popen(["pgbench", "-n", "-f", script, "-c", "8", "-T", "60", "-h", "127.0.0.1", "-p", str(self.sluice.port),
                               "-U", "postgres", "postgres"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as reader:
            try:
                self.wait_for(lambda: len(self.sluice.console("SHOW SESSIONS")) >= 8, "all clients read")
                yield
                self.assertIsNone(reader.poll(), "they read until the end")
            finally:
                reader.kill()

    def test_an_order_may_be_for_some_only(self):
        self.stop_writes("SERVICE 'book*' USER app")
        self.assertIn("incident 42", str(self.fails("delete from items", user="app", application_name="booking")))
        self.run_sql("delete from items where id = 7", user="postgres", application_name="booking")
        self.run_sql("delete from items where id = 7", application_name="billing")
        row = self.sluice.console("SHOW READONLY")[0]
        self.assertEqual([row[key] for key in ("service", "user_name", "database", "until", "reason", "ordered_by")],
                         ["book*", "app", "", "", "incident 42", "operator"])
        wrong = self.sluice.console_psql("SET READONLY OFF")
        self.assertIn("42704", wrong.stderr)
        self.assertIn("SHOW READONLY lists them", wrong.stderr)

    def test_the_answer_says_for_whom_and_until_when(self):
        told = self.sluice.console_psql("SET READONLY ON FOR '1h' DATABASE postgres REASON 'r'").stderr
        self.assertRegex(told, r'writes are refused in every mode of the guard until \d{4}-\d\d-\d\dT[^,]*, '
                               r'only for database "postgres"')
        told = self.sluice.console_psql("SET READONLY ON REASON 'r'").stderr
        self.assertIn("until SET READONLY OFF, for all", told)

    def test_an_order_ends_by_itself(self):
        self.stop_writes("FOR '1s'")
        self.wait_for(lambda: self.sluice.console("SHOW READONLY") == [], "the order is over")
        self.assertIn("42704", self.sluice.console_psql("SET READONLY OFF").stderr)
        self.wait_for(self.may_write, "writes pass again")

    def may_write(self):
        try:
            self.run_sql("delete from items where id = 7")
            return True
        except psycopg2.Error:
            return False

    def test_a_reload_keeps_it(self):
        self.stop_writes()
        self.sluice.console("RELOAD")
        self.assertEqual(self.fails("delete from items").pgcode, REFUSED)

    def test_a_transaction_aborts_and_what_it_did_is_undone(self):
        connection = self.connect()
        connection.autocommit = False
        with connection.cursor() as cursor:
            cursor.execute("insert into items values (8, 'eight')")
            self.stop_writes()
            with self.assertRaises(psycopg2.Error) as caught:
                cursor.execute("insert into items values (9, 'nine')")
            self.assertEqual(caught.exception.pgcode, REFUSED)
        connection.rollback()
        with connection.cursor() as cursor:
            cursor.execute("select count(*) from items")
        self.assertEqual(self.items(), self.before)

    def test_what_was_written_before_may_be_committed(self):
        connection = self.connect()
        connection.autocommit = False
        with connection.cursor() as cursor:
            cursor.execute("insert into items values (10, 'ten')")
        self.stop_writes()
        connection.commit()
        self.assertIn((10, "ten"), self.items())
        self.postgres.run("delete from items where id = 10")

    def test_prepared_writes_are_refused_when_they_run(self):
        raw = self.wire()
        raw.ask(wire.query("prepare remove_too as delete from items"))
        self.stop_writes()
        self.assertEqual(wire.errors(raw.ask(wire.query("execute remove_too")))[0]["C"], REFUSED)
        answer = raw.ask(wire.parse("delete from items", name="remove"), wire.sync())
        self.assertEqual(wire.errors(answer), [])
        answer = raw.ask(wire.bind(prepared="remove"), wire.execute(), wire.sync())
        self.assertEqual([error["C"] for error in wire.errors(answer)], [REFUSED])
        self.assertIn("incident 42", wire.errors(answer)[0]["M"])
        self.assertEqual(self.items(), self.before)

    def test_what_a_function_writes_is_not_seen(self):
        self.stop_writes()
        self.run_sql("select add_item()")
        self.assertIn((100, "by a function"), self.items())
        self.postgres.run("delete from items where id = 100")


class EveryMode(Case):
    SETUP = SETUP

    def test_it_holds_where_the_guard_is_off_or_only_observes(self):
        for mode in ("off", "observe"):
            with self.subTest(mode):
                self.sluice = self.new_sluice(guard={"mode": mode, "readonly_sqlstate": "25006"})
                self.run_sql("delete from items where id = 7")
                self.sluice.console("SET READONLY ON REASON 'r'")
                self.assertEqual(self.fails("delete from items").pgcode, "25006")
                self.assertEqual(self.fails("create table made (a int)").pgcode, "25006")
                self.run_sql("select * from items")

    def test_the_servers_own_switch_stops_what_the_wire_cannot_show(self):
        self.postgres.run("drop database if exists switched")
        self.postgres.run("create database switched")
        self.postgres.run("create table items (id int); create sequence numbers; create function add_item() returns "
                          "void language sql as 'insert into items values (1)'", database="switched")
        self.postgres.run("alter database switched set default_transaction_read_only = on")
        for sql in ("select add_item()", "select nextval('numbers')", "select * from items for update"):
            self.assertEqual(self.fails(sql, dbname="switched").pgcode, "25006", sql)
        self.postgres.run("alter database switched reset default_transaction_read_only")
        self.run_sql("select add_item()", dbname="switched")


class BeforeEnforcing(Case):
    settings = {"guard": {"mode": "observe"}}
    SETUP = SETUP

    def test_what_would_be_refused_is_counted_by_statement(self):
        for _ in range(3):
            self.run_sql("create table if not exists queue (a int)", application_name="worker")
        self.run_sql("drop table queue", application_name="deploy")
        self.run_sql("select 1")
        rows = self.sluice.console("SHOW WOULD REFUSE")
        self.assertEqual([(row["service"], row["command"], row["count"], row["ground"]) for row in rows],
                         [("worker", "CREATE TABLE", "3", "closed"), ("deploy", "DROP TABLE", "1", "closed")])
        self.assertEqual(rows[0]["statement"], "create table if not exists queue (a int)")
        self.assertEqual(len(self.sluice.console("SHOW WOULD REFUSE LIMIT 1")), 1)


class Rules(Case):
    settings = {"guard": {"mode": "enforce", "modes": [{"when": {"user": "app"}, "mode": "observe"}],
                          "protected": ["public.orders"],
                          "rules": [{"name": "scratch", "when": {"object": "scratch.*", "class": ["additive"]},
                                     "action": "allow"}]}}

    def test_show_rules_tells_them_in_order(self):
        rows = self.sluice.console("SHOW RULES")
        self.assertEqual([(row["order"], row["kind"]) for row in rows],
                         [("1", "mode"), ("2", "mode"), ("3", "protected"), ("4", "rule")])
        self.assertEqual((rows[0]["user_name"], rows[0]["mode"], rows[1]["mode"]), ("app", "observe", "enforce"))
        self.assertEqual(rows[2]["object"], "public.orders")
        self.assertEqual((rows[3]["name"], rows[3]["object"], rows[3]["classes"], rows[3]["action"]),
                         ("scratch", "scratch.*", "additive", "allow"))


if __name__ == "__main__":
    main()
