/* SPDX-License-Identifier: PostgreSQL */
#ifndef NET_RELAY_H
#define NET_RELAY_H

#include "base/list.h"
#include "net/link.h"
#include "session/session.h"

/* Where sessions go: the hosts are tried in order. */
struct upstream {
    const char *name;
    const struct address *hosts; /* TCP, names or Unix sockets */
    size_t host_count;
    uint64_t connect_timeout_ms; /* for each host */
};

/* What all relays of one worker share. */
struct relay_shared {
    uv_loop_t *loop;
    struct chunk *chunk;
    struct session_world *world;
    struct list relays; /* of all that are open */
    size_t relay_count;
    uint64_t login_timeout_ms; /* 0: none */
    uint64_t shutdown_ms;
    bool is_draining;
    void (*on_empty)(struct relay_shared *shared); /* draining, and the last relay has gone; may be NULL */
};

/* Two links and a session between them: feeds the session what arrives, carries its segments out, and stops reading one
 * side while the other is full. It owns itself: it is freed when both links are closed. */
struct relay;

/* Takes a connection that `listener` (a listening uv stream) has announced. */
void relay_accept(struct relay_shared *shared, uv_stream_t *listener, enum address_family family,
                  const struct upstream *upstream);
/* Lets idle sessions end now (FATAL 57P01), others when they become idle; at the latest after `grace_ms`. */
void relay_drain_all(struct relay_shared *shared, uint64_t grace_ms);
/* Appends a row for each relay's session to the snapshot. */
void relay_describe_all(const struct relay_shared *shared, struct snapshot *out);

#endif
