/* SPDX-License-Identifier: PostgreSQL */
#include "app/report_value.h"
#include "app/report_writer.h"

enum { COLUMNS_MOST = 32, SUB_INDENT = 4 };

static void put_spaces(struct buffer *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        report_put(out, " ");
}

static void put_head(struct buffer *out, const struct report *report, size_t section, size_t row)
{
    bool is_first = true;
    for (size_t i = 0; i < report_sections[section].column_count; i++) {
        const struct report_column *column = &report_sections[section].columns[i];
        struct history_value value = report_table_value(&report->tables[section], row, i);
        if (column->role != REPORT_HEAD || report_value_is_empty(&value))
            continue;
        report_put(out, is_first ? "" : " ");
        report_put(out, column->label);
        report_put(out, column->label[0] != '\0' ? " " : "");
        report_value_plain(&value, column->kind, out);
        is_first = false;
    }
    report_put(out, "\n");
}

static void put_lines(struct buffer *out, const struct report *report, size_t section, size_t row,
                      size_t indent)
{
    for (size_t i = 0; i < report_sections[section].column_count; i++) {
        const struct report_column *column = &report_sections[section].columns[i];
        struct history_value value = report_table_value(&report->tables[section], row, i);
        if (column->role != REPORT_LINE || report_value_is_empty(&value))
            continue;
        put_spaces(out, indent);
        report_put_format(out, "%s: ", column->label);
        report_value_plain(&value, column->kind, out);
        report_put(out, "\n");
    }
}

static void put_inner(struct buffer *out, const struct report *report, size_t section, size_t row)
{
    size_t inner = section + 1;
    if (inner == REPORT_SECTION_COUNT || report_sections[inner].form != FORM_INNER)
        return;
    for (size_t i = 0; i < report->tables[inner].row_count; i++) {
        if (!report_table_is_inner(&report->tables[section], row, &report->tables[inner], i))
            continue;
        put_spaces(out, SUB_INDENT);
        put_head(out, report, inner, i);
        put_lines(out, report, inner, i, SUB_INDENT + SUB_INDENT);
    }
}

static void put_blocks(struct buffer *out, const struct report *report, size_t section)
{
    for (size_t row = 0; row < report->tables[section].row_count; row++) {
        report_put(out, "- ");
        put_head(out, report, section, row);
        put_lines(out, report, section, row, SUB_INDENT);
        put_inner(out, report, section, row);
    }
}

static size_t character_count(struct bytes text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += (text.data[i] & 0xc0) != 0x80;
    return count;
}

/* How wide a value is when shown; `scratch` is used for it. */
static size_t width_of(const struct history_value *value, enum report_kind kind, struct buffer *scratch)
{
    buffer_clear(scratch);
    report_value_plain(value, kind, scratch);
    return character_count(buffer_bytes(scratch));
}

/* A table that is being written. */
struct layout {
    const struct report_section *section;
    const struct report_table *table;
    struct buffer scratch;
    size_t widths[COLUMNS_MOST];
};

static void measure(struct layout *layout)
{
    for (size_t i = 0; i < layout->section->column_count && i < COLUMNS_MOST; i++) {
        layout->widths[i] = character_count(bytes_text(layout->section->columns[i].label));
        for (size_t row = 0; row < layout->table->row_count; row++) {
            struct history_value value = report_table_value(layout->table, row, i);
            size_t width = width_of(&value, layout->section->columns[i].kind, &layout->scratch);
            if (width > layout->widths[i])
                layout->widths[i] = width;
        }
    }
}

/* One row, or with `row` behind the last the labels; spaces come before what follows, so none end a line. */
static void put_cells(struct layout *layout, size_t row, struct buffer *out)
{
    size_t owed = 0;
    for (size_t i = 0; i < layout->section->column_count && i < COLUMNS_MOST; i++) {
        const struct report_column *column = &layout->section->columns[i];
        if (column->role == REPORT_ALONE)
            continue;
        struct history_value value = history_text(column->label);
        if (row < layout->table->row_count)
            value = report_table_value(layout->table, row, i);
        size_t width = width_of(&value, column->kind, &layout->scratch);
        if (width > 0) {
            put_spaces(out, owed);
            owed = 0;
            buffer_append(out, buffer_bytes(&layout->scratch));
        }
        owed += layout->widths[i] - width + 2;
    }
    report_put(out, "\n");
}

static void put_table(struct buffer *out, const struct report *report, size_t section)
{
    struct layout layout = { .section = &report_sections[section], .table = &report->tables[section] };
    buffer_init(&layout.scratch, out->limit);
    measure(&layout);
    put_cells(&layout, layout.table->row_count, out);
    for (size_t row = 0; row < layout.table->row_count; row++)
        put_cells(&layout, row, out);
    out->has_failed = out->has_failed || layout.scratch.has_failed;
    buffer_release(&layout.scratch);
}

static void put_section(struct buffer *out, const struct report *report, size_t section)
{
    const struct report_section *shown = &report_sections[section];
    if (shown->form == FORM_INNER)
        return;
    report_put_format(out, "\n%s\n", shown->title);
    for (size_t i = 0; i < strlen(shown->title); i++)
        report_put(out, "-");
    report_put(out, "\n");
    if (report->tables[section].row_count == 0)
        report_put_format(out, "%s\n", shown->none);
    else if (shown->form == FORM_TABLE)
        put_table(out, report, section);
    else if (shown->form == FORM_FACTS)
        put_lines(out, report, section, 0, 0);
    else
        put_blocks(out, report, section);
    if (report->tables[section].cut_count > 0)
        report_put_format(out, "and %zu more\n", report->tables[section].cut_count);
}

void report_write_text(const struct report *report, struct buffer *out)
{
    struct history_value service = history_text(report->service);
    struct history_value history = history_text(report->history);
    report_put(out, "pgsluice report: ");
    report_put_period(report, out);
    if (!report_value_is_empty(&service)) {
        report_put(out, ", service ");
        report_value_plain(&service, KIND_TEXT, out);
    }
    report_put(out, "\nfrom ");
    report_value_plain(&history, KIND_TEXT, out);
    report_put(out, "; all times are UTC, counts are of whole minutes\n");
    for (size_t section = 0; section < REPORT_SECTION_COUNT; section++)
        put_section(out, report, section);
}
