/* SPDX-License-Identifier: PostgreSQL */
/* Links of whose sockets the kernel says when they are ready. What is ready is read here, by a call of
 * the kernel each, and what it has to say is written, or put into the batch. */
#include "net/lane.h"
#include "net/poll_set_state.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* Reads of a link that brings more than one can take, before others have their turn; pieces of one write. */
enum { READS_AT_ONCE = 16, PIECES_AT_ONCE = 16 };

static struct poll_set *set_of(const struct link *link)
{
    return link->chunk->poll_set;
}

/* It is read soon, as a rule. */
int lane_poll_open(struct link *link, int socket)
{
    int result = poll_set_add(set_of(link), link, socket, EPOLLIN);
    if (result != 0)
        return result;
    link->socket.poll = (struct link_poll){ .descriptor = socket, .watched = EPOLLIN };
    return 0;
}

void lane_poll_let_go(struct link *link, const struct link_poll *poll)
{
    poll_set_remove(set_of(link), poll->descriptor);
}

static_assert(LANE_POLL_TURNS <= 15, "a link counts them in four bits");

void lane_poll_leave(struct link *link)
{
    struct link_poll *poll = &link->socket.poll;
    bool is_in_use = link->first != NULL || poll->is_resting || link->is_closing;
    bool is_to_leave = link->is_reading && poll->turns >= set_of(link)->turns_before_ring && !is_in_use;
    if (is_to_leave && !lane_change(link))
        poll->turns = 0;
}

/* ── What is ready ─────────────────────────────────────────────────────────────────────────────────────────
 */

static ssize_t outcome(ssize_t result)
{
    return result >= 0 ? result : uv_translate_sys_error(errno);
}

static bool is_passing(ssize_t result)
{
    return result == UV_EAGAIN || result == UV_EINTR;
}

/* Whether there may be more: behind what fills the room, and behind anything where the end, say, is known to
 * follow (manual page epoll(7), "Edge-triggered"). Adds what came to `read`. */
static bool link_read(struct link *link, bool is_more, size_t *read)
{
    struct chunk *chunk = link->chunk;
    ssize_t read_most = (ssize_t)link->read_most;
    ssize_t size = outcome(recv(link->socket.poll.descriptor, chunk->data, (size_t)read_most, MSG_DONTWAIT));
    *read += size > 0 ? (size_t)size : 0;
    if (size > 0)
        link_arrived(link, bytes_of(chunk->data, (size_t)size));
    else if (!is_passing(size))
        link_stopped(link, (int)size);
    return size == read_most || size == UV_EINTR || (is_more && size > 0);
}

void lane_poll_write_waiting(struct link *link)
{
    struct iovec pieces[PIECES_AT_ONCE];
    struct msghdr message = { .msg_iov = pieces };
    for (struct link_piece *piece = link->first; piece != NULL && message.msg_iovlen < PIECES_AT_ONCE;
         piece = piece->next) {
        pieces[message.msg_iovlen++] =
            (struct iovec){ .iov_base = (void *)(uintptr_t)piece->data, .iov_len = piece->size };
        piece->is_under_way = true;
    }
    ssize_t taken = outcome(sendmsg(link->socket.poll.descriptor, &message, MSG_NOSIGNAL | MSG_DONTWAIT));
    link->socket.poll.waits_for_room = false;
    lane_poll_written(link, taken);
}

void lane_poll_written(struct link *link, ssize_t result)
{
    if (!link->is_closing)
        link_written(link, is_passing(result) ? 0 : result);
}

/* Waits for what the link now wants: each change costs a call of the kernel, which looks anew then. One that
 * is read behind the peer's end is so to learn of a failure, and the end was told of already. */
static void link_watch(struct link *link)
{
    struct link_poll *poll = &link->socket.poll;
    bool rests = poll->is_resting && link_is_stream(link);
    bool is_to_read = link->is_reading && !rests;
    unsigned events = (is_to_read ? EPOLLIN : 0U) | (poll->waits_for_room ? EPOLLOUT : 0U);
    bool is_behind_end = link->has_ended && !link->has_failed;
    bool is_to_renew = is_to_read && (poll->is_spent || is_behind_end);
    if (poll->descriptor < 0 || (events == poll->watched && !is_to_renew))
        return;
    poll->watched = events & 0xFF;
    poll->is_spent = false;
    poll_set_change(set_of(link), link, poll->descriptor, events);
}

static void link_end_rest(struct link *link)
{
    if (link->socket.poll.is_resting)
        poll_set_wake(set_of(link), link);
    link->socket.poll.is_resting = false;
}

static void link_begin_rest(struct link *link)
{
    if (!poll_set_rest(set_of(link), link))
        return;
    link->socket.poll.is_resting = true;
    link_watch(link);
}

static void link_read_all(struct link *link, bool is_more, bool has_rested)
{
    size_t read = 0;
    bool is_left = true;
    if (link->socket.poll.turns < LANE_POLL_TURNS)
        link->socket.poll.turns++;
    for (unsigned reads = 0; reads < READS_AT_ONCE && link->is_reading && is_left; reads++)
        is_left = link_read(link, is_more, &read);
    link->socket.poll.is_spent = link->socket.poll.is_spent || is_left;
    if (has_rested)
        link_rested(link, read);
    link_end_rest(link);
    if (link_is_to_rest(link, read))
        link_begin_rest(link);
}

/* A stream that goes on rests again without having been waited for in between. */
void lane_poll_rested(struct link *link)
{
    struct link_poll *poll = &link->socket.poll;
    poll->is_resting = false;
    if (link->is_reading)
        link_read_all(link, false, true);
    if (!poll->is_resting && !link->is_closing)
        link_watch(link);
}

/* After a failure of the socket the read, or the write, says which. What is read on has to be waited for: a
 * rest may have begun, and ended, since the kernel told of it. A peer's end would be told of again and again.
 */
void lane_poll_ready(struct link *link, unsigned events)
{
    bool has_failed = (events & (EPOLLERR | EPOLLHUP)) != 0;
    bool is_readable = has_failed || (events & EPOLLIN) != 0;
    bool is_writable = has_failed || (events & EPOLLOUT) != 0;
    bool is_unwanted = !link->is_reading && is_readable;
    if (is_readable)
        link_read_all(link, has_failed || (events & (EPOLLRDHUP | EPOLLPRI)) != 0, false);
    if (!link->is_closing && link->socket.poll.waits_for_room && is_writable)
        lane_poll_write_waiting(link);
    bool has_changed = is_unwanted || is_writable || link->is_reading || link->has_ended;
    if (!link->is_closing && has_changed)
        link_watch(link);
}

/* ── The lane ──────────────────────────────────────────────────────────────────────────────────────────────
 */

/* One that is not to be read any more is waited for until something comes: mostly it is to be read again
 * before. */
void lane_poll_attend(struct link *link)
{
    if (link->is_reading)
        link_watch(link);
}

/* Much is not worth the copy that it would take. */
static bool link_is_to_be_late(const struct link *link, size_t size)
{
    return size <= LINK_PIECE_ROOM && write_batch_has_room(&set_of(link)->batch, link);
}

int lane_poll_write_now(struct link *link, struct bytes *bytes)
{
    bool is_late = link->socket.poll.is_late && bytes->size > LINK_PIECE_ROOM;
    int error = is_late ? link_flush(link) : 0; /* what was put off stands before it */
    if (error < 0)
        return error;
    if (link->first != NULL || link_is_to_be_late(link, bytes->size))
        return 0;
    ssize_t taken =
        outcome(send(link->socket.poll.descriptor, bytes->data, bytes->size, MSG_NOSIGNAL | MSG_DONTWAIT));
    if (taken >= 0)
        (void)bytes_take(bytes, (size_t)taken);
    return taken >= 0 || is_passing(taken) ? 0 : (int)taken;
}

/* What is put off waits for the end of the turn, all else for room. */
void lane_poll_write(struct link *link)
{
    if (!link->socket.poll.is_late && link_is_to_be_late(link, link->queued))
        write_batch_add(&set_of(link)->batch, link);
    if (link->socket.poll.is_late)
        return;
    link->socket.poll.waits_for_room = true;
    link_watch(link);
}

void lane_poll_flush(struct link *link)
{
    if (link->socket.poll.is_late)
        (void)link_flush(link); /* the write or read that follows has the error, too */
}

void lane_poll_close(struct link *link)
{
    struct link_poll *poll = &link->socket.poll;
    if (poll->descriptor < 0) {
        link_closed(link);
        return;
    }
    lane_poll_flush(link); /* what was said before the end, such as why it comes */
    link_end_rest(link);
    lane_poll_let_go(link, poll);
    (void)close(poll->descriptor);
    poll->descriptor = -1;
    poll_set_close(set_of(link), link);
}
