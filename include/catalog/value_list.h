/* SPDX-License-Identifier: PostgreSQL */
#ifndef CATALOG_VALUE_LIST_H
#define CATALOG_VALUE_LIST_H

#include "base/bytes.h"

struct buffer;

/* The values a constraint allows, as the bytes they stand for: quotes taken off, escapes resolved. A view:
 * packed one behind the other, each behind its size. Any bytes may be in a value. */
struct value_list {
    struct bytes packed;
    size_t count;
};

/* Appends one value to a packing that `count` counts; when it does not fit, buffer->has_failed. */
void value_list_append(struct buffer *buffer, size_t *count, struct bytes value);
/* The value at `rest`, which begins as the list's packed bytes and moves on; false at the end. */
bool value_list_next(struct bytes *rest, struct bytes *value);
bool value_list_has(struct value_list list, struct bytes value);

#endif
