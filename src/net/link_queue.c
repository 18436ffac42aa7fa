/* SPDX-License-Identifier: PostgreSQL */
/* What a link has to write and the kernel has not taken yet. */
#include "net/lane.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { PIECE_SIZE = 16 * 1024 };

/* What the peer said before it closed is still read to its end, which tells the owner; where memory is short,
 * the socket is cut and the read sees that. */
void link_fail(struct link *link, int error)
{
    link->failure = error;
    if (error == UV_ENOMEM)
        (void)shutdown(lane_socket(link), SHUT_RDWR);
    link_read_on(link);
}

void link_settle(struct link *link)
{
    if (link->is_closing || link->first != NULL)
        return;
    if (link->is_shutting && !link->has_shut && link->failure == 0) {
        link->has_shut = true;
        (void)shutdown(lane_socket(link), SHUT_WR);
    }
    if (link->is_flushing && link->has_ended)
        link_close(link);
}

static void link_drop_first(struct link *link)
{
    struct link_piece *piece = link->first;
    link->queued -= piece->size;
    link->first = piece->next;
    lane_release(link, piece);
}

size_t link_under_way(const struct link *link)
{
    size_t size = 0;
    for (const struct link_piece *piece = link->first; piece != NULL && piece->is_under_way;
         piece = piece->next)
        size += piece->size;
    return size;
}

void link_took(struct link *link, size_t taken)
{
    while (link->first != NULL && link->first->is_under_way) {
        struct link_piece *piece = link->first;
        if (taken < piece->size) {
            piece->data += taken;
            piece->size -= taken;
            link->queued -= taken;
            break;
        }
        taken -= piece->size;
        link_drop_first(link);
    }
    for (struct link_piece *piece = link->first; piece != NULL && piece->is_under_way; piece = piece->next)
        piece->is_under_way = false;
}

static void link_write_failed(struct link *link, int error)
{
    link_drop_first(link);
    if (!link->is_flushing && !link->has_ended)
        link_fail(link, error);
    else
        link_end(link, link->failure < 0 ? link->failure : error);
}

void link_written(struct link *link, ssize_t result)
{
    if (result < 0) {
        link_write_failed(link, (int)result);
        return;
    }
    link_took(link, (size_t)result);
    if (link->first != NULL)
        lane_write(link);
    if (link->is_full && link_waiting(link) < LINK_LOW_WATER) {
        link->is_full = false;
        if (!link->is_flushing && !link->has_failed)
            link->events->on_drained(link);
    }
    link_settle(link);
}

int link_flush(struct link *link)
{
    while (link->first != NULL && link->failure == 0) {
        struct link_piece *piece = link->first;
        size_t size = piece->size;
        ssize_t taken = send(lane_socket(link), piece->data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        int error = taken < 0 ? uv_translate_sys_error(errno) : 0;
        piece->is_under_way = true;
        link_took(link, taken > 0 ? (size_t)taken : 0);
        if (taken != (ssize_t)size)
            return error == UV_EAGAIN || error == UV_EINTR ? 0 : error;
    }
    return 0;
}

static void link_append(struct link *link, struct link_piece *piece)
{
    struct link_piece *last = link->first != NULL ? link->last : NULL;
    if (last == NULL)
        link->first = piece;
    else
        last->next = piece;
    link->last = piece;
}

static size_t piece_room(const struct link_piece *piece)
{
    bool may_grow = !piece->is_under_way && piece->block == NULL;
    return may_grow ? (size_t)(piece->own + piece->capacity - (piece->data + piece->size)) : 0;
}

/* The piece that takes `size` more bytes: the last if it still grows and has room, else a new one. */
static struct link_piece *link_piece_for(struct link *link, size_t size)
{
    struct link_piece *last = link->first != NULL ? link->last : NULL;
    if (last != NULL && size <= piece_room(last))
        return last;
    struct link_piece *piece =
        link_piece_take(lane_pieces(link), last != NULL && size < PIECE_SIZE ? PIECE_SIZE : size);
    if (piece != NULL)
        link_append(link, piece);
    return piece;
}

static bool link_queue_copy(struct link *link, struct bytes bytes)
{
    struct link_piece *piece = link_piece_for(link, bytes.size);
    if (piece == NULL)
        return false;
    memcpy(piece->own + (piece->data - piece->own) + piece->size, bytes.data, bytes.size);
    piece->size += bytes.size;
    return true;
}

static void link_queue(struct link *link, struct bytes bytes)
{
    bool is_first = link->first == NULL;
    struct link_piece *piece = lane_refer(link, bytes);
    if (piece != NULL) {
        link_append(link, piece);
    } else if (!link_queue_copy(link, bytes)) {
        link_fail(link, UV_ENOMEM);
        return;
    }
    link->queued += bytes.size;
    if (is_first)
        lane_write(link);
}

static_assert(LINK_STREAK <= 15, "a link counts them in four bits");

/* What comes next is an answer. */
static void link_end_streak(struct link *link)
{
    bool was_stream = link_is_stream(link);
    link->streak = 0;
    if (was_stream)
        lane_attend(link);
}

void link_write(struct link *link, struct bytes bytes)
{
    if (link->is_closing || link->is_shutting || link->failure < 0 || bytes.size == 0)
        return;
    link_end_streak(link);
    int result = lane_write_now(link, &bytes);
    if (result < 0)
        link_fail(link, result);
    if (bytes.size == 0 || result < 0)
        return;
    link_queue(link, bytes);
    link->is_full = link->is_full || link_waiting(link) > LINK_HIGH_WATER;
}

void link_drop_queue(struct link *link)
{
    while (link->first != NULL)
        link_drop_first(link);
}
