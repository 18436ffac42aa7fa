# SPDX-License-Identifier: PostgreSQL
"""Sessions that break constraints in every way, each of which knows what it has done.

A way takes a session and one thing to do, and adds messages to the session's pipeline; what of it must be told goes into
`session.deeds`. So the expected counts never come from what the server or the sluice says."""
import random
import struct
import threading
from collections import Counter, namedtuple

from harness import wire

# What must be told of a violation.
Deed = namedtuple("Deed", "service sqlstate kind schema table column constraint statement")

# Statement, statement as it is shown, SQLSTATE, kind, table, column, constraint, schema. ROOM is the session's own: rows in a
# constraint of exclusion would make sessions wait for one another.
Act = namedtuple("Act", "sql shown sqlstate kind table column constraint schema", defaults=("", "", "", "v"))

ACTS = (
    Act("insert into v.uni values (1, 2, 2, 'x')", "insert into v.uni values (?)", "23505", "unique", "uni", "", "uni_pkey"),
    Act("insert into v.uni (id, a, b) values (2, 1, 1)", "insert into v.uni (id, a, b) values (?)", "23505", "unique", "uni",
        "", "uni_pair"),
    Act("insert into v.uni (id, label) values (2, 'ONE')", "insert into v.uni (id, label) values (?)", "23505", "unique",
        "uni", "", "uni_label"),
    Act("insert into v.book values (ROOM, '[3,9)')", "insert into v.book values (?)", "23P01", "exclusion", "book", "",
        "book_overlap"),
    Act("insert into v.child values (2, 4711)", "insert into v.child values (?)", "23503", "foreign_key", "child", "",
        "child_parent"),
    Act("delete from v.parent where id = 1", "delete from v.parent where id = ?", "23503", "foreign_key", "child", "",
        "child_parent"),
    Act("insert into v.strict values (null, 'new')", "insert into v.strict values (null, ?)", "23502", "not_null", "strict",
        "id", ""),
    Act("insert into v.strict (id, state) values (1, 'old')", "insert into v.strict (id, state) values (?)", "23514", "check",
        "strict", "", "strict_state"),
    Act("""insert into v."Odd ""Name" (other) values (5)""", """insert into v."Odd ""Name" (other) values (?)""", "23502",
        "not_null", 'Odd "Name', "A b", ""),
    Act("""insert into v."Odd ""Name" values (1, -5)""", """insert into v."Odd ""Name" values (?)""", "23514",
        "check", 'Odd "Name', "", "Odd, check"),
    Act("select 0::v.positive", "select ?::v.positive", "23514", "domain_check", "", "", "positive_value"),
    Act("select null::v.present", "select null::v.present", "23502", "domain_not_null"),
    Act("insert into v.parts values (1, 50)", "insert into v.parts values (?)", "23514", "partition", "parts"),
    Act("insert into v.parts_low values (1, 15)", "insert into v.parts_low values (?)", "23514", "partition", "parts_low"),
    Act("insert into v.new_ones values (1, 'done')", "insert into v.new_ones values (?)", "44000", "check_option", "", "",
        "", ""),
    Act("insert into v.watched values (5)", "insert into v.watched values (?)", "23505", "unique", "audit", "", "audit_id"),
    Act("select v.add_parent(1)", "select v.add_parent(?)", "23505", "unique", "parent", "", "parent_pkey"),
    Act("call v.called()", "call v.called()", "23502", "not_null", "strict", "id", ""),
    Act("do $$ begin insert into v.strict values (1, 'old'); end $$", "do ?", "23514", "check", "strict", "", "strict_state"),
    Act("select v.raised('23505')", "select v.raised(?)", "23505", "unique", "up", "col", "con", "made"),
    Act("select v.raised('23001')", "select v.raised(?)", "23001", "restrict", "up", "col", "con", "made"),
    Act("select v.raised('23000')", "select v.raised(?)", "23000", "integrity", "up", "col", "con", "made"),
    Act("select v.raised('23X99')", "select v.raised(?)", "23X99", "integrity", "up", "col", "con", "made"),
)
# SQL with one parameter of type int, the value that breaks the constraint, and what is told.
PARAMETRIC = (
    (Act("insert into v.strict (id, state) select $1::int, 'new'", "insert into v.strict (id, state) select $1::int, ?",
         "23502", "not_null", "strict", "id", ""), None),
    (Act("insert into v.child select 3, $1::int", "insert into v.child select ?, $1::int", "23503", "foreign_key", "child", "",
         "child_parent"), 4711),
    (Act("""update v.uni set id = id where $1::int::v.positive > 0""",
         "update v.uni set id = id where $1::int::v.positive > ?", "23514", "domain_check", "", "", "positive_value"), -3),
)
LATE_FOREIGN_KEY = Act("insert into v.late_child (parent) values (4711)", "insert into v.late_child (parent) values (?)", "23503",
                       "foreign_key", "late_child", "", "late_parent")
COPY = Act("copy v.strict from stdin", "copy v.strict from stdin", "23514", "check", "strict", "", "strict_state")
NOISE = ("select 1", "select 1 / 0", "selec 1", "select * from v.nowhere", "", ";", "select count(*) from v.audit",
         "update v.strict set state = 'done' where id = 4711", "select 'x'::int", "begin; select 1; commit",
         "set statement_timeout = 0", "select repeat('y', 3000)",
         "do $$ begin insert into v.uni values (1); exception when unique_violation then null; end $$")


def late_unique(session):
    """Of a session's own, as others would wait for it."""
    return Act(f"insert into v.late_unique values ({session.number}), ({session.number})", "insert into v.late_unique values (?)",
               "23505", "unique", "late_unique", "", "late_unique_id")


def rows_of(tag):
    last = tag.rstrip(b"\0").split()[-1]
    return int(last) if last.isdigit() else 0


class Session:
    """Pipelines of one client; `deeds` are the violations that it has committed so far."""

    def __init__(self, number, application, service):
        self.number, self.application, self.service = number, application, service
        self.random = random.Random(number)
        self.messages, self.syncs, self.deeds = [], 0, Counter()
        self.errors = 0  # violations in the pipeline being made
        self.failed_syncs = 0
        self.codes, self.answers = Counter(), Counter()  # what the server said so far
        self.prepared = set()

    # ── adding to the pipeline

    def add(self, *messages, syncs=0):
        self.messages += messages
        self.syncs += syncs

    def query(self, sql):
        self.add(wire.query(sql), syncs=1)

    def run(self, *texts):
        """As one segment of the extended protocol."""
        for sql in texts:
            self.add(wire.parse(sql), wire.bind(), wire.execute())
        self.add(wire.sync(), syncs=1)

    def told(self, act):
        self.errors += 1
        self.deeds[Deed(self.service, act.sqlstate, act.kind, act.schema if act.table or act.kind.startswith("domain") else "",
                        act.table, act.column, act.constraint, act.shown)] += 1

    def act(self):
        act = self.random.choice(ACTS)
        return act._replace(sql=act.sql.replace("ROOM", str(self.number + 1)))

    def noise(self):
        return self.random.choice(NOISE)

    # ── ways to break a constraint

    def way_query(self):
        act = self.act()
        self.query(act.sql)
        self.told(act)

    def way_middle_of_several(self):
        act = self.act()
        if act.sql.startswith("call"):
            return
        self.query(f"select 'before'; {act.sql}; delete from v.audit where id = 4711")
        self.told(act)

    def way_block_in_one_query(self):
        act = self.act()
        if act.sql.startswith("call"):
            return
        self.query(f"begin; select 'before'; {act.sql}; commit")
        self.told(act)
        self.query("rollback")

    def way_segment(self):
        """With others before and behind it, which the server skips."""
        act, behind = self.act(), self.act()
        self.run("select 'before'", "update v.strict set id = id where id = 4711", act.sql, behind.sql, "select 'behind'")
        self.told(act)

    def way_prepared(self):
        """A statement prepared once, perhaps in an earlier pipeline."""
        act, value = self.random.choice(PARAMETRIC)
        name = f"p{PARAMETRIC.index((act, value))}"
        if name not in self.prepared:
            self.prepared.add(name)
            self.add(wire.parse(act.sql, name), wire.sync(), syncs=1)
        is_binary = value is not None and self.random.random() < 0.5
        given = None if value is None else struct.pack("!i", value) if is_binary else str(value)
        self.add(wire.parse("select 'in between'"), wire.bind("", name, (given,), (int(is_binary),)), wire.execute(), wire.sync(), syncs=1)
        self.told(act)

    def way_transaction(self):
        act, late = self.act(), self.act()
        self.query("begin")
        self.run("select 'before'", act.sql)
        self.told(act)
        self.query(late.sql)  # 25P02
        self.query("rollback")

    def way_savepoint(self):
        self.query("begin")
        for _ in range(2):
            act = self.act()
            self.query("savepoint s")
            self.query(act.sql)
            self.told(act)
            self.query("rollback to s")
        self.query("commit")

    def way_portions(self):
        act = Act("select n, (3 - n)::v.positive from generate_series(1, 5) n",
                  "select n, (? - n)::v.positive from generate_series(?) n", "23514", "domain_check", "", "", "positive_value")
        self.add(wire.parse(act.sql), wire.bind("p", ""), wire.execute("p", 1), wire.execute("p", 1), wire.execute("p", 1),
                 wire.sync(), syncs=1)
        self.told(act)

    def way_copy(self):
        data = [wire.copy_data(b"1\tnew\n"), wire.copy_data(b"2\to"), wire.copy_data(b"ld\n"), wire.copy_done()]
        if self.random.random() < 0.5:
            self.add(wire.query(COPY.sql), *data, syncs=1)
        else:
            self.add(wire.parse(COPY.sql), wire.bind(), wire.execute(), *data, wire.sync(), syncs=1)
        self.told(COPY)

    # ── deferred ones

    def late(self):
        return self.random.choice((LATE_FOREIGN_KEY, late_unique(self)))

    def way_at_commit(self):
        act = self.late()
        for sql in ("begin", "select 'before'", act.sql, "update v.strict set id = id where id = 4711",
                    self.random.choice(("commit", "end", "commit and chain"))):
            self.query(sql)
        self.told(act)
        self.query("rollback")  # of what "and chain" began

    def way_at_extended_commit(self):
        act = self.late()
        self.run("begin", act.sql, "select 'innocent'", "commit")
        self.told(act)

    def way_at_sync(self):
        act = self.late()
        self.run("select 'before'", act.sql, "update v.strict set id = id where id = 4711", "select 1")
        self.told(act)
        self.failed_syncs += 1

    def way_at_the_end_of_several(self):
        act = self.late()
        self.query(f"{act.sql}; select 'innocent'; update v.strict set id = id where id = 4711")
        self.told(act)

    def way_set_constraints(self):
        act = self.late()
        for sql in ("begin", act.sql, "select 1", "set constraints all immediate", "rollback"):
            self.query(sql)
        self.told(act)

    def way_noise(self):
        if self.random.random() < 0.5:
            self.query(self.noise())
        else:
            self.run(*(self.random.choice(NOISE[:9]) for _ in range(self.random.randrange(4))))

    def hear(self, answer):
        """Counts what the server said; of its errors those that end a call."""
        codes = Counter(error["C"] for error in wire.errors(answer))
        self.codes += codes
        self.answers["errors"] += codes.total() - self.failed_syncs
        self.answers["calls"] += sum(kind in "CIs" for kind, _ in answer) + codes.total() - self.failed_syncs
        self.answers["row_count"] += sum(rows_of(body) for kind, body in answer if kind == "C")
        self.failed_syncs = 0

    def make_pipeline(self, most):
        """At most so many violations; the bytes, and how often the server says that it is ready."""
        self.messages, self.syncs, self.errors = [], 0, 0
        goal = self.random.randrange(1, 40)
        while self.errors < min(goal, most - 1):
            self.random.choice(WAYS)(self)
        while self.errors < min(goal, most):
            self.way_query()
        self.query("select 'end'")
        return b"".join(self.messages), self.syncs


WAYS = (Session.way_query, Session.way_middle_of_several, Session.way_block_in_one_query, Session.way_segment, Session.way_segment,
        Session.way_prepared, Session.way_prepared, Session.way_transaction, Session.way_savepoint, Session.way_portions,
        Session.way_copy, Session.way_at_commit, Session.way_at_extended_commit, Session.way_at_sync,
        Session.way_at_the_end_of_several, Session.way_set_constraints, Session.way_noise, Session.way_noise)


def work(session, port, violations, failures):
    """Runs a session's pipelines until it has committed so many violations."""
    try:
        with wire.Wire(("127.0.0.1", port), timeout=120) as raw:
            raw.login(application_name=session.application)
            while violations > 0:
                data, syncs = session.make_pipeline(violations)
                raw.send_cut(data, [session.random.randrange(1, 500) for _ in range(session.random.choice((0, 0, 5)))])
                answer = raw.until("Z", syncs)
                session.hear(answer)
                codes = [error["C"] for error in wire.errors(answer)]
                told = sum(code[:2] == "23" or code == "44000" for code in codes)
                if told != session.errors:
                    raise AssertionError(f"{session.application}: {told} violations in place of {session.errors}: {codes}")
                violations -= session.errors
    except Exception as failure:  # told by the test
        failures.append(failure)


def run_all(sessions, port, each):
    """All sessions at once; what they have done together, and what went wrong."""
    failures = []
    threads = [threading.Thread(target=work, args=(session, port, each, failures)) for session in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum((session.deeds for session in sessions), Counter()), failures
