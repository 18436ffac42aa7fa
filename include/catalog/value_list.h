/* SPDX-License-Identifier: PostgreSQL */
#ifndef CATALOG_VALUE_LIST_H
#define CATALOG_VALUE_LIST_H

#include "base/text.h"

struct buffer;

/* The values a constraint allows, as the bytes they stand for: quotes taken off, escapes resolved. A view:
 * packed one behind the other, each behind its size. Any bytes may be in a value. */
struct value_list {
    struct bytes packed;
    size_t count;
};

/* Packs a value that is appended to the buffer piece by piece between the two: value_begin returns where it
 * begins, which value_end wants. When it does not fit, buffer->has_failed. */
MUST_USE size_t value_begin(struct buffer *buffer);
void value_end(struct buffer *buffer, size_t start);
/* The value at `rest`, which begins as the list's packed bytes and moves on; false at the end. */
bool value_list_next(struct bytes *rest, struct bytes *value);
bool value_list_has(struct value_list list, struct bytes value);
/* Appends the value, or a name, in quotes, cut when it is long and made fit to show. */
void value_describe(struct bytes value, struct text *out);

#endif
