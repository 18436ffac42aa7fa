/* SPDX-License-Identifier: PostgreSQL */
#include "control/duration.h"

enum { DAYS_MOST = 1000 };

#define SECOND_US INT64_C(1000000)
#define MOST_US   (DAYS_MOST * 86400 * SECOND_US)

static const struct unit {
    const char *name;
    int64_t us;
} units[] = {
    { "s", SECOND_US },
    { "sec", SECOND_US },
    { "secs", SECOND_US },
    { "second", SECOND_US },
    { "seconds", SECOND_US },
    { "m", 60 * SECOND_US },
    { "min", 60 * SECOND_US },
    { "mins", 60 * SECOND_US },
    { "minute", 60 * SECOND_US },
    { "minutes", 60 * SECOND_US },
    { "h", 3600 * SECOND_US },
    { "hour", 3600 * SECOND_US },
    { "hours", 3600 * SECOND_US },
    { "d", 86400 * SECOND_US },
    { "day", 86400 * SECOND_US },
    { "days", 86400 * SECOND_US },
};

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_letter(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static void skip_spaces(struct bytes *rest)
{
    while (rest->size > 0 && rest->data[0] == ' ')
        bytes_take(rest, 1);
}

static bool take_number(struct bytes *rest, int64_t *number)
{
    bool has_digits = false;
    *number = 0;
    while (rest->size > 0 && is_digit(rest->data[0])) {
        *number = *number * 10 + (*bytes_take(rest, 1).data - '0');
        has_digits = true;
        if (*number > MOST_US / SECOND_US)
            return false;
    }
    return has_digits;
}

static bool take_unit(struct bytes *rest, int64_t *us)
{
    size_t size = 0;
    while (size < rest->size && is_letter(rest->data[size]))
        size++;
    struct bytes name = bytes_take(rest, size);
    for (size_t i = 0; i < COUNT_OF(units); i++) {
        *us = units[i].us;
        if (bytes_equal_folded(name, units[i].name))
            return true;
    }
    return false;
}

bool duration_parse(struct bytes text, int64_t *duration_us)
{
    *duration_us = 0;
    skip_spaces(&text);
    while (text.size > 0) {
        int64_t number;
        int64_t unit_us;
        if (!take_number(&text, &number))
            return false;
        skip_spaces(&text);
        if (!take_unit(&text, &unit_us) || number > MOST_US / unit_us)
            return false;
        *duration_us += number * unit_us;
        if (*duration_us > MOST_US)
            return false;
        skip_spaces(&text);
    }
    return *duration_us > 0;
}
