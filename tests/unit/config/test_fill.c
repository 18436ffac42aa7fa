/* SPDX-License-Identifier: PostgreSQL */
#include "unit/config/given.h"

struct fault {
    const char *text;
    unsigned line;
    unsigned column;
    const char *words;
};

static void assert_faults(const struct fault *faults, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_refused(faults[i].text, faults[i].line, faults[i].column, faults[i].words);
}

static void an_unknown_setting_is_told_the_nearest(void **state)
{
    (void)state;
    static const struct fault faults[] = {
        { NEEDED "servces: []\n", 3, 1, "unknown setting \"servces\"; did you mean \"services\"?" },
        { NEEDED "guard: { windws: [] }\n", 3, 10,
          "guard: unknown setting \"windws\"; did you mean \"windows\"?" },
        { NEEDED "log: { colour: red }\n", 3, 8,
          "unknown setting \"colour\"; known here are format, level, file" },
        { NEEDED "limits:\n  login_timeout: 1s\n  login_time_out: 1s\n", 5, 3,
          "did you mean \"login_timeout\"?" },
        { NEEDED "<<: { workers: 1 }\n", 3, 1, "unknown setting \"<<\"" },
        { NEEDED "\"\": 1\n", 3, 1, "unknown setting \"\"" },
        { NEEDED "a_name_that_is_longer_than_any_setting_has: 1\n", 3, 1, "known here are listen" },
        { NEEDED "? [ a ]\n: 1\n", 3, 3, "must be a word" },
    };
    assert_faults(faults, COUNT_OF(faults));
}

static void a_setting_given_twice_is_an_error(void **state)
{
    (void)state;
    static const struct fault faults[] = {
        { NEEDED "workers: 1\nworkers: 2\n", 4, 1, "\"workers\" stands here twice" },
        { NEEDED "log: { level: info, format: json, level: info }\n", 3, 35,
          "log: \"level\" stands here twice" },
    };
    assert_faults(faults, COUNT_OF(faults));
}

static void what_is_required_is_missed_where_it_belongs(void **state)
{
    (void)state;
    static const struct fault faults[] = {
        { "upstreams: [ { name: a, hosts: [\"a:1\"] } ]\n", 1, 1, "listen: is missing" },
        { "listen: [ { address: \"127.0.0.1:6432\", upstream: a } ]\n", 1, 1, "upstreams: is missing" },
        { "listen: []\nupstreams: [ { name: a, hosts: [\"a:1\"] } ]\n", 1, 9, "listen: is empty" },
        { "listen:\nupstreams: [ { name: a, hosts: [\"a:1\"] } ]\n", 1, 1, "listen: is missing" },
        { NEEDED "guard:\n  freezes:\n    - { name: a, from: 2026-11-26T00:00Z }\n", 5, 7,
          "guard.freezes[0].to: is missing: write the first moment after it, such as to: \"2026-12-01T00" },
        { NEEDED "services: [ { when: { user: a } } ]\n", 3, 13, "services[0].name: is missing" },
        { NEEDED "services: [ ~ ]\n", 3, 13, "services[0].name: is missing" },
    };
    assert_faults(faults, COUNT_OF(faults));
}

static void a_wrong_shape_is_told_the_right_one(void **state)
{
    (void)state;
    static const struct fault faults[] = {
        { "hello\n", 1, 1, "must hold settings, each written as \"name: value\"; known here are listen" },
        { "- a\n", 1, 1, "must hold settings" },
        { NEEDED "guard: enforce\n", 3, 8, "guard: must hold settings" },
        { NEEDED "services: { name: a }\n", 3, 11,
          "services: must be a list: begin each entry with \"- name:\"" },
        { NEEDED "services: [ a ]\n", 3, 13, "services[0]: must hold settings" },
        { NEEDED "workers: [ 1 ]\n", 3, 10, "workers: must be a single value, such as \"1\"" },
        { NEEDED "workers:\n", 3, 9,
          "workers: has no value: write one, such as \"1\", or leave the setting out" },
        { NEEDED "workers: ~\n", 3, 10, "workers: has no value" },
        { NEEDED "workers: null\n", 3, 10, "workers: has no value" },
        { NEEDED "services: [ { name: } ]\n", 3, 21,
          "services[0].name: has no value: write one, such as \"kds\"" },
        { "listen: [ { address: \"127.0.0.1:1\", upstream: a } ]\nupstreams: [ { name: a, hosts: \"a:1\" } "
          "]\n",
          2, 32, "upstreams[0].hosts: must be a list, such as hosts: [\"127.0.0.1:5432\"]" },
    };
    assert_faults(faults, COUNT_OF(faults));
}

#define LISTEN(rest)                                                                                         \
    "listen: [ { address: \"127.0.0.1:1\", upstream: main, " rest                                            \
    " } ]\nupstreams: [ { name: main, hosts: [\"a:1\"] } ]\n"

static void faults_in_nested_parts_have_their_place(void **state)
{
    (void)state;
    static const struct fault faults[] = {
        { LISTEN("tls: { modus: allow }"), 1, 60,
          "listen[0].tls: unknown setting \"modus\"; did you mean \"mode\"?" },
        { LISTEN("tls: { mode: allowed }"), 1, 66, "listen[0].tls.mode: \"allowed\" is none of the words" },
        { LISTEN("tls: allow"), 1, 58, "listen[0].tls: must hold settings" },
        { LISTEN("proxy_protocol: { from: [10.0.0.0/8, 10.0.0.1/8] }"), 1, 90,
          "listen[0].proxy_protocol.from[1]: \"10.0.0.1/8\" is not right: " },
        { LISTEN("routes: [ { database: a } ]"), 1, 63,
          "listen[0].routes[0].upstream: is missing (name of the upstream that has it): write it, such as "
          "upstream: \"main\"" },
        { LISTEN("routes: { database: a, upstream: main }"), 1, 61,
          "listen[0].routes: must be a list: begin each entry with \"- database:\"" },
        { NEEDED "limits: { idle_timeout: 366d }\n", 3, 25,
          "limits.idle_timeout: \"366d\" is out of bounds: 0s to 365d" },
    };
    assert_faults(faults, COUNT_OF(faults));
}

#define WINDOW(days)                                                                                         \
    NEEDED "guard: { windows: [ { name: a, from: 01:00, to: 02:00, allow: additive, days: " days "} ] }\n"

static void the_days_of_a_window_are_words_that_stand_once(void **state)
{
    (void)state;
    static const struct fault faults[] = {
        { WINDOW("[sun, son]"), 3, 85,
          "\"son\" is none of the words known here: write sun, mon, tue, wed, thu, fri or sat" },
        { WINDOW("[sun, mon, sun]"), 3, 90, "\"sun\" stands here twice" },
        { WINDOW("[]"), 3, 79, "must be a list of words, such as days: [sun, mon" },
        { WINDOW("sun"), 3, 79, "must be a list of words" },
        { WINDOW("[[sun]]"), 3, 80, "must be a single value" },
        { WINDOW("[~]"), 3, 80, "has no value" },
    };
    assert_faults(faults, COUNT_OF(faults));
}

static void a_list_that_is_too_long_is_not_read(void **state)
{
    (void)state;
    assert_refused(
        "listen: [ { address: \"127.0.0.1:1\", upstream: a } ]\n"
        "upstreams: [ { name: a, hosts: [a:1, b:1, c:1, d:1, e:1, f:1, g:1, h:1, i:1, j:1, k:1, l:1, m:1, "
        "n:1, o:1, p:1, q:1 ] } ]\n",
        2, 32, "upstreams[0].hosts: has 17 entries: 1 to 16 are right");
}

static void a_wrong_value_is_shown_harmlessly_and_cut(void **state)
{
    (void)state;
    char text[512] = NEEDED "workers: ";
    size_t size = strlen(text);
    memset(text + size, '7', 200);
    assert_refused(text, 3, 10, "777...\" is not a whole number: write digits only, such as 1");
    assert_refused(NEEDED "workers: 'a\\b'\n", 3, 10, "\"a\\\\b\" is not");
}

static void sections_may_be_nested_in_entries(void **state)
{
    (void)state;
    struct given given;
    const struct settings *settings = given_good(&given, NESTED);
    const struct listen_settings *listen = &settings->listen.items[0];
    assert_int_equal(listen->tls.mode, CLIENT_TLS_REQUIRE);
    assert_string_equal(listen->tls.certificate, "server.crt");
    assert_string_equal(listen->tls.client_ca, "");
    assert_int_equal(listen->tls.version_least, SETTING_TLS_1_3);
    assert_int_equal(listen->proxy_protocol.from.count, 2);
    assert_int_equal(listen->proxy_protocol.from.items[0].prefix, 8);
    assert_int_equal(listen->proxy_protocol.from.items[1].family, ADDRESS_IPV6);
    assert_int_equal(listen->routes.count, 1);
    assert_string_equal(listen->routes.items[0].database, "orders*");
    const struct upstream_settings *upstream = &settings->upstreams.items[0];
    assert_int_equal(upstream->target, TARGET_READ_WRITE);
    assert_string_equal(upstream->probe, "user=probe password=canary-Zx81");
    assert_int_equal(upstream->probe_interval, 500000);
    assert_int_equal(upstream->tls.mode, SERVER_TLS_VERIFY_FULL);
    assert_int_equal(upstream->tls.version_least, SETTING_TLS_1_2);
    assert_true(upstream->tls.direct);
    assert_int_equal(settings->limits.sessions_per_service, 500);
    assert_int_equal(settings->limits.idle_in_transaction_timeout, 300000000);
    given_release(&given);
}

static void what_is_nested_has_its_default_when_left_out(void **state)
{
    (void)state;
    struct given given;
    const struct settings *settings = given_good(&given, NEEDED "guard: { mode: off }\n");
    const struct listen_settings *listen = &settings->listen.items[0];
    const struct upstream_settings *upstream = &settings->upstreams.items[0];
    assert_int_equal(given.problems.count, 0);
    assert_int_equal(listen->routes.count, 0);
    assert_int_equal(listen->tls.mode, CLIENT_TLS_DISABLE);
    assert_int_equal(listen->tls.version_least, SETTING_TLS_1_2);
    assert_string_equal(listen->tls.certificate, "");
    assert_int_equal(listen->proxy_protocol.from.count, 0);
    assert_int_equal(upstream->target, TARGET_ANY);
    assert_string_equal(upstream->probe, "dbname=postgres");
    assert_int_equal(upstream->probe_interval, 1000000);
    assert_int_equal(upstream->tls.mode, SERVER_TLS_DISABLE);
    assert_false(upstream->tls.direct);
    assert_int_equal(settings->limits.sessions, 10000);
    assert_int_equal(settings->limits.sessions_per_service, 0);
    assert_int_equal(settings->limits.sessions_per_address, 0);
    assert_int_equal(settings->limits.idle_timeout, 0);
    assert_int_equal(settings->limits.idle_in_transaction_timeout, 0);
    given_release(&given);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections_may_be_nested_in_entries),
        cmocka_unit_test(what_is_nested_has_its_default_when_left_out),
        cmocka_unit_test(an_unknown_setting_is_told_the_nearest),
        cmocka_unit_test(a_setting_given_twice_is_an_error),
        cmocka_unit_test(what_is_required_is_missed_where_it_belongs),
        cmocka_unit_test(a_wrong_shape_is_told_the_right_one),
        cmocka_unit_test(faults_in_nested_parts_have_their_place),
        cmocka_unit_test(the_days_of_a_window_are_words_that_stand_once),
        cmocka_unit_test(a_list_that_is_too_long_is_not_read),
        cmocka_unit_test(a_wrong_value_is_shown_harmlessly_and_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
