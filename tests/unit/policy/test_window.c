/* SPDX-License-Identifier: PostgreSQL */
#include "policy/window.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

static const int64_t second_us = 1000000;
static const int64_t minute_us = 60 * INT64_C(1000000);

enum { SUNDAY = 1, MONDAY = 2, SATURDAY = 64, EVERY_DAY = 127 };

static int64_t instant(const char *text)
{
    int64_t time_us = 0;
    assert_true(instant_parse(text, &time_us));
    return time_us;
}

static void assert_shown(int64_t time_us, const char *zone, const char *expected)
{
    char storage[INSTANT_TEXT_SIZE];
    struct text out;
    text_init(&out, storage, sizeof storage);
    instant_describe(time_us, zone, &out);
    assert_string_equal(storage, expected);
}

static struct window window_make(uint8_t days, uint16_t from_minute, uint16_t to_minute, const char *zone)
{
    struct window window = {
        .days = days, .from_minute = from_minute, .to_minute = to_minute, .allow = LEVEL_MODIFYING
    };
    assert_true(bytes_copy_text(bytes_text(zone), window.timezone, sizeof window.timezone));
    return window;
}

static void assert_next(const struct window *window, const char *after, const char *from, const char *to)
{
    struct occurrence next;
    assert_true(window_next(window, instant(after), &next));
    assert_shown(next.from_us, window->timezone, from);
    assert_shown(next.to_us, window->timezone, to);
}

static void zones_are_known_by_their_names_only(void **state)
{
    (void)state;
    static const char *const known[] = { "UTC",        "Etc/UTC",          "America/New_York",
                                         "US/Eastern", "Europe/Amsterdam", "America/Argentina/Buenos_Aires" };
    static const char *const unknown[] = { "",
                                           "Nowhere/Land",
                                           "america/new_york",
                                           "../../etc/passwd",
                                           "America/../Europe/Berlin",
                                           "/usr/share/zoneinfo/UTC",
                                           "zone.tab",
                                           "America",
                                           "EST8" };
    for (size_t i = 0; i < COUNT_OF(known); i++)
        assert_true(timezone_is_known(known[i]));
    for (size_t i = 0; i < COUNT_OF(unknown); i++)
        assert_false(timezone_is_known(unknown[i]));
}

static void a_time_of_day_has_two_digits_and_two_digits(void **state)
{
    (void)state;
    static const char *const wrong[] = { "",      "2:00",  "02:0",   "02:000", "0200",  "24:01", "25:00",
                                         "02:60", "-2:00", "02:00 ", "aa:bb",  "02.00", " 2:00", "99:99" };
    uint16_t minute = 0;
    assert_true(window_parse_time("00:00", &minute));
    assert_int_equal(minute, 0);
    assert_true(window_parse_time("02:05", &minute));
    assert_int_equal(minute, 125);
    assert_true(window_parse_time("23:59", &minute));
    assert_int_equal(minute, 1439);
    assert_true(window_parse_time("24:00", &minute));
    assert_int_equal(minute, 1440);
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_false(window_parse_time(wrong[i], &minute));
}

static void instants_are_read_as_rfc_3339_says(void **state)
{
    (void)state;
    assert_int_equal(instant("1970-01-01T00:00:00Z"), 0);
    assert_int_equal(instant("2026-11-26T00:00:00-05:00"), INT64_C(1795669200) * second_us);
    assert_int_equal(instant("2026-11-26T05:00Z"), INT64_C(1795669200) * second_us);
    assert_int_equal(instant("2026-11-26t10:30:00+05:30"), INT64_C(1795669200) * second_us);
    assert_int_equal(instant("1970-01-01T00:00:01.5Z"), 1500000);
    assert_int_equal(instant("1970-01-01T00:00:00.0000019z"), 1);
    assert_int_equal(instant("2028-02-29T00:00:00Z"), INT64_C(1835395200) * second_us);
    assert_int_equal(instant("9999-12-31T23:59:59Z"), INT64_C(253402300799) * second_us);
}

static void what_is_no_instant_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "2026-11-26",
        "2026-11-26T00:00:00",
        "2026-11-26T00:00:00-05",
        "2026-11-26T00:00:00-0500",
        "2026-11-26T00:00:00-05:60",
        "2026-11-26T00:00:00+24:00",
        "2026-11-26T24:00:00Z",
        "2026-11-26T00:60:00Z",
        "2026-11-26T00:00:60Z",
        "2026-13-26T00:00:00Z",
        "2026-00-26T00:00:00Z",
        "2026-11-00T00:00:00Z",
        "2026-11-31T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "1969-12-31T00:00:00Z",
        "2026-11-26T00:00:00.Z",
        "2026-11-26T00:00:00Z ",
        "2026-11-26T0:00:00Z",
        "26-11-26T00:00:00Z",
        "2026/11/26T00:00:00Z",
        "2026-11-26T00:00:Z",
    };
    int64_t time_us = 0;
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_false(instant_parse(wrong[i], &time_us));
}

static void an_instant_cut_anywhere_is_none(void **state)
{
    (void)state;
    char text[] = "2026-11-26T00:00:00.123-05:00";
    for (size_t size = strlen(text) - 1; size > 0; size--) {
        int64_t time_us = 0;
        text[size] = '\0';
        assert_false(instant_parse(text, &time_us));
    }
}

static void instants_are_shown_as_local_time(void **state)
{
    (void)state;
    assert_shown(instant("2026-11-22T07:00:00Z"), "America/New_York", "2026-11-22T02:00:00-05:00");
    assert_shown(instant("2026-07-22T06:00:00Z"), "America/New_York", "2026-07-22T02:00:00-04:00");
    assert_shown(instant("2026-07-22T20:00:00Z"), "Asia/Kolkata", "2026-07-23T01:30:00+05:30");
    assert_shown(instant("2026-07-22T20:00:00Z"), "UTC", "2026-07-22T20:00:00+00:00");
    assert_shown(instant("2026-07-22T20:00:00Z"), "Nowhere/Land", "2026-07-22T20:00:00+00:00");
    assert_shown(instant("2026-07-22T20:00:00.999999Z"), "UTC", "2026-07-22T20:00:00+00:00");
}

/* What Python's zoneinfo says of the same time zones. */
static const struct zone_offset {
    const char *zone;
    int64_t second;
    int offset;
} offsets[] = {
#define OFFSET(zone, second, offset) { zone, second, offset },
#define LOCAL(zone, day, minute, second)
#include "zones.def"
#undef OFFSET
#undef LOCAL
};

static const struct local_time {
    const char *zone;
    int64_t day;
    uint16_t minute;
    int64_t second;
} local_times[] = {
#define OFFSET(zone, second, offset)
#define LOCAL(zone, day, minute, second) { zone, day, minute, second },
#include "zones.def"
#undef OFFSET
#undef LOCAL
};

static void offsets_are_those_of_the_zone_database(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(offsets); i++) {
        const struct zone_offset *row = &offsets[i];
        char storage[INSTANT_TEXT_SIZE];
        struct text out;
        text_init(&out, storage, sizeof storage);
        instant_describe(row->second * second_us, row->zone, &out);
        char expected[8];
        int minutes = (row->offset < 0 ? -row->offset : row->offset) / 60 % 6000;
        snprintf(expected, sizeof expected, "%c%02d:%02d", row->offset < 0 ? '-' : '+', minutes / 60 % 100,
                 minutes % 60);
        assert_string_equal(storage + out.size - 6, expected);
        assert_int_equal(instant(storage), row->second * second_us);
    }
}

static void local_times_are_taken_as_rfc_5545_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(local_times); i++) {
        const struct local_time *row = &local_times[i];
        uint8_t day = (uint8_t)(1 << (row->day + 4) % 7);
        struct window window = window_make(day, row->minute, row->minute, row->zone);
        struct occurrence next;
        assert_true(window_next(&window, row->second * second_us - 1, &next));
        assert_int_equal(next.from_us, row->second * second_us);
    }
}

static void a_window_comes_again_every_week(void **state)
{
    (void)state;
    struct window window = window_make(SUNDAY, 120, 240, "America/New_York");
    assert_next(&window, "2026-11-21T12:00:00Z", "2026-11-22T02:00:00-05:00", "2026-11-22T04:00:00-05:00");
    assert_next(&window, "2026-11-22T07:00:00Z", "2026-11-22T02:00:00-05:00", "2026-11-22T04:00:00-05:00");
    assert_next(&window, "2026-11-22T08:59:59.999999Z", "2026-11-22T02:00:00-05:00",
                "2026-11-22T04:00:00-05:00");
    assert_next(&window, "2026-11-22T09:00:00Z", "2026-11-29T02:00:00-05:00", "2026-11-29T04:00:00-05:00");
}

static void a_window_across_midnight_belongs_to_its_first_day(void **state)
{
    (void)state;
    struct window window = window_make(SATURDAY, 22 * 60, 120, "Europe/Berlin");
    assert_next(&window, "2026-11-22T00:30:00Z", "2026-11-21T22:00:00+01:00", "2026-11-22T02:00:00+01:00");
    assert_next(&window, "2026-11-22T01:00:00Z", "2026-11-28T22:00:00+01:00", "2026-11-29T02:00:00+01:00");
}

static void a_window_may_end_with_the_day_or_last_one(void **state)
{
    (void)state;
    struct window evening = window_make(MONDAY, 22 * 60, 1440, "Asia/Kolkata");
    assert_next(&evening, "2026-11-23T12:00:00Z", "2026-11-23T22:00:00+05:30", "2026-11-24T00:00:00+05:30");
    struct window day = window_make(MONDAY, 600, 600, "UTC");
    assert_next(&day, "2026-11-24T09:59:59Z", "2026-11-23T10:00:00+00:00", "2026-11-24T10:00:00+00:00");
    assert_next(&day, "2026-11-24T10:00:00Z", "2026-11-30T10:00:00+00:00", "2026-12-01T10:00:00+00:00");
}

static void a_window_in_the_gap_moves_by_the_gap(void **state)
{
    (void)state;
    struct window inside = window_make(SUNDAY, 135, 165, "America/New_York");
    assert_next(&inside, "2027-03-14T00:00:00Z", "2027-03-14T03:15:00-04:00", "2027-03-14T03:45:00-04:00");
    struct window across = window_make(SUNDAY, 120, 240, "America/New_York");
    assert_next(&across, "2027-03-14T00:00:00Z", "2027-03-14T03:00:00-04:00", "2027-03-14T04:00:00-04:00");
}

static void what_the_gap_leaves_nothing_of_does_not_occur(void **state)
{
    (void)state;
    struct window backward = window_make(SUNDAY, 150, 180, "America/New_York");
    assert_next(&backward, "2027-03-14T00:00:00Z", "2027-03-21T02:30:00-04:00", "2027-03-21T03:00:00-04:00");
    struct window empty = window_make(SUNDAY, 150, 210, "America/New_York");
    assert_next(&empty, "2027-03-14T00:00:00Z", "2027-03-21T02:30:00-04:00", "2027-03-21T03:30:00-04:00");
}

static void an_hour_that_comes_twice_is_its_first(void **state)
{
    (void)state;
    struct window inside = window_make(SUNDAY, 75, 105, "America/New_York");
    assert_next(&inside, "2026-11-01T00:00:00Z", "2026-11-01T01:15:00-04:00", "2026-11-01T01:45:00-04:00");
    assert_next(&inside, "2026-11-01T06:20:00Z", "2026-11-08T01:15:00-05:00", "2026-11-08T01:45:00-05:00");
    struct window across = window_make(SUNDAY, 90, 150, "America/New_York");
    assert_next(&across, "2026-11-01T00:00:00Z", "2026-11-01T01:30:00-04:00", "2026-11-01T02:30:00-05:00");
}

static void occurrences_follow_each_other_without_end_or_overlap(void **state)
{
    (void)state;
    struct window window = window_make(EVERY_DAY, 23 * 60, 60, "Australia/Lord_Howe");
    struct occurrence last = { 0, instant("2024-01-01T00:00:00Z") };
    for (unsigned i = 0; i < 2500; i++) {
        struct occurrence next;
        assert_true(window_next(&window, last.to_us, &next));
        assert_true(next.from_us >= last.to_us);
        assert_in_range((uint64_t)(next.to_us - next.from_us), (uint64_t)(90 * minute_us),
                        (uint64_t)(150 * minute_us));
        last = next;
    }
}

static void a_window_without_days_or_zone_never_opens(void **state)
{
    (void)state;
    struct occurrence next;
    struct window never = window_make(0, 120, 240, "UTC");
    struct window nowhere = window_make(SUNDAY, 120, 240, "Nowhere/Land");
    assert_false(window_next(&never, 0, &next));
    assert_false(window_next(&nowhere, 0, &next));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zones_are_known_by_their_names_only),
        cmocka_unit_test(a_time_of_day_has_two_digits_and_two_digits),
        cmocka_unit_test(instants_are_read_as_rfc_3339_says),
        cmocka_unit_test(what_is_no_instant_is_refused),
        cmocka_unit_test(an_instant_cut_anywhere_is_none),
        cmocka_unit_test(instants_are_shown_as_local_time),
        cmocka_unit_test(offsets_are_those_of_the_zone_database),
        cmocka_unit_test(local_times_are_taken_as_rfc_5545_says),
        cmocka_unit_test(a_window_comes_again_every_week),
        cmocka_unit_test(a_window_across_midnight_belongs_to_its_first_day),
        cmocka_unit_test(a_window_may_end_with_the_day_or_last_one),
        cmocka_unit_test(a_window_in_the_gap_moves_by_the_gap),
        cmocka_unit_test(what_the_gap_leaves_nothing_of_does_not_occur),
        cmocka_unit_test(an_hour_that_comes_twice_is_its_first),
        cmocka_unit_test(occurrences_follow_each_other_without_end_or_overlap),
        cmocka_unit_test(a_window_without_days_or_zone_never_opens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
