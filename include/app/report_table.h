/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_REPORT_TABLE_H
#define APP_REPORT_TABLE_H

#include "base/buffer.h"
#include "history/value.h"

/* What a report says, section by section, and how it is written. */

enum report_section_name {
#define SECTION(symbol, key, title, form, none, sql) REPORT_##symbol,
#define COLUMN(key, label, kind, role)
#define SECTION_END(symbol)
#include "app/report_sections.def"
#undef SECTION
#undef COLUMN
#undef SECTION_END
    REPORT_SECTION_COUNT
};

enum report_form {
    FORM_FACTS,  /* one row, a line for each column */
    FORM_BLOCKS, /* for each row a heading, and lines below it */
    FORM_TABLE,
    FORM_INNER /* blocks within those of the section before */
};

/* How a value is shown. Words are of a fixed vocabulary, texts are names and statements of others. */
enum report_kind {
    KIND_WORD,
    KIND_TEXT,
    KIND_NUMBER,
    KIND_REAL,
    KIND_SHARE,
    KIND_TIME,
    KIND_SPAN,
    KIND_FLAG
};

enum report_role { REPORT_HEAD, REPORT_LINE, REPORT_ALONE /* for programs only */ };

struct report_column {
    const char *key; /* for programs */
    const char *label;
    enum report_kind kind;
    enum report_role role;
};

struct report_section {
    const char *key;
    const char *title;
    const char *none;
    const char *sql;
    enum report_form form;
    size_t column_count;
    const struct report_column *columns;
};

extern const struct report_section report_sections[REPORT_SECTION_COUNT];

/* The rows of a section. */
struct report_table {
    struct buffer values;
    struct buffer texts;
    size_t column_count;
    size_t row_count;
    size_t cut_count; /* further rows, which are left out */
};

struct report {
    int64_t since_us;
    int64_t until_us;
    const char *service; /* empty: all */
    const char *version; /* of the program */
    const char *history; /* the file */
    struct report_table tables[REPORT_SECTION_COUNT];
};

void report_init(struct report *report);
void report_release(struct report *report);
/* Adds a row of column_count values, which are copied. False when memory is short. */
MUST_USE bool report_table_add(struct report_table *table, const struct history_value *values);
/* Notes that there are so many rows in all: those that are not here were cut. */
void report_table_note_all(struct report_table *table, int64_t count);
/* The text is a view that lives until a row is added. */
struct history_value report_table_value(const struct report_table *table, size_t row, size_t column);
/* Whether a row of an inner section belongs to a row of the section before it. */
bool report_table_is_inner(const struct report_table *outer, size_t row, const struct report_table *inner,
                           size_t inner_row);

#endif
