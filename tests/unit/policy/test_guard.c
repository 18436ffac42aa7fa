/* SPDX-License-Identifier: PostgreSQL */
#include "unit/policy/policies.h"

static struct policy *policy_make(enum guard_mode mode, const struct freeze *freeze, size_t window_count)
{
    struct policy_plan plan = plan_of_windows();
    plan.mode = mode;
    plan.gate.window_count = window_count;
    plan.gate.freezes = freeze;
    plan.gate.freeze_count = freeze != NULL ? 1 : 0;
    return policy_of(&plan);
}

static enum guard_action decide(const struct policy *policy, enum statement_class class, int64_t at_us)
{
    struct verdict verdict = verdict_of(class, "");
    return decided(policy, &anybody, &verdict, NULL, at_us).action;
}

static void the_window_decides_by_its_level(void **state)
{
    (void)state;
    struct policy *policy = policy_make(GUARD_ENFORCE, NULL, 2);
    assert_int_equal(decide(policy, CLASS_MODIFYING, now_us), ACTION_REFUSE);
    assert_int_equal(decide(policy, CLASS_ADDITIVE, now_us), ACTION_PASS);
    assert_int_equal(decide(policy, CLASS_ADDITIVE, now_us + 60 * minute_us), ACTION_REFUSE);
    assert_int_equal(decide(policy, CLASS_MODIFYING, sunday_us - 1), ACTION_REFUSE);
    assert_int_equal(decide(policy, CLASS_MODIFYING, sunday_us), ACTION_PASS);
    assert_int_equal(decide(policy, CLASS_ADDITIVE, sunday_us), ACTION_PASS);
    assert_int_equal(decide(policy, CLASS_MODIFYING, sunday_us + 120 * minute_us - 1), ACTION_PASS);
    assert_int_equal(decide(policy, CLASS_MODIFYING, sunday_us + 120 * minute_us), ACTION_REFUSE);
    policy_release(policy);
}

static void a_decision_names_the_spans(void **state)
{
    (void)state;
    const struct verdict create = verdict_of(CLASS_ADDITIVE, "CREATE TABLE");
    const struct verdict alter = verdict_of(CLASS_MODIFYING, "ALTER TABLE");
    struct policy *policy = policy_make(GUARD_ENFORCE, NULL, 2);
    struct decision decision = decided(policy, &anybody, &create, NULL, now_us);
    assert_string_equal(decision.span->name, "low-traffic");
    assert_int_equal(decision.ground, GROUND_WINDOW);
    assert_int_equal(decision.class, CLASS_ADDITIVE);
    assert_int_equal(decision.level, LEVEL_ADDITIVE);
    decision = decided(policy, &anybody, &alter, NULL, now_us);
    assert_string_equal(decision.span->name, "low-traffic");
    assert_string_equal(decision.next->name, "sunday");
    assert_int_equal(decision.ground, GROUND_LESS);
    decision = decided(policy, &anybody, &alter, NULL, now_us + 60 * minute_us);
    assert_null(decision.span);
    assert_string_equal(decision.next->name, "sunday");
    assert_int_equal(decision.ground, GROUND_CLOSED);
    policy_release(policy);
}

static void what_is_not_guarded_passes_without_a_span(void **state)
{
    (void)state;
    static const enum statement_class classes[] = { CLASS_NONE, CLASS_WRITE, CLASS_LOCK, CLASS_COPY_PROGRAM,
                                                    CLASS_OPAQUE };
    struct policy *policy = policy_make(GUARD_ENFORCE, NULL, 0);
    for (size_t i = 0; i < COUNT_OF(classes); i++) {
        const struct verdict verdict = verdict_of(classes[i], "");
        struct decision decision = decided(policy, &anybody, &verdict, NULL, now_us);
        assert_int_equal(decision.action, ACTION_PASS);
        assert_int_equal(decision.ground, GROUND_UNGUARDED);
        assert_null(decision.span);
        assert_false(guard_concerns(policy, &verdict));
    }
    policy_release(policy);
}

static void a_guarded_statement_of_no_risk_waits_for_any_window_but_no_freeze(void **state)
{
    (void)state;
    struct verdict verdict = verdict_of(CLASS_MAINTENANCE, "VACUUM");
    verdict.level = LEVEL_NONE;
    verdict.levels[CLASS_MAINTENANCE] = LEVEL_NONE;
    struct freeze freeze = { .name = "peak", .from_us = now_us, .to_us = now_us + minute_us };
    struct policy *policy = policy_make(GUARD_ENFORCE, &freeze, 2);
    struct decision decision = decided(policy, &anybody, &verdict, NULL, now_us);
    assert_int_equal(decision.action, ACTION_REFUSE);
    assert_int_equal(decision.ground, GROUND_FREEZE);
    assert_int_equal(decided(policy, &anybody, &verdict, NULL, now_us + minute_us).action, ACTION_PASS);
    assert_int_equal(decided(policy, &anybody, &verdict, NULL, now_us + 120 * minute_us).action,
                     ACTION_REFUSE);
    policy_release(policy);
}

static void modes_refuse_report_or_stay_silent(void **state)
{
    (void)state;
    static const enum guard_action expected[] = {
        [GUARD_ENFORCE] = ACTION_REFUSE, [GUARD_OBSERVE] = ACTION_WOULD_REFUSE, [GUARD_OFF] = ACTION_PASS
    };
    static const char *const names[] = {
        [GUARD_ENFORCE] = "enforce", [GUARD_OBSERVE] = "observe", [GUARD_OFF] = "off"
    };
    for (int mode = 0; mode < GUARD_MODE_COUNT; mode++) {
        struct policy *policy = policy_make((enum guard_mode)mode, NULL, 2);
        assert_int_equal(decide(policy, CLASS_MODIFYING, now_us), expected[mode]);
        assert_int_equal(decide(policy, CLASS_ADDITIVE, now_us), ACTION_PASS);
        assert_string_equal(guard_mode_name((enum guard_mode)mode), names[mode]);
        policy_release(policy);
    }
}

static void the_first_mode_that_holds_for_somebody_counts(void **state)
{
    (void)state;
    const struct scoped_mode modes[] = {
        { .scope = { .user = "deployer", .database = "sh*" }, .mode = GUARD_OBSERVE },
        { .scope = { .user = "deployer" }, .mode = GUARD_OFF },
    };
    const struct verdict alter = verdict_of(CLASS_MODIFYING, "ALTER TABLE");
    struct guard_subject elsewhere = deployer;
    elsewhere.database = bytes_text("bar");
    struct policy_plan plan = plan_of_windows();
    plan.modes = modes;
    plan.mode_count = COUNT_OF(modes);
    struct policy *policy = policy_of(&plan);
    assert_int_equal(guard_mode_for(policy, &deployer), GUARD_OBSERVE);
    assert_int_equal(guard_mode_for(policy, &elsewhere), GUARD_OFF);
    assert_int_equal(guard_mode_for(policy, &anybody), GUARD_ENFORCE);
    assert_int_equal(decided(policy, &deployer, &alter, NULL, now_us).action, ACTION_WOULD_REFUSE);
    assert_int_equal(decided(policy, &anybody, &alter, NULL, now_us).action, ACTION_REFUSE);
    struct decision decision = decided(policy, &elsewhere, &alter, NULL, now_us);
    assert_int_equal(decision.action, ACTION_PASS);
    assert_int_equal(decision.ground, GROUND_UNGUARDED);
    policy_release(policy);
}

static void beyond_the_line_the_gate_is_closed(void **state)
{
    (void)state;
    struct policy *policy = policy_make(GUARD_ENFORCE, NULL, 2);
    int64_t end_us = now_us + POLICY_DAYS * 1440 * minute_us;
    assert_true(policy->gate.to_us == end_us);
    assert_int_equal(decide(policy, CLASS_ADDITIVE, end_us), ACTION_REFUSE);
    policy_release(policy);
}

static struct policy *scoped_policy(const struct opening *openings, size_t count, const struct freeze *freeze)
{
    struct policy_plan plan = plan_of_windows();
    plan.gate.freezes = freeze;
    plan.gate.freeze_count = freeze != NULL ? 1 : 0;
    plan.gate.openings = openings;
    plan.gate.opening_count = count;
    return policy_of(&plan);
}

static const struct gate_span *deciding(const struct policy *policy, const struct guard_subject *subject,
                                        enum statement_class class, int64_t at_us, enum guard_action action)
{
    const struct verdict verdict = verdict_of(class, "");
    struct decision decision = decided(policy, subject, &verdict, NULL, at_us);
    assert_int_equal(decision.action, action);
    return decision.span;
}

static void an_opening_for_some_lets_only_them_pass(void **state)
{
    (void)state;
    struct freeze freeze = { .name = "peak", .from_us = now_us, .to_us = now_us + 60 * minute_us };
    struct opening opening = { .name = "repair",
                               .from_us = now_us,
                               .to_us = now_us + 10 * minute_us,
                               .allow = LEVEL_MODIFYING,
                               .scope = { .user = "deployer", .database = "shop" },
                               .reason = "ticket" };
    for (int frozen = 0; frozen < 2; frozen++) {
        struct policy *policy = scoped_policy(&opening, 1, frozen ? &freeze : NULL);
        const struct gate_span *span = deciding(policy, &deployer, CLASS_MODIFYING, now_us, ACTION_PASS);
        assert_string_equal(span->name, "repair");
        assert_string_equal(span->reason, "ticket");
        assert_string_equal(span->to_text, "2026-11-21T07:10:00-05:00");
        span = deciding(policy, &anybody, CLASS_MODIFYING, now_us, ACTION_REFUSE);
        assert_string_equal(span->name, frozen ? "peak" : "low-traffic");
        (void)deciding(policy, &deployer, CLASS_MODIFYING, now_us + 10 * minute_us, ACTION_REFUSE);
        (void)deciding(policy, &deployer, CLASS_MODIFYING, now_us - 1, ACTION_REFUSE);
        policy_release(policy);
    }
}

static void an_opening_for_some_takes_nothing_from_what_is_for_all(void **state)
{
    (void)state;
    struct opening openings[] = {
        { .name = "little",
          .from_us = now_us,
          .to_us = now_us + 60 * minute_us,
          .allow = LEVEL_ADDITIVE,
          .scope = { .service = "c?" } },
        { .name = "all", .from_us = now_us, .to_us = now_us + 5 * minute_us, .allow = LEVEL_MODIFYING }
    };
    struct policy *policy = scoped_policy(openings, 2, NULL);
    assert_string_equal(deciding(policy, &deployer, CLASS_MODIFYING, now_us, ACTION_PASS)->name, "all");
    assert_string_equal(deciding(policy, &anybody, CLASS_MODIFYING, now_us, ACTION_PASS)->name, "all");
    /* of equals the opening before the window */
    int64_t later_us = now_us + 5 * minute_us;
    assert_string_equal(deciding(policy, &deployer, CLASS_ADDITIVE, later_us, ACTION_PASS)->name, "little");
    assert_string_equal(deciding(policy, &anybody, CLASS_ADDITIVE, later_us, ACTION_PASS)->name,
                        "low-traffic");
    policy_release(policy);
}

static void the_next_window_is_the_next_of_whoever_asks(void **state)
{
    (void)state;
    const struct verdict alter = verdict_of(CLASS_MODIFYING, "ALTER TABLE");
    struct opening opening = { .name = "soon",
                               .from_us = now_us + 30 * minute_us,
                               .to_us = now_us + 40 * minute_us,
                               .allow = LEVEL_MODIFYING,
                               .scope = { .user = "deployer" } };
    struct policy *policy = scoped_policy(&opening, 1, NULL);
    assert_string_equal(decided(policy, &deployer, &alter, NULL, now_us).next->name, "soon");
    assert_string_equal(decided(policy, &anybody, &alter, NULL, now_us).next->name, "sunday");
    int64_t later_us = now_us + 40 * minute_us;
    assert_string_equal(decided(policy, &deployer, &alter, NULL, later_us).next->name, "sunday");
    policy_release(policy);
    opening.allow = LEVEL_ADDITIVE;
    policy = scoped_policy(&opening, 1, NULL);
    assert_string_equal(decided(policy, &deployer, &alter, NULL, now_us).next->name, "sunday");
    policy_release(policy);
}

/* What passed before in the transaction. */
static struct decision continued(const struct policy *policy, enum statement_class class, int passed,
                                 int64_t at_us)
{
    const struct verdict verdict = verdict_of(class, "");
    const struct guard_passage passage = { .level = (enum safety_level)passed };
    const struct guard_matter matter = { .verdict = &verdict, .is_run = true, .passage = &passage };
    struct decision decision;
    guard_decide(policy, &anybody, &matter, at_us, &decision);
    return decision;
}

static void a_transaction_outlives_its_window_only_where_it_may(void **state)
{
    (void)state;
    struct freeze freeze = { .name = "peak", .from_us = sunday_us, .to_us = sunday_us + minute_us };
    struct policy_plan plan = plan_of_windows();
    plan.gate.freezes = &freeze;
    plan.gate.freeze_count = 1;
    for (int lets = 0; lets < 2; lets++) {
        plan.lets_transactions_finish = lets;
        struct policy *policy = policy_of(&plan);
        enum guard_action expected = lets ? ACTION_PASS : ACTION_REFUSE;
        int64_t closed_us = now_us + 60 * minute_us;
        struct decision decision = continued(policy, CLASS_MODIFYING, LEVEL_MODIFYING, closed_us);
        assert_int_equal(decision.action, expected);
        assert_int_equal(decision.ground, lets ? GROUND_TRANSACTION : GROUND_CLOSED);
        assert_null(decision.span);
        decision = continued(policy, CLASS_MODIFYING, LEVEL_MODIFYING, sunday_us);
        assert_int_equal(decision.action, expected);
        assert_int_equal(decision.span == NULL, lets);
        assert_int_equal(continued(policy, CLASS_MODIFYING, LEVEL_MODIFYING, now_us).action, expected);
        assert_int_equal(continued(policy, CLASS_ADDITIVE, LEVEL_MODIFYING, closed_us).action, expected);
        assert_int_equal(continued(policy, CLASS_MODIFYING, LEVEL_ADDITIVE, closed_us).action, ACTION_REFUSE);
        assert_int_equal(continued(policy, CLASS_ADDITIVE, 0, closed_us).action, ACTION_REFUSE);
        assert_int_equal(continued(policy, CLASS_ADDITIVE, LEVEL_MODIFYING, now_us).ground, GROUND_WINDOW);
        policy_release(policy);
    }
}

static void a_rules_own_windows_let_only_what_they_began_finish(void **state)
{
    (void)state;
    const struct guard_rule rules[] = {
        { .name = "drops", .classes = bit_of(CLASS_DESTRUCTIVE), .has_windows = true, .windows = { 1 } },
        { .name = "grants", .classes = bit_of(CLASS_DCL), .has_windows = true, .windows = { 1 } },
    };
    struct policy_plan plan = plan_of_windows();
    plan.guard_rules = rules;
    plan.guard_rule_count = COUNT_OF(rules);
    plan.lets_transactions_finish = true;
    struct policy *policy = policy_of(&plan);
    const struct verdict drop = verdict_of(CLASS_DESTRUCTIVE, "DROP TABLE");
    struct guard_passage passage = { .level = 0 };
    const struct guard_matter matter = { .verdict = &drop, .is_run = true, .passage = &passage };
    struct decision decision;
    guard_passage_note(&passage, NULL, LEVEL_MODIFYING);
    guard_decide(policy, &anybody, &matter, now_us + 60 * minute_us, &decision);
    assert_int_equal(decision.ground, GROUND_CLOSED);
    guard_passage_note(&passage, &rules[0], LEVEL_MODIFYING);
    guard_decide(policy, &anybody, &matter, now_us + 60 * minute_us, &decision);
    assert_int_equal(decision.ground, GROUND_TRANSACTION);
    guard_passage_note(&passage, &rules[1], LEVEL_ADDITIVE);
    guard_decide(policy, &anybody, &matter, now_us + 60 * minute_us, &decision);
    assert_int_equal(decision.ground, GROUND_CLOSED);
    assert_int_equal(passage.rule_level, LEVEL_ADDITIVE);
    policy_release(policy);
}

static void the_strictest_word_on_any_class_counts(void **state)
{
    (void)state;
    const struct guard_rule rules[] = {
        { .name = "grants-pass", .classes = bit_of(CLASS_DCL), .action = RULE_ALLOW },
        { .name = "no-locks", .classes = bit_of(CLASS_LOCK), .action = RULE_REFUSE },
    };
    struct policy_plan plan = plan_of_windows();
    plan.guard_rules = rules;
    plan.guard_rule_count = COUNT_OF(rules);
    struct policy *policy = policy_of(&plan);
    const struct verdict alter = verdict_of(CLASS_MODIFYING, "ALTER TABLE");
    const struct verdict grant = verdict_with(alter, CLASS_DCL);
    const struct verdict both = verdict_with(grant, CLASS_LOCK);
    struct decision decision = decided(policy, &anybody, &grant, NULL, sunday_us);
    assert_int_equal(decision.ground, GROUND_WINDOW);
    assert_int_equal(decision.class, CLASS_MODIFYING);
    decision = decided(policy, &anybody, &both, NULL, sunday_us);
    assert_int_equal(decision.ground, GROUND_RULE_REFUSES);
    assert_int_equal(decision.class, CLASS_LOCK);
    assert_int_equal(decision.level, LEVEL_NONE);
    assert_string_equal(decision.rule->name, "no-locks");
    decision = decided(policy, &anybody, &grant, NULL, now_us + 60 * minute_us);
    assert_int_equal(decision.ground, GROUND_CLOSED);
    assert_int_equal(decision.class, CLASS_MODIFYING);
    policy_release(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_window_decides_by_its_level),
        cmocka_unit_test(a_decision_names_the_spans),
        cmocka_unit_test(what_is_not_guarded_passes_without_a_span),
        cmocka_unit_test(a_guarded_statement_of_no_risk_waits_for_any_window_but_no_freeze),
        cmocka_unit_test(modes_refuse_report_or_stay_silent),
        cmocka_unit_test(the_first_mode_that_holds_for_somebody_counts),
        cmocka_unit_test(beyond_the_line_the_gate_is_closed),
        cmocka_unit_test(an_opening_for_some_lets_only_them_pass),
        cmocka_unit_test(an_opening_for_some_takes_nothing_from_what_is_for_all),
        cmocka_unit_test(the_next_window_is_the_next_of_whoever_asks),
        cmocka_unit_test(a_transaction_outlives_its_window_only_where_it_may),
        cmocka_unit_test(a_rules_own_windows_let_only_what_they_began_finish),
        cmocka_unit_test(the_strictest_word_on_any_class_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
