/* SPDX-License-Identifier: PostgreSQL */
#ifndef NET_LANE_H
#define NET_LANE_H

#include "net/link_state.h"

#include <stdlib.h>

/* How a link's bytes move: by calls for what is ready or by a ring of the kernel's, as the link's chunk says.
 * The link's queue, its TLS and its end are above this, and know neither. For src/net only.
 *
 * _open        takes over a connected socket; 0 or a negative libuv code: the socket is still the caller's
 * _socket      -1 when it is not open
 * _loop        where the timers of the link run
 * _attend      is_reading has changed, or a stream has ended: what is read comes as link_arrived and
 *              link_stopped, from the loop, or nothing comes any more
 * _write_now   takes off the bytes what the kernel takes at once: nothing while something waits, or where the
 *              lane puts the write off; 0 or a negative code
 * _refer       a piece that refers to the bytes where they were read; NULL where that does not pay
 * _pieces      the spare pieces
 * _release     frees a piece, and lets go of the block that it refers to
 * _write       writes what waits once the kernel takes it; link_written comes from the loop
 * _flush       offers the kernel at once what it was not offered yet
 * _close       comes to link_closed, at the end of a turn; at once where the link was never open
 */

/* ── lane_poll.c ────────────────────────────────────────────────────────────────────────────────────────
 */

MUST_USE int lane_poll_open(struct link *link, int socket);
uv_loop_t *lane_poll_loop(const struct link *link);
void lane_poll_attend(struct link *link);
MUST_USE int lane_poll_write_now(struct link *link, struct bytes *bytes);
struct link_pieces *lane_poll_pieces(const struct link *link);
void lane_poll_write(struct link *link);
void lane_poll_flush(struct link *link);
void lane_poll_close(struct link *link);

/* ── lane_ring.c ────────────────────────────────────────────────────────────────────────────────────────
 */

MUST_USE int lane_ring_open(struct link *link, int socket);
uv_loop_t *lane_ring_loop(const struct link *link);
void lane_ring_attend(struct link *link);
struct link_piece *lane_ring_refer(struct link *link, struct bytes bytes);
struct link_pieces *lane_ring_pieces(const struct link *link);
void lane_ring_release(struct link *link, struct link_piece *piece);
void lane_ring_flush(struct link *link);
void lane_ring_close(struct link *link);

/* ── Whichever it is ───────────────────────────────────────────────────────────────────────────────────────
 */

static inline bool lane_is_ring(const struct link *link)
{
    return link->chunk->uring != NULL;
}

static inline void lane_init(struct link *link)
{
    if (lane_is_ring(link))
        link->socket.ring.descriptor = -1;
    else
        link->socket.poll.descriptor = -1;
}

MUST_USE static inline int lane_open(struct link *link, int socket)
{
    return lane_is_ring(link) ? lane_ring_open(link, socket) : lane_poll_open(link, socket);
}

static inline int lane_socket(const struct link *link)
{
    return lane_is_ring(link) ? link->socket.ring.descriptor : link->socket.poll.descriptor;
}

static inline uv_loop_t *lane_loop(const struct link *link)
{
    return lane_is_ring(link) ? lane_ring_loop(link) : lane_poll_loop(link);
}

static inline void lane_attend(struct link *link)
{
    if (lane_is_ring(link))
        lane_ring_attend(link);
    else
        lane_poll_attend(link);
}

MUST_USE static inline int lane_write_now(struct link *link, struct bytes *bytes)
{
    return lane_is_ring(link) ? 0 : lane_poll_write_now(link, bytes);
}

static inline struct link_piece *lane_refer(struct link *link, struct bytes bytes)
{
    return lane_is_ring(link) ? lane_ring_refer(link, bytes) : NULL;
}

static inline struct link_piece *lane_piece(const struct link *link, size_t capacity)
{
    return link_piece_take(lane_is_ring(link) ? lane_ring_pieces(link) : lane_poll_pieces(link), capacity);
}

static inline void lane_release(struct link *link, struct link_piece *piece)
{
    if (lane_is_ring(link))
        lane_ring_release(link, piece);
    else
        link_piece_give(lane_poll_pieces(link), piece);
}

static inline void lane_write(struct link *link)
{
    if (lane_is_ring(link))
        lane_ring_attend(link); /* it looks at what waits */
    else
        lane_poll_write(link);
}

static inline void lane_flush(struct link *link)
{
    if (lane_is_ring(link))
        lane_ring_flush(link);
    else
        lane_poll_flush(link);
}

static inline void lane_close(struct link *link)
{
    if (lane_is_ring(link))
        lane_ring_close(link);
    else
        lane_poll_close(link);
}

#endif
