/* SPDX-License-Identifier: PostgreSQL */
#include "diary.h"
#include "history/history.h"

#include <string.h>

static struct incident_note note_of(enum incident_news news, uint64_t count)
{
    struct incident_note note = { .news = news,
                                  .incident = { .number = 1,
                                                .state = INCIDENT_FIRST,
                                                .is_first = true,
                                                .started_us = NOON_US,
                                                .detected_us = NOON_US + SECOND_US,
                                                .baseline = 0.5,
                                                .count = count,
                                                .peak = count } };
    SET(note.incident.key.service, "kds");
    SET(note.incident.key.schema, "public");
    SET(note.incident.key.table, "orders");
    SET(note.incident.key.name, "orders_status_check");
    return note;
}

static void add_suspect(struct incident_note *note, bool was_seen, const char *user)
{
    struct suspect *suspect = &note->suspects[note->suspect_count++];
    *suspect = (struct suspect){ .time_us = NOON_US - 60 * SECOND_US,
                                 .not_before_us = NOON_US - (was_seen ? 60 : 120) * SECOND_US,
                                 .was_seen = was_seen };
    SET(suspect->user, user);
    SET(suspect->application_name, "deploy");
    SET(suspect->address, "10.0.0.9:1");
    SET(suspect->command, "ALTER TABLE");
    SET(suspect->object, "public.orders");
    SET(suspect->difference, "'served' was dropped from the list");
}

static void an_incident_is_one_row_that_says_what_is_said_last(void **state)
{
    struct history *history = start(*state);
    struct incident_note note = note_of(INCIDENT_STARTED, 1);
    SET(note.database, "shop");
    SET(note.sqlstate, "23514");
    SET(note.kind, "check");
    SET(note.definition, "CHECK (...)");
    history_record_incident(history, &note);
    note = note_of(INCIDENT_GREW, 40);
    note.incident.state = INCIDENT_SPIKE;
    note.incident.rate = 40;
    SET(note.statement, "UPDATE orders SET status = ?");
    history_record_incident(history, &note);
    note.incident.ended_us = NOON_US + 90 * SECOND_US;
    note.incident.count = 41;
    note.incident.rate = 0;
    history_record_incident(history, &note);
    assert_answers(history,
                   "SELECT incident, started, detected, substr(ended, 12, 8), service, database, schema_name,"
                   " table_name, about, subject, sqlstate, kind, definition, statement FROM incidents",
                   "1|2026-11-21 12:00:00.000000|2026-11-21 12:00:01.000000|12:01:30|kds|shop|public|orders|"
                   "constraint|orders_status_check|23514|check|CHECK (...)|UPDATE orders SET status = ?;");
    assert_answers(history,
                   "SELECT is_first, is_spike, is_adopted, count, rate, baseline, peak FROM incidents",
                   "1|1|0|41|40|0.5|40;");
    history_destroy(history);
}

static void the_suspects_of_an_incident_are_the_last_told(void **state)
{
    struct history *history = start(*state);
    struct incident_note note = note_of(INCIDENT_STARTED, 1);
    add_suspect(&note, true, "ann");
    add_suspect(&note, false, "");
    add_suspect(&note, true, "old");
    history_record_incident(history, &note);
    note.suspect_count = 2;
    SET(note.suspects[0].user, "bob");
    history_record_incident(history, &note);
    note.suspect_count = 0;
    history_record_incident(history, &note);
    assert_answers(
        history,
        "SELECT incident, rank, substr(time, 12, 8), substr(not_before, 12, 8), was_seen, user_name,"
        " application_name, address, command, object, difference FROM incident_suspects",
        "1|1|11:59:00|11:59:00|1|bob|deploy|10.0.0.9:1|ALTER TABLE|public.orders|"
        "'served' was dropped from the list;"
        "1|2|11:59:00|11:58:00|0|NULL|NULL|NULL|NULL|public.orders|"
        "'served' was dropped from the list;");
    assert_answers(
        history, "SELECT suspects FROM incidents",
        "2026-11-21T11:59:00.000000Z ALTER TABLE on public.orders by bob (deploy, 10.0.0.9:1): "
        "'served' was dropped from the list; 2026-11-21T11:59:00.000000Z a change of public.orders "
        "that did not pass through here: 'served' was dropped from the list;");
    history_destroy(history);
}

static void an_incident_of_an_earlier_run_goes_on_or_is_cut(void **state)
{
    struct history *history = start(*state);
    struct incident_note note = note_of(INCIDENT_STARTED, 1);
    add_suspect(&note, true, "ann");
    history_record_incident(history, &note);
    note.incident.number = 2;
    history_record_incident(history, &note);
    history_destroy(history);

    history = start(*state);
    history_take_incident(history, 1, 2);
    history_cut_incidents(history);
    note.incident.count = 7;
    history_record_incident(history, &note);
    assert_answers(history,
                   "SELECT run, incident, count, is_cut, ended IS NULL FROM incidents ORDER BY incident",
                   "1|1|1|1|0;2|2|7|0|1;");
    assert_answers(history,
                   "SELECT incidents.ended = max(detected, flushed) FROM incidents JOIN runs USING (run)"
                   " WHERE is_cut",
                   "1;");
    assert_answers(history, "SELECT run, incident, user_name FROM incident_suspects ORDER BY 2",
                   "1|1|ann;2|2|ann;");
    history_destroy(history);
}

static void what_is_held_back_is_not_in_the_file(void **state)
{
    const struct diary *diary = *state;
    struct history_options options = diary_options(diary);
    options.holds_back = true;
    struct history *history = history_create(&options);
    count(history, "a", NOON_US, 7);
    while (state_of(history).flushed_us == 0)
        (void)usleep(1000);
    assert_false(history_flush(history, SECOND_US / 10));
    assert_int_equal(state_of(history).waiting_rows, 0); /* counts are no rows */
    assert_answers(history, "SELECT constraint_name, count FROM violation_counts", "a|7;");
    assert_int_equal(state_of(history).written_rows, 0);
    history_go_on(history);
    assert_true(history_flush(history, 5 * SECOND_US));
    history_destroy(history);

    history = history_create(&options); /* what is held back at the end is written */
    count(history, "a", NOON_US, 1);
    history_destroy(history);
    history = start(*state);
    assert_answers(history, "SELECT sum(count) FROM violation_counts", "8;");
    history_destroy(history);
}

static void suspects_are_given_up_with_their_incident(void **state)
{
    const struct diary *diary = *state;
    struct history_options options = diary_options(diary);
    struct incident_note note = note_of(INCIDENT_STARTED, 1);
    struct history *history = start(*state);
    note.incident.started_us = (int64_t)time(NULL) * SECOND_US; /* the change is old */
    add_suspect(&note, true, "ann");
    history_record_incident(history, &note);
    note.incident.number = 2;
    note.incident.started_us = NOON_US - 4000 * 86400 * (int64_t)SECOND_US;
    history_record_incident(history, &note);
    history_destroy(history);
    options.detail_age_us = 3600 * (int64_t)SECOND_US;
    history = history_create(&options);
    for (unsigned i = 0; i < 2; i++) { /* the limits are looked at between two writes */
        count(history, "a", NOON_US, 1);
        assert_true(history_flush(history, 5 * SECOND_US));
    }
    assert_answers(history, "SELECT incident FROM incidents", "1;");
    assert_answers(history, "SELECT incident, rank FROM incident_suspects", "1|1;");
    history_destroy(history);
}

static void a_change_that_the_catalogue_found_is_kept(void **state)
{
    struct history *history = start(*state);
    struct history_constraint_change change = { .time_us = NOON_US, .not_before_us = NOON_US - SECOND_US };
    SET(change.database, "shop");
    SET(change.schema, "public");
    SET(change.table, "orders");
    SET(change.constraint, "orders_status_check");
    SET(change.kind, "check");
    SET(change.change, "values dropped");
    SET(change.difference, "'served' was dropped");
    SET(change.before, "CHECK (a)");
    history_record_constraint_change(history, &change);
    assert_answers(history, "SELECT * FROM constraint_changes",
                   "2026-11-21 12:00:00.000000|2026-11-21 11:59:59.000000|shop|public|orders|"
                   "orders_status_check|check|values dropped|'served' was dropped|CHECK (a)||1;");
    history_destroy(history);
}

static void seen(struct errors *errors, const char *sqlstate, uint64_t shape)
{
    struct error_seen error = {
        .service = "kds", .database = "shop", .user = "app", .sqlstate = bytes_text(sqlstate), .shape = shape
    };
    struct error_entry *entry = errors_record(errors, &error, NOON_US);
    if (entry != NULL)
        SET(entry->text, "SELECT ?");
}

static void errors_are_counted_whole(void **state)
{
    const struct hash_key key = { { 3, 4 } };
    struct history *history = start(*state);
    struct errors errors;
    errors_init(&errors, &key, 2);
    seen(&errors, "42P01", 1);
    for (unsigned i = 0; i < 3; i++)
        seen(&errors, "40001", 2);
    for (unsigned i = 0; i < 4; i++)
        seen(&errors, "23514", 0xabc);
    seen(&errors, "bad", 0);
    history_count_errors(history, &errors, NOON_US);
    history_count_errors(history, &errors, NOON_US + 59 * SECOND_US);
    assert_answers(history, "SELECT sum(count) FROM error_counts", "18;");
    assert_answers(history, "SELECT family, sum(count) FROM error_counts GROUP BY 1",
                   "contention|6;other|2;schema_drift|2;violation|8;");
    assert_answers(history,
                   "SELECT minute, service, database, user_name, sqlstate, condition, fingerprint, count,"
                   " statement FROM error_counts LEFT JOIN statement_texts USING (fingerprint)"
                   " WHERE family = 'violation'",
                   "2026-11-21 12:00:00|kds|shop|app|23514|check_violation|m:0000000000000abc|8|SELECT ?;");
    assert_true(state_of(history).unnamed_counts > 0);
    history_destroy(history);
    errors_release(&errors);
}

static void errors_that_find_no_room_are_counted_without_names(void **state)
{
    struct history_options options = diary_options(*state);
    options.waiting_counts_most = 1;
    options.flush_us = 3600 * (int64_t)SECOND_US;
    struct history *history = history_create(&options);
    assert_true(history_flush(history, 5 * SECOND_US));
    struct error_entry error = { .sqlstate = "40001" };
    for (error.shape = 1; error.shape <= 5; error.shape++)
        history_count_error(history, &error, NOON_US, error.shape);
    count(history, "a", NOON_US, 7);
    assert_answers(history, "SELECT sqlstate, family, fingerprint, count FROM error_counts",
                   "|||14;40001|contention|m:0000000000000001|1;");
    assert_answers(history, "SELECT constraint_name, count FROM violation_counts", "a|7;");
    assert_int_equal(state_of(history).unnamed_counts, 14);
    history_destroy(history);
}

static void a_refused_statement_is_kept_beside_schema_changes(void **state)
{
    struct history *history = start(*state);
    struct event event = event_of(EVENT_STATEMENT_REFUSED, 1, NOON_US);
    event.ground = "readonly";
    SET(event.command, "UPDATE");
    history_record_event(history, &event);
    event.kind = EVENT_STATEMENT_WOULD_REFUSE;
    history_record_event(history, &event);
    assert_answers(history, "SELECT decision, command, ground, statement FROM refused_statements",
                   "refused|UPDATE|readonly|UPDATE orders SET status = ?;"
                   "would_refuse|UPDATE|readonly|UPDATE orders SET status = ?;");
    assert_answers(history, "SELECT count(*) FROM ddl", "0;");
    history_destroy(history);
}

static void a_schema_change_may_end_unseen(void **state)
{
    struct history *history = start(*state);
    struct event event = event_of(EVENT_DDL_PASSED, 1, NOON_US);
    event.change = 1;
    history_record_event(history, &event);
    event.kind = EVENT_DDL_UNKNOWN;
    SET(event.reason, "it was cut");
    history_record_event(history, &event);
    assert_answers(history, "SELECT decision, outcome, outcome_reason FROM ddl",
                   "passed|unknown|it was cut;");
    history_destroy(history);
}

static void a_violation_carries_what_the_program_said_of_it(void **state)
{
    struct history *history = start(*state);
    struct event event = event_of(EVENT_VIOLATION, 1, NOON_US);
    history_record_event(history, &event);
    SET(event.violation.route, "/orders");
    SET(event.violation.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
    SET(event.violation.attempted, "cancelled");
    history_record_event(history, &event);
    assert_answers(history, "SELECT route, trace_id, attempted FROM violations",
                   "||NULL;/orders|4bf92f3577b34da6a3ce929d0e0e4736|cancelled;");
    history_destroy(history);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(an_incident_is_one_row_that_says_what_is_said_last),
        CASE(the_suspects_of_an_incident_are_the_last_told),
        CASE(an_incident_of_an_earlier_run_goes_on_or_is_cut),
        CASE(what_is_held_back_is_not_in_the_file),
        CASE(suspects_are_given_up_with_their_incident),
        CASE(a_change_that_the_catalogue_found_is_kept),
        CASE(errors_are_counted_whole),
        CASE(errors_that_find_no_room_are_counted_without_names),
        CASE(a_refused_statement_is_kept_beside_schema_changes),
        CASE(a_schema_change_may_end_unseen),
        CASE(a_violation_carries_what_the_program_said_of_it),
    };
#undef CASE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
