/* SPDX-License-Identifier: PostgreSQL */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A view of somebody else's bytes. It never owns them and must not outlive the call that received it, unless
 * the function says so. data may be NULL when size is 0. */
struct bytes {
    const uint8_t *data;
    size_t size;
};

#define BYTES_NONE ((struct bytes){ NULL, 0 })

static inline struct bytes bytes_of(const void *data, size_t size)
{
    return (struct bytes){ data, size };
}

/* The view of a NUL-terminated text, without its NUL. */
static inline struct bytes bytes_text(const char *text)
{
    return (struct bytes){ (const uint8_t *)text, strlen(text) };
}

/* Cuts the first `size` bytes off `rest` and returns them; size is at most rest->size. */
static inline struct bytes bytes_take(struct bytes *rest, size_t size)
{
    struct bytes taken = { rest->data, size };
    rest->data = size > 0 ? rest->data + size : rest->data;
    rest->size -= size;
    return taken;
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool bytes_equal_text(struct bytes a, const char *text)
{
    return bytes_equal(a, bytes_text(text));
}

/* Equal but for the case of ASCII letters. */
bool bytes_equal_folded(struct bytes a, const char *text);
bool bytes_start_with(struct bytes whole, const char *prefix);
/* Offset of the first `wanted`, or bytes.size where there is none. */
size_t bytes_find(struct bytes bytes, uint8_t wanted);
/* Copies into a NUL-terminated field of `capacity` bytes, cutting at capacity - 1; where that is 0 nothing is
 * written. Returns whether all of it fitted. A NUL inside ends the text for readers of the field. */
bool bytes_copy_text(struct bytes bytes, char *field, size_t capacity);
/* Equal, in time that depends on the sizes only: for secrets. */
bool bytes_equal_secret(struct bytes a, struct bytes b);

#endif
