/* SPDX-License-Identifier: PostgreSQL */
#ifndef NET_ROSTER_H
#define NET_ROSTER_H

#include "base/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The workers, how many connections each has, and those on their way from one to another. It is looked at
 * when a connection is accepted, never for a byte. Without locks: a thread that stands still stands in
 * nobody's way, wherever it was. */
struct roster;

enum { ROSTER_UNDERWAY_MOST = 512 }; /* connections on their way to one worker */
#define ROSTER_NOBODY UINT32_MAX     /* no worker */

/* An accepted socket of which nothing was read, and the number of the listener it came to. */
struct arrival {
    int socket;
    uint32_t listener;
};

/* How a worker does, seen from outside. */
struct seat_view {
    uint64_t connections; /* it has, with those on their way to it */
    uint64_t handed;      /* it was handed since the start */
    uint64_t beats;       /* signs of life since the start */
    bool has_ended;
};

/* Wakes a worker, from any thread. */
typedef void (*roster_wake)(void *owner);

/* NULL when memory is short. */
struct roster *roster_create(uint32_t workers);
/* Before anybody places anything: how a worker is woken for what is handed to it. */
void roster_join(struct roster *roster, uint32_t worker, roster_wake wake, void *owner);
/* Closes the sockets that nobody took. NULL is allowed. */
void roster_destroy(struct roster *roster);

/* ── Any thread ────────────────────────────────────────────────────────────────────────────────────────────
 */

/* Who is to have a connection that `self` (a worker, or ROSTER_NOBODY) accepts: itself unless another has
 * fewer. Those that are away, have left, or have as many on their way as there may be are left out. The
 * connection counts as that worker's from now on, so that of many at once not all go to the same.
 * ROSTER_NOBODY: none is there to have it. */
MUST_USE uint32_t roster_place(struct roster *roster, uint32_t self);
/* Places it with that worker, whatever the others have. */
void roster_place_with(struct roster *roster, uint32_t worker);
/* Sends what was placed on its way. False when the worker takes it not: the socket is still the caller's, and
 * counts as nobody's. */
MUST_USE bool roster_hand(struct roster *roster, uint32_t worker, struct arrival arrival);
/* Whether somebody is there to be handed something. */
bool roster_has_room(const struct roster *roster);
struct seat_view roster_view(const struct roster *roster, uint32_t worker);

/* ── The worker ────────────────────────────────────────────────────────────────────────────────────────────
 */

/* A sign of life; whenever it was woken. */
void roster_beat(struct roster *roster, uint32_t worker);
/* A connection came that was placed with itself. */
void roster_keep(struct roster *roster, uint32_t worker);
/* The next that was handed to it. False: there is none. */
MUST_USE bool roster_take(struct roster *roster, uint32_t worker, struct arrival *out);
/* So many it has of all that it kept and took; the others are gone. */
void roster_tell(struct roster *roster, uint32_t worker, uint64_t connections);
/* It takes none any more, but for those that roster_take still has for it. */
void roster_leave(struct roster *roster, uint32_t worker);
/* The last it says: no sign of life comes any more. */
void roster_end(struct roster *roster, uint32_t worker);

/* ── The control thread ────────────────────────────────────────────────────────────────────────────────────
 */

/* Nobody hands anything to one who is away. */
void roster_set_away(struct roster *roster, uint32_t worker, bool is_away);
/* Takes back what is on its way to a worker. False: there is nothing. */
MUST_USE bool roster_take_back(struct roster *roster, uint32_t worker, struct arrival *out);

#endif
