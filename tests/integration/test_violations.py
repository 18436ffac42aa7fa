# SPDX-License-Identifier: PostgreSQL
"""Every constraint violation that PostgreSQL can raise is told by kind, place, service and statement."""
import random
import re
import threading
from collections import Counter

import psycopg2

from harness import wire
from harness.case import Case, main
from harness.constraints import SETUP

VALUE = re.compile(r"'(?:[^']|'')*'|[$][$].*[$][$]|\b[0-9]+\b")

# Each: the statement, then what SHOW VIOLATIONS must say of it. `blamed` begins the statement shown, where it is not
# the one that was sent.
SIMPLE = {
    "primary key": ("insert into v.uni values (1, 2, 2, 'x')", dict(
        kind="unique", sqlstate="23505", table_name="uni", constraint_name="uni_pkey", columns="id")),
    "unique constraint": ("insert into v.uni values (2, 1, 1, 'x')", dict(
        kind="unique", sqlstate="23505", table_name="uni", constraint_name="uni_pair", columns="a, b")),
    "unique expression index": ("insert into v.uni values (2, 2, 2, 'ONE')", dict(
        kind="unique", sqlstate="23505", table_name="uni", constraint_name="uni_label", columns="lower(label)")),
    "unique by update": ("with x as (select 1) update v.uni set id = 1 from x where id = 1 and false; "
                         "insert into v.uni values (1, 3, 3, 'y')", dict(
        kind="unique", sqlstate="23505", table_name="uni", constraint_name="uni_pkey",
        blamed="insert into v.uni", phase="commit_or_last")),
    "on conflict of another index": ("insert into v.uni values (1, 9, 9, 'z') on conflict (a, b) do nothing", dict(
        kind="unique", sqlstate="23505", table_name="uni", constraint_name="uni_pkey")),
    "exclusion": ("insert into v.book values (1, '[3,9)')", dict(
        kind="exclusion", sqlstate="23P01", table_name="book", constraint_name="book_overlap",
        columns="room, during")),
    "foreign key of the child": ("insert into v.child values (2, 4711)", dict(
        kind="foreign_key", sqlstate="23503", table_name="child", constraint_name="child_parent", columns="parent")),
    "foreign key of the parent": ("delete from v.parent where id = 1", dict(
        kind="foreign_key", sqlstate="23503", table_name="child", constraint_name="child_parent", columns="id")),
    "not null": ("insert into v.strict values (null, 'new')", dict(
        kind="not_null", sqlstate="23502", table_name="strict", column_name="id")),
    "check": ("insert into v.strict values (1, 'old')", dict(
        kind="check", sqlstate="23514", table_name="strict", constraint_name="strict_state")),
    "domain check": ("insert into v.typed values (-5)", dict(
        kind="domain_check", sqlstate="23514", datatype_name="positive", constraint_name="positive_value")),
    "domain check in a cast": ("select 0::v.positive", dict(
        kind="domain_check", sqlstate="23514", datatype_name="positive", constraint_name="positive_value")),
    "domain not null": ("select null::v.present", dict(
        kind="domain_not_null", sqlstate="23502", datatype_name="present")),
    "no partition": ("insert into v.parts values (1, 50)", dict(
        kind="partition", sqlstate="23514", table_name="parts")),
    "partition constraint": ("insert into v.parts_low values (1, 15)", dict(
        kind="partition", sqlstate="23514", table_name="parts_low")),
    "default partition": ("insert into v.listed_default values (1)", dict(
        kind="partition", sqlstate="23514", table_name="listed_default")),
    "check of a partitioned table": ("insert into v.parts values (1, 100)", dict(
        kind="partition", sqlstate="23514", table_name="parts")),
    "check option": ("insert into v.new_ones values (1, 'done')", dict(kind="check_option", sqlstate="44000",
                                                                     schema_name="")),
    "trigger": ("insert into v.watched values (5)", dict(
        kind="unique", sqlstate="23505", table_name="audit", constraint_name="audit_id")),
    "function": ("select v.add_parent(1)", dict(
        kind="unique", sqlstate="23505", table_name="parent", constraint_name="parent_pkey")),
    "procedure": ("call v.called()", dict(kind="not_null", sqlstate="23502", table_name="strict", column_name="id")),
    "do block": ("do $$ begin insert into v.strict values (1, 'old'); end $$", dict(
        kind="check", sqlstate="23514", table_name="strict", constraint_name="strict_state")),
    "copy": ("copy v.uni from program 'printf \"7\\t7\\t7\\tx\\n1\\t8\\t8\\ty\\n\"'", dict(
        kind="unique", sqlstate="23505", table_name="uni", constraint_name="uni_pkey")),
    "raised as 23514 with names": ("select v.raised('23514', true)", dict(
        kind="check", sqlstate="23514", schema_name="made", table_name="up", constraint_name="con")),
    "raised as 23505 without names": ("select v.raised('23505', false)", dict(
        kind="unique", sqlstate="23505", schema_name="", table_name="")),
    "raised as 23000": ("select v.raised('23000', false)", dict(
        kind="integrity", sqlstate="23000", schema_name="")),
    "raised as 23999": ("select v.raised('23999', false)", dict(
        kind="integrity", sqlstate="23999", schema_name="")),
    "raised as 23001": ("select v.raised('23001', false)", dict(
        kind="restrict", sqlstate="23001", schema_name="")),
    "deferred in autocommit": ("insert into v.late_child values (1, 4711)", dict(
        kind="foreign_key", sqlstate="23503", table_name="late_child", constraint_name="late_parent")),
    "set not null": ("alter table v.uni alter column a set not null", dict(
        kind="not_null", sqlstate="23502", table_name="uni", column_name="a")),
    "add check": ("alter table v.uni add constraint positive_a check (a > 100)", dict(
        kind="check", sqlstate="23514", table_name="uni", constraint_name="positive_a")),
    "create unique index": ("create unique index on v.child ((parent * 0))", dict(
        kind="unique", sqlstate="23505", table_name="child", constraint_name="child_expr_idx")),
}


class Shapes(Case):
    """Each session names itself after its case; as no rule fits, that is its service."""

    settings = {"guard": {"mode": "off"}}
    SETUP = SETUP

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.postgres.run("insert into v.uni values (50, null, null, 'fifty'), (51, 51, 51, 'w'); "
                         "insert into v.child values (8, 1), (9, 1)")

    def violations_of(self, service):
        return [row for row in self.sluice.violations() if row["service"] == service]

    def assert_told(self, service, sql, count=1, blamed=None, phase="statement", **expected):
        rows = self.violations_of(service)
        self.assertEqual(len(rows), 1, rows)
        row = rows[0]
        expected = {"schema_name": "v", "table_name": "", "column_name": "", "constraint_name": "", "database": "postgres",
                    "user_name": "postgres", "phase": phase, "count": str(count), **expected}
        if expected["schema_name"] == "made":
            expected.update(column_name="col", datatype_name="typ")
        self.assertEqual({key: row[key] for key in expected}, expected)
        words = VALUE.sub("?", blamed or sql).split()[:3]
        self.assertEqual(row["statement"].split()[:len(words)], words)
        self.assertRegex(row["fingerprint"], "^(m:)?[0-9a-f]{16}$")
        self.assertLessEqual(row["first_seen"], row["last_seen"])
        return row

    def test_every_shape_is_told_in_the_simple_protocol(self):
        for name, (sql, expected) in SIMPLE.items():
            with self.subTest(name):
                service = f"simple {name}"
                error = self.fails(sql, application_name=service)
                self.assertEqual(error.pgcode, expected["sqlstate"])
                self.assert_told(service, sql, **expected)

    def test_every_shape_is_told_in_the_extended_protocol(self):
        for name, (sql, expected) in SIMPLE.items():
            if ";" in sql and "$$" not in sql:
                continue
            with self.subTest(name):
                service = f"extended {name}"
                raw = self.wire(application_name=service)
                messages = raw.ask(wire.parse("select 'before'", "p"), wire.bind("", "p"), wire.execute(),
                                   wire.parse(sql, "s"), wire.bind("", "s"), wire.execute(),
                                   wire.parse("select 'after'"), wire.bind(), wire.execute(), wire.sync())
                codes = [error["C"] for error in wire.errors(messages)]
                self.assertEqual(codes, [expected["sqlstate"]])
                if name != "deferred in autocommit":
                    self.assert_told(service, sql, **expected)

    def test_the_fingerprint_is_the_statements_whatever_its_values(self):
        prints = set()
        for number, values in enumerate(("(1, 2, 2, 'x')", "(1,  7, 7, 'other')")):
            service = f"print {number}"
            self.fails(f"insert into v.uni values {values}", application_name=service)
            prints.add(self.violations_of(service)[0]["fingerprint"])
        self.fails("insert into v.uni (id, a, b) values (1, 5, 5)", application_name="print other")
        self.assertEqual(len(prints), 1)
        self.assertNotIn(self.violations_of("print other")[0]["fingerprint"], prints)

    def test_repeated_violations_are_one_row_with_their_count(self):
        raw = self.wire(application_name="repeats")
        for value in range(7):
            raw.ask(wire.query(f"insert into v.strict values ({value}, 'bad {value}')"))
        self.assert_told("repeats", "insert into v.strict", 7, kind="check", table_name="strict",
                         constraint_name="strict_state")

    # ── at the end of a transaction

    def test_a_deferred_constraint_at_commit_blames_the_change_not_the_commit(self):
        raw = self.wire(application_name="at commit")
        for sql in ("begin", "insert into v.parent values (900)", "insert into v.late_child values (1, 4711)",
                    "select 'innocent'", "update v.uni set label = 'q' where id = 50", "commit"):
            messages = raw.ask(wire.query(sql))
        self.assertEqual(wire.errors(messages)[0]["C"], "23503")
        self.assert_told("at commit", "", blamed="insert into v.late_child", phase="commit", kind="foreign_key",
                         table_name="late_child", constraint_name="late_parent", columns="parent")

    def test_a_deferred_constraint_at_end_and_prepare_is_at_commit_too(self):
        for word in ("end", "prepare transaction 'gid'", "commit and chain"):
            raw = self.wire(application_name=f"ends by {word[:7]}")
            for sql in ("begin", "insert into v.late_unique values (1)", "insert into v.late_unique values (1)", word):
                messages = raw.ask(wire.query(sql))
            self.assertEqual(wire.errors(messages)[0]["C"], "23505")
            self.assert_told(f"ends by {word[:7]}", "", blamed="insert into v.late_unique", phase="commit",
                             kind="unique", table_name="late_unique", constraint_name="late_unique_id")

    def test_a_deferred_constraint_at_an_extended_commit_blames_the_change(self):
        raw = self.wire(application_name="extended commit")
        messages = []
        for sql in ("begin", "insert into v.late_child values (1, 4711)", "select 'innocent'", "commit"):
            messages += [wire.parse(sql), wire.bind(), wire.execute()]
        answer = raw.ask(*messages, wire.sync())
        self.assertEqual(wire.errors(answer)[0]["C"], "23503")
        self.assert_told("extended commit", "", blamed="insert into v.late_child", phase="commit", kind="foreign_key",
                         table_name="late_child", constraint_name="late_parent")

    def test_a_deferred_constraint_at_sync_blames_the_change(self):
        raw = self.wire(application_name="at sync")
        messages = []
        for sql in ("insert into v.late_child values (1, 4711)", "update v.uni set label = 'q' where id = 50", "select 1"):
            messages += [wire.parse(sql), wire.bind(), wire.execute()]
        answer = raw.ask(*messages, wire.sync())
        self.assertEqual(wire.kinds(answer)[-2:], "EZ")
        self.assertEqual(wire.kinds(answer).count("C"), 3)
        self.assert_told("at sync", "", blamed="insert into v.late_child", phase="commit", kind="foreign_key",
                         table_name="late_child", constraint_name="late_parent")

    def test_a_deferred_constraint_at_the_end_of_several_statements_blames_the_change(self):
        self.fails("insert into v.late_child values (1, 4711); select 'innocent'; update v.uni set label = 'q' where id = 50",
                   application_name="several")
        self.assert_told("several", "", blamed="insert into v.late_child", phase="commit_or_last", kind="foreign_key",
                         table_name="late_child", constraint_name="late_parent")

    def test_an_explicit_transaction_within_one_query_blames_the_change(self):
        self.fails("begin; insert into v.late_child values (1, 4711); select 'innocent'; commit",
                   application_name="several explicit")
        self.assert_told("several explicit", "", blamed="insert into v.late_child", phase="commit", kind="foreign_key",
                         table_name="late_child", constraint_name="late_parent")

    def test_set_constraints_immediate_blames_the_change(self):
        raw = self.wire(application_name="immediate")
        for sql in ("begin", "insert into v.late_child values (1, 4711)", "select 1", "set constraints all immediate"):
            messages = raw.ask(wire.query(sql))
        self.assertEqual(messages[-1], ("Z", b"E"))
        self.assert_told("immediate", "", blamed="insert into v.late_child", phase="constraint_check",
                         kind="foreign_key", table_name="late_child", constraint_name="late_parent")

    def test_a_deferred_check_of_the_parent_names_the_child_and_blames_the_parents_change(self):
        self.postgres.run("insert into v.parent values (70); insert into v.late_child values (70, 70)")
        raw = self.wire(application_name="parent deferred")
        for sql in ("begin", "delete from v.parent where id = 70", "select 1", "commit"):
            messages = raw.ask(wire.query(sql))
        self.assertEqual(wire.errors(messages)[0]["C"], "23503")
        self.assert_told("parent deferred", "", blamed="delete from v.parent", phase="commit", kind="foreign_key",
                         table_name="late_child", constraint_name="late_parent")

    # ── in all other places

    def test_copy_from_the_client_blames_the_copy(self):
        for name, messages in {
            "copy simple": (wire.query("copy v.strict from stdin"),),
            "copy extended": (wire.parse("copy v.strict from stdin"), wire.bind(), wire.execute(), wire.sync()),
        }.items():
            raw = self.wire(application_name=name)
            raw.send(*messages, wire.copy_data(b"1\tnew\n2\told\n"), wire.copy_done())
            if name == "copy extended":
                raw.send(wire.sync())
            answer = raw.until("Z")
            self.assertEqual(wire.errors(answer)[0]["C"], "23514")
            self.assert_told(name, "copy v.strict from stdin", kind="check", table_name="strict",
                             constraint_name="strict_state")

    def test_one_of_several_statements_is_blamed_alone(self):
        self.fails("select 1; insert into v.strict values (1, 'old'); select 2", application_name="middle")
        self.assert_told("middle", "insert into v.strict", kind="check", table_name="strict",
                         constraint_name="strict_state")
        self.fails("begin; insert into v.strict values (null, 'new'); commit", application_name="middle of block")
        self.assert_told("middle of block", "insert into v.strict", kind="not_null", table_name="strict",
                         column_name="id")

    def test_a_portal_read_in_portions_is_blamed_for_its_last(self):
        raw = self.wire(application_name="portions")
        raw.send(wire.parse("select n, (3 - n)::v.positive from generate_series(1, 5) n", "s"), wire.bind("p", "s"),
                 wire.execute("p", 1), wire.execute("p", 1), wire.execute("p", 1), wire.sync())
        answer = raw.until("Z")
        self.assertEqual(wire.kinds(answer), "12DsDsEZ")
        self.assert_told("portions", "select n, (?", kind="domain_check", datatype_name="positive",
                         constraint_name="positive_value")

    def test_sql_execute_is_told_by_what_was_prepared(self):
        raw = self.wire(application_name="sql execute")
        raw.ask(wire.query("prepare ins as insert into v.strict values ($1, $2)"))
        raw.ask(wire.query("execute ins (1, 'old')"))
        row = self.violations_of("sql execute")[0]
        self.assertEqual((row["kind"], row["constraint_name"]), ("check", "strict_state"))
        self.assertRegex(row["statement"], "^(execute ins|insert into v.strict|prepare ins)")

    def test_errors_that_are_no_violations_are_not_told(self):
        for sql in ("select 1/0", "selec", "select * from nowhere", "begin; select 1/0; insert into v.uni values (1)"):
            self.fails(sql, application_name="no violation")
        self.assertEqual(self.violations_of("no violation"), [])

    def test_a_violation_caught_in_a_block_is_not_told(self):
        self.run_sql("do $$ begin insert into v.uni values (1); exception when unique_violation then null; end $$",
                     application_name="caught")
        self.assertEqual(self.violations_of("caught"), [])

    def test_text_in_another_encoding_and_language_is_told_all_the_same(self):
        raw = self.wire(application_name="latin", client_encoding="LATIN1")
        raw.ask(wire.query("insert into v.strict values (1, 'gr\u00fcn')".encode("latin-1")))
        self.assert_told("latin", "insert into v.strict", kind="check", table_name="strict",
                         constraint_name="strict_state")

    def test_a_violation_is_logged_without_its_values(self):
        self.fails("insert into v.strict values (1, 'sesame')", application_name="logged")
        event = self.wait_for(lambda: [e for e in self.sluice.events("violation") if e["service"] == "logged"],
                              "the event is logged")[0]
        self.assertEqual((event["kind"], event["phase"], event["sqlstate"], event["schema"], event["table"],
                          event["constraint"]), ("check", "statement", "23514", "v", "strict", "strict_state"))
        self.assertNotIn("sesame", self.sluice.log())


class Services(Case):
    """The first rule that holds names the service; a changed application_name counts at once."""

    SETUP = SETUP
    settings = {"guard": {"mode": "off"}, "services": [
        {"name": "kds", "when": {"application_name": "kds*"}},
        {"name": "booking", "when": {"user": "app", "address": "127.0.0.0/8"}},
        {"name": "elsewhere", "when": {"user": "trust_user", "address": "10.2.0.0/16"}},
        {"name": "orders", "when": {"database": "orders"}},
    ]}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.postgres.run("create database orders")

    def service_of_next(self, before, **how):
        self.fails("select v.raised('23514', true)" if how.get("dbname") != "orders" else
                   "do $$ begin raise exception 'x' using errcode = '23514', table = 'up'; end $$", **how)
        counts = Counter(before)
        now = Counter({row["service"]: 0 for row in self.sluice.violations()})
        for row in self.sluice.violations():
            now[row["service"]] += int(row["count"])
        more = now - counts
        self.assertEqual(sum(more.values()), 1)
        before.clear()
        before.update(now)
        return next(iter(more))

    def test_services_are_found_by_name_user_database_and_address(self):
        seen = {}
        for row in self.sluice.violations():
            seen[row["service"]] = seen.get(row["service"], 0) + int(row["count"])
        for expected, how in (("kds", dict(application_name="kds-kitchen")),
                              ("kds", dict(application_name="kds", user="app")),
                              ("booking", dict(application_name="other", user="app")),
                              ("orders", dict(application_name="", dbname="orders")),
                              ("plain name", dict(application_name="plain name")),
                              ("trust_user", dict(application_name="", user="trust_user"))):
            self.assertEqual(self.service_of_next(seen, **how), expected)

    def test_a_changed_application_name_changes_the_service(self):
        raw = self.wire(application_name="first name")
        violate = "do $$ begin raise exception 'x' using errcode = '23505'; end $$"
        raw.ask(wire.query(violate))
        raw.ask(wire.query("set application_name = 'kds-later'"))
        raw.ask(wire.query(violate))
        raw.ask(wire.query("begin; set application_name = 'undone'"))
        raw.ask(wire.query("rollback"))
        raw.ask(wire.query(violate))
        raw.ask(wire.query("reset application_name"))
        raw.ask(wire.query(violate))
        raised = {row["service"]: row["count"] for row in self.sluice.violations()
                  if row["sqlstate"] == "23505" and row["statement"].startswith("do")}
        self.assertEqual(raised, {"first name": "2", "kds": "2"})


class Counts(Case):
    """However many sessions violate at once, every violation is counted, under its own."""

    SETUP = SETUP
    SESSIONS = 20
    ROUNDS = 250
    settings = {"guard": {"mode": "enforce"}, "workers": 2, "violations": {"log_per_second": 10},
                "services": [{"name": f"service {n}", "when": {"application_name": f"{n}-*"}} for n in range(3)]}
    STATEMENTS = (
        ("insert into v.uni values (1, 2, 2, 'x')", "23505", "uni_pkey"),
        ("insert into v.book values (ROOM, '[3,9)')", "23P01", "book_overlap"), # of its own: they would deadlock
        ("insert into v.child values (2, 4711)", "23503", "child_parent"),
        ("insert into v.strict values (null, 'new')", "23502", ""),
        ("insert into v.strict values (1, 'old')", "23514", "strict_state"),
        ("select 0::v.positive", "23514", "positive_value"),
        ("insert into v.parts values (1, 50)", "23514", ""),
        ("insert into v.late_child values (1, 4711)", "23503", "late_parent"),
        ("insert into v.new_ones values (1, 'done')", "44000", ""),
    )

    def session(self, number, failures):
        try:
            chance = random.Random(number)
            raw = wire.Wire(("127.0.0.1", self.sluice.port), timeout=60)
            raw.login(application_name=f"{number % 3}-app {number}")
            left = self.ROUNDS
            while left > 0:
                batch = min(left, chance.randrange(1, 30))
                left -= batch
                messages = []
                for _ in range(batch):
                    sql = chance.choice(self.STATEMENTS)[0].replace("ROOM", str(100 + number))
                    if chance.random() < 0.5:
                        messages.append(wire.query(sql))
                    else:
                        messages += [wire.parse(sql), wire.bind(), wire.execute(),
                                     wire.parse("select 'skipped'"), wire.bind(), wire.execute(), wire.sync()]
                answer = raw.ask(*messages, syncs=batch)
                if len(wire.errors(answer)) != batch:
                    raise AssertionError(f"{len(wire.errors(answer))} errors of {batch}")
            raw.close()
        except Exception as failure:
            failures.append(failure)

    def test_five_thousand_violations_of_three_services_are_counted_exactly(self):
        failures = []
        threads = [threading.Thread(target=self.session, args=(n, failures)) for n in range(self.SESSIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        logged = Counter()
        for application, _, _, sqlstate in self.postgres.errors():
            if "-app " in application:
                logged[f"service {application[0]}", sqlstate] += 1
        shown = Counter()
        constraints = Counter()
        for row in self.sluice.violations():
            self.assertNotEqual(row["kind"], "other")
            shown[row["service"], row["sqlstate"]] += int(row["count"])
            constraints[row["sqlstate"], row["constraint_name"]] += int(row["count"])
        self.assertEqual(sum(logged.values()), self.SESSIONS * self.ROUNDS)
        self.assertEqual(shown, logged)
        self.assertEqual(set(constraints), {(sqlstate, name) for _, sqlstate, name in self.STATEMENTS})
        self.assertEqual(self.sluice.counter("violations"), self.SESSIONS * self.ROUNDS)
        self.wait_for(lambda: self.sluice.events("violations_not_logged"), "the log says how many lines it left out")


class Bounds(Case):
    settings = {"guard": {"mode": "off"}, "violations": {"entries": 100}}

    def test_what_no_entry_holds_is_counted_as_other(self):
        raw = self.wire()
        for n in range(300):
            raw.send(wire.query(f"do $$ begin raise exception 'x' using errcode = '23505', table = 't{n}'; end $$"))
        raw.until("Z", 300)
        rows = self.sluice.violations()
        self.assertEqual(sum(int(row["count"]) for row in rows), 300)
        others = [row for row in rows if row["kind"] == "other"]
        self.assertEqual(len(others), 1)
        self.assertLessEqual(len(rows), 101)


if __name__ == "__main__":
    main()
