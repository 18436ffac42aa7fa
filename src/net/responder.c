/* SPDX-License-Identifier: PostgreSQL */
#include "net/responder.h"

#include "base/list.h"
#include "net/acceptor.h"
#include "net/link.h"

#include <stdlib.h>
#include <unistd.h>

enum { SOCKET_FILE_MODE = 0600, HELD_MOST = 256 * 1024, CONNECTIONS_FACTOR = 4 };

struct responder {
    struct answerer answerer;
    struct chunk *chunk;
    struct acceptor *acceptor;
    struct list connections;
    size_t connection_count;
    size_t state_count;   /* of those that have one */
    struct buffer answer; /* the one being made; empty between calls */
    bool is_closing;
};

struct responder_connection {
    struct link link;
    struct list node;
    struct responder *responder;
    void *state;        /* NULL: there is nothing more to answer */
    bool is_waiting;    /* for responder_resume */
    struct buffer held; /* what came meanwhile */
};

static struct responder_connection *connection_of(struct link *link)
{
    return CONTAINER_OF(link, struct responder_connection, link);
}

static void connection_end(struct responder_connection *connection)
{
    if (connection->state == NULL)
        return;
    connection->responder->answerer.destroy(connection->state);
    connection->responder->state_count--;
    connection->state = NULL;
}

static void connection_take(struct responder_connection *connection, struct bytes *bytes)
{
    struct responder *responder = connection->responder;
    struct link *link = &connection->link;
    enum answer result = responder->answerer.take(connection->state, bytes, &responder->answer);
    bool has_failed = responder->answer.has_failed;
    connection->is_waiting = result == ANSWER_LATER;
    if (!has_failed)
        link_send(link, buffer_bytes(&responder->answer));
    buffer_release(&responder->answer);
    if (result == ANSWER_CLOSE || has_failed) {
        connection_end(connection);
        link_close_flushed(link);
    } else if (link->is_full) {
        link_read_stop(link);
    }
}

/* Reading goes on, so that the peer's end is seen, until too much waits. */
static void connection_hold(struct responder_connection *connection, struct bytes bytes)
{
    buffer_append(&connection->held, bytes);
    if (connection->held.has_failed) {
        connection_end(connection);
        link_close(&connection->link);
    } else if (connection->held.size > HELD_MOST / 2) {
        link_read_stop(&connection->link);
    }
}

static void on_bytes(struct link *link, struct bytes bytes)
{
    struct responder_connection *connection = connection_of(link);
    if (!connection->is_waiting)
        connection_take(connection, &bytes);
    if (connection->is_waiting && bytes.size > 0)
        connection_hold(connection, bytes);
}

void responder_resume(struct responder_connection *connection)
{
    struct buffer before = connection->held;
    struct bytes bytes = buffer_bytes(&before);
    buffer_init(&connection->held, HELD_MOST);
    connection_take(connection, &bytes);
    if (connection->is_waiting && bytes.size > 0)
        connection_hold(connection, bytes);
    else if (connection->state != NULL && !connection->link.is_full)
        link_read_start(&connection->link);
    buffer_release(&before);
}

void responder_drop(struct responder_connection *connection)
{
    connection_end(connection);
    link_close(&connection->link);
}

static void on_end(struct link *link, int error)
{
    struct responder_connection *connection = connection_of(link);
    if (connection->is_waiting) /* nobody is there to read the answer */
        connection_end(connection);
    if (error == 0)
        link_close_flushed(link);
    else
        link_close(link);
}

static void on_drained(struct link *link)
{
    if (connection_of(link)->held.size <= HELD_MOST / 2)
        link_read_start(link);
}

static void responder_free_if_done(struct responder *responder)
{
    if (responder->is_closing && responder->connection_count == 0)
        free(responder);
}

static void on_closed(struct link *link)
{
    struct responder_connection *connection = connection_of(link);
    struct responder *responder = connection->responder;
    connection_end(connection);
    buffer_release(&connection->held);
    list_remove(&connection->node);
    responder->connection_count--;
    free(connection);
    responder_free_if_done(responder);
}

static const struct link_events connection_link_events = {
    .on_bytes = on_bytes,
    .on_end = on_end,
    .on_drained = on_drained,
    .on_closed = on_closed,
};

static void connection_begin(struct responder_connection *connection)
{
    const struct answerer *answerer = &connection->responder->answerer;
    struct address peer;
    link_peer(&connection->link, &peer);
    connection->state = answerer->create(answerer->context, &peer, connection);
    if (connection->state == NULL) {
        link_close(&connection->link);
        return;
    }
    connection->responder->state_count++;
    link_read_start(&connection->link);
}

static bool has_room(const struct responder *responder)
{
    const struct answerer *answerer = &responder->answerer; /* those that end may linger for a moment */
    if (responder->state_count >= answerer->connections_most)
        answerer->make_room(answerer->context);
    return responder->state_count < answerer->connections_most &&
           responder->connection_count < CONNECTIONS_FACTOR * answerer->connections_most;
}

/* Takes the socket over, or says that it could not. */
static bool connection_open(struct responder *responder, int socket)
{
    if (!has_room(responder))
        return false;
    struct responder_connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL)
        return false;
    link_init(&connection->link, responder->chunk, &connection_link_events);
    connection->responder = responder;
    buffer_init(&connection->held, HELD_MOST);
    list_append(&responder->connections, &connection->node);
    responder->connection_count++;
    if (link_open(&connection->link, socket) < 0) {
        link_close(&connection->link);
        return false;
    }
    connection_begin(connection);
    return true;
}

static void on_accepted(void *owner, int socket)
{
    if (!connection_open(owner, socket))
        (void)close(socket);
}

bool responder_open(uv_loop_t *loop, const struct address *address, const struct answerer *answerer,
                    struct chunk *chunk, struct responder **out, struct problem *problem)
{
    struct responder *responder = calloc(1, sizeof *responder);
    if (responder == NULL) {
        *problem = (struct problem){ .text = "out of memory" };
        return false;
    }
    responder->answerer = *answerer;
    responder->chunk = chunk;
    list_init(&responder->connections);
    buffer_init(&responder->answer, answerer->answer_most);
    const struct acceptor_plan plan = {
        .address = address,
        .mode = SOCKET_FILE_MODE,
        .on_accepted = on_accepted,
        .owner = responder,
    };
    if (!acceptor_open(loop, &plan, &responder->acceptor, problem)) {
        free(responder);
        return false;
    }
    *out = responder;
    return true;
}

void responder_close(struct responder *responder)
{
    acceptor_close(responder->acceptor);
    responder->is_closing = true;
    LIST_EACH(node, &responder->connections)
    link_close(&CONTAINER_OF(node, struct responder_connection, node)->link);
    responder_free_if_done(responder);
}
