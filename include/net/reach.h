/* SPDX-License-Identifier: PostgreSQL */
#ifndef NET_REACH_H
#define NET_REACH_H

#include "net/link.h"
#include "net/upstream.h"

/* One try to have an open link to an upstream: dials its hosts in order and, where the upstream asks for it,
 * agrees on TLS with the host that answered (manual: "SSL Session Encryption"). A host with which that fails
 * counts as not reached and the next is tried.
 *
 *   host ──► dial ──► socket ──► SSLRequest ──'S'──► handshake ──► done
 *    ▲        │                      │ 'N'               │
 *    └────────┴── failed ◄───────────┴───────────────────┘   */
struct reach;

/* How it went: the link is open and ready to send, its events are the owner's from now on; or it is closed
 * (the owner may init it anew or leave it) and `why` says of each host what happened, until the call ends. */
typedef void (*reach_done)(void *owner, bool is_open, const char *why);

struct reach_plan {
    uv_loop_t *loop;
    struct link *link; /* memory of the owner's, not open; untouched by the owner until done */
    const struct link_events *events;
    struct chunk *chunk;
    const struct upstream *upstream;
    reach_done done; /* comes once, later, from the loop */
    void *owner;
};

/* NULL when memory is short. */
MUST_USE struct reach *reach_start(const struct reach_plan *plan);
/* For how long the host that is tried now was asked for a connection and has not answered; 0 while its name
 * is being looked up, and once it has accepted one: what is left then is to agree on TLS. */
uint64_t reach_unanswered_ms(const struct reach *reach);
/* Gives up: `done` does not come. A link that is open by then is closed; events->on_closed comes for it when
 * it had been initialised (the result says whether). */
bool reach_cancel(struct reach *reach);

#endif
