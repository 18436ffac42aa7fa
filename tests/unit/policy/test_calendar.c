/* SPDX-License-Identifier: PostgreSQL */
#include "unit/policy/dates.h"

static const int64_t minute_us = 60 * INT64_C(1000000);

/* From 02:00; either for so many hours of time, or so many on the clock. */
static struct calendar_rule rule_at(const char *rule, const char *zone, uint16_t from_minute, int64_t nominal,
                                    int64_t exact)
{
    return (struct calendar_rule){ .rule = rule,
                                   .timezone = zone,
                                   .start = "",
                                   .from_minute = from_minute,
                                   .nominal_us = nominal * minute_us,
                                   .exact_us = exact * minute_us };
}

static struct calendar *made(struct calendar_rule rule)
{
    char storage[256];
    struct text why;
    text_init(&why, storage, sizeof storage);
    struct calendar *calendar = calendar_of_rule(&rule, &why);
    if (calendar == NULL)
        fail_msg("%s", storage);
    return calendar;
}

static void assert_rule(struct calendar_rule rule, const char *after, const char *const *expected)
{
    struct calendar *calendar = made(rule);
    assert_occurrences(calendar, rule.timezone, after, expected);
    calendar_destroy(calendar);
}

static void the_first_sunday_of_the_month_comes_every_month(void **state)
{
    (void)state;
    static const char *const expected[] = { "2026-12-06T02:00:00-05:00",
                                            "2026-12-06T04:00:00-05:00",
                                            "2027-01-03T02:00:00-05:00",
                                            "2027-01-03T04:00:00-05:00",
                                            "2027-02-07T02:00:00-05:00",
                                            "2027-02-07T04:00:00-05:00",
                                            NULL };
    assert_rule(rule_at("FREQ=MONTHLY;BYDAY=1SU", "America/New_York", 120, 120, 0), "2026-11-21T00:00:00Z",
                expected);
    assert_rule(rule_at("freq=monthly;byday=1su", "America/New_York", 120, 0, 120), "2026-11-21T00:00:00Z",
                expected);
}

static void an_occurrence_that_is_open_is_the_next(void **state)
{
    (void)state;
    static const char *const expected[] = { "2026-12-06T02:00:00-05:00", "2026-12-06T04:00:00-05:00", NULL };
    struct calendar_rule rule = rule_at("FREQ=MONTHLY;BYDAY=1SU", "America/New_York", 120, 120, 0);
    assert_rule(rule, "2026-12-06T06:59:59-00:00", expected);
    assert_rule(rule, "2026-12-06T08:59:59-00:00", expected);
}

static void in_the_gap_a_clock_that_is_not_there_is_the_one_before(void **state)
{
    (void)state;
    static const char *const new_york[] = { "2026-03-07T02:30:00-05:00",
                                            "2026-03-07T04:00:00-05:00",
                                            "2026-03-08T03:30:00-04:00",
                                            "2026-03-08T04:00:00-04:00",
                                            "2026-03-09T02:30:00-04:00",
                                            "2026-03-09T04:00:00-04:00",
                                            NULL };
    static const char *const berlin[] = { "2026-03-08T02:30:00+01:00", "2026-03-08T04:00:00+01:00",
                                          "2026-03-09T02:30:00+01:00", "2026-03-09T04:00:00+01:00", NULL };
    static const char *const berlin_gap[] = { "2026-03-28T02:30:00+01:00",
                                              "2026-03-28T04:00:00+01:00",
                                              "2026-03-29T03:30:00+02:00",
                                              "2026-03-29T04:00:00+02:00",
                                              "2026-03-30T02:30:00+02:00",
                                              "2026-03-30T04:00:00+02:00",
                                              NULL };
    static const char *const lord_howe[] = { "2026-10-03T02:15:00+10:30",
                                             "2026-10-03T03:00:00+10:30",
                                             "2026-10-04T02:45:00+11:00",
                                             "2026-10-04T03:00:00+11:00",
                                             "2026-10-05T02:15:00+11:00",
                                             "2026-10-05T03:00:00+11:00",
                                             NULL };
    static const char *const kolkata[] = { "2026-03-08T02:30:00+05:30", "2026-03-08T04:00:00+05:30",
                                           "2026-03-09T02:30:00+05:30", "2026-03-09T04:00:00+05:30", NULL };
    assert_rule(rule_at("FREQ=DAILY", "America/New_York", 150, 90, 0), "2026-03-07T00:00:00Z", new_york);
    assert_rule(rule_at("FREQ=DAILY", "Europe/Berlin", 150, 90, 0), "2026-03-07T12:00:00Z", berlin);
    assert_rule(rule_at("FREQ=DAILY", "Europe/Berlin", 150, 90, 0), "2026-03-27T12:00:00Z", berlin_gap);
    assert_rule(rule_at("FREQ=DAILY", "Australia/Lord_Howe", 135, 45, 0), "2026-10-02T00:00:00Z", lord_howe);
    assert_rule(rule_at("FREQ=DAILY", "Asia/Kolkata", 150, 90, 0), "2026-03-07T12:00:00Z", kolkata);
}

static void an_hour_that_comes_twice_begins_at_its_first(void **state)
{
    (void)state;
    static const char *const new_york[] = { "2026-11-01T01:30:00-04:00", "2026-11-01T03:00:00-05:00",
                                            "2026-11-02T01:30:00-05:00", "2026-11-02T03:00:00-05:00", NULL };
    static const char *const berlin[] = { "2026-10-25T02:30:00+02:00", "2026-10-25T04:00:00+01:00",
                                          "2026-10-26T02:30:00+01:00", "2026-10-26T04:00:00+01:00", NULL };
    static const char *const lord_howe[] = { "2026-04-05T01:45:00+11:00", "2026-04-05T02:30:00+10:30",
                                             "2026-04-06T01:45:00+10:30", "2026-04-06T02:30:00+10:30", NULL };
    assert_rule(rule_at("FREQ=DAILY", "America/New_York", 90, 90, 0), "2026-11-01T04:00:00Z", new_york);
    assert_rule(rule_at("FREQ=DAILY", "Europe/Berlin", 150, 90, 0), "2026-10-24T12:00:00Z", berlin);
    assert_rule(rule_at("FREQ=DAILY", "Australia/Lord_Howe", 105, 45, 0), "2026-04-04T12:00:00Z", lord_howe);
}

static void a_duration_is_time_whatever_the_clock_does(void **state)
{
    (void)state;
    static const char *const gap[] = { "2026-03-08T01:00:00-05:00", "2026-03-08T04:00:00-04:00",
                                       "2026-03-09T01:00:00-04:00", "2026-03-09T03:00:00-04:00", NULL };
    static const char *const twice[] = { "2026-11-01T01:00:00-04:00", "2026-11-01T02:00:00-05:00",
                                         "2026-11-02T01:00:00-05:00", "2026-11-02T03:00:00-05:00", NULL };
    assert_rule(rule_at("FREQ=DAILY", "America/New_York", 60, 0, 120), "2026-03-08T00:00:00-05:00", gap);
    assert_rule(rule_at("FREQ=DAILY", "America/New_York", 60, 0, 120), "2026-11-01T00:00:00-04:00", twice);
}

static void what_the_gap_leaves_nothing_of_does_not_occur(void **state)
{
    (void)state;
    static const char *const expected[] = { "2026-03-07T02:30:00-05:00", "2026-03-07T03:00:00-05:00",
                                            "2026-03-09T02:30:00-04:00", "2026-03-09T03:00:00-04:00", NULL };
    assert_rule(rule_at("FREQ=DAILY", "America/New_York", 150, 30, 0), "2026-03-07T00:00:00Z", expected);
}

static void intervals_count_from_the_start(void **state)
{
    (void)state;
    static const char *const from_default[] = { "2026-11-30T02:00:00+00:00", "2026-11-30T03:00:00+00:00",
                                                "2026-12-14T02:00:00+00:00", "2026-12-14T03:00:00+00:00",
                                                NULL };
    static const char *const from_start[] = { "2026-11-23T02:00:00+00:00", "2026-11-23T03:00:00+00:00",
                                              "2026-12-07T02:00:00+00:00", "2026-12-07T03:00:00+00:00",
                                              NULL };
    struct calendar_rule rule = rule_at("FREQ=WEEKLY;INTERVAL=2", "UTC", 120, 60, 0);
    assert_rule(rule, "2026-11-21T00:00:00Z", from_default);
    rule.start = "2026-11-09";
    assert_rule(rule, "2026-11-21T00:00:00Z", from_start);
}

static void a_rule_ends_with_its_count_or_until(void **state)
{
    (void)state;
    static const char *const last_of[] = { "2026-11-22T02:00:00-05:00", "2026-11-22T03:00:00-05:00",
                                           "2026-11-23T02:00:00-05:00", "2026-11-23T03:00:00-05:00", "-" };
    static const char *const rules[] = {
        "FREQ=DAILY;COUNT=3", "FREQ=DAILY;UNTIL=20261123T070000Z",       /* to the second */
        "FREQ=DAILY;UNTIL=20261123T020000", "FREQ=DAILY;UNTIL=20261123", /* a day is meant to its end */
    };
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        struct calendar_rule rule = rule_at(rules[i], "America/New_York", 120, 60, 0);
        rule.start = "2026-11-21";
        assert_rule(rule, "2026-11-21T10:00:00Z", last_of);
    }
    struct calendar_rule rule = rule_at("FREQ=DAILY;UNTIL=20261123T065959Z", "America/New_York", 120, 60, 0);
    rule.start = "2026-11-21";
    static const char *const sooner[] = { "2026-11-22T02:00:00-05:00", "2026-11-22T03:00:00-05:00", "-" };
    assert_rule(rule, "2026-11-21T10:00:00Z", sooner);
}

static void answers_do_not_depend_on_what_was_asked_before(void **state)
{
    (void)state;
    static const char *const rules[] = { "FREQ=WEEKLY;BYDAY=SU,WE", "FREQ=MONTHLY;BYDAY=-1FR;INTERVAL=2",
                                         "FREQ=DAILY;COUNT=200",    "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1",
                                         "FREQ=YEARLY;BYWEEKNO=20", "FREQ=HOURLY;INTERVAL=7" };
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        struct calendar_rule rule = rule_at(rules[i], "Europe/Berlin", 120, 60, 0);
        rule.start = "2026-01-07";
        struct calendar *kept = made(rule);
        int64_t base_us = instant("2026-02-01T00:00:00Z");
        uint64_t random = 7;
        for (unsigned j = 0; j < 40; j++) {
            struct occurrence fresh_next = { 0 };
            struct occurrence kept_next = { 0 };
            random = random * 6364136223846793005U + 1442695040888963407U;
            int64_t after_us = base_us + (int64_t)(random >> 44) % 200000 * minute_us;
            struct calendar *fresh = made(rule);
            assert_int_equal(calendar_next(kept, after_us, &kept_next),
                             calendar_next(fresh, after_us, &fresh_next));
            assert_int_equal(kept_next.from_us, fresh_next.from_us);
            assert_true(kept_next.from_us == 0 || kept_next.to_us > after_us);
            calendar_destroy(fresh);
        }
        calendar_destroy(kept);
    }
}

static void wrong_rules_are_refused_by_their_part(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {
        { "FREQ=MONTHLY;BYDAY=9XX", "the part \"BYDAY=9XX\" is not one" },
        { "FREQ=FORTNIGHTLY", "the part \"FREQ=FORTNIGHTLY\" is not one" },
        { "FREQ=DAILY;COLOUR=red", "the part \"COLOUR=red\" is not one" },
        { "FREQ=DAILY;INTERVAL=0", "the part \"INTERVAL=0\" is not one" },
        { "FREQ=DAILY;UNTIL=2026", "the part \"UNTIL=2026\" is not one" },
        { "every sunday", "the part \"every sunday\" is not one" },
        { "", "the part FREQ is missing" },
        { "BYDAY=SU", "the part FREQ is missing" },
        { "FREQ=DAILY;COUNT=3;UNTIL=20270101", "its parts do not go together" },
        { "FREQ=SECONDLY", "the part FREQ is too often" },
        { "FREQ=MINUTELY;INTERVAL=30", "the part FREQ is too often" },
        { "FREQ=DAILY;COUNT=10001", "the part COUNT is too large" },
        { "FREQ=WEEKLY;BYDAY=1SU", "the part BYDAY may number its days" },
        { "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=31", "no month of BYMONTH has a day" },
        { "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "no month of BYMONTH has a day" },
        { "FREQ=HOURLY;BYMONTH=4,6;BYMONTHDAY=31", "no month of BYMONTH has a day" },
        { "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-30", "no month of BYMONTH has a day" },
        { "FREQ=DAILY;INTERVAL=7;BYDAY=SU", "it never occurs" },
        { "FREQ=DAILY;UNTIL=20001231", "it never occurs" },
        { "FREQ=DAILY;BYWEEKNO=20", "does not allow its BY parts with this FREQ" },
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        char storage[256];
        struct text why;
        struct calendar_rule rule = rule_at(wrong[i][0], "UTC", 120, 60, 0);
        text_init(&why, storage, sizeof storage);
        assert_null(calendar_of_rule(&rule, &why));
        if (strstr(storage, wrong[i][1]) == NULL)
            fail_msg("%s: %s", wrong[i][0], storage);
    }
}

static void a_start_that_is_no_day_is_refused(void **state)
{
    (void)state;
    char storage[256];
    struct text why;
    struct calendar_rule rule = rule_at("FREQ=DAILY", "UTC", 120, 60, 0);
    rule.start = "2026-02-30";
    text_init(&why, storage, sizeof storage);
    assert_null(calendar_of_rule(&rule, &why));
    assert_non_null(strstr(storage, "start"));
}

static void a_leap_day_comes_every_four_years(void **state)
{
    (void)state;
    static const char *const expected[] = { "2028-02-29T02:00:00+00:00", "2028-02-29T03:00:00+00:00",
                                            "2032-02-29T02:00:00+00:00", "2032-02-29T03:00:00+00:00", NULL };
    assert_rule(rule_at("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "UTC", 120, 60, 0), "2026-11-21T00:00:00Z",
                expected);
}

static void a_stretch_comes_once(void **state)
{
    (void)state;
    static const char *const expected[] = { "2026-12-01T00:00:00+00:00", "2026-12-02T00:00:00+00:00", "-" };
    struct calendar *calendar = calendar_of_stretch(
        (struct occurrence){ instant("2026-12-01T00:00:00Z"), instant("2026-12-02T00:00:00Z") });
    assert_occurrences(calendar, "UTC", "2026-11-21T00:00:00Z", expected);
    assert_occurrences(calendar, "UTC", "2026-12-01T23:59:59Z", expected);
    struct occurrence next;
    assert_false(calendar_next(calendar, instant("2026-12-02T00:00:00Z"), &next));
    assert_false(calendar_next(calendar, instant("2016-01-02T00:00:00Z"), &next));
    calendar_destroy(calendar);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_sunday_of_the_month_comes_every_month),
        cmocka_unit_test(an_occurrence_that_is_open_is_the_next),
        cmocka_unit_test(in_the_gap_a_clock_that_is_not_there_is_the_one_before),
        cmocka_unit_test(an_hour_that_comes_twice_begins_at_its_first),
        cmocka_unit_test(a_duration_is_time_whatever_the_clock_does),
        cmocka_unit_test(what_the_gap_leaves_nothing_of_does_not_occur),
        cmocka_unit_test(intervals_count_from_the_start),
        cmocka_unit_test(a_rule_ends_with_its_count_or_until),
        cmocka_unit_test(answers_do_not_depend_on_what_was_asked_before),
        cmocka_unit_test(wrong_rules_are_refused_by_their_part),
        cmocka_unit_test(a_start_that_is_no_day_is_refused),
        cmocka_unit_test(a_leap_day_comes_every_four_years),
        cmocka_unit_test(a_stretch_comes_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
