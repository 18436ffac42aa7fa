/* SPDX-License-Identifier: PostgreSQL */
#include "unit/policy/dates.h"

#include <stdlib.h>

#define EVENT(lines) "BEGIN:VEVENT\r\n" lines "END:VEVENT\r\n"
#define CALENDAR(content)                                                                                    \
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//t//EN\r\n" content "END:VCALENDAR\r\n"
#define ZONE_NEW_YORK                                                                                        \
    "BEGIN:VTIMEZONE\r\nTZID:Eastern Standard Time\r\n"                                                      \
    "BEGIN:STANDARD\r\nDTSTART:16010101T020000\r\nTZOFFSETFROM:-0400\r\nTZOFFSETTO:-0500\r\n"                \
    "RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11\r\nEND:STANDARD\r\n"                                             \
    "BEGIN:DAYLIGHT\r\nDTSTART:16010101T020000\r\nTZOFFSETFROM:-0500\r\nTZOFFSETTO:-0400\r\n"                \
    "RRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\n"

static struct calendar *read_text(const char *text, const char *match, struct problems *problems)
{
    struct calendar_file file = { .path = "team.ics",
                                  .text = bytes_text(text),
                                  .match = match,
                                  .timezone = "Europe/Berlin",
                                  .now_us = instant("2026-11-21T00:00:00Z") };
    problems_init(problems);
    return calendar_of_file(&file, problems);
}

static void assert_file(const char *text, const char *zone, const char *const *expected)
{
    struct problems problems;
    struct calendar *calendar = read_text(text, "", &problems);
    if (problems.count != 0)
        fail_msg("%u: %s", problems.kept[0].line, problems.kept[0].text);
    assert_non_null(calendar);
    assert_occurrences(calendar, zone, "2026-11-21T00:00:00Z", expected);
    calendar_destroy(calendar);
}

static void assert_wrong(const char *text, unsigned line, const char *words)
{
    struct problems problems;
    assert_null(read_text(text, "", &problems));
    assert_int_equal(problems.error_count, 1);
    if (problems.kept[0].line != line || strstr(problems.kept[0].text, words) == NULL)
        fail_msg("%u: %s", problems.kept[0].line, problems.kept[0].text);
    assert_string_equal(problems.kept[0].file, "team.ics");
}

static void assert_warning(const char *text, const char *match, const char *words)
{
    struct problems problems;
    struct calendar *calendar = read_text(text, match, &problems);
    assert_non_null(calendar);
    calendar_destroy(calendar);
    assert_int_equal(problems.error_count, 0);
    assert_int_equal(problems.count, words != NULL);
    if (words != NULL && strstr(problems.kept[0].text, words) == NULL)
        fail_msg("%s", problems.kept[0].text);
}

static void an_event_is_from_its_start_to_its_end(void **state)
{
    (void)state;
    static const char *const expected[] = { "2026-12-01T02:00:00+00:00", "2026-12-01T04:00:00+00:00", "-" };
    assert_file(CALENDAR(EVENT("UID:1\r\nDTSTART:20261201T020000Z\r\nDTEND:20261201T040000Z\r\n")), "UTC",
                expected);
    assert_file(CALENDAR(EVENT("UID:1\r\nDTSTART:20261201T020000Z\r\nDURATION:PT2H\r\n")), "UTC", expected);
    /* line feeds alone, a byte order mark, lines that continue */
    assert_file("\xef\xbb\xbf"
                "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTA\n RT:20261201T0\n\t20000Z\nDURATION:PT2H\nEND:VEVENT\n"
                "END:VCALENDAR\n",
                "UTC", expected);
}

static void a_time_without_zone_is_of_the_settings(void **state)
{
    (void)state;
    static const char *const expected[] = { "2026-12-01T02:00:00+01:00", "2026-12-01T04:00:00+01:00", "-" };
    assert_file(CALENDAR(EVENT("DTSTART:20261201T020000\r\nDTEND:20261201T040000\r\n")), "Europe/Berlin",
                expected);
}

static void days_are_whole_days(void **state)
{
    (void)state;
    static const char *const two[] = { "2026-12-01T00:00:00+01:00", "2026-12-03T00:00:00+01:00", "-" };
    static const char *const one[] = { "2026-12-01T00:00:00+01:00", "2026-12-02T00:00:00+01:00", "-" };
    assert_file(CALENDAR(EVENT("DTSTART;VALUE=DATE:20261201\r\nDTEND;VALUE=DATE:20261203\r\n")),
                "Europe/Berlin", two);
    assert_file(CALENDAR(EVENT("DTSTART;VALUE=DATE:20261201\r\n")), "Europe/Berlin", one);
}

static void zones_are_those_of_the_system_or_of_the_file(void **state)
{
    (void)state;
    static const char *const expected[] = { "2027-03-13T02:30:00-05:00",
                                            "2027-03-13T04:00:00-05:00",
                                            "2027-03-14T03:30:00-04:00",
                                            "2027-03-14T05:00:00-04:00",
                                            "2027-03-15T02:30:00-04:00",
                                            "2027-03-15T04:00:00-04:00",
                                            "-" };
    assert_file(
        CALENDAR(EVENT("DTSTART;TZID=America/New_York:20270313T023000\r\n"
                       "DTEND;TZID=America/New_York:20270313T040000\r\nRRULE:FREQ=DAILY;COUNT=3\r\n")),
        "America/New_York", expected);
    assert_file(CALENDAR(ZONE_NEW_YORK EVENT(
                    "DTSTART;TZID=Eastern Standard Time:20270313T023000\r\n"
                    "DTEND;TZID=Eastern Standard Time:20270313T040000\r\nRRULE:FREQ=DAILY;COUNT=3\r\n")),
                "America/New_York", expected);
}

static void rules_dates_and_exceptions_make_the_times(void **state)
{
    (void)state;
    static const char *const expected[] = { "2026-12-01T02:00:00-05:00",
                                            "2026-12-01T03:00:00-05:00",
                                            "2026-12-05T06:00:00-05:00",
                                            "2026-12-05T07:00:00-05:00",
                                            "2026-12-15T02:00:00-05:00",
                                            "2026-12-15T03:00:00-05:00",
                                            "2026-12-16T02:00:00-05:00",
                                            "2026-12-16T06:00:00-05:00",
                                            "2026-12-29T02:00:00-05:00",
                                            "2026-12-29T03:00:00-05:00",
                                            "-" };
    assert_file(CALENDAR(EVENT("DTSTART;TZID=America/New_York:20261201T020000\r\nDURATION:PT1H\r\n"
                               "RRULE:FREQ=WEEKLY;UNTIL=20270102T000000Z\r\n"
                               "EXDATE;TZID=America/New_York:20261208T020000,20261222T020000\r\n"
                               "RDATE:20261205T110000Z\r\n"
                               "RDATE;VALUE=PERIOD:20261216T070000Z/PT4H\r\n")),
                "America/New_York", expected);
}

static void a_day_as_exception_takes_that_day(void **state)
{
    (void)state;
    static const char *const expected[] = { "2026-12-01T02:00:00-05:00", "2026-12-01T03:00:00-05:00",
                                            "2026-12-03T02:00:00-05:00", "2026-12-03T03:00:00-05:00", "-" };
    assert_file(CALENDAR(EVENT("DTSTART;TZID=America/New_York:20261201T020000\r\nDURATION:PT1H\r\n"
                               "RRULE:FREQ=DAILY;COUNT=3\r\nEXDATE;VALUE=DATE:20261202\r\n")),
                "America/New_York", expected);
}

#define SERIES                                                                                               \
    "UID:a\r\nSUMMARY:gate\r\nDTSTART:20261201T020000Z\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY;COUNT=3\r\n"

static void a_changed_occurrence_is_where_it_was_moved(void **state)
{
    (void)state;
    static const char *const moved[] = { "2026-12-01T02:00:00+00:00",
                                         "2026-12-01T03:00:00+00:00",
                                         "2026-12-02T10:00:00+00:00",
                                         "2026-12-02T12:00:00+00:00",
                                         "2026-12-03T02:00:00+00:00",
                                         "2026-12-03T03:00:00+00:00",
                                         "-" };
    static const char *const cancelled[] = { "2026-12-01T02:00:00+00:00", "2026-12-01T03:00:00+00:00",
                                             "2026-12-03T02:00:00+00:00", "2026-12-03T03:00:00+00:00", "-" };
    /* the change may stand before what it changes; that of another event changes nothing */
    assert_file(CALENDAR(EVENT("UID:a\r\nRECURRENCE-ID:20261202T020000Z\r\nDTSTART:20261202T100000Z\r\n"
                               "DURATION:PT2H\r\n") EVENT(SERIES)),
                "UTC", moved);
    assert_file(CALENDAR(EVENT(SERIES) EVENT("UID:a\r\nRECURRENCE-ID:20261202T020000Z\r\nSTATUS:CANCELLED\r\n"
                                             "DTSTART:20261202T100000Z\r\nDURATION:PT2H\r\n")
                             EVENT("UID:b\r\nRECURRENCE-ID:20261201T020000Z\r\nSTATUS:CANCELLED\r\n"
                                   "DTSTART:20261201T100000Z\r\nDURATION:PT2H\r\n")),
                "UTC", cancelled);
}

static void only_events_whose_summary_matches_count(void **state)
{
    (void)state;
    static const char *const expected[] = { "2026-12-02T02:00:00+00:00", "2026-12-02T03:00:00+00:00", "-" };
    struct problems problems;
    struct calendar *calendar = read_text(
        CALENDAR(EVENT("SUMMARY:lunch\r\nDTSTART:20261201T020000Z\r\nDURATION:PT1H\r\n")
                     EVENT("SUMMARY:pgsluice gate\r\nDTSTART:20261202T020000Z\r\nDURATION:PT1H\r\n")
                         EVENT("SUMMARY:pgsluice gate\r\nSTATUS:CANCELLED\r\nDTSTART:20261203T020000Z\r\n")
                             EVENT("DTSTART:20261204T020000Z\r\nDURATION:PT1H\r\n")),
        "pgsluice*", &problems);
    assert_int_equal(problems.count, 0);
    assert_occurrences(calendar, "UTC", "2026-11-21T00:00:00Z", expected);
    calendar_destroy(calendar);
}

static void what_has_no_event_to_come_is_worth_a_warning(void **state)
{
    (void)state;
    static const char one[] = CALENDAR(EVENT("SUMMARY:x\r\nDTSTART:20261202T020000Z\r\nDURATION:PT1H\r\n"));
    assert_warning(CALENDAR(""), "", "has no events");
    assert_warning(one, "y*", "no event that counts");
    assert_warning(CALENDAR(EVENT("DTSTART:20251202T020000Z\r\nDURATION:PT1H\r\n")), "", "all are over");
    assert_warning(one, "x", NULL);
}

static void what_is_no_calendar_is_refused(void **state)
{
    (void)state;
    assert_wrong("", 0, "it is empty");
    assert_wrong("hello\nworld\n", 1, "BEGIN:VCALENDAR is expected: \"hello\"");
    assert_wrong("\r\n\r\nBEGIN:VEVENT\r\n", 3, "BEGIN:VCALENDAR is expected");
    assert_wrong("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\nEND:VCALENDAR\r\n", 3, "BEGIN:VCALENDAR is expected");
    assert_wrong("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:20261201T020000Z\r\n", 3, "ends before END");
    assert_wrong(CALENDAR("no colon here\r\n"), 4, "no colon here");
    assert_wrong(
        "BEGIN:VCALENDAR\r\nBEGIN:A\r\nBEGIN:A\r\nBEGIN:A\r\nBEGIN:A\r\nBEGIN:A\r\nBEGIN:A\r\nBEGIN:A\r\n"
        "BEGIN:A\r\n",
        9, "too many parts");
}

static void what_makes_times_must_be_right(void **state)
{
    (void)state;
    assert_wrong(CALENDAR(EVENT("DTSTART:tomorrow\r\nDURATION:PT1H\r\n")), 5, "DTSTART:tomorrow");
    assert_wrong(CALENDAR(EVENT("DTSTART:20261201T020000Z\r\nDTEND:later\r\n")), 6, "DTEND:later");
    assert_wrong(CALENDAR(EVENT("DTSTART:20261201T020000Z\r\nDURATION:2 hours\r\n")), 6, "DURATION");
    assert_wrong(CALENDAR(EVENT("DTSTART:20261201T020000Z\r\nDURATION:PT1H\r\nRRULE:FREQ=NEVER\r\n")), 7,
                 "RRULE");
    assert_wrong(CALENDAR(EVENT("DTSTART:20261201T020000Z\r\nDURATION:PT1H\r\nRRULE:FREQ=SECONDLY\r\n")), 4,
                 "RRULE: the part FREQ is too often");
    assert_wrong(CALENDAR(EVENT("DTSTART:20261201T020000Z\r\nDTEND:20261201T020000Z\r\n")), 4,
                 "does not end after it begins");
    assert_wrong(CALENDAR(EVENT("DTSTART:20261201T020000Z\r\n")), 4, "does not end after it begins");
    assert_wrong(CALENDAR(EVENT("DURATION:PT1H\r\n")), 4, "has no DTSTART");
    assert_wrong(CALENDAR(EVENT("DTSTART;TZID=Mars/Base:20261201T020000\r\nDURATION:PT1H\r\n")), 4,
                 "unknown time zone \"Mars/Base\"");
    assert_wrong(CALENDAR(EVENT("DTSTART:20261301T020000Z\r\nDURATION:PT1H\r\n")), 4, "none of the calendar");
    assert_wrong(CALENDAR(EVENT("DTSTART:20260231T020000Z\r\nDURATION:PT1H\r\n")), 4, "none of the calendar");
    assert_wrong(
        CALENDAR(EVENT(SERIES) EVENT("UID:a\r\nRECURRENCE-ID;RANGE=THISANDFUTURE:20261202T020000Z\r\n"
                                     "DTSTART:20261202T100000Z\r\nDURATION:PT2H\r\n")),
        11, "THISANDFUTURE is not supported");
    assert_wrong(CALENDAR("BEGIN:VTIMEZONE\r\nTZID:x\r\nBEGIN:STANDARD\r\nDTSTART:16010101T020000\r\n"
                          "RRULE:FREQ=SECONDLY\r\n"),
                 8, "a time zone's rule must be FREQ=YEARLY");
}

static void what_makes_no_times_need_not_be_right(void **state)
{
    (void)state;
    assert_warning(CALENDAR(EVENT("DTSTART:20261202T020000Z\r\nDURATION:PT1H\r\nLOCATION:\r\nGEO:here\r\n"
                                  "PRIORITY:high\r\nX-OWN;A=b:c\r\n")),
                   "", NULL);
}

/* Whatever the file is, reading it ends and gives a calendar or an error. */
static void a_file_cut_or_changed_anywhere_is_read_or_refused(void **state)
{
    (void)state;
    static const char whole[] = CALENDAR(ZONE_NEW_YORK EVENT(
        "UID:a\r\nDTSTART;TZID=Eastern Standard Time:20261213T023000\r\nDURATION:PT1H\r\n"
        "RRULE:FREQ=MONTHLY;BYDAY=1SU;COUNT=3\r\nEXDATE;TZID=Eastern Standard Time:20261213T023000\r\n"));
    static const char others[] = ":;=\n 0Z9-,T\x80";
    struct problems problems;
    for (size_t size = 0; size + 1 < sizeof whole; size++) {
        char *text = malloc(sizeof whole);
        assert_non_null(text);
        memcpy(text, whole, sizeof whole);
        text[size] = size % 2 == 0 ? '\0' : others[size % (sizeof others - 1)];
        struct calendar *calendar = read_text(text, "", &problems);
        assert_true((calendar == NULL) == (problems.error_count > 0));
        calendar_destroy(calendar);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_from_its_start_to_its_end),
        cmocka_unit_test(a_time_without_zone_is_of_the_settings),
        cmocka_unit_test(days_are_whole_days),
        cmocka_unit_test(zones_are_those_of_the_system_or_of_the_file),
        cmocka_unit_test(rules_dates_and_exceptions_make_the_times),
        cmocka_unit_test(a_day_as_exception_takes_that_day),
        cmocka_unit_test(a_changed_occurrence_is_where_it_was_moved),
        cmocka_unit_test(only_events_whose_summary_matches_count),
        cmocka_unit_test(what_has_no_event_to_come_is_worth_a_warning),
        cmocka_unit_test(what_is_no_calendar_is_refused),
        cmocka_unit_test(what_makes_times_must_be_right),
        cmocka_unit_test(what_makes_no_times_need_not_be_right),
        cmocka_unit_test(a_file_cut_or_changed_anywhere_is_read_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
