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
    memset(&snapshot, 0xff, sizeof snapshot);
    snapshot_init(&snapshot, &key, 10);
    assert_int_equal(counter_read(&snapshot.counters.errors), 0);
    assert_int_equal(snapshot.workers_silent, 0);
    snapshot_release(&snapshot);
}

static void snapshots_of_several_workers_make_one(void **state)
{
    (void)state;
    struct snapshot into;
    struct snapshot from;
    struct event event = { .kind = EVENT_STATEMENT_WOULD_REFUSE, .time_us = 3 };
    snapshot_init(&into, &key, 10);
    snapshot_init(&from, &key, 10);
    docket_record(&into.docket, &event);
    docket_record(&from.docket, &event);
    counter_add(&into.counters.errors, 1);
    counter_add(&from.counters.errors, 2);
    into.workers = 1;
    from.workers = 2;
    from.workers_silent = 1;
    snapshot_add_session(&into)->id = 5;
    snapshot_add_session(&from)->id = 6;
    snapshot_merge(&into, &from);
    assert_int_equal(into.docket.tally.total, 2);
    assert_int_equal(counter_read(&into.counters.errors), 3);
    assert_int_equal(into.workers, 3);
    assert_int_equal(into.workers_silent, 1);
    assert_int_equal(into.session_count, 2);
    assert_int_equal(into.sessions[0].id, 5);
    assert_int_equal(into.sessions[1].id, 6);
    snapshot_release(&into);
    snapshot_release(&from);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_kept_while_the_snapshot_grows),
        cmocka_unit_test(a_snapshot_begins_with_nothing_counted),
        cmocka_unit_test(snapshots_of_several_workers_make_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
