# SPDX-License-Identifier: PostgreSQL
"""What decides besides windows: rules, protected objects, modes for some, a window's edge, one change at a time."""
import time

import psycopg2
from harness import wire
from harness.case import REFUSED, Case, main

SETUP = """
drop schema if exists scratch cascade;
drop schema public cascade;
create schema public;
create schema scratch;
create table orders (id int primary key, status text);
create table items (id int primary key, orders_id int references orders);
create table notes (note text);
"""


class Rules(Case):
    """The gate is closed; what rules say of it."""

    settings = {
        "services": [{"name": "deploy", "when": {"application_name": "deploy*"}},
                     {"name": "reports", "when": {"application_name": "reports"}}],
        "guard": {
            "rules": [
                {"name": "scratch-is-free", "when": {"object": "scratch.*"}, "action": "allow"},
                {"name": "no-drops", "when": {"class": ["destructive"]}, "action": "refuse"},
                {"name": "deployers-add", "when": {"service": "deploy", "class": ["additive"]}, "action": "allow"},
                {"name": "reports-only-read", "when": {"service": "reports", "class": ["write", "lock", "opaque"]},
                 "action": "refuse"},
                {"name": "small-steps", "when": {"service": "deploy"}, "action": "window", "most": "additive"},
            ],
            "protected": ["public.orders"],
        },
    }
    SETUP = SETUP

    def why(self, sql, **how):
        """The rule or ground by which it is refused."""
        error = self.fails(sql, **how)
        self.assertEqual(error.pgcode, REFUSED, error)
        return error.diag.message_detail

    def test_the_first_rule_that_holds_decides(self):
        self.run_sql("create table scratch.a (id int); alter table scratch.a add b int; drop table scratch.a")
        self.assertIn('rule="no-drops"', self.why("drop table notes", application_name="deploy"))
        self.run_sql("create table by_deploy (id int)", application_name="deploy")
        self.assertIn("ground=closed", self.why("create table by_others (id int)"))

    def test_a_rule_that_allows_some_objects_allows_nothing_else_beside_them(self):
        self.assertIn("ground=closed", self.why("create table scratch.b (id int references public.notes)"))
        self.assertIn("no-drops", self.why("drop table scratch.none, public.notes"))
        self.assertIn("ground=closed", self.why("create table scratch.c (id int); create table d (id int)"))
        self.assertIn("ground=closed", self.why("create table b (id int)", options="-c search_path=scratch"))

    def test_a_rule_may_refuse_what_is_no_schema_change(self):
        for sql in ("insert into notes values ('a')", "with w as (delete from notes returning 1) select * from w",
                    "lock table notes", "do 'begin end'", "copy notes from stdin"):
            with self.subTest(sql):
                self.assertIn('rule="reports-only-read"', self.why(sql, application_name="reports"))
        self.assertEqual(self.run_sql("select count(*) from notes", application_name="reports"), [(0,)])
        self.run_sql("insert into notes values ('b'); delete from notes")
        self.assertEqual(self.sluice.counter("statements_refused"), 5)

    def test_windows_let_a_service_do_no_more_than_its_rule(self):
        self.sluice.console("OPEN WINDOW w FOR '10m' ALLOW modifying REASON 'a test'")
        try:
            self.run_sql("alter table notes add other text")
            self.assertIn('rule="small-steps"', self.why("alter table notes alter other set not null",
                                                        application_name="deploy"))
        finally:
            self.sluice.console("CLOSE WINDOW w")

    def test_protected_objects_are_opened_by_nothing(self):
        self.sluice.console("OPEN WINDOW w FOR '10m' ALLOW modifying REASON 'a test'")
        try:
            for sql in ("alter table orders add a int", "drop table public.orders", "truncate orders, notes",
                        "create index on orders (status)", "alter table \"orders\" rename to o", "drop schema public cascade",
                        "create trigger t before insert on ORDERS execute function f()", "drop owned by postgres",
                        "create table more (id int references orders)", "comment on column public.orders.id is 'x'",
                        "alter table items drop constraint items_pkey; alter table orders add a int",
                        "truncate notes cascade", "grant select on orders to public",
                        "alter schema public rename to p",
                        "create statistics pg_temp.s on id, status from public.orders",
                        "comment on index public.orders_pkey is 'x'"):
                with self.subTest(sql):
                    self.assertIn("ground=protected", self.why(sql))
            self.run_sql("alter table notes add third text")
            self.run_sql("create table orders_archive (id int)")
        finally:
            self.sluice.console("CLOSE WINDOW w")

    def test_letters_of_another_encoding_do_not_hide_a_protected_name(self):
        self.postgres.run('create table if not exists "übung" (id int)')
        sluice = self.new_sluice(guard={"protected": ["public.übung"]})
        sluice.console("OPEN WINDOW w FOR '10m' ALLOW modifying REASON 'a test'")
        for encoding in ("UTF8", "LATIN1"):
            connection = sluice.connect(client_encoding=encoding)
            self.addCleanup(connection.close)
            with self.subTest(encoding), connection.cursor() as cursor:
                with self.assertRaises(psycopg2.errors.InsufficientPrivilege):
                    cursor.execute("alter table public.übung add a int")
                cursor.execute("comment on table public.notes is 'für alle'")

    def test_the_console_lists_them_in_order(self):
        rows = self.sluice.console("SHOW RULES")
        names = [row["name"] for row in rows if row["kind"] == "rule"]
        self.assertEqual(names, ["scratch-is-free", "no-drops", "deployers-add", "reports-only-read", "small-steps"])
        self.assertEqual([row["object"] for row in rows if row["kind"] == "protected"], ["public.orders"])

    def test_the_record_names_the_rule_and_the_objects(self):
        self.why("drop table public.notes, \"Odd\"", application_name="deploy")
        row = self.sluice.console("SHOW DDL LIMIT 1")[0]
        self.assertEqual((row["decision"], row["ground"], row["rule"], row["class"]),
                         ("refused", "rule", "no-drops", "destructive"))
        self.assertEqual(row["objects"], 'public.notes, "Odd"')


class RuleWindows(Case):
    """A rule by which only some windows count."""

    settings = {
        "guard": {
            "windows": [{"name": "always", "days": ["sun", "mon", "tue", "wed", "thu", "fri", "sat"], "from": "00:00",
                         "to": "24:00", "allow": "modifying"},
                        {"name": "long-ago", "from": "2001-01-01T00:00:00Z", "to": "2001-01-02T00:00:00Z",
                         "allow": "modifying"}],
            "rules": [{"name": "analytics", "when": {"user": "analytics"}, "action": "window", "windows": ["long-ago"]}],
        },
    }
    SETUP = SETUP + "drop role if exists analytics; create role analytics superuser login;"

    def test_others_windows_do_not_open_for_it(self):
        self.run_sql("alter table notes add other text")
        error = self.fails("alter table notes add third text", user="analytics")
        self.assertEqual(error.pgcode, REFUSED)
        self.assertIn("ground=closed", error.diag.message_detail)
        self.sluice.console("OPEN WINDOW w FOR '10m' ALLOW modifying REASON 'a test'")
        self.run_sql("alter table notes add third text", user="analytics")


class Modes(Case):
    """Enforcement for some, observation for others, nothing for the rest."""

    settings = {
        "services": [{"name": "kds", "when": {"application_name": "kds"}},
                     {"name": "legacy", "when": {"application_name": "legacy"}}],
        "guard": {"mode": "enforce", "modes": [{"when": {"service": "kds"}, "mode": "observe"},
                                               {"when": {"service": "legacy"}, "mode": "off"}]},
    }
    SETUP = SETUP

    def test_each_has_its_mode(self):
        self.assertEqual(self.fails("create table a (id int)").pgcode, REFUSED)
        self.run_sql("create table b (id int)", application_name="kds")
        self.run_sql("create table c (id int)", application_name="legacy")
        decisions = [row["decision"] for row in self.sluice.console("SHOW DDL LIMIT 10")]
        self.assertEqual(decisions, ["would_refuse", "refused"])

    def test_what_would_be_refused_is_summed_up_by_service_and_statement(self):
        for number in range(7):
            self.run_sql(f"create table made_{number} (id int)", application_name="kds")
        self.run_sql("alter table notes add made int", application_name="kds")
        rows = {row["command"]: row for row in self.sluice.console("SHOW WOULD REFUSE") if "made" in row["statement"]}
        creates = [row for row in self.sluice.console("SHOW WOULD REFUSE") if row["command"] == "CREATE TABLE"]
        self.assertGreaterEqual(sum(int(row["count"]) for row in creates), 7)
        self.assertEqual(rows["ALTER TABLE"]["service"], "kds")
        self.assertEqual((rows["ALTER TABLE"]["count"], rows["ALTER TABLE"]["ground"]), ("1", "closed"))


class Names(Case):
    """What was prepared while it was allowed, under a name that may stand for something else now."""

    SETUP = SETUP
    EVERYTHING = {"name": "everything", "action": "allow"}

    def prepared(self, name, sql, *rules):
        """A session that has prepared it, and rules that came later."""
        self.sluice = self.new_sluice(guard={"rules": [self.EVERYTHING]})
        raw = self.wire()
        self.assertEqual(wire.errors(raw.ask(wire.parse(sql, name) + wire.sync())), [])
        self.sluice.settings["guard"]["rules"] = list(rules)
        self.sluice.write()
        self.sluice.console("RELOAD")
        return raw

    def bound_behind_a_parse_that_is_skipped(self, raw, name, other):
        """The errors of a Bind of the name, where a Parse that the server passes over has given it to the other text."""
        raw.send(wire.parse("selec") + wire.close("S", name) + wire.parse(other, name) + wire.sync() +
                 wire.bind("", name) + wire.execute() + wire.sync())
        self.assertEqual([error["C"] for error in wire.errors(raw.until())], ["42601"])
        return wire.errors(raw.until())

    def test_both_classes_count(self):
        raw = self.prepared("p", "drop table notes", {"name": "no-drops", "when": {"class": ["destructive"]}, "action": "refuse"},
                            self.EVERYTHING)
        errors = self.bound_behind_a_parse_that_is_skipped(raw, "p", "alter table notes rename to others")
        self.assertIn("no-drops", errors[0]["D"])
        self.assertEqual(self.sluice.counter("ddl_unseen"), 0)

    def test_objects_of_both_count(self):
        raw = self.prepared("p", "create table made (a int)", {"name": "scratch", "when": {"object": "scratch.*"}, "action": "allow"})
        errors = self.bound_behind_a_parse_that_is_skipped(raw, "p", "create table scratch.made (a int)")
        self.assertEqual([error["C"] for error in errors], [REFUSED])
        self.assertEqual(self.bound_behind_a_parse_that_is_skipped(raw, "q", "select 1")[0]["C"], "26000")

    def test_names_that_may_be_one_to_the_server_count_together(self):
        """It cuts them at 63 bytes, and in front of a character that does not fit."""
        stem = "n" * 62
        raw = self.prepared(stem + "é", "create table made (a int)", {"name": "scratch", "when": {"object": "scratch.*"}, "action": "allow"})
        errors = self.bound_behind_a_parse_that_is_skipped(raw, stem, "create table scratch.made (a int)")
        self.assertEqual([error["C"] for error in errors], [REFUSED])

    def test_what_is_certain_goes_by_its_own(self):
        raw = self.prepared("p", "drop table notes", {"name": "scratch", "when": {"object": "scratch.*"}, "action": "allow"})
        messages = raw.ask(wire.close("S", "p") + wire.parse("create table scratch.sure (a int)", "p") + wire.bind("", "p") +
                           wire.execute() + wire.sync())
        self.assertEqual(wire.errors(messages), [])
        self.assertEqual(wire.errors(raw.ask(wire.query("drop table scratch.sure"))), [])


class Edge(Case):
    """A transaction that goes on behind the end of its window."""

    SETUP = SETUP

    def begun(self, at_window_end, *before):
        sluice = self.new_sluice(guard={"at_window_end": at_window_end})
        sluice.console("OPEN WINDOW w FOR '10m' ALLOW modifying REASON 'a test'")
        raw = self.wire(sluice)
        for message in before:
            raw.ask(message)
        self.assertEqual(wire.errors(raw.ask(wire.query("begin")) + raw.ask(wire.query("alter table notes add a int"))), [])
        sluice.console("CLOSE WINDOW w")
        return sluice, raw

    def test_it_may_finish(self):
        sluice, raw = self.begun("finish")
        messages = raw.ask(wire.query("alter table notes drop a"))
        self.assertEqual(wire.errors(messages), [])
        self.assertEqual(raw.ask(wire.query("commit")), [("C", b"COMMIT\0"), ("Z", b"I")])
        self.assertEqual([error["C"] for error in wire.errors(raw.ask(wire.query("alter table notes add a int")))], [REFUSED])
        rows = sluice.console("SHOW DDL LIMIT 10")
        self.assertEqual([(row["decision"], row["outcome"]) for row in rows],
                         [("refused", ""), ("passed", "committed"), ("passed", "committed")])
        self.assertEqual(rows[1]["ground"], "transaction")

    def test_another_transaction_may_not_go_on_in_its_place(self):
        for chain in ("commit and chain", "commit; begin", "rollback and chain", "rollback; begin"):
            with self.subTest(chain):
                sluice, raw = self.begun("finish")
                self.assertEqual(wire.errors(raw.ask(wire.query(chain))), [])
                self.assertEqual([error["C"] for error in wire.errors(raw.ask(wire.query("create table more (id int)")))],
                                 [REFUSED])
                self.postgres.run("alter table notes drop column if exists a")
                if chain == "commit and chain":
                    self.assertEqual(sluice.console("SHOW DDL LIMIT 10")[-1]["outcome"], "committed")

    def test_nothing_in_its_text_or_before_may_end_it(self):
        _, raw = self.begun("finish")
        messages = raw.ask(wire.query("commit; begin; create table more (id int)"))
        self.assertEqual([error["C"] for error in wire.errors(messages)], [REFUSED])
        _, raw = self.begun("finish")
        raw.send(wire.query("commit and chain") + wire.query("create table more (id int)"))
        self.assertEqual(wire.errors(raw.until()), [])
        self.assertEqual([error["C"] for error in wire.errors(raw.until())], [REFUSED])
        raw.ask(wire.query("rollback"))
        self.postgres.run("alter table notes drop a")

    def test_what_is_executed_before_may_end_it(self):
        """A prepared COMMIT, by SQL EXECUTE, or by a name that may stand for one."""
        execute = wire.query("execute c")
        skipped = (wire.parse("selec") + wire.close("S", "c") + wire.parse("select 1", "c") + wire.sync() +
                   wire.bind("", "c") + wire.execute() + wire.sync())
        for ending, syncs in ((execute, 1), (skipped, 2)):
            with self.subTest(ending):
                _, raw = self.begun("finish", wire.parse("commit", "c") + wire.sync())
                raw.send(ending + wire.query("create table more (id int)"))
                for _ in range(syncs):
                    raw.until()
                self.assertEqual([error["C"] for error in wire.errors(raw.until())], [REFUSED])
                raw.close()
                self.postgres.run("alter table notes drop column if exists a")
        _, raw = self.begun("finish", wire.parse("commit", "c") + wire.sync())
        messages = raw.ask(wire.query("execute c; create table more (id int)"))
        self.assertEqual([error["C"] for error in wire.errors(messages)], [REFUSED])
        raw.close()
        self.postgres.run("alter table notes drop column if exists a")

    def test_a_change_that_was_prepared_may_finish_by_execute(self):
        _, raw = self.begun("finish", wire.parse("alter table notes drop a", "d") + wire.sync())
        self.assertEqual(wire.errors(raw.ask(wire.query("execute d"))), [])
        self.assertEqual(raw.ask(wire.query("commit")), [("C", b"COMMIT\0"), ("Z", b"I")])

    def test_a_savepoint_does_not_end_it(self):
        _, raw = self.begun("finish")
        for sql in ("savepoint s", "alter table notes drop a", "rollback to s", "alter table notes drop a; select 1",
                    "commit"):
            self.assertEqual(wire.errors(raw.ask(wire.query(sql))), [])

    def test_its_further_changes_are_refused(self):
        sluice, raw = self.begun("refuse")
        self.assertEqual([error["C"] for error in wire.errors(raw.ask(wire.query("alter table notes drop a")))], [REFUSED])
        self.assertEqual(raw.ask(wire.query("commit")), [("C", b"ROLLBACK\0"), ("Z", b"I")])
        rows = sluice.console("SHOW DDL LIMIT 10")
        self.assertEqual([(row["decision"], row["outcome"]) for row in rows],
                         [("refused", ""), ("passed", "undone")])

    def test_what_outlives_its_window_is_told(self):
        now = time.gmtime(time.time() - 60)
        end = time.gmtime(time.time() + 3)
        shape = "%Y-%m-%dT%H:%M:%SZ"
        sluice = self.new_sluice(guard={"windows": [{"name": "short", "from": time.strftime(shape, now),
                                                     "to": time.strftime(shape, end), "allow": "modifying"}]})
        raw = self.wire(sluice)
        raw.ask(wire.query("begin"))
        self.assertEqual(wire.errors(raw.ask(wire.query("alter table notes add late int"))), [])
        raw.ask(wire.query("select pg_sleep(4)"))
        self.assertEqual(raw.ask(wire.query("commit")), [("C", b"COMMIT\0"), ("Z", b"I")])
        self.wait_for(lambda: sluice.has_logged("ddl_outlived"), "it is told")
        self.assertEqual(sluice.events("ddl_outlived")[0]["window"], "short")
        self.assertEqual(sluice.counter("ddl_outlived"), 1)


class Turns(Case):
    """One schema change at a time."""

    settings = {"guard": {"one_change_at_a_time": True, "rest_between_changes": "2s"}, "workers": 2}
    SETUP = SETUP

    def setUp(self):
        time.sleep(2.1)  # the rest behind another test
        self.sluice.console("OPEN WINDOW w FOR '10m' ALLOW modifying REASON 'a test'")
        self.addCleanup(self.sluice.console, "CLOSE WINDOW w")

    def test_others_are_told_who_is_at_it(self):
        raw = self.wire(application_name="first")
        raw.ask(wire.query("begin"))
        self.assertEqual(wire.errors(raw.ask(wire.query("create table turn_a (id int)"))), [])
        for number in range(8):  # on both workers
            error = self.fails(f"create table turn_b{number} (id int)", application_name="second")
            self.assertEqual(error.pgcode, REFUSED)
            self.assertIn('service "first"', error.diag.message_primary)
            self.assertIn("ground=taken", error.diag.message_detail)
        self.run_sql("insert into notes values ('passes')", application_name="second")
        raw.ask(wire.query("commit"))
        self.assertEqual(self.fails("create table turn_c (id int)", application_name="second").pgcode, REFUSED)
        self.run_sql("create table turn_d (id int)", application_name="first")
        self.wait_for(lambda: self.passes("create table turn_e (id int)"), "the rest is over")

    def passes(self, sql):
        try:
            self.run_sql(sql, application_name="second")
            return True
        except Exception as error:  # pylint: disable=broad-except
            self.assertIn("ground=taken", error.diag.message_detail)
            return False

    def test_a_connection_that_ends_lets_others_in(self):
        self.wait_for(lambda: self.passes("create table turn_f (id int); drop table turn_f"), "nobody is at it")
        time.sleep(2.1)
        raw = self.wire(application_name="third")
        raw.ask(wire.query("begin"))
        self.assertEqual(wire.errors(raw.ask(wire.query("create table turn_g (id int)"))), [])
        raw.close()
        self.wait_for(lambda: self.passes("create table turn_h (id int)"), "the turn is free")


if __name__ == "__main__":
    main()
