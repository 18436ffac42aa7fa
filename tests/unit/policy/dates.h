/* SPDX-License-Identifier: PostgreSQL */
#ifndef UNIT_POLICY_DATES_H
#define UNIT_POLICY_DATES_H

#include "policy/calendar.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

static inline int64_t instant(const char *text)
{
    int64_t time_us = 0;
    assert_true(instant_parse(text, &time_us));
    return time_us;
}

static inline void assert_shown(int64_t time_us, const char *zone, const char *expected)
{
    char storage[INSTANT_TEXT_SIZE];
    struct text out;
    text_init(&out, storage, sizeof storage);
    instant_describe(time_us, zone, &out);
    assert_string_equal(storage, expected);
}

/* The calendar's occurrences after a moment, as pairs of local times of the zone; then NULL, and none is left
 * if the list ends with "-". */
static inline void assert_occurrences(struct calendar *calendar, const char *zone, const char *after,
                                      const char *const *expected)
{
    struct occurrence next = { .to_us = instant(after) };
    for (; expected[0] != NULL && strcmp(expected[0], "-") != 0; expected += 2) {
        assert_true(calendar_next(calendar, next.to_us, &next));
        assert_shown(next.from_us, zone, expected[0]);
        assert_shown(next.to_us, zone, expected[1]);
    }
    if (expected[0] != NULL)
        assert_false(calendar_next(calendar, next.to_us, &next));
}

#endif
