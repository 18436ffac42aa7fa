/* SPDX-License-Identifier: PostgreSQL */
#include "policy/rule.h"

#include "policy/zone.h"

#include <stdlib.h>

enum { COUNT_MOST = 10000, RULE_SIZE = 1024 };

static bool is_frequency(struct bytes part)
{
    return part.size >= 5 && bytes_equal_folded(bytes_of(part.data, 5), "FREQ=");
}

/* Takes the next part of "FREQ=DAILY;COUNT=3". */
static struct bytes part_take(struct bytes *rest)
{
    struct bytes part = bytes_take(rest, bytes_find(*rest, ';'));
    (void)bytes_take(rest, rest->size > 0 ? 1 : 0);
    return part;
}

static bool is_read(const char *text)
{
    icalerror_set_errors_are_fatal(false);
    return icalrecurrencetype_from_string(text).freq != ICAL_NO_RECURRENCE;
}

/* Whether the part is right by itself, beside a frequency that is. */
static bool is_part_right(struct bytes part)
{
    char storage[RULE_SIZE];
    struct text text;
    text_init(&text, storage, sizeof storage);
    text_append_string(&text, is_frequency(part) ? "" : "FREQ=YEARLY;");
    text_append(&text, part);
    return is_read(storage);
}

static void name_wrong_part(const char *rule, struct text *why)
{
    struct bytes rest = bytes_text(rule);
    bool has_frequency = false;
    while (rest.size > 0) {
        struct bytes part = part_take(&rest);
        has_frequency = has_frequency || is_frequency(part);
        if (is_part_right(part))
            continue;
        text_append_string(why, "the part \"");
        text_append_printable(why, part);
        text_append_string(why, "\" is not one of RFC 5545 (3.3.10)");
        return;
    }
    if (!has_frequency)
        text_append_string(why, "the part FREQ is missing: begin with FREQ=MONTHLY or the like");
    else
        text_append_string(why, "its parts do not go together: COUNT and UNTIL exclude each other, and each "
                                "part stands once");
}

static size_t list_count(const short *list, size_t most)
{
    size_t count = 0;
    while (count < most && list[count] != ICAL_RECURRENCE_ARRAY_MAX)
        count++;
    return count;
}

static bool has_ordinal_days(const struct icalrecurrencetype *rule)
{
    for (size_t i = 0; i < list_count(rule->by_day, ICAL_BY_DAY_SIZE); i++) {
        if (icalrecurrencetype_day_position(rule->by_day[i]) != 0)
            return true;
    }
    return false;
}

/* Whether a month of the rule has a day of the rule, were it in a leap year. */
static bool has_possible_day(const struct icalrecurrencetype *rule)
{
    static const int days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    size_t months = list_count(rule->by_month, ICAL_BY_MONTH_SIZE);
    size_t month_days = list_count(rule->by_month_day, ICAL_BY_MONTHDAY_SIZE);
    for (size_t i = 0; i < months; i++) {
        int month = icalrecurrencetype_month_month(rule->by_month[i]);
        int most = month >= 1 && month <= 12 ? days[month - 1] : 31;
        for (size_t j = 0; j < month_days; j++) {
            if (rule->by_month_day[j] <= most && -rule->by_month_day[j] <= most)
                return true;
        }
    }
    return months == 0 || month_days == 0;
}

/* Whether libical walks it at all: it refuses parts that the frequency does not allow. */
static bool is_walked(const struct icalrecurrencetype *rule)
{
    icalrecur_iterator *iterator = icalrecur_iterator_new(*rule, civil_of(0));
    icalrecur_iterator_free(iterator);
    return iterator != NULL;
}

static const char *rule_fault(const struct icalrecurrencetype *rule)
{
    bool has_days_of_periods = rule->freq == ICAL_MONTHLY_RECURRENCE || rule->freq == ICAL_YEARLY_RECURRENCE;
    if (rule->rscale != NULL)
        return "the part RSCALE is not supported: days are those of the Gregorian calendar";
    if (rule->freq == ICAL_SECONDLY_RECURRENCE || rule->freq == ICAL_MINUTELY_RECURRENCE)
        return "the part FREQ is too often for a window: HOURLY, DAILY, WEEKLY, MONTHLY or YEARLY are right";
    if (rule->count > COUNT_MOST)
        return "the part COUNT is too large: at most 10000, or UNTIL in its place";
    if (!has_days_of_periods && has_ordinal_days(rule))
        return "the part BYDAY may number its days (1SU) with FREQ=MONTHLY and FREQ=YEARLY only";
    if (!has_possible_day(rule))
        return "it never occurs: no month of BYMONTH has a day of BYMONTHDAY";
    if (!is_walked(rule))
        return "it never occurs, or RFC 5545 (3.3.10) does not allow its BY parts with this FREQ";
    return NULL;
}

bool rule_read(const char *text, struct rule *out, struct text *why)
{
    icalerror_set_errors_are_fatal(false);
    *out = (struct rule){ .recurrence = icalrecurrencetype_from_string(text) };
    if (out->recurrence.freq == ICAL_NO_RECURRENCE) {
        name_wrong_part(text, why);
        return false;
    }
    const char *fault = rule_fault(&out->recurrence);
    free(out->recurrence.rscale);
    out->recurrence.rscale = NULL;
    if (fault != NULL) {
        text_append_string(why, fault);
        return false;
    }
    out->until = out->recurrence.until;
    out->has_until = !icaltime_is_null_time(out->until);
    out->recurrence.until = icaltime_null_time();
    return true;
}

struct rule_walk rule_walk_begin(const struct rule *rule, int64_t start, int64_t from, int64_t last)
{
    struct icalrecurrencetype recurrence = rule->recurrence;
    recurrence.until = civil_of(last);
    struct rule_walk walk = { icalrecur_iterator_new(recurrence, civil_of(start)) };
    if (walk.iterator != NULL && from > start && recurrence.count == 0)
        icalrecur_iterator_set_start(walk.iterator, civil_of(from));
    return walk;
}

bool rule_walk_next(struct rule_walk *walk, int64_t *local)
{
    if (walk->iterator == NULL)
        return false;
    struct icaltimetype civil = icalrecur_iterator_next(walk->iterator);
    *local = civil_second(civil);
    return !icaltime_is_null_time(civil);
}

void rule_walk_end(struct rule_walk *walk)
{
    icalrecur_iterator_free(walk->iterator);
}

void rule_settle(struct rule *rule, int64_t start)
{
    const int64_t year = INT64_C(366) * DAY_SECONDS;
    int64_t years = rule->recurrence.freq == ICAL_HOURLY_RECURRENCE ? 10 : 50;
    int64_t last = start;
    int count = 0;
    struct rule_walk walk = rule_walk_begin(rule, start, start, start + years * year);
    while (count < rule->recurrence.count && rule_walk_next(&walk, &last))
        count++;
    rule_walk_end(&walk);
    if (count == 0 || count < rule->recurrence.count)
        return;
    rule->recurrence.count = 0;
    rule->has_until = true;
    rule->until = civil_of(last);
    rule->until.zone = NULL;
}
