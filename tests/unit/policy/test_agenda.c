/* SPDX-License-Identifier: PostgreSQL */
#include "policy/agenda.h"
#include "unit/policy/dates.h"

enum { EVERY_DAY = 127, ROOM = 16 };

static const struct window night = { .name = "night",
                                     .days = EVERY_DAY,
                                     .from_minute = 120,
                                     .to_minute = 240,
                                     .timezone = "UTC",
                                     .allow = LEVEL_ADDITIVE };
static const struct window day = { .name = "day",
                                   .days = 1, /* Sundays */
                                   .from_minute = 720,
                                   .to_minute = 780,
                                   .timezone = "UTC",
                                   .allow = LEVEL_MODIFYING };

static void assert_agenda(const struct gate_plan *plan, const char *at, size_t next_most,
                          const char *const *expected)
{
    struct agenda_entry entries[ROOM];
    assert_true(agenda_most(plan, next_most) <= ROOM);
    size_t count = agenda_fill(plan, instant(at), next_most, entries);
    for (size_t i = 0; i < count; i++, expected += 2) {
        assert_non_null(expected[0]);
        assert_string_equal(entries[i].window->name, expected[0]);
        assert_shown(entries[i].occurrence.from_us, "UTC", expected[1]);
    }
    assert_null(expected[0]);
}

static void what_opens_next_is_in_the_order_of_time(void **state)
{
    (void)state;
    struct window windows[] = { day, night };
    struct gate_plan plan = { .windows = windows, .window_count = 2 };
    static const char *const expected[] = { "night", "2026-11-21T02:00:00+00:00",
                                            "night", "2026-11-22T02:00:00+00:00",
                                            "day",   "2026-11-22T12:00:00+00:00",
                                            "night", "2026-11-23T02:00:00+00:00",
                                            NULL };
    struct window turned[] = { night, day };
    struct gate_plan turned_plan = { .windows = turned, .window_count = 2 };
    assert_agenda(&plan, "2026-11-21T00:00:00Z", 4, expected);
    assert_agenda(&turned_plan, "2026-11-21T00:00:00Z", 4, expected);
}

static void what_is_open_comes_in_addition(void **state)
{
    (void)state;
    struct window windows[] = { day, night };
    struct gate_plan plan = { .windows = windows, .window_count = 2 };
    static const char *const open_only[] = { "night", "2026-11-21T02:00:00+00:00", NULL };
    static const char *const and_next[] = { "night", "2026-11-21T02:00:00+00:00", "night",
                                            "2026-11-22T02:00:00+00:00", NULL };
    assert_agenda(&plan, "2026-11-21T02:00:00Z", 0, open_only);
    assert_agenda(&plan, "2026-11-21T03:59:59Z", 1, and_next);
    assert_agenda(&plan, "2026-11-21T04:00:00Z", 1, and_next + 2);
}

static void what_ends_leaves_room_for_no_more(void **state)
{
    (void)state;
    struct window once = night;
    struct gate_plan plan = { .windows = &once, .window_count = 1 };
    static const char *const expected[] = { "night", "2026-12-01T00:00:00+00:00", NULL };
    once.calendar = calendar_of_stretch(
        (struct occurrence){ instant("2026-12-01T00:00:00Z"), instant("2026-12-02T00:00:00Z") });
    assert_agenda(&plan, "2026-11-21T00:00:00Z", 10, expected);
    assert_agenda(&plan, "2026-12-02T00:00:00Z", 10, expected + 2);
    calendar_destroy(once.calendar);
}

static void a_freeze_cuts_what_it_overlaps(void **state)
{
    (void)state;
    struct occurrence cut;
    struct freeze freeze = { .from_us = 100, .to_us = 200 };
    assert_true(freeze_cuts(&freeze, &(struct occurrence){ 199, 300 }, &cut));
    assert_int_equal(cut.from_us, 100);
    assert_true(freeze_cuts(&freeze, &(struct occurrence){ 50, 101 }, &cut));
    assert_false(freeze_cuts(&freeze, &(struct occurrence){ 200, 300 }, &cut));
    assert_false(freeze_cuts(&freeze, &(struct occurrence){ 50, 100 }, &cut));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_opens_next_is_in_the_order_of_time),
        cmocka_unit_test(what_is_open_comes_in_addition),
        cmocka_unit_test(what_ends_leaves_room_for_no_more),
        cmocka_unit_test(a_freeze_cuts_what_it_overlaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
