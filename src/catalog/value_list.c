/* SPDX-License-Identifier: PostgreSQL */
#include "catalog/value_list.h"

#include "base/buffer.h"

void value_list_append(struct buffer *buffer, size_t *count, struct bytes value)
{
    uint32_t size = (uint32_t)value.size;
    if (value.size > UINT32_MAX) {
        buffer->has_failed = true;
        return;
    }
    buffer_append(buffer, bytes_of(&size, sizeof size));
    buffer_append(buffer, value);
    *count += !buffer->has_failed;
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
