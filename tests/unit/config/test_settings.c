/* SPDX-License-Identifier: PostgreSQL */
#include "config/settings.h"
#include "unit/config/given.h"

static const char good[] =
    "listen:\n"
    "  - { address: \"127.0.0.1:6432\", upstream: main }\n"
    "  - { address: \"[::1]:6432\", upstream: main }\n"
    "upstreams:\n"
    "  - { name: main, hosts: [\"127.0.0.1:5432\", \"db.example:5433\", /run/postgresql/.s.PGSQL.5432] }\n"
    "console: { address: \"127.0.0.1:6433\" }\n"
    "services:\n"
    "  - { name: kds, when: { application_name: \"kds*\" } }\n"
    "  - { name: booking, when: { user: booking_app, address: 10.2.0.0/16 } }\n"
    "guard:\n"
    "  mode: observe                                      # enforce | observe | off\n"
    "  windows:\n"
    "    - { name: sunday, days: [sun], from: \"02:00\", to: \"04:00\", timezone: America/New_York, allow: "
    "modifying }\n"
    "    - name: low-traffic\n"
    "      days: [mon, thu]\n"
    "      from: 23:30\n"
    "      to: 05:00\n"
    "      timezone: Europe/Berlin\n"
    "      allow: additive\n"
    "  freezes:\n"
    "    - { name: peak-week, from: \"2026-11-26T00:00:00-05:00\", to: 2026-12-01T00:00:00-05:00, reason: "
    "\"p w\" }\n"
    "limits: { login_timeout: 2m, message_memory: 1MiB }\n"
    "log: { format: json, level: debug }\n";

static void a_good_file_fills_every_list(void **state)
{
    (void)state;
    struct given given;
    const struct settings *settings = given_good(&given, good);
    assert_int_equal(given.problems.count, 0);
    assert_int_equal(settings->listen.count, 2);
    assert_int_equal(settings->listen.items[0].address.family, ADDRESS_IPV4);
    assert_int_equal(settings->listen.items[1].address.family, ADDRESS_IPV6);
    assert_string_equal(settings->listen.items[1].upstream, "main");
    assert_int_equal(settings->upstreams.count, 1);
    assert_int_equal(settings->upstreams.items[0].hosts.count, 3);
    assert_string_equal(settings->upstreams.items[0].hosts.items[1].text, "db.example");
    assert_int_equal(settings->upstreams.items[0].hosts.items[1].port, 5433);
    assert_int_equal(settings->upstreams.items[0].hosts.items[2].family, ADDRESS_UNIX);
    assert_int_equal(settings->console.address.port, 6433);
    assert_int_equal(settings->services.count, 2);
    assert_string_equal(settings->services.items[0].when.application_name, "kds*");
    assert_string_equal(settings->services.items[0].when.user, "");
    assert_int_equal(settings->services.items[0].when.address.family, ADDRESS_NONE);
    assert_int_equal(settings->services.items[1].when.address.prefix, 16);
    given_release(&given);
}

static void a_good_file_fills_every_kind_of_value(void **state)
{
    (void)state;
    struct given given;
    const struct settings *settings = given_good(&given, good);
    const struct window_settings *window = &settings->guard.windows.items[1];
    assert_int_equal(settings->guard.mode, MODE_OBSERVE);
    assert_int_equal(settings->guard.windows.count, 2);
    assert_int_equal(settings->guard.windows.items[0].days, 1U << DAY_SUNDAY);
    assert_int_equal(settings->guard.windows.items[0].allow, ALLOW_MODIFYING);
    assert_int_equal(window->days, 1U << DAY_MONDAY | 1U << DAY_THURSDAY);
    assert_string_equal(window->from, "23:30");
    assert_string_equal(window->to, "05:00");
    assert_string_equal(window->timezone, "Europe/Berlin");
    assert_int_equal(window->allow, ALLOW_ADDITIVE);
    assert_string_equal(settings->guard.freezes.items[0].to, "2026-12-01T00:00:00-05:00");
    assert_string_equal(settings->guard.freezes.items[0].reason, "p w");
    assert_int_equal(settings->limits.login_timeout, 120000000);
    assert_int_equal(settings->limits.message_memory, 1048576);
    assert_int_equal(settings->log.format, LOG_JSON);
    assert_int_equal(settings->log.level, LOG_DEBUG);
    given_release(&given);
}

static void what_is_left_out_has_its_default(void **state)
{
    (void)state;
    struct given given;
    const struct settings *settings = given_good(&given, NEEDED "guard:\n  windows:\nlog:\n");
    assert_int_equal(settings->upstreams.items[0].connect_timeout, 5000000);
    assert_int_equal(settings->console.address.port, 6433);
    assert_string_equal(settings->console.password, "");
    assert_int_equal(settings->services.count, 0);
    assert_int_equal(settings->guard.mode, MODE_ENFORCE);
    assert_string_equal(settings->guard.sqlstate, "42501");
    assert_int_equal(settings->guard.windows.count, 0);
    assert_int_equal(settings->guard.opening_longest, 14400000000);
    assert_int_equal(settings->limits.login_timeout, 15000000);
    assert_int_equal(settings->limits.in_flight, 16384);
    assert_int_equal(settings->limits.prepared_statements, 10000);
    assert_int_equal(settings->limits.message_memory, 16384);
    assert_int_equal(settings->limits.statement_memory, 67108864);
    assert_int_equal(settings->limits.drain_timeout, 30000000);
    assert_int_equal(settings->violations.entries, 10000);
    assert_int_equal(settings->violations.log_per_second, 100);
    assert_int_equal(settings->log.format, LOG_LOGFMT);
    assert_int_equal(settings->log.level, LOG_INFO);
    assert_string_equal(settings->log.file, "-");
    assert_int_equal(settings->workers, 1);
    given_release(&given);
}

static void a_window_without_days_begins_every_day(void **state)
{
    (void)state;
    struct given given;
    const struct settings *settings =
        given_good(&given, NEEDED
                   "guard: { windows: [ { name: a, from: \"01:00\", to: \"02:00\", allow: additive } ] }\n");
    assert_int_equal(settings->guard.windows.items[0].days, 0x7f);
    assert_string_equal(settings->guard.windows.items[0].timezone, "UTC");
    given_release(&given);
}

static void every_value_keeps_its_place(void **state)
{
    (void)state;
    struct given given;
    const struct settings *settings = given_good(&given, good);
    assert_place(settings, "listen[0].address", 2, 16);
    assert_place(settings, "upstreams[0].hosts[1]", 5, 45);
    assert_place(settings, "guard.mode", 11, 9);
    assert_place(settings, "guard.windows[0].timezone", 13, 74);
    assert_place(settings, "guard.windows[1].days", 15, 13);
    assert_place(settings, "guard.windows[1].timezone", 18, 17);
    given_release(&given);
}

static void a_place_that_is_not_there_is_that_of_what_is_around_it(void **state)
{
    (void)state;
    struct given given;
    const struct settings *settings = given_good(&given, good);
    assert_place(settings, "guard.windows[1].colour", 14, 7);
    assert_place(settings, "guard.windows[7].timezone", 13, 5);
    assert_place(settings, "limits.in_flight", 22, 9);
    assert_place(settings, "violations.entries", 1, 1);
    assert_place(settings, "nothing", 1, 1);
    assert_place(settings, "", 1, 1);
    given_release(&given);
}

static const struct settings_row *row_of(const struct settings *settings, const char *path)
{
    size_t count = 0;
    const struct settings_row *rows = settings_rows(settings, &count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].path, path) == 0)
            return &rows[i];
    }
    fail_msg("no row %s", path);
    return NULL;
}

static void rows_show_values_and_defaults(void **state)
{
    (void)state;
    struct given given;
    const struct settings *settings = given_good(&given, good);
    assert_string_equal(row_of(settings, "limits.login_timeout")->value, "2m");
    assert_string_equal(row_of(settings, "limits.login_timeout")->standard, "15s");
    assert_string_equal(row_of(settings, "limits.in_flight")->value, "16384");
    assert_string_equal(row_of(settings, "guard.windows[1].days")->value, "mon, thu");
    assert_string_equal(row_of(settings, "upstreams[0].hosts[1]")->value, "db.example:5433");
    assert_string_equal(row_of(settings, "services[1].when.user")->value, "booking_app");
    assert_string_equal(row_of(settings, "console.password")->value, "");
    assert_string_equal(row_of(settings, "upstreams[0].probe")->value, "dbname=postgres");
    assert_string_equal(row_of(settings, "upstreams[0].tls.direct")->value, "false");
    assert_string_equal(row_of(settings, "workers")->about, "event loops, each with a thread of its own");
    given_release(&given);
}

static const char canary[] = "canary-Zx81";

static void assert_no_canary(const struct given *given)
{
    for (size_t i = 0; i < problems_kept_count(&given->problems); i++)
        assert_null(strstr(given->problems.kept[i].text, canary));
}

static void a_secret_is_never_shown(void **state)
{
    (void)state;
    struct given given;
    size_t count = 0;
    const struct settings *settings = given_good(&given, NEEDED "console: { password: canary-Zx81 }\n");
    const struct settings_row *rows = settings_rows(settings, &count);
    assert_string_equal(settings->console.password, canary);
    assert_string_equal(row_of(settings, "console.password")->value, "(set)");
    for (size_t i = 0; i < count; i++)
        assert_null(strstr(rows[i].value, canary));
    given_release(&given);
    settings = given_good(&given, NESTED);
    assert_string_equal(row_of(settings, "upstreams[0].probe")->value, "(set)");
    assert_string_equal(row_of(settings, "upstreams[0].probe")->standard, "dbname=postgres");
    assert_string_equal(row_of(settings, "listen[0].tls.key")->value, "/k/server.key");
    assert_string_equal(row_of(settings, "listen[0].tls.certificate")->value, "server.crt");
    given_release(&given);
}

static void a_secret_that_is_wrong_is_not_shown_either(void **state)
{
    (void)state;
    static const char *const faults[] = {
        "console: { password: [ canary-Zx81 ] }\n",
        "console: { password: { canary-Zx81: 1 } }\n",
        "console: { password: a, password: canary-Zx81 }\n",
        "console: { passwort: canary-Zx81 }\n",
        "console: { password: \"canary-Zx81\\n\" }\n",
        "console: { password: *canary-Zx81 }\n",
        "console: { password: !canary-Zx81 a }\n",
        "console: { password: \"canary-Zx81 }\n",
        "console: { password: canary-Zx81 ]\n",
        "console: [ canary-Zx81 ]\n",
        "console: canary-Zx81\n",
    };
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        struct given given;
        char text[512];
        (void)snprintf(text, sizeof text, "%s%s", NEEDED, faults[i]);
        assert_false(given_parse(&given, text));
        assert_no_canary(&given);
    }
    char text[1024] = NEEDED "console: { password: canary-Zx81";
    struct given given;
    size_t size = strlen(text);
    memset(text + size, 'x', 400);
    (void)snprintf(text + size + 400, sizeof text - size - 400, " }\n");
    assert_false(given_parse(&given, text));
    assert_problem(&given.problems, 3, 22, "0 to 255 bytes");
    assert_no_canary(&given);
}

static void all_problems_come_at_once_in_the_order_of_the_file(void **state)
{
    (void)state;
    struct given given;
    assert_false(given_parse(&given,
                             "workers: 0\n"
                             "lisen: []\n"
                             "upstreams: [ { name: main, hosts: [] }, { name: main, hosts: [\"a:1\"] } ]\n"
                             "guard:\n"
                             "  windows:\n"
                             "    - { name: a, from: 2am, to: \"04:00\", allow: nothing }\n"
                             "log: { level: loud }\n"
                             "console: { address: \"10.0.0.1:6433\" }\n"));
    const struct problems *problems = &given.problems;
    assert_problem(problems, 1, 1, "listen: is missing");
    assert_problem(problems, 1, 10, "workers");
    assert_problem(problems, 2, 1, "did you mean \"listen\"?");
    assert_problem(problems, 3, 35, "upstreams[0].hosts: is empty");
    assert_problem(problems, 3, 49, "also the name of upstreams[0]");
    assert_problem(problems, 6, 24, "such as 02:00");
    assert_problem(problems, 6, 49, "additive or modifying");
    assert_problem(problems, 7, 15, "error, warning, info or debug");
    assert_problem(problems, 8, 21, "console.password");
    assert_int_equal(problems->count, 9);
    for (size_t i = 1; i < problems->count; i++) {
        assert_true(problems->kept[i - 1].line <= problems->kept[i].line);
        assert_string_equal(problems->kept[i].file, "file.yaml");
    }
}

static void problems_of_before_stay_where_they_are(void **state)
{
    (void)state;
    struct problems problems;
    struct settings *settings = NULL;
    problems_init(&problems);
    problems_warn(&problems, "other.yaml", 99, 1, "something");
    problems_add(&problems, "other.yaml", 98, 1, "something else");
    assert_true(settings_parse("file.yaml", bytes_text(good), &settings, &problems));
    settings_release(settings);
    assert_false(
        settings_parse("file.yaml", bytes_text(NEEDED "workers: 0\nlisten: a"), &settings, &problems));
    assert_int_equal(problems.kept[0].line, 99);
    assert_int_equal(problems.kept[1].line, 98);
    assert_int_equal(problems.kept[2].line, 3);
    assert_int_equal(problems.kept[3].line, 4);
}

static void more_problems_than_are_kept_are_counted(void **state)
{
    (void)state;
    struct given given;
    char text[4096] = NEEDED;
    for (size_t i = 0; i < 80; i++)
        (void)strcat(text, "workrs: 1\n");
    assert_false(given_parse(&given, text));
    assert_int_equal(given.problems.error_count, 80);
    assert_int_equal(given.problems.kept[PROBLEMS_KEPT - 1].line, PROBLEMS_KEPT + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_file_fills_every_list),
        cmocka_unit_test(a_good_file_fills_every_kind_of_value),
        cmocka_unit_test(what_is_left_out_has_its_default),
        cmocka_unit_test(a_window_without_days_begins_every_day),
        cmocka_unit_test(every_value_keeps_its_place),
        cmocka_unit_test(a_place_that_is_not_there_is_that_of_what_is_around_it),
        cmocka_unit_test(rows_show_values_and_defaults),
        cmocka_unit_test(a_secret_is_never_shown),
        cmocka_unit_test(a_secret_that_is_wrong_is_not_shown_either),
        cmocka_unit_test(all_problems_come_at_once_in_the_order_of_the_file),
        cmocka_unit_test(problems_of_before_stay_where_they_are),
        cmocka_unit_test(more_problems_than_are_kept_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
