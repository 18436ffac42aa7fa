/* SPDX-License-Identifier: PostgreSQL */
#include "app/plan.h"
#include "app/plan_guard.h"
#include "config/schema.h"
#include "unit/config/given.h"

/* 2026-11-21T00:00:00Z, a Saturday. */
static const int64_t now_us = INT64_C(1795219200000000);

/* A plan of good settings, and what was said about them. */
struct planned {
    struct given given;
    struct plan plan;
};

static const struct policy_plan *planned_as(struct planned *planned, const char *text)
{
    const struct settings *settings = given_good(&planned->given, text);
    problems_init(&planned->given.problems);
    if (!plan_create(&planned->plan, settings, now_us, &planned->given.problems))
        fail_msg("%s", planned->given.problems.kept[0].text);
    return &planned->plan.policy;
}

static void planned_release(struct planned *planned)
{
    plan_release(&planned->plan);
    given_release(&planned->given);
}

static uint16_t guarded_classes(void)
{
    uint16_t classes = 0;
    for (unsigned class = 0; class < CLASS_COUNT; class ++)
        if (statement_class_is_guarded((enum statement_class) class))
            classes = (uint16_t)(classes | 1U << class);
    return classes;
}

static void every_class_but_none_has_a_word_and_no_word_is_without_a_class(void **state)
{
    (void)state;
    char storage[512];
    struct text words;
    unsigned commas = 0;
    text_init(&words, storage, sizeof storage);
    schema_words_describe(CHOICE_setting_class, &words);
    for (const char *at = storage; (at = strchr(at, ',')) != NULL; at++)
        commas++;
    assert_int_equal(commas + 2, CLASS_COUNT - 1);
    for (unsigned class = 0; class < CLASS_COUNT; class ++) {
        unsigned word = 0;
        struct bytes name = bytes_text(statement_class_name((enum statement_class) class));
        assert_int_equal(schema_word_find(CHOICE_setting_class, name, &word), class != CLASS_NONE);
        if (class != CLASS_NONE)
            assert_int_equal(plan_classes(1U << word), 1U << class);
    }
    assert_int_equal(plan_classes(0), 0);
    assert_int_equal(plan_classes(1U << SETTING_CLASS_WRITE | 1U << SETTING_CLASS_DCL),
                     1U << CLASS_WRITE | 1U << CLASS_DCL);
}

static void a_rule_without_classes_is_about_all_that_are_guarded(void **state)
{
    (void)state;
    struct planned planned;
    const struct policy_plan *plan =
        planned_as(&planned, NEEDED "guard: { rules: [ { name: a, action: refuse } ] }\n");
    assert_int_equal(plan->guard_rule_count, 1);
    assert_int_equal(plan->guard_rules[0].classes, guarded_classes());
    assert_false(plan->guard_rules[0].has_object);
    assert_false(plan->guard_rules[0].has_windows);
    assert_true(scope_is_open(&plan->guard_rules[0].scope));
    planned_release(&planned);
}

static void the_defaults_change_nothing(void **state)
{
    (void)state;
    struct planned planned;
    const struct policy_plan *plan = planned_as(&planned, NEEDED);
    assert_int_equal(plan->mode, GUARD_ENFORCE);
    assert_int_equal(plan->mode_count, 0);
    assert_int_equal(plan->guard_rule_count, 0);
    assert_int_equal(plan->protected_count, 0);
    assert_int_equal(plan->order_count, 0);
    assert_false(plan->lets_transactions_finish);
    assert_false(plan->has_turns);
    assert_int_equal(plan->rest_us, 0);
    assert_string_equal(plan->sqlstate, "42501");
    assert_string_equal(plan->readonly_sqlstate, "42501");
    planned_release(&planned);
}

static void what_is_written_comes_into_the_plan(void **state)
{
    (void)state;
    struct planned planned;
    const struct policy_plan *plan =
        planned_as(&planned, NEEDED "guard: { mode: observe, sqlstate: MW001, readonly_sqlstate: 25006,\n"
                                    "  at_window_end: finish, one_change_at_a_time: true, "
                                    "rest_between_changes: 5m,\n"
                                    "  modes: [ { when: { service: s, user: u, database: d, address: "
                                    "10.0.0.0/8 }, mode: enforce }, { when: { user: x }, mode: off } ],\n"
                                    "  protected: [ public.orders, audit ] }\n");
    assert_int_equal(plan->mode, GUARD_OBSERVE);
    assert_string_equal(plan->sqlstate, "MW001");
    assert_string_equal(plan->readonly_sqlstate, "25006");
    assert_true(plan->lets_transactions_finish);
    assert_true(plan->has_turns);
    assert_int_equal(plan->rest_us, INT64_C(300000000));
    assert_int_equal(plan->mode_count, 2);
    assert_int_equal(plan->modes[0].mode, GUARD_ENFORCE);
    assert_string_equal(plan->modes[0].scope.service, "s");
    assert_string_equal(plan->modes[0].scope.user, "u");
    assert_string_equal(plan->modes[0].scope.database, "d");
    assert_true(plan->modes[0].scope.has_network);
    assert_int_equal(plan->modes[0].scope.network.prefix, 8);
    assert_int_equal(plan->modes[1].mode, GUARD_OFF);
    assert_false(plan->modes[1].scope.has_network);
    assert_int_equal(plan->protected_count, 2);
    assert_string_equal(plan->protected[0].schema, "public");
    assert_string_equal(plan->protected[0].name, "orders");
    assert_string_equal(plan->protected[1].schema, "");
    assert_string_equal(plan->protected[1].name, "audit");
    planned_release(&planned);
}

#define WINDOW(name, days, from, to, zone, allow)                                                            \
    "    - { name: " name ", days: [" days "], from: \"" from "\", to: \"" to "\", timezone: " zone          \
    ", allow: " allow " }\n"

static void a_rule_has_the_places_of_its_windows(void **state)
{
    (void)state;
    struct planned planned;
    const struct policy_plan *plan = planned_as(
        &planned, NEEDED
        "guard:\n  windows:\n" WINDOW("a", "mon", "01:00", "02:00", "UTC",
                                      "additive") WINDOW("b", "tue", "01:00", "02:00", "UTC", "additive")
            WINDOW("c", "wed", "01:00", "02:00", "UTC",
                   "additive") "  rules:\n"
                               "    - { name: r, action: window, most: additive, windows: [c, a], when: { "
                               "user: u, database: "
                               "d, service: s, address: 10.0.0.0/8, object: shop.*, class: [dcl, "
                               "maintenance] } }\n"
                               "    - { name: q, action: allow, when: { user: v } }\n");
    const struct guard_rule *rule = &plan->guard_rules[0];
    assert_string_equal(rule->name, "r");
    assert_int_equal(rule->action, RULE_WINDOW);
    assert_int_equal(rule->most, LEVEL_ADDITIVE);
    assert_true(rule->has_windows);
    assert_int_equal(rule->windows[0], 5);
    assert_int_equal(rule->windows[1] | rule->windows[2] | rule->windows[3], 0);
    assert_string_equal(rule->scope.service, "s");
    assert_string_equal(rule->scope.user, "u");
    assert_string_equal(rule->scope.database, "d");
    assert_true(rule->scope.has_network);
    assert_true(rule->has_object);
    assert_string_equal(rule->object.schema, "shop");
    assert_string_equal(rule->object.name, "*");
    assert_int_equal(rule->classes, 1U << CLASS_DCL | 1U << CLASS_MAINTENANCE);
    assert_int_equal(plan->guard_rules[1].action, RULE_ALLOW);
    assert_int_equal(plan->guard_rules[1].most, LEVEL_MODIFYING);
    assert_false(plan->guard_rules[1].has_windows);
    planned_release(&planned);
}

static void a_window_beyond_the_sixty_fourth_has_its_bit(void **state)
{
    (void)state;
    enum { COUNT = 130, TEXT_SIZE = 32768 };
    static char storage[TEXT_SIZE];
    struct text text;
    struct planned planned;
    text_init(&text, storage, sizeof storage);
    text_append_string(&text, NEEDED "guard:\n  windows:\n");
    for (unsigned i = 0; i < COUNT; i++)
        text_append_format(&text, "    - { name: w%u, from: \"01:00\", to: \"02:00\", allow: additive }\n",
                           i);
    text_append_string(&text, "  rules: [ { name: r, action: window, windows: [w64, w129] } ]\n");
    const struct policy_plan *plan = planned_as(&planned, storage);
    assert_int_equal(plan->guard_rules[0].windows[0], 0);
    assert_int_equal(plan->guard_rules[0].windows[1], 1);
    assert_int_equal(plan->guard_rules[0].windows[2], 2);
    planned_release(&planned);
}

/* The words of the only warning; NULL: there is none. */
static void assert_windows_warned(const char *windows, unsigned line, const char *words)
{
    struct planned planned;
    char storage[2048];
    struct text text;
    text_init(&text, storage, sizeof storage);
    text_append_string(&text, NEEDED "guard:\n  windows:\n");
    text_append_string(&text, windows);
    (void)planned_as(&planned, storage);
    assert_int_equal(planned.given.problems.count, words != NULL);
    if (words != NULL) {
        assert_true(planned.given.problems.kept[0].is_warning);
        assert_int_equal(planned.given.problems.kept[0].line, line);
        assert_non_null(strstr(planned.given.problems.kept[0].text, words));
    }
    planned_release(&planned);
}

static void windows_that_overlap_and_allow_other_things_are_worth_a_warning(void **state)
{
    (void)state;
    static const char words[] =
        "overlaps with \"a\" (guard.windows[0]), which allows additive: while both are "
        "open, what \"b\" allows counts";
    assert_windows_warned(WINDOW("a", "sun", "02:00", "04:00", "UTC", "additive")
                              WINDOW("b", "sun", "03:59", "05:00", "UTC", "modifying"),
                          6, words);
    /* Over midnight, in the night before the day looked at. */
    assert_windows_warned(WINDOW("a", "fri", "22:00", "04:00", "UTC", "additive")
                              WINDOW("b", "sat", "03:00", "05:00", "UTC", "modifying"),
                          6, words);
    assert_windows_warned(WINDOW("a", "mon", "20:00", "21:00", "America/New_York", "additive")
                              WINDOW("b", "tue", "01:30", "02:30", "UTC", "modifying"),
                          6, words);
    /* One word about a window, however many it overlaps with. */
    assert_windows_warned(WINDOW("a", "sun", "02:00", "04:00", "UTC", "additive")
                              WINDOW("a2", "sun", "02:00", "04:00", "UTC", "additive")
                                  WINDOW("b", "sun", "03:59", "05:00", "UTC", "modifying"),
                          7, words);
}

static void windows_that_do_not_meet_are_not_spoken_of(void **state)
{
    (void)state;
    assert_windows_warned(WINDOW("a", "sun", "04:00", "05:00", "UTC", "additive")
                              WINDOW("b", "sun", "02:00", "04:00", "UTC", "modifying"),
                          0, NULL);
    assert_windows_warned(WINDOW("a", "sun", "02:00", "04:00", "UTC", "additive")
                              WINDOW("b", "sun", "04:00", "05:00", "UTC", "modifying"),
                          0, NULL);
    assert_windows_warned(WINDOW("a", "sun", "02:00", "04:00", "UTC", "additive")
                              WINDOW("b", "mon", "02:00", "04:00", "UTC", "modifying"),
                          0, NULL);
    assert_windows_warned(WINDOW("a", "sun", "02:00", "04:00", "UTC", "additive")
                              WINDOW("b", "sun", "02:00", "04:00", "UTC", "additive"),
                          0, NULL);
    assert_windows_warned(WINDOW("a", "sun", "02:00", "04:00", "America/New_York", "additive")
                              WINDOW("b", "sun", "02:00", "04:00", "UTC", "modifying"),
                          0, NULL);
    assert_windows_warned(
        WINDOW("a", "sun", "02:00", "04:00", "UTC",
               "additive") "    - { name: b, from: "
                           "\"2026-11-22T02:00:00Z\", to: \"2026-11-22T03:00:00Z\", allow: modifying }\n",
        0, NULL);
}

#define OF_RULE(rule, rest)                                                                                  \
    "    - { name: a, rrule: \"" rule "\", from: \"02:00\", allow: additive, " rest " }\n"

static void a_rule_that_does_not_make_a_window_of_it_is_worth_a_warning(void **state)
{
    (void)state;
    static const char never[] = "does not open in the next ten years";
    assert_windows_warned(OF_RULE("FREQ=DAILY;UNTIL=20261120", "duration: 1h"), 5, never);
    assert_windows_warned(OF_RULE("FREQ=DAILY", "duration: 1h, start: 2060-01-01"), 5, never);
    assert_windows_warned(OF_RULE("FREQ=DAILY", "duration: 24h"), 5, "this window never closes");
    assert_windows_warned(OF_RULE("FREQ=DAILY", "duration: 3d"), 5, "this window never closes");
    assert_windows_warned(OF_RULE("FREQ=WEEKLY;BYDAY=SA,SU", "duration: 25h"), 5, "run into one another");
    assert_windows_warned(OF_RULE("FREQ=WEEKLY;BYDAY=SA,SU", "duration: 24h"), 0, NULL);
    assert_windows_warned(OF_RULE("FREQ=DAILY", "duration: 1439m"), 0, NULL);
    assert_windows_warned(OF_RULE("FREQ=DAILY", "to: 01:59"), 0, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_class_but_none_has_a_word_and_no_word_is_without_a_class),
        cmocka_unit_test(a_rule_without_classes_is_about_all_that_are_guarded),
        cmocka_unit_test(the_defaults_change_nothing),
        cmocka_unit_test(what_is_written_comes_into_the_plan),
        cmocka_unit_test(a_rule_has_the_places_of_its_windows),
        cmocka_unit_test(a_window_beyond_the_sixty_fourth_has_its_bit),
        cmocka_unit_test(windows_that_overlap_and_allow_other_things_are_worth_a_warning),
        cmocka_unit_test(windows_that_do_not_meet_are_not_spoken_of),
        cmocka_unit_test(a_rule_that_does_not_make_a_window_of_it_is_worth_a_warning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
