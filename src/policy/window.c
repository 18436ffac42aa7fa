/* SPDX-License-Identifier: PostgreSQL */
#include "policy/window.h"

#include "policy/calendar.h"
#include "policy/zone.h"

enum { DAY_MINUTES = 24 * 60, SEARCH_DAYS = 10 * 366, FIRST_YEAR = 1970 };

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* Reads `count` digits and moves on; false where one is missing. */
static bool digits_take(const char **text, unsigned count, int *out)
{
    *out = 0;
    for (unsigned i = 0; i < count; i++, (*text)++) {
        if (!is_digit(**text))
            return false;
        *out = *out * 10 + (**text - '0');
    }
    return true;
}

static bool byte_take(const char **text, char wanted)
{
    bool is_there = **text == wanted;
    *text += is_there ? 1 : 0;
    return is_there;
}

bool window_parse_time(const char *text, uint16_t *minute)
{
    int hour = 0;
    int rest = 0;
    if (!digits_take(&text, 2, &hour) || !byte_take(&text, ':') || !digits_take(&text, 2, &rest) ||
        *text != '\0')
        return false;
    *minute = (uint16_t)(hour * 60 + rest);
    return rest < 60 && *minute <= DAY_MINUTES;
}

/* Reads YYYY-MM-DD"T"HH:MM[:SS] (RFC 3339, 5.6). */
static bool civil_take(const char **text, struct icaltimetype *civil)
{
    *civil = icaltime_null_time();
    bool is_read = digits_take(text, 4, &civil->year) && byte_take(text, '-') &&
                   digits_take(text, 2, &civil->month) && byte_take(text, '-') &&
                   digits_take(text, 2, &civil->day);
    is_read = is_read && (byte_take(text, 'T') || byte_take(text, 't') || byte_take(text, ' '));
    is_read = is_read && digits_take(text, 2, &civil->hour) && byte_take(text, ':') &&
              digits_take(text, 2, &civil->minute);
    if (is_read && byte_take(text, ':'))
        is_read = digits_take(text, 2, &civil->second);
    return is_read && civil->year >= FIRST_YEAR && civil->month >= 1 && civil->month <= 12 &&
           civil->day >= 1 && civil->day <= icaltime_days_in_month(civil->month, civil->year) &&
           civil->hour < 24 && civil->minute < 60 && civil->second < 60;
}

/* Reads the fraction of a second where there is one; what is finer than a µs is dropped. */
static bool fraction_take(const char **text, int64_t *fraction_us)
{
    *fraction_us = 0;
    if (!byte_take(text, '.'))
        return true;
    bool has_digit = is_digit(**text);
    for (int64_t unit = second_us / 10; is_digit(**text); (*text)++, unit /= 10)
        *fraction_us += unit * (**text - '0');
    return has_digit;
}

static bool offset_take(const char **text, int64_t *offset)
{
    *offset = 0;
    if (byte_take(text, 'Z') || byte_take(text, 'z'))
        return true;
    bool is_west = **text == '-';
    int hour = 0;
    int minute = 0;
    if (!is_west && **text != '+')
        return false;
    (*text)++;
    if (!digits_take(text, 2, &hour) || !byte_take(text, ':') || !digits_take(text, 2, &minute))
        return false;
    *offset = (is_west ? -60 : 60) * (hour * 60 + minute);
    return hour < 24 && minute < 60;
}

bool instant_parse(const char *text, int64_t *time_us)
{
    struct icaltimetype civil;
    int64_t fraction_us = 0;
    int64_t offset = 0;
    if (!civil_take(&text, &civil) || !fraction_take(&text, &fraction_us) || !offset_take(&text, &offset) ||
        *text != '\0')
        return false;
    *time_us = ((int64_t)icaltime_as_timet(civil) - offset) * second_us + fraction_us;
    return true;
}

static bool window_has_day(const struct window *window, int64_t day)
{
    int64_t weekday = (day % 7 + 7 + 4) % 7; /* 1970-01-01 was a Thursday */
    return (window->days >> weekday & 1) != 0;
}

static struct occurrence window_on_day(const struct window *window, icaltimezone *zone, int64_t day)
{
    int64_t end_day = window->to_minute > window->from_minute ? day : day + 1;
    int64_t from = zone_instant(zone, day * DAY_SECONDS + window->from_minute * 60);
    int64_t to = zone_instant(zone, end_day * DAY_SECONDS + window->to_minute * 60);
    return (struct occurrence){ from * second_us, to * second_us };
}

static bool weekly_next(const struct window *window, int64_t after_us, struct occurrence *out)
{
    icaltimezone *zone = zone_find(window->timezone);
    if (zone == NULL)
        return false;
    int64_t second = divide_floor(after_us, second_us);
    int64_t today = divide_floor(second + zone_offset(zone, second), DAY_SECONDS);
    for (int64_t day = today - 2; day < today + SEARCH_DAYS; day++) {
        if (!window_has_day(window, day))
            continue;
        *out = window_on_day(window, zone, day);
        if (out->to_us > after_us && out->to_us > out->from_us)
            return true;
    }
    return false;
}

bool window_next(const struct window *window, int64_t after_us, struct occurrence *out)
{
    return window->calendar != NULL ? calendar_next(window->calendar, after_us, out)
                                    : weekly_next(window, after_us, out);
}

bool freeze_next(const struct freeze *freeze, int64_t after_us, struct occurrence *out)
{
    if (freeze->calendar != NULL)
        return calendar_next(freeze->calendar, after_us, out);
    *out = (struct occurrence){ freeze->from_us, freeze->to_us };
    return out->to_us > after_us && out->to_us > out->from_us;
}
