/* SPDX-License-Identifier: PostgreSQL */
#include "control/parameter.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct history_value value_of(struct bytes bytes, uint32_t type, bool is_in_binary)
{
    struct history_value value;
    struct console_outcome failure = { 0 };
    assert_true(parameter_read(bytes, type, is_in_binary, &value, &failure));
    return value;
}

static void assert_refused(struct bytes bytes, uint32_t type, bool is_in_binary, const char *sqlstate)
{
    struct history_value value;
    struct console_outcome failure = { 0 };
    assert_false(parameter_read(bytes, type, is_in_binary, &value, &failure));
    assert_string_equal(failure.sqlstate, sqlstate);
}

static void numbers_are_read_in_both_forms(void **state)
{
    (void)state;
    assert_int_equal(value_of(bytes_text("-17"), 23, false).integer, -17);
    assert_int_equal(value_of(bytes_of("\xff\xfe", 2), 21, true).integer, -2);
    assert_int_equal(value_of(bytes_of("\x80\0\0\0\0\0\0\0", 8), 20, true).integer, INT64_MIN);
    assert_int_equal(value_of(bytes_of("\xff\xff\xff\xff", 4), 26, true).integer, UINT32_MAX);
    assert_true(value_of(bytes_text("2.5"), 1700, false).real == 2.5);
    assert_true(value_of(bytes_of("\x3f\xc0\0\0", 4), 700, true).real == 1.5);
    assert_int_equal(value_of(bytes_text("true"), 16, false).integer, 1);
    assert_int_equal(value_of(bytes_text("TRUE"), 16, false).integer, 1);
    assert_int_equal(value_of(bytes_of("\0", 1), 16, true).integer, 0);
}

static void all_else_is_text(void **state)
{
    (void)state;
    assert_true(bytes_equal_text(value_of(bytes_text("17"), 0, false).text, "17"));
    assert_int_equal(value_of(bytes_text("2026-11-21"), 1082, false).type, HISTORY_TEXT);
    assert_int_equal(value_of(bytes_text("x"), 25, true).type, HISTORY_TEXT);
}

static void what_is_not_of_its_type_is_refused(void **state)
{
    (void)state;
    assert_refused(bytes_text("1x"), 20, false, "22P02");
    assert_refused(bytes_text(""), 23, false, "22P02");
    assert_refused(bytes_text("99999999999999999999"), 20, false, "22P02");
    assert_refused(bytes_text("abc"), 23, true, "22P03");
    assert_refused(bytes_text("abcd"), 1082, true, "0A000");
    assert_refused(bytes_text("abcd"), 1700, true, "0A000");
    assert_refused(bytes_text("maybe"), 16, false, "22P02");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read_in_both_forms),
        cmocka_unit_test(all_else_is_text),
        cmocka_unit_test(what_is_not_of_its_type_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
