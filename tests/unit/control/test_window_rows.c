/* SPDX-License-Identifier: PostgreSQL */
#include "control/window_rows.h"
#include "policy/calendar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define HOUR_US   INT64_C(3600000000)
#define FRIDAY_US (20777 * 24 * HOUR_US) /* 2026-11-20 */
#define WEEK_US   (7 * 24 * HOUR_US)

/* Fridays from 02:00 to 04:00. */
static const struct window window = { .name = "weekly",
                                      .days = 1 << 5,
                                      .from_minute = 120,
                                      .to_minute = 240,
                                      .timezone = "UTC",
                                      .allow = LEVEL_MODIFYING };

static struct window_row row_at(const struct freeze *freezes, size_t freeze_count, int64_t hour)
{
    struct gate_plan plan = {
        .windows = &window, .window_count = 1, .freezes = freezes, .freeze_count = freeze_count
    };
    struct window_row rows[4];
    assert_true(window_rows_fill(&plan, FRIDAY_US + hour * HOUR_US, rows, COUNT_OF(rows)) >= 1);
    assert_ptr_equal(rows[0].name, window.name);
    assert_int_equal(rows[0].kind, WINDOW_WEEKLY);
    assert_int_equal(rows[0].allow, LEVEL_MODIFYING);
    return rows[0];
}

static void assert_row(struct window_row row, enum window_state state, int64_t opens_us, int64_t closes_us)
{
    assert_int_equal(row.state, state);
    assert_int_equal(row.opens_us, opens_us);
    assert_int_equal(row.closes_us, closes_us);
}

static void a_weekly_window_shows_the_time_that_is_open_or_comes_next(void **state)
{
    (void)state;
    int64_t opens = FRIDAY_US + 2 * HOUR_US;
    int64_t closes = FRIDAY_US + 4 * HOUR_US;
    assert_row(row_at(NULL, 0, 1), WINDOW_CLOSED, opens, closes);
    assert_row(row_at(NULL, 0, 2), WINDOW_OPEN, opens, closes);
    assert_row(row_at(NULL, 0, 3), WINDOW_OPEN, opens, closes);
    assert_row(row_at(NULL, 0, 4), WINDOW_CLOSED, opens + WEEK_US, closes + WEEK_US);
}

static void a_freeze_moves_the_opening(void **state)
{
    (void)state;
    int64_t opens = FRIDAY_US + 2 * HOUR_US;
    int64_t closes = FRIDAY_US + 4 * HOUR_US;
    struct freeze freezes[] = {
        { .name = "f", .from_us = FRIDAY_US, .to_us = FRIDAY_US + 3 * HOUR_US },
        { .name = "g", .from_us = FRIDAY_US + 3 * HOUR_US, .to_us = FRIDAY_US + 5 * HOUR_US }
    };
    assert_row(row_at(freezes, 1, 1), WINDOW_CLOSED, FRIDAY_US + 3 * HOUR_US, closes);
    assert_row(row_at(freezes, 1, 2), WINDOW_FROZEN, FRIDAY_US + 3 * HOUR_US, closes);
    assert_row(row_at(freezes, 1, 3), WINDOW_OPEN, FRIDAY_US + 3 * HOUR_US, closes);
    assert_row(row_at(freezes, 2, 2), WINDOW_FROZEN, opens + WEEK_US, closes + WEEK_US);
    assert_row(row_at(freezes + 1, 1, 2), WINDOW_OPEN, opens, FRIDAY_US + 3 * HOUR_US);
    assert_row(row_at(freezes + 1, 1, 3), WINDOW_FROZEN, opens + WEEK_US, closes + WEEK_US);
}

static void a_freeze_without_end_leaves_no_opening(void **state)
{
    (void)state;
    struct freeze freeze = { .name = "f", .from_us = FRIDAY_US, .to_us = INT64_MAX };
    assert_row(row_at(&freeze, 1, 3), WINDOW_FROZEN, 0, 0);
    freeze.to_us = freeze.from_us; /* holds at no time */
    assert_row(row_at(&freeze, 1, 3), WINDOW_OPEN, FRIDAY_US + 2 * HOUR_US, FRIDAY_US + 4 * HOUR_US);
}

static void what_is_over_is_left_out(void **state)
{
    (void)state;
    struct opening openings[] = {
        { .name = "past", .from_us = 1, .to_us = 10, .allow = LEVEL_ADDITIVE },
        { .name = "now",
          .from_us = 5,
          .to_us = 20,
          .allow = LEVEL_ADDITIVE,
          .reason = "r",
          .opened_by = "alice",
          .scope = { .service = "kds", .user = "deployer", .database = "shop" } },
    };
    struct freeze freezes[] = { { .name = "past", .from_us = 1, .to_us = 10, .reason = "r" },
                                { .name = "now", .from_us = 10, .to_us = 20, .reason = "r" },
                                { .name = "later", .from_us = 11, .to_us = 20, .reason = "r" } };
    struct gate_plan plan = {
        .openings = openings, .opening_count = 2, .freezes = freezes, .freeze_count = 3
    };
    struct window_row rows[8];
    assert_int_equal(window_rows_most(&plan), 5);
    assert_int_equal(window_rows_fill(&plan, 10, rows, COUNT_OF(rows)), 3);
    assert_row(rows[0], WINDOW_OPEN, 5, 20);
    assert_string_equal(rows[0].name, "now");
    assert_string_equal(rows[0].opened_by, "alice");
    assert_string_equal(rows[0].service, "kds");
    assert_string_equal(rows[0].user, "deployer");
    assert_string_equal(rows[0].database, "shop");
    assert_row(rows[1], WINDOW_FROZEN, 10, 20);
    assert_row(rows[2], WINDOW_CLOSED, 11, 20);
    assert_int_equal(window_rows_fill(&plan, 10, rows, 2), 2);
    assert_int_equal(window_rows_fill(&plan, 10, rows, 0), 0);
}

static void a_calendar_shows_its_next_time_and_its_freeze_the_one_that_holds(void **state)
{
    (void)state;
    int64_t opens = FRIDAY_US + 30 * HOUR_US;
    struct window once = { .name = "once",
                           .form = WINDOW_FORM_ONCE,
                           .timezone = "UTC",
                           .allow = LEVEL_ADDITIVE,
                           .calendar =
                               calendar_of_stretch((struct occurrence){ opens, opens + 4 * HOUR_US }) };
    struct freeze freeze = {
        .name = "f", .calendar = calendar_of_stretch((struct occurrence){ opens - HOUR_US, opens + HOUR_US })
    };
    struct gate_plan plan = { .windows = &once, .window_count = 1, .freezes = &freeze, .freeze_count = 1 };
    struct window_row rows[2];
    assert_int_equal(window_rows_fill(&plan, FRIDAY_US, rows, 2), 2);
    assert_int_equal(rows[0].kind, WINDOW_ONCE);
    assert_row(rows[0], WINDOW_CLOSED, opens + HOUR_US, opens + 4 * HOUR_US);
    assert_row(rows[1], WINDOW_CLOSED, opens - HOUR_US, opens + HOUR_US);
    assert_int_equal(window_rows_fill(&plan, opens, rows, 2), 2);
    assert_row(rows[0], WINDOW_FROZEN, opens + HOUR_US, opens + 4 * HOUR_US);
    assert_row(rows[1], WINDOW_FROZEN, opens - HOUR_US, opens + HOUR_US);
    assert_int_equal(window_rows_fill(&plan, opens + 2 * HOUR_US, rows, 2), 1);
    assert_row(rows[0], WINDOW_OPEN, opens + HOUR_US, opens + 4 * HOUR_US);
    calendar_destroy(once.calendar);
    calendar_destroy(freeze.calendar);
}

static void each_form_has_a_name_of_its_own(void **state)
{
    (void)state;
    assert_string_equal(window_kind_name(WINDOW_WEEKLY), "weekly");
    assert_string_equal(window_kind_name(WINDOW_RULE), "rule");
    assert_string_equal(window_kind_name(WINDOW_ONCE), "once");
    assert_string_equal(window_kind_name(WINDOW_CALENDAR), "calendar");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_weekly_window_shows_the_time_that_is_open_or_comes_next),
        cmocka_unit_test(a_freeze_moves_the_opening),
        cmocka_unit_test(a_freeze_without_end_leaves_no_opening),
        cmocka_unit_test(what_is_over_is_left_out),
        cmocka_unit_test(a_calendar_shows_its_next_time_and_its_freeze_the_one_that_holds),
        cmocka_unit_test(each_form_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
