/* SPDX-License-Identifier: PostgreSQL */
#include "unit/config/given.h"

/* Listeners on line 2, upstreams on line 3. */
#define LISTEN(rest)                                                                                         \
    "guard: { mode: off }\nlisten: [ { address: \"127.0.0.1:6432\", upstream: main" rest " } ]\n"
#define ROUTES(routes) LISTEN(", routes: [ " routes " ]")
#define MAIN           "upstreams: [ { name: main, hosts: [\"a:1\"] } ]\n"
#define BOTH           "upstreams: [ { name: main, hosts: [\"a:1\"] }, { name: other, hosts: [\"b:1\"] } ]\n"
#define SETTING(text)  "upstreams: [ { name: main, hosts: [\"a:1\"], " text " } ]\n"

static void a_listener_names_an_upstream_that_is_there(void **state)
{
    (void)state;
    assert_refused(
        "listen: [ { address: \"127.0.0.1:6432\", upstream: man } ]\n" MAIN, 1, 50,
        "listen[0].upstream: there is no upstream \"man\": write the name of an entry of upstreams, "
        "such as main");
}

static void a_route_names_an_upstream_that_is_there(void **state)
{
    (void)state;
    assert_refused(
        ROUTES("{ database: a, upstream: main }, { database: b, upstream: othr }") BOTH, 2, 124,
        "listen[0].routes[1].upstream: there is no upstream \"othr\": write the name of an entry of "
        "upstreams, such as main");
}

static void a_route_that_another_hides_is_worth_a_warning(void **state)
{
    (void)state;
    assert_warned(ROUTES("{ database: \"*\", upstream: other }, { database: b, upstream: main }") BOTH, 2,
                  114,
                  "listen[0].routes[1].database: is never reached: routes[0] before it (\"*\") holds for the "
                  "same databases; put this route before that one, or take it out");
    assert_warned(ROUTES("{ database: \"**\", upstream: other }, { database: b, upstream: main }, "
                         "{ database: c, upstream: main }") BOTH,
                  2, 115, "routes[0] before it (\"**\") holds");
    assert_warned(ROUTES("{ database: b, upstream: other }, { database: b, upstream: main }") BOTH, 2, 112,
                  "routes[0] before it (\"b\") holds");
    assert_warned(ROUTES("{ database: b, upstream: other }, { database: \"b*\", upstream: main }, "
                         "{ database: \"*\", upstream: other }") BOTH,
                  0, 0, NULL);
}

static void an_upstream_to_which_nothing_leads_is_worth_a_warning(void **state)
{
    (void)state;
    assert_warned(LISTEN("") BOTH, 3, 54,
                  "upstreams[1].name: no entry of listen and no route leads to \"other\": name it there, or "
                  "take it out");
    assert_warned(ROUTES("{ database: a, upstream: other }") BOTH, 0, 0, NULL);
    assert_warned(LISTEN(" }, { address: \"127.0.0.1:6431\", upstream: other") BOTH, 0, 0, NULL);
}

static void a_misspelt_reference_is_one_problem_only(void **state)
{
    (void)state;
    struct given given;
    assert_false(given_parse(&given, ROUTES("{ database: a, upstream: othr }") BOTH));
    assert_int_equal(given.problems.count, 1);
}

static void a_probe_that_is_never_sent_is_worth_a_warning(void **state)
{
    (void)state;
    assert_warned(LISTEN("") SETTING("probe: \"user=probe\""), 3, 51,
                  "upstreams[0].probe: has no effect with target: any, for which no host is asked: write "
                  "target: read-write, or leave it out");
    assert_warned(LISTEN("") SETTING("target: any, probe_interval: 2s"), 3, 73,
                  "upstreams[0].probe_interval: has no effect with target: any");
    assert_warned(LISTEN("") SETTING("probe: dbname=postgres, probe_interval: 1s"), 0, 0, NULL);
    assert_warned(LISTEN("") SETTING("target: read-write, probe: \"user=probe\", probe_interval: 2s"), 0, 0,
                  NULL);
    assert_warned(LISTEN("") SETTING("target: read-write"), 0, 0, NULL);
}

static void a_probe_that_trusts_nobody_is_worth_a_warning(void **state)
{
    (void)state;
    struct given given;
    (void)given_good(&given, LISTEN("") SETTING("target: read-write, tls: { mode: verify-ca }"));
    assert_problem(&given.problems, 3, 14, "upstreams[0].probe: libpq");
    given_release(&given);
    assert_warned(LISTEN("") SETTING("target: read-write, tls: { mode: verify-full }"), 3, 14,
                  "upstreams[0].probe: libpq, by which the hosts are asked, takes no server for verified "
                  "without tls.ca: write that, or sslrootcert=FILE here");
    assert_warned(LISTEN("") SETTING("target: read-write, tls: { mode: require }"), 0, 0, NULL);
    assert_warned(LISTEN("") SETTING("target: read-write, tls: { mode: verify-ca, ca: x }"), 0, 0, NULL);
    assert_warned(LISTEN("") SETTING("target: read-write, tls: { mode: verify-full }, probe: sslrootcert=/x"),
                  0, 0, NULL);
    assert_warned(LISTEN("") SETTING("target: any, tls: { mode: verify-full }"), 0, 0, NULL);
}

static void a_wrong_value_is_one_problem_only(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        LISTEN("") SETTING("target: write, probe: \"user=probe\""),
        LISTEN("") SETTING("probe_interval: 2"),
        LISTEN("") SETTING("probe: [ a ]"),
        ROUTES("{ database: \"\", upstream: other }, { database: b, upstream: main }") BOTH,
        ROUTES("{ database: \"*\", upstream: other }, { database: \"\", upstream: main }") BOTH,
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct given given;
        assert_false(given_parse(&given, wrong[i]));
        assert_int_equal(given.problems.count, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_listener_names_an_upstream_that_is_there),
        cmocka_unit_test(a_route_names_an_upstream_that_is_there),
        cmocka_unit_test(a_route_that_another_hides_is_worth_a_warning),
        cmocka_unit_test(an_upstream_to_which_nothing_leads_is_worth_a_warning),
        cmocka_unit_test(a_misspelt_reference_is_one_problem_only),
        cmocka_unit_test(a_probe_that_is_never_sent_is_worth_a_warning),
        cmocka_unit_test(a_probe_that_trusts_nobody_is_worth_a_warning),
        cmocka_unit_test(a_wrong_value_is_one_problem_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
