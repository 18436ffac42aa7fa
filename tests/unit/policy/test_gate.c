/* SPDX-License-Identifier: PostgreSQL */
#include "policy/calendar.h"
#include "policy/gate.h"

#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

static const int64_t minute_us = 60 * INT64_C(1000000);

enum { WEEKS = 4, MINUTES = WEEKS * 7 * 1440, MOST_OF_A_KIND = 5, PLANS = 60, EVERY_DAY = 127 };

/* 2026-01-12T00:00:00Z, a Monday: no zone below changes its offset within the weeks that follow. */
static const int64_t begin_us = INT64_C(1768176000) * 1000000;

static const struct zone_row {
    const char *name;
    int minutes; /* east of UTC in these weeks */
} zones[] = { { "UTC", 0 },
              { "America/New_York", -300 },
              { "Asia/Kolkata", 330 },
              { "Europe/Berlin", 60 },
              { "Australia/Lord_Howe", 660 } };

struct random_plan {
    uint64_t state;
    struct window windows[MOST_OF_A_KIND];
    int zone_minutes[MOST_OF_A_KIND];
    struct freeze freezes[MOST_OF_A_KIND];
    struct opening openings[MOST_OF_A_KIND];
    struct gate_plan plan;
};

static unsigned draw(struct random_plan *random, unsigned below)
{
    random->state = random->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(random->state >> 33) % below;
}

static enum safety_level draw_level(struct random_plan *random)
{
    return draw(random, 2) == 0 ? LEVEL_ADDITIVE : LEVEL_MODIFYING;
}

static void draw_window(struct random_plan *random, size_t i)
{
    const struct zone_row *zone = &zones[draw(random, COUNT_OF(zones))];
    struct window *window = &random->windows[i];
    *window = (struct window){ .days = (uint8_t)draw(random, 128),
                               .from_minute = (uint16_t)draw(random, 1440),
                               .to_minute = (uint16_t)draw(random, 1441),
                               .allow = draw_level(random) };
    snprintf(window->name, sizeof window->name, "window %zu", i);
    snprintf(window->timezone, sizeof window->timezone, "%s", zone->name);
    random->zone_minutes[i] = zone->minutes;
}

/* From before the weeks to after them. */
static void draw_times(struct random_plan *random, int64_t *from_us, int64_t *to_us)
{
    int64_t from = (int64_t)draw(random, MINUTES + 2880) - 2880;
    *from_us = begin_us + from * minute_us;
    *to_us = *from_us + (int64_t)draw(random, draw(random, 2) == 0 ? 120 : 5000) * minute_us;
}

static void draw_plan(struct random_plan *random)
{
    struct gate_plan *plan = &random->plan;
    *plan = (struct gate_plan){ random->windows,
                                draw(random, MOST_OF_A_KIND + 1),
                                random->freezes,
                                draw(random, MOST_OF_A_KIND + 1),
                                random->openings,
                                draw(random, MOST_OF_A_KIND + 1),
                                NULL };
    for (size_t i = 0; i < plan->window_count; i++)
        draw_window(random, i);
    for (size_t i = 0; i < plan->freeze_count; i++) {
        random->freezes[i] = (struct freeze){ .reason = "peak" };
        snprintf(random->freezes[i].name, POLICY_NAME_SIZE, "freeze %zu", i);
        draw_times(random, &random->freezes[i].from_us, &random->freezes[i].to_us);
    }
    for (size_t i = 0; i < plan->opening_count; i++) {
        random->openings[i] = (struct opening){ .allow = draw_level(random), .reason = "hotfix" };
        snprintf(random->openings[i].name, POLICY_NAME_SIZE, "opening %zu", i);
        draw_times(random, &random->openings[i].from_us, &random->openings[i].to_us);
    }
}

/* What one moment is, found without any line of time. */
struct moment {
    enum safety_level allow;
    const char *name; /* NULL: closed */
    bool is_freeze;
};

static bool window_holds(const struct window *window, int zone_minutes, int64_t minute)
{
    int64_t local = minute + zone_minutes + 14 * 1440; /* the 14 days keep it positive */
    int64_t weekday = (local / 1440 + 1) % 7;          /* the first day is a Monday */
    int64_t minute_of_day = local % 1440;
    bool is_day = (window->days >> weekday & 1) != 0;
    bool is_day_after = (window->days >> (weekday + 6) % 7 & 1) != 0;
    if (window->to_minute > window->from_minute)
        return is_day && minute_of_day >= window->from_minute && minute_of_day < window->to_minute;
    return (is_day && minute_of_day >= window->from_minute) ||
           (is_day_after && minute_of_day < window->to_minute);
}

static void moment_offer(struct moment *moment, const char *name, enum safety_level allow)
{
    if (moment->name == NULL || moment->is_freeze || allow > moment->allow)
        *moment = (struct moment){ allow, name, false };
}

static struct moment moment_of(const struct random_plan *random, int64_t minute)
{
    int64_t now_us = begin_us + minute * minute_us;
    struct moment moment = { LEVEL_NONE, NULL, false };
    for (size_t i = 0; i < random->plan.freeze_count && moment.name == NULL; i++) {
        const struct freeze *freeze = &random->freezes[i];
        if (now_us >= freeze->from_us && now_us < freeze->to_us)
            moment = (struct moment){ LEVEL_NONE, freeze->name, true };
    }
    bool is_frozen = moment.is_freeze;
    for (size_t i = 0; i < random->plan.opening_count; i++) {
        const struct opening *opening = &random->openings[i];
        if (now_us >= opening->from_us && now_us < opening->to_us)
            moment_offer(&moment, opening->name, opening->allow);
    }
    for (size_t i = 0; i < random->plan.window_count && !is_frozen; i++) {
        if (window_holds(&random->windows[i], random->zone_minutes[i], minute))
            moment_offer(&moment, random->windows[i].name, random->windows[i].allow);
    }
    return moment;
}

static void assert_moment(const struct gate_span *span, const struct moment *expected)
{
    if (expected->name == NULL) {
        assert_null(span);
        return;
    }
    assert_non_null(span);
    assert_string_equal(span->name, expected->name);
    assert_int_equal(span->allow, expected->allow);
    assert_int_equal(span->is_freeze, expected->is_freeze);
}

/* Walks the minutes backwards, so that it knows when each level opens next. */
static void assert_gate(const struct gate *gate, const struct random_plan *random)
{
    int64_t opens_us[LEVEL_MODIFYING + 1] = { INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX };
    for (int64_t minute = MINUTES - 1; minute >= 0; minute--) {
        struct moment expected = moment_of(random, minute);
        int64_t now_us = begin_us + minute * minute_us;
        assert_moment(gate_at(gate, now_us), &expected);
        assert_moment(gate_at(gate, now_us + minute_us - 1), &expected);
        for (int level = LEVEL_ADDITIVE; level <= LEVEL_MODIFYING; level++) {
            bool is_open = expected.name != NULL && !expected.is_freeze && (int)expected.allow >= level;
            opens_us[level] = is_open ? now_us : opens_us[level];
            const struct gate_span *next = gate_next(gate, (enum safety_level)level, now_us);
            int64_t next_us = next == NULL ? INT64_MAX : next->from_us > now_us ? next->from_us : now_us;
            assert_true(next_us == opens_us[level]);
        }
    }
}

static void assert_spans_in_order(const struct gate *gate)
{
    for (size_t i = 0; i < gate->count; i++) {
        const struct gate_span *span = &gate->spans[i];
        assert_true(span->from_us < span->to_us);
        assert_true(span->from_us >= gate->from_us && span->to_us <= gate->to_us);
        assert_true(i == 0 || gate->spans[i - 1].to_us <= span->from_us);
        if (i > 0 && gate->spans[i - 1].to_us == span->from_us)
            assert_string_not_equal(gate->spans[i - 1].name, span->name);
    }
}

static void the_line_agrees_with_every_minute_of_random_plans(void **state)
{
    (void)state;
    struct random_plan random = { .state = 7 };
    for (unsigned i = 0; i < PLANS; i++) {
        struct gate gate;
        draw_plan(&random);
        assert_true(gate_init(&gate, &random.plan, begin_us, MINUTES * minute_us));
        assert_spans_in_order(&gate);
        assert_gate(&gate, &random);
        gate_release(&gate);
    }
}

static void without_a_plan_the_gate_is_closed(void **state)
{
    (void)state;
    struct gate gate;
    assert_true(gate_init(&gate, &(struct gate_plan){ 0 }, begin_us, 1440 * minute_us));
    assert_int_equal(gate.count, 0);
    assert_null(gate_at(&gate, begin_us));
    assert_null(gate_next(&gate, LEVEL_ADDITIVE, begin_us));
    gate_release(&gate);
}

static const struct window always = { .name = "always",
                                      .days = EVERY_DAY,
                                      .from_minute = 0,
                                      .to_minute = 1440,
                                      .timezone = "America/New_York",
                                      .allow = LEVEL_ADDITIVE };

static void outside_of_its_line_the_gate_is_closed(void **state)
{
    (void)state;
    struct gate gate;
    struct gate_plan plan = { .windows = &always, .window_count = 1 };
    assert_true(gate_init(&gate, &plan, begin_us, 100 * minute_us));
    assert_int_equal(gate.count, 1);
    assert_null(gate_at(&gate, begin_us - 1));
    assert_non_null(gate_at(&gate, begin_us));
    assert_non_null(gate_at(&gate, begin_us + 100 * minute_us - 1));
    assert_null(gate_at(&gate, begin_us + 100 * minute_us));
    assert_null(gate_next(&gate, LEVEL_ADDITIVE, begin_us + 100 * minute_us));
    gate_release(&gate);
}

static void days_that_follow_each_other_are_one_span(void **state)
{
    (void)state;
    struct gate gate;
    struct gate_plan plan = { .windows = &always, .window_count = 1 };
    assert_true(gate_init(&gate, &plan, begin_us, 365 * 1440 * minute_us));
    assert_int_equal(gate.count, 1);
    gate_release(&gate);
}

static void a_span_carries_its_times_zone_and_reason(void **state)
{
    (void)state;
    struct gate gate;
    struct opening opening = { .name = "hotfix",
                               .from_us = begin_us + 60 * minute_us,
                               .to_us = begin_us + 90 * minute_us,
                               .allow = LEVEL_MODIFYING,
                               .reason = "broken release" };
    struct freeze freeze = { .name = "peak", .from_us = begin_us, .to_us = begin_us + 1440 * minute_us };
    struct gate_plan plan = { &always, 1, &freeze, 1, &opening, 1, NULL };
    assert_true(gate_init(&gate, &plan, begin_us, 120 * minute_us));
    assert_int_equal(gate.count, 3);
    assert_string_equal(gate.spans[1].name, "hotfix");
    assert_string_equal(gate.spans[1].reason, "broken release");
    assert_string_equal(gate.spans[1].timezone, "America/New_York");
    assert_string_equal(gate.spans[1].from_text, "2026-01-11T20:00:00-05:00");
    assert_string_equal(gate.spans[1].to_text, "2026-01-11T20:30:00-05:00");
    /* The freeze's own end, beyond the opening and beyond the line. */
    assert_string_equal(gate.spans[0].to_text, "2026-01-12T19:00:00-05:00");
    assert_string_equal(gate.spans[2].to_text, "2026-01-12T19:00:00-05:00");
    gate_release(&gate);
}

static void times_are_shown_in_utc_where_there_is_no_window(void **state)
{
    (void)state;
    struct gate gate;
    struct freeze freeze = { .name = "peak", .from_us = 0, .to_us = begin_us + minute_us };
    struct gate_plan plan = { .freezes = &freeze, .freeze_count = 1 };
    assert_true(gate_init(&gate, &plan, begin_us, 120 * minute_us));
    assert_string_equal(gate_at(&gate, begin_us)->to_text, "2026-01-12T00:01:00+00:00");
    assert_string_equal(gate_at(&gate, begin_us)->timezone, "UTC");
    gate_release(&gate);
}

static void an_end_before_its_start_opens_nothing(void **state)
{
    (void)state;
    struct gate gate;
    struct opening opening = { .from_us = begin_us + minute_us, .to_us = begin_us, .allow = LEVEL_MODIFYING };
    struct gate_plan plan = { .openings = &opening, .opening_count = 1 };
    assert_true(gate_init(&gate, &plan, begin_us, 120 * minute_us));
    assert_int_equal(gate.count, 0);
    gate_release(&gate);
}

static void a_freeze_of_a_calendar_closes_while_each_of_its_times_lasts(void **state)
{
    (void)state;
    struct text why;
    char storage[128];
    struct window window = {
        .name = "always", .days = EVERY_DAY, .to_minute = 1440, .timezone = "UTC", .allow = LEVEL_ADDITIVE
    };
    struct calendar_rule noon = { "FREQ=DAILY", "UTC", "", 720, 60 * minute_us, 0 };
    struct freeze freeze = { .name = "noon" };
    struct gate_plan plan = { &window, 1, &freeze, 1, NULL, 0, NULL };
    struct gate gate;
    text_init(&why, storage, sizeof storage);
    freeze.calendar = calendar_of_rule(&noon, &why);
    assert_non_null(freeze.calendar);
    assert_true(gate_init(&gate, &plan, begin_us, 3 * 1440 * minute_us));
    calendar_destroy(freeze.calendar);
    for (int64_t day = 0; day < 3; day++) {
        int64_t noon_us = begin_us + (day * 1440 + 720) * minute_us;
        const struct gate_span *span = gate_at(&gate, noon_us);
        assert_false(gate_at(&gate, noon_us - 1)->is_freeze);
        assert_true(span->is_freeze);
        assert_int_equal(span->from_us, noon_us);
        assert_int_equal(span->to_us, noon_us + 60 * minute_us);
        assert_int_equal(strncmp(span->to_text, "2026-01-1", 9), 0);
        assert_string_equal(span->to_text + 10, "T13:00:00+00:00");
        assert_false(gate_at(&gate, noon_us + 60 * minute_us)->is_freeze);
    }
    gate_release(&gate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_line_agrees_with_every_minute_of_random_plans),
        cmocka_unit_test(without_a_plan_the_gate_is_closed),
        cmocka_unit_test(outside_of_its_line_the_gate_is_closed),
        cmocka_unit_test(days_that_follow_each_other_are_one_span),
        cmocka_unit_test(a_span_carries_its_times_zone_and_reason),
        cmocka_unit_test(times_are_shown_in_utc_where_there_is_no_window),
        cmocka_unit_test(an_end_before_its_start_opens_nothing),
        cmocka_unit_test(a_freeze_of_a_calendar_closes_while_each_of_its_times_lasts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
