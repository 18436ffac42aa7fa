/* SPDX-License-Identifier: PostgreSQL */
/* A server for benchmarks of more than one worker: logs in whoever comes and answers all requests of a burst
 * at once, each with the same row, so that the proxy before it is what is measured.
 *
 *     bench_answers LISTEN_PORT */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024, EVENTS = 256, READ_SIZE = 64 * 1024, ANSWER_MOST = 256, HEADER = 5 };
enum { CODE_SSL = 80877103, CODE_GSS = 80877104 };

struct client {
    int socket;
    bool is_logged_in;
    size_t size;
    char data[READ_SIZE]; /* what was read and is not whole */
};

struct answer {
    const char *bytes;
    size_t size;
};

#define ANSWER(text) ((struct answer){ (text), sizeof(text) - 1 })
#define READY        "Z\0\0\0\5I"
#define COLUMNS      "T\0\0\0\x21\0\1abalance\0\0\0\x40\1\0\4\0\0\0\x17\0\4\xff\xff\xff\xff\0\0"
#define ROW                                                                                                  \
    "D\0\0\0\x0b\0\1\0\0\0\1"                                                                                \
    "0"
#define COMPLETE "C\0\0\0\x0dSELECT 1\0"

static struct answer answer_to(char type)
{
    switch (type) {
    case 'Q':
        return ANSWER(COLUMNS ROW COMPLETE READY);
    case 'P':
        return ANSWER("1\0\0\0\4");
    case 'B':
        return ANSWER("2\0\0\0\4");
    case 'C':
        return ANSWER("3\0\0\0\4");
    case 'D':
        return ANSWER(COLUMNS);
    case 'E':
        return ANSWER(ROW COMPLETE);
    case 'S':
        return ANSWER(READY);
    default:
        return ANSWER("");
    }
}

static struct answer answer_to_login(uint32_t code)
{
    if (code == CODE_SSL || code == CODE_GSS)
        return ANSWER("N");
    return ANSWER("R\0\0\0\x08\0\0\0\0"
                  "S\0\0\0\x18server_version\00015.0\0"
                  "K\0\0\0\x0c\0\0\0\1\0\0\0\2" READY);
}

static uint32_t number_at(const char *data)
{
    uint32_t number;
    memcpy(&number, data, sizeof number);
    return ntohl(number);
}

/* Everything, waiting for room where there is none. */
static bool client_send(const struct client *client, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(client->socket, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN)
            return false;
        if (sent < 0) {
            struct pollfd room = { .fd = client->socket, .events = POLLOUT };
            (void)poll(&room, 1, -1);
            continue;
        }
        data += sent;
        size -= (size_t)sent;
    }
    return true;
}

/* Answers the whole messages of what was read, and keeps the rest. */
static bool client_answer(struct client *client)
{
    static char out[READ_SIZE];
    size_t used = 0;
    size_t at = 0;
    for (;;) {
        size_t untyped = client->is_logged_in ? 0 : 1; /* bytes by which the header is shorter */
        const char *message = client->data + at;
        if (client->size - at < HEADER - untyped + (untyped ? 4 : 0))
            break;
        size_t size = number_at(message + 1 - untyped) + 1 - untyped;
        if (size > READ_SIZE || (client->is_logged_in && message[0] == 'X'))
            return false;
        if (client->size - at < size)
            break;
        struct answer answer = untyped ? answer_to_login(number_at(message + 4)) : answer_to(message[0]);
        client->is_logged_in = client->is_logged_in || answer.size > 1;
        if (used + answer.size > sizeof out) {
            if (!client_send(client, out, used))
                return false;
            used = 0;
        }
        memcpy(out + used, answer.bytes, answer.size);
        used += answer.size;
        at += size;
    }
    client->size -= at;
    memmove(client->data, client->data + at, client->size);
    return client_send(client, out, used);
}

static void on_readable(struct client *client)
{
    ssize_t size = recv(client->socket, client->data + client->size, READ_SIZE - client->size, MSG_DONTWAIT);
    if (size < 0 && errno == EAGAIN)
        return;
    client->size += size > 0 ? (size_t)size : 0;
    if (size <= 0 || !client_answer(client)) {
        (void)close(client->socket);
        free(client);
    }
}

static void on_connection(int poller, int listener)
{
    static const int on = 1;
    struct client *client = calloc(1, sizeof *client);
    if (client == NULL)
        return;
    client->socket = accept(listener, NULL, NULL);
    (void)setsockopt(client->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = client };
    if (epoll_ctl(poller, EPOLL_CTL_ADD, client->socket, &event) < 0)
        free(client);
}

int main(int count, char **arguments)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct epoll_event events[EVENTS] = { { .events = EPOLLIN } };
    if (count != 2) {
        (void)fprintf(stderr, "usage: bench_answers LISTEN_PORT\n");
        return 2;
    }
    address.sin_port = htons((uint16_t)strtoul(arguments[1], NULL, 10));
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int poller = epoll_create1(EPOLL_CLOEXEC);
    (void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
    if (bind(listener, (const struct sockaddr *)&address, sizeof address) < 0 ||
        listen(listener, BACKLOG) < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, listener, &events[0]) < 0) {
        (void)fprintf(stderr, "bench_answers: port %s: %s\n", arguments[1], strerror(errno));
        return 1;
    }
    for (;;) {
        int ready = epoll_wait(poller, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.ptr == NULL)
                on_connection(poller, listener);
            else
                on_readable(events[i].data.ptr);
        }
    }
}
