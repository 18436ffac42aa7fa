/* SPDX-License-Identifier: PostgreSQL */
#ifndef NET_RESPONDER_H
#define NET_RESPONDER_H

#include "base/address.h"
#include "base/buffer.h"
#include "base/problem.h"
#include "net/chunk.h"

#include <uv.h>

/* A small server on the control thread: every connection is a link and an answerer, a function from bytes to
 * bytes. */
enum answer {
    ANSWER_MORE,  /* takes further bytes when they come */
    ANSWER_LATER, /* takes nothing until responder_resume; what it left over is kept */
    ANSWER_CLOSE
};

struct responder;
struct responder_connection;

struct answerer {
    /* Makes the state of one connection, or NULL to turn it away. */
    void *(*create)(void *context, const struct address *peer, struct responder_connection *connection);
    /* Takes bytes off the front, all of them unless the answer is LATER; appends what goes back to `out`. */
    enum answer (*take)(void *state, struct bytes *bytes, struct buffer *out);
    void (*destroy)(void *state);
    /* Where there are connections_most of them: drops one that another may have the place of, if there is
     * one. */
    void (*make_room)(void *context);
    void *context;
    size_t connections_most; /* with a state, those beyond are closed at once; and four times as many
                              * with those that are ending */
    size_t answer_most;      /* bytes of one answer; one that is longer ends the connection unsent */
};

/* Listens on an IP address, alone, or on a Unix socket for its own user only. A client that does not read its
 * answers is not read either. */
MUST_USE bool responder_open(uv_loop_t *loop, const struct address *address, const struct answerer *answerer,
                             struct chunk *chunk, struct responder **out, struct problem *problem);
/* While its state was not destroyed: asks again, with what came since ANSWER_LATER, which may be nothing. Not
 * from within `take`. */
void responder_resume(struct responder_connection *connection);
/* While its state was not destroyed: destroys it and closes the connection. Not from within `take`. */
void responder_drop(struct responder_connection *connection);
/* Closes the listener and all connections at once; frees itself in the loop. */
void responder_close(struct responder *responder);

#endif
