/* SPDX-License-Identifier: PostgreSQL */
#include "net/uring_state.h"

#include <stdlib.h>

enum { GROUP = 0, PAGE_SIZE = 4096 };

static struct uring_block *block_create(void)
{
    struct uring_block *block = malloc(sizeof *block);
    if (block != NULL)
        block->references = 1;
    return block;
}

static void pool_put(struct uring_pool *pool, unsigned short number, struct uring_block *block)
{
    pool->blocks[number] = block;
    io_uring_buf_ring_add(pool->ring, block->data, URING_BLOCK_SIZE, number,
                          io_uring_buf_ring_mask(URING_BLOCKS_MOST), 0);
    io_uring_buf_ring_advance(pool->ring, 1);
}

static void pool_add(struct uring_pool *pool, unsigned short count)
{
    while (pool->count < URING_BLOCKS_MOST && count-- > 0) {
        struct uring_block *block = block_create();
        if (block == NULL)
            return;
        pool_put(pool, pool->count++, block);
    }
}

int uring_pool_open(struct uring_pool *pool, struct io_uring *ring)
{
    struct io_uring_buf_reg plan = { .ring_entries = URING_BLOCKS_MOST, .bgid = GROUP };
    *pool = (struct uring_pool){ .count = 0 };
    pool->ring = aligned_alloc(PAGE_SIZE, URING_BLOCKS_MOST * sizeof(struct io_uring_buf));
    if (pool->ring == NULL)
        return UV_ENOMEM;
    io_uring_buf_ring_init(pool->ring);
    plan.ring_addr = (uintptr_t)pool->ring;
    int result = io_uring_register_buf_ring(ring, &plan, 0);
    if (result == 0)
        pool_add(pool, URING_BLOCKS_FIRST);
    return result == 0 && pool->count == 0 ? UV_ENOMEM : result;
}

void uring_pool_close(struct uring_pool *pool)
{
    while (pool->spare != NULL) {
        struct uring_block *block = pool->spare;
        pool->spare = block->next;
        free(block);
    }
    while (pool->count > 0)
        free(pool->blocks[--pool->count]);
    free(pool->ring);
}

void uring_pool_grow(struct uring_pool *pool, size_t links)
{
    if (pool->count < links)
        pool_add(pool, pool->count);
}

void uring_pool_return(struct uring_pool *pool, unsigned short number)
{
    struct uring_block *block = pool->blocks[number];
    if (block->references > 1) {
        block->references--;
        block = pool->spare; /* there is one: uring_pool_keep has seen to it */
        pool->spare = block->next;
        pool->spare_count--;
        block->references = 1;
    }
    pool_put(pool, number, block);
}

bool uring_pool_keep(struct uring_pool *pool, struct uring_block *block)
{
    if (pool->spare == NULL) {
        pool->spare = block_create();
        if (pool->spare == NULL)
            return false;
        pool->spare->next = NULL;
        pool->spare_count++;
    }
    block->references++;
    return true;
}

void uring_pool_drop(struct uring_pool *pool, struct uring_block *block)
{
    if (--block->references > 0)
        return;
    if (pool->spare_count >= pool->count) {
        free(block);
        return;
    }
    block->next = pool->spare;
    pool->spare = block;
    pool->spare_count++;
}
