/* SPDX-License-Identifier: PostgreSQL */
#ifndef NET_LANE_H
#define NET_LANE_H

#include "net/link_state.h"

#include <stdlib.h>

/* How a link's bytes move: by calls for what the set of sockets says is ready, or by the set's ring. A link
 * changes from one to the other while it is open. Its queue, its TLS and its end are above this, and know
 * neither. For src/net only.
 *
 * _open        takes over a connected socket; 0 or a negative libuv code: the socket is still the caller's
 * _let_go      what it did for the socket is undone: the link has it no more, or is with the other lane
 * _attend      is_reading has changed, or a stream has ended: what is read comes as link_arrived and
 *              link_stopped, from the loop, or nothing comes any more
 * _write_now   takes off the bytes what the kernel takes at once: nothing while something waits, or where the
 *              lane puts the write off; 0 or a negative code
 * _refer       a piece that refers to the bytes where they were read; NULL where that does not pay
 * _drop        lets go of the block that a piece refers to
 * _write       writes what waits once the kernel takes it; link_written comes from the loop
 * _flush       offers the kernel at once what it was not offered yet
 * _close       comes to link_closed, at the end of a turn; at once where the link was never open
 */

/* ── lane_poll.c ────────────────────────────────────────────────────────────────────────────────────────
 */

MUST_USE int lane_poll_open(struct link *link, int socket);
void lane_poll_let_go(struct link *link, const struct link_poll *poll);
void lane_poll_attend(struct link *link);
MUST_USE int lane_poll_write_now(struct link *link, struct bytes *bytes);
void lane_poll_write(struct link *link);
void lane_poll_flush(struct link *link);
void lane_poll_close(struct link *link);

/* ── lane_ring.c ────────────────────────────────────────────────────────────────────────────────────────
 */

MUST_USE int lane_ring_open(struct link *link, int socket);
void lane_ring_let_go(struct link *link, const struct link_ring *ring);
void lane_ring_attend(struct link *link);
struct link_piece *lane_ring_refer(struct link *link, struct bytes bytes);
void lane_ring_drop(struct link *link, struct uring_block *block);
void lane_ring_flush(struct link *link);
void lane_ring_close(struct link *link);

/* ── lane.c ────────────────────────────────────────────────────────────────────────────────────────────────
 */

/* As above. All begin with the set of sockets, unless its ring is for all. */
MUST_USE int lane_open(struct link *link, int socket);
/* Goes over to the other lane. The link is open, and not closing; nothing waits to be written, nothing is
 * held, and the lane it leaves does nothing for it. False where memory is short, or the bound of what may be
 * watched is reached: all is as it was. */
MUST_USE bool lane_change(struct link *link);
/* Where the timers of the link run. */
uv_loop_t *lane_loop(const struct link *link);
/* The spare pieces. */
struct link_pieces *lane_pieces(const struct link *link);

/* ── Whichever it is ───────────────────────────────────────────────────────────────────────────────────────
 */

static inline void lane_init(struct link *link)
{
    link->socket.poll.descriptor = -1;
}

/* -1 when it is not open. */
static inline int lane_socket(const struct link *link)
{
    return link->is_by_ring ? link->socket.ring.descriptor : link->socket.poll.descriptor;
}

static inline void lane_attend(struct link *link)
{
    if (link->is_by_ring)
        lane_ring_attend(link);
    else
        lane_poll_attend(link);
}

MUST_USE static inline int lane_write_now(struct link *link, struct bytes *bytes)
{
    return link->is_by_ring ? 0 : lane_poll_write_now(link, bytes);
}

static inline struct link_piece *lane_refer(struct link *link, struct bytes bytes)
{
    return link->is_by_ring ? lane_ring_refer(link, bytes) : NULL;
}

static inline void lane_release(struct link *link, struct link_piece *piece)
{
    if (piece->block != NULL)
        lane_ring_drop(link, piece->block);
    link_piece_give(lane_pieces(link), piece);
}

static inline void lane_write(struct link *link)
{
    if (link->is_by_ring)
        lane_ring_attend(link); /* it looks at what waits */
    else
        lane_poll_write(link);
}

static inline void lane_flush(struct link *link)
{
    if (link->is_by_ring)
        lane_ring_flush(link);
    else
        lane_poll_flush(link);
}

static inline void lane_close(struct link *link)
{
    if (link->is_by_ring)
        lane_ring_close(link);
    else
        lane_poll_close(link);
}

#endif
