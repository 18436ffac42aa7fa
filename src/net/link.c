/* SPDX-License-Identifier: PostgreSQL */
#include "net/endpoint.h"
#include "net/lane.h"

#include <stdlib.h>
#include <sys/socket.h>

/* Watches over a link that is to close once it is flushed. */
struct link_linger {
    uv_timer_t timer;
    struct link *link;
    size_t waiting; /* at the last look */
};

void link_init(struct link *link, struct chunk *chunk, const struct link_events *events)
{
    *link = (struct link){ .events = events, .chunk = chunk, .read_most = CHUNK_SIZE };
    lane_init(link);
}

int link_open(struct link *link, int socket)
{
    return lane_open(link, socket);
}

const char *link_failure(const struct link *link)
{
    if (link->failure == 0 && link->stream != NULL)
        return tls_stream_failure(link->stream);
    return uv_strerror(link->failure);
}

size_t link_waiting(const struct link *link)
{
    return link->queued;
}

void link_end(struct link *link, int error)
{
    bool was_told = link->has_failed || (link->has_ended && error == 0);
    if (link->is_closing || (was_told && !link->is_flushing))
        return;
    link_read_stop(link);
    link->has_ended = true;
    link->has_failed = link->has_failed || error < 0;
    link->failure = error < 0 ? error : link->failure;
    if (!link->is_flushing)
        link->events->on_end(link, error);
    else if (error < 0 || link->first == NULL)
        link_close(link);
}

static void link_take(struct link *link, struct bytes bytes)
{
    if (link->stream == NULL)
        link->events->on_bytes(link, bytes);
    else
        link_unseal(link, bytes);
}

void link_arrived(struct link *link, struct bytes bytes)
{
    struct chunk *chunk = link->chunk;
    chunk->arrivals += chunk->arrived != link;
    chunk->arrived = link;
    if (bytes.size >= LINK_LARGE_READ && link->streak < LINK_STREAK)
        link->streak++;
    if (!link->is_flushing && link->failure != UV_ENOMEM)
        link_take(link, bytes);
}

void link_stopped(struct link *link, int error)
{
    link_end(link, link->failure < 0 ? link->failure : error);
}

void link_read_on(struct link *link)
{
    if (link->is_reading)
        return;
    link->is_reading = true;
    lane_attend(link);
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
    lane_attend(link);
}

void link_send(struct link *link, struct bytes bytes)
{
    if (link->stream == NULL)
        link_write(link, bytes);
    else
        link_seal(link, bytes);
}

void link_shutdown(struct link *link)
{
    if (link->is_closing || link->is_shutting)
        return;
    if (link->stream != NULL)
        link_seal_end(link);
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
    (void)uv_timer_init(lane_loop(link), &linger->timer); /* these two cannot fail */
    (void)uv_timer_start(&linger->timer, on_linger, LINK_STALL_MS, LINK_STALL_MS);
    return true;
}

void link_close_flushed(struct link *link)
{
    if (link->is_closing || link->is_flushing)
        return;
    bool is_done = link->has_ended && link->first == NULL;
    if (!is_done || link->stream != NULL) { /* else there is nothing to send and nobody to tell */
        link_shutdown(link);
        lane_flush(link);
        link_settle(link);
        is_done = link->has_ended && link->first == NULL;
    }
    if (is_done || link->failure < 0 || !link_watch(link)) {
        link_close(link);
        return;
    }
    link->is_flushing = true;
    link_read_start(link);
}

void link_closed(struct link *link)
{
    link_drop_queue(link);
    if (link->stream != NULL)
        tls_stream_destroy(link->stream);
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
    lane_close(link);
}

void link_peer(const struct link *link, struct address *out)
{
    struct endpoint peer = { .size = sizeof peer.storage };
    struct sockaddr *name = (struct sockaddr *)&peer.storage;
    *out = (struct address){ .family = ADDRESS_NONE };
    int socket = lane_socket(link);
    if (getpeername(socket, name, &peer.size) != 0)
        return;
    endpoint_read(name, peer.size, out);
    bool is_unnamed = out->family == ADDRESS_UNIX && out->text[0] == '\0';
    peer.size = sizeof peer.storage;
    if (is_unnamed && getsockname(socket, name, &peer.size) == 0)
        endpoint_read(name, peer.size, out);
}
