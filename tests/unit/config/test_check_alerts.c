/* SPDX-License-Identifier: PostgreSQL */
#include "unit/config/given.h"

#define ALERTS(rest) NEEDED "guard: { mode: off }\nalerts: { " rest " }\n"

static void a_webhook_is_an_address_of_the_web(void **state)
{
    (void)state;
    assert_refused(ALERTS("webhook: { url: \"ftp://host/canary\" }"), 4, 27,
                   "alerts.webhook.url: does not begin with http:// or https://");
    assert_warned(ALERTS("webhook: { url: \"http://host/\" }"), 0, 0, NULL);
    assert_warned(ALERTS("webhook: { url: \"https://host/\" }"), 0, 0, NULL);
}

static void a_header_has_a_name(void **state)
{
    (void)state;
    assert_refused(ALERTS("webhook: { url: \"http://host\", headers: [\"A: b\", \"canary\"] }"), 4, 60,
                   "alerts.webhook.headers[1]: is no header line: write \"NAME: VALUE\"");
    assert_refused(ALERTS("webhook: { url: \"http://host\", headers: [\": canary\"] }"), 4, 52,
                   "alerts.webhook.headers[0]: is no header line");
    assert_warned(ALERTS("webhook: { headers: [\"A: b\"] }"), 4, 31,
                  "alerts.webhook.headers: has no effect without alerts.webhook.url");
}

static void a_command_has_its_full_path(void **state)
{
    (void)state;
    assert_refused(ALERTS("command: [page, now]"), 4, 21,
                   "alerts.command[0]: is no full path: no shell looks for the program, so write it as "
                   "/usr/local/bin/page");
    assert_warned(ALERTS("command: [/bin/page, now]"), 0, 0, NULL);
}

static void alerts_without_incidents_are_worth_a_warning(void **state)
{
    (void)state;
    assert_warned(ALERTS("command: [/bin/page]") "incidents: { record: false }\n", 4, 9,
                  "alerts: has no effect while incidents.record is false");
}

static void headers_and_address_are_secrets(void **state)
{
    (void)state;
    struct given given;
    size_t count;
    const struct settings *settings =
        given_good(&given, ALERTS("webhook: { url: \"http://host/canary\", headers: [\"A: canary\"] }"));
    assert_string_equal(settings->alerts.webhook.headers.items[0], "A: canary");
    const struct settings_row *rows = settings_rows(settings, &count);
    for (size_t i = 0; i < count; i++)
        assert_null(strstr(rows[i].value, "canary"));
    given_release(&given);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_webhook_is_an_address_of_the_web),
        cmocka_unit_test(a_header_has_a_name),
        cmocka_unit_test(a_command_has_its_full_path),
        cmocka_unit_test(alerts_without_incidents_are_worth_a_warning),
        cmocka_unit_test(headers_and_address_are_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
