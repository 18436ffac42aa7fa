/* SPDX-License-Identifier: PostgreSQL */
/* What a link has to write and the kernel has not taken yet. */
#include "net/link_state.h"

#include <stdlib.h>
#include <sys/socket.h>

enum { PIECE_SIZE = 16 * 1024 };

/* A part of what waits. Only the first is in libuv's hands; those behind it still grow. */
struct link_piece {
    uv_write_t request;
    struct link *link;
    struct link_piece *next;
    size_t size;
    size_t capacity;
    uint8_t data[];
};

/* What the peer said before it closed is still read to its end, which tells the owner; where memory is short,
 * the socket is cut and the read sees that. */
void link_fail(struct link *link, int error)
{
    link->failure = error;
    if (error == UV_ENOMEM)
        (void)shutdown(link_socket(link), SHUT_RDWR);
    link_read_on(link);
}

void link_settle(struct link *link)
{
    if (link->is_closing || link->first != NULL)
        return;
    if (link->is_shutting && link->failure == 0)
        (void)shutdown(link_socket(link), SHUT_WR);
    if (link->is_flushing && link->has_ended)
        link_close(link);
}

static void on_written(uv_write_t *request, int status);

static void link_write_first(struct link *link)
{
    struct link_piece *piece = link->first;
    uv_buf_t view = uv_buf_init((char *)piece->data, (unsigned)piece->size);
    int result = uv_write(&piece->request, &link->socket.stream, &view, 1, on_written);
    if (result == 0)
        return;
    link->first = piece->next;
    free(piece);
    link_fail(link, result);
}

static void link_write_next(struct link *link)
{
    if (link->first == NULL) {
        link->last = NULL;
        return;
    }
    link->queued -= link->first->size;
    link_write_first(link);
}

static void on_written(uv_write_t *request, int status)
{
    struct link_piece *piece = CONTAINER_OF(request, struct link_piece, request);
    struct link *link = piece->link;
    link->first = piece->next;
    free(piece);
    if (link->is_closing)
        return;
    if (status < 0 && !link->is_flushing && !link->has_ended) {
        link_fail(link, status);
        return;
    }
    if (status < 0) {
        link_end(link, link->failure < 0 ? link->failure : status);
        return;
    }
    link_write_next(link);
    if (link->is_full && link_waiting(link) < LINK_LOW_WATER) {
        link->is_full = false;
        if (!link->is_flushing && !link->has_failed)
            link->events->on_drained(link);
    }
    link_settle(link);
}

/* What the kernel takes at once comes off `bytes`. */
static void link_write_now(struct link *link, struct bytes *bytes)
{
    uv_buf_t view = { .base = (char *)(uintptr_t)bytes->data, .len = bytes->size };
    int taken = uv_try_write(&link->socket.stream, &view, 1);
    if (taken >= 0)
        (void)bytes_take(bytes, (size_t)taken);
    else if (taken != UV_EAGAIN)
        link_fail(link, taken);
}

static struct link_piece *link_add_piece(struct link *link, size_t capacity)
{
    struct link_piece *piece = malloc(sizeof *piece + capacity);
    if (piece == NULL)
        return NULL;
    piece->link = link;
    piece->next = NULL;
    piece->size = 0;
    piece->capacity = capacity;
    if (link->first == NULL)
        link->first = piece;
    else
        link->last->next = piece;
    link->last = piece;
    return piece;
}

/* The piece that takes `size` more bytes: the last if it still grows and has room, else a new one. */
static struct link_piece *link_piece_for(struct link *link, size_t size)
{
    struct link_piece *last = link->last;
    if (link->first == NULL)
        return link_add_piece(link, size);
    if (last != link->first && size <= last->capacity - last->size)
        return last;
    return link_add_piece(link, size > PIECE_SIZE ? size : PIECE_SIZE);
}

static void link_queue(struct link *link, struct bytes bytes)
{
    struct link_piece *piece = link_piece_for(link, bytes.size);
    if (piece == NULL) {
        link_fail(link, UV_ENOMEM);
        return;
    }
    memcpy(piece->data + piece->size, bytes.data, bytes.size);
    piece->size += bytes.size;
    if (piece == link->first)
        link_write_first(link);
    else
        link->queued += bytes.size;
}

void link_write(struct link *link, struct bytes bytes)
{
    if (link->is_closing || link->is_shutting || link->failure < 0 || bytes.size == 0)
        return;
    if (link->first == NULL)
        link_write_now(link, &bytes);
    if (bytes.size == 0 || link->failure < 0)
        return;
    link_queue(link, bytes);
    link->is_full = link->is_full || link_waiting(link) > LINK_HIGH_WATER;
}

void link_drop_queue(struct link *link)
{
    while (link->first != NULL) {
        struct link_piece *piece = link->first;
        link->first = piece->next;
        free(piece);
    }
}
