/* SPDX-License-Identifier: PostgreSQL */
#include "unit/config/given.h"

#define UPSTREAM  "upstreams: [ { name: main, hosts: [\"127.0.0.1:5432\"] } ]\n"
#define OFF       "guard: { mode: off }\n"
#define WINDOW(n) "    - { name: " n ", from: \"01:00\", to: \"02:00\", allow: additive }\n"

static void names_are_unique_within_their_list(void **state)
{
    (void)state;
    assert_refused(NEEDED "guard:\n  windows:\n" WINDOW("a") WINDOW("b") WINDOW("a"), 7, 15,
                   "guard.windows[2].name: \"a\" is also the name of guard.windows[0]");
    assert_refused(NEEDED "guard:\n  windows:\n" WINDOW(
                       "a") "  freezes:\n"
                            "    - { name: a, from: 2026-11-26T00:00Z, to: 2026-11-27T00:00Z }\n"
                            "    - { name: a, from: 2027-11-26T00:00Z, to: 2027-11-27T00:00Z }\n",
                   8, 15, "guard.freezes[1].name");
    assert_refused("listen: [ { address: \"127.0.0.1:6432\", upstream: a } ]\n"
                   "upstreams:\n  - { name: a, hosts: [\"a:1\"] }\n  - { name: a, hosts: [\"b:1\"] }\n",
                   4, 13, "upstreams[1].name");
}

static void several_rules_may_name_one_service(void **state)
{
    (void)state;
    struct given given;
    (void)given_good(&given,
                     NEEDED "guard: { mode: off }\n"
                            "services: [ { name: a, when: { user: a } }, { name: a, when: { user: b } } ]\n");
    assert_int_equal(given.problems.count, 0);
    given_release(&given);
}

/* What could not be read has been said; nothing more follows from it. */
static void a_wrong_value_is_one_error_only(void **state)
{
    (void)state;
    struct given given;
    assert_refused("listen: [ { address: \"127.0.0.1:6432\", upstream: "
                   "1234567890123456789012345678901234567890123456789012345678901234 } ]\n" UPSTREAM,
                   1, 50, "listen[0].upstream");
    assert_false(given_parse(&given, NEEDED "guard:\n  windows:\n" WINDOW("-a") WINDOW("-b")));
    assert_int_equal(given.problems.count, 2);
}

static void no_address_is_listened_on_twice(void **state)
{
    (void)state;
    assert_refused(
        "listen: [ { address: \"[::1]:6432\", upstream: main }, { address: \"[0::1]:6432\", upstream: main } "
        "]\n" UPSTREAM,
        1, 65, "listen[1].address: listen[0] has it already");
    assert_refused(NEEDED "console: { address: \"127.0.0.1:6432\" }\n", 1, 22,
                   "the console listens there too");
}

static void a_console_that_others_can_reach_needs_a_password(void **state)
{
    (void)state;
    struct given given;
    assert_refused(NEEDED "console: { address: \"0.0.0.0:6433\" }\n", 3, 21, "set console.password");
    assert_refused(NEEDED "console: { address: \"[::]:6433\", password: \"\" }\n", 3, 21,
                   "set console.password");
    assert_int_equal(given_good(&given, NEEDED "console: { address: \"0.0.0.0:6433\", password: x }\n")
                         ->console.address.port,
                     6433);
    given_release(&given);
    assert_int_equal(
        given_good(&given, NEEDED "console: { address: /run/console }\n")->console.address.family,
        ADDRESS_UNIX);
    given_release(&given);
    assert_int_equal(given_good(&given, NEEDED "console: { address: off }\n")->console.address.family,
                     ADDRESS_NONE);
    given_release(&given);
}

static void a_window_lasts_a_minute_at_least(void **state)
{
    (void)state;
    assert_refused(NEEDED
                   "guard: { windows: [ { name: a, from: \"01:00\", to: \"01:00\", allow: additive } ] }\n",
                   3, 51, "guard.windows[0].to: it closes when it opens");
}

static void enforcing_without_a_window_is_worth_a_warning(void **state)
{
    (void)state;
    assert_warned(NEEDED, 1, 1, "guard.windows: there is no window, so the gate stays closed");
    assert_warned(NEEDED "guard: { windows: [] }\n", 3, 19, "the gate stays closed");
    assert_warned(NEEDED "guard: { mode: observe }\n", 0, 0, NULL);
    assert_warned(NEEDED "guard:\n  windows:\n" WINDOW("a"), 0, 0, NULL);
}

static void a_rule_that_hides_others_is_worth_a_warning(void **state)
{
    (void)state;
    assert_warned(NEEDED
                  "guard: { mode: off }\nservices: [ { name: all }, { name: a, when: { user: a } } ]\n",
                  4, 21, "services[0].name: the rule has no condition");
    assert_warned(
        NEEDED
        "guard: { mode: off }\nservices: [ { name: a, when: { address: 10.0.0.0/8 } }, { name: b, when: "
        "{ database: b } }, { name: all } ]\n",
        0, 0, NULL);
}

static void a_bound_that_a_wider_one_hides_is_worth_a_warning(void **state)
{
    (void)state;
    assert_warned(NEEDED OFF "limits: { sessions: 10, sessions_per_service: 11 }\n", 4, 47,
                  "limits.sessions_per_service: is never reached: limits.sessions allows no more than 10 in "
                  "all; write a smaller number, or 0 for no bound");
    assert_warned(NEEDED OFF "limits: { sessions_per_address: 10001 }\n", 4, 33,
                  "limits.sessions_per_address: is never reached: limits.sessions allows no more than 10000");
    assert_warned(NEEDED OFF "limits: { sessions: 10, sessions_per_service: 10, sessions_per_address: 10 }\n",
                  0, 0, NULL);
    assert_warned(NEEDED OFF "limits: { sessions: 0, sessions_per_service: 10, sessions_per_address: 10 }\n",
                  0, 0, NULL);
}

static void no_balancer_at_all_is_worth_a_warning(void **state)
{
    (void)state;
#define LISTEN(rest) "listen: [ { address: \"127.0.0.1:6432\", upstream: main" rest " } ]\n" UPSTREAM OFF
    assert_warned(LISTEN(", proxy_protocol: { from: [] }"), 1, 80,
                  "listen[0].proxy_protocol.from: is empty, so nobody may send PROXY headers: write the "
                  "networks of the load balancers, such as from: [10.0.0.0/8], or leave it out");
    assert_warned(LISTEN(", proxy_protocol: { from: }"), 1, 80, "nobody may send PROXY headers");
    assert_warned(LISTEN(", proxy_protocol: { }"), 0, 0, NULL);
    assert_warned(LISTEN(", proxy_protocol:"), 0, 0, NULL);
    assert_warned(LISTEN(", proxy_protocol: { from: [10.0.0.0/8] }"), 0, 0, NULL);
    struct given given;
    assert_false(given_parse(&given, LISTEN(", proxy_protocol: { from: 10.0.0.0/8 }")));
    assert_problem(&given.problems, 1, 80, "must be a list, such as from: [\"10.0.0.0/8\"]");
    assert_int_equal(given.problems.count, 1);
#undef LISTEN
}

static void the_audit_has_a_file_of_its_own(void **state)
{
    (void)state;
    assert_warned(NEEDED OFF "audit: { file: audit.jsonl }\nlog: { file: log.txt }\n", 0, 0, NULL);
    assert_refused(NEEDED OFF "audit: { file: /l/both }\nlog: { file: /l/both }\n", 4, 16,
                   "audit.file: \"/l/both\" is also log.file: give each a file of its own");
    assert_refused(NEEDED OFF "audit: { file: both }\nlog: { file: both }\n", 4, 16, "is also log.file");
    assert_refused(NEEDED OFF "audit: { file: \"-\" }\n", 4, 16, "audit.file: \"-\" is no file");
    assert_refused(NEEDED OFF "audit: { file: \"\" }\n", 4, 16, "out of bounds");
    /* A relative path of the audit begins at the folder of the settings. */
    struct given given;
    problems_init(&given.problems);
    assert_false(settings_parse("/etc/file.yaml",
                                bytes_text(NEEDED OFF "audit: { file: both }\nlog: { file: /etc/both }\n"),
                                &given.settings, &given.problems));
    assert_problem(&given.problems, 4, 16, "\"/etc/both\" is also log.file");
    problems_init(&given.problems);
    assert_false(settings_parse("/etc/file.yaml",
                                bytes_text(NEEDED OFF "audit: { file: both }\nlog: { file: both }\n"),
                                &given.settings, &given.problems));
    assert_problem(&given.problems, 4, 16, "\"both\" is also log.file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_unique_within_their_list),
        cmocka_unit_test(several_rules_may_name_one_service),
        cmocka_unit_test(a_wrong_value_is_one_error_only),
        cmocka_unit_test(no_address_is_listened_on_twice),
        cmocka_unit_test(a_console_that_others_can_reach_needs_a_password),
        cmocka_unit_test(a_window_lasts_a_minute_at_least),
        cmocka_unit_test(enforcing_without_a_window_is_worth_a_warning),
        cmocka_unit_test(a_rule_that_hides_others_is_worth_a_warning),
        cmocka_unit_test(a_bound_that_a_wider_one_hides_is_worth_a_warning),
        cmocka_unit_test(no_balancer_at_all_is_worth_a_warning),
        cmocka_unit_test(the_audit_has_a_file_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
