/* SPDX-License-Identifier: PostgreSQL */
/* What a ring read for a link that does not read just then. */
#include "net/uring_state.h"

#include <stdlib.h>
#include <string.h>

/* From this size on the block in which bytes were read is kept, and they are not copied. */
enum { HELD_BLOCK_LEAST = URING_BLOCK_SIZE / 4 };

static struct link_held *held_create(struct uring_pool *pool, struct uring_block *block, struct bytes bytes)
{
    bool keeps = bytes.size >= HELD_BLOCK_LEAST && uring_pool_keep(pool, block);
    struct link_held *held = malloc(sizeof *held + (keeps ? 0 : bytes.size));
    if (held == NULL) {
        if (keeps)
            uring_pool_drop(pool, block);
        return NULL;
    }
    *held = (struct link_held){ .data = bytes.data, .size = bytes.size, .block = block };
    if (!keeps) {
        memcpy(held->own, bytes.data, bytes.size);
        held->data = held->own;
        held->block = NULL;
    }
    return held;
}

bool uring_hold(struct uring_pool *pool, struct link_held **first, struct uring_block *block,
                struct bytes bytes)
{
    while (*first != NULL)
        first = &(*first)->next;
    *first = held_create(pool, block, bytes);
    return *first != NULL;
}

struct link_held *uring_take_held(struct link_held **first)
{
    struct link_held *held = *first;
    *first = held->next;
    return held;
}

void uring_drop_held(struct uring_pool *pool, struct link_held *held)
{
    if (held->block != NULL)
        uring_pool_drop(pool, held->block);
    free(held);
}
