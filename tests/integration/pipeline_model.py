# SPDX-License-Identifier: PostgreSQL
"""Random pipelines through a closed gate against a model of it: the server itself, which is sent, in place of each schema
change, a statement that simply fails. Every answer must be the server's: which messages come, one ReadyForQuery for each
Sync, the status of the transaction in it."""
import random

from harness import wire
from random_pipeline import CLOSED, end_marker, read_answer
from test_differential import masked

MODEL_DATABASES = ("model_direct", "model_guarded")


def shown(messages):
    """Messages in which a refusal looks as the failure does that stands for it."""
    found = []
    for kind, body in masked(messages):
        error = wire.fields(body) if kind == "E" else {}
        is_refusal = error.get("R") == "pgsluice_guard" or '"refused"' in error.get("M", "") or \
            error.get("M", "").startswith("extended query protocol not supported")
        found.append((kind, b"refused" if is_refusal else body))
    return found


def open_both(test, **startup):
    raws = [wire.Wire(("127.0.0.1", port)) for port in (test.postgres.port, test.sluice.port)]
    for raw, database in zip(raws, MODEL_DATABASES):
        test.addCleanup(raw.close)
        raw.login(database=database, **startup)
    return raws


def saved_by_savepoint(messages):
    """How often a transaction went on behind a refusal in it."""
    return sum(one == ("Z", b"E") and other[0] == "C" and other[1] == b"ROLLBACK\0" and ready == ("Z", b"T")
               for one, other, ready in zip(messages, messages[1:], messages[2:]))


def compare_with_model(test, pipeline_kind, rounds, **startup):
    """How many refusals there were, and how many transactions that went on behind one."""
    direct, guarded = open_both(test, **startup)
    refused = saved = 0
    for number in range(rounds):
        chance = random.Random(number)
        pipeline = pipeline_kind(chance, schema_changes=True)
        direct.send(b"".join(pipeline.twin), end_marker(number))
        guarded.send_cut(b"".join(pipeline.messages) + end_marker(number),
                         [chance.randrange(1, 300) for _ in range(chance.choice((0, 0, 20)))])
        expected = shown(read_answer(direct, number))
        got = shown(read_answer(guarded, number))
        test.assertEqual(got, expected, f"pipeline {number}: {pipeline.messages}")
        refused += got.count(("E", b"refused"))
        saved += saved_by_savepoint(got) if ("E", b"refused") in got else 0
        if number % 100 == 99 or got[-1] == CLOSED:
            direct.close()
            guarded.close()
            direct, guarded = open_both(test, **startup)
    return refused, saved
