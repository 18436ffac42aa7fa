/* SPDX-License-Identifier: PostgreSQL */
#include "catalog/value_list.h"

#include "base/buffer.h"

enum { DESCRIBED_SIZE = 96 };

size_t value_begin(struct buffer *buffer)
{
    const uint32_t size = 0;
    buffer_append(buffer, bytes_of(&size, sizeof size));
    return buffer->size;
}

void value_end(struct buffer *buffer, size_t start)
{
    uint32_t size = (uint32_t)(buffer->size - start);
    if (!buffer->has_failed)
        memcpy(buffer->data + start - sizeof size, &size, sizeof size);
}

bool value_list_next(struct bytes *rest, struct bytes *value)
{
    uint32_t size;
    if (rest->size < sizeof size)
        return false;
    memcpy(&size, bytes_take(rest, sizeof size).data, sizeof size);
    *value = bytes_take(rest, size);
    return true;
}

bool value_list_has(struct value_list list, struct bytes value)
{
    struct bytes other;
    while (value_list_next(&list.packed, &other)) {
        if (bytes_equal(other, value))
            return true;
    }
    return false;
}

void value_describe(struct bytes value, struct text *out)
{
    bool is_cut = value.size > DESCRIBED_SIZE;
    text_append_byte(out, '\'');
    text_append_printable(out, is_cut ? bytes_of(value.data, DESCRIBED_SIZE) : value);
    text_append_string(out, is_cut ? "...'" : "'");
}
