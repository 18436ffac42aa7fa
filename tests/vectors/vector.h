/* SPDX-License-Identifier: PostgreSQL */
#ifndef VECTORS_VECTOR_H
#define VECTORS_VECTOR_H

#include "base/buffer.h"
#include "base/problem.h"
#include "wire/message.h"

/* A conversation between a client and a server, read from its text form; README.md describes the form. */
enum { VECTOR_STEPS_MOST = 256, VECTOR_EVENT_SIZE = 48, VECTOR_BYTES_MOST = 1 << 22 };

enum vector_step_kind {
    VECTOR_SENDS,   /* `side` sends `bytes` */
    VECTOR_RECEIVE, /* `bytes` come out on `side` */
    VECTOR_PASSED,  /* since the expectation before, each side got exactly what the other sent */
    VECTOR_EVENT,   /* `event` is reported */
};

struct vector_step {
    enum vector_step_kind kind;
    enum side side;
    struct bytes bytes;              /* in the vector's storage */
    const struct message_form *form; /* of a typed message; NULL for raw bytes and packets without type */
    bool is_preamble;                /* a packet without type byte, written by name */
    bool is_open_ended;              /* "...": more fields may follow, so the length word is not known */
    char event[VECTOR_EVENT_SIZE];
    unsigned line; /* in the text, from 1 */
};

struct vector {
    struct vector_step steps[VECTOR_STEPS_MOST];
    size_t count;
    struct buffer storage;
};

/* Reads a whole conversation. False when something is wrong, and `problems` says what; `name` is the file
 * named there. Release it either way. */
MUST_USE bool vector_parse(struct vector *vector, const char *name, struct bytes text,
                           struct problems *problems);
/* The same from a file. */
MUST_USE bool vector_load(struct vector *vector, const char *path, struct problems *problems);
void vector_release(struct vector *vector);

/* Whether what a VECTOR_RECEIVE step names is at the front of what came out on its side; if so, takes it off.
 */
MUST_USE bool vector_step_match(const struct vector_step *step, struct bytes *came_out);
/* Appends all typed messages that `from` sends to `out`, and returns how many they are. */
size_t vector_collect(const struct vector *vector, enum side from, struct buffer *out);

#endif
