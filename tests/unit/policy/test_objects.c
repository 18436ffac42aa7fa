/* SPDX-License-Identifier: PostgreSQL */
#include "unit/policy/policies.h"

static void a_pattern_is_split_at_its_first_dot(void **state)
{
    (void)state;
    static const char *const rows[][3] = {
        { "orders", "", "orders" },
        { "public.orders", "public", "orders" },
        { "audit.*", "audit", "*" },
        { "a.b.c", "a", "b.c" },
        { ".x", "", "x" },
        { "audit.", "audit", "" },
        { "*.orders", "*", "orders" },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct object_pattern pattern = pattern_of(rows[i][0]);
        assert_string_equal(pattern.schema, rows[i][1]);
        assert_string_equal(pattern.name, rows[i][2]);
    }
}

static void a_pattern_longer_than_fits_is_refused(void **state)
{
    (void)state;
    char text[2 * SERVICE_PATTERN_SIZE + 2];
    struct object_pattern pattern;
    memset(text, 'a', sizeof(text));
    text[SERVICE_PATTERN_SIZE - 1] = '\0';
    assert_true(object_pattern_read(text, &pattern));
    text[SERVICE_PATTERN_SIZE - 1] = 'a';
    text[SERVICE_PATTERN_SIZE] = '\0';
    assert_false(object_pattern_read(text, &pattern));
    text[SERVICE_PATTERN_SIZE - 1] = '.';
    text[SERVICE_PATTERN_SIZE] = 'x';
    text[SERVICE_PATTERN_SIZE + 1] = '\0';
    assert_true(object_pattern_read(text, &pattern));
    text[SERVICE_PATTERN_SIZE - 1] = 'a';
    text[SERVICE_PATTERN_SIZE] = '.';
    assert_false(object_pattern_read(text, &pattern));
}

struct match_row {
    const char *pattern;
    const char *schema;
    const char *name;
    bool may;
    bool surely;
};

static void an_object_may_or_surely_matches(void **state)
{
    (void)state;
    static const struct match_row rows[] = {
        { "orders", "public", "orders", true, true },
        { "orders", "", "orders", true, true },
        { "orders", "", "order", false, false },
        { "public.orders", "public", "orders", true, true },
        { "public.orders", "", "orders", true, false },
        { "public.orders", "shop", "orders", false, false },
        { "public.orders", "public", "carts", false, false },
        { "public.orders", "", "carts", false, false },
        { "audit.*", "audit", "log", true, true },
        { "audit.*", "", "log", true, false },
        { "audit.", "audit", "log", true, true },
        { "*.orders", "", "orders", true, true },
        { "a*.orders", "", "orders", true, false },
        { "?.orders", "", "orders", true, false },
        { "orders", "public", "ORDERS", false, false },
        { "*", "", "x", true, true },
        { "o?d*s", "public", "orders", true, true },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct object_pattern pattern = pattern_of(rows[i].pattern);
        struct object_name object = object_of(rows[i].schema, rows[i].name);
        assert_int_equal(object_pattern_may_match(&pattern, &object), rows[i].may);
        assert_int_equal(object_pattern_matches(&pattern, &object), rows[i].surely);
    }
}

static void a_schema_may_hold_every_object_of_its_name(void **state)
{
    (void)state;
    static const struct match_row rows[] = {
        { "public.orders", "", "public", true, false },
        { "public.orders", "", "audit", false, false },
        { "audit.*", "", "audit", true, true },
        { "audit.", "", "audit", true, true },
        { "orders", "", "audit", true, false },
        { "*", "", "audit", true, true },
        { "*.*", "", "audit", true, true },
        { "aud*.log*", "", "audit", true, false },
        { "orders", "", "orders", true, false },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct object_pattern pattern = pattern_of(rows[i].pattern);
        struct object_name object = object_of("", rows[i].name);
        object.is_schema = true;
        assert_int_equal(object_pattern_may_match(&pattern, &object), rows[i].may);
        assert_int_equal(object_pattern_matches(&pattern, &object), rows[i].surely);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pattern_is_split_at_its_first_dot),
        cmocka_unit_test(a_pattern_longer_than_fits_is_refused),
        cmocka_unit_test(an_object_may_or_surely_matches),
        cmocka_unit_test(a_schema_may_hold_every_object_of_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
