/* SPDX-License-Identifier: PostgreSQL */
#ifndef POLICY_TURNSTILE_H
#define POLICY_TURNSTILE_H

#include "policy/window.h"

/* One schema change at a time: while one session has changes in an open transaction, and for a rest behind
 * it, others' wait outside. Each database has its own. Shared by all workers: every call holds it for a
 * moment (it is only asked about schema changes). */
struct turnstile;

enum { TURNSTILE_DATABASES_MOST = 256, HOLDER_TEXT_SIZE = 192 };

/* Who wants in. `session` differs between any two sessions of the process and is not 0. */
struct turnstile_claim {
    uint64_t session;
    struct bytes upstream;
    struct bytes database;
    struct bytes service;
    struct bytes user;
};

/* Who is in. */
struct turnstile_holder {
    char text[HOLDER_TEXT_SIZE]; /* service "deploy", user "deployer": printable ASCII */
    int64_t since_us;
    bool is_resting;  /* its transaction is over */
    int64_t until_us; /* when the rest ends; 0 while it is not resting */
};

/* NULL when memory is short. */
struct turnstile *turnstile_create(void);
/* NULL is allowed. */
void turnstile_destroy(struct turnstile *turnstile);
/* True when the session is in now: it was already, nobody is, or who is resting has the same service and
 * user. False with who is in. With more databases than TURNSTILE_DATABASES_MOST at a time the one more gets
 * in unguarded. */
MUST_USE bool turnstile_enter(struct turnstile *turnstile, const struct turnstile_claim *claim,
                              int64_t now_us, struct turnstile_holder *holder);
/* The session's transaction is over: others wait `rest_us` more. Nothing happens when it is not in. */
void turnstile_leave(struct turnstile *turnstile, uint64_t session, int64_t now_us, int64_t rest_us);

#endif
