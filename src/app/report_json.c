/* SPDX-License-Identifier: PostgreSQL */
#include "app/report_value.h"
#include "app/report_writer.h"
#include "base/utf8.h"
#include "history/entry.h"

#include <inttypes.h>
#include <math.h>

static void put_harmful(struct buffer *out, struct bytes character)
{
    uint32_t code_point = 0xfffd;
    (void)!utf8_decode(character, &code_point);
    report_put_format(out, "\\u%04" PRIx32, code_point);
}

static void put_string(struct buffer *out, struct bytes text)
{
    struct bytes character;
    report_put(out, "\"");
    while (text.size > 0) {
        if (!report_next_character(&text, &character)) {
            put_harmful(out, character);
            continue;
        }
        if (character.data[0] == '"' || character.data[0] == '\\')
            report_put(out, "\\");
        buffer_append(out, character);
    }
    report_put(out, "\"");
}

static void put_value(struct buffer *out, const struct history_value *value, enum report_kind kind)
{
    char time[REPORT_TIME_SIZE];
    if (value->type == HISTORY_NULL || (value->type == HISTORY_REAL && !isfinite(value->real)))
        report_put(out, "null");
    else if (value->type == HISTORY_REAL)
        report_put_format(out, "%.12g", value->real);
    else if (value->type == HISTORY_INTEGER && kind == KIND_FLAG)
        report_put(out, value->integer != 0 ? "true" : "false");
    else if (value->type == HISTORY_INTEGER)
        report_put_format(out, "%" PRId64, value->integer);
    else if (kind == KIND_TIME && report_time(value->text, true, time))
        put_string(out, bytes_text(time));
    else
        put_string(out, value->text);
}

/* The members of a row, without braces. */
static void put_members(struct buffer *out, const struct report *report, size_t section, size_t row)
{
    for (size_t i = 0; i < report_sections[section].column_count; i++) {
        const struct report_column *column = &report_sections[section].columns[i];
        struct history_value value = report_table_value(&report->tables[section], row, i);
        report_put_format(out, "%s\"%s\": ", i > 0 ? ", " : "", column->key);
        put_value(out, &value, column->kind);
    }
}

static void put_inner(struct buffer *out, const struct report *report, size_t section, size_t row)
{
    size_t inner = section + 1;
    bool is_first = true;
    if (inner == REPORT_SECTION_COUNT || report_sections[inner].form != FORM_INNER)
        return;
    report_put_format(out, ", \"%s\": [", report_sections[inner].key);
    for (size_t i = 0; i < report->tables[inner].row_count; i++) {
        if (!report_table_is_inner(&report->tables[section], row, &report->tables[inner], i))
            continue;
        report_put(out, is_first ? "\n    {" : ",\n    {");
        put_members(out, report, inner, i);
        report_put(out, "}");
        is_first = false;
    }
    report_put(out, "]");
}

static void put_rows(struct buffer *out, const struct report *report, size_t section)
{
    report_put(out, "[");
    for (size_t row = 0; row < report->tables[section].row_count; row++) {
        report_put(out, row > 0 ? ",\n  {" : "\n  {");
        put_members(out, report, section, row);
        put_inner(out, report, section, row);
        report_put(out, "}");
    }
    report_put(out, "]");
}

static void put_section(struct buffer *out, const struct report *report, size_t section)
{
    if (report_sections[section].form == FORM_INNER)
        return;
    report_put_format(out, ",\n\"%s\": ", report_sections[section].key);
    if (report_sections[section].form != FORM_FACTS) {
        put_rows(out, report, section);
        return;
    }
    report_put(out, "{");
    if (report->tables[section].row_count > 0)
        put_members(out, report, section, 0);
    report_put(out, "}");
}

static void put_instant(struct buffer *out, const char *key, int64_t time_us)
{
    char time[HISTORY_TIME_SIZE];
    entry_time(time_us, time);
    struct history_value value = history_text(time);
    report_put_format(out, ", \"%s\": ", key);
    put_value(out, &value, KIND_TIME);
}

static void put_said(struct buffer *out, const char *key, const char *text)
{
    report_put_format(out, ", \"%s\": ", key);
    if (text[0] != '\0')
        put_string(out, bytes_text(text));
    else
        report_put(out, "null");
}

/* How many rows of each list are left out. */
static void put_more(struct buffer *out, const struct report *report)
{
    bool is_first = true;
    report_put(out, ",\n\"more\": {");
    for (size_t section = 0; section < REPORT_SECTION_COUNT; section++) {
        if (report_sections[section].form == FORM_FACTS || report_sections[section].form == FORM_INNER)
            continue;
        report_put_format(out, "%s\"%s\": %zu", is_first ? "" : ", ", report_sections[section].key,
                          report->tables[section].cut_count);
        is_first = false;
    }
    report_put(out, "}");
}

void report_write_json(const struct report *report, struct buffer *out)
{
    report_put(out, "{\"report\": {\"version\": ");
    put_string(out, bytes_text(report->version));
    put_instant(out, "since", report->since_us);
    put_instant(out, "until", report->until_us);
    put_said(out, "service", report->service);
    put_said(out, "history", report->history);
    report_put(out, "}");
    for (size_t section = 0; section < REPORT_SECTION_COUNT; section++)
        put_section(out, report, section);
    put_more(out, report);
    report_put(out, "}\n");
}
