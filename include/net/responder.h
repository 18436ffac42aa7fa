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
enum answer { ANSWER_MORE, ANSWER_CLOSE };

struct answerer {
    /* Makes the state of one connection, or NULL to turn it away. */
    void *(*create)(void *context, const struct address *peer);
    /* Takes bytes, appends what goes back to `out`. */
    enum answer (*take)(void *state, struct bytes bytes, struct buffer *out);
    void (*destroy)(void *state);
    void *context;
    size_t connections_most; /* those beyond are closed at once */
    size_t answer_most;      /* bytes of one answer; one that is longer ends the connection unsent */
};

struct responder;

/* Listens on an IP address, alone, or on a Unix socket for its own user only. A client that does not read its
 * answers is not read either. */
MUST_USE bool responder_open(uv_loop_t *loop, const struct address *address, const struct answerer *answerer,
                             struct chunk *chunk, struct responder **out, struct problem *problem);
/* Closes the listener and all connections at once; frees itself in the loop. */
void responder_close(struct responder *responder);

#endif
