/* SPDX-License-Identifier: PostgreSQL */
#include "control/result.h"

#include "base/text.h"
#include "wire/message.h"

#include <assert.h>

enum { CELL_SIZE = 4096 };

/* What RowDescription says of a type (manual: "Message Formats"; the numbers are those of pg_type). */
static const struct type {
    uint32_t oid;
    uint16_t size; /* bytes; all ones: any */
} types[] = {
    [COLUMN_TEXT] = { 25, 0xffff },
    [COLUMN_INTEGER] = { 20, 8 },
    [COLUMN_DURATION] = { 20, 8 },
    [COLUMN_TIME] = { 25, 0xffff },
};

struct result result_of(struct buffer *out, uint32_t binary_columns)
{
    return (struct result){ .writer = writer_of(out), .binary_columns = binary_columns };
}

static bool is_binary(const struct result *result, uint32_t column)
{
    return (result->binary_columns >> column & 1) != 0;
}

static void describe_column(struct writer *writer, const struct result_column *column, bool is_in_binary)
{
    writer_string(writer, bytes_text(column->name));
    writer_int32(writer, 0); /* of no table */
    writer_int16(writer, 0);
    writer_int32(writer, types[column->type].oid);
    writer_int16(writer, types[column->type].size);
    writer_int32(writer, 0xffffffff); /* no type modifier */
    writer_int16(writer, is_in_binary);
}

void result_describe(struct result *result, const struct result_column *columns, size_t count)
{
    assert(count <= 8 * sizeof result->binary_columns);
    writer_begin(&result->writer, SERVER_ROW_DESCRIPTION);
    writer_int16(&result->writer, (uint16_t)count);
    for (uint32_t i = 0; i < count; i++)
        describe_column(&result->writer, &columns[i], is_binary(result, i));
    writer_end(&result->writer);
}

void result_row_begin(struct result *result, size_t column_count)
{
    result->column = 0;
    writer_begin(&result->writer, SERVER_DATA_ROW);
    writer_int16(&result->writer, (uint16_t)column_count);
}

void result_row_end(struct result *result)
{
    writer_end(&result->writer);
    result->rows++;
}

static void write_cell(struct result *result, struct bytes cell)
{
    writer_int32(&result->writer, (uint32_t)cell.size);
    writer_bytes(&result->writer, cell);
    result->column++;
}

static void write_null(struct result *result)
{
    writer_int32(&result->writer, 0xffffffff);
    result->column++;
}

static void write_binary_integer(struct result *result, uint64_t value)
{
    writer_int32(&result->writer, sizeof value);
    writer_int32(&result->writer, (uint32_t)(value >> 32));
    writer_int32(&result->writer, (uint32_t)value);
    result->column++;
}

void result_text(struct result *result, const char *value)
{
    char storage[CELL_SIZE];
    struct text text;
    if (value == NULL || value[0] == '\0') {
        write_null(result);
        return;
    }
    text_init(&text, storage, sizeof storage);
    text_append_printable(&text, bytes_text(value));
    write_cell(result, text_bytes(&text));
}

void result_integer(struct result *result, int64_t value)
{
    char storage[24];
    struct text text;
    if (is_binary(result, result->column)) {
        write_binary_integer(result, (uint64_t)value);
        return;
    }
    text_init(&text, storage, sizeof storage);
    text_append_format(&text, "%lld", (long long)value);
    write_cell(result, text_bytes(&text));
}

void result_duration(struct result *result, int64_t duration_us)
{
    if (duration_us == 0)
        write_null(result);
    else
        result_integer(result, duration_us);
}

void result_time(struct result *result, int64_t time_us)
{
    char storage[40];
    struct text text;
    if (time_us == 0 || time_us == INT64_MAX) {
        write_null(result);
        return;
    }
    text_init(&text, storage, sizeof storage);
    text_append_time(&text, time_us);
    text.size = bytes_find(text_bytes(&text), '.');
    text_append_byte(&text, 'Z');
    write_cell(result, text_bytes(&text));
}
