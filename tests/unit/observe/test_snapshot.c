/* SPDX-License-Identifier: PostgreSQL */
#include "observe/snapshot.h"

#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

static const struct hash_key key = { { 1, 2 } };

static void rows_are_kept_while_the_snapshot_grows(void **state)
{
    (void)state;
    struct snapshot snapshot;
    snapshot_init(&snapshot, &key, 10);
    for (uint64_t id = 1; id <= 1000; id++) {
        struct session_row *row = snapshot_add_session(&snapshot);
        assert_non_null(row);
        assert_int_equal(row->id, 0);
        assert_int_equal(row->violations, 0);
        row->id = id;
        row->violations = id;
    }
    assert_int_equal(snapshot.session_count, 1000);
    for (uint64_t id = 1; id <= 1000; id++)
        assert_int_equal(snapshot.sessions[id - 1].id, id);
    snapshot.session_count = 0; /* the same memory again */
    assert_int_equal(snapshot_add_session(&snapshot)->id, 0);
    snapshot_release(&snapshot);
    assert_int_equal(snapshot.session_count, 0);
    assert_null(snapshot.sessions);
}

static void a_snapshot_begins_with_nothing_counted(void **state)
{
    (void)state;
    struct snapshot snapshot;
    struct violation violation = { .kind = VIOLATION_CHECK, .sqlstate = "23514" };
    memset(&snapshot, 0xff, sizeof snapshot);
    snapshot_init(&snapshot, &key, 10);
    assert_int_equal(counter_read(&snapshot.counters.errors), 0);
    assert_int_equal(ledger_total(&snapshot.ledger), 0);
    assert_int_equal(snapshot.workers_silent, 0);
    ledger_record(&snapshot.ledger, &violation, 5);
    assert_int_equal(ledger_total(&snapshot.ledger), 1);
    snapshot_release(&snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_kept_while_the_snapshot_grows),
        cmocka_unit_test(a_snapshot_begins_with_nothing_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
