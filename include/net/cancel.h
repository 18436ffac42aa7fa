/* SPDX-License-Identifier: PostgreSQL */
#ifndef NET_CANCEL_H
#define NET_CANCEL_H

#include "net/chunk.h"
#include "net/upstream.h"

#include <uv.h>

/* A cancel request on its way to every host that may have the session it is meant for. The key in it is a
 * server's own and random: only the backend that has it acts, so nobody has to remember which server gave
 * which key (manual: "Canceling Requests in Progress"). */
struct cancel;

/* For upstreams without a timeout; and how long hosts that do not answer are waited for once another has
 * taken the request, from when they were asked for a connection: so that one whose first packet was lost, or
 * whose queue was full for a moment, is reached when the kernel asks again, after a second. */
enum { CANCEL_MOST_MS = 10000, CANCEL_GRACE_MS = 1500 };

struct cancel_plan {
    uv_loop_t *loop;
    struct chunk *chunk;
    const struct upstream *const *upstreams; /* what they point to must stay until done */
    size_t upstream_count;
    struct bytes request; /* copied */
    /* Every host has ended its connection or could not be reached, or the longest of the upstreams' connect
     * timeouts is over. A host without power had better not make each request take that long: it is given up
     * CANCEL_GRACE_MS after another has ended its connection, or after it was asked for one itself where its
     * name took longer to be looked up. Comes once, later, from the loop. */
    void (*done)(void *owner);
    void *owner;
};

/* Each host is reached as its upstream says, whether it accepts writes or not. NULL when memory is short. */
MUST_USE struct cancel *cancel_start(const struct cancel_plan *plan);
/* Gives up what is under way: `done` comes soon. */
void cancel_stop(struct cancel *cancel);

#endif
