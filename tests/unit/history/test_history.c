/* SPDX-License-Identifier: PostgreSQL */
#include "diary.h"
#include "history/history.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

static void counts_of_a_minute_add_up_in_one_row(void **state)
{
    const struct diary *diary = *state;
    struct history *history = start(diary);
    count(history, "a", NOON_US, 1);
    count(history, "a", NOON_US + 59 * SECOND_US, 2);
    assert_true(history_flush(history, 5 * SECOND_US));
    count(history, "a", NOON_US, 4);
    count(history, "a", NOON_US + 60 * SECOND_US, 8);
    count(history, "b", NOON_US - 1, 16);
    history_destroy(history);
    assert_file_answers(diary, "SELECT minute, constraint_name, count FROM violation_counts",
                        "2026-11-21 11:59:00|b|16;2026-11-21 12:00:00|a|7;2026-11-21 12:01:00|a|8;");
    assert_file_answers(
        diary,
        "SELECT service, database, user_name, sqlstate, kind, schema_name, table_name, column_name,"
        " fingerprint FROM violation_counts WHERE constraint_name = 'b'",
        "kds|shop|app|23514|check|public|orders||f1;");
}

static void what_was_just_recorded_is_seen_by_a_query(void **state)
{
    struct history *history = start(*state);
    for (uint64_t i = 1; i <= 20; i++) {
        char expected[32];
        violate(history, i);
        (void)snprintf(expected, sizeof expected, "%llu;", (unsigned long long)i);
        assert_false(assert_answers(history, "SELECT count(*) FROM violations", expected));
    }
    assert_answers(
        history,
        "SELECT time, worker, application_name, address, phase, statement FROM violations"
        " WHERE session = 20",
        "2026-11-21 12:00:00.000000|1|orders-api|10.0.0.1:5000|statement|UPDATE orders SET status = ?;");
    assert_int_equal(state_of(history).written_rows, 20);
    history_destroy(history);
}

static struct event change_event(enum event_kind kind, uint64_t session, uint32_t change)
{
    struct event event = event_of(kind, session, NOON_US + kind * SECOND_US);
    event.change = change;
    event.level = 3;
    event.ground = "window";
    event.duration_us = kind == EVENT_DDL_COMPLETED || kind == EVENT_DDL_FAILED ? 1500 : 0;
    SET(event.command, "ALTER TABLE");
    SET(event.class, "modifying");
    SET(event.objects, "public.orders");
    SET(event.window, "nightly");
    SET(event.rule, "r1");
    SET(event.violation.sqlstate, kind == EVENT_DDL_FAILED ? "42P07" : "");
    SET(event.reason, event_kind_name(kind));
    return event;
}

static void tell_change(struct history *history, enum event_kind kind, uint64_t session, uint32_t change,
                        uint32_t last)
{
    struct event event = change_event(kind, session, change);
    event.change_last = last;
    history_record_event(history, &event);
}

static void a_schema_change_is_followed_to_its_end(void **state)
{
    struct history *history = start(*state);
    for (uint32_t change = 1; change <= 3; change++)
        tell_change(history, EVENT_DDL_PASSED, 5, change, 0);
    tell_change(history, EVENT_DDL_PASSED, 6, 1, 0);
    tell_change(history, EVENT_DDL_REFUSED, 5, 0, 0);
    tell_change(history, EVENT_DDL_REFUSED, 5, 0, 0);
    tell_change(history, EVENT_DDL_COMPLETED, 5, 1, 0);
    tell_change(history, EVENT_DDL_COMPLETED, 5, 2, 0);
    tell_change(history, EVENT_DDL_FAILED, 5, 3, 0);
    tell_change(history, EVENT_DDL_OUTLIVED, 5, 1, 2);
    tell_change(history, EVENT_DDL_COMMITTED, 5, 1, 3);
    assert_answers(
        history, "SELECT session, change, decision, outcome, sqlstate, duration_us, outlived FROM ddl",
        "5|1|passed|committed||1500|1;5|2|passed|committed||1500|1;5|3|passed|failed|42P07|1500|0;"
        "6|1|passed|passed|NULL|NULL|0;5|0|refused|none|NULL|NULL|0;5|0|refused|none|NULL|NULL|0;");
    assert_answers(history,
                   "SELECT user_name, command, class, level, objects, ground, rule, window_name, reason,"
                   " outcome_reason, statement FROM ddl WHERE session = 5 AND change = 3",
                   "app|ALTER TABLE|modifying|3|public.orders|window|r1|nightly|ddl_passed|ddl_failed|"
                   "UPDATE orders SET status = ?;");
    history_destroy(history);
}

static void a_session_is_one_row(void **state)
{
    struct history *history = start(*state);
    struct event opened = event_of(EVENT_SESSION_OPENED, 1, NOON_US);
    struct event closed = event_of(EVENT_SESSION_CLOSED, 1, NOON_US + 3 * SECOND_US);
    struct event unopened = event_of(EVENT_SESSION_CLOSED, 2, NOON_US + 9 * SECOND_US);
    struct event refused = event_of(EVENT_SESSION_REFUSED, 0, NOON_US);
    closed.duration_us = unopened.duration_us = 3 * SECOND_US;
    SET(closed.reason, "terminated");
    SET(refused.reason, "limit");
    history_record_event(history, &opened);
    history_record_event(history, &closed);
    history_record_event(history, &unopened);
    history_record_event(history, &refused);
    history_record_event(history, &refused);
    assert_answers(history,
                   "SELECT session, substr(opened, 12, 8), substr(closed, 12, 8), duration_us, reason"
                   " FROM sessions",
                   "1|12:00:00|12:00:03|3000000|terminated;2|12:00:06|12:00:09|3000000|;"
                   "0|NULL|12:00:00|0|limit;0|NULL|12:00:00|0|limit;");
    history_destroy(history);
}

static void minutes_are_kept(void **state)
{
    struct history *history = start(*state);
    struct history_minute minute = { .minute_us = NOON_US + 7,
                                     .calls = 2,
                                     .errors = 1,
                                     .rows = 3,
                                     .bytes = 4,
                                     .p50_us = 5,
                                     .p95_us = 6,
                                     .p99_us = 7,
                                     .longest_us = 8 };
    SET(minute.fingerprint, "f1");
    SET(minute.statement, "SELECT ?");
    history_record_minute(history, &minute);
    minute.p50_us = 1;
    minute.longest_us = 80;
    history_record_minute(history, &minute);
    assert_answers(history,
                   "SELECT m.minute, calls, errors, row_count, bytes, p50_us, p95_us, p99_us, longest_us,"
                   " statement FROM statement_minutes m JOIN statement_texts USING (fingerprint)",
                   "2026-11-21 12:00:00|4|2|6|8|1|6|7|80|SELECT ?;");
    history_destroy(history);
}

static void a_ledger_is_counted_whole(void **state)
{
    const struct hash_key key = { { 3, 4 } };
    struct history *history = start(*state);
    struct ledger ledger;
    ledger_init(&ledger, &key, 2);
    for (unsigned i = 0; i < 5; i++) {
        char name[8];
        (void)snprintf(name, sizeof name, "c%u", i);
        struct violation violation = violation_of("kds", name);
        ledger_record(&ledger, &violation, NOON_US + i);
        ledger_record(&ledger, &violation, NOON_US + i);
    }
    history_count_ledger(history, &ledger, NOON_US);
    assert_answers(history, "SELECT kind, constraint_name, count FROM violation_counts ORDER BY 2",
                   "other||6;check|c3|2;check|c4|2;");
    assert_int_equal(state_of(history).unnamed_counts, 6);
    history_destroy(history);
    ledger_release(&ledger);
}

static void hostile_bytes_become_harmless_text(void **state)
{
    struct history *history = start(*state);
    struct event event = event_of(EVENT_VIOLATION, 1, NOON_US);
    SET(event.application_name, "\x1b[2J'; DROP TABLE violations; --\xff\xc3\xa9\xc3");
    memset(event.violation.table, 'x', sizeof event.violation.table); /* without its end */
    memset(event.violation.statement, '\xf0', sizeof event.violation.statement);
    history_record_event(history, &event);
    assert_answers(history, "SELECT application_name, length(table_name), length(statement) FROM violations",
                   "\\x1b[2J'; DROP TABLE violations; --\\xff\xc3\xa9\\xc3|64|2048;");
    history_destroy(history);
}

static void a_clean_end_is_told_from_a_kill(void **state)
{
    const struct diary *diary = *state;
    struct history *history = start(diary);
    assert_true(history_flush(history, 5 * SECOND_US));
    assert_int_equal(state_of(history).gap_from_us, 0);
    assert_file_answers(diary, "SELECT run, version, ended FROM runs", "1|0.1|NULL;");
    history_destroy(history);
    assert_file_answers(diary, "SELECT run, ended IS NOT NULL, ended >= started FROM runs", "1|1|1;");
    history = start(diary);
    assert_true(history_flush(history, 5 * SECOND_US));
    assert_int_equal(state_of(history).gap_from_us, 0);
    assert_file_answers(diary, "SELECT count(*) FROM gaps", "0;");
    history_destroy(history);
}

/* How much a child has recorded, seen by its parent. */
struct progress {
    atomic_ulong counted;
};

static void record_until_killed(const struct diary *diary, struct progress *progress)
{
    struct history_options options = diary_options(diary);
    options.flush_us = SECOND_US;
    struct history *history = history_create(&options);
    for (;;) {
        count(history, "a", NOON_US, 1);
        violate(history, 1);
        atomic_fetch_add(&progress->counted, 1);
        sleep_ms(1);
    }
}

static void a_kill_loses_at_most_the_last_second(void **state)
{
    const struct diary *diary = *state;
    struct progress *progress =
        mmap(NULL, sizeof *progress, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(progress != MAP_FAILED);
    pid_t child = fork();
    if (child == 0)
        record_until_killed(diary, progress);
    sleep_ms(2200);
    unsigned long long before = atomic_load(&progress->counted);
    sleep_ms(1500); /* the second, and what a busy machine needs to write */
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    struct history *history = start(diary);
    assert_true(history_flush(history, 5 * SECOND_US));
    assert_true(state_of(history).gap_from_us > 0);
    assert_int_equal(state_of(history).files_set_aside, 0);
    char sql[256];
    (void)snprintf(sql, sizeof sql,
                   "SELECT sum(count) BETWEEN %llu AND %lu, sum(count) - (SELECT count(*) FROM violations)"
                   " IN (0, 1) FROM violation_counts", /* what is written may end between the two */
                   before, atomic_load(&progress->counted));
    assert_answers(history, sql, "1|1;");
    assert_answers(history, "SELECT gaps.run, since = flushed, until > since FROM gaps JOIN runs USING (run)",
                   "1|1|1;");
    history_destroy(history);
    assert_int_equal(munmap(progress, sizeof *progress), 0);
}

static int64_t cpu_ns(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void recording_is_cheap_and_writing_keeps_up(void **state)
{
    const struct diary *diary = *state;
    struct history_options options = diary_options(diary);
    options.waiting_bytes_most = 256 << 20;
    struct history *history = history_create(&options);
    enum { ROWS = 100000 };
    struct event event = event_of(EVENT_VIOLATION, 1, NOON_US);
    int64_t all_begin = cpu_ns(CLOCK_PROCESS_CPUTIME_ID);
    int64_t begin = cpu_ns(CLOCK_THREAD_CPUTIME_ID);
    for (unsigned i = 0; i < ROWS; i++)
        history_record_event(history, &event);
    int64_t recorded = cpu_ns(CLOCK_THREAD_CPUTIME_ID);
    for (unsigned i = 0; i < ROWS; i++)
        count(history, "a", NOON_US, 1);
    int64_t counted = cpu_ns(CLOCK_THREAD_CPUTIME_ID);
    assert_true(history_flush(history, 60 * SECOND_US));
    int64_t all = cpu_ns(CLOCK_PROCESS_CPUTIME_ID) - all_begin;
    print_message("of the processor: %lld ns to record an event, %lld ns to count, %lld ns to write a row\n",
                  (long long)(recorded - begin) / ROWS, (long long)(counted - recorded) / ROWS,
                  (long long)(all - (counted - begin)) / ROWS);
    assert_answers(history, "SELECT count(*) FROM violations", "100000;");
    assert_answers(history, "SELECT count FROM violation_counts", "100000;");
    assert_int_equal(state_of(history).dropped_rows, 0);
    history_destroy(history);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(counts_of_a_minute_add_up_in_one_row),
        CASE(what_was_just_recorded_is_seen_by_a_query),
        CASE(a_schema_change_is_followed_to_its_end),
        CASE(a_session_is_one_row),
        CASE(minutes_are_kept),
        CASE(a_ledger_is_counted_whole),
        CASE(hostile_bytes_become_harmless_text),
        CASE(a_clean_end_is_told_from_a_kill),
        CASE(a_kill_loses_at_most_the_last_second),
        CASE(recording_is_cheap_and_writing_keeps_up),
    };
#undef CASE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
