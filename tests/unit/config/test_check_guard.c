/* SPDX-License-Identifier: PostgreSQL */
#include "config/check.h"
#include "unit/config/given.h"

#define WINDOWS                                                                                              \
    "windows: [ { name: sunday, from: 02:00, to: 04:00, allow: modifying }, { name: nightly, from: 02:00, "  \
    "to: 03:00, allow: additive } ]"
/* The rules begin on line 4. */
#define RULES(rules)     NEEDED "guard: { " WINDOWS ", rules: [\n" rules " ] }\n"
#define RULE(name, rest) "{ name: " name ", " rest " },\n"
#define GUARD(rest)      NEEDED "guard: { mode: observe, " rest " }\n"

/* Nothing more is said, no warning either. */
static void assert_one_fault(const char *text, unsigned line, unsigned column, const char *words)
{
    struct given given;
    assert_false(given_parse(&given, text));
    assert_problem(&given.problems, line, column, words);
    assert_int_equal(given.problems.count, 1);
}

static void rules_have_names_of_their_own(void **state)
{
    (void)state;
    assert_refused(
        RULES(RULE("a", "action: refuse, when: { user: x }") RULE("a", "action: refuse, when: { user: y }")),
        5, 9, "guard.rules[1].name: \"a\" is also the name of guard.rules[0]");
}

static void a_rule_names_windows_that_are_there(void **state)
{
    (void)state;
    assert_warned(RULES(RULE("a", "action: window, windows: [sunday, nightly]")), 0, 0, NULL);
    assert_warned(RULES(RULE("a", "action: window, windows: []")), 0, 0, NULL);
    assert_refused(RULES(RULE("a", "action: window, windows: [nightly, sundae]")), 4, 47,
                   "guard.rules[0].windows[1]: there is no window \"sundae\"; did you mean \"sunday\"?");
    assert_refused(RULES(RULE("a", "action: window, windows: [x]")), 4, 38,
                   "guard.rules[0].windows[0]: there is no window \"x\": write the name of an entry of "
                   "guard.windows, such as sunday");
    assert_refused(GUARD("rules: [ { name: a, action: window, windows: [sunday] } ]"), 3, 71,
                   "there is no window \"sunday\": guard.windows has none");
}

/* What could not be read has been said; nothing more follows from it. */
static void windows_that_could_not_be_read_are_not_missed(void **state)
{
    (void)state;
    assert_refused(GUARD("windows: sunday, rules: [ { name: a, action: window, windows: [sunday] } ]"), 3, 34,
                   "guard.windows: must be a list");
    assert_refused(GUARD("windows: [ { name: -a, from: 02:00, to: 04:00, allow: additive } ], rules: [ { "
                         "name: a, action: window, windows: [b] } ]"),
                   3, 44, "guard.windows[0].name");
    assert_refused(RULES(RULE("a", "action: window, windows: [\"\"]")), 4, 38, "is not a name");
}

static void only_a_rule_that_asks_windows_says_which(void **state)
{
    (void)state;
    assert_refused(
        RULES(RULE("a", "when: { user: x }, action: refuse, windows: [sunday]")), 4, 56,
        "guard.rules[0].windows: has no place in a rule with action: refuse: take it out, or write "
        "action: window");
    assert_refused(RULES(RULE("a", "when: { user: x }, action: allow, most: additive")), 4, 52,
                   "guard.rules[0].most: has no place in a rule with action: allow");
    assert_refused(RULES(RULE("a", "when: { user: x }, action: refuse, windows: [x]")), 4, 56,
                   "has no place");
    assert_warned(RULES(RULE("a", "when: { user: x }, action: allow, most: modifying, windows: []")), 0, 0,
                  NULL);
    assert_warned(RULES(RULE("a", "when: { user: x }, action: window, most: additive")), 0, 0, NULL);
    assert_refused(RULES(RULE("a", "when: { user: x }, action: pass, most: additive")), 4, 39,
                   "is none of the words known here: write window, allow or refuse");
}

static void a_pattern_of_objects_is_one_that_can_hold(void **state)
{
    (void)state;
#define PROTECTED(pattern) GUARD("protected: [ orders, \"public.*\", \"" pattern "\" ]")
    assert_warned(PROTECTED("a?.*"), 0, 0, NULL);
    assert_refused(PROTECTED("shop.public.orders"), 3, 58,
                   "guard.protected[2]: \"shop.public.orders\" has more than one dot: write schema.name");
    assert_refused(PROTECTED("orders."), 3, 58, "\"orders.\" has nothing behind its dot");
    assert_refused(PROTECTED(".orders"), 3, 58, "\".orders\" has nothing before its dot");
    assert_refused(PROTECTED("."), 3, 58, "has nothing before its dot");
    assert_refused(PROTECTED("a..b"), 3, 58, "has more than one dot");
    assert_refused(PROTECTED(""), 3, 58, "has 0 bytes: 1 to 255 are right");
    assert_warned(PROTECTED("public.\\\"Orders\\\""), 3, 58, "has quotation marks");
#define TEN     "1234567890"
#define FORTY   TEN TEN TEN TEN
#define LONGEST FORTY FORTY FORTY "1234567"
    assert_warned(PROTECTED(LONGEST "." LONGEST), 0, 0, NULL);
    assert_refused(PROTECTED(LONGEST "8.a"), 3, 58, "schema and name have at most 127 bytes each");
    assert_refused(PROTECTED("a." LONGEST "8"), 3, 58, "schema and name have at most 127 bytes each");
    assert_refused(PROTECTED(LONGEST "8"), 3, 58, "schema and name have at most 127 bytes each");
    assert_refused(RULES(RULE("a", "when: { object: a.b.c }, action: refuse")), 4, 28,
                   "guard.rules[0].when.object: \"a.b.c\" has more than one dot");
}

static void objects_are_known_of_schema_changes_only(void **state)
{
    (void)state;
    assert_refused(RULES(RULE("a", "when: { object: orders, class: [destructive, write] }, action: refuse")),
                   4, 28,
                   "guard.rules[0].when.object: does not go with class write, of which no objects are known");
    assert_refused(RULES(RULE("a", "when: { object: orders, class: [opaque] }, action: refuse")), 4, 28,
                   "class opaque");
    assert_refused(RULES(RULE("a", "when: { object: orders, class: [lock] }, action: refuse")), 4, 28,
                   "class lock");
    assert_refused(RULES(RULE("a", "when: { object: orders, class: [copy-program] }, action: refuse")), 4, 28,
                   "class copy-program");
    assert_warned(RULES(RULE("a", "when: { object: orders, class: [dcl, unknown] }, action: refuse")), 0, 0,
                  NULL);
    assert_warned(RULES(RULE("a", "when: { class: [write, lock, copy-program, opaque] }, action: refuse")), 0,
                  0, NULL);
}

static void a_rule_that_others_hide_is_worth_a_warning(void **state)
{
    (void)state;
    static const char words[] = "guard.rules[1].name: is never asked: \"a\" before it (guard.rules[0]) holds";
    assert_warned(RULES(RULE("a", "action: window") RULE("b", "when: { user: x }, action: refuse")), 5, 9,
                  words);
    assert_warned(RULES(RULE("a", "when: { user: \"**\" }, action: window") RULE("b", "action: refuse")), 5,
                  9, words);
    assert_warned(RULES(RULE("a", "when: { address: 10.0.0.0/8 }, action: window")
                            RULE("b", "when: { address: 10.0.0.0/8, user: x }, action: refuse")),
                  5, 9, words);
    assert_warned(RULES(RULE("a", "when: { object: x, class: [dcl, destructive] }, action: refuse")
                            RULE("b", "when: { object: x, class: [dcl] }, action: allow")),
                  5, 9, words);
    assert_warned(RULES(RULE("a", "when: { object: x }, action: allow")
                            RULE("b", "when: { object: x }, action: window")),
                  5, 9, words);
    /* What could not be read may be what makes them differ. */
    assert_one_fault(RULES(RULE("a", "when: { usr: x }, action: window") RULE("b", "action: refuse")), 4, 20,
                     "unknown setting \"usr\"");
    /* The first hidden one is enough. */
    assert_warned(RULES(RULE("a", "action: window") RULE("b", "action: refuse") RULE("c", "action: refuse")),
                  5, 9, words);
}

static void rules_that_are_reached_are_not_spoken_of(void **state)
{
    (void)state;
    static const char *const rules[] = {
        RULES(RULE("a", "when: { user: x }, action: refuse") RULE("b", "when: { user: y }, action: refuse")),
        RULES(RULE("a", "when: { user: x }, action: refuse") RULE("b", "action: window")),
        RULES(RULE("a", "when: { service: x }, action: refuse")
                  RULE("b", "when: { database: x }, action: refuse")),
        RULES(RULE("a", "when: { address: 10.0.0.0/8 }, action: refuse")
                  RULE("b", "when: { address: 10.0.0.0/9 }, action: refuse")),
        RULES(RULE("a", "when: { address: 10.0.0.0/8 }, action: refuse") RULE("b", "action: refuse")),
        RULES(RULE("a", "action: window") RULE("b", "when: { class: [write] }, action: refuse")),
        RULES(RULE("a", "when: { object: x }, action: refuse") RULE("b", "action: refuse")),
        RULES(RULE("a", "when: { object: x }, action: refuse")
                  RULE("b", "when: { object: y }, action: refuse")),
        /* What may be x and is not surely x is left to the second. */
        RULES(RULE("a", "when: { object: x }, action: allow")
                  RULE("b", "when: { object: x }, action: refuse")),
    };
    for (size_t i = 0; i < COUNT_OF(rules); i++)
        assert_warned(rules[i], 0, 0, NULL);
}

static void a_rule_that_lets_all_pass_is_worth_a_warning(void **state)
{
    (void)state;
    assert_warned(RULES(RULE("a", "action: allow")), 4, 20,
                  "guard.rules[0].action: lets every schema change pass, of everybody and at any time");
    assert_warned(RULES(RULE("a", "when: { user: \"*\" }, action: allow")), 4, 41,
                  "lets every schema change");
    assert_warned(RULES(RULE("a", "when: { address: 10.0.0.0/8 }, action: allow")), 0, 0, NULL);
    assert_warned(RULES(RULE("a", "when: { database: x }, action: allow")), 0, 0, NULL);
    assert_warned(RULES(RULE("a", "when: { object: x }, action: allow")), 0, 0, NULL);
    assert_warned(RULES(RULE("a", "when: { class: [maintenance] }, action: allow")), 0, 0, NULL);
}

static void a_mode_that_never_counts_is_worth_a_warning(void **state)
{
    (void)state;
    assert_warned(GUARD("modes: [ { when: { user: x }, mode: off }, { when: { user: y }, mode: off } ]"), 0,
                  0, NULL);
    assert_warned(GUARD("modes: [ { mode: off }, { when: { user: y }, mode: off } ]"), 3, 42,
                  "guard.modes[0].mode: the entry has no condition, so guard.mode and the entries after it");
    assert_warned(GUARD("modes: [ { when: { service: \"*\" }, mode: off } ]"), 3, 66, "has no condition");
    assert_warned(GUARD("modes: [ { when: { user: x }, mode: off }, { when: { user: x }, mode: observe } ]"),
                  3, 95, "guard.modes[1].mode: never counts: guard.modes[0] before it holds for the same");
    assert_warned(
        GUARD("modes: [ { when: { user: x, database: d }, mode: off }, { when: { user: x }, mode: off } ]"),
        0, 0, NULL);
}

static void protection_needs_a_guard(void **state)
{
    (void)state;
#define OFF(rest) NEEDED "guard: { mode: off, protected: [orders]" rest " }\n"
    assert_warned(OFF(""), 3, 32, "guard.protected: has no effect with guard.mode: off");
    assert_warned(OFF(", modes: [ { when: { user: x }, mode: off } ]"), 3, 32, "has no effect");
    assert_warned(OFF(", modes: [ { when: { user: x }, mode: enforce } ]"), 0, 0, NULL);
    assert_warned(GUARD("protected: [orders]"), 0, 0, NULL);
    assert_refused(NEEDED "guard: { mode: of, protected: [orders] }\n", 3, 16, "guard.mode");
}

static void a_rest_is_behind_changes_one_at_a_time(void **state)
{
    (void)state;
    assert_warned(GUARD("rest_between_changes: 5m"), 3, 47,
                  "guard.rest_between_changes: has no effect without one_change_at_a_time");
    assert_warned(GUARD("rest_between_changes: 0s"), 0, 0, NULL);
    assert_warned(GUARD("one_change_at_a_time: true, rest_between_changes: 5m"), 0, 0, NULL);
    assert_one_fault(GUARD("one_change_at_a_time: yes, rest_between_changes: 5m"), 3, 47,
                     "guard.one_change_at_a_time");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_have_names_of_their_own),
        cmocka_unit_test(a_rule_names_windows_that_are_there),
        cmocka_unit_test(windows_that_could_not_be_read_are_not_missed),
        cmocka_unit_test(only_a_rule_that_asks_windows_says_which),
        cmocka_unit_test(a_pattern_of_objects_is_one_that_can_hold),
        cmocka_unit_test(objects_are_known_of_schema_changes_only),
        cmocka_unit_test(a_rule_that_others_hide_is_worth_a_warning),
        cmocka_unit_test(rules_that_are_reached_are_not_spoken_of),
        cmocka_unit_test(a_rule_that_lets_all_pass_is_worth_a_warning),
        cmocka_unit_test(a_mode_that_never_counts_is_worth_a_warning),
        cmocka_unit_test(protection_needs_a_guard),
        cmocka_unit_test(a_rest_is_behind_changes_one_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
