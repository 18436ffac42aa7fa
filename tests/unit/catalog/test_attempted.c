/* SPDX-License-Identifier: PostgreSQL */
#include "catalog/attempted.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A CHECK on `status`, the second of three columns. */
static void assert_picked(const char *detail, const char *expected)
{
    const struct constraint_row row = { .columns = bytes_text("status"), .place = bytes_text("2/3") };
    struct bytes value = BYTES_NONE;
    bool is_sure = attempted_pick(&row, bytes_text(detail), &value);
    assert_int_equal(is_sure, expected != NULL);
    if (expected != NULL)
        assert_true(bytes_equal_text(value, expected));
}

static void a_value_is_picked_by_its_column_s_place(void **state)
{
    (void)state;
    assert_picked("Failing row contains (1, open, x).", "open");
    assert_picked("Failing row contains (1, , x).", "");
    assert_picked("Failing row contains (1, a) b (c, x).", "a) b (c");
}

static void nothing_is_picked_where_columns_may_be_named(void **state)
{
    (void)state;
    assert_picked("Failing row contains (id, status) = (1, open).", NULL);
    assert_picked("Failing row contains (status) = (open).", NULL);
    /* three values, of which the last two are a client's and another column's */
    assert_picked("Failing row contains (x, status, q) = (zz, 4111, bad).", NULL);
}

static void nothing_is_picked_where_a_value_may_hold_the_separator(void **state)
{
    (void)state;
    assert_picked("Failing row contains (1, a, b, x).", NULL);
    assert_picked("Failing row contains (1, open).", NULL);
}

static void other_details_are_left_alone(void **state)
{
    (void)state;
    assert_picked("", NULL);
    assert_picked("Failing row contains (", NULL);
    assert_picked("Failing row contains (1, open, x)", NULL);
    assert_picked("Failing row contains ().", NULL);
    assert_picked("Fehlgeschlagene Zeile enthält (1, open, x).", NULL);
    assert_picked("Key (a)=(1) already exists.", NULL);
}

static void a_place_that_is_none_picks_nothing(void **state)
{
    static const char *const places[] = { "", "0/3", "4/3", "2", "x", "2/", "/3", "2/99999999999999999999" };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        const struct constraint_row row = { .columns = bytes_text("status"), .place = bytes_text(places[i]) };
        struct bytes value;
        assert_false(attempted_pick(&row, bytes_text("Failing row contains (1, open, x)."), &value));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_picked_by_its_column_s_place),
        cmocka_unit_test(nothing_is_picked_where_columns_may_be_named),
        cmocka_unit_test(nothing_is_picked_where_a_value_may_hold_the_separator),
        cmocka_unit_test(other_details_are_left_alone),
        cmocka_unit_test(a_place_that_is_none_picks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
