/* SPDX-License-Identifier: PostgreSQL */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include "base/attributes.h"
#include "base/bytes.h"

/* Bytes that grow on the heap up to a limit. Once an append does not fit (limit or memory), has_failed stays
 * set and further appends do nothing: append freely, check once at the end. */
struct buffer {
    uint8_t *data;
    size_t size;
    size_t capacity;
    size_t limit; /* bytes */
    bool has_failed;
};

void buffer_init(struct buffer *buffer, size_t limit);
void buffer_release(struct buffer *buffer);
/* Empties it and keeps its memory; clears has_failed. */
void buffer_clear(struct buffer *buffer);
void buffer_append(struct buffer *buffer, struct bytes bytes);
/* Makes room for `size` more bytes and returns where they go, or NULL (has_failed); buffer->size has grown.
 */
uint8_t *buffer_extend(struct buffer *buffer, size_t size);
/* Drops the first `size` bytes. */
void buffer_consume(struct buffer *buffer, size_t size);

static inline struct bytes buffer_bytes(const struct buffer *buffer)
{
    return bytes_of(buffer->data, buffer->size);
}

#endif
