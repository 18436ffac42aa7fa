/* SPDX-License-Identifier: PostgreSQL */
#include "unit/config/given.h"

#define OFF "guard: { mode: off }\n"
/* The listener's section begins on line 2, column 61; its first value stands further right. */
#define LISTEN(tls) OFF "listen: [ { address: \"127.0.0.1:6432\", upstream: main, tls: { " tls " } } ]\n" MAIN
#define MAIN        "upstreams: [ { name: main, hosts: [\"a:1\"] } ]\n"
#define PAIR        ", certificate: s.crt, key: s.key"
/* The upstream's section begins on line 3, column 50. */
#define UPSTREAM(tls) UPSTREAM_OF("\"a:1\"", tls)
#define UPSTREAM_OF(hosts, tls)                                                                              \
    OFF "listen: [ { address: \"127.0.0.1:6432\", upstream: main } ]\n"                                      \
        "upstreams: [ { name: main, tls: { " tls " }, hosts: [" hosts "] } ]\n"

static void assert_problem_count(const char *text, size_t count)
{
    struct given given;
    assert_false(given_parse(&given, text));
    assert_int_equal(given.problems.count, count);
}

static void encrypting_for_clients_needs_a_certificate_and_its_key(void **state)
{
    (void)state;
    static const char *const modes[] = { "allow", "require", "verify-client" };
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        struct given given;
        char text[512];
        char words[256];
        (void)snprintf(text, sizeof text, LISTEN("mode: %s, client_ca: ca.crt"), modes[i]);
        assert_false(given_parse(&given, text));
        (void)snprintf(words, sizeof words,
                       "listen[0].tls.certificate: is missing, and mode %s needs it: write the path of a PEM "
                       "file, such as certificate: server.crt",
                       modes[i]);
        assert_problem(&given.problems, 2, 61, words);
        (void)snprintf(
            words, sizeof words,
            "listen[0].tls.key: is missing, and mode %s needs it: write the path of a PEM file, such "
            "as key: server.key",
            modes[i]);
        assert_problem(&given.problems, 2, 61, words);
        assert_int_equal(given.problems.error_count, 2);
    }
    assert_warned(LISTEN("mode: require" PAIR), 0, 0, NULL);
    assert_warned(LISTEN("mode: disable"), 0, 0, NULL);
    assert_warned(LISTEN("mode: disable" PAIR), 0, 0, NULL);
}

static void a_certificate_needs_its_key_and_a_key_its_certificate(void **state)
{
    (void)state;
    assert_refused(
        LISTEN("key: s.key"), 2, 61,
        "listen[0].tls.certificate: is missing, and the key needs it: write the path of a PEM file, "
        "such as certificate: server.crt");
    assert_refused(LISTEN("mode: require, certificate: s.crt"), 2, 61,
                   "listen[0].tls.key: is missing, and the certificate needs it");
    assert_refused(UPSTREAM("mode: require, key: c.key"), 3, 33,
                   "upstreams[0].tls.certificate: is missing, and the key needs it: write the path of a PEM "
                   "file, such as certificate: client.crt");
    assert_refused(UPSTREAM("certificate: c.crt"), 3, 33,
                   "upstreams[0].tls.key: is missing, and the certificate needs it");
}

static void clients_are_verified_against_who_signs_their_certificates(void **state)
{
    (void)state;
    assert_refused(
        LISTEN("mode: verify-client" PAIR), 2, 61,
        "listen[0].tls.client_ca: is missing, and mode verify-client needs it: write the path of a "
        "PEM file, such as client_ca: ca.crt");
    assert_warned(LISTEN("mode: verify-client, client_ca: ca.crt" PAIR), 0, 0, NULL);
    assert_warned(LISTEN("mode: require, client_ca: ca.crt" PAIR), 2, 89,
                  "listen[0].tls.client_ca: has no effect with mode: require, which asks no client for a "
                  "certificate: write mode: verify-client, or leave it out");
}

static void a_ca_that_verifies_nothing_is_worth_a_warning(void **state)
{
    (void)state;
    assert_warned(UPSTREAM("ca: ca.crt"), 3, 39, "upstreams[0].tls.ca: has no effect with mode: disable");
    assert_warned(UPSTREAM("ca: ca.crt, mode: prefer"), 3, 39, "has no effect with mode: prefer");
    assert_warned(UPSTREAM("ca: ca.crt, mode: require"), 3, 39,
                  "upstreams[0].tls.ca: has no effect with mode: require, which verifies no certificate (nor "
                  "does require here, other than with libpq): write mode: verify-ca or verify-full, or leave "
                  "it out");
    assert_warned(UPSTREAM("ca: ca.crt, mode: verify-ca"), 0, 0, NULL);
    assert_warned(UPSTREAM("ca: ca.crt, mode: verify-full"), 0, 0, NULL);
}

static void a_signature_of_anybody_is_worth_a_warning(void **state)
{
    (void)state;
    assert_warned(
        UPSTREAM("mode: verify-ca"), 3, 41,
        "upstreams[0].tls.mode: verify-ca without ca takes every certificate that somebody known to "
        "the system has signed, for whatever host: name the ca, or write verify-full");
    assert_warned(UPSTREAM("mode: verify-full"), 0, 0, NULL);
}

static void direct_tls_needs_a_mode_that_never_does_without(void **state)
{
    (void)state;
    assert_refused(UPSTREAM("direct: true"), 3, 43, "and mode: disable may do without");
    assert_refused(
        UPSTREAM("direct: true, mode: prefer"), 3, 43,
        "upstreams[0].tls.direct: true needs TLS for certain, and mode: prefer may do without: write "
        "mode: require, verify-ca or verify-full, or direct: false");
    assert_warned(UPSTREAM("direct: true, mode: require"), 0, 0, NULL);
    assert_warned(UPSTREAM("direct: true, mode: verify-ca, ca: ca.crt"), 0, 0, NULL);
    assert_warned(UPSTREAM("direct: true, mode: verify-full"), 0, 0, NULL);
    assert_warned(UPSTREAM("direct: false, mode: disable"), 0, 0, NULL);
}

static void encrypting_sockets_is_worth_a_warning(void **state)
{
    (void)state;
    assert_warned(UPSTREAM_OF("/a, /b", "mode: require"), 3, 41,
                  "upstreams[0].tls.mode: has no effect: all hosts of \"main\" are Unix sockets, which are "
                  "never encrypted; write mode: disable, or leave tls out");
    assert_warned(UPSTREAM_OF("/a, \"b:1\"", "mode: require"), 0, 0, NULL);
    assert_warned(UPSTREAM_OF("/a", "mode: disable"), 0, 0, NULL);
}

#define TWO(mode_of_listener, rest, mode_of_other)                                                           \
    OFF "listen: [ { address: \"127.0.0.1:6432\", upstream: main, tls: { mode: " mode_of_listener PAIR       \
        " }" rest " } ]\n"                                                                                   \
        "upstreams:\n  - { name: main, hosts: [\"a:1\"] }\n"                                                 \
        "  - { name: other, hosts: [\"b:1\", /c], tls: { mode: " mode_of_other " } }\n"
#define ROUTE ", routes: [ { database: a, upstream: other } ]"

static void channel_binding_across_two_encryptions_is_worth_a_warning(void **state)
{
    (void)state;
    assert_warned(
        TWO("allow", ROUTE, "prefer"), 2, 69,
        "listen[0].tls.mode: upstreams[1].tls.mode encrypts too: clients that use channel binding "
        "with SCRAM (the default of libpq) can log in only if the server shows the very certificate "
        "of this listener; if it does not, set channel_binding=disable in the clients, or leave one "
        "of both without TLS");
    assert_warned(TWO("require", " }, { address: \"127.0.0.1:6431\", upstream: other", "require"), 0, 0,
                  NULL);
    assert_warned(TWO("disable", ROUTE, "require"), 0, 0, NULL);
    assert_warned(TWO("require", ROUTE, "disable"), 0, 0, NULL);
    assert_warned(OFF "listen: [ { address: \"127.0.0.1:6432\", upstream: main, tls: { mode: require" PAIR
                      " } } ]\nupstreams: [ { name: main, hosts: [\"a:1\"], tls: { mode: require } } ]\n",
                  2, 69, "listen[0].tls.mode: upstreams[0].tls.mode encrypts too");
}

/* Its encryption has no effect, which is all there is to say. */
static void sockets_bind_no_channel(void **state)
{
    (void)state;
    assert_warned(OFF "listen: [ { address: \"127.0.0.1:6432\", upstream: main, tls: { mode: require" PAIR
                      " } } ]\nupstreams: [ { name: main, hosts: [/a], tls: { mode: require } } ]\n",
                  3, 54, "upstreams[0].tls.mode: has no effect");
}

static void what_could_not_be_read_is_one_problem_only(void **state)
{
    (void)state;
    assert_problem_count(LISTEN("mode: requre, client_ca: ca.crt"), 1);
    assert_problem_count(LISTEN("mode: require, certificate: [ a ], key: s.key"), 1);
    assert_problem_count(LISTEN("mode: require, certificate: s.crt, key: "), 1);
    assert_problem_count(LISTEN("mode: require, certificate: \"\", key: s.key"), 1);
    assert_problem_count(UPSTREAM("mode: verify, ca: ca.crt, direct: true"), 1);
    assert_problem_count(UPSTREAM("mode: verify-ca, ca: { a: b }"), 1);
    assert_problem_count(UPSTREAM("mode: require, direct: yes"), 1);
    assert_problem_count(UPSTREAM_OF("", "mode: require"), 1);
    assert_problem_count(
        OFF "listen: [ { address: \"127.0.0.1:6432\", upstream: main, tls: require } ]\n" MAIN, 1);
}

static void what_could_be_read_is_checked_beside_what_could_not(void **state)
{
    (void)state;
    assert_problem_count(LISTEN("mode: require, certificate: s.crt, version_least: 2"), 2);
    assert_problem_count(UPSTREAM("mode: prefer, direct: true, version_least: 2"), 2);
}

static void problems_of_another_file_hide_nothing(void **state)
{
    (void)state;
    struct settings *settings = NULL;
    struct problems problems;
    problems_init(&problems);
    problems_add(&problems, "other.yaml", 2, 61, "something");
    assert_false(settings_parse("file.yaml", bytes_text(LISTEN("certificate: s.crt")), &settings, &problems));
    assert_int_equal(problems.count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encrypting_for_clients_needs_a_certificate_and_its_key),
        cmocka_unit_test(a_certificate_needs_its_key_and_a_key_its_certificate),
        cmocka_unit_test(clients_are_verified_against_who_signs_their_certificates),
        cmocka_unit_test(a_ca_that_verifies_nothing_is_worth_a_warning),
        cmocka_unit_test(a_signature_of_anybody_is_worth_a_warning),
        cmocka_unit_test(direct_tls_needs_a_mode_that_never_does_without),
        cmocka_unit_test(encrypting_sockets_is_worth_a_warning),
        cmocka_unit_test(channel_binding_across_two_encryptions_is_worth_a_warning),
        cmocka_unit_test(sockets_bind_no_channel),
        cmocka_unit_test(what_could_not_be_read_is_one_problem_only),
        cmocka_unit_test(what_could_be_read_is_checked_beside_what_could_not),
        cmocka_unit_test(problems_of_another_file_hide_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
