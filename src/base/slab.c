/* SPDX-License-Identifier: PostgreSQL */
#include "base/slab.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

/* Begins at a multiple of SLAB_BLOCK_SIZE, so that it is found from any thing in it. What the allocator keeps
 * before the next one fits in behind the end: blocks lie side by side. */
struct slab_block {
    struct list node;
    struct slab_place *places; /* given back */
    uint32_t used;             /* things in use */
    uint32_t untouched;        /* places behind all that were ever in use */
    alignas(uint64_t) uint8_t things[];
};

enum { BLOCK_BYTES = SLAB_BLOCK_SIZE - 16 };

static struct slab_block *block_of(const void *thing)
{
    return (struct slab_block *)((uintptr_t)thing & ~(uintptr_t)(SLAB_BLOCK_SIZE - 1));
}

void slab_init(struct slab *slab, size_t size)
{
    size_t unit = alignof(uint64_t);
    assert(size > 0 && size <= SLAB_THING_MOST);
    *slab = (struct slab){ .size = (uint32_t)((size + unit - 1) / unit * unit) };
    list_init(&slab->open);
    list_init(&slab->full);
}

void slab_release(struct slab *slab)
{
    struct list *next;
    while (slab->spares != NULL)
        slab_give_place(slab, slab_take(slab));
    assert(list_is_empty(&slab->full));
    for (struct list *node = slab->open.next; node != &slab->open; node = next) {
        next = node->next;
        assert(CONTAINER_OF(node, struct slab_block, node)->used == 0);
        free(CONTAINER_OF(node, struct slab_block, node));
    }
    list_init(&slab->open);
}

static struct slab_block *block_create(struct slab *slab)
{
    void *memory;
    if (posix_memalign(&memory, SLAB_BLOCK_SIZE, BLOCK_BYTES) != 0)
        return NULL;
    struct slab_block *block = memory;
    block->places = NULL;
    block->used = 0;
    block->untouched = (uint32_t)((BLOCK_BYTES - sizeof(struct slab_block)) / slab->size);
    list_append(&slab->open, &block->node);
    return block;
}

static bool is_full(const struct slab_block *block)
{
    return block->places == NULL && block->untouched == 0;
}

static void *block_take(const struct slab *slab, struct slab_block *block)
{
    struct slab_place *place = block->places;
    block->used++;
    if (place == NULL)
        return block->things + --block->untouched * (size_t)slab->size;
    block->places = place->next;
    return place;
}

void *slab_take_place(struct slab *slab)
{
    if (SLAB_IS_WATCHED)
        return malloc(slab->size);
    struct slab_block *block = list_is_empty(&slab->open)
                                   ? block_create(slab)
                                   : CONTAINER_OF(slab->open.next, struct slab_block, node);
    if (block == NULL)
        return NULL;
    void *thing = block_take(slab, block);
    if (is_full(block)) {
        list_remove(&block->node);
        list_append(&slab->full, &block->node);
    }
    return thing;
}

void *slab_take_zeroed(struct slab *slab)
{
    void *thing = slab_take(slab);
    return thing != NULL ? memset(thing, 0, slab->size) : NULL;
}

/* The last block with room stays, so that one thing that comes and goes does not take it along each time. */
static void block_settle(struct slab *slab, struct slab_block *block, bool was_full)
{
    if (was_full) {
        list_remove(&block->node);
        list_prepend(&slab->open, &block->node);
    }
    bool is_alone = block->node.next == block->node.previous;
    if (block->used == 0 && !is_alone) {
        list_remove(&block->node);
        free(block);
    }
}

void slab_give_place(struct slab *slab, void *thing)
{
    if (SLAB_IS_WATCHED || thing == NULL) {
        free(thing);
        return;
    }
    struct slab_block *block = block_of(thing);
    bool was_full = is_full(block);
    struct slab_place *place = thing;
    place->next = block->places;
    block->places = place;
    if (--block->used == 0 || was_full)
        block_settle(slab, block, was_full);
}
