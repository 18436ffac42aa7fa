/* SPDX-License-Identifier: PostgreSQL */
#include "base/text.h"
#include "base/utf8.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { STORAGE_SIZE = 256 };

static const char mixed[] = "a\\b\x01\xc3\xa4\xe2\x80\xa8\xff|\xf0\x9f\x90\x98\x7f\xe2\x82";
static const char mixed_printable[] =
    "a\\\\b\\x01\xc3\xa4\\xe2\\x80\\xa8\\xff|\xf0\x9f\x90\x98\\x7f\\xe2\\x82";

static void assert_text(const struct text *text, const char *expected)
{
    assert_string_equal(text->data, expected);
    assert_int_equal(text->size, strlen(expected));
}

static void appends_follow_each_other(void **state)
{
    (void)state;
    char storage[STORAGE_SIZE];
    struct text text;
    text_init(&text, storage, sizeof storage);
    assert_text(&text, "");
    text_append(&text, bytes_of("abc", 2));
    text_append_byte(&text, '-');
    text_append_string(&text, "cd");
    text_append_format(&text, "%d%s", -7, "!");
    text_append(&text, BYTES_NONE);
    text_append_format(&text, "%s", "");
    assert_text(&text, "ab-cd-7!");
    assert_true(bytes_equal_text(text_bytes(&text), "ab-cd-7!"));
    assert_false(text.is_truncated);
}

static void text_is_cut_at_every_capacity(void **state)
{
    (void)state;
    const char *whole = "abcdef42";
    for (size_t capacity = 1; capacity <= 12; capacity++) {
        struct text text;
        text_init(&text, malloc(capacity), capacity);
        text_append_string(&text, "abc");
        text_append(&text, bytes_text("def"));
        text_append_format(&text, "%d", 42);
        assert_int_equal(text.is_truncated, capacity <= 8);
        assert_int_equal(text.size, capacity <= 8 ? capacity - 1 : 8);
        assert_int_equal(text.data[text.size], '\0');
        assert_memory_equal(text.data, whole, text.size);
        free(text.data);
    }
}

static void nothing_follows_a_cut(void **state)
{
    (void)state;
    char storage[4];
    struct text text;
    text_init(&text, storage, sizeof storage);
    text_append_printable(&text, bytes_text("ab\xc3\xa4"));
    assert_true(text.is_truncated);
    text_append_string(&text, "c");
    text_append_format(&text, "c");
    text_append_printable(&text, bytes_text("c"));
    assert_text(&text, "ab");
}

static void what_is_not_printable_is_escaped_byte_by_byte(void **state)
{
    (void)state;
    char storage[STORAGE_SIZE];
    struct text text;
    text_init(&text, storage, sizeof storage);
    text_append_printable(&text, bytes_text(mixed));
    assert_text(&text, mixed_printable);
    text_init(&text, storage, sizeof storage);
    text_append_printable(&text, bytes_of("\0\r\n\t\x1b[31m", 9));
    assert_text(&text, "\\x00\\x0d\\x0a\\x09\\x1b[31m");
    text_init(&text, storage, sizeof storage);
    text_append_printable(&text, bytes_text("\xc2\x85\xe2\x80\xae"));
    assert_text(&text, "\\xc2\\x85\\xe2\\x80\\xae");
}

static void whatever_the_bytes_the_printable_text_is_one_line_of_utf8(void **state)
{
    (void)state;
    for (unsigned pair = 0; pair < 0x10000; pair++) {
        const uint8_t raw[] = { (uint8_t)(pair >> 8), (uint8_t)pair, 0xa8 };
        char storage[STORAGE_SIZE];
        struct text text;
        text_init(&text, storage, sizeof storage);
        text_append_printable(&text, bytes_of(raw, sizeof raw));
        struct bytes rest = text_bytes(&text);
        while (rest.size > 0) {
            uint32_t code_point = 0;
            size_t size = utf8_decode(rest, &code_point);
            assert_int_not_equal(size, 0);
            assert_false(utf8_is_control(code_point));
            (void)bytes_take(&rest, size);
        }
    }
}

static void printable_text_is_never_cut_inside_a_character_or_an_escape(void **state)
{
    (void)state;
    /* where each unit of mixed_printable ends */
    const size_t ends[] = { 0, 1, 3, 4, 8, 10, 22, 26, 27, 31, 35, 39, 43 };
    size_t unit = 0;
    assert_int_equal(strlen(mixed_printable), ends[COUNT_OF(ends) - 1]);
    for (size_t capacity = 1; capacity <= sizeof mixed_printable; capacity++) {
        struct text text;
        text_init(&text, malloc(capacity), capacity);
        text_append_printable(&text, bytes_text(mixed));
        if (unit + 1 < COUNT_OF(ends) && ends[unit + 1] < capacity)
            unit++;
        assert_int_equal(text.size, ends[unit]);
        assert_memory_equal(text.data, mixed_printable, text.size);
        assert_int_equal(text.data[text.size], '\0');
        assert_int_equal(text.is_truncated, capacity < sizeof mixed_printable);
        free(text.data);
    }
}

static void assert_time(int64_t time_us, const char *expected)
{
    char storage[STORAGE_SIZE];
    struct text text;
    text_init(&text, storage, sizeof storage);
    text_append_time(&text, time_us);
    assert_text(&text, expected);
}

static void instants_are_written_in_utc(void **state)
{
    (void)state;
    assert_time(0, "1970-01-01T00:00:00.000000Z");
    assert_time(-1, "1969-12-31T23:59:59.999999Z");
    assert_time(-86400000000, "1969-12-31T00:00:00.000000Z");
    assert_time(951782399999999, "2000-02-28T23:59:59.999999Z");
    assert_time(951782400000000, "2000-02-29T00:00:00.000000Z");
    assert_time(951868800000000, "2000-03-01T00:00:00.000000Z");
    assert_time(1795230245678901, "2026-11-21T03:04:05.678901Z");
    assert_time(4107542400000000, "2100-03-01T00:00:00.000000Z");
    assert_time(-2203891200000001, "1900-02-28T23:59:59.999999Z");
    assert_time(INT64_MAX, "294247-01-10T04:00:54.775807Z");
    assert_time(INT64_MIN, "-290308-12-21T19:59:05.224192Z");
}

static bool is_leap_year(unsigned year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static void every_day_of_four_centuries_follows_the_one_before(void **state)
{
    (void)state;
    static const unsigned lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int64_t day = 0;
    for (unsigned year = 1970; year < 2370; year++) {
        for (unsigned month = 0; month < 12; month++) {
            unsigned length = lengths[month] + (month == 1 && is_leap_year(year));
            for (unsigned of_month = 1; of_month <= length; of_month++) {
                char expected[STORAGE_SIZE];
                snprintf(expected, sizeof expected, "%u-%02u-%02uT00:00:00.000000Z", year, month + 1,
                         of_month);
                assert_time(day++ * 86400000000, expected);
            }
        }
    }
}

static void durations_are_written_for_people(void **state)
{
    (void)state;
    static const struct {
        int64_t duration_us;
        const char *expected;
    } cases[] = {
        { 0, "0s" },
        { 1, "1us" },
        { 999, "999us" },
        { 1000, "1ms" },
        { 1500, "1.5ms" },
        { 999999, "999.9ms" },
        { 1000000, "1s" },
        { 12000000, "12s" },
        { 12340000, "12.3s" },
        { 59999999, "59.9s" },
        { 60000000, "1m" },
        { 200000000, "3m20s" },
        { 3599999999, "59m59s" },
        { 3600000000, "1h" },
        { 7500000000, "2h5m" },
        { 86399999999, "23h59m" },
        { 86400000000, "1d" },
        { 356400000000, "4d3h" },
        { -200000000, "-3m20s" },
        { INT64_MIN, "-106751991d4h" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char storage[STORAGE_SIZE];
        struct text text;
        text_init(&text, storage, sizeof storage);
        text_append_duration(&text, cases[i].duration_us);
        assert_text(&text, cases[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_follow_each_other),
        cmocka_unit_test(text_is_cut_at_every_capacity),
        cmocka_unit_test(nothing_follows_a_cut),
        cmocka_unit_test(what_is_not_printable_is_escaped_byte_by_byte),
        cmocka_unit_test(whatever_the_bytes_the_printable_text_is_one_line_of_utf8),
        cmocka_unit_test(printable_text_is_never_cut_inside_a_character_or_an_escape),
        cmocka_unit_test(instants_are_written_in_utc),
        cmocka_unit_test(every_day_of_four_centuries_follows_the_one_before),
        cmocka_unit_test(durations_are_written_for_people),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
