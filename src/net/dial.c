/* SPDX-License-Identifier: PostgreSQL */
#include "net/dial.h"

#include "base/text.h"
#include "net/endpoint.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

/* A Unix socket whose queue is full says so at once and cannot be waited for. */
enum { RETRY_MS = 20, WHY_SIZE = 512 };

struct attempt;
struct resolution;

/*   host ──(a name)──► resolution ──► address ──► attempt ──► done
 *                                        ▲            │
 *                                        └── failed ◄─┘
 *
 * Each step begins from the timer, which otherwise guards the step that is under way. */
struct dial {
    uv_timer_t timer;
    const struct address *host;
    uint64_t timeout_ms;
    dial_done done;
    void *owner;
    bool has_begun;
    struct resolution *resolution; /* under way, or NULL */
    struct attempt *attempt;       /* under way, or NULL */
    struct addrinfo *found;        /* of the host, if it is a name */
    struct addrinfo *next;         /* of those: not tried yet */
    struct endpoint target;        /* of the attempt */
    uint64_t begun_ms;             /* when the target was tried first */
    struct text why;
    char why_storage[WHY_SIZE];
};

/* A connection in the making; outlives a dial that does not need it any more until its handle is closed. */
struct attempt {
    uv_poll_t poll;
    struct dial *dial;
    int socket;
};

/* A name being looked up; outlives a dial that gave up waiting for it. */
struct resolution {
    uv_getaddrinfo_t request;
    struct dial *dial; /* NULL: nobody waits any more */
};

static void on_attempt_closed(uv_handle_t *handle)
{
    free(CONTAINER_OF(handle, struct attempt, poll));
}

/* Ends the attempt and hands its socket out. */
static int dial_take_socket(struct dial *dial)
{
    int socket = dial->attempt->socket;
    uv_close((uv_handle_t *)&dial->attempt->poll, on_attempt_closed);
    dial->attempt = NULL;
    return socket;
}

static void on_timer_closed(uv_handle_t *handle)
{
    free(CONTAINER_OF(handle, struct dial, timer));
}

/* Ends all that is under way; the memory goes in the loop. */
static void dial_end(struct dial *dial)
{
    if (dial->attempt != NULL)
        (void)close(dial_take_socket(dial));
    if (dial->resolution != NULL) {
        dial->resolution->dial = NULL;
        (void)uv_cancel(
            (uv_req_t *)&dial->resolution->request); /* fails when it runs already: then it is ignored */
    }
    if (dial->found != NULL)
        uv_freeaddrinfo(dial->found);
    uv_close((uv_handle_t *)&dial->timer, on_timer_closed);
}

uint64_t dial_tried_ms(const struct dial *dial)
{
    bool has_target = dial->target.size > 0;
    return has_target ? uv_now(dial->timer.loop) - dial->begun_ms : 0;
}

void dial_cancel(struct dial *dial)
{
    dial_end(dial);
}

static void dial_finish(struct dial *dial, int socket)
{
    const struct dial_result result = {
        .socket = socket,
        .begun_ms = dial->begun_ms,
        .why = dial->why_storage,
    };
    dial_end(dial);
    dial->done(dial->owner, &result);
}

/* Remembers what became of the host; for a name, `address` is the one that was tried. */
static void dial_note(struct dial *dial, const struct endpoint *address, int error)
{
    const struct address *host = dial->host;
    if (dial->why.size > 0)
        text_append_string(&dial->why, "; ");
    address_describe(host, &dial->why);
    if (host->family == ADDRESS_NAME && address != NULL) {
        struct address tried;
        endpoint_read(endpoint_name(address), address->size, &tried);
        text_append_string(&dial->why, " (");
        address_describe(&tried, &dial->why);
        text_append_string(&dial->why, ")");
    }
    text_append_format(&dial->why, ": %s", uv_strerror(error));
}

static void on_next(uv_timer_t *timer);

static void dial_go_on(struct dial *dial)
{
    (void)uv_timer_start(&dial->timer, on_next, 0, 0);
}

static void dial_guard(struct dial *dial, uv_timer_cb on_timeout)
{
    if (dial->timeout_ms > 0)
        (void)uv_timer_start(&dial->timer, on_timeout, dial->timeout_ms, 0);
    else
        (void)uv_timer_stop(&dial->timer);
}

static void dial_fail_target(struct dial *dial, int error)
{
    dial_note(dial, &dial->target, error);
    dial_go_on(dial);
}

static void on_connect_timeout(uv_timer_t *timer)
{
    struct dial *dial = CONTAINER_OF(timer, struct dial, timer);
    (void)close(dial_take_socket(dial));
    dial_fail_target(dial, UV_ETIMEDOUT);
}

static void on_connected(uv_poll_t *poll, int status, int events)
{
    (void)status; /* the socket knows better: libuv says UV_EBADF for whatever error it has */
    (void)events;
    struct attempt *attempt = CONTAINER_OF(poll, struct attempt, poll);
    struct dial *dial = attempt->dial;
    int error = 0;
    socklen_t size = sizeof error;
    int socket = dial_take_socket(dial);
    if (getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        error = errno;
    if (error == 0) {
        dial_finish(dial, socket);
        return;
    }
    (void)close(socket);
    dial_fail_target(dial, uv_translate_sys_error(error));
}

/* Waits for a connection that is under way on `socket`. 0, or a negative libuv code: the socket is still the
 * caller's. */
static int dial_await(struct dial *dial, int socket)
{
    struct attempt *attempt = malloc(sizeof *attempt);
    if (attempt == NULL)
        return UV_ENOMEM;
    int result = uv_poll_init(dial->timer.loop, &attempt->poll, socket);
    if (result < 0) {
        free(attempt);
        return result;
    }
    attempt->dial = dial;
    attempt->socket = socket;
    dial->attempt = attempt;
    (void)uv_poll_start(&attempt->poll, UV_WRITABLE, on_connected); /* cannot fail for a handle just made */
    dial_guard(dial, on_connect_timeout);
    return 0;
}

static void dial_try(struct dial *dial);

static void on_retry(uv_timer_t *timer)
{
    dial_try(CONTAINER_OF(timer, struct dial, timer));
}

static void dial_retry(struct dial *dial)
{
    uint64_t most = dial->timeout_ms;
    if (most > 0 && uv_now(dial->timer.loop) - dial->begun_ms >= most)
        dial_fail_target(dial, UV_ETIMEDOUT);
    else
        (void)uv_timer_start(&dial->timer, on_retry, RETRY_MS, 0);
}

/* 0, or an error. Over the loopback a connection is there at once, though the kernel calls it under way: it
 * need not be waited for. */
static int connect_to(int socket, const struct endpoint *target)
{
    struct pollfd made = { .fd = socket, .events = POLLOUT };
    if (connect(socket, endpoint_name(target), target->size) == 0)
        return 0;
    int error = errno;
    bool is_there = error == EINPROGRESS && poll(&made, 1, 0) == 1 && made.revents == POLLOUT;
    return is_there ? 0 : error;
}

static void dial_try(struct dial *dial)
{
    int made = endpoint_socket(&dial->target);
    if (made < 0) {
        dial_fail_target(dial, uv_translate_sys_error(errno));
        return;
    }
    int error = connect_to(made, &dial->target);
    if (error == 0) {
        dial_finish(dial, made);
        return;
    }
    int result = error == EINPROGRESS ? dial_await(dial, made) : uv_translate_sys_error(error);
    if (result == 0)
        return;
    (void)close(made);
    if (result == UV_EAGAIN)
        dial_retry(dial);
    else
        dial_fail_target(dial, result);
}

static void on_resolve_timeout(uv_timer_t *timer)
{
    struct dial *dial = CONTAINER_OF(timer, struct dial, timer);
    dial->resolution->dial = NULL;
    dial->resolution = NULL;
    dial_note(dial, NULL, UV_ETIMEDOUT);
    dial_go_on(dial);
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
    struct resolution *resolution = CONTAINER_OF(request, struct resolution, request);
    struct dial *dial = resolution->dial;
    free(resolution);
    if (dial == NULL) {
        uv_freeaddrinfo(found);
        return;
    }
    dial->resolution = NULL;
    dial->found = dial->next = found;
    if (status < 0)
        dial_note(dial, NULL, status);
    dial_go_on(dial);
}

static void dial_resolve(struct dial *dial)
{
    const struct address *host = dial->host;
    const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    char port_storage[8];
    struct text port;
    text_init(&port, port_storage, sizeof port_storage);
    text_append_format(&port, "%u", host->port);
    struct resolution *resolution = malloc(sizeof *resolution);
    int result = resolution == NULL ? UV_ENOMEM
                                    : uv_getaddrinfo(dial->timer.loop, &resolution->request, on_resolved,
                                                     host->text, port_storage, &hints);
    if (result < 0) {
        free(resolution);
        dial_note(dial, NULL, result);
        dial_go_on(dial);
        return;
    }
    resolution->dial = dial;
    dial->resolution = resolution;
    dial_guard(dial, on_resolve_timeout);
}

static void dial_begin_target(struct dial *dial)
{
    dial->begun_ms = uv_now(dial->timer.loop);
    dial_try(dial);
}

static void dial_begin_found(struct dial *dial)
{
    struct addrinfo *found = dial->next;
    dial->next = found->ai_next;
    dial->target.size = found->ai_addrlen;
    memcpy(&dial->target.storage, found->ai_addr, found->ai_addrlen);
    dial_begin_target(dial);
}

static void dial_begin(struct dial *dial)
{
    dial->has_begun = true;
    if (dial->host->family == ADDRESS_NAME) {
        dial_resolve(dial);
    } else if (endpoint_of(dial->host, &dial->target)) {
        dial_begin_target(dial);
    } else {
        dial_note(dial, NULL, UV_ENAMETOOLONG);
        dial_go_on(dial);
    }
}

static void on_next(uv_timer_t *timer)
{
    struct dial *dial = CONTAINER_OF(timer, struct dial, timer);
    if (dial->next != NULL)
        dial_begin_found(dial);
    else if (!dial->has_begun)
        dial_begin(dial);
    else
        dial_finish(dial, -1);
}

struct dial *dial_start(uv_loop_t *loop, const struct address *host, uint64_t timeout_ms, dial_done done,
                        void *owner)
{
    struct dial *dial = calloc(1, sizeof *dial);
    if (dial == NULL)
        return NULL;
    dial->host = host;
    dial->timeout_ms = timeout_ms;
    dial->done = done;
    dial->owner = owner;
    text_init(&dial->why, dial->why_storage, sizeof dial->why_storage);
    (void)uv_timer_init(loop, &dial->timer); /* cannot fail */
    dial_go_on(dial);
    return dial;
}
