/* SPDX-License-Identifier: PostgreSQL */
#include "unit/policy/policies.h"

static const char next_sunday[] = "The next window that allows it, \"sunday\", opens at "
                                  "2026-11-22T02:00:00-05:00 (America/New_York): opens in 19h.";
static const char no_window[] =
    "No window that allows it opens within 60 days; an operator can open one on the "
    "console (OPEN WINDOW).";

static void assert_words(const struct verdict *verdict, const struct decision *decision, int64_t at_us,
                         const char *message, const char *detail, const char *hint)
{
    char storage[3][1024];
    struct text texts[3];
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        text_init(&texts[i], storage[i], sizeof storage[i]);
    guard_describe(verdict, decision, at_us, &texts[0], &texts[1], &texts[2]);
    assert_string_equal(storage[0], message);
    assert_string_equal(storage[1], detail);
    assert_string_equal(storage[2], hint);
}

/* Judges and describes by a policy of the plan, and releases it. */
static void assert_described(const struct policy_plan *plan, const struct verdict *verdict,
                             const struct object_names *objects, const char *message, const char *detail,
                             const char *hint)
{
    struct policy *policy = policy_of(plan);
    struct decision decision = decided(policy, &anybody, verdict, objects, now_us);
    assert_words(verdict, &decision, now_us, message, detail, hint);
    policy_release(policy);
}

static void a_refusal_says_when_it_would_pass(void **state)
{
    (void)state;
    struct policy_plan plan = plan_of_windows();
    const struct verdict alter = verdict_of(CLASS_MODIFYING, "ALTER TABLE");
    plan.gate.window_count = 1;
    assert_described(
        &plan, &alter, NULL,
        "schema change refused: ALTER TABLE is a modifying change (level 3) and no window allows it now",
        "class=modifying level=3 command=\"ALTER TABLE\" ground=closed", next_sunday);
}

static void a_window_that_allows_too_little_is_named(void **state)
{
    (void)state;
    struct policy_plan plan = plan_of_windows();
    const struct verdict alter = verdict_of(CLASS_MODIFYING, "ALTER TABLE");
    assert_described(&plan, &alter, NULL,
                     "schema change refused: ALTER TABLE is a modifying change (level 3) and the window "
                     "\"low-traffic\" allows only additive changes now",
                     "class=modifying level=3 command=\"ALTER TABLE\" ground=window window=\"low-traffic\"",
                     next_sunday);
}

static void a_freeze_is_named_with_its_end_and_reason(void **state)
{
    (void)state;
    struct freeze freeze = {
        .name = "peak-week", .from_us = now_us, .to_us = now_us + 1440 * minute_us, .reason = "peak week"
    };
    const struct verdict create = verdict_of(CLASS_ADDITIVE, "CREATE TABLE");
    struct policy_plan plan = plan_of_windows();
    plan.gate.window_count = 1;
    plan.gate.freezes = &freeze;
    plan.gate.freeze_count = 1;
    const char *detail = "class=additive level=2 command=\"CREATE TABLE\" ground=freeze freeze=\"peak-week\"";
    const char *hint = "The next window that allows it, \"sunday\", opens at 2026-11-29T02:00:00-05:00 "
                       "(America/New_York): opens in 7d19h.";
    assert_described(&plan, &create, NULL,
                     "schema change refused: CREATE TABLE is an additive change (level 2) and the freeze "
                     "\"peak-week\" lasts until 2026-11-22T07:00:00-05:00: peak week",
                     detail, hint);
    freeze.reason[0] = '\0';
    assert_described(&plan, &create, NULL,
                     "schema change refused: CREATE TABLE is an additive change (level 2) and the freeze "
                     "\"peak-week\" lasts until 2026-11-22T07:00:00-05:00",
                     detail, hint);
}

static void where_no_window_comes_the_console_is_named(void **state)
{
    (void)state;
    const struct verdict unknown = verdict_of(CLASS_UNKNOWN, "");
    const struct policy_plan plan = { .sqlstate = "42501" };
    assert_described(&plan, &unknown, NULL,
                     "schema change refused: the statement is an unknown change (level 3) and no window "
                     "allows it now",
                     "class=unknown level=3 command=\"\" ground=closed", no_window);
}

static void names_become_one_line_of_ascii(void **state)
{
    (void)state;
    struct freeze freeze = { .name = "f\xc3\xa9te\n\"x\"",
                             .from_us = now_us,
                             .to_us = now_us + 1440 * minute_us,
                             .reason = "a\\b\x7f\t ~" };
    const struct verdict alter = verdict_of(CLASS_MODIFYING, "ALTER TABLE");
    const struct policy_plan plan = { .sqlstate = "42501",
                                      .gate = { .freezes = &freeze, .freeze_count = 1 } };
    assert_described(&plan, &alter, NULL,
                     "schema change refused: ALTER TABLE is a modifying change (level 3) and the freeze "
                     "\"f\\xc3\\xa9te\\x0a\\x22x\\x22\" lasts until 2026-11-22T12:00:00+00:00: "
                     "a\\x5cb\\x7f\\x09 ~",
                     "class=modifying level=3 command=\"ALTER TABLE\" ground=freeze "
                     "freeze=\"f\\xc3\\xa9te\\x0a\\x22x\\x22\"",
                     no_window);
}

static void the_windows_of_a_rule_are_named_as_its_own(void **state)
{
    (void)state;
    struct guard_rule rule = { .name = "nights", .action = RULE_WINDOW, .has_windows = true };
    const struct verdict create = verdict_of(CLASS_ADDITIVE, "CREATE TABLE");
    const char *message = "schema change refused: CREATE TABLE is an additive change (level 2) and no window "
                          "of the rule \"nights\" allows it now";
    const char *detail = "class=additive level=2 command=\"CREATE TABLE\" ground=closed rule=\"nights\"";
    struct policy_plan plan = plan_of_windows();
    plan.guard_rules = &rule;
    plan.guard_rule_count = 1;
    assert_described(&plan, &create, NULL, message, detail,
                     "No window of the rule \"nights\" that allows it opens within 60 days; an operator can "
                     "open one on the console (OPEN WINDOW).");
    rule.windows[0] = 1;
    assert_described(&plan, &create, NULL, message, detail, next_sunday);
    rule.has_windows = false;
    plan.gate.window_count = 1;
    assert_described(
        &plan, &create, NULL,
        "schema change refused: CREATE TABLE is an additive change (level 2) and no window allows it now",
        detail, next_sunday);
}

static void a_rule_that_refuses_is_named(void **state)
{
    (void)state;
    const struct guard_rule rules[] = {
        { .name = "no-drops", .classes = bit_of(CLASS_DESTRUCTIVE), .action = RULE_REFUSE },
        { .name = "no-locks", .classes = bit_of(CLASS_LOCK), .action = RULE_REFUSE },
        { .name = "small", .most = LEVEL_ADDITIVE },
    };
    const struct verdict drop = verdict_of(CLASS_DESTRUCTIVE, "DROP TABLE");
    const struct verdict lock = verdict_of(CLASS_LOCK, "LOCK");
    const struct verdict alter = verdict_of(CLASS_MODIFYING, "ALTER TABLE");
    struct policy_plan plan = plan_of_windows();
    plan.guard_rules = rules;
    plan.guard_rule_count = COUNT_OF(rules);
    assert_described(&plan, &drop, NULL,
                     "schema change refused: DROP TABLE is a destructive change (level 3) and the rule "
                     "\"no-drops\" refuses it",
                     "class=destructive level=3 command=\"DROP TABLE\" ground=rule rule=\"no-drops\"",
                     "No window or opening lets it pass while the rule \"no-drops\" stands in the settings "
                     "(guard.rules).");
    assert_described(&plan, &lock, NULL,
                     "statement refused: LOCK is of the class lock and the rule \"no-locks\" refuses it",
                     "class=lock level=1 command=\"LOCK\" ground=rule rule=\"no-locks\"",
                     "No window or opening lets it pass while the rule \"no-locks\" stands in the settings "
                     "(guard.rules).");
    assert_described(&plan, &alter, NULL,
                     "schema change refused: ALTER TABLE is a modifying change (level 3) and the rule "
                     "\"small\" lets only additive changes pass",
                     "class=modifying level=3 command=\"ALTER TABLE\" ground=rule rule=\"small\"",
                     "No window or opening lets it pass while the rule \"small\" stands in the settings "
                     "(guard.rules).");
}

static void a_command_is_told_only_of_its_own_class(void **state)
{
    (void)state;
    const struct guard_rule rule = { .name = "no", .classes = bit_of(CLASS_LOCK), .action = RULE_REFUSE };
    const struct opening opening = { .from_us = now_us, .to_us = now_us + 1, .allow = LEVEL_MODIFYING };
    const struct verdict both = verdict_with(verdict_of(CLASS_MODIFYING, "ALTER TABLE"), CLASS_LOCK);
    struct policy_plan plan = plan_of_windows();
    plan.guard_rules = &rule;
    plan.guard_rule_count = 1;
    plan.gate.openings = &opening;
    plan.gate.opening_count = 1;
    assert_described(
        &plan, &both, NULL,
        "statement refused: a statement in it is of the class lock and the rule \"no\" refuses it",
        "class=lock level=1 command=\"\" ground=rule rule=\"no\"",
        "No window or opening lets it pass while the rule \"no\" stands in the settings (guard.rules).");
}

static void a_protected_object_is_named(void **state)
{
    (void)state;
    const char *hint = "No window, opening or rule lets protected objects be changed (guard.protected in the "
                       "settings).";
    const struct object_pattern patterns[] = { pattern_of("public.orders") };
    const struct verdict drop = verdict_of(CLASS_DESTRUCTIVE, "DROP TABLE");
    struct object_names objects = objects_of(object_of("public", "orders"));
    struct policy_plan plan = plan_of_windows();
    plan.protected = patterns;
    plan.protected_count = 1;
#define DROPPED "schema change refused: DROP TABLE is a destructive change (level 3) and "
#define DETAIL  "class=destructive level=3 command=\"DROP TABLE\" ground=protected"
    assert_described(&plan, &drop, &objects, DROPPED "\"public.orders\" is protected",
                     DETAIL " object=\"public.orders\"", hint);
    objects = objects_of(object_of("", "orders"));
    assert_described(&plan, &drop, &objects, DROPPED "\"orders\" may be protected",
                     DETAIL " object=\"orders\"",
                     "No window, opening or rule lets protected objects be changed (guard.protected in the "
                     "settings); name it with its schema if it is another.");
    objects = objects_of(object_of("", "public"));
    objects.names[0].is_schema = true;
    assert_described(&plan, &drop, &objects, DROPPED "the schema \"public\" may hold protected objects",
                     DETAIL " object=\"public\"", hint);
    assert_described(&plan, &drop, NULL,
                     DROPPED
                     "it may reach protected objects that it does not name (CASCADE, OWNED BY, a name "
                     "that cannot be read)",
                     DETAIL,
                     "No window, opening or rule lets protected objects be changed (guard.protected in the "
                     "settings); name every object that it changes, and leave CASCADE out.");
    struct object_pattern any = pattern_of("*");
    plan.protected = &any;
    objects = objects_of(object_of("p\"\n", "\xc3\xa4"));
    assert_described(&plan, &drop, &objects, DROPPED "\"p\\x22\\x0a.\\xc3\\xa4\" is protected",
                     DETAIL " object=\"p\\x22\\x0a.\\xc3\\xa4\"", hint);
#undef DROPPED
#undef DETAIL
}

static void a_read_only_order_is_told_with_its_end_and_reason(void **state)
{
    (void)state;
    struct readonly_order order = {
        .from_us = now_us, .until_us = now_us + 90 * minute_us, .reason = "fail\nover", .ordered_by = "anna"
    };
    const struct verdict insert = verdict_of(CLASS_WRITE, "INSERT");
    const struct verdict call = verdict_of(CLASS_OPAQUE, "CALL");
    const struct verdict alter = verdict_of(CLASS_MODIFYING, "ALTER TABLE");
    struct policy_plan plan = plan_of_windows();
    plan.orders = &order;
    plan.order_count = 1;
    const char *hint =
        "Writes pass again at 2026-11-21T08:30:00-05:00, in 1h30m, or when an operator says so on "
        "the console (SET READONLY OFF).";
    assert_described(&plan, &insert, NULL,
                     "statement refused: INSERT writes and an operator has stopped writes until "
                     "2026-11-21T08:30:00-05:00: fail\\x0aover",
                     "class=write level=1 command=\"INSERT\" ground=readonly", hint);
    assert_described(&plan, &call, NULL,
                     "statement refused: CALL may write and an operator has stopped writes until "
                     "2026-11-21T08:30:00-05:00: fail\\x0aover",
                     "class=opaque level=1 command=\"CALL\" ground=readonly", hint);
    order.until_us = INT64_MAX;
    order.reason[0] = '\0';
    assert_described(&plan, &alter, NULL,
                     "schema change refused: ALTER TABLE is a modifying change (level 3) and an operator has "
                     "stopped writes",
                     "class=modifying level=3 command=\"ALTER TABLE\" ground=readonly",
                     "Writes pass again when an operator says so on the console (SET READONLY OFF).");
}

static void who_is_in_is_told_to_whoever_waits(void **state)
{
    (void)state;
    const struct verdict create = verdict_of(CLASS_ADDITIVE, "CREATE TABLE");
    struct decision decision = { .action = ACTION_REFUSE,
                                 .ground = GROUND_TAKEN,
                                 .class = CLASS_ADDITIVE,
                                 .level = LEVEL_ADDITIVE,
                                 .holder = { .text = "service \"deploy\", user \"deployer\"",
                                             .since_us = now_us - 123456 } };
    const char *detail = "class=additive level=2 command=\"CREATE TABLE\" ground=taken";
    assert_words(&create, &decision, now_us,
                 "schema change refused: another session's schema changes are under way: service \"deploy\", "
                 "user \"deployer\", since 2026-11-21T11:59:59Z",
                 detail,
                 "One session at a time changes the schema of a database (guard.one_change_at_a_time in the "
                 "settings): try again when its transaction has ended.");
    decision.holder.is_resting = true;
    decision.holder.until_us = now_us + 30 * INT64_C(1000000);
    assert_words(&create, &decision, now_us,
                 "schema change refused: another session's schema changes are over, but a rest follows them: "
                 "service \"deploy\", user \"deployer\", since 2026-11-21T11:59:59Z",
                 detail,
                 "One session at a time changes the schema of a database (guard.one_change_at_a_time in the "
                 "settings): try again at 2026-11-21T12:00:30Z, in 30s.");
}

static void every_ground_has_a_name_and_words(void **state)
{
    (void)state;
    assert_string_equal(guard_ground_name(GROUND_WINDOW), "window");
    assert_string_equal(guard_ground_name(GROUND_CAPPED), "rule");
    assert_string_equal(guard_ground_name(GROUND_TAKEN), "taken");
    assert_string_equal(guard_ground_words(GROUND_UNGUARDED), "the guard asks for none");
    assert_string_equal(guard_ground_words(GROUND_FREEZE), "a freeze lasts");
    for (int ground = 0; ground < GROUND_COUNT; ground++) {
        assert_true(strlen(guard_ground_name((enum guard_ground)ground)) > 0);
        assert_true(strlen(guard_ground_words((enum guard_ground)ground)) > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_says_when_it_would_pass),
        cmocka_unit_test(a_window_that_allows_too_little_is_named),
        cmocka_unit_test(a_freeze_is_named_with_its_end_and_reason),
        cmocka_unit_test(where_no_window_comes_the_console_is_named),
        cmocka_unit_test(names_become_one_line_of_ascii),
        cmocka_unit_test(the_windows_of_a_rule_are_named_as_its_own),
        cmocka_unit_test(a_rule_that_refuses_is_named),
        cmocka_unit_test(a_command_is_told_only_of_its_own_class),
        cmocka_unit_test(a_protected_object_is_named),
        cmocka_unit_test(a_read_only_order_is_told_with_its_end_and_reason),
        cmocka_unit_test(who_is_in_is_told_to_whoever_waits),
        cmocka_unit_test(every_ground_has_a_name_and_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
