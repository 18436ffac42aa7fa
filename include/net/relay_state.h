/* SPDX-License-Identifier: PostgreSQL */
#ifndef NET_RELAY_STATE_H
#define NET_RELAY_STATE_H

#include "net/cancel.h"
#include "net/listener.h"
#include "net/reach.h"
#include "net/relay.h"

/* The inside of a relay: for src/net only. */

/* What is read of a client at once before its login: as much may have to be kept until the server is there.
 */
enum { READ_BEFORE_LOGIN = 4096 };

struct relay_end {
    struct link link;
    enum side side;
    bool is_open; /* the link was initialised and is not yet closed */
};

/* Why the client is not read although there is room. */
enum relay_wait { WAIT_NONE, WAIT_DIAL, WAIT_HOLD };

struct relay {
    struct relay_end ends[2]; /* by enum side */
    struct list node;         /* in one of the lists of relay_shared */
    struct relay_shared *shared;
    const struct listener_plan *plan;
    const struct upstream *upstream;
    struct session *session;     /* NULL: it is over */
    struct reach *reach;         /* under way, or NULL */
    struct cancel *cancel;       /* so; it goes on when the session is over */
    uint8_t *held;               /* what the client sent and the session has not taken yet, or NULL */
    struct census_entry *census; /* its part in the census, or NULL */
    uint32_t held_size;          /* bytes */
    uint32_t opened_ms;          /* by the loop's clock, whose higher bits do not count */
    uint8_t wait;                /* enum relay_wait */
    bool has_logged_in;
    bool awaits_header; /* a PROXY header, of which `held` has the beginning */
    bool is_stray;      /* comes from no balancer though only they may come */
};

/* ── relay.c ───────────────────────────────────────────────────────────────────────────────────────────────
 */

/* What the links of a relay tell it. */
extern const struct link_events relay_link_events;
/* Feeds what comes from that side, and sees to what follows. */
void relay_feed(struct relay *relay, enum side from, struct bytes input);
/* Feeds what the client sent while the session took nothing from it. */
void relay_feed_held(struct relay *relay);
/* Sees to what follows from where things stand. */
void relay_settle(struct relay *relay);
/* Frees it when nothing of it is left. */
void relay_free_if_done(struct relay *relay);
/* Ends the session with a FATAL error of ours for the client; `reason` is for the log. */
void relay_refuse(struct relay *relay, const char *sqlstate, const char *message, const char *detail,
                  const char *reason);
/* Ends the session; what was sent is flushed, then both links close. */
void relay_end(struct relay *relay, const char *reason);
/* Ends the session if need be and closes both links at once. */
void relay_abort(struct relay *relay, const char *reason);

/* ── relay_client.c ────────────────────────────────────────────────────────────────────────────────────────
 */

/* Takes what came before the PROXY header was whole. */
void relay_take_header(struct relay *relay, struct bytes bytes);

/* ── relay_idle.c ──────────────────────────────────────────────────────────────────────────────────────────
 */

/* Begins to look for sessions that rest too long, where that is asked for. */
void relay_sweep_start(struct relay_shared *shared);

/* ── relay_server.c ────────────────────────────────────────────────────────────────────────────────────────
 */

/* Connects the session to its upstream, or sends its cancel request out. */
void relay_dial(struct relay *relay);
/* Ends the session because its upstream cannot be had; `why` is for the client and for the log. */
void relay_refuse_unreached(struct relay *relay, const char *why);

/* ── relay_shared.c ────────────────────────────────────────────────────────────────────────────────────────
 */

void relay_shared_add(struct relay_shared *shared, struct relay *relay);
/* The session has logged in. */
void relay_shared_promote(struct relay *relay);
/* The session is over. */
void relay_shared_retire(struct relay *relay);
/* Both links are closed: frees it. */
void relay_shared_remove(struct relay *relay);
/* Draining: ends the session if that cuts nothing short. */
void relay_shared_drain(struct relay *relay);
/* Before each feed: hears what is new, and reads the wall clock for the sessions, where it was not read in
 * this turn. */
void relay_shared_tick(struct relay_shared *shared);

#endif
