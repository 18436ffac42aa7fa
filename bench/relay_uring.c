/* SPDX-License-Identifier: PostgreSQL */
/* The second yardstick: bench_relay by io_uring. Sockets live in the ring's own table, each is read by one
 * lasting receive into buffers that the kernel picks, and goes on from that very buffer. One io_uring_enter a
 * turn carries all that is sent and waits for what comes. Needs Linux 6.7.
 *
 *     bench_relay_uring LISTEN_PORT TARGET        TARGET is a port of 127.0.0.1 or the path of a Unix socket
 */
#include "relay_uring.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct io_uring_sqe *relay_entry(struct relay *relay)
{
    struct io_uring_sqe *entry;
    while ((entry = io_uring_get_sqe(&relay->ring)) == NULL)
        (void)io_uring_submit(&relay->ring);
    return entry;
}

/* An operation on the end's socket whose completion is awaited. */
static void entry_is_for(struct io_uring_sqe *entry, struct end *end, enum matter matter)
{
    entry->flags |= IOSQE_FIXED_FILE;
    io_uring_sqe_set_data64(entry, (uint64_t)(uintptr_t)end | matter);
    end->pair->pending++;
}

/* An operation of which only the failure would be told, and that matters to nobody. */
static void entry_is_unheeded(struct io_uring_sqe *entry)
{
    entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
    io_uring_sqe_set_data64(entry, UNHEEDED);
}

/* ── Pieces
 * ────────────────────────────────────────────────────────────────────────────────────────────────── */

static char *piece_memory(const struct relay *relay, uint16_t piece)
{
    return relay->memory + (size_t)piece * PIECE_STRIDE;
}

/* Offers less again when half of it was left in each of many turns. */
static void relay_review_offer(struct relay *relay)
{
    if (relay->offered < relay->offered_least)
        relay->offered_least = relay->offered;
    if (++relay->turns < TURNS_REVIEWED)
        return;
    if (relay->offered_least > relay->offered_most / 2 && relay->offered_most > OFFERED_LEAST)
        relay->offered_most /= 2;
    relay->offered_least = relay->offered_most;
    relay->turns = 0;
}

static void relay_offer(struct relay *relay)
{
    int added = 0;
    while (relay->offered < relay->offered_most && relay->unused_count > 0) {
        uint16_t piece = relay->unused[--relay->unused_count];
        io_uring_buf_ring_add(relay->offer, piece_memory(relay, piece), PIECE_SIZE, piece,
                              io_uring_buf_ring_mask(OFFERED_MOST), added++);
        relay->offered++;
    }
    if (added > 0)
        io_uring_buf_ring_advance(relay->offer, added);
}

static uint16_t end_unqueue(struct relay *relay, struct end *end)
{
    uint16_t piece = end->first;
    end->first = relay->pieces[piece].next;
    if (--end->queued > 0 || end->other->has_ended)
        relay->expecting--;
    relay->unused[relay->unused_count++] = piece;
    return end->first;
}

/* ── One direction
 * ─────────────────────────────────────────────────────────────────────────────────────────── */

static void end_receive(struct relay *relay, struct end *end)
{
    struct io_uring_sqe *entry = relay_entry(relay);
    io_uring_prep_recv_multishot(entry, (int)end->slot, NULL, 0, 0);
    entry->flags |= IOSQE_BUFFER_SELECT;
    entry->buf_group = 0;
    entry_is_for(entry, end, RECEIVED);
    end->is_receiving = true;
}

static void end_pause(struct relay *relay, struct end *end)
{
    struct io_uring_sqe *entry = relay_entry(relay);
    io_uring_prep_cancel64(entry, (uint64_t)(uintptr_t)end | RECEIVED, 0);
    entry_is_unheeded(entry);
    end->is_pausing = true;
}

/* Sends the first piece. At first without waiting for room: that surely ends within the call that submits it,
 * which tells of it only where not all was taken. */
static void end_send(struct relay *relay, struct end *end, bool is_late)
{
    const struct piece *piece = &relay->pieces[end->first];
    struct io_uring_sqe *entry = relay_entry(relay);
    io_uring_prep_send(entry, (int)end->slot, piece_memory(relay, end->first) + piece->sent,
                       piece->size - piece->sent, MSG_NOSIGNAL | MSG_WAITALL | (is_late ? 0 : MSG_DONTWAIT));
    entry_is_for(entry, end, is_late ? SENT_LATE : SENT);
    if (is_late)
        return;
    entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
    end->has_come_back = false;
    end->next_sending = relay->sending;
    relay->sending = end;
}

static void pair_end(struct relay *relay, struct pair *pair)
{
    if (pair->is_closing)
        return;
    pair->is_closing = true;
    for (struct end *end = &pair->client;; end = &pair->server) {
        struct io_uring_sqe *entry = relay_entry(relay);
        io_uring_prep_cancel_fd(entry, (int)end->slot,
                                IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_FD_FIXED);
        entry_is_for(entry, end, CANCELLED);
        entry->flags &= (uint8_t)~IOSQE_FIXED_FILE; /* the slot is what it looks for */
        if (end == &pair->server)
            break;
    }
}

static void end_queue(struct relay *relay, struct end *end, uint16_t piece, uint32_t size)
{
    relay->pieces[piece] = (struct piece){ .size = size, .next = NO_PIECE };
    if (end->first == NO_PIECE)
        end->first = piece;
    else
        relay->pieces[end->last].next = piece;
    end->last = piece;
    if (++end->queued > 1)
        relay->expecting++;
    if (end->queued == 1)
        end_send(relay, end, false);
    else if (end->queued >= QUEUED_MOST && end->other->is_receiving && !end->other->is_pausing)
        end_pause(relay, end->other);
}

static void end_starve(struct relay *relay, struct end *end)
{
    if (relay->offered_most < OFFERED_MOST)
        relay->offered_most *= 2;
    end->pair->pending++;
    end->is_starving = true;
    end->next_starving = relay->starving;
    relay->starving = end;
}

static void on_received(struct relay *relay, struct end *end, const struct io_uring_cqe *completion)
{
    if (!(completion->flags & IORING_CQE_F_MORE))
        end->is_receiving = end->is_pausing = false;
    if (completion->flags & IORING_CQE_F_BUFFER) {
        uint16_t piece = (uint16_t)(completion->flags >> IORING_CQE_BUFFER_SHIFT);
        relay->offered--;
        if (completion->res > 0 && !end->pair->is_closing)
            end_queue(relay, end->other, piece, (uint32_t)completion->res);
        else
            relay->unused[relay->unused_count++] = piece;
    }
    if (end->is_receiving || end->pair->is_closing)
        return;
    if (completion->res == -ENOBUFS && end->other->queued > 0) {
        end->is_held = true;
        relay->expecting++;
    } else if (completion->res == -ENOBUFS) {
        end_starve(relay, end);
    } else if (completion->res <= 0 && completion->res != -ECANCELED) {
        end->has_ended = true;
        if (end->other->queued == 0)
            pair_end(relay, end->pair);
        else
            relay->expecting++;
    } else if (end->other->queued < QUEUED_MOST) {
        end_receive(relay, end);
    }
}

static void end_release(struct relay *relay, struct end *end)
{
    relay->expecting -= end->is_held;
    end->is_held = false;
}

static void on_sent(struct relay *relay, struct end *end, int result)
{
    struct piece *piece = &relay->pieces[end->first];
    if (end->pair->is_closing || (result < 0 && result != -EAGAIN)) {
        while (end->first != NO_PIECE)
            (void)end_unqueue(relay, end);
        end_release(relay, end->other);
        pair_end(relay, end->pair);
        return;
    }
    piece->sent += result > 0 ? (uint32_t)result : 0;
    if (piece->sent < piece->size) {
        end_send(relay, end, true);
        return;
    }
    if (end_unqueue(relay, end) != NO_PIECE)
        end_send(relay, end, false);
    if (end->queued == 0)
        end_release(relay, end->other);
    if (end->other->has_ended && end->queued == 0)
        pair_end(relay, end->pair);
    else if (end->queued < QUEUED_MOST && !end->other->is_held && !end->other->is_receiving &&
             !end->other->is_starving && !end->other->has_ended)
        end_receive(relay, end->other);
}

/* ── One pair
 * ──────────────────────────────────────────────────────────────────────────────────────────────── */

static void relay_accept(struct relay *relay)
{
    struct io_uring_sqe *entry = relay_entry(relay);
    io_uring_prep_multishot_accept_direct(entry, relay->listener, NULL, NULL, 0);
    io_uring_sqe_set_data64(entry, ACCEPTED);
}

static void end_no_delay(struct relay *relay, struct end *end)
{
    static const int on = 1;
    struct io_uring_sqe *entry = relay_entry(relay);
    uint32_t option[2] = { IPPROTO_TCP, TCP_NODELAY };
    uint32_t size = sizeof on;
    uint64_t value = (uintptr_t)&on;
    io_uring_prep_rw(IORING_OP_NOP, entry, (int)end->slot, NULL, 0, COMMAND_SETSOCKOPT);
    entry->opcode = 46; /* IORING_OP_URING_CMD, whose fields liburing 2.3 does not name */
    memcpy(&entry->addr, option, sizeof option);
    memcpy(&entry->splice_fd_in, &size, sizeof size);
    memcpy((char *)entry + 48, &value, sizeof value);
    entry_is_unheeded(entry);
    entry->flags |= IOSQE_FIXED_FILE | IOSQE_IO_HARDLINK;
}

/* Socket, option and connect as one chain. */
static void end_connect(struct relay *relay, struct end *end)
{
    struct io_uring_sqe *entry = relay_entry(relay);
    io_uring_prep_socket_direct(entry, relay->target.any.sa_family, SOCK_STREAM, 0, end->slot, 0);
    entry_is_unheeded(entry);
    entry->flags |= IOSQE_IO_HARDLINK;
    if (relay->target.any.sa_family == AF_INET)
        end_no_delay(relay, end);
    entry = relay_entry(relay);
    io_uring_prep_connect(entry, (int)end->slot, &relay->target.any, relay->target_size);
    entry_is_for(entry, end, CONNECTED);
}

static void on_accepted(struct relay *relay, const struct io_uring_cqe *completion)
{
    if (!(completion->flags & IORING_CQE_F_MORE))
        relay_accept(relay);
    struct pair *pair = completion->res >= 0 ? calloc(1, sizeof *pair) : NULL;
    if (pair == NULL) {
        (void)fprintf(stderr, "bench_relay_uring: accept: %s\n", strerror(-completion->res));
        return;
    }
    pair->client = (struct end){ .other = &pair->server, .slot = (uint32_t)completion->res };
    pair->server = (struct end){ .other = &pair->client, .slot = (uint32_t)completion->res + relay->slots };
    pair->client.pair = pair->server.pair = pair;
    pair->client.first = pair->server.first = NO_PIECE;
    if (io_uring_sq_space_left(&relay->ring) < 3) /* a chain ends where a submission ends */
        (void)io_uring_submit(&relay->ring);
    end_connect(relay, &pair->server);
}

static void on_connected(struct relay *relay, struct pair *pair, int result)
{
    if (result < 0) {
        pair_end(relay, pair);
        return;
    }
    end_receive(relay, &pair->client);
    end_receive(relay, &pair->server);
}

/* The client's slot goes last: it stands for both. */
static void pair_close(struct relay *relay, struct pair *pair)
{
    const uint32_t slots[] = { pair->server.slot, pair->client.slot };
    for (int i = 0; i < 2; i++) {
        struct io_uring_sqe *entry = relay_entry(relay);
        io_uring_prep_close_direct(entry, slots[i]);
        entry_is_unheeded(entry);
    }
    free(pair);
}

/* ── The turn
 * ──────────────────────────────────────────────────────────────────────────────────────────────── */

static void on_completion(struct relay *relay, const struct io_uring_cqe *completion)
{
    enum matter matter = (enum matter)(completion->user_data & 7);
    struct end *end = (struct end *)(uintptr_t)(completion->user_data & ~UINT64_C(7));
    if (matter == UNHEEDED)
        return;
    if (matter == ACCEPTED) {
        on_accepted(relay, completion);
        return;
    }
    struct pair *pair = end->pair;
    if (!(completion->flags & IORING_CQE_F_MORE))
        pair->pending--;
    switch (matter) {
    case CONNECTED:
        on_connected(relay, pair, completion->res);
        break;
    case RECEIVED:
        on_received(relay, end, completion);
        break;
    case SENT:
    case SENT_LATE:
        on_sent(relay, end, completion->res);
        break;
    default:
        break;
    }
    if (pair->is_closing && pair->pending == 0)
        pair_close(relay, pair);
}

/* The kernel has taken all entries: of the sends that end at once, those are done of which it tells nothing
 * among the `count` completions that are there. */
static void relay_settle_sending(struct relay *relay, unsigned count)
{
    struct io_uring_cqe *completion;
    unsigned head;
    struct end *end = relay->sending;
    relay->sending = NULL;
    io_uring_for_each_cqe(&relay->ring, head, completion)
    {
        if (count-- == 0)
            break;
        if ((completion->user_data & 7) == SENT)
            ((struct end *)(uintptr_t)(completion->user_data & ~UINT64_C(7)))->has_come_back = true;
    }
    while (end != NULL) {
        const struct io_uring_cqe done = { .user_data = (uint64_t)(uintptr_t)end | SENT,
                                           .res = (int)(relay->pieces[end->first].size) };
        struct end *next = end->next_sending;
        if (!end->has_come_back)
            on_completion(relay, &done);
        end = next;
    }
}

static void relay_feed_starving(struct relay *relay)
{
    struct end *end = relay->starving;
    if (relay->offered == 0)
        return;
    relay->starving = NULL;
    while (end != NULL) {
        struct end *next = end->next_starving;
        end->is_starving = false;
        end->pair->pending--;
        if (!end->pair->is_closing)
            end_receive(relay, end);
        else if (end->pair->pending == 0)
            pair_close(relay, end->pair);
        end = next;
    }
}

/* What comes while this is done is left for the next turn, which looks for sends that came back first. */
static void relay_take(struct relay *relay)
{
    unsigned count = io_uring_cq_ready(&relay->ring);
    struct io_uring_cqe *completion;
    unsigned head;
    unsigned taken = 0;
    relay_settle_sending(relay, count);
    io_uring_for_each_cqe(&relay->ring, head, completion)
    {
        if (taken == count)
            break;
        on_completion(relay, completion);
        taken++;
    }
    io_uring_cq_advance(&relay->ring, count);
}

static int relay_run(struct relay *relay)
{
    relay_accept(relay);
    relay_offer(relay);
    for (;;) {
        bool is_awaited = relay->sending != NULL && (relay->expecting > 0 || relay->starving != NULL);
        int result = io_uring_submit_and_wait(&relay->ring, is_awaited ? 0 : 1);
        if (result < 0 && result != -EINTR && result != -EAGAIN)
            return result;
        if (io_uring_sq_ready(&relay->ring) > 0)
            continue;
        relay_take(relay);
        relay_review_offer(relay);
        relay_offer(relay);
        if (relay->starving != NULL)
            relay_feed_starving(relay);
    }
}

int main(int count, char **arguments)
{
    static struct relay relay;
    if (count != 3) {
        (void)fprintf(stderr, "usage: bench_relay_uring LISTEN_PORT TARGET\n");
        return 2;
    }
    int result = relay_open(&relay, arguments[1], arguments[2]);
    if (result == 0)
        result = relay_run(&relay);
    (void)fprintf(stderr, "bench_relay_uring: port %s: %s\n", arguments[1], strerror(-result));
    return 1;
}
