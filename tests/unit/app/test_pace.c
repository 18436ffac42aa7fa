/* SPDX-License-Identifier: PostgreSQL */
#include "app/pace.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* So many turns in which that much came, in hundredths in the mean; how often it was told that it changed. */
static unsigned pass(struct pace *pace, unsigned turns, unsigned mean)
{
    unsigned changes = 0;
    for (unsigned turn = 1; turn <= turns; turn++)
        changes += pace_turn(pace, turn * mean / 100 - (turn - 1) * mean / 100);
    return changes;
}

static void it_is_calm_while_one_thing_comes_at_a_time(void **state)
{
    (void)state;
    struct pace pace = { .turns = 0 };
    assert_int_equal(pass(&pace, 10 * PACE_TURNS, 100), 0);
    assert_int_equal(pass(&pace, 10 * PACE_TURNS, PACE_BUSY - 1), 0);
    assert_false(pace.is_busy);
}

static void it_is_busy_once_several_come_at_a_time(void **state)
{
    (void)state;
    struct pace pace = { .turns = 0 };
    assert_int_equal(pass(&pace, PACE_TURNS - 1, PACE_BUSY + 1), 0);
    assert_int_equal(pass(&pace, 1, 300), 1);
    assert_true(pace.is_busy);
    assert_int_equal(pass(&pace, 10 * PACE_TURNS, 900), 0);
    assert_true(pace.is_busy);
}

static void what_lies_between_leaves_it_as_it_is(void **state)
{
    (void)state;
    struct pace pace = { .turns = 0 };
    assert_int_equal(pass(&pace, PACE_TURNS, PACE_BUSY + 1), 1);
    assert_int_equal(pass(&pace, 10 * PACE_TURNS, PACE_CALM + 1), 0);
    assert_true(pace.is_busy);
    assert_int_equal(pass(&pace, PACE_TURNS, PACE_CALM - 1), 1);
    assert_false(pace.is_busy);
    assert_int_equal(pass(&pace, 10 * PACE_TURNS, PACE_CALM + 1), 0);
    assert_false(pace.is_busy);
}

static void turns_in_which_nothing_came_tell_nothing(void **state)
{
    (void)state;
    struct pace pace = { .turns = 0 };
    for (unsigned turn = 0; turn < 4 * PACE_TURNS; turn++) {
        assert_false(pace_turn(&pace, 0));
        bool is_last = turn + 1 == PACE_TURNS;
        if (turn < PACE_TURNS)
            assert_int_equal(pace_turn(&pace, 2), is_last);
    }
    assert_true(pace.is_busy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_calm_while_one_thing_comes_at_a_time),
        cmocka_unit_test(it_is_busy_once_several_come_at_a_time),
        cmocka_unit_test(what_lies_between_leaves_it_as_it_is),
        cmocka_unit_test(turns_in_which_nothing_came_tell_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
