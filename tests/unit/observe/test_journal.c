/* SPDX-License-Identifier: PostgreSQL */
#include "observe/journal.h"

#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

static void record(struct journal *journal, uint64_t session)
{
    struct event event = { .kind = EVENT_DDL_PASSED, .session = session };
    journal_record(journal, &event);
}

static void the_newest_comes_first_and_the_oldest_goes_first(void **state)
{
    (void)state;
    struct journal journal;
    assert_true(journal_init(&journal, 3));
    assert_null(journal_newest(&journal, 0));
    for (uint64_t session = 1; session <= 10; session++) {
        record(&journal, session);
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
    record(&journal, 1);
    assert_int_equal(journal.recorded, 1);
    assert_null(journal_newest(&journal, 0));
    journal_release(&journal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_comes_first_and_the_oldest_goes_first),
        cmocka_unit_test(a_journal_without_room_only_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
