/* SPDX-License-Identifier: PostgreSQL */
#ifndef SESSION_WORLD_H
#define SESSION_WORLD_H

#include "base/ring.h"
#include "base/shared_text.h"
#include "base/slab.h"
#include "observe/counters.h"
#include "observe/docket.h"
#include "observe/harvest.h"
#include "policy/guard.h"
#include "session/names.h"
#include "session/outbox.h"
#include "sql/statement.h"
#include "wire/report.h"

/* Bounds of what one session may hold, whatever the client sends. */
struct session_limits {
    uint32_t in_flight;      /* requests not yet answered; beyond it the client waits */
    uint32_t names;          /* prepared statements and portals tracked */
    uint32_t gathered_bytes; /* of one message that arrives in pieces; longer SQL is streamed */
};

/* The steady clock is told in these, so that 32 bits are more than the longest timeout: 497 days. */
enum { WORLD_TICK_MS = 10, WORLD_TICK_US = 1000 * WORLD_TICK_MS };

/* What all sessions of one worker share. Only that worker's thread touches it; `policy` is swapped by it
 * between calls. */
struct session_world {
    /* set by the owner before session_world_open */
    struct session_limits limits;
    struct policy *policy;
    uint32_t policies; /* how many there were before it: tells two of them apart */
    struct statement_pool *statements;
    struct harvest *harvest; /* another one each time the worker is asked */
    struct docket *docket;
    struct turnstile *turnstile; /* of all workers */
    struct counters *counters;
    struct ring *events;  /* of struct event, to the control thread */
    bool captures_values; /* refused values may be told */
    struct hash_key hash_key;
    int64_t now_us; /* wall clock, set by the owner before it feeds */
    uint32_t ticks; /* so, too: of a clock that nobody sets, in WORLD_TICK_MS; higher bits do not count */
    uint32_t worker;
    /* the sessions' own */
    uint64_t last_session;     /* the newest session's number */
    struct shared_texts texts; /* names of users, databases and applications */
    struct slab sessions;
    struct slab circles;    /* of requests in flight */
    struct slab candidates; /* for blame */
    struct slab name_spaces;
    struct name_spaces no_names; /* of sessions that have given no name yet: stay empty */
    struct outbox outbox;        /* of the session being fed */
    struct report report;        /* scratch for an ErrorResponse that lies whole in the input */
};

void session_world_open(struct session_world *world);
/* Every session must have been destroyed. */
void session_world_close(struct session_world *world);

#endif
