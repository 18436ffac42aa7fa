/* SPDX-License-Identifier: PostgreSQL */
#define _GNU_SOURCE /* accept4 */
#include "net/acceptor.h"

#include "net/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

/* Connections taken in one turn of the loop, so that those which are open get theirs. */
enum { ACCEPTED_A_TURN = 64 };

struct acceptor {
    uv_poll_t poll;
    uv_timer_t rest;
    int socket;
    unsigned open_handles;
    char path[ADDRESS_TEXT_SIZE]; /* of a Unix socket's file; else empty */
    void (*on_accepted)(void *owner, int socket);
    bool (*may_accept)(void *owner);
    void *owner;
};

PRINTF_LIKE(3, 4)
static bool refuse(struct problem *problem, const struct address *address, const char *format, ...)
{
    struct text text;
    va_list arguments;
    *problem = (struct problem){ 0 };
    text_init(&text, problem->text, sizeof problem->text);
    text_append_string(&text, "address ");
    address_describe(address, &text);
    va_start(arguments, format);
    text_append_arguments(&text, format, arguments);
    va_end(arguments);
    return false;
}

static bool refuse_errno(struct problem *problem, const struct address *address, int error)
{
    if (error == EADDRINUSE)
        return refuse(problem, address, " is in use");
    return refuse(problem, address, " cannot be listened on: %s", uv_strerror(uv_translate_sys_error(error)));
}

static int socket_set(int socket, int level, int option)
{
    const int on = 1;
    return setsockopt(socket, level, option, &on, sizeof on);
}

/* A socket with its options set, ready to be bound, or -1 and errno. */
static int socket_make(const struct acceptor_plan *plan, const struct endpoint *endpoint)
{
    int family = endpoint->storage.ss_family;
    int made = endpoint_socket(endpoint);
    if (made < 0)
        return -1;
    /* On Linux the mode of a socket that is not bound yet becomes its file's mode. */
    bool is_ready =
        family == AF_UNIX ? fchmod(made, plan->mode) == 0 : socket_set(made, SOL_SOCKET, SO_REUSEADDR) == 0;
    if (family == AF_INET6)
        is_ready = is_ready && socket_set(made, IPPROTO_IPV6, IPV6_V6ONLY) == 0;
    if (family != AF_UNIX && plan->is_shared)
        is_ready = is_ready && socket_set(made, SOL_SOCKET, SO_REUSEPORT) == 0;
    if (is_ready)
        return made;
    int error = errno;
    (void)close(made);
    errno = error;
    return -1;
}

/* Whether the file at the path of a Unix socket is one that a process which is gone left behind. */
static bool endpoint_is_stale(const struct address *address, const struct endpoint *endpoint)
{
    struct stat file;
    if (address->family != ADDRESS_UNIX || lstat(address->text, &file) != 0 || !S_ISSOCK(file.st_mode))
        return false;
    int probe = endpoint_socket(endpoint);
    if (probe < 0)
        return false;
    bool is_stale = connect(probe, endpoint_name(endpoint), endpoint->size) != 0 && errno == ECONNREFUSED;
    (void)close(probe);
    return is_stale;
}

static int socket_bind(int made, const struct address *address, const struct endpoint *endpoint)
{
    int result = bind(made, endpoint_name(endpoint), endpoint->size);
    if (result == 0 || errno != EADDRINUSE)
        return result;
    if (endpoint_is_stale(address, endpoint) && unlink(address->text) == 0)
        return bind(made, endpoint_name(endpoint), endpoint->size);
    errno = EADDRINUSE;
    return -1;
}

/* A bound and listening socket, or -1 and the problem. */
static int socket_listen(const struct acceptor_plan *plan, struct problem *problem)
{
    struct endpoint endpoint;
    if (!endpoint_of(plan->address, &endpoint)) {
        (void)refuse(
            problem, plan->address,
            " is a name or too long: listen on an IP address, as 127.0.0.1:6432 or [::]:6432, or a path");
        return -1;
    }
    int made = socket_make(plan, &endpoint);
    if (made >= 0 && socket_bind(made, plan->address, &endpoint) == 0 && listen(made, ACCEPTOR_BACKLOG) == 0)
        return made;
    (void)refuse_errno(problem, plan->address, errno);
    if (made >= 0)
        (void)close(made);
    return -1;
}

bool acceptor_probe(const struct address *address, struct problem *problem)
{
    if (address->family == ADDRESS_UNIX)
        return true; /* Unix sockets are never shared: opening tells */
    int made = socket_listen(&(struct acceptor_plan){ .address = address }, problem);
    if (made < 0)
        return false;
    (void)close(made);
    return true;
}

static void on_poll(uv_poll_t *poll, int status, int events);

static void acceptor_listen(struct acceptor *acceptor)
{
    (void)uv_poll_start(&acceptor->poll, UV_READABLE, on_poll);
}

static void on_rest(uv_timer_t *timer)
{
    acceptor_listen(CONTAINER_OF(timer, struct acceptor, rest));
}

static void acceptor_rest(struct acceptor *acceptor)
{
    (void)uv_poll_stop(&acceptor->poll);
    (void)uv_timer_start(&acceptor->rest, on_rest, ACCEPTOR_REST_MS, 0);
}

/* Errors that say something of one connection, or that nobody waits, not of our own means. */
static bool is_of_connection(int error)
{
    return error == ECONNABORTED || error == EINTR || error == EPROTO || error == EPERM;
}

static bool may_accept(const struct acceptor *acceptor)
{
    return acceptor->may_accept == NULL || acceptor->may_accept(acceptor->owner);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    (void)events;
    struct acceptor *acceptor = CONTAINER_OF(poll, struct acceptor, poll);
    if (status < 0) {
        acceptor_rest(acceptor); /* libuv has stopped watching the socket */
        return;
    }
    for (int i = 0; i < ACCEPTED_A_TURN && !uv_is_closing((uv_handle_t *)poll); i++) {
        if (!may_accept(acceptor)) {
            acceptor_rest(acceptor);
            return;
        }
        int accepted = accept4(acceptor->socket, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (accepted >= 0) {
            acceptor->on_accepted(acceptor->owner, accepted);
        } else if (errno == EAGAIN) {
            return;
        } else if (!is_of_connection(errno)) {
            acceptor_rest(acceptor);
            return;
        }
    }
}

/* Accepts from the socket, which becomes the acceptor's. Else NULL, and *error. */
static struct acceptor *acceptor_create(uv_loop_t *loop, const struct acceptor_plan *plan, int listening,
                                        int *error)
{
    struct acceptor *acceptor = calloc(1, sizeof *acceptor);
    *error = ENOMEM;
    if (acceptor == NULL)
        return NULL;
    acceptor->on_accepted = plan->on_accepted;
    acceptor->may_accept = plan->may_accept;
    acceptor->owner = plan->owner;
    acceptor->socket = listening;
    *error = -uv_poll_init(loop, &acceptor->poll, listening);
    if (*error != 0) {
        free(acceptor);
        return NULL;
    }
    (void)uv_timer_init(loop, &acceptor->rest); /* cannot fail */
    acceptor->open_handles = 2;
    acceptor_listen(acceptor);
    return acceptor;
}

bool acceptor_open(uv_loop_t *loop, const struct acceptor_plan *plan, struct acceptor **out,
                   struct problem *problem)
{
    int error;
    int listening = socket_listen(plan, problem);
    if (listening < 0)
        return false;
    struct acceptor *acceptor = acceptor_create(loop, plan, listening, &error);
    if (acceptor == NULL) {
        (void)close(listening);
        return refuse_errno(problem, plan->address, error);
    }
    if (plan->address->family == ADDRESS_UNIX)
        memcpy(acceptor->path, plan->address->text, sizeof acceptor->path);
    *out = acceptor;
    return true;
}

bool acceptor_adopt(uv_loop_t *loop, const struct acceptor_plan *plan, int listening, struct acceptor **out)
{
    int error;
    int own = fcntl(listening, F_DUPFD_CLOEXEC, 0);
    if (own < 0)
        return false;
    *out = acceptor_create(loop, plan, own, &error);
    if (*out == NULL)
        (void)close(own);
    return *out != NULL;
}

int acceptor_duplicate(const struct acceptor *acceptor)
{
    return fcntl(acceptor->socket, F_DUPFD_CLOEXEC, 0);
}

static void acceptor_closed(struct acceptor *acceptor)
{
    if (--acceptor->open_handles == 0)
        free(acceptor);
}

static void on_poll_closed(uv_handle_t *handle)
{
    acceptor_closed(CONTAINER_OF(handle, struct acceptor, poll));
}

static void on_rest_closed(uv_handle_t *handle)
{
    acceptor_closed(CONTAINER_OF(handle, struct acceptor, rest));
}

void acceptor_close(struct acceptor *acceptor)
{
    uv_close((uv_handle_t *)&acceptor->poll, on_poll_closed);
    uv_close((uv_handle_t *)&acceptor->rest, on_rest_closed);
    /* libuv has let go of it: it may be closed, so that the port is free when this returns. */
    (void)close(acceptor->socket);
    if (acceptor->path[0] != '\0')
        (void)unlink(acceptor->path);
}
