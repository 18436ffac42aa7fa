/* SPDX-License-Identifier: PostgreSQL */
#ifndef BASE_RING_H
#define BASE_RING_H

#include "base/attributes.h"
#include "base/bytes.h"

#include <stdatomic.h>

enum { RING_CACHE_LINE = 64 };

/* A bounded queue of records of one size between one producing and one consuming thread, without locks. The
 * two counters stand in cache lines of their own, so that the threads do not slow each other down. */
struct ring {
    uint8_t *records;
    size_t record_size; /* bytes, a multiple of 8 */
    size_t capacity;    /* records, a power of two */
    uint8_t padding_before_written[RING_CACHE_LINE];
    atomic_size_t written; /* records ever published: only the producer changes it */
    uint8_t padding_before_read[RING_CACHE_LINE];
    atomic_size_t read; /* records ever discarded: only the consumer changes it */
    uint8_t padding_after_read[RING_CACHE_LINE];
};

/* Makes room for `capacity` records (rounded up to a power of two). False when memory is short. */
MUST_USE bool ring_init(struct ring *ring, size_t record_size, size_t capacity);
void ring_release(struct ring *ring);
/* Producer: where the next record goes, or NULL while the ring is full; ring_publish makes it visible. */
void *ring_reserve(struct ring *ring);
void ring_publish(struct ring *ring);
/* Producer: whether a quarter of it is full, so that it had better be emptied soon. */
bool ring_is_filling(const struct ring *ring);
/* Consumer: the oldest record, or NULL; valid until ring_discard gives its place back. */
const void *ring_peek(struct ring *ring);
void ring_discard(struct ring *ring);

#endif
