/* SPDX-License-Identifier: PostgreSQL */
#include "config/value.h"
#include "unit/config/given.h"

union field {
    const char *text;
    uint32_t integer;
    int64_t duration;
    uint64_t size;
    struct address address;
    struct network network;
    unsigned word;
    bool boolean;
};

struct sample {
    enum schema_group group;
    const char *name;
    const char *text;
    const char *why; /* NULL: it is right */
};

static void assert_samples(const struct sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char storage[512];
        struct text why;
        union field field;
        const struct schema_row *row = schema_find(samples[i].group, samples[i].name);
        text_init(&why, storage, sizeof storage);
        bool is_right = value_read(row, samples[i].text, &field, &why);
        if (is_right != (samples[i].why == NULL) || (!is_right && strstr(storage, samples[i].why) == NULL))
            fail_msg("%s: %s: \"%s\"", samples[i].name, samples[i].text, storage);
    }
}

static int64_t duration_of(const char *text)
{
    char storage[512];
    struct text why;
    int64_t value = -1;
    text_init(&why, storage, sizeof storage);
    return value_read(schema_find(GROUP_limits_settings, "drain_timeout"), text, &value, &why) ? value : -1;
}

static void durations_have_a_number_and_a_unit(void **state)
{
    (void)state;
    assert_int_equal(duration_of("0s"), 0);
    assert_int_equal(duration_of("500ms"), 500000);
    assert_int_equal(duration_of("15s"), 15000000);
    assert_int_equal(duration_of("3m"), 180000000);
    assert_int_equal(duration_of("2h"), 7200000000);
    assert_int_equal(duration_of("1d"), 86400000000);
    static const char *const wrong[] = { "",
                                         "15",
                                         "s",
                                         "-1s",
                                         "+1s",
                                         "1.5s",
                                         "1 s",
                                         "1s ",
                                         " 1s",
                                         "1S",
                                         "1min",
                                         "1h30m",
                                         "999999999999999999d",
                                         "9999999999999999999s",
                                         "0x1s" };
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_samples(
            &(struct sample){ GROUP_limits_settings, "drain_timeout", wrong[i],
                              "is not a duration: write a whole number and one of the units ms, s, m, h, "
                              "d, such as 30s" },
            1);
    assert_samples(&(struct sample){ GROUP_limits_settings, "drain_timeout", "86401s", "0s to 1d" }, 1);
    assert_samples(&(struct sample){ GROUP_guard_settings, "opening_longest", "59s", "1m to 7d" }, 1);
}

static void sizes_have_a_number_and_a_unit(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        { GROUP_limits_settings, "message_memory", "1024B", NULL },
        { GROUP_limits_settings, "message_memory", "1KiB", NULL },
        { GROUP_limits_settings, "message_memory", "16MiB", NULL },
        { GROUP_limits_settings, "statement_memory", "64GiB", NULL },
        { GROUP_limits_settings, "message_memory", "1023B", "1KiB to 16MiB" },
        { GROUP_limits_settings, "message_memory", "17MiB", "1KiB to 16MiB" },
        { GROUP_limits_settings, "message_memory", "4096", "is not a size" },
        { GROUP_limits_settings, "message_memory", "16KB", "is not a size" },
        { GROUP_limits_settings, "message_memory", "16kib", "is not a size" },
        { GROUP_limits_settings, "message_memory", "99999999999999999GiB", "is not a size" },
    };
    uint64_t size = 0;
    struct text why;
    char storage[64];
    text_init(&why, storage, sizeof storage);
    assert_samples(samples, COUNT_OF(samples));
    assert_true(value_read(schema_find(GROUP_limits_settings, "statement_memory"), "3GiB", &size, &why));
    assert_int_equal(size, 3221225472);
}

static void whole_numbers_have_bounds(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        { GROUP_settings, "workers", "1", NULL },
        { GROUP_settings, "workers", "256", NULL },
        { GROUP_settings, "workers", "0", "is out of bounds: 1 to 256 are right" },
        { GROUP_settings, "workers", "257", "out of bounds" },
        { GROUP_settings, "workers", "4294967297", "out of bounds" },
        { GROUP_settings, "workers", "", "is not a whole number: write digits only, such as 1" },
        { GROUP_settings, "workers", "-1", "is not a whole number" },
        { GROUP_settings, "workers", "0x10", "is not a whole number" },
        { GROUP_settings, "workers", "1.0", "is not a whole number" },
        { GROUP_settings, "workers", "99999999999999999999", "is not a whole number" },
    };
    assert_samples(samples, COUNT_OF(samples));
}

static void names_and_texts_have_bounds(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        { GROUP_window_settings, "name", "low-traffic_2.a", NULL },
        { GROUP_window_settings, "name", "9", NULL },
        { GROUP_window_settings, "name", "", "is not a name: write ASCII letters" },
        { GROUP_window_settings, "name", "-a", "is not a name" },
        { GROUP_window_settings, "name", "a b", "is not a name" },
        { GROUP_window_settings, "name", "s\xc3\xb6nntag", "is not a name" },
        { GROUP_window_settings, "name", "1234567890123456789012345678901234567890123456789012345678901234",
          "is out of bounds: 1 to 63 bytes are right" },
        { GROUP_freeze_settings, "reason", "f\xc3\xbcr Weihnachten", NULL },
        { GROUP_freeze_settings, "reason", "", "1 to 255 bytes" },
        { GROUP_console_settings, "password", "", NULL },
        { GROUP_when_settings, "user", "", "1 to 127 bytes" },
        { GROUP_log_settings, "file", "/var/log/pgsluice.log", NULL },
        { GROUP_window_settings, "timezone", "America/Argentina/Buenos_Aires", NULL },
        { GROUP_window_settings, "timezone", "Etc/GMT+5", NULL },
        { GROUP_window_settings, "timezone", "../../etc/passwd", "is not a time zone" },
        { GROUP_window_settings, "timezone", "/etc/localtime", "is not a time zone" },
        { GROUP_window_settings, "timezone", "New York", "is not a time zone" },
    };
    assert_samples(samples, COUNT_OF(samples));
}

static void times_of_day_are_hours_and_minutes(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        { GROUP_window_settings, "from", "00:00", NULL },
        { GROUP_window_settings, "from", "23:59", NULL },
        { GROUP_window_settings, "from", "24:00", "00:00 to 23:59" },
        { GROUP_window_settings, "to", "24:00", NULL },
        { GROUP_window_settings, "to", "24:01", "00:00 to 24:00" },
        { GROUP_window_settings, "from", "2:00",
          "is not a time of day or instant: write HH:MM, or date, time and offset as in RFC 3339, such as "
          "02:00" },
        { GROUP_window_settings, "from", "02:60", "is not a time of day" },
        { GROUP_window_settings, "from", "02:00:00", "is not a time of day" },
        { GROUP_window_settings, "from", "02.00", "is not a time of day" },
        { GROUP_window_settings, "from", "02", "is not a time of day" },
        { GROUP_window_settings, "from", "2026-12-01T02:00:00-05:00", NULL },
        { GROUP_window_settings, "to", "2026-12-01T02:00Z", NULL },
        { GROUP_window_settings, "from", "2026-12-01T02:00:00", "is not a time of day or instant" },
        { GROUP_window_settings, "start", "2026-12-01", NULL },
        { GROUP_window_settings, "start", "2026-13-01",
          "is not a date: write YYYY-MM-DD, such as 2026-01-01" },
        { GROUP_window_settings, "start", "2026-12-01T00:00Z", "is not a date" },
        { GROUP_window_settings, "start", "2026-12", "is not a date" },
        { GROUP_window_settings, "from", "", "is not a time of day" },
    };
    assert_samples(samples, COUNT_OF(samples));
}

static void instants_have_an_offset(void **state)
{
    (void)state;
    static const char *const right[] = { "2026-11-26T00:00:00-05:00", "2026-11-26T00:00Z",
                                         "2026-11-26T23:59:59.25+14:00" };
    static const char *const wrong[] = {
        "",
        "2026-11-26",
        "2026-11-26T00:00:00",
        "2026-11-26 00:00:00Z",
        "2026-13-26T00:00:00Z",
        "2026-11-32T00:00:00Z",
        "2026-00-26T00:00:00Z",
        "2026-11-26T24:00:00Z",
        "2026-11-26T00:60:00Z",
        "2026-11-26T00:00:60Z",
        "2026-11-26T00:00:00.Z",
        "2026-11-26T00:00:00-0500",
        "2026-11-26T00:00:00-24:00",
        "2026-11-26T00:00:00Zulu",
        "26-11-26T00:00:00Z",
        "2026-11-26T00:0",
    };
    for (size_t i = 0; i < COUNT_OF(right); i++)
        assert_samples(&(struct sample){ GROUP_freeze_settings, "from", right[i], NULL }, 1);
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_samples(
            &(struct sample){ GROUP_freeze_settings, "from", wrong[i],
                              "is not an instant: write date, time and offset as in RFC 3339, such as "
                              "2026-11-26T00:00:00-05:00" },
            1);
}

static void a_boolean_is_true_or_false(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        { GROUP_upstream_tls_settings, "direct", "true", NULL },
        { GROUP_upstream_tls_settings, "direct", "false", NULL },
        { GROUP_upstream_tls_settings, "direct", "yes", "is not a boolean here: write true" },
        { GROUP_upstream_tls_settings, "direct", "On", "is not a boolean here: write true" },
        { GROUP_upstream_tls_settings, "direct", "TRUE", "is not a boolean here: write true" },
        { GROUP_upstream_tls_settings, "direct", "1", "is not a boolean here: write true" },
        { GROUP_upstream_tls_settings, "direct", "No", "is not a boolean here: write false" },
        { GROUP_upstream_tls_settings, "direct", "off", "is not a boolean here: write false" },
        { GROUP_upstream_tls_settings, "direct", "False", "is not a boolean here: write false" },
        { GROUP_upstream_tls_settings, "direct", "0", "is not a boolean here: write false" },
        { GROUP_upstream_tls_settings, "direct", "maybe",
          "is not a boolean: write true or false, such as false" },
        { GROUP_upstream_tls_settings, "direct", "", "is not a boolean: write true or false" },
    };
    assert_samples(samples, COUNT_OF(samples));
    const struct schema_row *row = schema_find(GROUP_upstream_tls_settings, "direct");
    char storage[64];
    struct text why;
    bool value = false;
    text_init(&why, storage, sizeof storage);
    assert_true(value_read(row, "true", &value, &why));
    assert_true(value);
    assert_true(value_read(row, "false", &value, &why));
    assert_false(value);
}

static void the_versions_of_tls_are_words(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        { GROUP_listen_tls_settings, "version_least", "1.2", NULL },
        { GROUP_listen_tls_settings, "version_least", "1.3", NULL },
        { GROUP_listen_tls_settings, "version_least", "1.1", "write 1.2 or 1.3" },
        { GROUP_listen_tls_settings, "mode", "on", "write disable, allow, require or verify-client" },
        { GROUP_upstream_tls_settings, "mode", "allow",
          "write disable, prefer, require, verify-ca or verify-full" },
    };
    assert_samples(samples, COUNT_OF(samples));
    assert_string_equal(schema_word(CHOICE_setting_tls_version, SETTING_TLS_1_3), "1.3");
    assert_string_equal(schema_word(CHOICE_setting_server_tls, SERVER_TLS_DISABLE), "disable");
}

static void addresses_are_of_the_families_that_fit(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        { GROUP_listen_settings, "address", "0.0.0.0:6432", NULL },
        { GROUP_listen_settings, "address", "[::]:6432", NULL },
        { GROUP_listen_settings, "address", "localhost:6432", "is not right: write the IP address" },
        { GROUP_listen_settings, "address", "/run/x", "is not right: write the IP address" },
        { GROUP_listen_settings, "address", "127.0.0.1", "an address is HOST:PORT" },
        { GROUP_upstream_settings, "hosts", "localhost:5432", NULL },
        { GROUP_upstream_settings, "hosts", "/run/postgresql/.s.PGSQL.5432", NULL },
        { GROUP_upstream_settings, "hosts", "::1:5432", "brackets" },
        { GROUP_console_settings, "address", "/run/pgsluice/console", NULL },
        { GROUP_console_settings, "address", "[::1]:6433", NULL },
        { GROUP_console_settings, "address", "off", NULL },
        { GROUP_console_settings, "address", "console:6433", "or off" },
        { GROUP_console_settings, "address", "none", "an address is HOST:PORT" },
        { GROUP_when_settings, "address", "10.2.0.0/16", NULL },
        { GROUP_when_settings, "address", "fd00::1", NULL },
        { GROUP_when_settings, "address", "10.2.3.4/16", "bits beyond its prefix" },
    };
    assert_samples(samples, COUNT_OF(samples));
}

static void a_refusal_has_a_code_that_clients_bear(void **state)
{
    (void)state;
    static const char *const right[] = { "42501", "MW001", "I0000", "ZZZZZ" };
    static const char *const wrong[] = { "08006", "0A000", "25006", "26000", "40001",  "53300",
                                         "55P03", "57014", "P0001", "XX000", "JZ0C0",  "42601",
                                         "23505", "HV000", "mw001", "MW01",  "MW0001", "" };
    for (size_t i = 0; i < COUNT_OF(right); i++)
        assert_samples(&(struct sample){ GROUP_guard_settings, "sqlstate", right[i], NULL }, 1);
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_samples(
            &(struct sample){ GROUP_guard_settings, "sqlstate", wrong[i],
                              "write 42501, or a code of your own that begins with a letter from I to Z" },
            1);
    assert_samples(&(struct sample){ GROUP_guard_settings, "sqlstate", "08006", "broken connection" }, 1);
    assert_samples(&(struct sample){ GROUP_guard_settings, "sqlstate", "40001", "repeat the transaction" },
                   1);
}

static void a_read_only_order_may_speak_as_the_server_does(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        { GROUP_guard_settings, "readonly_sqlstate", "25006", NULL },
        { GROUP_guard_settings, "readonly_sqlstate", "42501", NULL },
        { GROUP_guard_settings, "readonly_sqlstate", "MW002", NULL },
        { GROUP_guard_settings, "readonly_sqlstate", "25001", "(clients would take it for a state" },
        { GROUP_guard_settings, "readonly_sqlstate", "57P01", "write 42501, 25006, or a code of your own" },
        { GROUP_guard_settings, "readonly_sqlstate", "", "is not five digits" },
    };
    assert_samples(samples, COUNT_OF(samples));
}

/* The bounds of a list are of its entries. */
static void a_text_in_a_list_has_a_byte_at_least(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        { GROUP_guard_settings, "protected", "a", NULL },
        { GROUP_guard_settings, "protected", "", "has 0 bytes: 1 to 255 are right" },
        { GROUP_rule_settings, "windows", "a", NULL },
        { GROUP_rule_settings, "windows", "", "is not a name" },
    };
    char longest[257];
    memset(longest, 'a', sizeof longest);
    longest[256] = '\0';
    assert_samples(samples, COUNT_OF(samples));
    assert_samples(&(struct sample){ GROUP_guard_settings, "protected", longest, "has 256 bytes" }, 1);
    longest[255] = '\0';
    assert_samples(&(struct sample){ GROUP_guard_settings, "protected", longest, NULL }, 1);
}

static void the_words_are_those_that_log_lines_show(void **state)
{
    (void)state;
    for (unsigned level = LOG_ERROR; level <= LOG_DEBUG; level++) {
        unsigned value = 99;
        assert_true(schema_word_find(CHOICE_log_level, bytes_text(log_level_name(level)), &value));
        assert_int_equal(value, level);
    }
}

static void assert_row_is_right(const struct schema_row *row)
{
    char storage[512];
    struct text why;
    union field field;
    text_init(&why, storage, sizeof storage);
    bool is_one = row->shape == SHAPE_VALUE || row->shape == SHAPE_CHOSEN || row->shape == SHAPE_VALUES;
    if (is_one && !value_read(row, schema_sample(row), &field, &why))
        fail_msg("%s: %s", row->name, storage);
    if (is_one && row->example[0] != '\0' && row->standard != NULL)
        assert_string_equal(row->standard, "");
}

static void every_default_and_every_example_of_the_table_is_right(void **state)
{
    (void)state;
    for (enum schema_group group = 0; group <= GROUP_settings; group++) {
        for (const struct schema_row *row = schema_first(group); row != NULL; row = schema_next(row))
            assert_row_is_right(row);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_have_a_number_and_a_unit),
        cmocka_unit_test(sizes_have_a_number_and_a_unit),
        cmocka_unit_test(whole_numbers_have_bounds),
        cmocka_unit_test(names_and_texts_have_bounds),
        cmocka_unit_test(times_of_day_are_hours_and_minutes),
        cmocka_unit_test(instants_have_an_offset),
        cmocka_unit_test(a_boolean_is_true_or_false),
        cmocka_unit_test(the_versions_of_tls_are_words),
        cmocka_unit_test(addresses_are_of_the_families_that_fit),
        cmocka_unit_test(a_refusal_has_a_code_that_clients_bear),
        cmocka_unit_test(a_read_only_order_may_speak_as_the_server_does),
        cmocka_unit_test(a_text_in_a_list_has_a_byte_at_least),
        cmocka_unit_test(the_words_are_those_that_log_lines_show),
        cmocka_unit_test(every_default_and_every_example_of_the_table_is_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
