/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_PROBER_H
#define APP_PROBER_H

#include "app/transport.h"

#include <uv.h>

/* Asks the hosts of the upstreams whose target is read-write, over and over, whether they accept writes, and
 * keeps their fitness in the transport. On the control thread. */
struct prober;

/* What became of a host, when it is not what it was. `reason` is empty unless it is HOST_DOWN. */
struct host_change {
    const char *upstream;
    const struct address *host;
    enum host_fitness fitness;
    const char *reason;
};

/* Begins with all hosts at once; `on_change` comes from the loop. NULL when memory is short. */
struct prober *prober_start(uv_loop_t *loop, struct transport *transport,
                            void (*on_change)(void *owner, const struct host_change *change), void *owner);
/* Ends all questions; the memory goes in the loop. NULL is allowed. */
void prober_stop(struct prober *prober);

/* "accepts writes", "is read-only", "cannot be asked". */
const char *host_fitness_about(enum host_fitness fitness);

#endif
