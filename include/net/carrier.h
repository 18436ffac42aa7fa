/* SPDX-License-Identifier: PostgreSQL */
#ifndef NET_CARRIER_H
#define NET_CARRIER_H

#include "net/link_state.h"

/* How a link's bytes move: by libuv or by a ring of the kernel's, as the link's chunk says. The link's queue,
 * its TLS and its end are above this, and know neither. For src/net only.
 *
 *   _init        prepares a link that is not open yet; one without memory for its handle cannot be opened
 *   _open        takes over a connected socket; 0 or a negative libuv code, the socket is then still the
 * caller's _socket      -1 when it is not open _loop        where the timers of the link run _read_start what
 * is read comes as link_arrived and link_stopped, from the loop _read_stop   nothing comes until _read_start
 *   _write_now   takes off the bytes what the kernel takes at once, perhaps nothing, while nothing waits; 0
 * or a negative libuv code _refer       a piece that refers to the bytes where they were read; NULL where
 * that cannot be or does not pay _release     lets go of the block that a piece refers to _room        how
 * much a first piece of so many bytes should have room for _write       begins to write what waits, where
 * nothing is under way; link_written comes from the loop _taken       bytes of what is under way that the
 * kernel has taken already _close       comes to link_closed, from the loop; at once where the link was never
 * open
 */

/* ── carrier_uv.c ──────────────────────────────────────────────────────────────────────────────────────────
 */

void carrier_uv_init(struct link *link, uv_loop_t *loop, enum address_family family);
MUST_USE int carrier_uv_open(struct link *link, int socket);
int carrier_uv_socket(const struct link *link);
uv_loop_t *carrier_uv_loop(const struct link *link);
void carrier_uv_read_start(struct link *link);
void carrier_uv_read_stop(struct link *link);
MUST_USE int carrier_uv_write_now(struct link *link, struct bytes *bytes);
void carrier_uv_write(struct link *link);
size_t carrier_uv_taken(const struct link *link);
void carrier_uv_close(struct link *link);

/* ── carrier_ring.c ────────────────────────────────────────────────────────────────────────────────────────
 */

MUST_USE int carrier_ring_open(struct link *link, int socket);
uv_loop_t *carrier_ring_loop(const struct link *link);
void carrier_ring_attend(struct link *link);
struct link_piece *carrier_ring_refer(struct link *link, struct bytes bytes);
void carrier_ring_release(struct link *link, struct link_piece *piece);
void carrier_ring_close(struct link *link);

/* ── Whichever it is ───────────────────────────────────────────────────────────────────────────────────────
 */

/* What a first piece has room for at least, so that what is said together goes together. */
enum { CARRIER_RING_ROOM = 960 };

static inline bool carrier_is_ring(const struct link *link)
{
    return link->chunk->uring != NULL;
}

static inline void carrier_init(struct link *link, uv_loop_t *loop, enum address_family family)
{
    if (carrier_is_ring(link))
        link->socket.ring.descriptor = -1;
    else
        carrier_uv_init(link, loop, family);
}

MUST_USE static inline int carrier_open(struct link *link, int socket)
{
    return carrier_is_ring(link) ? carrier_ring_open(link, socket) : carrier_uv_open(link, socket);
}

static inline int carrier_socket(const struct link *link)
{
    return carrier_is_ring(link) ? link->socket.ring.descriptor : carrier_uv_socket(link);
}

static inline uv_loop_t *carrier_loop(const struct link *link)
{
    return carrier_is_ring(link) ? carrier_ring_loop(link) : carrier_uv_loop(link);
}

static inline void carrier_read_start(struct link *link)
{
    if (carrier_is_ring(link))
        carrier_ring_attend(link); /* it looks at is_reading */
    else
        carrier_uv_read_start(link);
}

static inline void carrier_read_stop(struct link *link)
{
    if (!carrier_is_ring(link))
        carrier_uv_read_stop(link);
}

MUST_USE static inline int carrier_write_now(struct link *link, struct bytes *bytes)
{
    return carrier_is_ring(link) ? 0 : carrier_uv_write_now(link, bytes);
}

static inline struct link_piece *carrier_refer(struct link *link, struct bytes bytes)
{
    return carrier_is_ring(link) ? carrier_ring_refer(link, bytes) : NULL;
}

static inline void carrier_release(struct link *link, struct link_piece *piece)
{
    if (piece->block != NULL)
        carrier_ring_release(link, piece);
}

static inline size_t carrier_room(const struct link *link, size_t size)
{
    return carrier_is_ring(link) && size < CARRIER_RING_ROOM ? CARRIER_RING_ROOM : size;
}

static inline void carrier_write(struct link *link)
{
    if (carrier_is_ring(link))
        carrier_ring_attend(link); /* it looks at what waits */
    else
        carrier_uv_write(link);
}

static inline size_t carrier_taken(const struct link *link)
{
    return carrier_is_ring(link) ? 0 : carrier_uv_taken(link);
}

static inline void carrier_close(struct link *link)
{
    if (carrier_is_ring(link))
        carrier_ring_close(link);
    else
        carrier_uv_close(link);
}

#endif
