/* SPDX-License-Identifier: PostgreSQL */
/* Links whose sockets libuv watches. What is ready is read and written here, with one call of the kernel
 * each: libuv's streams would do the same by way of calls that cost more. */
#include "net/lane.h"
#include "net/pause.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Reads of a link that brings more than one can take, before others have their turn; pieces of one write. */
enum { READS_AT_ONCE = 16, PIECES_AT_ONCE = 16 };

/* In memory of its own, so that links of a ring need not have it. */
struct link_handle {
    uv_poll_t poll; /* only while the socket is open */
    uv_loop_t *loop;
    int socket;  /* -1: not open */
    int watched; /* what libuv looks for: UV_READABLE, UV_WRITABLE */
    bool waits_for_room;
    bool is_resting;     /* the pause is not over */
    struct pause *pause; /* while it brings a stream, else NULL */
};

void lane_uv_init(struct link *link, uv_loop_t *loop)
{
    struct link_handle *handle = malloc(sizeof *handle);
    link->socket.handle = handle;
    if (handle == NULL)
        return;
    handle->loop = loop;
    handle->socket = -1;
    handle->watched = 0;
    handle->waits_for_room = false;
    handle->is_resting = false;
    handle->pause = NULL;
}

int lane_uv_open(struct link *link, int socket)
{
    struct link_handle *handle = link->socket.handle;
    if (handle == NULL)
        return UV_ENOMEM;
    int result = uv_poll_init(handle->loop, &handle->poll, socket);
    if (result != 0)
        return result;
    handle->poll.data = link;
    handle->socket = socket;
    return 0;
}

int lane_uv_socket(const struct link *link)
{
    return link->socket.handle != NULL ? link->socket.handle->socket : -1;
}

uv_loop_t *lane_uv_loop(const struct link *link)
{
    return link->socket.handle->loop;
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

/* Whether there may be more. Adds what came to `read`. */
static bool link_read(struct link *link, size_t *read)
{
    struct chunk *chunk = link->chunk;
    ssize_t size = outcome(recv(link->socket.handle->socket, chunk->data, link->read_most, 0));
    *read += size > 0 ? (size_t)size : 0;
    if (size > 0)
        link_arrived(link, bytes_of(chunk->data, (size_t)size));
    else if (!is_passing(size))
        link_stopped(link, (int)size);
    return size == (ssize_t)link->read_most;
}

static void link_write_waiting(struct link *link)
{
    struct iovec pieces[PIECES_AT_ONCE];
    struct msghdr message = { .msg_iov = pieces };
    for (struct link_piece *piece = link->first; piece != NULL && message.msg_iovlen < PIECES_AT_ONCE;
         piece = piece->next) {
        pieces[message.msg_iovlen++] =
            (struct iovec){ .iov_base = (void *)(uintptr_t)piece->data, .iov_len = piece->size };
        piece->is_under_way = true;
    }
    ssize_t taken = outcome(sendmsg(link->socket.handle->socket, &message, MSG_NOSIGNAL));
    link->socket.handle->waits_for_room = false;
    link_written(link, is_passing(taken) ? 0 : taken);
}

static void link_watch(struct link *link);
static void on_rested(void *owner);

static void link_end_rests(struct link_handle *handle)
{
    if (handle->pause != NULL)
        pause_destroy(handle->pause);
    handle->pause = NULL;
    handle->is_resting = false;
}

/* Where no pause can be had it goes on without. */
static void link_rest(struct link *link)
{
    struct link_handle *handle = link->socket.handle;
    if (handle->pause == NULL)
        handle->pause = pause_create(handle->loop, on_rested, link);
    if (handle->pause == NULL)
        return;
    pause_begin(handle->pause, LINK_REST_US);
    handle->is_resting = true;
    link_watch(link);
}

static void link_read_all(struct link *link, bool has_rested)
{
    size_t read = 0;
    for (unsigned reads = 0; reads < READS_AT_ONCE && link->is_reading && link_read(link, &read); reads++)
        ;
    if (has_rested)
        link_rested(link, read);
    if (link_is_to_rest(link, read))
        link_rest(link);
    else
        link_end_rests(link->socket.handle);
}

/* A stream that goes on rests again without having been watched in between. */
static void on_rested(void *owner)
{
    struct link *link = owner;
    struct link_handle *handle = link->socket.handle;
    handle->is_resting = false;
    if (link->is_reading)
        link_read_all(link, true);
    if (!handle->is_resting && !link->is_closing)
        link_watch(link);
}

/* After an error of the socket libuv watches it no more: the reads behind it say which. */
static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct link *link = poll->data;
    struct link_handle *handle = link->socket.handle;
    bool has_failed = status < 0;
    bool is_unwanted = !link->is_reading && (events & UV_READABLE) != 0;
    handle->watched = has_failed ? 0 : handle->watched;
    if (has_failed || (events & UV_READABLE) != 0)
        link_read_all(link, false);
    if (!link->is_closing && handle->waits_for_room && (has_failed || (events & UV_WRITABLE) != 0))
        link_write_waiting(link);
    if (!link->is_closing && (is_unwanted || has_failed || (events & UV_WRITABLE) != 0))
        link_watch(link);
}

static void link_watch(struct link *link)
{
    struct link_handle *handle = link->socket.handle;
    bool rests = handle->is_resting && link_is_stream(link);
    bool is_to_read = link->is_reading && !rests;
    int events = (is_to_read ? UV_READABLE : 0) | (handle->waits_for_room ? UV_WRITABLE : 0);
    if (handle->socket < 0 || events == handle->watched)
        return;
    handle->watched = events; /* each change costs calls of the kernel */
    if (events != 0)
        (void)uv_poll_start(&handle->poll, events, on_ready); /* neither can fail */
    else
        (void)uv_poll_stop(&handle->poll);
}

/* ── The lane ──────────────────────────────────────────────────────────────────────────────────────────────
 */

/* One that is not to be read any more is watched on until something comes: mostly it is to be read again
 * before. */
void lane_uv_attend(struct link *link)
{
    if (link->is_reading)
        link_watch(link);
}

int lane_uv_write_now(struct link *link, struct bytes *bytes)
{
    ssize_t taken =
        outcome(send(link->socket.handle->socket, bytes->data, bytes->size, MSG_NOSIGNAL | MSG_DONTWAIT));
    if (taken >= 0)
        (void)bytes_take(bytes, (size_t)taken);
    return taken >= 0 || is_passing(taken) ? 0 : (int)taken;
}

void lane_uv_write(struct link *link)
{
    link->socket.handle->waits_for_room = true;
    link_watch(link);
}

static void on_handle_closed(uv_handle_t *closed)
{
    struct link *link = closed->data;
    free(link->socket.handle);
    link_closed(link);
}

void lane_uv_close(struct link *link)
{
    struct link_handle *handle = link->socket.handle;
    if (handle == NULL || handle->socket < 0) {
        free(handle);
        link_closed(link);
        return;
    }
    link_end_rests(handle);
    uv_close((uv_handle_t *)&handle->poll, on_handle_closed);
    (void)close(handle->socket);
    handle->socket = -1;
}
