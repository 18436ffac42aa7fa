/* SPDX-License-Identifier: PostgreSQL */
#include "policy/guard.h"

#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

static const int64_t minute_us = 60 * INT64_C(1000000);

/* 2026-11-21T12:00:00Z, a Saturday: 07:00 in New York. */
static const int64_t now_us = INT64_C(1795262400) * 1000000;

static const struct window windows[] = {
    { .name = "sunday",
      .days = 1,
      .from_minute = 120,
      .to_minute = 240,
      .timezone = "America/New_York",
      .allow = LEVEL_MODIFYING },
    { .name = "low-traffic",
      .days = 64,
      .from_minute = 420,
      .to_minute = 480,
      .timezone = "America/New_York",
      .allow = LEVEL_ADDITIVE },
};

static const struct guard_subject anybody;

static const struct verdict alter = {
    .class = CLASS_MODIFYING, .level = LEVEL_MODIFYING, .is_guarded = true, .command = "ALTER TABLE"
};
static const struct verdict create = {
    .class = CLASS_ADDITIVE, .level = LEVEL_ADDITIVE, .is_guarded = true, .command = "CREATE TABLE"
};
static const struct verdict select = { .class = CLASS_NONE, .level = LEVEL_NONE, .command = "SELECT" };

static struct policy *policy_make(enum guard_mode mode, const struct freeze *freeze, size_t window_count)
{
    struct policy_plan plan = { .mode = mode,
                                .sqlstate = "42501",
                                .gate = { .windows = windows,
                                          .window_count = window_count,
                                          .freezes = freeze,
                                          .freeze_count = freeze != NULL ? 1 : 0 } };
    struct policy *policy = policy_create(&plan, now_us);
    assert_non_null(policy);
    return policy;
}

static enum guard_action decide(struct policy *policy, const struct verdict *verdict, int64_t at_us)
{
    struct decision decision;
    guard_decide(policy, &anybody, verdict, at_us, &decision);
    return decision.action;
}

static void the_window_decides_by_its_level(void **state)
{
    (void)state;
    struct policy *policy = policy_make(GUARD_ENFORCE, NULL, 2);
    int64_t sunday_us = now_us + 19 * 60 * minute_us;
    assert_int_equal(decide(policy, &alter, now_us), ACTION_REFUSE);
    assert_int_equal(decide(policy, &create, now_us), ACTION_PASS);
    assert_int_equal(decide(policy, &create, now_us + 60 * minute_us), ACTION_REFUSE);
    assert_int_equal(decide(policy, &alter, sunday_us - 1), ACTION_REFUSE);
    assert_int_equal(decide(policy, &alter, sunday_us), ACTION_PASS);
    assert_int_equal(decide(policy, &create, sunday_us), ACTION_PASS);
    assert_int_equal(decide(policy, &alter, sunday_us + 120 * minute_us - 1), ACTION_PASS);
    assert_int_equal(decide(policy, &alter, sunday_us + 120 * minute_us), ACTION_REFUSE);
    policy_release(policy);
}

static void a_decision_names_the_spans(void **state)
{
    (void)state;
    struct decision decision;
    struct policy *policy = policy_make(GUARD_ENFORCE, NULL, 2);
    guard_decide(policy, &anybody, &create, now_us, &decision);
    assert_string_equal(decision.span->name, "low-traffic");
    guard_decide(policy, &anybody, &alter, now_us, &decision);
    assert_string_equal(decision.span->name, "low-traffic");
    assert_string_equal(decision.next->name, "sunday");
    guard_decide(policy, &anybody, &alter, now_us + 60 * minute_us, &decision);
    assert_null(decision.span);
    assert_string_equal(decision.next->name, "sunday");
    policy_release(policy);
}

static void what_is_not_guarded_always_passes(void **state)
{
    (void)state;
    struct decision decision;
    struct policy *policy = policy_make(GUARD_ENFORCE, NULL, 0);
    guard_decide(policy, &anybody, &select, now_us, &decision);
    assert_int_equal(decision.action, ACTION_PASS);
    assert_null(decision.span);
    policy_release(policy);
}

static void a_guarded_statement_of_no_risk_waits_for_any_window_but_no_freeze(void **state)
{
    (void)state;
    struct verdict opaque = {
        .class = CLASS_OPAQUE, .level = LEVEL_NONE, .is_guarded = true, .command = "DO"
    };
    struct freeze freeze = { .name = "peak", .from_us = now_us, .to_us = now_us + minute_us };
    struct policy *policy = policy_make(GUARD_ENFORCE, &freeze, 2);
    assert_int_equal(decide(policy, &opaque, now_us), ACTION_REFUSE);
    assert_int_equal(decide(policy, &opaque, now_us + minute_us), ACTION_PASS);
    assert_int_equal(decide(policy, &opaque, now_us + 120 * minute_us), ACTION_REFUSE);
    policy_release(policy);
}

static const char *reason(const struct verdict *verdict, const struct freeze *freeze, int64_t at_us)
{
    struct decision decision;
    struct policy *policy = policy_make(GUARD_ENFORCE, freeze, 2);
    guard_decide(policy, &anybody, verdict, at_us, &decision);
    const char *why = guard_reason(&decision);
    policy_release(policy);
    return why;
}

static void a_decision_says_why(void **state)
{
    (void)state;
    struct freeze freeze = { .name = "peak", .from_us = now_us, .to_us = now_us + minute_us };
    assert_string_equal(reason(&create, NULL, now_us), "a window is open");
    assert_string_equal(reason(&alter, NULL, now_us), "the open window allows less");
    assert_string_equal(reason(&alter, NULL, now_us + 60 * minute_us), "no window is open");
    assert_string_equal(reason(&create, &freeze, now_us), "a freeze lasts");
    assert_string_equal(reason(&select, NULL, now_us), "the guard asks for none");
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
        assert_int_equal(decide(policy, &alter, now_us), expected[mode]);
        assert_int_equal(decide(policy, &create, now_us), ACTION_PASS);
        assert_string_equal(guard_mode_name((enum guard_mode)mode), names[mode]);
        policy_release(policy);
    }
}

static void beyond_the_line_the_gate_is_closed(void **state)
{
    (void)state;
    struct policy *policy = policy_make(GUARD_ENFORCE, NULL, 2);
    int64_t end_us = now_us + POLICY_DAYS * 1440 * minute_us;
    assert_true(policy->gate.to_us == end_us);
    assert_int_equal(decide(policy, &create, end_us), ACTION_REFUSE);
    policy_release(policy);
}

static void assert_described(struct policy *policy, const struct verdict *verdict, int64_t at_us,
                             const char *message, const char *detail, const char *hint)
{
    char storage[3][1024];
    struct text texts[3];
    struct decision decision;
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        text_init(&texts[i], storage[i], sizeof storage[i]);
    guard_decide(policy, &anybody, verdict, at_us, &decision);
    guard_describe(verdict, &decision, at_us, &texts[0], &texts[1], &texts[2]);
    assert_string_equal(storage[0], message);
    assert_string_equal(storage[1], detail);
    assert_string_equal(storage[2], hint);
}

static void a_refusal_says_when_it_would_pass(void **state)
{
    (void)state;
    struct policy *policy = policy_make(GUARD_ENFORCE, NULL, 2);
    assert_described(
        policy, &alter, now_us + (15 * 60 + 40) * minute_us,
        "schema change refused: ALTER TABLE is a modifying change (level 3) and no window allows it now",
        "class=modifying level=3 command=\"ALTER TABLE\" rule=closed",
        "The next window that allows it, \"sunday\", opens at 2026-11-22T02:00:00-05:00 (America/New_York): "
        "opens in 3h20m.");
    policy_release(policy);
}

static void a_window_that_allows_too_little_is_named(void **state)
{
    (void)state;
    struct policy *policy = policy_make(GUARD_ENFORCE, NULL, 2);
    assert_described(policy, &alter, now_us,
                     "schema change refused: ALTER TABLE is a modifying change (level 3) and the window "
                     "\"low-traffic\" allows only additive changes now",
                     "class=modifying level=3 command=\"ALTER TABLE\" window=\"low-traffic\"",
                     "The next window that allows it, \"sunday\", opens at 2026-11-22T02:00:00-05:00 "
                     "(America/New_York): opens in 19h.");
    policy_release(policy);
}

static void a_freeze_is_named_with_its_end_and_reason(void **state)
{
    (void)state;
    struct freeze freeze = {
        .name = "peak-week", .from_us = now_us, .to_us = now_us + 1440 * minute_us, .reason = "peak week"
    };
    struct policy *policy = policy_make(GUARD_ENFORCE, &freeze, 1);
    const char *hint = "The next window that allows it, \"sunday\", opens at 2026-11-29T02:00:00-05:00 "
                       "(America/New_York): opens in 7d19h.";
    assert_described(policy, &create, now_us,
                     "schema change refused: CREATE TABLE is an additive change (level 2) and the freeze "
                     "\"peak-week\" lasts until 2026-11-22T07:00:00-05:00: peak week",
                     "class=additive level=2 command=\"CREATE TABLE\" freeze=\"peak-week\"", hint);
    policy_release(policy);
    freeze.reason[0] = '\0';
    policy = policy_make(GUARD_ENFORCE, &freeze, 1);
    assert_described(policy, &create, now_us,
                     "schema change refused: CREATE TABLE is an additive change (level 2) and the freeze "
                     "\"peak-week\" lasts until 2026-11-22T07:00:00-05:00",
                     "class=additive level=2 command=\"CREATE TABLE\" freeze=\"peak-week\"", hint);
    policy_release(policy);
}

static void where_no_window_comes_the_console_is_named(void **state)
{
    (void)state;
    struct verdict unknown = {
        .class = CLASS_UNKNOWN, .level = LEVEL_MODIFYING, .is_guarded = true, .command = ""
    };
    struct policy *policy = policy_make(GUARD_ENFORCE, NULL, 0);
    assert_described(
        policy, &unknown, now_us,
        "schema change refused: the statement is an unknown change (level 3) and no window allows "
        "it now",
        "class=unknown level=3 command=\"\" rule=closed",
        "No window that allows it opens within 60 days; an operator can open one on the console "
        "(OPEN WINDOW).");
    policy_release(policy);
}

static void names_become_one_line_of_ascii(void **state)
{
    (void)state;
    struct freeze freeze = { .name = "f\xc3\xa9te\n\"x\"",
                             .from_us = now_us,
                             .to_us = now_us + 1440 * minute_us,
                             .reason = "a\\b\x7f\t ~" };
    struct policy *policy = policy_make(GUARD_ENFORCE, &freeze, 0);
    assert_described(
        policy, &alter, now_us,
        "schema change refused: ALTER TABLE is a modifying change (level 3) and the freeze "
        "\"f\\xc3\\xa9te\\x0a\\x22x\\x22\" lasts until 2026-11-22T12:00:00+00:00: a\\x5cb\\x7f\\x09 ~",
        "class=modifying level=3 command=\"ALTER TABLE\" freeze=\"f\\xc3\\xa9te\\x0a\\x22x\\x22\"",
        "No window that allows it opens within 60 days; an operator can open one on the console "
        "(OPEN WINDOW).");
    policy_release(policy);
}

static const struct guard_subject deployer = { .service = { (const uint8_t *)"ci", 2 },
                                               .user = { (const uint8_t *)"deployer", 8 },
                                               .database = { (const uint8_t *)"shop", 4 } };

static struct policy *scoped_policy(const struct opening *openings, size_t count, const struct freeze *freeze)
{
    struct policy_plan plan = { .mode = GUARD_ENFORCE,
                                .sqlstate = "42501",
                                .gate = { .windows = windows,
                                          .window_count = 2,
                                          .freezes = freeze,
                                          .freeze_count = freeze != NULL ? 1 : 0,
                                          .openings = openings,
                                          .opening_count = count } };
    struct policy *policy = policy_create(&plan, now_us);
    assert_non_null(policy);
    return policy;
}

static const struct gate_span *deciding(const struct policy *policy, const struct guard_subject *subject,
                                        const struct verdict *verdict, int64_t at_us,
                                        enum guard_action action)
{
    struct decision decision;
    guard_decide(policy, subject, verdict, at_us, &decision);
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
        const struct gate_span *span = deciding(policy, &deployer, &alter, now_us, ACTION_PASS);
        assert_string_equal(span->name, "repair");
        assert_string_equal(span->reason, "ticket");
        assert_string_equal(span->to_text, "2026-11-21T07:10:00-05:00");
        span = deciding(policy, &anybody, &alter, now_us, ACTION_REFUSE);
        assert_string_equal(span->name, frozen ? "peak" : "low-traffic");
        (void)deciding(policy, &deployer, &alter, now_us + 10 * minute_us, ACTION_REFUSE);
        (void)deciding(policy, &deployer, &alter, now_us - 1, ACTION_REFUSE);
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
    assert_string_equal(deciding(policy, &deployer, &alter, now_us, ACTION_PASS)->name, "all");
    assert_string_equal(deciding(policy, &anybody, &alter, now_us, ACTION_PASS)->name, "all");
    /* of equals the opening before the window */
    int64_t later_us = now_us + 5 * minute_us;
    assert_string_equal(deciding(policy, &deployer, &create, later_us, ACTION_PASS)->name, "little");
    assert_string_equal(deciding(policy, &anybody, &create, later_us, ACTION_PASS)->name, "low-traffic");
    policy_release(policy);
}

static void the_next_window_is_the_next_of_whoever_asks(void **state)
{
    (void)state;
    struct opening opening = { .name = "soon",
                               .from_us = now_us + 30 * minute_us,
                               .to_us = now_us + 40 * minute_us,
                               .allow = LEVEL_MODIFYING,
                               .scope = { .user = "deployer" } };
    struct decision decision;
    struct policy *policy = scoped_policy(&opening, 1, NULL);
    guard_decide(policy, &deployer, &alter, now_us, &decision);
    assert_string_equal(decision.next->name, "soon");
    guard_decide(policy, &anybody, &alter, now_us, &decision);
    assert_string_equal(decision.next->name, "sunday");
    guard_decide(policy, &deployer, &alter, now_us + 40 * minute_us, &decision);
    assert_string_equal(decision.next->name, "sunday");
    policy_release(policy);
    opening.allow = LEVEL_ADDITIVE;
    policy = scoped_policy(&opening, 1, NULL);
    guard_decide(policy, &deployer, &alter, now_us, &decision);
    assert_string_equal(decision.next->name, "sunday");
    policy_release(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_window_decides_by_its_level),
        cmocka_unit_test(a_decision_names_the_spans),
        cmocka_unit_test(what_is_not_guarded_always_passes),
        cmocka_unit_test(a_guarded_statement_of_no_risk_waits_for_any_window_but_no_freeze),
        cmocka_unit_test(a_decision_says_why),
        cmocka_unit_test(modes_refuse_report_or_stay_silent),
        cmocka_unit_test(beyond_the_line_the_gate_is_closed),
        cmocka_unit_test(a_refusal_says_when_it_would_pass),
        cmocka_unit_test(a_window_that_allows_too_little_is_named),
        cmocka_unit_test(a_freeze_is_named_with_its_end_and_reason),
        cmocka_unit_test(where_no_window_comes_the_console_is_named),
        cmocka_unit_test(names_become_one_line_of_ascii),
        cmocka_unit_test(an_opening_for_some_lets_only_them_pass),
        cmocka_unit_test(an_opening_for_some_takes_nothing_from_what_is_for_all),
        cmocka_unit_test(the_next_window_is_the_next_of_whoever_asks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
