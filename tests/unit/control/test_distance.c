/* SPDX-License-Identifier: PostgreSQL */
#include "control/distance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_distance(const char *a, const char *b, size_t expected)
{
    assert_int_equal(distance_between(bytes_text(a), bytes_text(b)), expected);
    assert_int_equal(distance_between(bytes_text(b), bytes_text(a)), expected);
}

static void changes_are_counted(void **state)
{
    (void)state;
    assert_distance("", "", 0);
    assert_distance("", "abc", 3);
    assert_distance("show", "SHOW", 0);
    assert_distance("cancelled", "canceled", 1);
    assert_distance("kitten", "sitting", 3);
    assert_distance("ab", "ba", 2);
    assert_distance("abc", "xyz", 3);
}

static void long_texts_are_far(void **state)
{
    (void)state;
    char text[DISTANCE_TEXT_MOST + 2];
    memset(text, 'a', sizeof text);
    struct bytes longest = bytes_of(text, DISTANCE_TEXT_MOST);
    struct bytes too_long = bytes_of(text, DISTANCE_TEXT_MOST + 1);
    assert_int_equal(distance_between(longest, longest), 0);
    assert_int_equal(distance_between(longest, BYTES_NONE), DISTANCE_TEXT_MOST);
    assert_int_equal(distance_between(too_long, longest), DISTANCE_FAR);
    assert_int_equal(distance_between(longest, too_long), DISTANCE_FAR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_are_counted),
        cmocka_unit_test(long_texts_are_far),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
