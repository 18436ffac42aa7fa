/* SPDX-License-Identifier: PostgreSQL */
/* Links whose bytes libuv moves. */
#include "net/lane.h"

#include <stdlib.h>

/* In memory of its own, so that links of a ring need not have it. */
union link_handle {
    uv_handle_t any;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
};

/* The first piece on its way. */
struct writing {
    uv_write_t request;
    struct link *link;
};

static struct link *link_of(const void *handle)
{
    return ((const uv_handle_t *)handle)->data;
}

void lane_uv_init(struct link *link, uv_loop_t *loop, enum address_family family)
{
    union link_handle *handle = malloc(sizeof *handle);
    link->socket.handle = handle;
    if (handle == NULL)
        return;
    if (family == ADDRESS_UNIX)
        (void)uv_pipe_init(loop, &handle->pipe, 0); /* neither can fail */
    else
        (void)uv_tcp_init(loop, &handle->tcp);
    handle->any.data = link;
}

int lane_uv_open(struct link *link, int socket)
{
    union link_handle *handle = link->socket.handle;
    if (handle == NULL)
        return UV_ENOMEM;
    return handle->any.type == UV_NAMED_PIPE ? uv_pipe_open(&handle->pipe, socket)
                                             : uv_tcp_open(&handle->tcp, socket);
}

int lane_uv_socket(const struct link *link)
{
    uv_os_fd_t socket = -1;
    return uv_fileno(&link->socket.handle->any, &socket) == 0 ? socket : -1;
}

uv_loop_t *lane_uv_loop(const struct link *link)
{
    return link->socket.handle->any.loop;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    (void)suggested;
    struct link *link = link_of(handle);
    *out = uv_buf_init((char *)link->chunk->data, link->read_most);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    if (size > 0)
        link_arrived(link_of(stream), bytes_of(buffer->base, (size_t)size));
    else if (size < 0)
        link_stopped(link_of(stream), size == UV_EOF ? 0 : (int)size);
}

void lane_uv_read_start(struct link *link)
{
    link->is_reading = uv_read_start(&link->socket.handle->stream, on_alloc, on_read) == 0;
}

void lane_uv_read_stop(struct link *link)
{
    (void)uv_read_stop(&link->socket.handle->stream);
}

int lane_uv_write_now(struct link *link, struct bytes *bytes)
{
    uv_buf_t view = { .base = (char *)(uintptr_t)bytes->data, .len = bytes->size };
    int taken = uv_try_write(&link->socket.handle->stream, &view, 1);
    if (taken >= 0)
        (void)bytes_take(bytes, (size_t)taken);
    return taken >= 0 || taken == UV_EAGAIN ? 0 : taken;
}

static void on_written(uv_write_t *request, int status)
{
    struct writing *writing = CONTAINER_OF(request, struct writing, request);
    struct link *link = writing->link;
    free(writing);
    if (!link->is_closing)
        link_written(link, status < 0 ? status : (ssize_t)link->first->size);
}

void lane_uv_write(struct link *link)
{
    struct link_piece *piece = link->first;
    struct writing *writing = malloc(sizeof *writing);
    uv_buf_t view = uv_buf_init((char *)(uintptr_t)piece->data, (unsigned)piece->size);
    int result = UV_ENOMEM;
    if (writing != NULL) {
        writing->link = link;
        result = uv_write(&writing->request, &link->socket.handle->stream, &view, 1, on_written);
    }
    piece->is_under_way = result == 0;
    if (result == 0)
        return;
    free(writing);
    link_fail(link, result);
}

size_t lane_uv_taken(const struct link *link)
{
    bool is_under_way = link->first != NULL && link->first->is_under_way;
    return is_under_way ? link->first->size - uv_stream_get_write_queue_size(&link->socket.handle->stream)
                        : 0;
}

static void on_handle_closed(uv_handle_t *closed)
{
    struct link *link = link_of(closed);
    free(link->socket.handle);
    link_closed(link);
}

void lane_uv_close(struct link *link)
{
    if (link->socket.handle != NULL)
        uv_close(&link->socket.handle->any, on_handle_closed);
    else
        link_closed(link);
}
