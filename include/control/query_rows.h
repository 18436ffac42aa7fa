/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONTROL_QUERY_ROWS_H
#define CONTROL_QUERY_ROWS_H

#include "base/buffer.h"
#include "history/query.h"

/* What a query of the history answered, held until it can be described and sent. SQLite types values, not
 * columns: a column is int8 where all its values are whole numbers, float8 where all are numbers, otherwise
 * text; without any value it is what its declaration says, and text where nothing was declared. */

enum { QUERY_COLUMNS_MOST = 256 };

enum query_type { QUERY_TEXT, QUERY_INTEGER, QUERY_REAL };

/* Which columns are sent in binary. */
struct query_formats {
    uint16_t count; /* 0: none; 1: the first speaks for all */
    bool is_binary[QUERY_COLUMNS_MOST];
};

struct query_rows {
    size_t column_count;
    uint64_t row_count;
    struct buffer names; /* each with its NUL */
    enum query_type declared[QUERY_COLUMNS_MOST];
    uint8_t seen[QUERY_COLUMNS_MOST]; /* bits 1 << enum history_type */
    struct buffer cells;
};

/* Holds up to `bytes_most` of values. NULL when memory is short. */
struct query_rows *query_rows_create(size_t bytes_most);
void query_rows_destroy(struct query_rows *rows); /* NULL is allowed */
/* The callbacks of a history_question, whose context is the rows. False: too many columns, or too many bytes. */
bool query_rows_take_columns(void *context, const struct history_column *columns, size_t count);
bool query_rows_take_row(void *context, const struct history_value *values, size_t count);
enum query_type query_rows_type(const struct query_rows *rows, size_t column);
/* Appends RowDescription; `fixed` are the types that were promised before, or NULL. */
void query_rows_describe(const struct query_rows *rows, const enum query_type *fixed,
                         const struct query_formats *formats, struct buffer *out);
/* Appends a DataRow for each row. False, with *column, where a value is none of the type that was promised. */
MUST_USE bool query_rows_write(const struct query_rows *rows, const enum query_type *fixed,
                               const struct query_formats *formats, struct buffer *out, size_t *column);
/* The name of a column. */
const char *query_rows_name(const struct query_rows *rows, size_t column);

#endif
