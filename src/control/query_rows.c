/* SPDX-License-Identifier: PostgreSQL */
#include "control/query_rows.h"

#include "base/text.h"
#include "base/utf8.h"
#include "wire/message.h"
#include "wire/writer.h"

#include <stdlib.h>

enum { NUMBER_SIZE = 40, NAMES_SIZE_MOST = 65536, ESCAPE_SIZE = 4 };

static const uint32_t null_size = 0xffffffff;

/* Numbers are those of pg_type: text, int8, float8. */
static const struct {
    uint32_t oid;
    uint16_t size; /* bytes; all ones: any */
} types[] = {
    [QUERY_TEXT] = { 25, 0xffff },
    [QUERY_INTEGER] = { 20, sizeof(int64_t) },
    [QUERY_REAL] = { 701, sizeof(double) },
};

struct query_rows *query_rows_create(size_t bytes_most)
{
    struct query_rows *rows = calloc(1, sizeof *rows);
    if (rows == NULL)
        return NULL;
    buffer_init(&rows->names, NAMES_SIZE_MOST);
    buffer_init(&rows->cells, bytes_most);
    return rows;
}

void query_rows_destroy(struct query_rows *rows)
{
    if (rows == NULL)
        return;
    buffer_release(&rows->names);
    buffer_release(&rows->cells);
    free(rows);
}

static enum query_type type_declared(const char *declared)
{
    if (strcmp(declared, "INTEGER") == 0)
        return QUERY_INTEGER;
    return strcmp(declared, "REAL") == 0 ? QUERY_REAL : QUERY_TEXT;
}

/* As it is, if it is UTF-8 without controls other than those of lines; otherwise as one harmless line. */
static bool is_clean(struct bytes text)
{
    while (text.size > 0) {
        uint32_t code_point = 0;
        size_t size = utf8_decode(text, &code_point);
        if (size == 0 || (utf8_is_control(code_point) && code_point != '\n' && code_point != '\t'))
            return false;
        bytes_take(&text, size);
    }
    return true;
}

static void append_clean(struct buffer *out, struct bytes text)
{
    struct text clean;
    char *storage = is_clean(text) ? NULL : malloc(text.size * ESCAPE_SIZE + 1);
    if (storage == NULL && !is_clean(text)) {
        out->has_failed = true;
        return;
    }
    if (storage == NULL) {
        buffer_append(out, text);
        return;
    }
    text_init(&clean, storage, text.size * ESCAPE_SIZE + 1);
    text_append_printable(&clean, text);
    buffer_append(out, text_bytes(&clean));
    free(storage);
}

bool query_rows_take_columns(void *context, const struct history_column *columns, size_t count)
{
    struct query_rows *rows = context;
    if (count > QUERY_COLUMNS_MOST)
        return false;
    rows->column_count = count;
    for (size_t i = 0; i < count; i++) {
        append_clean(&rows->names, bytes_text(columns[i].name));
        buffer_append(&rows->names, bytes_of("", 1));
        rows->declared[i] = type_declared(columns[i].type);
    }
    return !rows->names.has_failed;
}

/* A cell is the type, then what it takes; a text begins with its size. */
static void append_cell(struct buffer *cells, const struct history_value *value)
{
    uint8_t type = (uint8_t)value->type;
    uint32_t size = 0;
    buffer_append(cells, bytes_of(&type, sizeof type));
    switch (value->type) {
    case HISTORY_NULL:
        break;
    case HISTORY_INTEGER:
        buffer_append(cells, bytes_of(&value->integer, sizeof value->integer));
        break;
    case HISTORY_REAL:
        buffer_append(cells, bytes_of(&value->real, sizeof value->real));
        break;
    case HISTORY_TEXT: {
        buffer_append(cells, bytes_of(&size, sizeof size));
        size_t before = cells->size;
        append_clean(cells, value->text);
        size = (uint32_t)(cells->size - before);
        if (!cells->has_failed)
            memcpy(cells->data + before - sizeof size, &size, sizeof size);
        break;
    }
    }
}

bool query_rows_take_row(void *context, const struct history_value *values, size_t count)
{
    struct query_rows *rows = context;
    for (size_t i = 0; i < count; i++) {
        append_cell(&rows->cells, &values[i]);
        rows->seen[i] |= (uint8_t)(1U << values[i].type);
    }
    rows->row_count++;
    return !rows->cells.has_failed;
}

enum query_type query_rows_type(const struct query_rows *rows, size_t column)
{
    uint8_t seen = rows->seen[column] & (uint8_t) ~(1U << HISTORY_NULL);
    if (seen == 0)
        return rows->declared[column];
    if ((seen & 1U << HISTORY_TEXT) != 0)
        return QUERY_TEXT;
    return (seen & 1U << HISTORY_REAL) != 0 ? QUERY_REAL : QUERY_INTEGER;
}

const char *query_rows_name(const struct query_rows *rows, size_t column)
{
    const char *name = (const char *)rows->names.data;
    while (column-- > 0)
        name += strlen(name) + 1;
    return name;
}

static enum query_type type_of(const struct query_rows *rows, const enum query_type *fixed, size_t column)
{
    return fixed != NULL ? fixed[column] : query_rows_type(rows, column);
}

static bool is_binary(const struct query_formats *formats, size_t column)
{
    if (formats->count <= 1)
        return formats->count == 1 && formats->is_binary[0];
    return formats->is_binary[column];
}

void query_rows_describe(const struct query_rows *rows, const enum query_type *fixed,
                         const struct query_formats *formats, struct buffer *out)
{
    struct writer writer = writer_of(out);
    const char *name = (const char *)rows->names.data;
    writer_begin(&writer, SERVER_ROW_DESCRIPTION);
    writer_int16(&writer, (uint16_t)rows->column_count);
    for (size_t i = 0; i < rows->column_count; i++) {
        enum query_type type = type_of(rows, fixed, i);
        writer_string(&writer, bytes_text(name));
        writer_int32(&writer, 0); /* of no table */
        writer_int16(&writer, 0);
        writer_int32(&writer, types[type].oid);
        writer_int16(&writer, types[type].size);
        writer_int32(&writer, null_size); /* no type modifier */
        writer_int16(&writer, is_binary(formats, i));
        name += strlen(name) + 1;
    }
    writer_end(&writer);
}

static void read_plain(struct bytes *cells, void *out, size_t size)
{
    memcpy(out, bytes_take(cells, size).data, size);
}

static void read_cell(struct bytes *cells, struct history_value *out)
{
    uint32_t size = 0;
    *out = (struct history_value){ .type = (enum history_type)bytes_take(cells, 1).data[0] };
    switch (out->type) {
    case HISTORY_NULL:
        break;
    case HISTORY_INTEGER:
        read_plain(cells, &out->integer, sizeof out->integer);
        break;
    case HISTORY_REAL:
        read_plain(cells, &out->real, sizeof out->real);
        break;
    case HISTORY_TEXT:
        read_plain(cells, &size, sizeof size);
        out->text = bytes_take(cells, size);
        break;
    }
}

/* The shortest that reads back as the same. */
static void append_real(struct text *out, double real)
{
    enum { DIGITS_LEAST = 15, DIGITS_MOST = 17 };
    size_t before = out->size;
    for (int digits = DIGITS_LEAST; digits <= DIGITS_MOST; digits++) {
        out->size = before;
        text_append_format(out, "%.*g", digits, real);
        if (strtod(out->data + before, NULL) == real)
            break;
    }
    if (real - real != 0) { /* the server's word for what is not finite */
        out->size = before;
        text_append_string(out, real > 0 ? "Infinity" : "-Infinity");
    }
}

static void write_text(struct writer *writer, const struct history_value *value)
{
    char storage[NUMBER_SIZE];
    struct text text;
    struct bytes cell = value->text;
    text_init(&text, storage, sizeof storage);
    if (value->type == HISTORY_INTEGER)
        text_append_format(&text, "%lld", (long long)value->integer);
    else if (value->type == HISTORY_REAL)
        append_real(&text, value->real);
    if (value->type != HISTORY_TEXT)
        cell = text_bytes(&text);
    writer_int32(writer, (uint32_t)cell.size);
    writer_bytes(writer, cell);
}

static void write_binary(struct writer *writer, const struct history_value *value, enum query_type type)
{
    uint64_t bits = (uint64_t)value->integer;
    double real = value->type == HISTORY_REAL ? value->real : (double)value->integer;
    if (type == QUERY_REAL)
        memcpy(&bits, &real, sizeof bits);
    writer_int32(writer, sizeof bits);
    writer_int32(writer, (uint32_t)(bits >> 32));
    writer_int32(writer, (uint32_t)bits);
}

static bool fits(const struct history_value *value, enum query_type type)
{
    switch (type) {
    case QUERY_INTEGER:
        return value->type == HISTORY_INTEGER;
    case QUERY_REAL:
        return value->type == HISTORY_INTEGER || value->type == HISTORY_REAL;
    case QUERY_TEXT:
        break;
    }
    return true;
}

/* False when the value does not fit the type. */
static bool write_cell(struct writer *writer, const struct history_value *value, enum query_type type,
                       bool is_in_binary)
{
    if (value->type == HISTORY_NULL)
        writer_int32(writer, null_size);
    else if (!fits(value, type))
        return false;
    else if (type == QUERY_TEXT || !is_in_binary)
        write_text(writer, value);
    else
        write_binary(writer, value, type);
    return true;
}

bool query_rows_write(const struct query_rows *rows, const enum query_type *fixed,
                      const struct query_formats *formats, struct buffer *out, size_t *column)
{
    struct writer writer = writer_of(out);
    struct bytes cells = buffer_bytes(&rows->cells);
    struct history_value value;
    for (uint64_t row = 0; row < rows->row_count && !out->has_failed; row++) {
        writer_begin(&writer, SERVER_DATA_ROW);
        writer_int16(&writer, (uint16_t)rows->column_count);
        for (size_t i = 0; i < rows->column_count; i++) {
            *column = i;
            read_cell(&cells, &value);
            if (!write_cell(&writer, &value, type_of(rows, fixed, i), is_binary(formats, i)))
                return false;
        }
        writer_end(&writer);
    }
    return true;
}
