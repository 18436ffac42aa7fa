/* SPDX-License-Identifier: PostgreSQL */
#ifndef NET_LINK_H
#define NET_LINK_H

#include "base/attributes.h"
#include "base/bytes.h"
#include "base/address.h"
#include "net/chunk.h"

#include <uv.h>

/* One socket (TCP or Unix): reads into the worker's chunk, writes in order, counts what waits, closes exactly once.
 *
 *   opened ── link_read_start / link_read_stop ──► link_close ──► on_closed, memory may go
 *
 * What link_send cannot hand to the kernel at once is copied and queued. When more than LINK_HIGH_WATER bytes wait,
 * link_is_full says so: the owner stops reading the other side; on_drained comes when less than LINK_LOW_WATER wait. */
enum { LINK_HIGH_WATER = 256 * 1024, LINK_LOW_WATER = 64 * 1024 };

struct link;

struct link_events {
    /* Bytes came; they must be used up or copied before it returns. */
    void (*on_bytes)(struct link *link, struct bytes bytes);
    /* The peer ended its side (error == 0) or the socket failed (a negative libuv code). Comes once. */
    void (*on_end)(struct link *link, int error);
    void (*on_drained)(struct link *link);
    void (*on_closed)(struct link *link);
};

struct link {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } socket;
    const struct link_events *events;
    struct chunk *chunk;
    size_t waiting; /* bytes queued and not yet taken by the kernel */
    bool is_reading;
    bool is_full;    /* went above high water and has not been below low water since */
    bool has_ended;  /* on_end was called */
    bool is_closing;
    bool is_shutting; /* our side is to end once all is written */
};

/* Prepares a link whose socket is not open yet. 0 or a negative libuv code. */
MUST_USE int link_init(struct link *link, uv_loop_t *loop, enum address_family family, struct chunk *chunk,
                       const struct link_events *events);
/* Sets what every data connection gets: TCP_NODELAY and keep-alive. For TCP, after it is connected or accepted. */
void link_tune(struct link *link);
void link_read_start(struct link *link);
void link_read_stop(struct link *link);
/* Sends after all that was sent before. Errors come as on_end. */
void link_send(struct link *link, struct bytes bytes);
/* Ends our side of the stream once all is written; reading goes on. */
void link_shutdown(struct link *link);
/* Writes what waits (for at most a few seconds), then closes. */
void link_close_flushed(struct link *link);
/* Closes now; the only place that closes the handle. Harmless when it is closing already. */
void link_close(struct link *link);
/* Where the peer is. */
void link_peer(const struct link *link, struct address *out);

#endif
