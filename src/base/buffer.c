/* SPDX-License-Identifier: PostgreSQL */
#include "base/buffer.h"

#include <assert.h>
#include <stdlib.h>

enum { SMALLEST_CAPACITY = 64 };

void buffer_init(struct buffer *buffer, size_t limit)
{
    *buffer = (struct buffer){ .limit = limit };
}

void buffer_release(struct buffer *buffer)
{
    free(buffer->data);
    buffer_init(buffer, buffer->limit);
}

void buffer_clear(struct buffer *buffer)
{
    buffer->size = 0;
    buffer->has_failed = false;
}

/* Doubles, so that many small appends cost little, but never beyond the limit. */
static size_t buffer_next_capacity(const struct buffer *buffer, size_t needed)
{
    size_t capacity = buffer->capacity > 0 ? buffer->capacity : SMALLEST_CAPACITY;
    while (capacity < needed && capacity <= buffer->limit / 2)
        capacity *= 2;
    return capacity < needed || capacity > buffer->limit ? buffer->limit : capacity;
}

static bool buffer_grow(struct buffer *buffer, size_t needed)
{
    if (needed <= buffer->capacity)
        return true;
    size_t capacity = buffer_next_capacity(buffer, needed);
    uint8_t *data = realloc(buffer->data, capacity);
    if (data == NULL)
        return false;
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

uint8_t *buffer_extend(struct buffer *buffer, size_t size)
{
    if (buffer->has_failed)
        return NULL;
    if (size > buffer->limit - buffer->size || !buffer_grow(buffer, buffer->size + size)) {
        buffer->has_failed = true;
        return NULL;
    }
    size_t start = buffer->size;
    buffer->size += size;
    return buffer->data != NULL ? buffer->data + start : NULL;
}

void buffer_append(struct buffer *buffer, struct bytes bytes)
{
    uint8_t *place = buffer_extend(buffer, bytes.size);
    if (place != NULL && bytes.size > 0)
        memcpy(place, bytes.data, bytes.size);
}

void buffer_consume(struct buffer *buffer, size_t size)
{
    assert(size <= buffer->size);
    if (size == 0)
        return;
    buffer->size -= size;
    memmove(buffer->data, buffer->data + size, buffer->size);
}
