/* SPDX-License-Identifier: PostgreSQL */
#include "config/window_form.h"
#include "unit/config/given.h"

#define WINDOW(rest) NEEDED "guard: { windows: [ { name: a, allow: additive, " rest " } ] }\n"
#define FREEZE(rest) NEEDED "guard: { mode: off, freezes: [ { name: f, " rest " } ] }\n"

static void assert_form(const char *text, enum setting_form form)
{
    struct given given;
    assert_int_equal(window_form(&given_good(&given, text)->guard.windows.items[0]), form);
    assert_int_equal(given.problems.count, 0);
    given_release(&given);
}

static void a_window_is_of_one_of_four_forms(void **state)
{
    (void)state;
    assert_form(WINDOW("from: 02:00, to: 04:00"), FORM_WEEKLY);
    assert_form(WINDOW("days: [sun], from: 22:00, to: 04:00, timezone: UTC"), FORM_WEEKLY);
    assert_form(WINDOW("rrule: FREQ=DAILY, from: 02:00, to: 01:00"), FORM_RULE);
    assert_form(WINDOW("rrule: FREQ=DAILY, from: 02:00, duration: 2h, start: 2026-01-01"), FORM_RULE);
    assert_form(WINDOW("from: \"2026-12-01T02:00:00Z\", to: \"2026-12-01T03:00:00Z\""), FORM_ONCE);
    assert_form(WINDOW("calendar: a.ics"), FORM_CALENDAR);
    assert_form(WINDOW("calendar: a.ics, match: \"x*\", timezone: Europe/Berlin"), FORM_CALENDAR);
}

static void what_a_form_does_not_have_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *words;
    } faults[] = {
        { WINDOW("from: 02:00, to: 04:00, match: x"), "windows[0].match: has no place in a weekly window" },
        { WINDOW("from: 02:00, to: 04:00, duration: 2h"), "windows[0].duration: has no place in a weekly" },
        { WINDOW("from: 02:00, to: 04:00, start: 2026-01-01"), "windows[0].start: has no place in a weekly" },
        { WINDOW("rrule: FREQ=DAILY, from: 02:00, to: 04:00, days: [sun]"),
          "windows[0].days: has no place in a window with rrule" },
        { WINDOW("rrule: FREQ=DAILY, from: 02:00, to: 04:00, match: x"), "windows[0].match: has no place" },
        { WINDOW("rrule: FREQ=DAILY, from: 02:00, to: 04:00, duration: 2h"),
          "windows[0].duration: stands beside to" },
        { WINDOW("rrule: FREQ=DAILY, from: 02:00"), "windows[0].to: is missing" },
        { WINDOW("rrule: FREQ=DAILY, duration: 2h"), "windows[0].from: is missing" },
        { WINDOW("rrule: FREQ=DAILY, from: \"2026-12-01T02:00:00Z\", duration: 2h"),
          "windows[0].from: must be a time of day with rrule" },
        { WINDOW("from: \"2026-12-01T02:00:00Z\", to: \"2026-12-01T03:00:00Z\", days: [sun]"),
          "windows[0].days: has no place in a window that opens once" },
        { WINDOW("from: \"2026-12-01T02:00:00Z\", to: 03:00"), "windows[0].to: must be written as from is" },
        { WINDOW("from: 02:00, to: \"2026-12-01T02:00:00Z\""), "windows[0].to: must be written as from is" },
        { WINDOW("from: \"2026-12-01T02:00:00Z\""), "windows[0].to: is missing" },
        { WINDOW("to: 02:00"), "windows[0].from: is missing" },
        { WINDOW("calendar: a.ics, from: 02:00"), "windows[0].from: has no place in a window of a calendar" },
        { WINDOW("calendar: a.ics, to: 02:00"), "windows[0].to: has no place in a window of a calendar" },
        { WINDOW("calendar: a.ics, rrule: FREQ=DAILY"), "windows[0].rrule: has no place in a window of a" },
        { FREEZE("calendar: a.ics, from: \"2026-12-01T02:00:00Z\""), "freezes[0].from: has no place" },
        { FREEZE("calendar: a.ics, to: \"2026-12-01T02:00:00Z\""), "freezes[0].to: has no place" },
        { FREEZE("to: \"2026-12-01T02:00:00Z\""), "freezes[0].from: is missing" },
        { FREEZE("from: \"2026-12-01T02:00:00Z\""), "freezes[0].to: is missing" },
        { FREEZE("from: \"2026-12-01T02:00:00Z\", to: \"2026-12-02T02:00:00Z\", match: x"),
          "freezes[0].match: has no place in a freeze without calendar" },
        { FREEZE("from: \"2026-12-01T02:00:00Z\", to: \"2026-12-02T02:00:00Z\", timezone: UTC"),
          "freezes[0].timezone: has no place in a freeze without calendar" },
    };
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        struct given given;
        assert_false(given_parse(&given, faults[i].text));
        if (strstr(given.problems.kept[0].text, faults[i].words) == NULL || given.problems.error_count != 1)
            fail_msg("%s: %s", faults[i].words, given.problems.kept[0].text);
    }
}

static void a_freeze_may_be_a_calendar(void **state)
{
    (void)state;
    assert_warned(FREEZE("calendar: a.ics"), 0, 0, NULL);
    assert_warned(FREEZE("calendar: a.ics, match: \"freeze*\", timezone: Europe/Berlin"), 0, 0, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_window_is_of_one_of_four_forms),
        cmocka_unit_test(what_a_form_does_not_have_is_refused),
        cmocka_unit_test(a_freeze_may_be_a_calendar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
