/* SPDX-License-Identifier: PostgreSQL */
#include "unit/policy/policies.h"

static struct policy *protected_policy(enum guard_mode mode)
{
    static const struct opening openings[] = { { .name = "all",
                                                 .from_us = INT64_C(1795262400) * 1000000,
                                                 .to_us = INT64_MAX,
                                                 .allow = LEVEL_MODIFYING } };
    static const struct guard_rule rule = { .name = "free", .action = RULE_ALLOW };
    struct object_pattern patterns[] = { pattern_of("public.orders"), pattern_of("audit.*") };
    struct policy_plan plan = plan_of_windows();
    plan.mode = mode;
    plan.gate.openings = openings;
    plan.gate.opening_count = 1;
    plan.guard_rules = &rule;
    plan.guard_rule_count = 1;
    plan.protected = patterns;
    plan.protected_count = COUNT_OF(patterns);
    return policy_of(&plan);
}

static void nothing_opens_a_protected_object(void **state)
{
    (void)state;
    const struct verdict drop = verdict_of(CLASS_DESTRUCTIVE, "DROP TABLE");
    struct object_names objects = objects_of(object_of("public", "carts"));
    struct policy *policy = protected_policy(GUARD_ENFORCE);
    assert_int_equal(decided(policy, &anybody, &drop, &objects, now_us).ground, GROUND_RULE_ALLOWS);
    objects.names[objects.count++] = object_of("", "orders");
    struct decision decision = decided(policy, &anybody, &drop, &objects, now_us);
    assert_int_equal(decision.action, ACTION_REFUSE);
    assert_int_equal(decision.ground, GROUND_PROTECTED);
    assert_ptr_equal(decision.object, &objects.names[1]);
    assert_ptr_equal(decision.protected, &policy->protected[0]);
    objects.names[objects.count++] = object_of("audit", "log"); /* surely, goes before one that only may be */
    objects.names[objects.count++] = object_of("audit", "events");
    decision = decided(policy, &anybody, &drop, &objects, now_us);
    assert_ptr_equal(decision.object, &objects.names[2]);
    assert_ptr_equal(decision.protected, &policy->protected[1]);
    policy_release(policy);
}

static void names_that_are_not_known_may_be_protected_ones(void **state)
{
    (void)state;
    const struct verdict drop = verdict_of(CLASS_DESTRUCTIVE, "DROP TABLE");
    const struct verdict insert = verdict_of(CLASS_WRITE, "INSERT");
    struct object_names objects = objects_of(object_of("public", "carts"));
    struct policy *policy = protected_policy(GUARD_ENFORCE);
    objects.is_complete = false;
    struct decision decision = decided(policy, &anybody, &drop, &objects, now_us);
    assert_int_equal(decision.ground, GROUND_PROTECTED);
    assert_null(decision.object);
    assert_int_equal(decided(policy, &anybody, &drop, NULL, now_us).ground, GROUND_PROTECTED);
    assert_int_equal(decided(policy, &anybody, &insert, NULL, now_us).action, ACTION_PASS);
    policy_release(policy);
    policy = protected_policy(GUARD_OBSERVE);
    assert_int_equal(decided(policy, &anybody, &drop, NULL, now_us).action, ACTION_WOULD_REFUSE);
    policy_release(policy);
    policy = protected_policy(GUARD_OFF);
    assert_int_equal(decided(policy, &anybody, &drop, NULL, now_us).action, ACTION_PASS);
    policy_release(policy);
}

/* Whether a decision on such a ground takes a turn while nobody, or session 1, is in. */
static bool takes_turn(bool is_taken, struct decision *decision, enum guard_mode mode, bool has_turns)
{
    const struct turnstile_claim first = { .session = 1, .database = bytes_text("shop") };
    const struct turnstile_claim claim = { .session = 2, .database = bytes_text("shop") };
    struct turnstile *turnstile = turnstile_create();
    struct policy_plan plan = plan_of_windows();
    plan.has_turns = has_turns;
    struct policy *policy = policy_of(&plan);
    struct turnstile_holder holder;
    if (is_taken)
        assert_true(turnstile_enter(turnstile, &first, now_us, &holder));
    bool is_in = guard_take_turn(policy, turnstile, &claim, mode, now_us, decision);
    assert_false(guard_take_turn(policy, NULL, &claim, mode, now_us, decision));
    policy_release(policy);
    turnstile_destroy(turnstile);
    return is_in;
}

static void what_passes_takes_its_turn_or_waits(void **state)
{
    (void)state;
    static const enum guard_ground passing[] = { GROUND_WINDOW, GROUND_RULE_ALLOWS, GROUND_TRANSACTION };
    for (size_t i = 0; i < COUNT_OF(passing); i++) {
        const struct decision made = { .ground = passing[i], .class = CLASS_ADDITIVE };
        struct decision decision = made;
        assert_true(takes_turn(false, &decision, GUARD_ENFORCE, true));
        assert_int_equal(decision.action, ACTION_PASS);
        assert_int_equal(decision.ground, passing[i]);
        assert_false(takes_turn(true, &decision, GUARD_ENFORCE, true));
        assert_int_equal(decision.action, ACTION_REFUSE);
        assert_int_equal(decision.ground, GROUND_TAKEN);
        assert_string_equal(decision.holder.text, "service \"\", user \"\"");
        decision = made;
        assert_false(takes_turn(true, &decision, GUARD_OBSERVE, true));
        assert_int_equal(decision.action, ACTION_WOULD_REFUSE);
        assert_int_equal(decision.ground, GROUND_TAKEN);
        decision = made;
        assert_false(takes_turn(true, &decision, GUARD_ENFORCE, false));
        assert_int_equal(decision.action, ACTION_PASS);
    }
}

static void only_schema_changes_that_pass_take_turns(void **state)
{
    (void)state;
    const struct decision others[] = {
        { .ground = GROUND_UNGUARDED, .class = CLASS_ADDITIVE },
        { .ground = GROUND_RULE_ALLOWS, .class = CLASS_WRITE },
        { .ground = GROUND_CLOSED, .action = ACTION_REFUSE, .class = CLASS_ADDITIVE },
        { .ground = GROUND_CLOSED, .action = ACTION_WOULD_REFUSE, .class = CLASS_ADDITIVE },
    };
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        struct decision decision = others[i];
        assert_false(takes_turn(false, &decision, GUARD_ENFORCE, true));
        assert_false(takes_turn(true, &decision, GUARD_ENFORCE, true));
        assert_int_equal(decision.ground, others[i].ground);
        assert_int_equal(decision.action, others[i].action);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_opens_a_protected_object),
        cmocka_unit_test(names_that_are_not_known_may_be_protected_ones),
        cmocka_unit_test(what_passes_takes_its_turn_or_waits),
        cmocka_unit_test(only_schema_changes_that_pass_take_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
