/* SPDX-License-Identifier: PostgreSQL */
#ifndef NET_POLL_SET_STATE_H
#define NET_POLL_SET_STATE_H

#include "net/link_state.h"
#include "net/poll_set.h"
#include "net/write_batch.h"

#include <sys/epoll.h>

/* The inside of a set: for src/net only. */

/* Sockets that one wait tells of; links that rest at the same time: any more go on without rests. */
enum { POLL_SET_READY_MOST = 256, POLL_SET_RESTS_MOST = 64 };
/* Turns in which a link was read before it goes over to the ring, which costs as much as one or two of them:
 * a connection that only logs in and asks one thing stays. */
enum { LANE_POLL_TURNS = 8 };

struct poll_rest {
    struct link *link; /* NULL: it rests no more */
    uint64_t due_ns;   /* by uv_hrtime */
};

struct poll_set {
    int sockets; /* epoll's descriptor */
    int timer;   /* of the rests: the loop's own timers count milliseconds */
    uv_loop_t *loop;
    size_t links;         /* open */
    struct link *closing; /* those of which on_closed is still to be told */
    /* a circle, the first due first: all rests are of the same length */
    struct poll_rest rests[POLL_SET_RESTS_MOST];
    size_t first_rest;
    size_t rest_count;
    struct link_pieces pieces;
    struct write_batch batch; /* the writes of a turn */
    struct epoll_event ready[POLL_SET_READY_MOST];
    struct uring *uring;  /* NULL: it has none */
    bool is_ring_for_all; /* links are opened on it, and stay */
    bool is_busy;
    unsigned turns_before_ring; /* LANE_POLL_TURNS, or fewer */
    bool is_loop_due;
    bool has_stopped;
};

/* ── poll_set.c ────────────────────────────────────────────────────────────────────────────────────────────
 */

/* Tells of a link's socket when it is ready for `events` (EPOLLIN, EPOLLOUT), and when it has failed; with 0
 * of a failure only. With EPOLLIN alone it tells once of what has come, until more comes or _change. _add: 0
 * or a negative libuv code; _change cannot fail for a socket that was added; _remove before the socket is
 * closed. */
MUST_USE int poll_set_add(struct poll_set *set, struct link *link, int socket, unsigned events);
void poll_set_change(struct poll_set *set, struct link *link, int socket, unsigned events);
void poll_set_remove(struct poll_set *set, int socket);
/* link_closed comes at the end of the turn. */
void poll_set_close(struct poll_set *set, struct link *link);
/* lane_poll_rested comes in LINK_REST_US. False where too many rest. */
MUST_USE bool poll_set_rest(struct poll_set *set, struct link *link);
/* lane_poll_rested does not come. */
void poll_set_wake(struct poll_set *set, const struct link *link);

/* ── lane_poll.c ───────────────────────────────────────────────────────────────────────────────────────────
 */

/* `events` as epoll names them: with EPOLLIN also whether something follows what came, its end (EPOLLRDHUP)
 * or what stands behind urgent data (EPOLLPRI). The link may be closing. */
void lane_poll_ready(struct link *link, unsigned events);
void lane_poll_rested(struct link *link);
/* Goes over to the ring, if it was read in as many turns as make it worth while. The link may be closing. */
void lane_poll_leave(struct link *link);
/* What the link has to write and was put off: by a call of its own; and its outcome where the batch wrote it,
 * the bytes that the kernel took or a negative libuv code. */
void lane_poll_write_waiting(struct link *link);
void lane_poll_written(struct link *link, ssize_t result);

#endif
