/* SPDX-License-Identifier: PostgreSQL */
#ifndef NET_LINK_STATE_H
#define NET_LINK_STATE_H

#include "net/link.h"

/* The inside of a link: for src/net only. */

/* ── link.c ────────────────────────────────────────────────────────────────────────────────────────────────
 */

/* A link that brings a stream, such as the rows of a COPY, is read after rests: what comes in between is
 * taken at once, and the sender has nobody to wake for each piece of it. A stream it is when LINK_STREAK
 * reads of LINK_LARGE_READ bytes or more came with nothing said in return, and as long as each rest brings
 * LINK_REST_LEAST bytes or more. Saying something ends a rest: the answer is not waited for longer. */
enum { LINK_LARGE_READ = 4096, LINK_STREAK = 15, LINK_REST_US = 100, LINK_REST_LEAST = 16 * 1024 };

static inline bool link_is_stream(const struct link *link)
{
    return link->streak == LINK_STREAK;
}

/* Whether the link is to rest after a read, or several at once, of so many bytes. For lanes. */
static inline bool link_is_to_rest(const struct link *link, size_t size)
{
    return link_is_stream(link) && size >= LINK_LARGE_READ && !link->is_closing;
}

/* The first read after a rest brought so many bytes. For lanes. */
static inline void link_rested(struct link *link, size_t size)
{
    if (link_is_stream(link) && size < LINK_REST_LEAST)
        link->streak = 0;
}

/* Bytes were read, which stay until it returns; the peer's end (0) or an error was. For lanes. */
void link_arrived(struct link *link, struct bytes bytes);
void link_stopped(struct link *link, int error);
/* The lane holds nothing of the link any more: frees what it has and tells the owner, who may free it. */
void link_closed(struct link *link);
/* Reads even when the peer's end was seen. */
void link_read_on(struct link *link);
/* The peer's end (0), or the socket's failure, told to the owner, or to nobody when the link only waits to be
 * closed. */
void link_end(struct link *link, int error);

/* ── link_queue.c ──────────────────────────────────────────────────────────────────────────────────────────
 */

/* A part of what waits to be written. Those that are in the kernel's hands, always the first, do
 * not change; the last of the others still grows. */
struct link_piece {
    struct link_piece *next;
    const uint8_t *data; /* its own, or in a block of the ring */
    size_t size;         /* bytes at data */
    size_t capacity;     /* of its own */
    bool is_under_way;
    struct uring_block *block; /* NULL: the data is its own */
    uint8_t own[];
};

/* The kernel took so many bytes of what was under way, or a negative libuv code: none. More than there were
 * are all of them. For lanes. */
void link_written(struct link *link, ssize_t result);

/* Bytes of what is under way. */
size_t link_under_way(const struct link *link);
/* Takes off the front what the kernel took; what was under way and is left waits again. For lanes. */
void link_took(struct link *link, size_t taken);
/* Writes the bytes as they are, after all that waits. */
void link_write(struct link *link, struct bytes bytes);
/* Nothing can be written any more; on_end comes from the loop. */
void link_fail(struct link *link, int error);
/* Once nothing waits: ends our side if that was asked for, closes if the peer's end was all that was missing.
 */
void link_settle(struct link *link);
/* Offers the kernel at once what waits; what it does not take waits on. 0 or a negative libuv code, which was
 * not told to anybody. For lanes. */
int link_flush(struct link *link);
/* Frees what waits. */
void link_drop_queue(struct link *link);

/* ── link_pieces.c ─────────────────────────────────────────────────────────────────────────────────────────
 */

/* Room of a spare piece, in bytes: enough for most of what is said at once. */
enum { LINK_PIECE_ROOM = 960 };

/* Spare pieces, which the links of a lane share; all zero there are none. */
struct link_pieces {
    struct link_piece *spare;
    size_t count;
};

/* An empty piece with room for so many bytes, or more; NULL where memory is short. */
struct link_piece *link_piece_take(struct link_pieces *pieces, size_t capacity);
void link_piece_give(struct link_pieces *pieces, struct link_piece *piece);
void link_pieces_free(struct link_pieces *pieces);

/* ── link_tls.c ────────────────────────────────────────────────────────────────────────────────────────────
 */

/* Of links with a stream: ciphertext was read; plaintext is to be sent; nothing will be sent any more. */
void link_unseal(struct link *link, struct bytes ciphertext);
void link_seal(struct link *link, struct bytes plaintext);
void link_seal_end(struct link *link);

#endif
