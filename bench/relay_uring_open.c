/* SPDX-License-Identifier: PostgreSQL */
#include "relay_uring.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>

static int relay_open_ring(struct relay *relay)
{
    struct io_uring_params parameters = {
        .flags = IORING_SETUP_CQSIZE | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
        .cq_entries = COMPLETIONS,
    };
    struct rlimit limit;
    int result = io_uring_queue_init_params(ENTRIES, &relay->ring, &parameters);
    if (result < 0)
        return result;
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    unsigned slots = limit.rlim_max < SLOTS_MOST ? (unsigned)limit.rlim_max : SLOTS_MOST;
    relay->slots = slots / 2;
    result = io_uring_register_files_sparse(&relay->ring, slots);
    if (result == 0)
        result = io_uring_register_file_alloc_range(&relay->ring, 0, relay->slots);
    (void)io_uring_register_ring_fd(&relay->ring);
    return result;
}

static void *map(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static int relay_open_pieces(struct relay *relay)
{
    struct io_uring_buf_reg registration = { .ring_entries = OFFERED_MOST };
    relay->memory = map((size_t)PIECES * PIECE_STRIDE);
    relay->offer = map(OFFERED_MOST * sizeof(struct io_uring_buf));
    if (relay->memory == NULL || relay->offer == NULL)
        return -ENOMEM;
    registration.ring_addr = (uintptr_t)relay->offer;
    io_uring_buf_ring_init(relay->offer);
    while (relay->unused_count < PIECES) {
        relay->unused[relay->unused_count] = (uint16_t)relay->unused_count;
        relay->unused_count++;
    }
    relay->offered_most = OFFERED_LEAST;
    return io_uring_register_buf_ring(&relay->ring, &registration, 0);
}

/* Accepted sockets have the listener's options. */
static int relay_listen(struct relay *relay, const char *port)
{
    static const int on = 1;
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    address.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
    relay->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(relay->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    (void)setsockopt(relay->listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (bind(relay->listener, (const struct sockaddr *)&address, sizeof address) < 0 ||
        listen(relay->listener, BACKLOG) < 0)
        return -errno;
    return 0;
}

static void relay_aim(struct relay *relay, const char *target)
{
    if (target[0] == '/') {
        relay->target.local.sun_family = AF_UNIX;
        (void)snprintf(relay->target.local.sun_path, sizeof relay->target.local.sun_path, "%s", target);
        relay->target_size = sizeof relay->target.local;
        return;
    }
    relay->target.internet.sin_family = AF_INET;
    relay->target.internet.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    relay->target.internet.sin_port = htons((uint16_t)strtoul(target, NULL, 10));
    relay->target_size = sizeof relay->target.internet;
}

int relay_open(struct relay *relay, const char *port, const char *target)
{
    relay_aim(relay, target);
    int result = relay_open_ring(relay);
    if (result == 0)
        result = relay_open_pieces(relay);
    return result == 0 ? relay_listen(relay, port) : result;
}
