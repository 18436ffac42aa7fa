/* SPDX-License-Identifier: PostgreSQL */
#include "base/ring.h"

#include <assert.h>
#include <stdlib.h>

bool ring_init(struct ring *ring, size_t record_size, size_t capacity)
{
    assert(record_size > 0 && record_size % 8 == 0);
    size_t rounded = 1;
    while (rounded < capacity && rounded <= SIZE_MAX / 2)
        rounded *= 2;
    *ring = (struct ring){ .record_size = record_size, .capacity = rounded };
    ring->records = calloc(rounded, record_size);
    return ring->records != NULL;
}

void ring_release(struct ring *ring)
{
    free(ring->records);
    ring->records = NULL;
}

static uint8_t *ring_record(struct ring *ring, size_t number)
{
    return ring->records + (number & (ring->capacity - 1)) * ring->record_size;
}

void *ring_reserve(struct ring *ring)
{
    size_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
    size_t read = atomic_load_explicit(&ring->read, memory_order_acquire);
    return written - read < ring->capacity ? ring_record(ring, written) : NULL;
}

void ring_publish(struct ring *ring)
{
    size_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
    atomic_store_explicit(&ring->written, written + 1, memory_order_release);
}

bool ring_is_filling(const struct ring *ring)
{
    size_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
    size_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    return written - read > ring->capacity / 4;
}

const void *ring_peek(struct ring *ring)
{
    size_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    size_t written = atomic_load_explicit(&ring->written, memory_order_acquire);
    return written != read ? ring_record(ring, read) : NULL;
}

void ring_discard(struct ring *ring)
{
    size_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    atomic_store_explicit(&ring->read, read + 1, memory_order_release);
}
