/* SPDX-License-Identifier: PostgreSQL */
#include "observe/journal.h"

#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

static void decide(struct journal *journal, enum event_kind kind, uint64_t session, uint32_t change)
{
    struct event event = { .kind = kind, .worker = 1, .session = session, .change = change };
    journal_record(journal, &event);
}

/* What became of changes `first` to `last`; a last of 0 stands for the first alone. */
static void become(struct journal *journal, enum event_kind kind, uint64_t session, uint32_t first,
                   uint32_t last)
{
    struct event event = { .kind = kind,
                           .worker = 1,
                           .session = session,
                           .change = first,
                           .change_last = last,
                           .duration_us = (int64_t)kind * 1000,
                           .violation.sqlstate = "42P07" };
    assert_true(bytes_copy_text(bytes_text(event_kind_name(kind)), event.reason, sizeof event.reason));
    journal_record(journal, &event);
}

static const struct journal_entry *entry_of(const struct journal *journal, uint64_t session, uint32_t change)
{
    const struct journal_entry *entry;
    for (size_t age = 0; (entry = journal_newest(journal, age)) != NULL; age++) {
        if (entry->event.session == session && entry->event.change == change)
            return entry;
    }
    return NULL;
}

static void assert_state(const struct journal *journal, uint64_t session, uint32_t change,
                         enum change_state expected)
{
    const struct journal_entry *entry = entry_of(journal, session, change);
    assert_non_null(entry);
    assert_string_equal(change_state_name(entry->state), change_state_name(expected));
}

static void the_newest_comes_first_and_the_oldest_goes_first(void **state)
{
    (void)state;
    struct journal journal;
    assert_true(journal_init(&journal, 3));
    assert_null(journal_newest(&journal, 0));
    for (uint64_t session = 1; session <= 10; session++) {
        decide(&journal, EVENT_DDL_PASSED, session, 1);
        size_t held = session < 3 ? (size_t)session : 3;
        assert_int_equal(journal.count, held);
        for (size_t age = 0; age < held; age++)
            assert_int_equal(journal_newest(&journal, age)->event.session, session - age);
        assert_null(journal_newest(&journal, held));
    }
    assert_int_equal(journal.recorded, 10);
    journal_release(&journal);
}

static void a_journal_without_room_only_counts(void **state)
{
    (void)state;
    struct journal journal;
    assert_true(journal_init(&journal, 0));
    decide(&journal, EVENT_DDL_PASSED, 1, 1);
    become(&journal, EVENT_DDL_COMPLETED, 1, 1, 0);
    assert_int_equal(journal.recorded, 1);
    assert_null(journal_newest(&journal, 0));
    journal_release(&journal);
}

static void a_decision_says_how_far_the_change_is(void **state)
{
    (void)state;
    static const struct {
        enum event_kind kind;
        enum change_state state;
    } rows[] = {
        { EVENT_DDL_PASSED, CHANGE_PASSED },
        { EVENT_DDL_WOULD_REFUSE, CHANGE_PASSED },
        { EVENT_DDL_REFUSED, CHANGE_NONE },
        { EVENT_DDL_UNSEEN, CHANGE_NONE },
    };
    struct journal journal;
    assert_true(journal_init(&journal, 8));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        decide(&journal, rows[i].kind, 1, 1);
        assert_int_equal(journal_newest(&journal, 0)->event.kind, rows[i].kind);
        assert_int_equal(journal_newest(&journal, 0)->state, rows[i].state);
        assert_string_equal(journal_newest(&journal, 0)->note, "");
    }
    assert_int_equal(journal.count, COUNT_OF(rows));
    journal_release(&journal);
}

static void events_of_other_kinds_are_nothing_to_it(void **state)
{
    (void)state;
    static const enum event_kind kinds[] = {
        EVENT_SESSION_OPENED, EVENT_SESSION_CLOSED,    EVENT_SESSION_REFUSED,        EVENT_VIOLATION,
        EVENT_DDL_OUTLIVED,   EVENT_STATEMENT_REFUSED, EVENT_STATEMENT_WOULD_REFUSE, EVENT_UNFOLLOWED,
    };
    struct journal journal;
    assert_true(journal_init(&journal, 8));
    decide(&journal, EVENT_DDL_PASSED, 1, 1);
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        become(&journal, kinds[i], 1, 1, 1);
    assert_int_equal(journal.count, 1);
    assert_int_equal(journal.recorded, 1);
    assert_int_equal(journal_newest(&journal, 0)->state, CHANGE_PASSED);
    assert_string_equal(journal_newest(&journal, 0)->note, "");
    journal_release(&journal);
}

static void a_change_is_carried_out_and_committed(void **state)
{
    (void)state;
    struct journal journal;
    assert_true(journal_init(&journal, 8));
    decide(&journal, EVENT_DDL_PASSED, 7, 1);
    become(&journal, EVENT_DDL_COMPLETED, 7, 1, 0);
    const struct journal_entry *entry = journal_newest(&journal, 0);
    assert_int_equal(entry->state, CHANGE_COMPLETED);
    assert_int_equal(entry->duration_us, EVENT_DDL_COMPLETED * 1000);
    assert_string_equal(entry->sqlstate, "");
    assert_string_equal(entry->note, "ddl_completed");
    become(&journal, EVENT_DDL_COMMITTED, 7, 1, 1);
    assert_int_equal(entry->state, CHANGE_COMMITTED);
    assert_int_equal(entry->event.kind, EVENT_DDL_PASSED);
    assert_int_equal(entry->duration_us, EVENT_DDL_COMPLETED * 1000);
    assert_string_equal(entry->note, "ddl_committed");
    assert_int_equal(journal.count, 1);
    assert_int_equal(journal.recorded, 1);
    journal_release(&journal);
}

static void a_change_fails_with_its_error(void **state)
{
    (void)state;
    struct journal journal;
    assert_true(journal_init(&journal, 8));
    decide(&journal, EVENT_DDL_WOULD_REFUSE, 7, 1);
    become(&journal, EVENT_DDL_FAILED, 7, 1, 0);
    const struct journal_entry *entry = journal_newest(&journal, 0);
    assert_int_equal(entry->state, CHANGE_FAILED);
    assert_int_equal(entry->duration_us, EVENT_DDL_FAILED * 1000);
    assert_string_equal(entry->sqlstate, "42P07");
    assert_string_equal(entry->note, "ddl_failed");
    journal_release(&journal);
}

/* Each state after each outcome. */
static void states_change_as_drawn_and_not_otherwise(void **state)
{
    (void)state;
    static const enum event_kind outcomes[] = { EVENT_DDL_COMPLETED, EVENT_DDL_FAILED, EVENT_DDL_COMMITTED,
                                                EVENT_DDL_UNDONE, EVENT_DDL_UNKNOWN };
    static const struct {
        enum event_kind decision;
        enum event_kind first[2]; /* outcomes that lead there; sessions opening lead nowhere */
        enum change_state then[COUNT_OF(outcomes)];
    } rows[] = {
        { EVENT_DDL_REFUSED, { 0 }, { CHANGE_NONE, CHANGE_NONE, CHANGE_NONE, CHANGE_NONE, CHANGE_NONE } },
        { EVENT_DDL_PASSED,
          { 0 },
          { CHANGE_COMPLETED, CHANGE_FAILED, CHANGE_PASSED, CHANGE_PASSED, CHANGE_UNKNOWN } },
        { EVENT_DDL_PASSED,
          { EVENT_DDL_COMPLETED },
          { CHANGE_COMPLETED, CHANGE_FAILED, CHANGE_COMMITTED, CHANGE_UNDONE, CHANGE_UNKNOWN } },
        { EVENT_DDL_PASSED,
          { EVENT_DDL_FAILED },
          { CHANGE_FAILED, CHANGE_FAILED, CHANGE_FAILED, CHANGE_FAILED, CHANGE_FAILED } },
        { EVENT_DDL_PASSED,
          { EVENT_DDL_COMPLETED, EVENT_DDL_COMMITTED },
          { CHANGE_COMMITTED, CHANGE_COMMITTED, CHANGE_COMMITTED, CHANGE_COMMITTED, CHANGE_COMMITTED } },
        { EVENT_DDL_PASSED,
          { EVENT_DDL_COMPLETED, EVENT_DDL_UNDONE },
          { CHANGE_UNDONE, CHANGE_UNDONE, CHANGE_UNDONE, CHANGE_UNDONE, CHANGE_UNDONE } },
        { EVENT_DDL_PASSED,
          { EVENT_DDL_UNKNOWN },
          { CHANGE_UNKNOWN, CHANGE_UNKNOWN, CHANGE_UNKNOWN, CHANGE_UNKNOWN, CHANGE_UNKNOWN } },
    };
    struct journal journal;
    assert_true(journal_init(&journal, 64));
    uint64_t session = 0;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (size_t j = 0; j < COUNT_OF(outcomes); j++) {
            decide(&journal, rows[i].decision, ++session, 1);
            become(&journal, rows[i].first[0], session, 1, 1);
            become(&journal, rows[i].first[1], session, 1, 1);
            become(&journal, outcomes[j], session, 1, 1);
            assert_state(&journal, session, 1, rows[i].then[j]);
        }
    }
    journal_release(&journal);
}

static void a_commit_is_about_its_own_changes_only(void **state)
{
    (void)state;
    struct journal journal;
    assert_true(journal_init(&journal, 20));
    for (uint32_t change = 1; change <= 6; change++) {
        decide(&journal, EVENT_DDL_PASSED, 7, change);
        decide(&journal, EVENT_DDL_PASSED, 8, change);
        become(&journal, change == 4 ? EVENT_DDL_FAILED : EVENT_DDL_COMPLETED, 7, change, 0);
        become(&journal, EVENT_DDL_COMPLETED, 8, change, 0);
    }
    decide(&journal, EVENT_DDL_REFUSED, 7, 0);
    become(&journal, EVENT_DDL_COMMITTED, 7, 3, 5);
    become(&journal, EVENT_DDL_UNDONE, 7, 1, 2);
    assert_state(&journal, 7, 1, CHANGE_UNDONE);
    assert_state(&journal, 7, 2, CHANGE_UNDONE);
    assert_state(&journal, 7, 3, CHANGE_COMMITTED);
    assert_state(&journal, 7, 4, CHANGE_FAILED);
    assert_state(&journal, 7, 5, CHANGE_COMMITTED);
    assert_state(&journal, 7, 6, CHANGE_COMPLETED);
    assert_state(&journal, 7, 0, CHANGE_NONE);
    for (uint32_t change = 1; change <= 6; change++)
        assert_state(&journal, 8, change, CHANGE_COMPLETED);
    journal_release(&journal);
}

/* A text that runs another by EXECUTE has a decision on each. */
static void all_decisions_of_one_number_have_its_outcome(void **state)
{
    (void)state;
    struct journal journal;
    assert_true(journal_init(&journal, 8));
    decide(&journal, EVENT_DDL_PASSED, 7, 1);
    decide(&journal, EVENT_DDL_PASSED, 7, 2);
    decide(&journal, EVENT_DDL_PASSED, 7, 2);
    become(&journal, EVENT_DDL_COMPLETED, 7, 2, 0);
    assert_int_equal(journal_newest(&journal, 0)->state, CHANGE_COMPLETED);
    assert_int_equal(journal_newest(&journal, 1)->state, CHANGE_COMPLETED);
    assert_int_equal(journal_newest(&journal, 2)->state, CHANGE_PASSED);
    journal_release(&journal);
}

static void the_same_session_number_of_another_worker_is_another(void **state)
{
    (void)state;
    struct journal journal;
    struct event other = { .kind = EVENT_DDL_PASSED, .worker = 2, .session = 7, .change = 1 };
    assert_true(journal_init(&journal, 4));
    decide(&journal, EVENT_DDL_PASSED, 7, 1);
    journal_record(&journal, &other);
    become(&journal, EVENT_DDL_COMPLETED, 7, 1, 0);
    assert_int_equal(journal_newest(&journal, 0)->state, CHANGE_PASSED);
    assert_int_equal(journal_newest(&journal, 1)->state, CHANGE_COMPLETED);
    journal_release(&journal);
}

static void an_outcome_without_a_number_is_about_nothing(void **state)
{
    (void)state;
    struct journal journal;
    assert_true(journal_init(&journal, 4));
    decide(&journal, EVENT_DDL_PASSED, 7, 0);
    decide(&journal, EVENT_DDL_PASSED, 7, 1);
    become(&journal, EVENT_DDL_COMPLETED, 7, 0, 0);
    become(&journal, EVENT_DDL_COMPLETED, 7, 0, 1);
    assert_state(&journal, 7, 0, CHANGE_PASSED);
    assert_state(&journal, 7, 1, CHANGE_PASSED);
    journal_release(&journal);
}

/* As when the event of a decision was dropped. */
static void an_outcome_of_what_was_never_filed_is_not_taken_for_another(void **state)
{
    (void)state;
    struct journal journal;
    assert_true(journal_init(&journal, 4));
    decide(&journal, EVENT_DDL_PASSED, 7, 1);
    decide(&journal, EVENT_DDL_PASSED, 7, 3);
    become(&journal, EVENT_DDL_COMPLETED, 7, 2, 0);
    assert_state(&journal, 7, 1, CHANGE_PASSED);
    assert_state(&journal, 7, 3, CHANGE_PASSED);
    journal_release(&journal);
}

static void outcomes_of_what_is_gone_are_dropped(void **state)
{
    (void)state;
    struct journal journal;
    assert_true(journal_init(&journal, 3));
    for (uint32_t change = 1; change <= 5; change++) {
        decide(&journal, EVENT_DDL_PASSED, 7, change);
        become(&journal, EVENT_DDL_COMPLETED, 7, change, 0);
    }
    become(&journal, EVENT_DDL_UNDONE, 7, 2, 0);
    assert_int_equal(journal.count, 3);
    for (uint32_t change = 3; change <= 5; change++)
        assert_state(&journal, 7, change, CHANGE_COMPLETED);
    /* A commit of which only a part is still there. */
    become(&journal, EVENT_DDL_COMMITTED, 7, 1, 4);
    assert_state(&journal, 7, 3, CHANGE_COMMITTED);
    assert_state(&journal, 7, 4, CHANGE_COMMITTED);
    assert_state(&journal, 7, 5, CHANGE_COMPLETED);
    /* What takes a place begins anew. */
    decide(&journal, EVENT_DDL_PASSED, 9, 1);
    assert_int_equal(journal_newest(&journal, 0)->duration_us, 0);
    assert_string_equal(journal_newest(&journal, 0)->note, "");
    journal_release(&journal);
}

static void every_state_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int a = 0; a < CHANGE_STATE_COUNT; a++) {
        for (int b = 0; b < a; b++)
            assert_string_not_equal(change_state_name((enum change_state)a),
                                    change_state_name((enum change_state)b));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_comes_first_and_the_oldest_goes_first),
        cmocka_unit_test(a_journal_without_room_only_counts),
        cmocka_unit_test(a_decision_says_how_far_the_change_is),
        cmocka_unit_test(events_of_other_kinds_are_nothing_to_it),
        cmocka_unit_test(a_change_is_carried_out_and_committed),
        cmocka_unit_test(a_change_fails_with_its_error),
        cmocka_unit_test(states_change_as_drawn_and_not_otherwise),
        cmocka_unit_test(a_commit_is_about_its_own_changes_only),
        cmocka_unit_test(all_decisions_of_one_number_have_its_outcome),
        cmocka_unit_test(the_same_session_number_of_another_worker_is_another),
        cmocka_unit_test(an_outcome_without_a_number_is_about_nothing),
        cmocka_unit_test(an_outcome_of_what_was_never_filed_is_not_taken_for_another),
        cmocka_unit_test(outcomes_of_what_is_gone_are_dropped),
        cmocka_unit_test(every_state_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
