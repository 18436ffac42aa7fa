/* SPDX-License-Identifier: PostgreSQL */
#ifndef SESSION_FLIGHT_H
#define SESSION_FLIGHT_H

#include "base/attributes.h"
#include "base/slab.h"
#include "session/names.h"

/* The requests that were sent and not answered yet, oldest first (manual: "Message Flow"). What the server
 * answers belongs to the head. */
enum request_kind {
    REQUEST_QUERY,
    REQUEST_FUNCTION,
    REQUEST_PARSE,
    REQUEST_BIND,
    REQUEST_DESCRIBE,
    REQUEST_EXECUTE,
    REQUEST_CLOSE,
    REQUEST_SYNC,
    REQUEST_COPY_END, /* CopyDone or CopyFail: no request, but it tells which Syncs a COPY swallowed */
};

struct refusal;

struct request {
    struct statement *statement; /* what it runs or prepares, or NULL; a reference */
    union {
        struct name *name;       /* PARSE, BIND, CLOSE: the name's entry, or NULL */
        struct refusal *refusal; /* is_poison: what the client is told instead of the server's error; owned */
    };
    int64_t sent_us;
    uint32_t answered;     /* QUERY: statements of it that have been answered; FUNCTION: whether it was;
                              COPY_END: how many more of the kind it stands for */
    uint16_t answered_at;  /* where in its text the statement after these is looked for */
    uint8_t kind;          /* enum request_kind */
    bool is_poison : 1;    /* sent in place of a refused message */
    bool is_untracked : 1; /* it binds a name that could not be kept */
    bool is_portal : 1;    /* CLOSE: of a portal */
    bool is_change : 1;    /* a schema change that was let pass, not answered yet */
    bool has_failed : 1;   /* QUERY, FUNCTION: its error has come */
    bool may_copy : 1;     /* QUERY: it may read what is behind it in place of data, and the server go on */
};

/* As many find room in the circle that a flight takes from the slab of all flights. */
enum { FLIGHT_FIRST_CAPACITY = 8 };

struct flight {
    struct request *requests; /* a circle; NULL while nothing is in flight */
    uint32_t capacity;        /* a power of two */
    uint32_t first;
    uint32_t count;
    uint32_t copies; /* how many of them may_copy */
};

/* What the slab of the circles is for. */
enum { FLIGHT_CIRCLE_SIZE = FLIGHT_FIRST_CAPACITY * sizeof(struct request) };

void flight_init(struct flight *flight);
/* The place for one more request, zeroed, at the end; NULL when memory is short. */
struct request *flight_add(struct flight *flight, struct slab *circles);
/* The `index`-th oldest; index < count. */
static inline struct request *flight_at(const struct flight *flight, uint32_t index)
{
    return &flight->requests[(flight->first + index) & (flight->capacity - 1)];
}

/* The oldest, or NULL. */
static inline struct request *flight_head(const struct flight *flight)
{
    return flight->count > 0 ? flight_at(flight, 0) : NULL;
}

/* Takes the oldest out; count > 0. */
struct request flight_take(struct flight *flight);
/* Takes the second oldest out; count > 1. */
struct request flight_take_second(struct flight *flight);
/* Gives the circle back if nothing is in flight. */
void flight_rest(struct flight *flight, struct slab *circles);

#endif
