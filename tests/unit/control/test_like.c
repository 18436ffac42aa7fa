/* SPDX-License-Identifier: PostgreSQL */
#include "control/like.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool matches(const char *text, const char *pattern)
{
    return like_matches(bytes_text(text), bytes_text(pattern));
}

static void a_text_matches_itself_and_nothing_else(void **state)
{
    (void)state;
    assert_true(matches("", ""));
    assert_true(matches("orders", "orders"));
    assert_false(matches("orders", "order"));
    assert_false(matches("order", "orders"));
    assert_false(matches("Orders", "orders"));
}

static void percent_is_any_run(void **state)
{
    (void)state;
    assert_true(matches("", "%"));
    assert_true(matches("orders_status_check", "orders%"));
    assert_true(matches("orders_status_check", "%status%check"));
    assert_true(matches("aab", "%ab"));
    assert_true(matches("abab", "%ab%"));
    assert_false(matches("orders", "%x%"));
    assert_false(matches("abac", "%ab"));
}

static void underscore_is_one_character(void **state)
{
    (void)state;
    assert_true(matches("a\xc3\xa4z", "a_z"));
    assert_true(matches("a\xffz", "a_z"));
    assert_false(matches("az", "a_z"));
    assert_false(matches("", "_"));
}

static void a_backslash_takes_away_the_meaning(void **state)
{
    (void)state;
    assert_true(matches("a_b", "a\\_b"));
    assert_false(matches("axb", "a\\_b"));
    assert_true(matches("100%", "100\\%"));
    assert_false(matches("1000", "100\\%"));
    assert_true(matches("\\", "\\"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_matches_itself_and_nothing_else),
        cmocka_unit_test(percent_is_any_run),
        cmocka_unit_test(underscore_is_one_character),
        cmocka_unit_test(a_backslash_takes_away_the_meaning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
