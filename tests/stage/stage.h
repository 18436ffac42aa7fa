/* SPDX-License-Identifier: PostgreSQL */
#ifndef STAGE_STAGE_H
#define STAGE_STAGE_H

#include "session/session.h"
#include "vectors/vector.h"

/* A session on a stage: its world, a policy, and what came out on each side. Everything is real but the
 * sockets. */
enum { STAGE_EVENTS_MOST = 64 };

struct stage {
    struct session_world world;
    struct statement_pool statements;
    struct docket docket;
    struct counters counters;
    struct ring events;
    struct turnstile *turnstile;
    struct opening opening; /* of its policy */
    struct service_rule rule;
    struct session *session;
    struct buffer out[2];  /* by the side the bytes went to */
    struct buffer sent[2]; /* by the side they came from */
    struct event kept[STAGE_EVENTS_MOST];
    size_t event_count;
    bool has_dialed;
    bool is_closed;
    bool is_holding;
    bool is_securing;
    struct server_leg leg; /* of the dialed server */
};

/* What the gate allows on this stage: LEVEL_NONE, closed. */
struct stage_plan {
    enum guard_mode mode;
    enum safety_level allow;
    enum session_security security;
    uint32_t gathered_bytes; /* 0: 16 KiB */
    uint32_t in_flight;      /* 0: 16384 */
    uint32_t names;          /* 0: 10000 */
};

/* A stage with a new session, and one whose client has logged in; on the heap, until stage_end. */
struct stage *stage_open(struct stage_plan plan);
struct stage *stage_begin(struct stage_plan plan);
/* The connection ends in the middle of things. Nothing can be said behind that. */
void stage_hang_up(struct stage *stage);
/* Ends the session, too; fails the test when something was not given back. */
void stage_end(struct stage *stage);
/* Another policy from now on, as when a window opens or closes. */
void stage_set_gate(struct stage *stage, enum guard_mode mode, enum safety_level allow);
/* The plan of that policy, for tests that add to it; stage_set_policy puts it in force. What the plan points
 * to is the stage's. */
struct policy_plan stage_policy_plan(struct stage *stage, enum guard_mode mode, enum safety_level allow);
void stage_set_policy(struct stage *stage, const struct policy_plan *plan);
/* How many of the kept events are of a kind, and the newest of them, or NULL. */
size_t stage_event_count(const struct stage *stage, enum event_kind kind);
const struct event *stage_event(const struct stage *stage, enum event_kind kind);

/* Feeds one chunk and carries out all that comes of it. The chunk is copied to the heap first and freed
 * afterwards, so that a view kept too long is found. */
void stage_feed(struct stage *stage, enum side from, struct bytes chunk);
/* How a conversation is cut into chunks. */
enum stage_cut {
    CUT_MERGED, /* what one side sends in a row is one chunk */
    CUT_STEPS,  /* each step is one chunk */
    CUT_BYTES,  /* each byte is one chunk */
    CUT_PAIR,   /* one step is cut at two places, the others are whole */
};
struct stage_cuts {
    enum stage_cut cut;
    size_t step; /* of PAIR */
    size_t first;
    size_t second;
};
/* Plays the conversation and fails the test where it does not go as it says. */
void stage_play(struct stage *stage, const struct vector *vector, const struct stage_cuts *cuts,
                const char *name);
/* Starts a session as a client of user "app", database "shop", to the first ReadyForQuery, and forgets the
 * bytes. */
void stage_login(struct stage *stage);
/* Parses `text` in the vectors' form and plays it. */
void stage_say(struct stage *stage, const char *text);

#endif
