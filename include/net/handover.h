/* SPDX-License-Identifier: PostgreSQL */
#ifndef NET_HANDOVER_H
#define NET_HANDOVER_H

#include "net/listener.h"
#include "net/roster.h"

/* One worker's part in spreading connections evenly: what it accepts it keeps, or hands to the worker that
 * has the fewest, before anything was read of it. From then on the connection stays where it is. */
struct handover {
    struct roster *roster;
    uint32_t worker;
    struct relay_shared *shared;       /* of this worker */
    const struct listener_plan *plans; /* of all listeners; the same for all workers */
};

/* Takes an accepted socket over. The plan is one of `plans`. */
void handover_accept(const struct handover *handover, int socket, const struct listener_plan *plan);
/* Takes what was handed to this worker; when it is woken. */
void handover_take(const struct handover *handover);
/* Tells the others how many connections this worker has; now and then. */
void handover_tell(const struct handover *handover);
/* Takes what is on its way, and from then on nothing any more. */
void handover_leave(const struct handover *handover);

#endif
