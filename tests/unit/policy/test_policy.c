/* SPDX-License-Identifier: PostgreSQL */
#include "policy/guard.h"

#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_policy_lives_as_long_as_its_last_reference),
        cmocka_unit_test(a_policy_copies_its_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
