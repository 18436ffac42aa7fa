/* SPDX-License-Identifier: PostgreSQL */
/* The yardstick: reads from one side and writes to the other, and nothing else. One shared read buffer,
 * uv_try_write first, what the kernel does not take is copied and queued. What the sluice costs beyond this
 * is the price of what it does.
 *
 *     bench_relay LISTEN_PORT TARGET        TARGET is a port of 127.0.0.1 or the path of a Unix socket */
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { READ_SIZE = 64 * 1024, BACKLOG = 1024, FULL = 256 * 1024 };

struct end {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } socket;
    struct end *other;
    struct pair *pair;
};

struct pair {
    struct end client;
    struct end server;
    uv_connect_t connect;
    int closed;
};

struct piece {
    uv_write_t request;
    char data[];
};

static char read_buffer[READ_SIZE];
static const char *target;

static void on_closed(uv_handle_t *handle)
{
    struct pair *pair = ((struct end *)handle)->pair;
    if (++pair->closed == 2)
        free(pair);
}

static void pair_close(struct pair *pair)
{
    if (!uv_is_closing(&pair->client.socket.handle))
        uv_close(&pair->client.socket.handle, on_closed);
    if (!uv_is_closing(&pair->server.socket.handle))
        uv_close(&pair->server.socket.handle, on_closed);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    (void)handle;
    (void)suggested;
    *out = uv_buf_init(read_buffer, READ_SIZE);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer);

static void on_written(uv_write_t *request, int status)
{
    struct end *end = (struct end *)request->handle;
    free((char *)request - offsetof(struct piece, request));
    if (status < 0)
        pair_close(end->pair);
    else if (uv_stream_get_write_queue_size(&end->socket.stream) == 0 &&
             !uv_is_closing(&end->other->socket.handle))
        (void)uv_read_start(&end->other->socket.stream, on_alloc, on_read);
}

static void end_queue(struct end *end, const char *data, size_t size)
{
    struct piece *piece = malloc(sizeof *piece + size);
    uv_buf_t view = uv_buf_init(piece != NULL ? piece->data : NULL, (unsigned)size);
    if (piece == NULL) {
        pair_close(end->pair);
        return;
    }
    memcpy(piece->data, data, size);
    if (uv_write(&piece->request, &end->socket.stream, &view, 1, on_written) < 0) {
        free(piece);
        pair_close(end->pair);
    } else if (uv_stream_get_write_queue_size(&end->socket.stream) > FULL) {
        (void)uv_read_stop(&end->other->socket.stream);
    }
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct end *end = (struct end *)stream;
    if (size < 0)
        pair_close(end->pair);
    if (size <= 0)
        return;
    uv_buf_t view = uv_buf_init(buffer->base, (unsigned)size);
    int taken = uv_try_write(&end->other->socket.stream, &view, 1);
    if (taken < 0 && taken != UV_EAGAIN)
        pair_close(end->pair);
    else if (taken < size)
        end_queue(end->other, buffer->base + (taken > 0 ? taken : 0),
                  (size_t)(size - (taken > 0 ? taken : 0)));
}

static void on_connected(uv_connect_t *request, int status)
{
    struct pair *pair = (struct pair *)((char *)request - offsetof(struct pair, connect));
    if (status < 0) {
        pair_close(pair);
        return;
    }
    if (target[0] != '/')
        (void)uv_tcp_nodelay(&pair->server.socket.tcp, 1);
    (void)uv_read_start(&pair->client.socket.stream, on_alloc, on_read);
    (void)uv_read_start(&pair->server.socket.stream, on_alloc, on_read);
}

static void pair_connect(struct pair *pair)
{
    struct sockaddr_in address;
    if (target[0] == '/') {
        uv_pipe_connect(&pair->connect, &pair->server.socket.pipe, target, on_connected);
        return;
    }
    (void)uv_ip4_addr("127.0.0.1", atoi(target), &address);
    if (uv_tcp_connect(&pair->connect, &pair->server.socket.tcp, (const struct sockaddr *)&address,
                       on_connected) < 0)
        pair_close(pair);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct pair *pair = status == 0 ? calloc(1, sizeof *pair) : NULL;
    if (pair == NULL)
        return;
    pair->client.pair = pair->server.pair = pair;
    pair->client.other = &pair->server;
    pair->server.other = &pair->client;
    (void)uv_tcp_init(listener->loop, &pair->client.socket.tcp);
    if (target[0] == '/')
        (void)uv_pipe_init(listener->loop, &pair->server.socket.pipe, 0);
    else
        (void)uv_tcp_init(listener->loop, &pair->server.socket.tcp);
    if (uv_accept(listener, &pair->client.socket.stream) < 0) {
        pair_close(pair);
        return;
    }
    (void)uv_tcp_nodelay(&pair->client.socket.tcp, 1);
    pair_connect(pair);
}

int main(int count, char **arguments)
{
    struct sockaddr_in address;
    uv_tcp_t listener;
    if (count != 3) {
        (void)fprintf(stderr, "usage: bench_relay LISTEN_PORT TARGET\n");
        return 2;
    }
    target = arguments[2];
    (void)signal(SIGPIPE, SIG_IGN);
    (void)uv_ip4_addr("127.0.0.1", atoi(arguments[1]), &address);
    (void)uv_tcp_init(uv_default_loop(), &listener);
    (void)uv_tcp_bind(&listener, (const struct sockaddr *)&address, 0);
    int result = uv_listen((uv_stream_t *)&listener, BACKLOG, on_connection);
    if (result < 0) {
        (void)fprintf(stderr, "bench_relay: port %s: %s\n", arguments[1], uv_strerror(result));
        return 1;
    }
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
