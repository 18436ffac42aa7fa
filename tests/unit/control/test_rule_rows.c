/* SPDX-License-Identifier: PostgreSQL */
#include "control/rule_rows.h"

#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ROWS_MOST = 8 };

static const struct window windows[] = { { .name = "nightly" }, { .name = "sunday" }, { .name = "team" } };
static const struct scoped_mode modes[] = {
    { .scope = { .user = "kds_*", .has_network = true, .network = { ADDRESS_IPV4, { 10, 2 }, 16 } },
      .mode = GUARD_OBSERVE },
};
static const struct object_pattern protected[] = { { "public", "orders" }, { "", "users" }, { "audit", "" } };
static const struct guard_rule guard_rules[] = {
    { .name = "scratch-is-free",
      .scope = { .database = "shop" },
      .has_object = true,
      .object = { "scratch", "*" },
      .classes = 1U << CLASS_ADDITIVE | 1U << CLASS_DESTRUCTIVE,
      .action = RULE_ALLOW,
      .most = LEVEL_MODIFYING },
    { .name = "sundays",
      .action = RULE_WINDOW,
      .most = LEVEL_ADDITIVE,
      .has_windows = true,
      .windows = { 1U << 1 | 1U << 2 } },
    { .name = "no-programs", .classes = 1U << CLASS_COPY_PROGRAM, .action = RULE_REFUSE },
};
static const struct policy_plan plan = {
    .mode = GUARD_ENFORCE,
    .modes = modes,
    .mode_count = COUNT_OF(modes),
    .gate = { .windows = windows, .window_count = COUNT_OF(windows) },
    .guard_rules = guard_rules,
    .guard_rule_count = COUNT_OF(guard_rules),
    .protected = protected,
    .protected_count = COUNT_OF(protected),
};

static struct rule_row *fill(const struct policy_plan *of, size_t most, size_t expected)
{
    struct rule_row *rows = calloc(ROWS_MOST, sizeof *rows);
    assert_non_null(rows);
    assert_int_equal(rule_rows_fill(of, rows, most), expected);
    return rows;
}

static void modes_come_first_and_that_of_all_others_last_of_them(void **state)
{
    (void)state;
    struct rule_row *rows = fill(&plan, ROWS_MOST, 8);
    assert_int_equal(rule_rows_most(&plan), 8);
    assert_int_equal(rows[0].kind, RULE_KIND_MODE);
    assert_string_equal(rows[0].mode, "observe");
    assert_string_equal(rows[0].scope.user, "kds_*");
    assert_string_equal(rows[0].address, "10.2.0.0/16");
    assert_int_equal(rows[1].kind, RULE_KIND_MODE);
    assert_string_equal(rows[1].mode, "enforce");
    assert_string_equal(rows[1].address, "");
    assert_true(scope_is_open(&rows[1].scope));
    free(rows);
}

static void protected_objects_are_shown_as_they_are_written(void **state)
{
    static const char *const expected[] = { "public.orders", "users", "audit.*" };
    (void)state;
    struct rule_row *rows = fill(&plan, ROWS_MOST, 8);
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        assert_int_equal(rows[2 + i].kind, RULE_KIND_PROTECTED);
        assert_string_equal(rows[2 + i].object, expected[i]);
        assert_string_equal(rows[2 + i].action, "refuse");
    }
    free(rows);
}

static void rules_say_what_they_ask_and_do(void **state)
{
    (void)state;
    struct rule_row *rows = fill(&plan, ROWS_MOST, 8);
    assert_int_equal(rows[5].kind, RULE_KIND_RULE);
    assert_string_equal(rows[5].name, "scratch-is-free");
    assert_string_equal(rows[5].scope.database, "shop");
    assert_string_equal(rows[5].object, "scratch.*");
    assert_string_equal(rows[5].classes, "additive, destructive");
    assert_string_equal(rows[5].action, "allow");
    assert_null(rows[5].most);
    assert_string_equal(rows[5].windows, "");
    assert_string_equal(rows[6].action, "window");
    assert_string_equal(rows[6].most, "additive");
    assert_string_equal(rows[6].windows, "sunday, team");
    assert_string_equal(rows[6].classes, "");
    assert_string_equal(rows[6].object, "");
    assert_string_equal(rows[7].action, "refuse");
    assert_string_equal(rows[7].classes, "copy-program");
    free(rows);
}

static void no_more_rows_are_filled_than_there_is_room_for(void **state)
{
    static const struct policy_plan empty = { .mode = GUARD_OFF };
    (void)state;
    for (size_t most = 0; most < ROWS_MOST; most++)
        free(fill(&plan, most, most));
    struct rule_row *rows = fill(&empty, ROWS_MOST, 1);
    assert_string_equal(rows[0].mode, "off");
    free(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modes_come_first_and_that_of_all_others_last_of_them),
        cmocka_unit_test(protected_objects_are_shown_as_they_are_written),
        cmocka_unit_test(rules_say_what_they_ask_and_do),
        cmocka_unit_test(no_more_rows_are_filled_than_there_is_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
