/* SPDX-License-Identifier: PostgreSQL */
#ifndef UNIT_NET_PEER_H
#define UNIT_NET_PEER_H

#include "net/chunk.h"
#include "net/endpoint.h"
#include "net/poll_set_state.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include <cmocka.h>

/* The other ends of the sockets under test: plain sockets that are driven in turn with the loop. */

enum { PATIENCE_MS = 10000, NOT_HERE = 77 };

/* ── The loop, and the sockets beside it ───────────────────────────────────────────────────────────────────
 */

/* PGSLUICE_IO: what these tests hold of links is held of those of a set of sockets (uv), of a ring's (uring),
 * and of links that change from one to the other every few turns (auto). */
static inline bool is_io(const char *word)
{
    const char *io = getenv("PGSLUICE_IO");
    return strcmp(io != NULL ? io : "uv", word) == 0;
}

enum { TURNS_OF_A_PACE = 3 };

static inline void change_pace(const struct chunk *chunk)
{
    static unsigned turns;
    if (chunk != NULL && is_io("auto"))
        poll_set_pace(chunk->poll_set, turns++ / TURNS_OF_A_PACE % 2 == 0);
}

/* The chunk is set up already; the loop knows it as its data. */
static inline void loop_open(uv_loop_t *loop, struct chunk *chunk)
{
    struct problem problem;
    (void)signal(SIGPIPE, SIG_IGN); /* as the program does: a batch of writes cannot ask not to be sent it */
    assert_int_equal(uv_loop_init(loop), 0);
    loop->data = chunk;
    assert_true(poll_set_create(loop, &chunk->poll_set, &problem));
    chunk->poll_set->turns_before_ring = 1;
    if (is_io("uv") || poll_set_add_ring(chunk->poll_set, is_io("uring"), &problem))
        return;
    print_message("%s\n", problem.text);
    exit(NOT_HERE);
}

/* Ends the program where there is no ring to be had: before anything is made that would stay behind. */
static inline void loop_try(void)
{
    uv_loop_t loop;
    struct chunk chunk;
    loop_open(&loop, &chunk);
    poll_set_destroy(chunk.poll_set);
    assert_int_equal(uv_loop_close(&loop), 0);
}

/* Ends the program likewise, whatever PGSLUICE_IO says: for tests that make rings themselves. */
static inline void ring_try(void)
{
    assert_int_equal(setenv("PGSLUICE_IO", "uring", 1), 0);
    loop_try();
    assert_int_equal(setenv("PGSLUICE_IO", "uv", 1), 0);
}

/* One without data has no links. */
static inline void loop_turn(uv_loop_t *loop)
{
    struct chunk *chunk = loop->data;
    change_pace(chunk);
    if (chunk == NULL)
        (void)uv_run(loop, UV_RUN_NOWAIT);
    else
        poll_set_turn(chunk->poll_set);
}

static inline bool loop_is_alive(const uv_loop_t *loop)
{
    const struct chunk *chunk = loop->data;
    return chunk == NULL ? uv_loop_alive(loop) : poll_set_is_alive(chunk->poll_set);
}

/* As a worker does, until nothing is alive. */
static inline void loop_run(uv_loop_t *loop, void (*before_wait)(void *owner), void *owner)
{
    struct chunk *chunk = loop->data;
    poll_set_run(chunk->poll_set, before_wait, owner);
}

/* Turns the loop, without waiting for long, until `condition` holds. */
#define TURN_UNTIL(loop, condition)                                                                          \
    for (uint64_t turned_since = uv_hrtime(); !(condition); turn((loop), turned_since))                      \
    continue

static inline void turn(uv_loop_t *loop, uint64_t begun)
{
    const struct timespec pause = { .tv_nsec = 100000 };
    loop_turn(loop);
    (void)nanosleep(&pause, NULL);
    if (uv_hrtime() - begun > (uint64_t)PATIENCE_MS * 1000000)
        fail_msg("the loop did not get there in time");
}

static inline void turn_for(uv_loop_t *loop, unsigned ms)
{
    uint64_t begun = uv_hrtime();
    while (uv_hrtime() - begun < (uint64_t)ms * 1000000)
        turn(loop, begun);
}

static inline struct address local_address(uint16_t port)
{
    return (struct address){ .family = ADDRESS_IPV4, .port = port, .ip = { 127, 0, 0, 1 } };
}

/* A Unix socket's: one a process. */
static inline struct address path_address(void)
{
    struct address address = { .family = ADDRESS_UNIX };
    (void)snprintf(address.text, sizeof address.text, "/tmp/pgsluice_peer.%ld", (long)getpid());
    return address;
}

/* For cmocka's group fixtures: nothing stays behind where a test failed. */
static inline int drop_path(void **state)
{
    (void)state;
    (void)unlink(path_address().text);
    return 0;
}

static inline int peer_bind(uint16_t *port)
{
    struct endpoint endpoint;
    struct address address = local_address(*port);
    assert_true(endpoint_of(&address, &endpoint));
    int made = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(made >= 0);
    assert_int_equal(bind(made, endpoint_name(&endpoint), endpoint.size), 0);
    endpoint.size = sizeof endpoint.storage;
    assert_int_equal(getsockname(made, (struct sockaddr *)&endpoint.storage, &endpoint.size), 0);
    endpoint_read(endpoint_name(&endpoint), endpoint.size, &address);
    *port = address.port;
    return made;
}

static inline int peer_listen(uint16_t *port, int backlog)
{
    *port = 0;
    int made = peer_bind(port);
    assert_int_equal(listen(made, backlog), 0);
    return made;
}

/* A port that refuses connections for as long as the returned socket is open. */
static inline int peer_refusing(uint16_t *port)
{
    *port = 0;
    return peer_bind(port);
}

static inline int peer_connect(const struct address *address)
{
    struct endpoint endpoint;
    assert_true(endpoint_of(address, &endpoint));
    int made = socket(endpoint.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(made >= 0);
    assert_int_equal(connect(made, endpoint_name(&endpoint), endpoint.size), 0);
    assert_int_equal(fcntl(made, F_SETFL, O_NONBLOCK), 0);
    return made;
}

static inline int peer_accept(uv_loop_t *loop, int listening)
{
    int accepted = -1;
    TURN_UNTIL(loop, (accepted = accept(listening, NULL, NULL)) >= 0);
    assert_int_equal(fcntl(accepted, F_SETFL, O_NONBLOCK), 0);
    return accepted;
}

enum { FILLERS_MOST = 16 };

/* A listening socket whose queue is full, so that further connections wait. */
struct full_queue {
    struct address host;
    int listening; /* -1: closed */
    int fillers[FILLERS_MOST];
    size_t filled;
};

static inline void full_queue_fill(struct full_queue *queue)
{
    struct endpoint endpoint;
    assert_true(endpoint_of(&queue->host, &endpoint));
    for (queue->filled = 0; queue->filled < FILLERS_MOST;) {
        int made = socket(endpoint.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        int result = connect(made, endpoint_name(&endpoint), endpoint.size);
        struct pollfd waiting = { .fd = made, .events = POLLOUT };
        queue->fillers[queue->filled++] = made;
        if ((result < 0 && errno == EAGAIN) || poll(&waiting, 1, 50) == 0)
            return;
    }
    fail_msg("the queue takes all");
}

static inline void full_queue_open(struct full_queue *queue)
{
    uint16_t port = 0;
    queue->listening = peer_listen(&port, 0);
    queue->host = local_address(port);
    full_queue_fill(queue);
}

static inline void full_queue_close(struct full_queue *queue)
{
    for (size_t i = 0; i < queue->filled; i++)
        (void)close(queue->fillers[i]);
    if (queue->listening >= 0)
        (void)close(queue->listening);
}

enum { RESOLVING_THREADS = 4 }; /* libuv's default */

/* Keeps all threads that resolve names busy. */
struct jam {
    uv_work_t work[RESOLVING_THREADS];
    sem_t release;
};

static inline void wait_in_jam(uv_work_t *work)
{
    struct jam *jam = work->data;
    while (sem_wait(&jam->release) != 0)
        continue;
}

static inline void jam_begin(struct jam *jam, uv_loop_t *loop)
{
    assert_int_equal(sem_init(&jam->release, 0, 0), 0);
    for (size_t i = 0; i < COUNT_OF(jam->work); i++) {
        jam->work[i].data = jam;
        assert_int_equal(uv_queue_work(loop, &jam->work[i], wait_in_jam, NULL), 0);
    }
}

static inline void jam_end(struct jam *jam)
{
    for (size_t i = 0; i < COUNT_OF(jam->work); i++)
        (void)sem_post(&jam->release);
}

/* Keeps the kernel from taking megabytes. */
static inline void peer_limit(int socket, int option)
{
    const int size = 64 * 1024;
    assert_int_equal(setsockopt(socket, SOL_SOCKET, option, &size, sizeof size), 0);
}

/* Two ends of one TCP connection over the loopback; the kernel holds little of what the first sends. */
static inline void peer_pair(int ends[2])
{
    uint16_t port = 0;
    int listening = peer_listen(&port, 1);
    peer_limit(listening, SO_RCVBUF);
    struct address address = local_address(port);
    ends[0] = peer_connect(&address);
    peer_limit(ends[0], SO_SNDBUF);
    struct pollfd waiting = { .fd = listening, .events = POLLIN };
    assert_int_equal(poll(&waiting, 1, PATIENCE_MS), 1);
    ends[1] = accept(listening, NULL, NULL);
    assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    (void)close(listening);
}

static inline void peer_reset(int socket)
{
    const struct linger now = { .l_onoff = 1 };
    assert_int_equal(setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    (void)close(socket);
}

static inline void peer_send(uv_loop_t *loop, int socket, const void *data, size_t size)
{
    for (size_t sent = 0; sent < size;) {
        ssize_t taken = send(socket, (const char *)data + sent, size - sent, MSG_NOSIGNAL);
        assert_true(taken > 0 || errno == EAGAIN);
        sent += taken > 0 ? (size_t)taken : 0;
        loop_turn(loop);
    }
}

/* Reads what is there, up to `size` bytes; -1 while there is nothing, 0 at the end. */
static inline ssize_t peer_take(int socket, void *data, size_t size)
{
    return recv(socket, data, size, 0);
}

/* Reads exactly `size` bytes while the loop turns. */
static inline void peer_read(uv_loop_t *loop, int socket, void *data, size_t size)
{
    uint64_t begun = uv_hrtime();
    for (size_t got = 0; got < size;) {
        ssize_t taken = peer_take(socket, (char *)data + got, size - got);
        if (taken == 0)
            fail_msg("the connection ended after %zu of %zu bytes", got, size);
        got += taken > 0 ? (size_t)taken : 0;
        if (taken < 0)
            turn(loop, begun);
    }
}

static inline bool peer_is_at_end(int socket)
{
    char byte;
    return peer_take(socket, &byte, 1) == 0;
}

static inline void loop_finish(uv_loop_t *loop)
{
    TURN_UNTIL(loop, !loop_is_alive(loop));
    if (loop->data != NULL)
        poll_set_destroy(((struct chunk *)loop->data)->poll_set);
    assert_int_equal(uv_loop_close(loop), 0);
}

#endif
