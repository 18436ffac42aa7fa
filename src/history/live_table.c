/* SPDX-License-Identifier: PostgreSQL */
#include "history/live_table.h"

#include "base/buffer.h"
#include "base/text.h"
#include "history/record.h"

#include <sqlite3.h>
#include <stdlib.h>

enum { DECLARATION_SIZE = 4096, COST = 1000000 };

struct live_table_handle {
    sqlite3_vtab base; /* first: SQLite sees no more */
    const struct live_table *live;
};

/* Reads all rows at once, then shows them one by one: what is alive may change meanwhile. */
struct live_cursor {
    sqlite3_vtab_cursor base;
    struct buffer rows; /* records */
    size_t column_count;
    struct record_reader reader; /* behind the row that is shown */
    struct bytes row;            /* from the row that is shown on */
    int64_t number;
    bool is_at_end;
};

static int declare(sqlite3 *connection, const struct history_live_table *table)
{
    char storage[DECLARATION_SIZE];
    struct text sql;
    text_init(&sql, storage, sizeof storage);
    text_append_string(&sql, "CREATE TABLE live (");
    for (size_t i = 0; i < table->column_count; i++) {
        text_append_format(&sql, "%s\"%s\" %s", i > 0 ? ", " : "", table->columns[i].name,
                           table->columns[i].type);
    }
    text_append_byte(&sql, ')');
    return sql.is_truncated ? SQLITE_TOOBIG : sqlite3_declare_vtab(connection, sql.data);
}

static int on_connect(sqlite3 *connection, void *context, int count, const char *const *arguments,
                      sqlite3_vtab **out, char **error)
{
    (void)count;
    (void)arguments;
    (void)error;
    const struct live_table *live = context;
    struct live_table_handle *handle = calloc(1, sizeof *handle);
    if (handle == NULL)
        return SQLITE_NOMEM;
    handle->live = live;
    int code = declare(connection, live->table);
    if (code != SQLITE_OK)
        free(handle);
    else
        *out = &handle->base;
    return code;
}

static int on_disconnect(sqlite3_vtab *base)
{
    free(base);
    return SQLITE_OK;
}

static int on_best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
    (void)base;
    info->estimatedCost = COST;
    return SQLITE_OK;
}

static int on_open(sqlite3_vtab *base, sqlite3_vtab_cursor **out)
{
    const struct live_table *live = ((struct live_table_handle *)base)->live;
    struct live_cursor *cursor = calloc(1, sizeof *cursor);
    if (cursor == NULL)
        return SQLITE_NOMEM;
    buffer_init(&cursor->rows, live->bytes_most);
    cursor->column_count = live->table->column_count;
    *out = &cursor->base;
    return SQLITE_OK;
}

static int on_close(sqlite3_vtab_cursor *base)
{
    struct live_cursor *cursor = (struct live_cursor *)base;
    buffer_release(&cursor->rows);
    free(cursor);
    return SQLITE_OK;
}

static void value_add(struct record *record, const struct history_value *value)
{
    switch (value->type) {
    case HISTORY_NULL:
        record_null(record);
        break;
    case HISTORY_INTEGER:
        record_integer(record, value->integer);
        break;
    case HISTORY_REAL:
        record_real(record, value->real);
        break;
    case HISTORY_TEXT:
        record_text(record, value->text);
        break;
    }
}

static bool on_yield(void *into, const struct history_value *values)
{
    struct live_cursor *cursor = into;
    struct record record;
    record_begin(&record, 0);
    for (size_t i = 0; i < cursor->column_count; i++)
        value_add(&record, &values[i]);
    buffer_append(&cursor->rows, record_bytes(&record));
    return !cursor->rows.has_failed;
}

static int on_next(sqlite3_vtab_cursor *base)
{
    struct live_cursor *cursor = (struct live_cursor *)base;
    struct history_value passed;
    while (record_value(&cursor->reader, &passed)) {
    }
    cursor->row = cursor->reader.rest;
    cursor->is_at_end = !record_next(&cursor->reader);
    cursor->number++;
    return SQLITE_OK;
}

static int on_filter(sqlite3_vtab_cursor *base, int number, const char *name, int count,
                     sqlite3_value **values)
{
    (void)number;
    (void)name;
    (void)count;
    (void)values;
    struct live_cursor *cursor = (struct live_cursor *)base;
    const struct history_live_table *table = ((struct live_table_handle *)base->pVtab)->live->table;
    buffer_clear(&cursor->rows);
    table->rows(table->context, on_yield, cursor);
    if (cursor->rows.has_failed)
        return SQLITE_NOMEM;
    cursor->reader = record_reader_of(buffer_bytes(&cursor->rows));
    cursor->number = 0;
    return on_next(base);
}

static int on_end(sqlite3_vtab_cursor *base)
{
    return ((struct live_cursor *)base)->is_at_end;
}

static void result_set(sqlite3_context *out, const struct history_value *value)
{
    switch (value->type) {
    case HISTORY_NULL:
        sqlite3_result_null(out);
        break;
    case HISTORY_INTEGER:
        sqlite3_result_int64(out, value->integer);
        break;
    case HISTORY_REAL:
        sqlite3_result_double(out, value->real);
        break;
    case HISTORY_TEXT:
        sqlite3_result_text64(out, value->text.size > 0 ? (const char *)value->text.data : "",
                              value->text.size, SQLITE_TRANSIENT, SQLITE_UTF8);
        break;
    }
}

static int on_column(sqlite3_vtab_cursor *base, sqlite3_context *out, int column)
{
    struct live_cursor *cursor = (struct live_cursor *)base;
    struct record_reader reader = record_reader_of(cursor->row);
    struct history_value value = { .type = HISTORY_NULL };
    if (!record_next(&reader))
        return SQLITE_OK;
    while (record_value(&reader, &value) && column > 0)
        column--;
    result_set(out, &value);
    return SQLITE_OK;
}

static int on_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *out)
{
    *out = ((struct live_cursor *)base)->number;
    return SQLITE_OK;
}

int live_table_register(sqlite3 *connection, const struct live_table *live)
{
    /* Without xCreate a module is a table of its own name; without xUpdate it is read-only. */
    static const sqlite3_module module = {
        .xConnect = on_connect,
        .xBestIndex = on_best_index,
        .xDisconnect = on_disconnect,
        .xOpen = on_open,
        .xClose = on_close,
        .xFilter = on_filter,
        .xNext = on_next,
        .xEof = on_end,
        .xColumn = on_column,
        .xRowid = on_rowid,
    };
    /* SQLite hands the pointer back as it is. */
    return sqlite3_create_module_v2(connection, live->table->name, &module, (void *)(uintptr_t)live, NULL);
}
