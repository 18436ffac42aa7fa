/* SPDX-License-Identifier: PostgreSQL */
#include "app/report_value.h"
#include "app/report_writer.h"

/* A writer, with what it needs to look at a value before it is written. */
struct page {
    const struct report *report;
    struct buffer *out;
    struct buffer scratch;
};

static bool is_mark(uint8_t byte)
{
    bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
    bool is_digit = byte >= '0' && byte <= '9';
    bool is_harmless = byte >= 0x80 || byte == ' ' || byte == ',' || byte == ';' || byte == '/' ||
                       byte == '%' || byte == '?' || byte == '=' || byte == '\'';
    return !is_letter && !is_digit && !is_harmless;
}

/* Points within numbers and colons behind words are read by nobody. */
static bool is_punctuation(struct bytes text, size_t at)
{
    uint8_t next = at + 1 < text.size ? text.data[at + 1] : 0;
    return (text.data[at] == '.' && next >= '0' && next <= '9') || (text.data[at] == ':' && next == ' ');
}

/* Every character that could be mark-up as a reference to it, which never is. */
static void put_escaped(struct buffer *out, struct bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (is_mark(text.data[i]) && !is_punctuation(text, i))
            report_put_format(out, "&#%u;", (unsigned)text.data[i]);
        else
            buffer_append(out, bytes_of(text.data + i, 1));
    }
}

static bool has_byte(struct bytes text, uint8_t byte)
{
    return bytes_find(text, byte) < text.size;
}

/* Whether it can stand between two ` as it is, in tables too. */
static bool may_be_code(struct bytes text)
{
    return !has_byte(text, '`') && !has_byte(text, '|') && !has_byte(text, '\\') && text.data[0] != ' ' &&
           text.data[text.size - 1] != ' ';
}

static bool is_plain(const struct history_value *value, enum report_kind kind)
{
    char time[REPORT_TIME_SIZE];
    return value->type != HISTORY_TEXT || (kind == KIND_TIME && report_time(value->text, false, time));
}

/* Names and statements are code, and so is a word such as unique_violation. */
static bool is_code(struct bytes text, enum report_kind kind)
{
    bool is_word = has_byte(text, '_') && !has_byte(text, ' ');
    return (kind == KIND_TEXT || is_word) && may_be_code(text);
}

static void put_value(struct page *page, const struct history_value *value, enum report_kind kind)
{
    buffer_clear(&page->scratch);
    report_value_plain(value, kind, &page->scratch);
    struct bytes text = buffer_bytes(&page->scratch);
    if (is_plain(value, kind)) {
        buffer_append(page->out, text);
    } else if (text.size > 0 && is_code(text, kind)) {
        report_put(page->out, "`");
        buffer_append(page->out, text);
        report_put(page->out, "`");
    } else {
        put_escaped(page->out, text);
    }
}

static void put_head(struct page *page, size_t section, size_t row)
{
    bool is_first = true;
    for (size_t i = 0; i < report_sections[section].column_count; i++) {
        const struct report_column *column = &report_sections[section].columns[i];
        struct history_value value = report_table_value(&page->report->tables[section], row, i);
        if (column->role != REPORT_HEAD || report_value_is_empty(&value))
            continue;
        report_put(page->out, is_first ? "" : " ");
        report_put(page->out, column->label);
        report_put(page->out, column->label[0] != '\0' ? " " : "");
        put_value(page, &value, column->kind);
        is_first = false;
    }
    report_put(page->out, "\n");
}

static void put_lines(struct page *page, size_t section, size_t row, const char *bullet)
{
    for (size_t i = 0; i < report_sections[section].column_count; i++) {
        const struct report_column *column = &report_sections[section].columns[i];
        struct history_value value = report_table_value(&page->report->tables[section], row, i);
        if (column->role != REPORT_LINE || report_value_is_empty(&value))
            continue;
        report_put_format(page->out, "%s%s: ", bullet, column->label);
        put_value(page, &value, column->kind);
        report_put(page->out, "\n");
    }
}

static void put_inner(struct page *page, size_t section, size_t row)
{
    const struct report_table *tables = page->report->tables;
    size_t inner = section + 1;
    if (inner == REPORT_SECTION_COUNT || report_sections[inner].form != FORM_INNER)
        return;
    for (size_t i = 0; i < tables[inner].row_count; i++) {
        if (!report_table_is_inner(&tables[section], row, &tables[inner], i))
            continue;
        report_put(page->out, "  - ");
        put_head(page, inner, i);
        put_lines(page, inner, i, "    - ");
    }
}

static void put_blocks(struct page *page, size_t section)
{
    for (size_t row = 0; row < page->report->tables[section].row_count; row++) {
        report_put(page->out, "- ");
        put_head(page, section, row);
        put_lines(page, section, row, "  - ");
        put_inner(page, section, row);
    }
}

static void put_labels(struct page *page, size_t section)
{
    const struct report_section *shown = &report_sections[section];
    for (size_t i = 0; i < shown->column_count; i++)
        if (shown->columns[i].role != REPORT_ALONE)
            report_put_format(page->out, "| %s ", shown->columns[i].label);
    report_put(page->out, "|\n");
    for (size_t i = 0; i < shown->column_count; i++)
        if (shown->columns[i].role != REPORT_ALONE)
            report_put(page->out, "|---");
    report_put(page->out, "|\n");
}

static void put_table(struct page *page, size_t section)
{
    const struct report_section *shown = &report_sections[section];
    put_labels(page, section);
    for (size_t row = 0; row < page->report->tables[section].row_count; row++) {
        for (size_t i = 0; i < shown->column_count; i++) {
            struct history_value value = report_table_value(&page->report->tables[section], row, i);
            if (shown->columns[i].role == REPORT_ALONE)
                continue;
            report_put(page->out, "| ");
            put_value(page, &value, shown->columns[i].kind);
            report_put(page->out, " ");
        }
        report_put(page->out, "|\n");
    }
}

static void put_section(struct page *page, size_t section)
{
    const struct report_section *shown = &report_sections[section];
    if (shown->form == FORM_INNER)
        return;
    report_put_format(page->out, "\n### %s\n\n", shown->title);
    if (page->report->tables[section].row_count == 0)
        report_put_format(page->out, "%s\n", shown->none);
    else if (shown->form == FORM_TABLE)
        put_table(page, section);
    else if (shown->form == FORM_FACTS)
        put_lines(page, section, 0, "- ");
    else
        put_blocks(page, section);
    if (page->report->tables[section].cut_count > 0)
        report_put_format(page->out, "\nand %zu more\n", page->report->tables[section].cut_count);
}

void report_write_markdown(const struct report *report, struct buffer *out)
{
    struct page page = { .report = report, .out = out };
    struct history_value service = history_text(report->service);
    struct history_value history = history_text(report->history);
    buffer_init(&page.scratch, out->limit);
    report_put(out, "## pgsluice report: ");
    report_put_period(report, out);
    if (!report_value_is_empty(&service)) {
        report_put(out, ", service ");
        put_value(&page, &service, KIND_TEXT);
    }
    report_put(out, "\n\nFrom ");
    put_value(&page, &history, KIND_TEXT);
    report_put(out, "; all times are UTC, counts are of whole minutes.\n");
    for (size_t section = 0; section < REPORT_SECTION_COUNT; section++)
        put_section(&page, section);
    out->has_failed = out->has_failed || page.scratch.has_failed;
    buffer_release(&page.scratch);
}
