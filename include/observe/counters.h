/* SPDX-License-Identifier: PostgreSQL */
#ifndef OBSERVE_COUNTERS_H
#define OBSERVE_COUNTERS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* One thread's counters. Written by that thread only, read by any. */
struct counters {
#define COUNTER(name, about) _Atomic uint64_t name;
#include "observe/counters.def"
#undef COUNTER
};

/* Adds on the writing thread: a plain load and store, no locked instruction. */
static inline void counter_add(_Atomic uint64_t *counter, uint64_t amount)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + amount,
                          memory_order_relaxed);
}

static inline uint64_t counter_read(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

struct counter_row {
    const char *name;
    const char *about;
    size_t offset; /* of the counter in struct counters */
};

/* The table of all counters, *count rows. */
const struct counter_row *counter_rows(size_t *count);
uint64_t counter_value(const struct counters *counters, const struct counter_row *row);
/* Adds every counter of `from` to `into`. */
void counters_merge(struct counters *into, const struct counters *from);

#endif
