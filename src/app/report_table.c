/* SPDX-License-Identifier: PostgreSQL */
#include "app/report_table.h"

#include "base/attributes.h"

enum { TABLE_SIZE_MOST = 64 * 1024 * 1024, INNER_KEYS = 2 };

#define SECTION(symbol, key, title, form, none, sql)                                                         \
    static const struct report_column columns_of_##symbol[] = {
#define COLUMN(key, label, kind, role) { #key, label, kind, REPORT_##role },
#define SECTION_END(symbol)                                                                                  \
    }                                                                                                        \
    ;
#include "app/report_sections.def"
#undef SECTION
#undef COLUMN
#undef SECTION_END

const struct report_section report_sections[REPORT_SECTION_COUNT] = {
#define SECTION(symbol, key, title, form, none, sql)                                                         \
    [REPORT_##symbol] = { #key, title, none, sql, form, COUNT_OF(columns_of_##symbol), columns_of_##symbol },
#define COLUMN(key, label, kind, role)
#define SECTION_END(symbol)
#include "app/report_sections.def"
#undef SECTION
#undef COLUMN
#undef SECTION_END
};

/* A value as it is kept: its text stands in the table's texts. */
struct kept {
    struct history_value value;
    size_t text_at;
};

void report_init(struct report *report)
{
    *report = (struct report){ .service = "", .version = "", .history = "" };
    for (size_t i = 0; i < REPORT_SECTION_COUNT; i++) {
        buffer_init(&report->tables[i].values, TABLE_SIZE_MOST);
        buffer_init(&report->tables[i].texts, TABLE_SIZE_MOST);
        report->tables[i].column_count = report_sections[i].column_count;
    }
}

void report_release(struct report *report)
{
    for (size_t i = 0; i < REPORT_SECTION_COUNT; i++) {
        buffer_release(&report->tables[i].values);
        buffer_release(&report->tables[i].texts);
    }
}

bool report_table_add(struct report_table *table, const struct history_value *values)
{
    for (size_t i = 0; i < table->column_count; i++) {
        struct kept kept = { values[i], table->texts.size };
        if (values[i].type == HISTORY_TEXT)
            buffer_append(&table->texts, values[i].text);
        buffer_append(&table->values, bytes_of(&kept, sizeof(kept)));
    }
    if (table->values.has_failed || table->texts.has_failed)
        return false;
    table->row_count++;
    return true;
}

void report_table_note_all(struct report_table *table, int64_t count)
{
    table->cut_count = count > (int64_t)table->row_count ? (size_t)count - table->row_count : 0;
}

struct history_value report_table_value(const struct report_table *table, size_t row, size_t column)
{
    struct kept kept;
    memcpy(&kept, table->values.data + (row * table->column_count + column) * sizeof(kept), sizeof(kept));
    if (kept.value.type == HISTORY_TEXT)
        kept.value.text = bytes_of(table->texts.data + kept.text_at, kept.value.text.size);
    return kept.value;
}

bool report_table_is_inner(const struct report_table *outer, size_t row, const struct report_table *inner,
                           size_t inner_row)
{
    for (size_t i = 0; i < INNER_KEYS; i++)
        if (report_table_value(outer, row, i).integer != report_table_value(inner, inner_row, i).integer)
            return false;
    return true;
}
