/* SPDX-License-Identifier: PostgreSQL */
#include "policy/series.h"

#include "policy/zone.h"

#include <stdlib.h>

/* A rule is walked a year further than is asked, so that an answer of "none" holds for a year. */
enum { YEAR_SECONDS = 366 * DAY_SECONDS, SEARCH_YEARS = 10, WALK_MOST = 100000 };

int64_t moment_second(struct moment moment)
{
    return zone_instant(moment.zone, moment.local);
}

static bool list_append(void **list, size_t *count, const void *entry, size_t size)
{
    void *grown = reallocarray(*list, *count + 1, size);
    if (grown == NULL)
        return false;
    *list = grown;
    memcpy((char *)grown + *count * size, entry, size);
    ++*count;
    return true;
}

bool series_add_rule(struct series *series, const struct rule *rule)
{
    void *list = series->rules;
    struct rule settled = *rule;
    rule_settle(&settled, series->start.local);
    bool is_added = list_append(&list, &series->rule_count, &settled, sizeof settled);
    series->rules = list;
    return is_added;
}

bool series_add(struct series *series, struct occurrence occurrence)
{
    void *list = series->added;
    bool is_added = list_append(&list, &series->added_count, &occurrence, sizeof occurrence);
    series->added = list;
    return is_added;
}

bool series_remove(struct series *series, struct moment moment)
{
    void *list = series->removed;
    bool is_added = list_append(&list, &series->removed_count, &moment, sizeof moment);
    series->removed = list;
    return is_added;
}

void series_release(struct series *series)
{
    free(series->rules);
    free(series->added);
    free(series->removed);
}

struct occurrence series_occurrence(const struct series *series, struct moment begin)
{
    struct moment end = { begin.local + series->extent.nominal, begin.zone, false };
    int64_t from = moment_second(begin);
    return (struct occurrence){ from * second_us, (moment_second(end) + series->extent.exact) * second_us };
}

static bool is_removed(const struct series *series, int64_t from_us)
{
    int64_t from = divide_floor(from_us, second_us);
    int64_t local = from + zone_offset(series->start.zone, from);
    for (size_t i = 0; i < series->removed_count; i++) {
        const struct moment *moment = &series->removed[i];
        if (moment->is_date ? divide_floor(local, DAY_SECONDS) == divide_floor(moment->local, DAY_SECONDS)
                            : from == moment_second(*moment))
            return true;
    }
    return false;
}

/* What has been found so far, and after which moment it must end. */
struct search {
    int64_t after_us;
    struct occurrence found;
    bool has_found;
};

static bool is_answer(const struct series *series, const struct search *search, struct occurrence candidate)
{
    return candidate.to_us > search->after_us && candidate.to_us > candidate.from_us &&
           !is_removed(series, candidate.from_us);
}

static void search_offer(struct search *search, const struct series *series, struct occurrence candidate)
{
    bool is_sooner = !search->has_found || candidate.from_us < search->found.from_us;
    if (!is_sooner || !is_answer(series, search, candidate))
        return;
    search->found = candidate;
    search->has_found = true;
}

/* The last local time of a rule: UNTIL, where that is sooner. A day as UNTIL is meant to its end. */
static int64_t rule_last(const struct rule *rule, icaltimezone *zone, int64_t last)
{
    if (!rule->has_until)
        return last;
    int64_t until = civil_second(rule->until);
    if (rule->until.is_date)
        until += DAY_SECONDS - 1;
    else if (icaltime_is_utc(rule->until))
        until += zone_offset(zone, until);
    return until < last ? until : last;
}

static void search_rule(struct search *search, const struct series *series, const struct rule *rule)
{
    int64_t after = divide_floor(search->after_us, second_us);
    int64_t from = after - series->extent.nominal - series->extent.exact - 2 * DAY_SECONDS;
    int64_t last = rule_last(rule, series->start.zone, after + (SEARCH_YEARS + 1) * (int64_t)YEAR_SECONDS);
    struct moment begin = series->start;
    if (last < series->start.local)
        return;
    struct rule_walk walk = rule_walk_begin(rule, series->start.local, from, last);
    for (unsigned i = 0; i < WALK_MOST && rule_walk_next(&walk, &begin.local); i++) {
        if (begin.local < from) /* it has ended, whatever the zone: not worth asking */
            continue;
        struct occurrence candidate = series_occurrence(series, begin);
        if (is_answer(series, search, candidate)) {
            search_offer(search, series, candidate);
            break;
        }
    }
    rule_walk_end(&walk);
}

static void series_search(struct series *series, int64_t after_us)
{
    struct search search = { .after_us = after_us };
    if (series->has_start)
        search_offer(&search, series, series_occurrence(series, series->start));
    for (size_t i = 0; i < series->added_count; i++)
        search_offer(&search, series, series->added[i]);
    for (size_t i = 0; i < series->rule_count; i++)
        search_rule(&search, series, &series->rules[i]);
    series->answer = search.found;
    series->has_answer = search.has_found;
    series->asked_us = after_us;
    series->holds_us = search.has_found ? search.found.to_us : after_us + YEAR_SECONDS * second_us;
}

bool series_next(struct series *series, int64_t after_us, struct occurrence *out)
{
    if (after_us < series->asked_us || after_us >= series->holds_us)
        series_search(series, after_us);
    *out = series->answer;
    return series->has_answer && out->from_us <= after_us + SEARCH_YEARS * YEAR_SECONDS * second_us;
}
