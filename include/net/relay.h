/* SPDX-License-Identifier: PostgreSQL */
#ifndef NET_RELAY_H
#define NET_RELAY_H

#include "base/list.h"
#include "base/slab.h"
#include "net/link.h"
#include "net/upstream.h"
#include "session/session.h"

#include <stdatomic.h>

/* Two links and a session between them: feeds the session what arrives, carries its segments out, and stops
 * reading one side while the other is full. It owns itself: it is freed when both links are closed and no
 * cancel request is under way. */
struct relay;

/* When the wall clock is read for what comes. */
enum relay_time {
    TIME_READ_EACH, /* for each by itself: while relay_shared_turn is not called */
    TIME_UNREAD,
    TIME_READ, /* for all that comes in this turn */
};

/* What all relays of one worker share. */
struct relay_shared {
    /* set by the owner before relay_shared_open */
    uv_loop_t *loop;
    struct chunk *chunk;
    struct session_world *world;
    uint64_t login_timeout_ms;                     /* 0: none; may change at any time */
    int64_t idle_timeout_us;                       /* 0: none; of sessions outside a transaction */
    int64_t idle_in_transaction_timeout_us;        /* 0: none */
    size_t relays_most;                            /* of this worker, logged in or not; 0: no bound */
    void (*on_empty)(struct relay_shared *shared); /* draining, and the last relay has gone; may be NULL */
    /* Sets has_news back, and changes in `world` what another thread wants changed; NULL where that is never
     * set. */
    void (*on_news)(struct relay_shared *shared);
    atomic_bool has_news; /* set by any thread: what comes from then on is judged by what is new */
    /* A relay is in one of these lists: */
    struct list logins;  /* its session has not logged in yet; the longest waiting first */
    struct list relays;  /* its session has */
    struct list endings; /* its session is over, its links are being flushed and closed */
    size_t relay_count;  /* in all three */
    struct slab slab;    /* of which they are made */
    uv_timer_t deadline; /* of the first login; not running while none waits */
    uv_timer_t grace;    /* of draining */
    uv_timer_t sweep;    /* looks for sessions that rest; not running where none is to be ended */
    size_t cancel_count; /* cancel requests on their way */
    enum relay_time time;
    bool is_draining;
};

/* Cancel requests of a worker that may be on their way at a time: each opens a connection to every host, and
 * comes before any login. Those beyond are dropped, as a network might drop them. */
enum { RELAY_CANCELS_MOST = 64 };

void relay_shared_open(struct relay_shared *shared);
/* Closes the timers; the memory may go once the loop has run their close callbacks. Only when there is no
 * relay. */
void relay_shared_close(struct relay_shared *shared);

/* The loop is about to wait: what comes behind it has come at another time, all of it at the same. */
static inline void relay_shared_turn(struct relay_shared *shared)
{
    shared->time = TIME_UNREAD;
}

/* Takes what is new, if something is, before anything else is judged; by the time that is then read. Done for
 * all that comes. */
void relay_shared_hear(struct relay_shared *shared);

struct listener_plan;

/* Takes an accepted socket over, and from then on the client that is at its end. The plan must stay as long
 * as there are relays of it. */
void relay_accept(struct relay_shared *shared, int socket, const struct listener_plan *plan);
/* Ends idle sessions now (FATAL 57P01), others when they become idle; after `grace_ms` all that are left.
 * From now on no client is taken. on_empty comes before it returns when there is no relay. */
void relay_drain_all(struct relay_shared *shared, uint64_t grace_ms);
/* Appends a row for each relay's session to the snapshot. */
void relay_describe_all(const struct relay_shared *shared, struct snapshot *out);

#endif
