/* SPDX-License-Identifier: PostgreSQL */
#ifndef NET_FITNESS_H
#define NET_FITNESS_H

#include <stdatomic.h>
#include <stddef.h>

/* What is known of the hosts of an upstream whose sessions must write: whether each accepts writes. The
 * control thread asks the servers and writes; workers read when a session is to be connected. */
enum host_fitness {
    HOST_UNKNOWN, /* not asked yet */
    HOST_FIT,
    HOST_UNFIT, /* reached, but read-only */
    HOST_DOWN,  /* could not be asked */
};

enum { FITNESS_HOSTS_MOST = 16 };

struct fitness {
    _Atomic unsigned char hosts[FITNESS_HOSTS_MOST]; /* enum host_fitness, by the host's index */
};

static inline enum host_fitness fitness_of(const struct fitness *fitness, size_t host)
{
    return (enum host_fitness)atomic_load_explicit(&fitness->hosts[host], memory_order_relaxed);
}

static inline void fitness_set(struct fitness *fitness, size_t host, enum host_fitness value)
{
    atomic_store_explicit(&fitness->hosts[host], (unsigned char)value, memory_order_relaxed);
}

#endif
