/* SPDX-License-Identifier: PostgreSQL */
#include "history/binding.h"

#include "base/text.h"
#include "base/utf8.h"
#include "history/entry.h"

#include <sqlite3.h>

static const char *const statement_texts[STATEMENT_COUNT] = {
#define STATEMENT(symbol, verb, table, rest, rows) [STATEMENT_##symbol] = verb " " #table " " rest,
#define CHANGE(symbol, verb, table, rest, rows)    STATEMENT(symbol, verb, table, rest rows, rows)
#include "history/statements.def"
#undef CHANGE
#undef STATEMENT
};

/* The length of the harmless character at the start, or 0. */
static size_t clean_size(struct bytes bytes)
{
    uint32_t code_point;
    size_t size = utf8_decode(bytes, &code_point);
    return size > 0 && !utf8_is_control(code_point) ? size : 0;
}

static bool is_clean(struct bytes bytes)
{
    while (bytes.size > 0) {
        size_t size = clean_size(bytes);
        if (size == 0)
            return false;
        bytes_take(&bytes, size);
    }
    return true;
}

static void clean(struct bytes bytes, struct text *out)
{
    while (bytes.size > 0) {
        size_t size = clean_size(bytes);
        if (size > 0)
            text_append(out, bytes_take(&bytes, size));
        else
            text_append_format(out, "\\x%02x", bytes_take(&bytes, 1).data[0]);
    }
}

enum { BYTES_OF_ESCAPE = 4, CLEANED_SIZE = RECORD_SIZE * BYTES_OF_ESCAPE + 1 };

static int bind_text(sqlite3_stmt *statement, int at, struct bytes bytes)
{
    if (is_clean(bytes)) {
        const char *data = bytes.size > 0 ? (const char *)bytes.data : "";
        return sqlite3_bind_text(statement, at, data, (int)bytes.size, SQLITE_STATIC);
    }
    char storage[CLEANED_SIZE];
    struct text text;
    text_init(&text, storage, sizeof storage);
    clean(bytes, &text);
    return sqlite3_bind_text(statement, at, text.data, (int)text.size, SQLITE_TRANSIENT);
}

int binding_value(sqlite3_stmt *statement, int at, const struct history_value *value)
{
    switch (value->type) {
    case HISTORY_INTEGER:
        return sqlite3_bind_int64(statement, at, value->integer);
    case HISTORY_REAL:
        return sqlite3_bind_double(statement, at, value->real);
    case HISTORY_TEXT:
        return bind_text(statement, at, value->text);
    case HISTORY_NULL:
        break;
    }
    return sqlite3_bind_null(statement, at);
}

static int prepare(const struct binding *binding, uint8_t tag, sqlite3_stmt **statement)
{
    if (binding->statements[tag] == NULL) {
        int code = sqlite3_prepare_v3(binding->connection, statement_texts[tag], -1,
                                      SQLITE_PREPARE_PERSISTENT, &binding->statements[tag], NULL);
        if (code != SQLITE_OK)
            return code;
    }
    *statement = binding->statements[tag];
    return SQLITE_OK;
}

static bool is_of_the_row(int code)
{
    int primary = code & 0xff;
    return primary == SQLITE_CONSTRAINT || primary == SQLITE_MISMATCH || primary == SQLITE_TOOBIG;
}

/* A statement that only looks for rows may need the first values only. */
static int bind_all(sqlite3_stmt *statement, int64_t run, struct record_reader *reader)
{
    struct history_value value = history_integer(run);
    int count = sqlite3_bind_parameter_count(statement);
    int code = SQLITE_OK;
    for (int at = 1; code == SQLITE_OK && at <= count; at++) {
        code = binding_value(statement, at, &value);
        if (!record_value(reader, &value))
            break;
    }
    return code;
}

int binding_write(const struct binding *binding, struct record_reader *reader, uint64_t *rejected)
{
    sqlite3_stmt *statement;
    int code = prepare(binding, reader->tag, &statement);
    if (code != SQLITE_OK)
        return code;
    code = bind_all(statement, binding->run, reader);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    code = code == SQLITE_DONE ? SQLITE_OK : code;
    (void)sqlite3_reset(statement); /* says the same again */
    if (is_of_the_row(code)) {
        (*rejected)++;
        return SQLITE_OK;
    }
    return code;
}

int binding_write_all(const struct binding *binding, struct bytes rows, uint64_t *rejected)
{
    struct record_reader reader = record_reader_of(rows);
    int code = SQLITE_OK;
    while (code == SQLITE_OK && record_next(&reader))
        code = binding_write(binding, &reader, rejected);
    return code;
}
