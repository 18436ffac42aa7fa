/* SPDX-License-Identifier: PostgreSQL */
#include "app/report_value.h"

#include "base/utf8.h"
#include "history/entry.h"

#include <inttypes.h>
#include <stdio.h>

enum { FORMAT_SIZE = 256, SECONDS_SIZE = 19, DATE_SIZE = 10 };

void report_put_format(struct buffer *out, const char *format, ...)
{
    char storage[FORMAT_SIZE];
    struct text text;
    va_list arguments;
    text_init(&text, storage, sizeof(storage));
    va_start(arguments, format);
    text_append_arguments(&text, format, arguments);
    va_end(arguments);
    buffer_append(out, text_bytes(&text));
}

bool report_value_is_empty(const struct history_value *value)
{
    return value->type == HISTORY_NULL || (value->type == HISTORY_TEXT && value->text.size == 0);
}

bool report_next_character(struct bytes *rest, struct bytes *character)
{
    uint32_t code_point = 0;
    size_t size = utf8_decode(*rest, &code_point);
    *character = bytes_take(rest, size > 0 ? size : 1);
    return size > 0 && !utf8_is_control(code_point);
}

static void put_text(struct buffer *out, struct bytes text)
{
    struct bytes character;
    while (text.size > 0) {
        if (report_next_character(&text, &character))
            buffer_append(out, character);
        else
            for (size_t i = 0; i < character.size; i++)
                report_put_format(out, "\\x%02x", character.data[i]);
    }
}

bool report_time(struct bytes text, bool is_exact, char out[static REPORT_TIME_SIZE])
{
    static const char form[] = "0000-00-00 00:00:00.000000";
    if (text.size < SECONDS_SIZE || text.size > sizeof(form) - 1)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        bool is_digit = text.data[i] >= '0' && text.data[i] <= '9';
        if (form[i] == '0' ? !is_digit : text.data[i] != (uint8_t)form[i])
            return false;
    }
    size_t size = is_exact ? text.size : SECONDS_SIZE;
    memcpy(out, text.data, size);
    memcpy(out + size, "Z", 2);
    if (is_exact)
        out[DATE_SIZE] = 'T';
    return true;
}

static void put_span(struct buffer *out, int64_t span_us)
{
    char storage[FORMAT_SIZE];
    struct text text;
    text_init(&text, storage, sizeof(storage));
    text_append_duration(&text, span_us);
    buffer_append(out, text_bytes(&text));
}

static void put_number(struct buffer *out, const struct history_value *value, enum report_kind kind)
{
    if (kind == KIND_SPAN)
        put_span(out, value->integer);
    else if (kind == KIND_FLAG)
        report_put(out, value->integer != 0 ? "yes" : "no");
    else
        report_put_format(out, "%" PRId64, value->integer);
}

void report_value_plain(const struct history_value *value, enum report_kind kind, struct buffer *out)
{
    char time[REPORT_TIME_SIZE];
    switch (value->type) {
    case HISTORY_NULL:
        break;
    case HISTORY_INTEGER:
        put_number(out, value, kind);
        break;
    case HISTORY_REAL:
        report_put_format(out, kind == KIND_SHARE ? "%.1f%%" : "%.3g", value->real);
        break;
    case HISTORY_TEXT:
        if (kind == KIND_TIME && report_time(value->text, false, time))
            report_put(out, time);
        else
            put_text(out, value->text);
        break;
    }
}

static void put_instant(struct buffer *out, int64_t time_us)
{
    char entry[HISTORY_TIME_SIZE];
    char time[REPORT_TIME_SIZE];
    entry_time(time_us, entry);
    if (report_time(bytes_text(entry), false, time))
        report_put(out, time);
}

void report_put_period(const struct report *report, struct buffer *out)
{
    put_instant(out, report->since_us);
    report_put(out, " to ");
    put_instant(out, report->until_us);
    report_put(out, " (");
    put_span(out, report->until_us - report->since_us);
    report_put(out, ")");
}
