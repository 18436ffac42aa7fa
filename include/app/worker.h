/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_WORKER_H
#define APP_WORKER_H

#include "app/bell.h"
#include "app/transport.h"
#include "base/problem.h"
#include "base/ring.h"
#include "config/settings.h"
#include "net/listener.h"
#include "net/roster.h"
#include "observe/harvest.h"
#include "observe/snapshot.h"
#include "policy/guard.h"

/* One event loop with a thread of its own: its listeners, sessions and counters. Nothing of it is
 * shared but its counters (read), its ring of events, and its inbox. */
struct worker;

struct worker_plan {
    const struct settings *settings;   /* must outlive the worker */
    const struct transport *transport; /* so */
    struct policy *policy;             /* a reference is taken */
    struct turnstile *turnstile;       /* of all workers; must outlive them */
    struct roster *roster;             /* so; its number in it is the index */
    struct harvest *harvest;           /* an empty one, which the worker takes over */
    struct hash_key hash_key;
    uint32_t index;
    struct bell *bell; /* the control thread's, rung when events came */
};

/* Opens the listeners; the thread does not run yet. False with a problem. */
MUST_USE bool worker_create(const struct worker_plan *plan, struct worker **out, struct problem *problem);
MUST_USE bool worker_start(struct worker *worker, struct problem *problem);

/* The rest is for the control thread. */

/* How its sessions' bytes move: uring, uv, or auto: by both. */
const char *worker_io(const struct worker *worker);
/* Why not by io_uring, where the settings would have let it; else empty. */
const char *worker_uring_missing(const struct worker *worker);
/* A descriptor of the caller's own of the listening socket of that number (of settings->listen), before the
 * thread runs; -1 when descriptors are short. */
MUST_USE int worker_listening(const struct worker *worker, size_t number);
/* The thread as the kernel calls it; 0 before it runs. */
int worker_thread_id(const struct worker *worker);
/* The processor time of the thread, in µs; 0 when it does not run. */
int64_t worker_cpu_us(const struct worker *worker);

struct ring *worker_events(struct worker *worker);
/* Asks the worker for what it has counted since it last gave that, with an empty harvest in exchange (*empty,
 * which is then NULL, unless it has one already). Never waits: the bell rings when it is there. */
void worker_offer(struct worker *worker, struct harvest **empty);
/* What it gave; NULL when nothing is there. */
struct harvest *worker_harvest(struct worker *worker);
/* What it had counted at the end; after worker_join, once. */
struct harvest *worker_last_harvest(struct worker *worker);
/* From now on judge by this policy. Takes a reference of its own. */
void worker_set_policy(struct worker *worker, struct policy *policy);
/* Adds what the worker knows to `into`: waits up to `wait_ms` for it; counts it as silent when it does not
 * answer. */
void worker_ask(struct worker *worker, uint64_t wait_ms, struct snapshot *into);
/* No more connections; idle sessions end now, the others when they become idle or after `grace_ms`. Then the
 * thread ends. */
void worker_drain(struct worker *worker, uint64_t grace_ms);
/* Whether the thread has ended (or never ran). */
bool worker_has_ended(const struct worker *worker);
/* Waits for the thread's end; its events are still to be read. */
void worker_join(struct worker *worker);
/* Frees all; the thread was joined or never ran. */
void worker_destroy(struct worker *worker);

#endif
