/* SPDX-License-Identifier: PostgreSQL */
#include "unit/policy/policies.h"

static bool holds(const struct guard_rule *rule, enum statement_class class,
                  const struct object_names *objects)
{
    const struct rule_question question = { &deployer, class, objects };
    return guard_rule_holds(rule, &question);
}

static void a_rule_is_about_its_classes_or_all_that_are_guarded(void **state)
{
    (void)state;
    const struct guard_rule all = { .action = RULE_REFUSE };
    const struct guard_rule some = { .classes = bit_of(CLASS_LOCK) | bit_of(CLASS_DCL),
                                     .action = RULE_REFUSE };
    for (unsigned index = 0; index < CLASS_COUNT; index++) {
        enum statement_class class = (enum statement_class)index;
        assert_int_equal(holds(&all, class, NULL), statement_class_is_guarded(class));
        assert_int_equal(holds(&some, class, NULL), class == CLASS_LOCK || class == CLASS_DCL);
    }
}

static void a_rule_is_about_its_scope(void **state)
{
    (void)state;
    struct guard_rule rule = { .scope = { .user = "deployer", .service = "c*" } };
    assert_true(holds(&rule, CLASS_ADDITIVE, NULL));
    (void)bytes_copy_text(bytes_text("shop2"), rule.scope.database, sizeof(rule.scope.database));
    assert_false(holds(&rule, CLASS_ADDITIVE, NULL));
}

/* Whether rules about scratch.* hold: one that refuses, and those of the other actions. */
static void assert_about_scratch(const struct object_names *objects, bool refuses, bool others)
{
    struct guard_rule rule = { .has_object = true, .object = pattern_of("scratch.*") };
    rule.action = RULE_REFUSE;
    assert_int_equal(holds(&rule, CLASS_ADDITIVE, objects), refuses);
    rule.action = RULE_ALLOW;
    assert_int_equal(holds(&rule, CLASS_ADDITIVE, objects), others);
    rule.action = RULE_WINDOW;
    assert_int_equal(holds(&rule, CLASS_ADDITIVE, objects), others);
}

static void what_may_be_meant_is_refused_and_what_surely_is_allowed(void **state)
{
    (void)state;
    struct object_names objects = objects_of(object_of("scratch", "a"));
    assert_about_scratch(&objects, true, true);
    objects.names[objects.count++] = object_of("scratch", "b");
    assert_about_scratch(&objects, true, true);
    objects.names[objects.count++] = object_of("public", "a");
    assert_about_scratch(&objects, true, false);
    objects = objects_of(object_of("public", "a"));
    assert_about_scratch(&objects, false, false);
    objects = objects_of(object_of("", "a"));
    assert_about_scratch(&objects, true, false);
    objects = objects_of(object_of("scratch", "a"));
    objects.is_complete = false;
    assert_about_scratch(&objects, true, false);
    objects = (struct object_names){ .is_complete = true };
    assert_about_scratch(&objects, false, false);
    assert_about_scratch(NULL, true, false);
}

static void an_object_that_is_only_referred_to_counts_like_others(void **state)
{
    (void)state;
    struct object_names objects = objects_of(object_of("scratch", "a"));
    objects.names[objects.count++] = object_of("public", "orders");
    objects.names[1].is_referred = true;
    assert_about_scratch(&objects, true, false);
    objects.names[0] = object_of("public", "carts");
    objects.names[1] = object_of("scratch", "b");
    objects.names[1].is_referred = true;
    assert_about_scratch(&objects, true, false);
}

static void names_say_nothing_of_what_changes_no_schema(void **state)
{
    (void)state;
    const struct object_names objects = objects_of(object_of("scratch", "a"));
    const struct object_names others = objects_of(object_of("public", "a"));
    struct guard_rule rule = { .has_object = true,
                               .object = pattern_of("scratch.*"),
                               .classes = bit_of(CLASS_WRITE),
                               .action = RULE_ALLOW };
    assert_false(holds(&rule, CLASS_WRITE, &objects));
    rule.action = RULE_REFUSE;
    assert_true(holds(&rule, CLASS_WRITE, &others));
}

static struct policy *ruled_policy(const struct guard_rule *rules, size_t count, enum guard_mode mode)
{
    struct policy_plan plan = plan_of_windows();
    plan.mode = mode;
    plan.guard_rules = rules;
    plan.guard_rule_count = count;
    return policy_of(&plan);
}

static void the_first_rule_that_holds_decides(void **state)
{
    (void)state;
    const struct guard_rule rules[] = {
        { .name = "free",
          .scope = { .user = "deployer" },
          .classes = bit_of(CLASS_DCL),
          .action = RULE_ALLOW },
        { .name = "no", .classes = bit_of(CLASS_DCL), .action = RULE_REFUSE },
        { .name = "never-asked", .classes = bit_of(CLASS_DCL), .action = RULE_ALLOW },
    };
    const struct verdict grant = verdict_of(CLASS_DCL, "GRANT");
    struct policy *policy = ruled_policy(rules, COUNT_OF(rules), GUARD_ENFORCE);
    struct decision decision = decided(policy, &deployer, &grant, NULL, now_us + 60 * minute_us);
    assert_int_equal(decision.action, ACTION_PASS);
    assert_int_equal(decision.ground, GROUND_RULE_ALLOWS);
    assert_ptr_equal(decision.rule, &policy->guard_rules[0]);
    assert_null(decision.span);
    decision = decided(policy, &anybody, &grant, NULL, sunday_us);
    assert_int_equal(decision.action, ACTION_REFUSE);
    assert_int_equal(decision.ground, GROUND_RULE_REFUSES);
    assert_ptr_equal(decision.rule, &policy->guard_rules[1]);
    policy_release(policy);
}

static void a_rule_may_ask_windows_for_what_is_not_guarded(void **state)
{
    (void)state;
    const struct guard_rule rule = { .classes = bit_of(CLASS_LOCK), .action = RULE_WINDOW };
    const struct verdict lock = verdict_of(CLASS_LOCK, "LOCK");
    struct policy *policy = ruled_policy(&rule, 1, GUARD_ENFORCE);
    assert_true(guard_concerns(policy, &lock));
    assert_int_equal(decided(policy, &anybody, &lock, NULL, now_us).ground, GROUND_WINDOW);
    assert_int_equal(decided(policy, &anybody, &lock, NULL, now_us + 60 * minute_us).ground, GROUND_CLOSED);
    policy_release(policy);
}

static void a_cap_holds_whatever_is_open(void **state)
{
    (void)state;
    const struct guard_rule rule = { .name = "small", .action = RULE_WINDOW, .most = LEVEL_ADDITIVE };
    const struct opening openings[] = {
        { .name = "all", .from_us = now_us, .to_us = now_us + minute_us, .allow = LEVEL_MODIFYING },
        { .name = "mine",
          .from_us = now_us,
          .to_us = now_us + minute_us,
          .allow = LEVEL_MODIFYING,
          .scope = { .user = "deployer" } },
    };
    const struct verdict alter = verdict_of(CLASS_MODIFYING, "ALTER TABLE");
    const struct verdict create = verdict_of(CLASS_ADDITIVE, "CREATE TABLE");
    struct policy_plan plan = plan_of_windows();
    plan.guard_rules = &rule;
    plan.guard_rule_count = 1;
    plan.lets_transactions_finish = true;
    plan.gate.openings = openings;
    plan.gate.opening_count = COUNT_OF(openings);
    struct policy *policy = policy_of(&plan);
    struct decision decision = decided(policy, &deployer, &alter, NULL, now_us);
    assert_int_equal(decision.action, ACTION_REFUSE);
    assert_int_equal(decision.ground, GROUND_CAPPED);
    assert_ptr_equal(decision.rule, &policy->guard_rules[0]);
    assert_null(decision.next);
    assert_int_equal(decided(policy, &deployer, &alter, NULL, sunday_us).ground, GROUND_CAPPED);
    assert_int_equal(decided(policy, &deployer, &create, NULL, now_us).ground, GROUND_WINDOW);
    assert_int_equal(decided(policy, &anybody, &create, NULL, sunday_us).ground, GROUND_WINDOW);
    policy_release(policy);
}

static void a_rule_counts_its_own_windows_only(void **state)
{
    (void)state;
    const struct guard_rule rule = { .action = RULE_WINDOW, .has_windows = true, .windows = { 1 } };
    const struct verdict create = verdict_of(CLASS_ADDITIVE, "CREATE TABLE");
    struct policy *policy = ruled_policy(&rule, 1, GUARD_ENFORCE);
    struct decision decision = decided(policy, &anybody, &create, NULL, now_us);
    assert_int_equal(decision.ground, GROUND_CLOSED);
    assert_string_equal(decision.next->name, "sunday");
    assert_non_null(decision.rule);
    decision = decided(policy, &anybody, &create, NULL, sunday_us);
    assert_int_equal(decision.ground, GROUND_WINDOW);
    assert_string_equal(decision.span->name, "sunday");
    assert_non_null(decision.rule);
    policy_release(policy);
}

static void a_rule_that_counts_no_window_closes_all(void **state)
{
    (void)state;
    const struct guard_rule rule = { .action = RULE_WINDOW, .has_windows = true };
    const struct verdict create = verdict_of(CLASS_ADDITIVE, "CREATE TABLE");
    struct policy *policy = ruled_policy(&rule, 1, GUARD_ENFORCE);
    struct decision decision = decided(policy, &anybody, &create, NULL, sunday_us);
    assert_int_equal(decision.ground, GROUND_CLOSED);
    assert_null(decision.next);
    policy_release(policy);
}

static void freezes_and_openings_hold_for_a_rules_windows_too(void **state)
{
    (void)state;
    const struct guard_rule rule = { .action = RULE_WINDOW, .has_windows = true, .windows = { 1 } };
    const struct freeze freeze = { .name = "peak", .from_us = sunday_us, .to_us = sunday_us + minute_us };
    const struct opening openings[] = {
        { .name = "all", .from_us = now_us, .to_us = now_us + minute_us, .allow = LEVEL_MODIFYING },
        { .name = "mine",
          .from_us = now_us + minute_us,
          .to_us = now_us + 2 * minute_us,
          .allow = LEVEL_MODIFYING,
          .scope = { .user = "deployer" } },
    };
    const struct verdict alter = verdict_of(CLASS_MODIFYING, "ALTER TABLE");
    struct policy_plan plan = plan_of_windows();
    plan.guard_rules = &rule;
    plan.guard_rule_count = 1;
    plan.gate.freezes = &freeze;
    plan.gate.freeze_count = 1;
    plan.gate.openings = openings;
    plan.gate.opening_count = COUNT_OF(openings);
    struct policy *policy = policy_of(&plan);
    assert_string_equal(decided(policy, &anybody, &alter, NULL, now_us).span->name, "all");
    assert_string_equal(decided(policy, &deployer, &alter, NULL, now_us + minute_us).span->name, "mine");
    assert_int_equal(decided(policy, &anybody, &alter, NULL, now_us + minute_us).ground, GROUND_CLOSED);
    struct decision decision = decided(policy, &anybody, &alter, NULL, sunday_us);
    assert_int_equal(decision.ground, GROUND_FREEZE);
    assert_string_equal(decision.span->to_text, "2026-11-22T02:01:00-05:00");
    policy_release(policy);
}

static void in_the_other_modes_a_rule_refuses_nothing(void **state)
{
    (void)state;
    const struct guard_rule rule = { .action = RULE_REFUSE };
    const struct verdict create = verdict_of(CLASS_ADDITIVE, "CREATE TABLE");
    struct policy *policy = ruled_policy(&rule, 1, GUARD_OBSERVE);
    struct decision decision = decided(policy, &anybody, &create, NULL, sunday_us);
    assert_int_equal(decision.action, ACTION_WOULD_REFUSE);
    assert_int_equal(decision.ground, GROUND_RULE_REFUSES);
    policy_release(policy);
    policy = ruled_policy(&rule, 1, GUARD_OFF);
    decision = decided(policy, &anybody, &create, NULL, sunday_us);
    assert_int_equal(decision.action, ACTION_PASS);
    assert_null(decision.rule);
    policy_release(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_is_about_its_classes_or_all_that_are_guarded),
        cmocka_unit_test(a_rule_is_about_its_scope),
        cmocka_unit_test(what_may_be_meant_is_refused_and_what_surely_is_allowed),
        cmocka_unit_test(an_object_that_is_only_referred_to_counts_like_others),
        cmocka_unit_test(names_say_nothing_of_what_changes_no_schema),
        cmocka_unit_test(the_first_rule_that_holds_decides),
        cmocka_unit_test(a_rule_may_ask_windows_for_what_is_not_guarded),
        cmocka_unit_test(a_cap_holds_whatever_is_open),
        cmocka_unit_test(a_rule_counts_its_own_windows_only),
        cmocka_unit_test(a_rule_that_counts_no_window_closes_all),
        cmocka_unit_test(freezes_and_openings_hold_for_a_rules_windows_too),
        cmocka_unit_test(in_the_other_modes_a_rule_refuses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
