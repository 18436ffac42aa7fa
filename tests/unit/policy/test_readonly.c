/* SPDX-License-Identifier: PostgreSQL */
#include "unit/policy/policies.h"

static const struct readonly_order order = { .scope = { .service = "ci" },
                                             .from_us = INT64_C(1795262400) * 1000000,
                                             .until_us = INT64_C(1795266000) * 1000000,
                                             .reason = "failover" };

static void all_classes_but_queries_and_locks_may_write(void **state)
{
    (void)state;
    for (unsigned class = 0; class < CLASS_COUNT; class ++) {
        bool may_write = class != CLASS_NONE && class != CLASS_LOCK;
        assert_int_equal(readonly_classes() >> class & 1, may_write);
    }
}

static void the_first_order_that_holds_is_found(void **state)
{
    (void)state;
    struct readonly_order orders[2] = { order, order };
    orders[1].scope = (struct scope){ .database = "shop" };
    orders[1].until_us = INT64_MAX;
    assert_ptr_equal(readonly_find(orders, 2, &deployer, now_us), &orders[0]);
    assert_ptr_equal(readonly_find(orders, 2, &deployer, order.until_us - 1), &orders[0]);
    assert_ptr_equal(readonly_find(orders, 2, &deployer, order.until_us), &orders[1]);
    assert_null(readonly_find(orders, 2, &deployer, now_us - 1));
    assert_null(readonly_find(orders, 2, &anybody, now_us));
    assert_null(readonly_find(orders, 0, &deployer, now_us));
}

static struct policy *ordered_policy(enum guard_mode mode)
{
    struct policy_plan plan = plan_of_windows();
    plan.mode = mode;
    plan.readonly_sqlstate = "25006";
    plan.orders = &order;
    plan.order_count = 1;
    return policy_of(&plan);
}

static void an_order_holds_in_every_mode(void **state)
{
    (void)state;
    for (int mode = 0; mode < GUARD_MODE_COUNT; mode++) {
        struct policy *policy = ordered_policy((enum guard_mode)mode);
        for (unsigned class = 0; class < CLASS_COUNT; class ++) {
            const struct verdict verdict = verdict_of((enum statement_class) class, "");
            bool may_write = (readonly_classes() >> class & 1) != 0;
            struct decision decision = decided(policy, &deployer, &verdict, NULL, now_us);
            assert_int_equal(decision.ground == GROUND_READONLY, may_write);
            assert_int_equal(decision.action == ACTION_REFUSE, may_write);
            assert_ptr_equal(decision.order, may_write ? &policy->orders[0] : NULL);
            assert_string_equal(guard_sqlstate(policy, &decision), may_write ? "25006" : "42501");
            assert_int_equal(guard_concerns(policy, &verdict), may_write);
        }
        policy_release(policy);
    }
}

static void an_order_leaves_others_and_other_times_alone(void **state)
{
    (void)state;
    const struct verdict insert = verdict_of(CLASS_WRITE, "INSERT");
    struct policy *policy = ordered_policy(GUARD_ENFORCE);
    assert_int_equal(decided(policy, &anybody, &insert, NULL, now_us).action, ACTION_PASS);
    assert_int_equal(decided(policy, &deployer, &insert, NULL, order.until_us).action, ACTION_PASS);
    assert_int_equal(decided(policy, &deployer, &insert, NULL, order.until_us - 1).action, ACTION_REFUSE);
    policy_release(policy);
}

static void what_is_only_prepared_is_stopped_if_it_changes_the_schema(void **state)
{
    (void)state;
    struct policy *policy = ordered_policy(GUARD_ENFORCE);
    for (unsigned class = 0; class < CLASS_COUNT; class ++) {
        const struct verdict verdict = verdict_of((enum statement_class) class, "");
        const struct guard_matter matter = { .verdict = &verdict };
        struct decision decision;
        guard_decide(policy, &deployer, &matter, now_us, &decision);
        assert_int_equal(decision.ground == GROUND_READONLY, verdict.is_guarded);
    }
    policy_release(policy);
}

static void an_order_is_stricter_than_all_else(void **state)
{
    (void)state;
    const struct object_pattern protected = pattern_of("orders");
    const struct object_names objects = objects_of(object_of("public", "orders"));
    const struct guard_rule rule = { .name = "free", .classes = bit_of(CLASS_WRITE), .action = RULE_ALLOW };
    struct policy_plan plan = plan_of_windows();
    plan.orders = &order;
    plan.order_count = 1;
    plan.protected = &protected;
    plan.protected_count = 1;
    plan.guard_rules = &rule;
    plan.guard_rule_count = 1;
    struct policy *policy = policy_of(&plan);
    const struct verdict drop = verdict_of(CLASS_DESTRUCTIVE, "DROP TABLE");
    const struct verdict insert = verdict_of(CLASS_WRITE, "INSERT");
    assert_int_equal(decided(policy, &deployer, &drop, &objects, now_us).ground, GROUND_READONLY);
    assert_int_equal(decided(policy, &deployer, &insert, NULL, now_us).ground, GROUND_READONLY);
    policy_release(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_classes_but_queries_and_locks_may_write),
        cmocka_unit_test(the_first_order_that_holds_is_found),
        cmocka_unit_test(an_order_holds_in_every_mode),
        cmocka_unit_test(an_order_leaves_others_and_other_times_alone),
        cmocka_unit_test(what_is_only_prepared_is_stopped_if_it_changes_the_schema),
        cmocka_unit_test(an_order_is_stricter_than_all_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
