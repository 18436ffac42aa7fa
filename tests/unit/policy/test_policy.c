/* SPDX-License-Identifier: PostgreSQL */
#include "unit/policy/policies.h"

static void a_policy_lives_as_long_as_its_last_reference(void **state)
{
    (void)state;
    struct policy_plan plan = { .mode = GUARD_OBSERVE, .sqlstate = "MW001" };
    struct policy *policy = policy_create(&plan, 0);
    assert_non_null(policy);
    assert_ptr_equal(policy_share(policy), policy);
    policy_release(policy);
    assert_int_equal(policy->mode, GUARD_OBSERVE);
    policy_release(policy);
    policy_release(NULL);
}

static void a_policy_copies_its_plan(void **state)
{
    (void)state;
    char sqlstate[] = "42501";
    struct service_rule rules[] = { { .name = "kds" }, { .name = "booking" } };
    struct opening opening = { .name = "now", .from_us = 0, .to_us = 10, .allow = LEVEL_MODIFYING };
    struct policy_plan plan = { .mode = GUARD_ENFORCE,
                                .sqlstate = sqlstate,
                                .gate = { .openings = &opening, .opening_count = 1 },
                                .rules = rules,
                                .rule_count = 2 };
    struct policy *policy = policy_create(&plan, 0);
    assert_non_null(policy);
    memset(sqlstate, 'x', sizeof sqlstate - 1);
    memset(rules, 0, sizeof rules);
    memset(&opening, 0, sizeof opening);
    assert_string_equal(policy->sqlstate, "42501");
    assert_int_equal(policy->rule_count, 2);
    assert_string_equal(policy->rules[1].name, "booking");
    assert_string_equal(gate_at(&policy->gate, 9)->name, "now");
    assert_null(gate_at(&policy->gate, 10));
    policy_release(policy);
}

static void a_policy_copies_its_lists(void **state)
{
    (void)state;
    struct window own[2];
    struct guard_rule guard_rules[] = {
        { .name = "r", .action = RULE_WINDOW, .has_windows = true, .windows = { 1 } },
        { .name = "s", .action = RULE_REFUSE, .has_windows = true, .windows = { 1 } },
    };
    struct scoped_mode modes[] = { { .scope = { .user = "u" }, .mode = GUARD_OFF } };
    struct object_pattern protected[] = { pattern_of("public.orders") };
    struct readonly_order orders[] = { { .from_us = now_us, .until_us = INT64_MAX, .reason = "why" } };
    memcpy(own, windows, sizeof(own));
    struct policy_plan plan = { .mode = GUARD_OBSERVE,
                                .modes = modes,
                                .mode_count = 1,
                                .sqlstate = "42501",
                                .readonly_sqlstate = "25006",
                                .lets_transactions_finish = true,
                                .has_turns = true,
                                .rest_us = 7,
                                .gate = { .windows = own, .window_count = 2 },
                                .guard_rules = guard_rules,
                                .guard_rule_count = 2,
                                .protected = protected,
                                .protected_count = 1,
                                .orders = orders,
                                .order_count = 1 };
    struct policy *policy = policy_of(&plan);
    memset(own, 0, sizeof(own));
    memset(guard_rules, 0, sizeof(guard_rules));
    memset(modes, 0, sizeof(modes));
    memset(protected, 0, sizeof(protected));
    memset(orders, 0, sizeof(orders));
    assert_string_equal(policy->modes[0].scope.user, "u");
    assert_int_equal(policy->mode_count, 1);
    assert_string_equal(policy->guard_rules[0].name, "r");
    assert_int_equal(policy->guard_rule_count, 2);
    assert_string_equal(policy->protected[0].schema, "public");
    assert_int_equal(policy->protected_count, 1);
    assert_string_equal(policy->orders[0].reason, "why");
    assert_int_equal(policy->order_count, 1);
    assert_string_equal(policy->readonly_sqlstate, "25006");
    assert_true(policy->lets_transactions_finish && policy->has_turns && policy->rest_us == 7);
    assert_string_equal(gate_at(&policy->rule_gates[0], sunday_us)->name, "sunday");
    assert_null(gate_at(&policy->rule_gates[0], now_us));
    assert_int_equal(policy->rule_gates[1].count, 0);
    policy_release(policy);
}

static void every_window_of_a_rule_is_found_by_its_bit(void **state)
{
    (void)state;
    enum { MANY = POLICY_WINDOWS_MOST + 4 };
    struct window *many = calloc(MANY, sizeof(*many));
    struct guard_rule rule = { .action = RULE_WINDOW, .has_windows = true };
    for (size_t i = 0; i < MANY; i++) {
        many[i] = windows[1];
        (void)snprintf(many[i].name, sizeof(many[i].name), "w%zu", i);
    }
    static const size_t picked[] = { 0, 63, 64, 200, 255 };
    for (size_t i = 0; i < COUNT_OF(picked); i++) {
        char name[16];
        memset(rule.windows, 0, sizeof(rule.windows));
        rule.windows[picked[i] / 64] = UINT64_C(1) << picked[i] % 64;
        struct policy_plan plan = plan_of_windows();
        plan.gate.windows = many;
        plan.gate.window_count = MANY;
        plan.guard_rules = &rule;
        plan.guard_rule_count = 1;
        struct policy *policy = policy_of(&plan);
        (void)snprintf(name, sizeof(name), "w%zu", picked[i]);
        assert_string_equal(gate_at(&policy->rule_gates[0], now_us)->name, name);
        policy_release(policy);
    }
    free(many);
}

static void a_freeze_of_a_rule_is_told_in_the_zone_of_the_plan(void **state)
{
    (void)state;
    const struct guard_rule rule = { .action = RULE_WINDOW, .has_windows = true };
    const struct freeze freeze = { .name = "peak", .from_us = now_us, .to_us = now_us + minute_us };
    struct policy_plan plan = plan_of_windows();
    plan.guard_rules = &rule;
    plan.guard_rule_count = 1;
    plan.gate.freezes = &freeze;
    plan.gate.freeze_count = 1;
    struct policy *policy = policy_of(&plan);
    assert_string_equal(gate_at(&policy->rule_gates[0], now_us)->to_text, "2026-11-21T07:01:00-05:00");
    policy_release(policy);
}

static void an_order_is_told_in_the_zone_of_the_plan(void **state)
{
    (void)state;
    const struct readonly_order orders[] = { { .from_us = now_us, .until_us = now_us + minute_us },
                                             { .from_us = now_us, .until_us = INT64_MAX } };
    struct policy_plan plan = plan_of_windows();
    plan.orders = orders;
    plan.order_count = 2;
    struct policy *policy = policy_of(&plan);
    assert_string_equal(policy->orders[0].until_text, "2026-11-21T07:01:00-05:00");
    assert_string_equal(policy->orders[1].until_text, "");
    policy_release(policy);
}

static void without_a_code_of_their_own_orders_have_the_common_one(void **state)
{
    (void)state;
    struct policy_plan plan = { .sqlstate = "MW001" };
    struct policy *policy = policy_of(&plan);
    assert_string_equal(policy->readonly_sqlstate, "MW001");
    policy_release(policy);
}

static uint16_t watched_of(const struct policy_plan *plan)
{
    struct policy *policy = policy_of(plan);
    uint16_t watched = policy->watched;
    policy_release(policy);
    return watched;
}

static void only_what_something_may_refuse_is_watched(void **state)
{
    (void)state;
    uint16_t guarded = 0;
    for (unsigned class = 0; class < CLASS_COUNT; class ++)
        guarded |= statement_class_is_guarded((enum statement_class) class) ? 1U << class : 0;
    struct guard_rule rules[] = {
        { .classes = bit_of(CLASS_LOCK), .action = RULE_REFUSE },
        { .classes = bit_of(CLASS_OPAQUE), .action = RULE_WINDOW },
        { .classes = bit_of(CLASS_COPY_PROGRAM), .action = RULE_ALLOW },
    };
    struct readonly_order order = { .from_us = 0, .until_us = INT64_MAX };
    struct scoped_mode mode = { .scope = { .user = "u" }, .mode = GUARD_OBSERVE };
    struct policy_plan plan = plan_of_windows();
    assert_int_equal(watched_of(&plan), guarded);
    plan.guard_rules = rules;
    plan.guard_rule_count = COUNT_OF(rules);
    assert_int_equal(watched_of(&plan), guarded | bit_of(CLASS_LOCK) | bit_of(CLASS_OPAQUE));
    plan.mode = GUARD_OFF;
    assert_int_equal(watched_of(&plan), 0);
    plan.modes = &mode;
    plan.mode_count = 1;
    assert_int_equal(watched_of(&plan), guarded | bit_of(CLASS_LOCK) | bit_of(CLASS_OPAQUE));
    mode.mode = GUARD_OFF;
    assert_int_equal(watched_of(&plan), 0);
    plan.orders = &order;
    plan.order_count = 1;
    assert_int_equal(watched_of(&plan), readonly_classes());
    plan.mode = GUARD_OBSERVE;
    assert_int_equal(watched_of(&plan), readonly_classes() | bit_of(CLASS_LOCK));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_policy_lives_as_long_as_its_last_reference),
        cmocka_unit_test(a_policy_copies_its_plan),
        cmocka_unit_test(a_policy_copies_its_lists),
        cmocka_unit_test(every_window_of_a_rule_is_found_by_its_bit),
        cmocka_unit_test(a_freeze_of_a_rule_is_told_in_the_zone_of_the_plan),
        cmocka_unit_test(an_order_is_told_in_the_zone_of_the_plan),
        cmocka_unit_test(without_a_code_of_their_own_orders_have_the_common_one),
        cmocka_unit_test(only_what_something_may_refuse_is_watched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
