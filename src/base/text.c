/* SPDX-License-Identifier: PostgreSQL */
#include "base/text.h"

#include "base/utf8.h"

#include <inttypes.h>
#include <stdio.h>

enum { LONGEST_ESCAPE = 12 }; /* \xNN for each of three bytes; no control takes four */

void text_init(struct text *text, char *storage, size_t capacity)
{
    *text = (struct text){ .data = storage, .capacity = capacity };
    storage[0] = '\0';
}

void text_append(struct text *text, struct bytes bytes)
{
    if (text->is_truncated)
        return;
    size_t room = text->capacity - text->size;
    text->is_truncated = !bytes_copy_text(bytes, text->data + text->size, room);
    text->size += text->is_truncated ? room - 1 : bytes.size;
}

void text_append_byte(struct text *text, char byte)
{
    text_append(text, bytes_of(&byte, 1));
}

void text_append_string(struct text *text, const char *string)
{
    text_append(text, bytes_text(string));
}

void text_append_arguments(struct text *text, const char *format, va_list arguments)
{
    if (text->is_truncated)
        return;
    size_t room = text->capacity - text->size;
    int written = vsnprintf(text->data + text->size, room, format, arguments);
    text->is_truncated = written < 0 || (size_t)written >= room;
    text->size += text->is_truncated ? strlen(text->data + text->size) : (size_t)written;
}

void text_append_format(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    text_append_arguments(text, format, arguments);
    va_end(arguments);
}

/* All of it or nothing. */
static void text_append_whole(struct text *text, struct bytes bytes)
{
    if (text->is_truncated || bytes.size >= text->capacity - text->size)
        text->is_truncated = true;
    else
        text_append(text, bytes);
}

static void text_append_escaped(struct text *text, struct bytes bytes)
{
    char storage[LONGEST_ESCAPE + 1];
    struct text escape;
    text_init(&escape, storage, sizeof storage);
    for (size_t i = 0; i < bytes.size; i++)
        text_append_format(&escape, "\\x%02x", bytes.data[i]);
    text_append_whole(text, text_bytes(&escape));
}

/* The first character comes off `bytes`. */
static void text_append_character(struct text *text, struct bytes *bytes)
{
    uint32_t code_point = 0;
    size_t size = utf8_decode(*bytes, &code_point);
    struct bytes character = bytes_take(bytes, size > 0 ? size : 1);
    if (size == 0 || utf8_is_control(code_point))
        text_append_escaped(text, character);
    else if (code_point == '\\')
        text_append_whole(text, bytes_text("\\\\"));
    else
        text_append_whole(text, character);
}

/* How many bytes at the beginning are printable ASCII that stands for itself. */
static size_t plain_size(struct bytes bytes)
{
    size_t size = 0;
    while (size < bytes.size && bytes.data[size] >= ' ' && bytes.data[size] <= '~' &&
           bytes.data[size] != '\\')
        size++;
    return size;
}

void text_append_printable(struct text *text, struct bytes bytes)
{
    while (!text->is_truncated && bytes.size > 0) {
        size_t plain = plain_size(bytes);
        if (plain > 0)
            text_append(text, bytes_take(&bytes, plain));
        else
            text_append_character(text, &bytes);
    }
}

struct date {
    int64_t year;
    int64_t month; /* from 1 */
    int64_t day;   /* from 1 */
};

/* The Gregorian date of a day counted from 1970-01-01. Years begin in March here, so that the leap day is the
 * last. */
static struct date date_of_day(int64_t day_since_1970)
{
    enum { DAYS_PER_ERA = 146097, DAYS_TO_1970 = 719468 }; /* an era has 400 years; days from 0000-03-01 */
    int64_t day = day_since_1970 + DAYS_TO_1970;
    int64_t era = (day >= 0 ? day : day - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
    int64_t day_of_era = day - era * DAYS_PER_ERA;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / (DAYS_PER_ERA - 1)) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    return (struct date){ .year = year_of_era + era * 400 + (month <= 2),
                          .month = month,
                          .day = day_of_year - (153 * month_from_march + 2) / 5 + 1 };
}

void text_append_time(struct text *text, int64_t time_us)
{
    const int64_t day_us = INT64_C(86400000000);
    int64_t day = time_us / day_us;
    int64_t rest = time_us % day_us;
    if (rest < 0) {
        rest += day_us;
        day--;
    }
    struct date date = date_of_day(day);
    int64_t second = rest / 1000000;
    text_append_format(
        text,
        "%04" PRId64 "-%02" PRId64 "-%02" PRId64 "T%02" PRId64 ":%02" PRId64 ":%02" PRId64 ".%06" PRId64 "Z",
        date.year, date.month, date.day, second / 3600, second / 60 % 60, second % 60, rest % 1000000);
}

static void text_append_pair(struct text *text, uint64_t large, const char *large_unit, uint64_t small,
                             const char *small_unit)
{
    text_append_format(text, "%" PRIu64 "%s", large, large_unit);
    if (small > 0)
        text_append_format(text, "%" PRIu64 "%s", small, small_unit);
}

static void text_append_tenths(struct text *text, uint64_t tenths, const char *unit)
{
    text_append_format(text, "%" PRIu64, tenths / 10);
    if (tenths % 10 > 0)
        text_append_format(text, ".%" PRIu64, tenths % 10);
    text_append_string(text, unit);
}

void text_append_duration(struct text *text, int64_t duration_us)
{
    uint64_t us = duration_us < 0 ? -(uint64_t)duration_us : (uint64_t)duration_us;
    uint64_t second = us / 1000000;
    if (duration_us < 0)
        text_append_byte(text, '-');
    if (us == 0)
        text_append_string(text, "0s");
    else if (us < 1000)
        text_append_format(text, "%" PRIu64 "us", us);
    else if (us < 1000000)
        text_append_tenths(text, us / 100, "ms");
    else if (second < 60)
        text_append_tenths(text, us / 100000, "s");
    else if (second < 3600)
        text_append_pair(text, second / 60, "m", second % 60, "s");
    else if (second < 86400)
        text_append_pair(text, second / 3600, "h", second / 60 % 60, "m");
    else
        text_append_pair(text, second / 86400, "d", second / 3600 % 24, "h");
}
