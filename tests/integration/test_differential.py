# SPDX-License-Identifier: PostgreSQL
"""What comes through the sluice is what PostgreSQL says to a client that asks it directly, to the byte."""
import difflib
import glob
import os
import random
import re
import struct

from harness import wire
from harness.case import Case, main, psql
from harness.sluice import Sluice
from random_pipeline import CLOSED, Pipeline, end_marker, read_answer

HERE = os.path.dirname(os.path.abspath(__file__))
MODES = ("off", "observe", "enforce")
ROUNDS = int(os.environ.get("PIPELINES", "3000"))


def schema():
    with open(os.path.join(HERE, "scripts", "schema.sql"), encoding="utf-8") as script:
        return script.read()


def new_databases(postgres, names):
    """Databases that are equal to the last OID."""
    postgres.run("drop database if exists twin")
    postgres.run("create database twin")
    postgres.run(schema(), "twin")
    for name in names:
        postgres.run(f"drop database if exists {name}")
        postgres.run(f"create database {name} template twin")


class Scripts(Case):
    """psql prints the same, direct and through."""

    def transcript(self, port, database, script):
        done = psql(port, "-a", "-e", "-f", script, user="postgres", database=database,
                    words="application_name=differential")
        said = (done.stdout + done.stderr).replace(f'port "{port}"', "PORT").replace(database, "DATABASE")
        return done.returncode, re.sub(r"with PID \d+", "with PID", said)

    def assert_same_lines(self, direct, through):
        lines = difflib.unified_diff(direct.splitlines(), through.splitlines(), "direct", "through", lineterm="", n=1)
        self.assertEqual([line[:300] for line in lines], [])

    def test_psql_scripts_print_the_same(self):
        scripts = [path for path in sorted(glob.glob(os.path.join(HERE, "scripts", "*.sql")))
                   if not path.endswith("schema.sql")]
        self.assertGreater(len(scripts), 3)
        sluices = {mode: self.new_sluice(guard={"mode": mode}) for mode in MODES}
        for script in scripts:
            new_databases(self.postgres, ("run_direct", *(f"run_{mode}" for mode in MODES)))
            direct = self.transcript(self.postgres.port, "run_direct", script)
            self.assertGreater(len(direct[1]), 500)
            for mode, sluice in sluices.items():
                with self.subTest(script=os.path.basename(script), mode=mode):
                    through = self.transcript(sluice.port, f"run_{mode}", script)
                    self.assert_same_lines(direct[1], through[1])
                    self.assertEqual(through[0], direct[0])


def masked(messages):
    """Messages without what differs between any two sessions: keys and process numbers."""
    shown = []
    for kind, body in messages:
        if kind == "K":
            body = b""
        elif kind == "A":
            body = body[4:]
        shown.append((kind, body))
    return shown


class Pipelines(Case):
    """Random messages get the same answers, however their bytes are cut."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sluices = {mode: Sluice(cls.postgres, guard={"mode": mode}) for mode in MODES}
        for sluice in cls.sluices.values():
            cls.addClassCleanup(sluice.stop)

    def open_all(self):
        ports = {"direct": self.postgres.port, **{mode: sluice.port for mode, sluice in self.sluices.items()}}
        raws = {}
        for name, port in ports.items():
            raws[name] = wire.Wire(("127.0.0.1", port))
            self.addCleanup(raws[name].close)
            raws[name].login(database=f"twin_{name}")
        return raws

    def compare(self, rounds, send):
        new_databases(self.postgres, [f"twin_{name}" for name in ("direct", *MODES)])
        raws = self.open_all()
        for number in range(rounds):
            pipeline = Pipeline(random.Random(number))
            data = b"".join(pipeline.messages) + end_marker(number)
            for name, raw in raws.items():
                raw.send(data) if name == "direct" else send(raw, data, number)
            expected = masked(read_answer(raws["direct"], number))
            for mode in MODES:
                got = masked(read_answer(raws[mode], number))
                self.assertEqual(got, expected, f"pipeline {number}, guard {mode}: {pipeline.messages}")
            if number % 100 == 99 or expected[-1] == CLOSED:
                for raw in raws.values():
                    raw.close()
                raws = self.open_all()

    def assert_followed(self):
        for sluice in self.sluices.values():
            counters = sluice.counters()
            for name in ("unfollowed", "protocol_errors_client", "protocol_errors_server", "ddl_unseen", "ddl_refused"):
                self.assertEqual(counters[name], 0, name)

    def test_random_pipelines_get_the_same_bytes(self):
        self.compare(ROUNDS, lambda raw, data, number: raw.send(data))
        self.assert_followed()

    def test_random_pipelines_cut_anywhere_get_the_same_bytes(self):
        def send(raw, data, number):
            chance = random.Random(-number)
            largest = chance.choice((1, 3, 7, 40, 400))
            sizes = [chance.randrange(1, largest + 1) for _ in range(min(len(data), 60))]
            chance.shuffle(sizes)
            raw.send_cut(data, sizes)

        self.compare(max(ROUNDS // 5, 1), send)
        self.assert_followed()

    def test_a_pipeline_byte_by_byte_gets_the_same_bytes(self):
        def send(raw, data, number):
            raw.send_cut(data, [1] * len(data), pause=0.0002)

        self.compare(6, send)
        self.assert_followed()

    def test_violations_are_counted_alike_in_every_mode(self):
        counts = {mode: sluice.counter("violations") for mode, sluice in self.sluices.items()}
        self.assertEqual(len(set(counts.values())), 1, counts)
        for mode, sluice in self.sluices.items():
            in_log = [line for line in self.postgres.errors()
                      if line[2] == f"twin_{mode}" and (line[3].startswith("23") or line[3] == "44000")]
            self.assertEqual(counts[mode], len(in_log))


class Messages(Case):
    """Answers whose bytes are easily disturbed."""

    def both(self, *messages, syncs=1):
        answers = []
        for port in (self.postgres.port, self.sluice.port):
            with wire.Wire(("127.0.0.1", port)) as raw:
                raw.login()
                answers.append(masked(raw.ask(*messages, syncs=syncs)))
        self.assertEqual(answers[1], answers[0])
        return answers[1]

    def test_the_greeting_is_the_servers(self):
        greetings = []
        for port in (self.postgres.port, self.sluice.port):
            with wire.Wire(("127.0.0.1", port)) as raw:
                greetings.append(masked(raw.login(application_name="greeted")))
        self.assertEqual(greetings[1], greetings[0])

    def test_rows_of_every_size_pass(self):
        for size in (0, 1, 4090, 8191, 8192, 65530, 65536, 262144, 1_000_003):
            self.both(wire.query(f"select repeat('x', {size}), {size} from generate_series(1, 3)"))

    def test_a_thousand_queries_in_one_segment_are_answered_in_order(self):
        answer = self.both(*(wire.query(f"select {n}") for n in range(1000)), syncs=1000)
        self.assertEqual([row[0] for row in wire.rows(answer)], [str(n) for n in range(1000)])

    def test_an_error_in_a_pipeline_skips_to_sync(self):
        messages = []
        for sql in ("select 1", "select 1/0", "select 2"):
            messages += [wire.parse(sql), wire.bind(), wire.execute()]
        answer = self.both(*messages, wire.query("select 3"), wire.sync(), wire.query("select 4"), syncs=2)
        self.assertEqual(wire.kinds(answer), "12DC1EZTDCZ")

    def test_the_end_of_copy_data_that_nobody_waits_for_disturbs_no_later_copy(self):
        for stray in (wire.copy_done(), wire.copy_fail("stray"), wire.copy_done() + wire.copy_data(b"x")):
            for copy in (wire.query("copy bulk from stdin"), wire.parse("copy bulk from stdin") + wire.bind() + wire.execute()):
                answer = self.both(wire.query("create temp table bulk (line text)"), stray, copy,
                                   wire.copy_data(b"line\n"), wire.copy_done(), wire.sync(),
                                   wire.query("select line || '' from bulk"), syncs=4 if copy[:1] == b"Q" else 3)
                self.assertEqual(wire.rows(answer), [["line"]])
        self.assertEqual(self.sluice.counter("unfollowed"), 0)

    def test_unknown_messages_end_the_session_as_the_server_would(self):
        with wire.Wire(("127.0.0.1", self.sluice.port)) as raw:
            raw.login()
            raw.send(struct.pack("!ci", b"?", 4))
            self.assertEqual([error["C"] for error in wire.errors(raw.rest_messages())], ["08P01"])


if __name__ == "__main__":
    main()
