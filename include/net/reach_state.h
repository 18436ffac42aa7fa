/* SPDX-License-Identifier: PostgreSQL */
#ifndef NET_REACH_STATE_H
#define NET_REACH_STATE_H

#include "base/text.h"
#include "net/reach.h"

/* The inside of a reach: for src/net only. */

enum { REACH_WHY_SIZE = 512 };

enum reach_step {
    STEP_DIALING,
    STEP_ASKING,   /* SSLRequest was sent */
    STEP_SHAKING,  /* hands */
    STEP_FAILED,   /* the host: the link is being closed */
    STEP_RETRYING, /* so, and then without TLS */
};

struct reach {
    struct reach_plan plan;
    uv_timer_t timer; /* guards the step, or begins the next */
    enum reach_step step;
    struct dial *dial; /* under way, or NULL */
    bool has_link;     /* it was initialised and is not yet closed */
    bool is_plain;     /* TLS has failed with this host */
    uint64_t begun_ms; /* the reach; later: the connection */
    struct text why;
    char why_storage[REACH_WHY_SIZE];
    unsigned char fitness[FITNESS_HOSTS_MOST]; /* as it was when the order was made */
    size_t hosts_begun;
    size_t order_count;
    size_t order[]; /* indexes of hosts */
};

static inline struct reach *reach_of(struct link *link)
{
    return link->keeper;
}

/* The host that is tried now. */
static inline const struct address *reach_host(const struct reach *reach)
{
    return &reach->plan.upstream->hosts[reach->order[reach->hosts_begun - 1]];
}

/* ── reach.c ───────────────────────────────────────────────────────────────────────────────────────────────
 */

/* The link is open and the owner's. */
void reach_succeed(struct reach *reach);
/* Closes the link to the host that is tried now; the next one's turn comes when that is done. */
void reach_fail(struct reach *reach, const char *why);

/* ── reach_tls.c ───────────────────────────────────────────────────────────────────────────────────────────
 */

/* Begins to agree on TLS with the host. */
void reach_secure(struct reach *reach);
/* What the link tells meanwhile. */
void reach_on_bytes(struct link *link, struct bytes bytes);
void reach_on_end(struct link *link, int error);
void reach_on_secured(struct link *link);

#endif
