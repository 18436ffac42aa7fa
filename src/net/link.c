/* SPDX-License-Identifier: PostgreSQL */
#include "net/link.h"

#include "net/endpoint.h"

#include <stdlib.h>
#include <sys/socket.h>

enum { PIECE_SIZE = 16 * 1024, KEEPALIVE_SECONDS = 60 };

/* A part of what waits. Only the first is in libuv's hands; those behind it still grow. */
struct link_piece {
    uv_write_t request;
    struct link *link;
    struct link_piece *next;
    size_t size;
    size_t capacity;
    uint8_t data[];
};

/* Watches over a link that is to close once it is flushed. */
struct link_linger {
    uv_timer_t timer;
    struct link *link;
    size_t waiting; /* at the last look */
};

static int link_socket(const struct link *link)
{
    uv_os_fd_t socket = -1;
    return uv_fileno(&link->socket.handle, &socket) == 0 ? socket : -1;
}

void link_init(struct link *link, uv_loop_t *loop, enum address_family family, struct chunk *chunk,
               const struct link_events *events)
{
    *link = (struct link){ .events = events, .chunk = chunk };
    if (family == ADDRESS_UNIX)
        (void)uv_pipe_init(loop, &link->socket.pipe, 0); /* neither can fail */
    else
        (void)uv_tcp_init(loop, &link->socket.tcp);
}

int link_open(struct link *link, int socket)
{
    if (link->socket.handle.type == UV_NAMED_PIPE)
        return uv_pipe_open(&link->socket.pipe, socket);
    return uv_tcp_open(&link->socket.tcp, socket);
}

void link_tune(struct link *link)
{
    if (link->socket.handle.type != UV_TCP)
        return;
    /* A socket that is broken already says so at the first read. */
    (void)uv_tcp_nodelay(&link->socket.tcp, 1);
    (void)uv_tcp_keepalive(&link->socket.tcp, 1, KEEPALIVE_SECONDS);
}

size_t link_waiting(const struct link *link)
{
    return link->queued + uv_stream_get_write_queue_size(&link->socket.stream);
}

/* The peer's end or the failure of the socket, told to the owner, or to nobody when it only waits to be
 * closed. */
static void link_end(struct link *link, int error)
{
    if (link->is_closing || link->has_failed || (link->has_ended && error == 0))
        return;
    link_read_stop(link);
    link->has_ended = true;
    link->has_failed = error < 0;
    if (!link->is_flushing)
        link->events->on_end(link, error);
    else if (error < 0 || link->first == NULL)
        link_close(link);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    (void)suggested;
    struct link *link = CONTAINER_OF(handle, struct link, socket);
    *out = uv_buf_init((char *)link->chunk->data, CHUNK_SIZE);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct link *link = CONTAINER_OF(stream, struct link, socket);
    if (size == UV_EOF)
        link_end(link, link->failure);
    else if (size < 0)
        link_end(link, link->failure < 0 ? link->failure : (int)size);
    else if (size > 0 && !link->is_flushing && link->failure != UV_ENOMEM)
        link->events->on_bytes(link, bytes_of(buffer->base, (size_t)size));
}

static void link_read_on(struct link *link)
{
    if (!link->is_reading)
        link->is_reading = uv_read_start(&link->socket.stream, on_alloc, on_read) == 0;
}

void link_read_start(struct link *link)
{
    if (!link->has_ended && !link->is_closing)
        link_read_on(link);
}

void link_read_stop(struct link *link)
{
    if (!link->is_reading)
        return;
    link->is_reading = false;
    (void)uv_read_stop(&link->socket.stream);
}

/* Nothing can be written any more. What the peer said before it closed is still read to its end, which tells
 * the owner; where memory is short, the socket is cut and the read sees that. */
static void link_fail(struct link *link, int error)
{
    link->failure = error;
    if (error == UV_ENOMEM)
        (void)shutdown(link_socket(link), SHUT_RDWR);
    link_read_on(link);
}

/* Once nothing waits: ends our side if that was asked for, closes if the peer's end was all that was missing.
 */
static void link_settle(struct link *link)
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

void link_send(struct link *link, struct bytes bytes)
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

void link_shutdown(struct link *link)
{
    if (link->is_closing || link->is_shutting)
        return;
    link->is_shutting = true;
    link_settle(link);
}

static void on_linger(uv_timer_t *timer)
{
    struct link_linger *linger = CONTAINER_OF(timer, struct link_linger, timer);
    size_t waiting = link_waiting(linger->link);
    bool has_moved = waiting < linger->waiting;
    linger->waiting = waiting;
    if (!has_moved)
        link_close(linger->link);
}

static void on_linger_closed(uv_handle_t *handle)
{
    free(CONTAINER_OF(handle, struct link_linger, timer));
}

static bool link_watch(struct link *link)
{
    struct link_linger *linger = malloc(sizeof *linger);
    if (linger == NULL)
        return false;
    linger->link = link;
    linger->waiting = link_waiting(link);
    link->linger = linger;
    (void)uv_timer_init(link->socket.handle.loop, &linger->timer); /* these two cannot fail */
    (void)uv_timer_start(&linger->timer, on_linger, LINK_STALL_MS, LINK_STALL_MS);
    return true;
}

void link_close_flushed(struct link *link)
{
    if (link->is_closing || link->is_flushing)
        return;
    bool is_done = link->has_ended && link->first == NULL;
    if (is_done || link->has_failed || link->failure < 0 || !link_watch(link)) {
        link_close(link);
        return;
    }
    link->is_flushing = true;
    link_shutdown(link);
    link_read_start(link);
}

static void on_socket_closed(uv_handle_t *handle)
{
    struct link *link = CONTAINER_OF(handle, struct link, socket);
    while (link->first != NULL) {
        struct link_piece *piece = link->first;
        link->first = piece->next;
        free(piece);
    }
    link->events->on_closed(link);
}

void link_close(struct link *link)
{
    if (link->is_closing)
        return;
    link->is_closing = true;
    link->is_reading = false;
    if (link->linger != NULL)
        uv_close((uv_handle_t *)&link->linger->timer, on_linger_closed);
    link->linger = NULL;
    uv_close(&link->socket.handle, on_socket_closed);
}

void link_peer(const struct link *link, struct address *out)
{
    struct endpoint peer = { .size = sizeof peer.storage };
    struct sockaddr *name = (struct sockaddr *)&peer.storage;
    *out = (struct address){ .family = ADDRESS_NONE };
    int socket = link_socket(link);
    if (getpeername(socket, name, &peer.size) != 0)
        return;
    endpoint_read(name, peer.size, out);
    bool is_unnamed = out->family == ADDRESS_UNIX && out->text[0] == '\0';
    peer.size = sizeof peer.storage;
    if (is_unnamed && getsockname(socket, name, &peer.size) == 0)
        endpoint_read(name, peer.size, out);
}
