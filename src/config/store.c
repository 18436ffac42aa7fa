/* SPDX-License-Identifier: PostgreSQL */
#include "config/store.h"

#include <stddef.h>
#include <stdlib.h>

struct store_piece {
    struct store_piece *next;
    max_align_t content[];
};

void store_init(struct store *store)
{
    *store = (struct store){ 0 };
}

void store_release(struct store *store)
{
    while (store->pieces != NULL) {
        struct store_piece *piece = store->pieces;
        store->pieces = piece->next;
        free(piece);
    }
}

void *store_take(struct store *store, size_t size)
{
    struct store_piece *piece = calloc(1, sizeof *piece + size);
    if (piece == NULL) {
        store->has_failed = true;
        return NULL;
    }
    piece->next = store->pieces;
    store->pieces = piece;
    return piece->content;
}

char *store_copy(struct store *store, struct bytes bytes)
{
    char *copy = store_take(store, bytes.size + 1);
    if (copy != NULL && bytes.size > 0)
        memcpy(copy, bytes.data, bytes.size);
    return copy;
}
