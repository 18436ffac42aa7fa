/* SPDX-License-Identifier: PostgreSQL */
#include "config/value.h"

/* The shapes of times; what they mean is a calendar's business. */

/* Steps over `count` digits whose number lies within the bounds. */
static bool take_number(const char **at, unsigned count, unsigned smallest, unsigned largest)
{
    unsigned number = 0;
    for (unsigned i = 0; i < count; i++) {
        if ((*at)[i] < '0' || (*at)[i] > '9')
            return false;
        number = number * 10 + (unsigned)((*at)[i] - '0');
    }
    *at += count;
    return number >= smallest && number <= largest;
}

static bool take(const char **at, char wanted)
{
    bool is_there = **at == wanted;
    *at += is_there ? 1 : 0;
    return is_there;
}

static bool take_fraction(const char **at)
{
    if (!take_number(at, 1, 0, 9))
        return false;
    while (**at >= '0' && **at <= '9')
        (*at)++;
    return true;
}

static bool take_hour_and_minute(const char **at)
{
    return take_number(at, 2, 0, 23) && take(at, ':') && take_number(at, 2, 0, 59);
}

static bool take_offset(const char **at)
{
    return take(at, 'Z') || ((take(at, '+') || take(at, '-')) && take_hour_and_minute(at));
}

static bool take_seconds(const char **at)
{
    if (!take(at, ':'))
        return true;
    return take_number(at, 2, 0, 59) && (!take(at, '.') || take_fraction(at));
}

static bool take_date(const char **at)
{
    return take_number(at, 4, 1, 9999) && take(at, '-') && take_number(at, 2, 1, 12) && take(at, '-') &&
           take_number(at, 2, 1, 31);
}

enum value_result value_read_instant(const struct schema_row *row, const char *text, void *field,
                                     struct text *why)
{
    (void)row;
    (void)why;
    const char *at = text;
    memcpy(field, &text, sizeof text);
    bool is_right = take_date(&at) && take(&at, 'T') && take_hour_and_minute(&at) && take_seconds(&at) &&
                    take_offset(&at) && *at == '\0';
    return is_right ? VALUE_READ : VALUE_HAS_WRONG_FORM;
}

enum value_result value_read_date(const struct schema_row *row, const char *text, void *field,
                                  struct text *why)
{
    (void)row;
    (void)why;
    const char *at = text;
    memcpy(field, &text, sizeof text);
    return take_date(&at) && *at == '\0' ? VALUE_READ : VALUE_HAS_WRONG_FORM;
}

/* Of the fixed width of HH:MM the order of texts is the order of times. */
enum value_result value_read_time_of_day(const struct schema_row *row, const char *text, void *field,
                                         struct text *why)
{
    (void)why;
    const char *at = text;
    memcpy(field, &text, sizeof text);
    if (!take_number(&at, 2, 0, 99) || !take(&at, ':') || !take_number(&at, 2, 0, 59) || *at != '\0')
        return VALUE_HAS_WRONG_FORM;
    return strcmp(text, row->smallest) >= 0 && strcmp(text, row->largest) <= 0 ? VALUE_READ
                                                                               : VALUE_OUT_OF_BOUNDS;
}

enum value_result value_read_moment(const struct schema_row *row, const char *text, void *field,
                                    struct text *why)
{
    enum value_result result = value_read_time_of_day(row, text, field, why);
    return result == VALUE_HAS_WRONG_FORM ? value_read_instant(row, text, field, why) : result;
}
