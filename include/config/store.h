/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONFIG_STORE_H
#define CONFIG_STORE_H

#include "base/bytes.h"

/* Memory that is given out in pieces and freed all at once. */
struct store {
    struct store_piece *pieces;
    bool has_failed; /* stays set once memory was short */
};

void store_init(struct store *store);
void store_release(struct store *store);
/* `size` bytes of zeros, aligned for any type, or NULL (has_failed). */
void *store_take(struct store *store, size_t size);
/* A NUL-terminated copy, or NULL (has_failed). */
char *store_copy(struct store *store, struct bytes bytes);

#endif
