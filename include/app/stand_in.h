/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_STAND_IN_H
#define APP_STAND_IN_H

#include "net/acceptor.h"
#include "net/roster.h"

/* The control thread's watch over workers that stand still: their threads are stopped, or busy with one thing
 * for long. What connects to the listening sockets of such a worker is accepted in its stead and handed to
 * the others, until it lives again. */
struct stand_in;

/* A worker stands still, or lives again. */
struct stall {
    uint32_t worker;
    bool is_over;
    uint64_t connections; /* it has: they stand still too */
    uint64_t lasted_ms;
    uint64_t handed; /* connections that others got in its stead */
};

typedef void (*stand_in_told)(void *owner, const struct stall *stall);

struct stand_in_plan {
    uv_loop_t *loop; /* the control thread's */
    struct roster *roster;
    uint32_t workers;
    uint32_t listeners; /* of each worker, at most */
    stand_in_told told;
    void *owner;
};

/* How a worker did since the start. */
struct stand_in_view {
    bool is_stalled;
    bool has_stirred; /* it gave a sign of life since the last tick, which will say that it goes on */
    unsigned silent;  /* ticks since the last one that had heard of a sign of life */
    uint64_t stalls;
    uint64_t longest_ms; /* of them, the one that lasts included */
};

/* NULL when memory is short. */
struct stand_in *stand_in_create(const struct stand_in_plan *plan);
/* A listening socket of a worker, by the number of the listener; takes the descriptor over. */
void stand_in_guard(struct stand_in *stand_in, uint32_t worker, uint32_t listener, int listening);
/* Looks who gives signs of life: each time before the workers are woken, in about equal intervals. A worker
 * that was silent for STAND_IN_TICKS of them stands still. Calls `told`. */
void stand_in_tick(struct stand_in *stand_in);
/* How it is with a worker that stands still. */
struct stall stand_in_stall(const struct stand_in *stand_in, uint32_t worker);
struct stand_in_view stand_in_view(const struct stand_in *stand_in, uint32_t worker);
/* Nothing is accepted any more, and workers that stand still listen no more: before workers are told to
 * drain. It still looks who stands still. */
void stand_in_retire(struct stand_in *stand_in);
/* Frees it; its handles close in the loop. NULL is allowed. */
void stand_in_destroy(struct stand_in *stand_in);

enum { STAND_IN_TICKS = 4 };

#endif
