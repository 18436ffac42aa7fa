/* SPDX-License-Identifier: PostgreSQL */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include "base/problem.h"
#include "net/acceptor.h"
#include "net/admission.h"
#include "net/relay.h"

/* The upstream of the databases whose names match the pattern. */
struct route {
    const char *database;
    const struct upstream *upstream;
};

/* What clients of an address meet. */
struct listener_plan {
    const struct address *address;
    const struct upstream *upstream; /* where no route holds; the first of upstreams */
    const struct route *routes;      /* the first that holds */
    size_t route_count;
    const struct upstream *const *upstreams; /* all of these, each once: where cancel requests go */
    size_t upstream_count;
    enum session_security security;
    struct tls_context *tls;         /* NULL with SECURITY_NONE */
    const struct network *balancers; /* whose connections begin with a PROXY header; all others are refused */
    size_t balancer_count;           /* 0: no PROXY header is expected */
    struct admission *admission;     /* NULL: no bounds */
};

struct handover;

/* A listening socket of one worker; several workers share an IP address by SO_REUSEPORT. A Unix socket has
 * one worker. */
struct listener {
    struct acceptor *acceptor;
    const struct handover *handover; /* through which other workers may get what it accepts; NULL: none do */
    struct relay_shared *shared;
    const struct listener_plan *plan;
};

/* Whether the address is free. Once for each address before the first worker opens it: since the workers
 * share it, opening alone would also succeed beside another process of the same user that shares it (a sluice
 * started twice). False with a problem that names the address ("address 127.0.0.1:6432 is in use"). */
MUST_USE bool listener_probe(const struct address *address, struct problem *problem);
/* Binds and listens. False with a problem. The plan, and what it points to, must stay as long as the listener
 * and its relays. */
MUST_USE bool listener_open(struct listener *listener, struct relay_shared *shared,
                            const struct listener_plan *plan, struct problem *problem);
/* The port is free and the listener's memory may go when it returns. */
void listener_close(struct listener *listener);

#endif
