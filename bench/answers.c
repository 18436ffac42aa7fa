/* SPDX-License-Identifier: PostgreSQL */
/* A server for benchmarks of more than one worker: logs in whoever comes and answers all requests of a burst
 * at once, each with the same row, so that the proxy before it is what is measured. Of a client that asks the
 * same again and again it compares the first request of a burst and counts the bytes of the others: one that
 * asks something else then should do so in a burst of its own. Queries are the same where they are as long.
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

enum { BACKLOG = 1024, EVENTS = 256, READ_SIZE = 64 * 1024, HEADER = 5 };
enum { UNIT_MOST = 1024, UNITS = 64, COUNT_MOST = 1024 * 1024 };
enum { CODE_SSL = 80877103, CODE_GSS = 80877104 };

struct client {
    int socket;
    bool is_logged_in;
    bool is_within;  /* a unit: what was read begins with the rest of it */
    bool is_counted; /* it asks the known unit again and again: `size` bytes of one came, and not to `data` */
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

/* Requests up to an answer that says ready, and all that is answered to them: mostly the next ones are the
 * same. Both as often as one comparison looks for them, and the answer as often as there is room once clients
 * are counted. */
struct unit {
    char request[UNITS * UNIT_MOST];
    char answer[UNITS * UNIT_MOST];
    size_t request_size; /* of one; 0: not known yet */
    size_t same_size;    /* what of it is compared: all, or of a single message the header */
    size_t answer_size;
    size_t answers; /* in there */
    size_t clients; /* that are counted: it stays as it is */
};

/* Answers that are not sent yet. */
struct answers {
    char bytes[READ_SIZE];
    size_t size;
    bool is_whole; /* nothing was sent since the unit began */
};

static struct unit unit;
static struct answers answers;

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

static bool answers_send(const struct client *client)
{
    size_t size = answers.size;
    answers.size = 0;
    answers.is_whole = false;
    return client_send(client, answers.bytes, size);
}

static bool answers_add(const struct client *client, struct answer answer)
{
    if (answers.size + answer.size > sizeof answers.bytes && !answers_send(client))
        return false;
    memcpy(answers.bytes + answers.size, answer.bytes, answer.size);
    answers.size += answer.size;
    return true;
}

static void unit_learn(struct answer request, struct answer answer)
{
    if (request.size > UNIT_MOST || answer.size > UNIT_MOST || unit.clients > 0)
        return;
    for (size_t index = 0; index < UNITS; index++) {
        memcpy(unit.request + index * request.size, request.bytes, request.size);
        memcpy(unit.answer + index * answer.size, answer.bytes, answer.size);
    }
    unit.answers = UNITS;
    unit.request_size = request.size;
    unit.same_size = request.bytes[0] == 'Q' ? HEADER : request.size;
    unit.answer_size = answer.size;
}

static bool is_same(const char *data, size_t count)
{
    if (unit.same_size == unit.request_size)
        return memcmp(data, unit.request, count * unit.request_size) == 0;
    for (size_t index = 0; index < count; index++) {
        if (memcmp(data + index * unit.request_size, unit.request, unit.same_size) != 0)
            return false;
    }
    return true;
}

/* How many units the bytes begin with: many, one or none. */
static size_t units_in(const char *data, size_t size)
{
    for (size_t count = UNITS; count > 0; count = count > 1 ? 1 : 0) {
        size_t whole = count * unit.request_size;
        if (whole > 0 && whole <= size && is_same(data, count))
            return count;
    }
    return 0;
}

/* The size of the message that the bytes begin with; more than READ_SIZE when there is not all of it. */
static size_t message_size(const struct client *client, const char *data, size_t size)
{
    size_t untyped = client->is_logged_in ? 0 : 1; /* bytes by which the header is shorter */
    if (size < HEADER - untyped + 4 * untyped)
        return SIZE_MAX;
    size_t whole = (size_t)number_at(data + 1 - untyped) + 1 - untyped;
    return whole <= size ? whole : SIZE_MAX;
}

static bool client_answer_message(struct client *client, const char *message)
{
    struct answer answer =
        client->is_logged_in ? answer_to(message[0]) : answer_to_login(number_at(message + 4));
    client->is_logged_in = client->is_logged_in || answer.size > 1;
    return answers_add(client, answer);
}

static bool is_last(char type)
{
    return type == 'Q' || type == 'S';
}

/* Answers one unit of those that the client begins with, or many, or nothing, where there is no whole
 * message. The bytes that were answered; READ_SIZE + 1 when the client goes or cannot be sent to. */
static size_t client_answer_unit(struct client *client, const char *data, size_t size)
{
    size_t begin = answers.size;
    size_t at = 0;
    bool is_done = false;
    bool was_logged_in = client->is_logged_in;
    answers.is_whole = true;
    while (!is_done) {
        size_t whole = message_size(client, data + at, size - at);
        if (whole > size - at)
            break;
        is_done = !was_logged_in || is_last(data[at]);
        if ((was_logged_in && data[at] == 'X') || !client_answer_message(client, data + at))
            return READ_SIZE + 1;
        at += whole;
    }
    if (is_done && was_logged_in && !client->is_within && answers.is_whole)
        unit_learn((struct answer){ data, at },
                   (struct answer){ answers.bytes + begin, answers.size - begin });
    client->is_within = !is_done && (at > 0 || client->is_within);
    return at;
}

static void client_count_from_now_on(struct client *client)
{
    client->is_counted = true;
    unit.clients++;
    for (; unit.answers < sizeof unit.answer / unit.answer_size; unit.answers++)
        memcpy(unit.answer + unit.answers * unit.answer_size, unit.answer, unit.answer_size);
}

static void client_count_no_more(struct client *client)
{
    unit.clients -= client->is_counted ? 1 : 0;
    client->is_counted = false;
}

/* Answers the whole messages of what was read, and keeps the rest. */
static bool client_answer(struct client *client)
{
    size_t at = 0;
    size_t size;
    bool has_many = false;
    answers.size = 0; /* of one that has gone */
    do {
        size_t known = client->is_logged_in ? units_in(client->data + at, client->size - at) : 0;
        size = known * unit.request_size;
        has_many = has_many || known == UNITS;
        if (known == 0)
            size = client_answer_unit(client, client->data + at, client->size - at);
        else if (!answers_add(client, (struct answer){ unit.answer, known * unit.answer_size }))
            return false;
        if (size > READ_SIZE)
            return false;
        at += size;
    } while (size > 0);
    client->size -= at;
    memmove(client->data, client->data + at, client->size);
    if (has_many && client->size == 0)
        client_count_from_now_on(client);
    return answers_send(client);
}

/* Answers the whole units of what came; the rest is of the next one. */
static bool client_answer_units(struct client *client)
{
    size_t left = client->size / unit.request_size;
    client->size -= left * unit.request_size;
    while (left > 0) {
        size_t count = left < unit.answers ? left : unit.answers;
        if (!client_send(client, unit.answer, count * unit.answer_size))
            return false;
        left -= count;
    }
    return true;
}

/* Of what came, reads and compares no more than the rest of the unit that it begins with, and counts what is
 * behind it. False where the client has gone or cannot be sent to. */
static bool client_answer_counted(struct client *client)
{
    size_t begin = client->size;
    ssize_t first = recv(client->socket, client->data + begin, unit.request_size - begin, MSG_DONTWAIT);
    if (first <= 0)
        return first < 0 && errno == EAGAIN;
    client->size += (size_t)first;
    size_t same = client->size < unit.same_size ? client->size : unit.same_size;
    if (same > begin && memcmp(client->data + begin, unit.request + begin, same - begin) != 0) {
        memcpy(client->data, unit.request, begin);
        client_count_no_more(client);
        return client_answer(client);
    }
    if (client->size == unit.request_size) {
        ssize_t more = recv(client->socket, NULL, COUNT_MOST, MSG_DONTWAIT | MSG_TRUNC);
        client->size += more > 0 ? (size_t)more : 0;
    }
    return client_answer_units(client);
}

static bool client_read(struct client *client)
{
    ssize_t size = recv(client->socket, client->data + client->size, READ_SIZE - client->size, MSG_DONTWAIT);
    if (size <= 0)
        return size < 0 && errno == EAGAIN;
    client->size += (size_t)size;
    return client_answer(client);
}

static void on_readable(struct client *client)
{
    if (client->is_counted ? client_answer_counted(client) : client_read(client))
        return;
    client_count_no_more(client);
    (void)close(client->socket);
    free(client);
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
