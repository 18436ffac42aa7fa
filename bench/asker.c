/* SPDX-License-Identifier: PostgreSQL */
/* A client that hardly costs anything itself, for bench_answers behind a proxy: each connection sends a batch
 * of pgbench's prepared SELECTs in one write and the next one when all answers are there. Prints:
 * transactions, those a second, and of the batches in ms the mean, the median, the 99th percentile and the
 * longest.
 *
 * With a BATCH of 0 they log in and rest: it prints how many, and ends with its input.
 *
 *     bench_asker PORT CONNECTIONS BATCH SECONDS */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    CONNECTIONS_MOST = 20000,
    BATCH_MOST = 1000,
    READ_SIZE = 256 * 1024,
    TIMES_MOST = 4 * 1024 * 1024,
    HEADER = 5
};

#define STARTUP "\0\0\0\x29\0\3\0\0user\0postgres\0database\0postgres\0\0"
#define PARSE                                                                                                \
    "P\0\0\0\x40P_0\0SELECT abalance FROM pgbench_accounts WHERE aid = $1;\0\0\0"                            \
    "S\0\0\0\4"
#define SELECT                                                                                               \
    "B\0\0\0\x19\0P_0\0\0\0\0\1\0\0\0\6"                                                                     \
    "123456"                                                                                                 \
    "\0\0"                                                                                                   \
    "D\0\0\0\6P\0"                                                                                           \
    "E\0\0\0\x09\0\0\0\0\0"                                                                                  \
    "S\0\0\0\4"

struct connection {
    int socket;
    size_t missing; /* bytes of the answers that are still to come */
    uint64_t asked_ns;
};

struct asker {
    struct connection connections[CONNECTIONS_MOST];
    char *batch;
    size_t batch_size;
    size_t answers_size;
    uint32_t *times_us;
    size_t times;
    int poller;
};

static char answers[READ_SIZE];

static uint64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void fail(const char *what)
{
    (void)fprintf(stderr, "bench_asker: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void say(const struct connection *connection, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(connection->socket, data, size, MSG_NOSIGNAL);
        if (sent < 0)
            fail("send");
        data += sent;
        size -= (size_t)sent;
    }
}

/* Reads until so many ReadyForQuery; returns the bytes of all messages before and with the last of them. */
static size_t hear(const struct connection *connection, unsigned count)
{
    size_t size = 0;
    size_t at = 0;
    while (count > 0) {
        ssize_t more = recv(connection->socket, answers + size, READ_SIZE - size, 0);
        if (more <= 0)
            fail("the server closed or says too much");
        size += (size_t)more;
        while (count > 0 && size - at >= HEADER) {
            uint32_t length;
            memcpy(&length, answers + at + 1, sizeof length);
            if (size - at < ntohl(length) + 1)
                break;
            if (answers[at] == 'E')
                fail("the server answered with an error");
            count -= answers[at] == 'Z';
            at += ntohl(length) + 1;
        }
    }
    return at;
}

static void connection_open(struct asker *asker, struct connection *connection, const char *port,
                            unsigned batch)
{
    static const int on = 1;
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = connection };
    address.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
    connection->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(connection->socket, (const struct sockaddr *)&address, sizeof address) < 0)
        fail("connect");
    (void)setsockopt(connection->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    say(connection, STARTUP, sizeof STARTUP - 1);
    (void)hear(connection, 1);
    if (batch == 0)
        return;
    say(connection, PARSE, sizeof PARSE - 1);
    (void)hear(connection, 1);
    say(connection, asker->batch, asker->batch_size);
    asker->answers_size = hear(connection, batch); /* of all later ones too: the answers are the same */
    if (epoll_ctl(asker->poller, EPOLL_CTL_ADD, connection->socket, &event) < 0)
        fail("epoll");
}

static void connection_ask(struct asker *asker, struct connection *connection)
{
    connection->asked_ns = now_ns();
    connection->missing = asker->answers_size;
    say(connection, asker->batch, asker->batch_size);
}

static void on_readable(struct asker *asker, struct connection *connection)
{
    ssize_t size = recv(connection->socket, answers, READ_SIZE, MSG_TRUNC); /* counted, not copied */
    if (size <= 0 || (size_t)size > connection->missing)
        fail("an answer is not like the first");
    connection->missing -= (size_t)size;
    if (connection->missing > 0)
        return;
    if (asker->times < TIMES_MOST)
        asker->times_us[asker->times++] = (uint32_t)((now_ns() - connection->asked_ns) / 1000);
    connection_ask(asker, connection);
}

static int by_number(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

/* The time at that rank, in ms. */
static double time_at(const struct asker *asker, size_t rank)
{
    return asker->times_us[rank] / 1000.0;
}

static void report(struct asker *asker, unsigned batch, double seconds)
{
    double sum = 0;
    size_t count = asker->times;
    if (count == 0)
        fail("no answer came");
    qsort(asker->times_us, count, sizeof *asker->times_us, by_number);
    for (size_t i = 0; i < count; i++)
        sum += asker->times_us[i];
    (void)printf("%zu %.1f %.3f %.3f %.3f %.3f\n", count * batch, (double)(count * batch) / seconds,
                 sum / (double)count / 1000, time_at(asker, count / 2), time_at(asker, count * 99 / 100),
                 time_at(asker, count - 1));
}

static void run(struct asker *asker, uint64_t end_ns)
{
    static struct epoll_event events[CONNECTIONS_MOST];
    while (now_ns() < end_ns) {
        int ready = epoll_wait(asker->poller, events, CONNECTIONS_MOST, 100);
        for (int i = 0; i < ready; i++)
            on_readable(asker, events[i].data.ptr);
    }
}

int main(int count, char **arguments)
{
    static struct asker asker;
    unsigned connections = count == 5 ? (unsigned)strtoul(arguments[2], NULL, 10) : 0;
    unsigned batch = count == 5 ? (unsigned)strtoul(arguments[3], NULL, 10) : 0;
    if (connections < 1 || connections > CONNECTIONS_MOST || batch > BATCH_MOST || count != 5) {
        (void)fprintf(stderr, "usage: bench_asker PORT CONNECTIONS BATCH SECONDS\n");
        return 2;
    }
    asker.poller = epoll_create1(EPOLL_CLOEXEC);
    asker.batch_size = batch * (sizeof SELECT - 1);
    asker.batch = malloc(asker.batch_size + 1);
    asker.times_us = calloc(TIMES_MOST, sizeof *asker.times_us);
    if (asker.batch == NULL || asker.times_us == NULL)
        fail("memory");
    for (unsigned i = 0; i < batch; i++)
        memcpy(asker.batch + i * (sizeof SELECT - 1), SELECT, sizeof SELECT - 1);
    for (unsigned i = 0; i < connections; i++)
        connection_open(&asker, &asker.connections[i], arguments[1], batch);
    if (batch == 0) {
        (void)printf("%u\n", connections);
        (void)fflush(stdout);
        (void)getchar();
        return 0;
    }
    for (unsigned i = 0; i < connections; i++)
        connection_ask(&asker, &asker.connections[i]);
    uint64_t begun_ns = now_ns();
    run(&asker, begun_ns + (uint64_t)(strtod(arguments[4], NULL) * 1e9));
    report(&asker, batch, (double)(now_ns() - begun_ns) / 1e9);
    free(asker.batch);
    free(asker.times_us);
    return 0;
}
