/* SPDX-License-Identifier: PostgreSQL */
#ifndef BASE_SLAB_H
#define BASE_SLAB_H

#include "base/attributes.h"
#include "base/list.h"

#include <stdint.h>

/* Memory for many things of one size, for one thread: in blocks that hold nothing else, so that things which
 * stay do not lie scattered among those that come and go, and without a word of the allocator's beside each.
 * What was given back last is taken first; a block of which nothing is in use is freed, but for one. */
struct slab {
    struct list open; /* blocks with room; those that were full are first */
    struct list full;
    size_t size; /* bytes of a thing */
};

enum { SLAB_BLOCK_SIZE = 16 * 1024, SLAB_THING_MOST = 4096 };

/* Things of `size` bytes, at most SLAB_THING_MOST; aligned for any type. */
void slab_init(struct slab *slab, size_t size);
/* Everything must have been given back. */
void slab_release(struct slab *slab);
/* Memory for one, with what a former one left in it; NULL when memory is short. */
void *slab_take(struct slab *slab);
/* The same, zeroed. */
void *slab_take_zeroed(struct slab *slab);
/* NULL is allowed. */
void slab_give(struct slab *slab, void *thing);

#endif
