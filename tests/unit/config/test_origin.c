/* SPDX-License-Identifier: PostgreSQL */
#include "unit/config/given.h"

static void what_is_nested_keeps_its_place_too(void **state)
{
    (void)state;
    struct given given;
    const struct settings *settings = given_good(&given, NESTED);
    assert_place(settings, "listen[0].tls", 2, 53);
    assert_place(settings, "listen[0].tls.mode", 2, 61);
    assert_place(settings, "listen[0].tls.certificate", 2, 83);
    assert_place(settings, "listen[0].tls.client_ca", 2, 53);
    assert_place(settings, "listen[0].proxy_protocol.from[1]", 2, 174);
    assert_place(settings, "listen[0].routes[0].upstream", 2, 232);
    assert_place(settings, "upstreams[0].tls.direct", 4, 210);
    given_release(&given);
}

static void a_relative_file_lies_in_the_folder_of_the_settings(void **state)
{
    (void)state;
    struct given given;
    problems_init(&given.problems);
    assert_true(settings_parse("/etc/sluice/a.yaml", bytes_text(NESTED), &given.settings, &given.problems));
    assert_string_equal(given.settings->listen.items[0].tls.certificate, "/etc/sluice/server.crt");
    assert_string_equal(given.settings->listen.items[0].tls.key, "/k/server.key");
    assert_string_equal(given.settings->listen.items[0].tls.client_ca, "");
    assert_string_equal(given.settings->upstreams.items[0].tls.ca, "/etc/sluice/certs/ca.crt");
    assert_string_equal(given.settings->log.file, "-");
    given_release(&given);
    assert_true(settings_parse("/a.yaml", bytes_text(NESTED), &given.settings, &given.problems));
    assert_string_equal(given.settings->listen.items[0].tls.certificate, "/server.crt");
    given_release(&given);
    assert_true(settings_parse("conf/a.yaml", bytes_text(NESTED), &given.settings, &given.problems));
    assert_string_equal(given.settings->listen.items[0].tls.certificate, "conf/server.crt");
    given_release(&given);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_nested_keeps_its_place_too),
        cmocka_unit_test(a_relative_file_lies_in_the_folder_of_the_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
