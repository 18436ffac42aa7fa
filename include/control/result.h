/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONTROL_RESULT_H
#define CONTROL_RESULT_H

#include "wire/writer.h"

/* Rows as RowDescription and DataRow messages. A row is result_row, then one call for each column. Every text
 * is made one harmless line of UTF-8; an empty one is NULL. */

enum column_type { COLUMN_TEXT, COLUMN_INTEGER, COLUMN_DURATION, COLUMN_TIME };

struct result_column {
    const char *name;
    enum column_type type;
};

struct result {
    struct writer writer;
    uint64_t rows;
    uint32_t binary_columns; /* bit i: column i is sent in binary */
    uint32_t column;         /* of the next cell */
};

struct result result_of(struct buffer *out, uint32_t binary_columns);
void result_describe(struct result *result, const struct result_column *columns, size_t count);
void result_row_begin(struct result *result, size_t column_count);
void result_row_end(struct result *result);
/* NULL or empty: shown as NULL. */
void result_text(struct result *result, const char *value);
/* A type int8. */
void result_integer(struct result *result, int64_t value);
/* µs as a type int8; 0 is NULL. */
void result_duration(struct result *result, int64_t duration_us);
/* As 2026-11-21T03:04:05Z; 0 and INT64_MAX are NULL. */
void result_time(struct result *result, int64_t time_us);

/* The function for a column's type: for lists of columns that generate both description and rows. */
#define RESULT_CELL_TEXT     result_text
#define RESULT_CELL_INTEGER  result_integer
#define RESULT_CELL_DURATION result_duration
#define RESULT_CELL_TIME     result_time

#endif
