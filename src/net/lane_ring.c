/* SPDX-License-Identifier: PostgreSQL */
/* Links whose bytes a ring moves.
 *
 * What a link wants stands in its own fields: is_reading, is_to_rest, first, is_closing. Whenever one of them
 * may have changed the link is listed (not all links when the pace changes: each when it brings something),
 * and at the end of the turn it is served: what it wants and the kernel does not do yet is asked for, what
 * the kernel does and it does not want any more is cancelled. There is one receive and one write under way at
 * most, so that order is kept; and the socket is closed only when neither is, nor a rest. */
#include "net/lane.h"
#include "net/poll_set_state.h"
#include "net/uring_state.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* From this size on it is cheaper to keep the block in which bytes were read than to copy them. Where other
 * pieces wait already they have to fill half of it: else little that waits would keep much. */
enum { REFERRED_LEAST = 2048, REFERRED_LEAST_BEHIND = URING_BLOCK_SIZE / 2 };

static struct uring *uring_of(const struct link *link)
{
    return link->chunk->poll_set->uring;
}

int lane_ring_open(struct link *link, int socket)
{
    struct uring *uring = uring_of(link);
    int off = 0;
    if (!uring_reserve(uring))
        return UV_ENOMEM;
    /* The ring waits for a socket that is not ready only where the socket itself would. */
    if (ioctl(socket, FIONBIO, &off) != 0)
        return UV_ENOTSOCK;
    link->socket.ring = (struct link_ring){ .descriptor = socket, .is_known = uring_know(uring, socket) };
    uring->links++;
    return 0;
}

void lane_ring_let_go(struct link *link, const struct link_ring *ring)
{
    struct uring *uring = uring_of(link);
    if (ring->is_known)
        uring_forget(uring, ring->descriptor);
    uring->links--;
}

void lane_ring_attend(struct link *link)
{
    run_queue_add(&uring_of(link)->queue, link);
}

void lane_ring_close(struct link *link)
{
    if (link->socket.ring.descriptor >= 0)
        lane_ring_attend(link);
    else
        link_closed(link);
}

/* ── Pieces ─────────────────────────────────────────────────────────────────────────────
 */

static bool is_in(const struct uring_block *block, const uint8_t *data)
{
    return block != NULL && data >= block->data && data < block->data + URING_BLOCK_SIZE;
}

static size_t referred_least(const struct link *link)
{
    bool is_behind = link->first != NULL && link->last->block != uring_of(link)->current;
    return is_behind ? REFERRED_LEAST_BEHIND : REFERRED_LEAST;
}

struct link_piece *lane_ring_refer(struct link *link, struct bytes bytes)
{
    struct uring *uring = uring_of(link);
    if (bytes.size < referred_least(link) || !is_in(uring->current, bytes.data))
        return NULL;
    struct link_piece *piece = link_piece_take(lane_pieces(link), 0);
    if (piece == NULL)
        return NULL;
    if (!uring_pool_keep(&uring->pool, uring->current)) {
        link_piece_give(lane_pieces(link), piece);
        return NULL;
    }
    piece->data = bytes.data;
    piece->size = bytes.size;
    piece->block = uring->current;
    return piece;
}

void lane_ring_drop(struct link *link, struct uring_block *block)
{
    uring_pool_drop(&uring_of(link)->pool, block);
}

/* The set is to have it: it is calm, and the ring has brought something for it. */
static bool link_wants_to_leave(const struct uring *uring, const struct link *link)
{
    return uring->is_calm && link->socket.ring.has_brought;
}

/* ── Receiving ─────────────────────────────────────────────────────────────────────────────────────────────
 */

static void link_deliver(struct uring *uring, struct link *link, struct uring_block *block,
                         struct bytes bytes)
{
    uring->current = block;
    link_arrived(link, bytes);
    uring->current = NULL;
}

/* What was held, and then the end that came behind it. */
static void link_deliver_held(struct uring *uring, struct link *link)
{
    struct link_ring *ring = &link->socket.ring;
    while (ring->held != NULL && link->is_reading) {
        struct link_held *held = uring_take_held(&ring->held);
        link_deliver(uring, link, held->block, bytes_of(held->data, held->size));
        uring_drop_held(&uring->pool, held);
    }
    if (!ring->has_stopped || ring->held != NULL || !link->is_reading)
        return;
    ring->has_stopped = false;
    link_stopped(link, ring->stop);
}

/* In the ring's table it has the same number. */
static unsigned char socket_flag(const struct link_ring *ring)
{
    return ring->is_known ? IOSQE_FIXED_FILE : 0;
}

/* The receive stays with the kernel until the peer's end. Only where the owner wants to be given little at a
 * time, each is asked for by itself. */
static void link_receive(struct uring *uring, struct link *link)
{
    struct link_ring *ring = &link->socket.ring;
    struct io_uring_sqe *entry = uring_entry(uring, link, TOPIC_RECEIVE);
    if (link->read_most < URING_BLOCK_SIZE)
        io_uring_prep_recv(entry, ring->descriptor, NULL, link->read_most, 0);
    else
        io_uring_prep_recv_multishot(entry, ring->descriptor, NULL, 0, 0);
    entry->flags |= IOSQE_BUFFER_SELECT | socket_flag(ring);
    ring->is_receiving = true;
    ring->has_cancelled = false;
}

static void uring_cancel(struct uring *uring, struct link *link, enum uring_topic topic)
{
    struct io_uring_sqe *entry = uring_entry(uring, NULL, TOPIC_NONE);
    io_uring_prep_cancel64(entry, (uintptr_t)link | topic, 0);
}

static void link_cancel_receive(struct uring *uring, struct link *link)
{
    if (!link->socket.ring.is_receiving || link->socket.ring.has_cancelled)
        return;
    uring_cancel(uring, link, TOPIC_RECEIVE);
    link->socket.ring.has_cancelled = true;
}

static void link_receive_ended(struct uring *uring, struct link *link, int result)
{
    struct link_ring *ring = &link->socket.ring;
    if (result == UV_ENOBUFS)
        uring_pool_grow(&uring->pool, uring->links);
    if (result == UV_ENOBUFS || result == UV_ECANCELED || result == UV_EINTR || result == UV_EAGAIN)
        return; /* it is asked for anew if it is wanted */
    ring->has_stopped = true;
    ring->stop = result;
    link_deliver_held(uring, link);
}

static_assert((int)LINK_REST_LEAST <= (int)URING_BLOCK_SIZE, "one block tells what a rest has brought");

static void link_begin_rest(struct uring *uring, struct link *link)
{
    static const struct __kernel_timespec rest = { .tv_nsec = LINK_REST_US * 1000L };
    struct link_ring *ring = &link->socket.ring;
    ring->is_to_rest = false;
    if (ring->is_resting || !link_is_stream(link))
        return;
    io_uring_prep_timeout(uring_entry(uring, link, TOPIC_REST), (struct __kernel_timespec *)(uintptr_t)&rest,
                          0, 0);
    ring->is_resting = true;
}

void lane_ring_rested(struct uring *uring, struct link *link)
{
    link->socket.ring.is_resting = false;
    link->socket.ring.has_rested = true;
    run_queue_add(&uring->queue, link);
}

/* After a read of so many bytes. */
static void link_look_for_stream(struct link *link, size_t size)
{
    struct link_ring *ring = &link->socket.ring;
    if (ring->has_rested)
        link_rested(link, size);
    ring->has_rested = false;
    ring->is_to_rest = ring->is_to_rest || link_is_to_rest(link, size);
}

void lane_ring_received(struct uring *uring, struct link *link, int result, unsigned flags)
{
    struct link_ring *ring = &link->socket.ring;
    unsigned short number = (unsigned short)(flags >> IORING_CQE_BUFFER_SHIFT);
    struct uring_block *block = (flags & IORING_CQE_F_BUFFER) != 0 ? uring->pool.blocks[number] : NULL;
    if ((flags & IORING_CQE_F_MORE) == 0)
        ring->is_receiving = false;
    if (result > 0 && block != NULL && !link->is_closing) {
        struct bytes bytes = bytes_of(block->data, (size_t)result);
        if (link->is_reading && ring->held == NULL)
            link_deliver(uring, link, block, bytes);
        else if (!uring_hold(&uring->pool, &ring->held, block, bytes))
            link_fail(link, UV_ENOMEM);
        link_look_for_stream(link, bytes.size);
    } else if (!link->is_closing) {
        link_receive_ended(uring, link, result);
    }
    if (block != NULL)
        uring_pool_return(&uring->pool, number);
    ring->has_brought = true;
    if (!ring->is_receiving || ring->held != NULL || ring->is_to_rest || link_wants_to_leave(uring, link))
        run_queue_add(&uring->queue, link);
}

/* ── Sending ───────────────────────────────────────────────────────────────────────────────────────────────
 */

static void link_send_pieces(struct link *link, struct uring_write *write, struct io_uring_sqe *entry)
{
    size_t count = 0;
    for (struct link_piece *piece = link->first; piece != NULL && count < URING_PIECES_AT_ONCE;
         piece = piece->next) {
        write->pieces[count++] =
            (struct iovec){ .iov_base = (void *)(uintptr_t)piece->data, .iov_len = piece->size };
        piece->is_under_way = true;
    }
    write->message = (struct msghdr){ .msg_iov = write->pieces, .msg_iovlen = count };
    io_uring_prep_sendmsg(entry, link->socket.ring.descriptor, &write->message, 0);
}

/* All that waits, as a rule. The kernel does it when it is handed over, and has nothing to say of it; only
 * what it has no room for comes back, and the next write then stays with it until there is room. */
static void link_send_waiting(struct uring *uring, struct link *link)
{
    struct link_ring *ring = &link->socket.ring;
    struct io_uring_sqe *entry = uring_entry(uring, link, TOPIC_SEND);
    struct link_piece *piece = link->first;
    struct uring_write *write = piece->next != NULL ? uring_write_room(uring) : NULL;
    piece->is_under_way = true;
    if (write != NULL)
        link_send_pieces(link, write, entry);
    else
        io_uring_prep_send(entry, ring->descriptor, piece->data, piece->size, 0);
    entry->msg_flags = MSG_NOSIGNAL;
    entry->flags |= socket_flag(ring);
    ring->is_sending = true;
    ring->is_at_once = !ring->is_patient;
    ring->is_patient = false;
    if (!ring->is_at_once)
        return;
    entry->msg_flags |= MSG_DONTWAIT | MSG_WAITALL;
    entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
    uring_sends(uring, link);
}

void lane_ring_flush(struct link *link)
{
    if (!link->socket.ring.is_sending)
        (void)link_flush(link); /* the write that follows has the error, too */
}

void lane_ring_came_back(struct link *link)
{
    link->socket.ring.is_at_once = false;
}

void lane_ring_sent_all(struct uring *uring, struct link *link)
{
    if (!link->socket.ring.is_at_once)
        return;
    link->socket.ring.is_at_once = false;
    lane_ring_sent(uring, link, INT_MAX);
}

bool lane_ring_is_awaited(const struct link *link)
{
    return link->is_full || link->is_shutting || link->is_flushing || link->is_closing ||
           !link->last->is_under_way;
}

void lane_ring_sent(struct uring *uring, struct link *link, int result)
{
    bool is_passing = result == UV_EINTR || result == UV_EAGAIN;
    size_t taken = result > 0 ? (size_t)result : 0;
    link->socket.ring.is_sending = false;
    link->socket.ring.is_at_once = false;
    link->socket.ring.is_patient = taken < link_under_way(link);
    if (link->is_closing || link_wants_to_leave(uring, link))
        run_queue_add(&uring->queue, link);
    if (!link->is_closing)
        link_written(link, is_passing ? 0 : result);
}

/* ── Serving ───────────────────────────────────────────────────────────────────────────────────────────────
 */

static void link_finish(struct uring *uring, struct link *link)
{
    struct link_ring *ring = &link->socket.ring;
    if (!ring->has_cut)
        lane_ring_flush(link); /* what was said before the end, such as why it comes */
    link_cancel_receive(uring, link);
    if (ring->is_sending && !ring->has_cut)
        uring_cancel(uring, link, TOPIC_SEND);
    ring->has_cut = true;
    if (ring->is_receiving || ring->is_sending || ring->is_resting)
        return;
    while (ring->held != NULL)
        uring_drop_held(&uring->pool, uring_take_held(&ring->held));
    int socket = ring->descriptor;
    lane_ring_let_go(link, ring);
    (void)close(socket);
    link_closed(link);
}

/* Whether it leaves now: there is nothing that the ring has still to do for it. Of what is read nothing is
 * held any more. */
static bool link_leaves(const struct uring *uring, const struct link *link)
{
    const struct link_ring *ring = &link->socket.ring;
    bool is_in_use = ring->is_sending || ring->is_resting || ring->has_rested;
    return link_wants_to_leave(uring, link) && link->is_reading && link->first == NULL && !is_in_use;
}

/* Where it cannot, it is received on until something has come again. */
static void link_leave(struct uring *uring, struct link *link)
{
    struct link_ring *ring = &link->socket.ring;
    if (ring->is_receiving) {
        link_cancel_receive(uring, link);
    } else if (!ring->is_listed && !lane_change(link)) {
        ring->has_brought = false;
        run_queue_add(&uring->queue, link);
    }
}

void lane_ring_serve(struct uring *uring, struct link *link)
{
    struct link_ring *ring = &link->socket.ring;
    assert(link->is_by_ring);
    if (link->is_closing) {
        link_finish(uring, link);
        return;
    }
    link_deliver_held(uring, link);
    if (link->is_closing)
        return; /* it is listed anew */
    if (ring->is_to_rest)
        link_begin_rest(uring, link);
    if (link_leaves(uring, link)) {
        link_leave(uring, link);
        return;
    }
    bool rests = ring->is_resting && link_is_stream(link);
    if (link->is_reading && !ring->is_receiving && !ring->has_stopped && !rests)
        link_receive(uring, link);
    else if (rests || (!link->is_reading && ring->held != NULL))
        link_cancel_receive(uring, link);
    if (link->first != NULL && !ring->is_sending && link->failure == 0)
        link_send_waiting(uring, link);
}
