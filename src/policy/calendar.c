/* SPDX-License-Identifier: PostgreSQL */
#include "policy/calendar_state.h"
#include "policy/zone.h"

#include <stdlib.h>

struct calendar *calendar_create(void)
{
    return calloc(1, sizeof(struct calendar));
}

struct series *calendar_add(struct calendar *calendar)
{
    struct series *grown = reallocarray(calendar->series, calendar->count + 1, sizeof *grown);
    if (grown == NULL)
        return NULL;
    calendar->series = grown;
    grown[calendar->count] = (struct series){ .rule_count = 0 };
    return &grown[calendar->count++];
}

void calendar_destroy(struct calendar *calendar)
{
    if (calendar == NULL)
        return;
    for (size_t i = 0; i < calendar->count; i++)
        series_release(&calendar->series[i]);
    for (size_t i = 0; i < calendar->root_count; i++)
        icalcomponent_free(calendar->roots[i]);
    free(calendar->series);
    free(calendar->roots);
    free(calendar);
}

bool calendar_next(struct calendar *calendar, int64_t after_us, struct occurrence *out)
{
    bool has_found = false;
    for (size_t i = 0; i < calendar->count; i++) {
        struct occurrence candidate;
        if (!series_next(&calendar->series[i], after_us, &candidate))
            continue;
        if (!has_found || candidate.from_us < out->from_us)
            *out = candidate;
        has_found = true;
    }
    return has_found;
}

/* With its series, or NULL. */
static struct calendar *calendar_of_one(struct series **series)
{
    struct calendar *calendar = calendar_create();
    *series = calendar != NULL ? calendar_add(calendar) : NULL;
    if (*series != NULL)
        return calendar;
    calendar_destroy(calendar);
    return NULL;
}

struct calendar *calendar_of_stretch(struct occurrence stretch)
{
    struct series *series;
    struct calendar *calendar = calendar_of_one(&series);
    if (calendar != NULL && series_add(series, stretch))
        return calendar;
    calendar_destroy(calendar);
    return NULL;
}

static bool day_read(const char *text, int64_t *local)
{
    struct text instant;
    char storage[INSTANT_TEXT_SIZE];
    int64_t time_us = 0;
    text_init(&instant, storage, sizeof storage);
    text_append_format(&instant, "%sT00:00:00Z", text[0] != '\0' ? text : CALENDAR_START);
    bool is_right = instant_parse(storage, &time_us);
    *local = divide_floor(time_us, second_us);
    return is_right;
}

static bool series_of_rule(struct series *series, const struct calendar_rule *from, struct text *why)
{
    struct rule rule;
    int64_t day = 0;
    if (!rule_read(from->rule, &rule, why))
        return false;
    if (!day_read(from->start, &day)) {
        text_append_string(why, "its start is not a day of the calendar");
        return false;
    }
    series->start = (struct moment){ day + from->from_minute * 60, zone_find(from->timezone), false };
    series->extent = (struct extent){ from->nominal_us / second_us, from->exact_us / second_us };
    if (series_add_rule(series, &rule))
        return true;
    text_append_string(why, "out of memory");
    return false;
}

struct calendar *calendar_of_rule(const struct calendar_rule *rule, struct text *why)
{
    struct series *series;
    struct occurrence first;
    struct calendar *calendar = calendar_of_one(&series);
    if (calendar == NULL) {
        text_append_string(why, "out of memory");
        return NULL;
    }
    if (series_of_rule(series, rule, why)) {
        int64_t begin_us = (series->start.local - 2 * DAY_SECONDS) * second_us;
        if (calendar_next(calendar, begin_us, &first))
            return calendar;
        text_append_string(why,
                           "it never occurs: its parts exclude each other, or UNTIL is before the start");
    }
    calendar_destroy(calendar);
    return NULL;
}
