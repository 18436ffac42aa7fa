/* SPDX-License-Identifier: PostgreSQL */
#include "base/attributes.h"
#include "config/edits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void each_letter_that_differs_counts_once(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        const char *name;
        size_t edits;
    } pairs[] = {
        { "", "", 0 },
        { "sunday", "sunday", 0 },
        { "sundy", "sunday", 1 },
        { "sunnday", "sunday", 1 },
        { "sumday", "sunday", 1 },
        { "", "abc", 3 },
        { "abc", "", 3 },
        { "kitten", "sitting", 3 },
        { "ab", "ba", 2 },
    };
    for (size_t i = 0; i < COUNT_OF(pairs); i++)
        assert_int_equal(edits_between(bytes_text(pairs[i].key), bytes_text(pairs[i].name)), pairs[i].edits);
}

static void a_name_may_have_all_bytes_that_names_have(void **state)
{
    (void)state;
    static const char name[] = "123456789012345678901234567890123456789012345678901234567890123";
    assert_int_equal(strlen(name), EDITS_NAME_MOST);
    assert_int_equal(edits_between(bytes_text("x"), bytes_text(name)), EDITS_NAME_MOST);
    assert_int_equal(edits_between(bytes_text(name), bytes_text(name)), 0);
}

static void a_longer_word_may_have_more_slips(void **state)
{
    (void)state;
    assert_int_equal(edits_too_many(bytes_text("")), 2);
    assert_int_equal(edits_too_many(bytes_text("ab")), 2);
    assert_int_equal(edits_too_many(bytes_text("sunday")), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_letter_that_differs_counts_once),
        cmocka_unit_test(a_name_may_have_all_bytes_that_names_have),
        cmocka_unit_test(a_longer_word_may_have_more_slips),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
