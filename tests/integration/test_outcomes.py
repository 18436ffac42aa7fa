# SPDX-License-Identifier: PostgreSQL
"""Random conversations with schema changes: what the audit and SHOW DDL say became of each is what the catalog says."""
import json
import os
import random
import struct
import time
import unittest

from harness import machine, wire
from harness.case import Case, main
from harness.postgres import Postgres

SEED = int(os.environ.get("SEED", "0")) or random.randrange(1, 1 << 30)
SECONDS = float(os.environ.get("OUTCOMES_SECONDS", "15"))
SETUP = """
create table late (mail text constraint late_mail unique deferrable initially deferred);
create table solid (a int);
"""
EXISTING = "select relname from pg_class union select typname from pg_type"
CREATIONS = (
    "create table {0} (a int)", "create view {0} as select 1", "create table {0} as select 1 as a", "select 1 as a into {0}",
    "create sequence {0}", "create type {0} as enum ('x')", "explain analyze create table {0} as select 1",
    "/* create */ create table {0} (a int) -- {0}", "create unlogged table if not exists {0} (a int)",
)
OTHERS = ("select 1", "select 1", "select generate_series(1, 5)", "select 1 / 0", "selec 1", "insert into late values ('one'), ('one')",
          "create table late (a int)", "drop table late", "begin", "begin", "commit", "commit", "end", "rollback", "abort", "savepoint s",
          "rollback to s", "rollback work to savepoint s", "release s", "commit and chain", "rollback and chain", "set constraints all immediate",
          "start transaction", "discard plans", "")
NOT_KNOWN = ("some of it may have been rolled back to a savepoint",)
IN_PART = ("a part of it: the rest of its text was not committed with it",)


class Conversation:
    """The messages of one client; `syncs` ReadyForQuery answer them."""

    def __init__(self, chance, world):
        self.random, self.world = chance, world
        self.messages, self.syncs, self.is_open = [], 0, False
        for _ in range(chance.randrange(1, 12)):
            chance.choice(self.STEPS)(self)

    def add(self, *messages):
        self.messages += messages

    def creation(self):
        return self.random.choice(CREATIONS).format(self.world.new_name())

    def statement(self):
        chance = self.random.random()
        if chance < 0.4:
            return self.creation()
        if chance < 0.43:
            return f"prepare transaction '{self.world.new_prepared()}'"
        return self.random.choice(OTHERS)

    def padding(self):
        return "/*" + "x" * self.random.choice((5000, 20000)) + "*/" if self.random.random() < 0.08 else ""

    def step_query(self):
        texts = [self.statement() for _ in range(self.random.choice((1, 1, 1, 2, 3, 4)))]
        self.add(wire.query(self.padding() + ";".join(texts) + self.padding()))

    def step_piped(self):
        for _ in range(self.random.choice((1, 1, 2, 3))):
            sql = self.padding() + self.statement()
            self.add(wire.parse(sql), wire.bind())
            for _ in range(self.random.choice((1, 1, 1, 2))):
                self.add(wire.execute(rows=self.random.choice((0, 0, 0, 1))))
        if self.random.random() < 0.7:
            self.add(wire.sync())

    def step_execute(self):
        """By SQL, of what was prepared by a message."""
        name = self.world.new_statement()
        self.add(wire.parse(self.creation(), name), wire.sync())
        self.add(wire.query(self.random.choice(("execute {0}", "execute {0}; execute {0}", "execute {0}; drop table late",
                                                "begin; execute {0}; commit")).format(name)))

    def step_copy(self):
        sql = self.random.choice(("copy late from stdin", "copy late from stdin", "copy solid from stdin"))  # which takes numbers only
        if self.random.random() < 0.5:
            self.add(wire.query(f"{self.statement()}; {sql}; {self.statement()}"))
        else:
            self.add(wire.parse(sql), wire.bind(), wire.execute())
            self.add(*self.random.choice(((), (), (wire.sync(),), (wire.query(self.creation()),))))
        self.add(wire.copy_data(b"line\n"), *self.random.choice(((), (), (wire.sync(),), (wire.copy_data(b"line\n"),))))
        self.add(self.random.choice((wire.copy_done(), wire.copy_fail("given up"))))
        self.add(wire.sync())

    def step_transaction(self):
        self.add(wire.query("begin"))
        for _ in range(self.random.randrange(1, 4)):
            self.add(wire.query(self.statement()))
        self.add(wire.query(self.random.choice(("commit", "commit", "rollback"))))

    STEPS = (step_query,) * 3 + (step_piped,) * 3 + (step_transaction,) * 2 + (step_copy, step_execute)


class World:
    """Names that stand for one thing only."""

    def __init__(self):
        self.names = self.prepared = self.statements = 0

    def new_name(self):
        self.names += 1
        return f"made_{self.names}"

    def new_prepared(self):
        self.prepared += 1
        return f"prepared_{self.prepared}"

    def new_statement(self):
        self.statements += 1
        return f"statement_{self.statements}"


class Outcomes(Case):
    settings = {"guard": {"mode": "enforce"}, "audit": {"file": "audit.jsonl"}, "limits": {"message_memory": "4KiB"}}

    @classmethod
    def setUpClass(cls):
        cls.postgres = Postgres(max_prepared_transactions="40", log_min_messages="fatal")
        cls.addClassCleanup(cls.postgres.stop)
        cls.postgres.run(SETUP)

    def setUp(self):
        self.sluice = self.new_sluice(**self.settings)
        self.sluice.console("OPEN WINDOW w FOR '10m' ALLOW additive REASON 'outcomes'")
        self.cut = 0

    def audit(self):
        with open(os.path.join(self.sluice.folder, "audit.jsonl"), encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def changes(self):
        """Each change by session and number: its decisions and what was last told of it."""
        found = {}
        for line in self.audit():
            who = (line.get("worker"), line.get("session"))
            if line["event"] == "ddl_passed":
                found.setdefault((who, line["change"]), {"objects": [], "told": []})["objects"] += \
                    [name.strip('"') for name in line.get("objects", "").split(", ")]
            elif line["event"] in ("ddl_completed", "ddl_failed", "ddl_committed", "ddl_undone", "ddl_unknown"):
                for number in range(line["change"], line.get("change_last", line["change"]) + 1):
                    told = found[who, number]["told"]
                    if not told or told[-1][0] == "ddl_completed":
                        told.append((line["event"], line.get("reason", "")))
                    else:  # only what has failed stands behind others whose transaction ends
                        self.assertEqual(told[-1][0], "ddl_failed", f"seed {SEED}: {who} {number} {told} and then {line}")
        return found

    def check(self, messages=""):
        self.wait_until_all_have_gone()
        existing = {row[0] for row in self.postgres.run(EXISTING)}
        counts = {}
        self.sluice.counters()  # whoever asks the console sees what was done before: it is in the audit then
        self.wait_for(lambda: all(change["told"] and change["told"][-1][0] != "ddl_completed" for change in self.changes().values()),
                      "each is told to its end", 5)
        may_stand = [name for change in self.changes().values() for name in change["objects"]
                     if change["told"][-1][0] in ("ddl_committed", "ddl_unknown")]
        for key, change in self.changes().items():
            kind, why = change["told"][-1]
            counts[kind] = counts.get(kind, 0) + 1
            made = [name in existing for name in change["objects"] if name.startswith("made_")]
            about = f"seed {SEED}: {key} {change} {made} {messages}"
            if kind == "ddl_unknown" or why in NOT_KNOWN or not made:
                continue
            if kind == "ddl_committed":
                self.assertTrue(any(made) if why in IN_PART else all(made), about)
            else:  # what was let pass twice may stand by the other one
                self.assertFalse(any(name in existing and name not in may_stand for name in change["objects"] if name != "late"), about)
        self.assertEqual(self.sluice.counter("events_dropped"), 0)
        return counts

    def talk(self, chance, world):
        conversation = Conversation(chance, world)
        raw = wire.Wire(("127.0.0.1", self.sluice.port))
        raw.login()
        raw.send_cut(b"".join(conversation.messages), [chance.randrange(1, 300) for _ in range(chance.choice((0, 0, 10)))])
        how = chance.random()
        try:
            if how < 0.1:
                self.end_early(raw, chance)
            else:
                raw.send(wire.copy_fail("end"), wire.sync(), wire.query("rollback"), wire.query("select 'the end'"))
                while raw.read_message() != ("D", b"\0\1\0\0\0\7the end"):
                    pass
        except (wire.Closed, ConnectionError):
            pass
        raw.close()
        return conversation.messages

    def end_early(self, raw, chance):
        how = chance.randrange(4)
        if how == 0:
            raw.reset()
        elif how == 1:
            self.postgres.run(f"select pg_terminate_backend({raw.key[0]})")
        elif how == 2:
            with wire.Wire(("127.0.0.1", self.sluice.port)) as other:
                other.send(wire.cancel(*raw.key))
                other.rest()
        else:
            raw.send(wire.terminate())
        self.cut += 1

    def test_random_conversations_end_as_the_catalog_says(self):
        print(f"seed {SEED}", flush=True)
        chance, world = random.Random(SEED), World()
        end = time.monotonic() + SECONDS
        rounds, said = 0, []
        while time.monotonic() < end:
            said.append(self.talk(chance, world))
            self.settle_prepared(chance)
            rounds += 1
            if os.environ.get("OUTCOMES_EACH"):
                self.check(said[-1])
        counts = self.check()
        print(f"{rounds} conversations, {world.names} changes, {counts}, {self.sluice.counter('unfollowed')} unfollowed", flush=True)
        for kind in ("ddl_committed", "ddl_failed", "ddl_undone"):
            self.assertGreater(counts.get(kind, 0), 0)
        self.assertLess(counts.get("ddl_unknown", 0), sum(counts.values()) / 5)
        self.compare_with_console()

    def settle_prepared(self, chance):
        for (name,) in self.postgres.run("select gid from pg_prepared_xacts"):
            self.postgres.run(f"{chance.choice(('commit', 'rollback'))} prepared '{name}'")

    def compare_with_console(self):
        """The newest changes by their texts, as the journal has them."""
        names = {"ddl_committed": "committed", "ddl_failed": "failed", "ddl_undone": "undone", "ddl_unknown": "unknown"}
        told = {}
        for change in self.changes().values():
            told.setdefault(tuple(sorted(change["objects"])), []).append(names[change["told"][-1][0]])
        compared = 0
        for row in self.sluice.console("SHOW DDL LIMIT 500"):
            objects = tuple(sorted(name.strip('"') for name in row["objects"].split(", ")))
            if row["decision"] != "passed" or not objects[0].startswith("made_") or len(told.get(objects, ())) != 1:
                continue
            self.assertEqual(row["outcome"], told[objects][0], row)
            compared += 1
        self.assertGreater(compared, 50)

    # ── single ones that chance seldom finds

    def ends(self, *messages, syncs=1):
        """How the changes of one connection end, in their order."""
        raw = self.wire()
        raw.ask(*messages, syncs=syncs)
        raw.close()
        self.check(messages)
        return [(change["told"][-1][0][4:], change["told"][-1][1]) for _, change in sorted(self.changes().items())]

    def piped(self, *texts):
        return [message for sql in texts for message in (wire.parse(sql), wire.bind(), wire.execute())] + [wire.sync()]

    def test_what_commits_at_once_lasts_though_its_pipeline_fails(self):
        self.assertEqual(self.ends(*self.piped("create index concurrently made_at_once on solid (a)", "select 1 / 0")), [("committed", "")])

    def test_what_came_before_a_commit_in_a_text_that_fails_lasts(self):
        self.assertEqual(self.ends(wire.query("create table made_before (); commit; select 1 / 0")), [("committed", IN_PART[0])])

    def test_what_a_prepared_transaction_holds_is_not_known(self):
        ends = self.ends(wire.query("begin"), wire.query("create table made_prepared ()"), wire.query("prepare transaction 'one'"), syncs=3)
        self.assertEqual(ends, [("unknown", "prepared: COMMIT PREPARED or ROLLBACK PREPARED decides")])
        self.postgres.run("rollback prepared 'one'")

    def test_a_chained_transaction_is_another(self):
        ends = self.ends(wire.query("begin; create table made_first ()"), wire.query("commit and chain"),
                         wire.query("create table made_second ()"), wire.query("rollback"), syncs=4)
        self.assertEqual(ends, [("committed", ""), ("undone", "rolled back")])

    def test_a_refusal_behind_what_a_text_executes_is_not_taken_for_an_earlier_answer(self):
        ends = self.ends(wire.parse("create table made_by_execute ()", "by_execute"), wire.sync(),
                         wire.query("create table made_earlier (); select pg_sleep(0.2)"),
                         wire.query("execute by_execute; drop table late"), syncs=3)
        self.assertEqual(ends, [("committed", ""), ("failed", "it was refused with the rest of its text")])

    def test_a_sync_behind_data_that_fails_is_answered_by_itself(self):
        copy = [wire.parse("copy solid from stdin"), wire.bind(), wire.execute(), wire.copy_data(b"no number\n"), wire.sync(),
                wire.copy_done(), wire.sync()]
        ends = self.ends(*copy, wire.query("create table made_in_vain (); select 1 / 0"), wire.query("create table made_behind ()"), syncs=4)
        self.assertEqual(ends, [("failed", "the server refused it"), ("committed", "")])
        self.assertEqual(self.sluice.counter("unfollowed"), 0)

    @unittest.skipIf(int(machine.POSTGRES) < 14, "behind data that does not end nothing is sent to such a server")
    def test_data_that_breaks_the_form_of_a_binary_copy_is_no_broken_protocol(self):
        """The server says 08P01 of a number that is too short, too, and goes on with what stands behind it."""
        short = b"PGCOPY\n\xff\r\n\0" + struct.pack("!iihi", 0, 0, 1, 2) + b"\0\1"
        ends = self.ends(wire.query("copy solid from stdin binary"), wire.copy_data(short), wire.query("create table made_unharmed ()"), syncs=2)
        self.assertEqual(ends, [("committed", "")])
        self.assertEqual(self.sluice.counter("unfollowed"), 0)

    def test_both_decisions_of_one_text_end(self):
        self.ends(wire.parse("create table made_twice ()", "twice"), wire.sync(),
                  wire.query("execute twice; create table made_too ()"), syncs=2)
        self.assertEqual([row["outcome"] for row in self.sluice.console("SHOW DDL")], ["committed", "committed"])

    def test_a_client_that_is_gone_before_the_answer_leaves_its_change_unknown(self):
        raw = self.wire()
        raw.send(wire.query("create table made_unheard (); select pg_sleep(0.3)"))
        self.wait_until_asleep(raw, self.postgres)
        raw.reset()
        self.check()
        self.assertEqual([change["told"][-1][0] for change in self.changes().values()], ["ddl_unknown"])

    def test_a_client_that_is_gone_in_a_transaction_has_undone_it(self):
        raw = self.wire()
        raw.ask(wire.query("begin"))
        raw.ask(wire.query("create table made_undone ()"))
        raw.send(wire.query("select pg_sleep(0.3)"))
        self.wait_until_asleep(raw, self.postgres)
        raw.reset()
        self.check()
        self.assertEqual([change["told"][-1][0] for change in self.changes().values()], ["ddl_undone"])

    def test_what_stands_behind_a_rollback_on_its_way_is_not_taken_for_undone(self):
        raw = self.wire()
        raw.ask(wire.query("begin"))
        raw.send(wire.query("select pg_sleep(0.3)"), wire.query("rollback"), wire.query("create table made_alone ()"))
        self.wait_until_asleep(raw, self.postgres)
        raw.reset()
        self.wait_for(lambda: self.postgres.value("select to_regclass('made_alone') is not null"), "the server has gone on")
        self.check()
        self.assertEqual([change["told"][-1][0] for change in self.changes().values()], ["ddl_unknown"])


if __name__ == "__main__":
    main()
