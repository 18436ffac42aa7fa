/* SPDX-License-Identifier: PostgreSQL */
#ifndef BASE_SLAB_H
#define BASE_SLAB_H

#include "base/attributes.h"
#include "base/list.h"

#include <stdint.h>

/* Sanitizers see what becomes of each thing only where it comes from the heap by itself. */
#if defined(__SANITIZE_ADDRESS__)
#define SLAB_IS_WATCHED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SLAB_IS_WATCHED 1
#endif
#endif
#ifndef SLAB_IS_WATCHED
#define SLAB_IS_WATCHED 0
#endif

enum { SLAB_BLOCK_SIZE = 16 * 1024, SLAB_THING_MOST = 4096, SLAB_SPARES_MOST = 16 };

/* A thing that is not in use. */
struct slab_place {
    struct slab_place *next;
};

/* Memory for many things of one size, for one thread: in blocks that hold nothing else, so that things which
 * stay do not lie scattered among those that come and go, and without a word of the allocator's beside each.
 * What was given back last is taken first, while the processor still has it at hand; a block of which nothing
 * is in use is freed, but for one. */
struct slab {
    struct slab_place *spares; /* given back last; to their blocks they are in use */
    uint32_t spare_count;
    uint32_t size;    /* bytes of a thing */
    struct list open; /* blocks with room; those that were full are first */
    struct list full;
};

/* Things of `size` bytes, at most SLAB_THING_MOST; aligned as a uint64_t is. */
void slab_init(struct slab *slab, size_t size);
/* Everything must have been given back. */
void slab_release(struct slab *slab);
/* Behind slab_take and slab_give. */
void *slab_take_place(struct slab *slab);
void slab_give_place(struct slab *slab, void *thing);

/* Memory for one, with what a former one left in it; NULL when memory is short. */
static inline void *slab_take(struct slab *slab)
{
    struct slab_place *spare = slab->spares;
    if (spare == NULL)
        return slab_take_place(slab);
    slab->spares = spare->next;
    slab->spare_count--;
    return spare;
}

/* The same, zeroed. */
void *slab_take_zeroed(struct slab *slab);
/* NULL is allowed. */
static inline void slab_give(struct slab *slab, void *thing)
{
    if (SLAB_IS_WATCHED || thing == NULL || slab->spare_count == SLAB_SPARES_MOST) {
        slab_give_place(slab, thing);
        return;
    }
    struct slab_place *spare = (struct slab_place *)thing;
    spare->next = slab->spares;
    slab->spares = spare;
    slab->spare_count++;
}

#endif
