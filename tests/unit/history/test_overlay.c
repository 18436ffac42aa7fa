/* SPDX-License-Identifier: PostgreSQL */
/* What is seen while the file cannot be written is what will be in it. */
#include "diary.h"
#include "history/history.h"
#include "history/schema_version.h"

struct asked {
    const char *sql;
    const char *answer;
};

/* Asked while the file is locked, and of the file when it no longer is. */
static void assert_same_when_written(struct history *history, sqlite3 *lock, const struct asked *asked,
                                     size_t count)
{
    wait_for(history, HISTORY_DEGRADED);
    for (size_t i = 0; i < count; i++)
        assert_false(assert_answers(history, asked[i].sql, asked[i].answer));
    assert_int_equal(state_of(history).health, HISTORY_DEGRADED);
    assert_int_equal(sqlite3_close(lock), SQLITE_OK);
    wait_for(history, HISTORY_OK);
    for (size_t i = 0; i < count; i++)
        assert_answers(history, asked[i].sql, asked[i].answer);
}

/* Begins a history in whose file something stands. */
static struct history *start_with(const struct diary *diary, void (*record)(struct history *history))
{
    struct history *history = start(diary);
    record(history);
    assert_true(history_flush(history, 5 * SECOND_US));
    return history;
}

static void tell(struct history *history, enum event_kind kind, uint64_t session, int64_t seconds)
{
    struct event event = event_of(kind, session, NOON_US + seconds * SECOND_US);
    if (kind == EVENT_SESSION_CLOSED)
        SET(event.reason, "terminated");
    history_record_event(history, &event);
}

static void open_sessions(struct history *history)
{
    tell(history, EVENT_SESSION_OPENED, 1, 0);
    tell(history, EVENT_SESSION_OPENED, 2, 0);
    tell(history, EVENT_SESSION_REFUSED, 0, 0);
}

static void a_session_that_closes_is_closed(void **state)
{
    struct history *history = start_with(*state, open_sessions);
    sqlite3 *lock = lock_file(*state);
    tell(history, EVENT_SESSION_CLOSED, 1, 3);
    tell(history, EVENT_SESSION_OPENED, 3, 4);
    tell(history, EVENT_SESSION_CLOSED, 3, 5);
    tell(history, EVENT_SESSION_REFUSED, 0, 6);
    const struct asked asked[] = {
        { "SELECT session, substr(opened, 12, 8), substr(closed, 12, 8), reason FROM sessions WHERE session "
          "> 0"
          " ORDER BY session",
          "1|12:00:00|12:00:03|terminated;2|12:00:00|NULL|NULL;3|12:00:04|12:00:05|terminated;" },
        { "SELECT session FROM sessions WHERE closed IS NULL", "2;" },
        { "SELECT count(*) FROM sessions WHERE session = 0", "2;" },
    };
    assert_same_when_written(history, lock, asked, COUNT_OF(asked));
    history_destroy(history);
}

static void change(struct history *history, enum event_kind kind, uint64_t session, uint32_t first,
                   uint32_t last)
{
    struct event event = event_of(kind, session, NOON_US + kind * SECOND_US);
    event.change = first;
    event.change_last = last;
    history_record_event(history, &event);
}

static void begin_changes(struct history *history)
{
    for (uint32_t number = 1; number <= 3; number++)
        change(history, EVENT_DDL_PASSED, 1, number, 0);
    change(history, EVENT_DDL_COMPLETED, 1, 1, 0);
    change(history, EVENT_DDL_PASSED, 2, 1, 0);
    change(history, EVENT_DDL_REFUSED, 1, 0, 0);
}

static void a_schema_change_ends_as_it_ended(void **state)
{
    struct history *history = start_with(*state, begin_changes);
    sqlite3 *lock = lock_file(*state);
    change(history, EVENT_DDL_COMPLETED, 1, 2, 0);
    change(history, EVENT_DDL_FAILED, 1, 3, 0);
    change(history, EVENT_DDL_PASSED, 1, 4, 0);
    change(history, EVENT_DDL_OUTLIVED, 1, 1, 2);
    change(history, EVENT_DDL_COMMITTED, 1, 1, 4);
    const struct asked asked[] = {
        { "SELECT session, change, outcome, outlived FROM ddl ORDER BY 1, 2",
          "1|0|none|0;1|1|committed|1;1|2|committed|1;1|3|failed|0;1|4|committed|0;2|1|passed|0;" },
    };
    assert_same_when_written(history, lock, asked, COUNT_OF(asked));
    history_destroy(history);
}

static void record_incident(struct history *history, uint64_t number, uint64_t count, size_t suspects,
                            bool has_ended)
{
    struct incident_note note = { .incident = { .number = number,
                                                .state = INCIDENT_SPIKE,
                                                .started_us = NOON_US,
                                                .detected_us = NOON_US + SECOND_US,
                                                .count = count } };
    SET(note.incident.key.service, "kds");
    SET(note.incident.key.name, "orders_status_check");
    if (has_ended)
        note.incident.ended_us = NOON_US + 60 * SECOND_US;
    for (; note.suspect_count < suspects; note.suspect_count++)
        SET(note.suspects[note.suspect_count].object, count > 1 ? "public.orders" : "public.old");
    history_record_incident(history, &note);
}

static void begin_incidents(struct history *history)
{
    record_incident(history, 1, 1, 2, false);
    record_incident(history, 2, 1, 1, false);
}

static void an_incident_that_grows_is_one_row(void **state)
{
    struct history *history = start_with(*state, begin_incidents);
    sqlite3 *lock = lock_file(*state);
    record_incident(history, 1, 40, 1, false);
    record_incident(history, 1, 70, 1, true);
    record_incident(history, 3, 5, 0, false);
    const struct asked asked[] = {
        { "SELECT count(*), sum(count) FROM incidents", "3|76;" },
        { "SELECT incident FROM incidents WHERE ended IS NULL ORDER BY 1", "2;3;" },
        { "SELECT incident, rank, object FROM incident_suspects ORDER BY 1, 2",
          "1|1|public.orders;2|1|public.old;" },
    };
    assert_same_when_written(history, lock, asked, COUNT_OF(asked));
    history_destroy(history);
}

static void assert_earlier_incidents(struct history *history, sqlite3 *lock)
{
    const struct asked asked[] = {
        { "SELECT run, incident, count, is_cut, ended IS NULL FROM incidents ORDER BY incident",
          "1|1|1|1|0;2|2|7|0|1;" },
        { "SELECT incidents.ended = max(detected, flushed) FROM incidents JOIN runs USING (run) WHERE is_cut",
          "1;" },
        { "SELECT run, incident, rank FROM incident_suspects ORDER BY 2, 3", "1|1|1;1|1|2;2|2|1;" },
    };
    history_take_incident(history, 1, 2);
    history_cut_incidents(history);
    record_incident(history, 2, 7, 0, false);
    assert_same_when_written(history, lock, asked, COUNT_OF(asked));
    history_destroy(history);
}

static void incidents_of_an_earlier_run_go_on_or_are_cut(void **state)
{
    history_destroy(start_with(*state, begin_incidents));
    struct history *history = start(*state);
    assert_true(history_flush(history, 5 * SECOND_US));
    assert_earlier_incidents(history, lock_file(*state));
}

static void a_run_that_could_not_write_yet_has_a_number(void **state)
{
    history_destroy(start_with(*state, begin_incidents));
    sqlite3 *lock = lock_file(*state);
    assert_earlier_incidents(start(*state), lock);
}

static void add_counts(struct history *history)
{
    struct history_minute minute = {
        .minute_us = NOON_US, .calls = 10, .errors = 1, .rows = 5, .bytes = 100, .p50_us = 7, .longest_us = 90
    };
    SET(minute.service, "kds");
    SET(minute.fingerprint, "f1");
    SET(minute.statement, "UPDATE orders SET status = ?");
    history_record_minute(history, &minute);
    SET(minute.fingerprint, "f2");
    history_record_minute(history, &minute);
    const struct error_entry error = { .sqlstate = "40001", .shape = 2 };
    history_count_error(history, &error, NOON_US, 3);
    count(history, "a", NOON_US, 5);
    count(history, "b", NOON_US, 1);
    violate(history, 1);
}

static void counts_add_up_in_one_row(void **state)
{
    struct history *history = start_with(*state, add_counts);
    sqlite3 *lock = lock_file(*state);
    add_counts(history);
    count(history, "a", NOON_US + 60 * SECOND_US, 1);
    const struct asked asked[] = {
        { "SELECT minute, constraint_name, count FROM violation_counts ORDER BY 1, 2",
          "2026-11-21 12:00:00|a|10;2026-11-21 12:00:00|b|2;2026-11-21 12:01:00|a|1;" },
        { "SELECT sqlstate, count FROM error_counts", "40001|6;" },
        { "SELECT fingerprint, calls, errors, bytes, p50_us, longest_us FROM statement_minutes ORDER BY 1",
          "f1|20|2|200|7|90;f2|20|2|200|7|90;" },
        { "SELECT fingerprint, sum(calls) FROM statement_minutes JOIN statement_texts USING (fingerprint)"
          " GROUP BY 1",
          "f1|20;f2|20;" },
        { "SELECT count(*) FROM violations", "2;" },
    };
    assert_same_when_written(history, lock, asked, COUNT_OF(asked));
    history_destroy(history);
}

static void make_file_of_earlier_version(const struct diary *diary)
{
    char storage[DIARY_ANSWER_SIZE];
    struct text why;
    size_t count;
    sqlite3 *file;
    const char *const *migrations = schema_version_migrations(&count);
    text_init(&why, storage, sizeof storage);
    assert_int_equal(sqlite3_open(diary->path, &file), SQLITE_OK);
    assert_int_equal(schema_version_apply(file, migrations, count - 1, &why), SCHEMA_VERSION_READY);
    assert_int_equal(sqlite3_close(file), SQLITE_OK);
}

/* As after an upgrade of the program. */
static void beside_a_locked_file_of_an_earlier_version_only_what_waits_is_seen(void **state)
{
    static const char sql[] = "SELECT session FROM sessions WHERE session > 0 ORDER BY 1";
    make_file_of_earlier_version(*state);
    sqlite3 *lock = lock_file(*state);
    struct history *history = start(*state);
    open_sessions(history);
    wait_for(history, HISTORY_DEGRADED);
    assert_true(assert_answers(history, sql, "1;2;"));
    assert_int_equal(sqlite3_close(lock), SQLITE_OK);
    wait_for(history, HISTORY_OK);
    assert_false(assert_answers(history, sql, "1;2;"));
    history_destroy(history);
}

/* The question itself is over before anybody looks. */
static void a_question_can_be_cancelled_while_what_waits_is_laid_over_the_file(void **state)
{
    char storage[DIARY_ANSWER_SIZE];
    struct text answer;
    struct history_failure failure;
    atomic_bool is_cancelled = false;
    struct history *history = start_with(*state, add_counts);
    sqlite3 *lock = lock_file(*state);
    add_counts(history);
    text_init(&answer, storage, sizeof storage);
    struct history_question question = question_of("SELECT 1", &answer);
    question.limits.is_cancelled = &is_cancelled;
    assert_int_equal(history_query(history, &question, &failure), HISTORY_ANSWERED);
    is_cancelled = true;
    assert_int_equal(history_query(history, &question, &failure), HISTORY_CANCELLED);
    assert_int_equal(sqlite3_close(lock), SQLITE_OK);
    history_destroy(history);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_session_that_closes_is_closed),
        CASE(a_schema_change_ends_as_it_ended),
        CASE(an_incident_that_grows_is_one_row),
        CASE(incidents_of_an_earlier_run_go_on_or_are_cut),
        CASE(a_run_that_could_not_write_yet_has_a_number),
        CASE(counts_add_up_in_one_row),
        CASE(beside_a_locked_file_of_an_earlier_version_only_what_waits_is_seen),
        CASE(a_question_can_be_cancelled_while_what_waits_is_laid_over_the_file),
    };
#undef CASE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
