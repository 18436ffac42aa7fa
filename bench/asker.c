/* SPDX-License-Identifier: PostgreSQL */
/* A client that hardly costs anything itself, for bench_answers behind a proxy: each connection sends a batch
 * of pgbench's SELECTs in one write and the next one when all answers are there: prepared ones, or simple
 * ones, each with another number. Prints: transactions, those a second, and of the batches in ms the mean,
 * the median, the 99th percentile and the longest.
 *
 * With a BATCH of 0 they log in and rest: it prints how many, and ends with its input.
 *
 *     bench_asker PORT CONNECTIONS BATCH SECONDS [prepared | simple] */
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
#define NUMBER "10000000"
#define ASKED  "SELECT abalance FROM pgbench_accounts WHERE aid = "
#define SIMPLE "Q\0\0\0\x40" ASKED NUMBER ";\0"

struct connection {
    int socket;
    size_t missing; /* bytes of the answers that are still to come */
    uint64_t asked_ns;
};

/* A transaction as it is asked. */
struct request {
    const char *bytes;
    size_t size;
    size_t number_at; /* where the number stands that is another each time; 0: there is none */
};

struct asker {
    struct connection connections[CONNECTIONS_MOST];
    struct request request;
    char number[sizeof NUMBER]; /* the next one */
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

/* The next number, of as many digits; the first again behind the last. */
static void number_next(char *number)
{
    size_t at = sizeof NUMBER - 2;
    while (at > 0 && number[at] == '9')
        number[at--] = '0';
    number[at] = number[at] == '9' ? '1' : (char)(number[at] + 1);
}

static void batch_renew(struct asker *asker)
{
    const struct request *request = &asker->request;
    for (size_t at = request->number_at; request->number_at > 0 && at < asker->batch_size;
         at += request->size) {
        memcpy(asker->batch + at, asker->number, sizeof NUMBER - 1);
        number_next(asker->number);
    }
}

static void batch_make(struct asker *asker, unsigned batch)
{
    const struct request *request = &asker->request;
    asker->batch_size = batch * request->size;
    asker->batch = malloc(asker->batch_size + 1);
    if (asker->batch == NULL)
        fail("memory");
    for (unsigned i = 0; i < batch; i++)
        memcpy(asker->batch + i * request->size, request->bytes, request->size);
    batch_renew(asker);
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
    batch_renew(asker);
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

/* False where there is no such protocol. */
static bool choose_request(struct asker *asker, const char *protocol)
{
    memcpy(asker->number, NUMBER, sizeof NUMBER);
    if (strcmp(protocol, "prepared") == 0)
        asker->request = (struct request){ SELECT, sizeof SELECT - 1, 0 };
    else if (strcmp(protocol, "simple") == 0)
        asker->request = (struct request){ SIMPLE, sizeof SIMPLE - 1, HEADER + sizeof ASKED - 1 };
    return asker->request.size > 0;
}

int main(int count, char **arguments)
{
    static struct asker asker;
    unsigned connections = count >= 5 ? (unsigned)strtoul(arguments[2], NULL, 10) : 0;
    unsigned batch = count >= 5 ? (unsigned)strtoul(arguments[3], NULL, 10) : 0;
    bool is_known = choose_request(&asker, count == 6 ? arguments[5] : "prepared");
    if (connections < 1 || connections > CONNECTIONS_MOST || batch > BATCH_MOST || count > 6 || !is_known) {
        (void)fprintf(stderr, "usage: bench_asker PORT CONNECTIONS BATCH SECONDS [prepared | simple]\n");
        return 2;
    }
    asker.poller = epoll_create1(EPOLL_CLOEXEC);
    asker.times_us = calloc(TIMES_MOST, sizeof *asker.times_us);
    if (asker.times_us == NULL)
        fail("memory");
    batch_make(&asker, batch);
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
