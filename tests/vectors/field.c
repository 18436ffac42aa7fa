/* SPDX-License-Identifier: PostgreSQL */
#include "vectors/field.h"

#include "base/text.h"

#include <errno.h>
#include <stdlib.h>

enum { NUMBER_SIZE = 24 };

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

void field_skip_blanks(struct bytes *line)
{
    while (line->size > 0 && is_blank(line->data[0]))
        bytes_take(line, 1);
}

struct bytes field_word(struct bytes *line)
{
    size_t size = 0;
    while (size < line->size && !is_blank(line->data[size]))
        size++;
    return bytes_take(line, size);
}

static int digit_value(uint8_t digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

static bool take_pair(struct bytes *line, uint8_t *byte)
{
    if (line->size < 2)
        return false;
    int high = digit_value(line->data[0]);
    int low = digit_value(line->data[1]);
    if (high < 0 || low < 0)
        return false;
    *byte = (uint8_t)(high * 16 + low);
    bytes_take(line, 2);
    return true;
}

static void append_byte(struct buffer *out, uint8_t byte)
{
    buffer_append(out, bytes_of(&byte, 1));
}

/* What follows a backslash. */
static bool take_escape(struct bytes *line, uint8_t *byte)
{
    if (line->size == 0)
        return false;
    *byte = *bytes_take(line, 1).data;
    if (*byte == 'x')
        return take_pair(line, byte);
    return *byte == '\\' || *byte == '"';
}

static const char *read_text(struct bytes *line, struct buffer *out)
{
    if (line->size == 0 || line->data[0] != '"')
        return "a quoted text is expected here";
    bytes_take(line, 1);
    while (line->size > 0) {
        uint8_t byte = *bytes_take(line, 1).data;
        if (byte == '"')
            return NULL;
        if (byte == '\\' && !take_escape(line, &byte))
            return "an escape is \\xNN, \\\" or \\\\";
        append_byte(out, byte);
    }
    return "the quotation mark is not closed";
}

static const char *read_string(struct bytes *line, struct buffer *out)
{
    const char *fault = read_text(line, out);
    append_byte(out, '\0');
    return fault;
}

static void append_integer(struct buffer *out, uint32_t value, unsigned size)
{
    while (size > 0)
        append_byte(out, (uint8_t)(value >> (8 * --size)));
}

static const char *read_integer(struct bytes *line, struct buffer *out, unsigned size)
{
    char digits[NUMBER_SIZE];
    if (!bytes_copy_text(field_word(line), digits, sizeof digits) || digits[0] == '\0')
        return "a number is expected here";
    char *end = NULL;
    errno = 0;
    long long value = strtoll(digits, &end, 0);
    if (*end != '\0')
        return "a number is expected here";
    long long beyond = 1LL << (8 * size);
    if (errno != 0 || value < -beyond / 2 || value >= beyond)
        return "the number does not fit";
    append_integer(out, (uint32_t)value, size);
    return NULL;
}

static const char *read_int8(struct bytes *line, struct buffer *out)
{
    return read_integer(line, out, 1);
}

static const char *read_int16(struct bytes *line, struct buffer *out)
{
    return read_integer(line, out, 2);
}

static const char *read_int32(struct bytes *line, struct buffer *out)
{
    return read_integer(line, out, 4);
}

static const char *read_hex(struct bytes *line, struct buffer *out)
{
    struct bytes digits = field_word(line);
    uint8_t byte;
    while (take_pair(&digits, &byte))
        append_byte(out, byte);
    return digits.size == 0 ? NULL : "hex: wants pairs of hexadecimal digits";
}

static const char *read_value(struct bytes *line, struct buffer *out)
{
    size_t length_at = out->size;
    append_integer(out, 0, 4);
    const char *fault = read_text(line, out);
    if (out->has_failed)
        return fault;
    size_t size = out->size - length_at - 4;
    for (unsigned i = 0; i < 4; i++)
        out->data[length_at + i] = (uint8_t)(size >> (24 - 8 * i));
    return fault;
}

static const struct field_form {
    const char *prefix;
    const char *(*read)(struct bytes *line, struct buffer *out);
} field_forms[] = {
    { "text:", read_text }, { "value:", read_value }, { "hex:", read_hex },
    { "int8:", read_int8 }, { "int16:", read_int16 }, { "int32:", read_int32 },
};

static const char *read_prefixed(struct bytes *line, struct buffer *out)
{
    for (size_t i = 0; i < COUNT_OF(field_forms); i++) {
        if (!bytes_start_with(*line, field_forms[i].prefix))
            continue;
        bytes_take(line, strlen(field_forms[i].prefix));
        return field_forms[i].read(line, out);
    }
    return "a field of this form is not known";
}

static const char *read_any(struct bytes *line, struct buffer *out)
{
    if (line->data[0] == '"')
        return read_string(line, out);
    if (line->size > 2 && line->data[1] == ':') { /* a letter and a string: S:"ERROR" */
        append_byte(out, bytes_take(line, 2).data[0]);
        return read_string(line, out);
    }
    if (!bytes_start_with(*line, "null"))
        return read_prefixed(line, out);
    bytes_take(line, strlen("null"));
    append_integer(out, UINT32_MAX, 4);
    return NULL;
}

const char *field_read(struct bytes *line, struct buffer *out)
{
    const char *fault = read_any(line, out);
    if (fault == NULL && line->size > 0 && !is_blank(line->data[0]))
        return "a blank is expected after a field";
    return fault;
}
