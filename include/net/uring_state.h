/* SPDX-License-Identifier: PostgreSQL */
#ifndef NET_URING_STATE_H
#define NET_URING_STATE_H

#include "net/link_state.h"
#include "net/run_queue.h"
#include "net/uring.h"

#include <liburing.h>

/* The inside of a ring: for src/net only. */

/* What is read lies in blocks of URING_BLOCK_SIZE bytes. The kernel has URING_BLOCKS_FIRST of them to fill,
 * and where that was not enough for many links, more: one for each link, up to URING_BLOCKS_MOST. */
enum { URING_BLOCK_SIZE = 16 * 1024, URING_BLOCKS_FIRST = 16, URING_BLOCKS_MOST = 256 };
/* Pieces that one write takes, and such writes before the kernel has to be called. */
enum { URING_PIECES_AT_ONCE = 16, URING_WRITES_AT_ONCE = 32 };

/* It goes back to the kernel once it was looked at; where something still needs what is in it, another takes
 * its place. */
struct uring_block {
    struct uring_block *next; /* among the spare ones */
    unsigned references;      /* the kernel's or the reader's, and those of pieces and of what is held */
    uint8_t data[URING_BLOCK_SIZE];
};

struct uring_pool {
    struct io_uring_buf_ring *ring;
    struct uring_block *blocks[URING_BLOCKS_MOST]; /* the kernel's, by number */
    unsigned short count;
    struct uring_block *spare;
    size_t spare_count;
};

/* The writes that take several pieces; the kernel has copied them when it took them. */
struct uring_write {
    struct msghdr message;
    struct iovec pieces[URING_PIECES_AT_ONCE];
};

/* A write that the kernel takes at once, and of which it only tells when it did not take all. */
struct uring_sending {
    struct link *link;
    unsigned position; /* of its entry, as the ring counts them */
};

struct uring {
    struct io_uring ring;
    int sockets; /* of the set's; while it is busy the ring watches it */
    int call;    /* an eventfd to which the kernel writes when something comes, while it is calm */
    struct uring_pool pool;
    struct uring_block *current;   /* what is being delivered, or NULL */
    struct run_queue queue;        /* with room for all links that are open */
    struct uring_sending *sending; /* in the order of their entries, with as much room */
    size_t sending_count;
    size_t links;   /* open */
    int known_most; /* descriptors below this can be in the ring's table, at the place of their number */
    struct uring_write writes[URING_WRITES_AT_ONCE];
    size_t write_count; /* not yet taken by the kernel */
    struct __kernel_timespec timeout;
    uint64_t due_ms; /* when the kernel's timer ends, by the loop's clock */
    bool is_timing;
    bool is_watching;
    bool is_ready; /* one of the sockets */
    bool is_calm;
    bool is_called; /* and has not looked since, or found something */
    bool is_enabled;
};

/* What an entry of the ring is about, in the low bits of its user data; the rest is the link's address. */
enum uring_topic { TOPIC_RECEIVE, TOPIC_SEND, TOPIC_REST, TOPIC_SOCKETS, TOPIC_TIMER, TOPIC_NONE };
enum { TOPIC_MASK = 7 };

/* ── uring.c ───────────────────────────────────────────────────────────────────────────────────────────────
 */

/* An entry to fill in. */
struct io_uring_sqe *uring_entry(struct uring *uring, void *link, enum uring_topic topic);
/* Room to say of which pieces a write is made, for the entry that was got last; NULL when there is no more.
 */
struct uring_write *uring_write_room(struct uring *uring);
/* Puts a socket into the ring's table, so that the kernel need not look it up each time; false where there is
 * no room. It is open there until uring_forget. */
MUST_USE bool uring_know(struct uring *uring, int socket);
void uring_forget(struct uring *uring, int socket);
/* Room for one more link. */
MUST_USE bool uring_reserve(struct uring *uring);

/* ── uring_sending.c ───────────────────────────────────────────────────────────────────────────────────────
 */

/* The entry that was got last is a write of the link that is done at once, or comes back. */
void uring_sends(struct uring *uring, struct link *link);
/* Tells the links what became of such writes, of those that the kernel took. Where it has overflown, what
 * came back is not all to be seen yet. */
void uring_settle_sending(struct uring *uring);
MUST_USE bool uring_has_overflown(const struct uring *uring);
/* Something is to be done once one of them is done. */
MUST_USE bool uring_is_awaited(const struct uring *uring);

/* ── uring_pool.c ──────────────────────────────────────────────────────────────────────────────────────────
 */

/* 0 or a negative code. */
MUST_USE int uring_pool_open(struct uring_pool *pool, struct io_uring *ring);
void uring_pool_close(struct uring_pool *pool);
/* The kernel had too few, for so many links: one link alone that brings much gets no more. */
void uring_pool_grow(struct uring_pool *pool, size_t links);
/* The block was looked at: it, or another in its place, is the kernel's again. */
void uring_pool_return(struct uring_pool *pool, unsigned short number);
/* One more reference to a block that is being looked at. False where memory for another in its place is
 * short. */
MUST_USE bool uring_pool_keep(struct uring_pool *pool, struct uring_block *block);
/* One less. */
void uring_pool_drop(struct uring_pool *pool, struct uring_block *block);

/* ── uring_held.c ──────────────────────────────────────────────────────────────────────────────────────────
 */

/* Bytes that came while nobody read, one after the other. */
struct link_held {
    struct link_held *next;
    const uint8_t *data;
    size_t size;
    struct uring_block *block; /* NULL: the data is its own */
    uint8_t own[];
};

/* Puts bytes of a block that is being looked at behind those that are held. False where memory is short. */
MUST_USE bool uring_hold(struct uring_pool *pool, struct link_held **first, struct uring_block *block,
                         struct bytes bytes);
/* Takes the first, which there has to be: the caller is to drop it. */
struct link_held *uring_take_held(struct link_held **first);
void uring_drop_held(struct uring_pool *pool, struct link_held *held);

/* ── lane_ring.c ────────────────────────────────────────────────────────────────────────────────────────
 */

/* Does for the link what it now needs. It may be gone afterwards. */
void lane_ring_serve(struct uring *uring, struct link *link);
void lane_ring_received(struct uring *uring, struct link *link, int result, unsigned flags);
void lane_ring_sent(struct uring *uring, struct link *link, int result);
void lane_ring_rested(struct uring *uring, struct link *link);
/* A write came back, as lane_ring_sent will tell; and one that did not is done. */
void lane_ring_came_back(struct link *link);
void lane_ring_sent_all(struct uring *uring, struct link *link);
/* Something is to be done once the write that is under way is done: no time to wait for what comes. */
MUST_USE bool lane_ring_is_awaited(const struct link *link);

#endif
