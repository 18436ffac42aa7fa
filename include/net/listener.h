/* SPDX-License-Identifier: PostgreSQL */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include "base/problem.h"
#include "net/relay.h"

/* A listening socket of one worker; several workers share an address by SO_REUSEPORT. */
struct listener {
    uv_tcp_t socket;
    struct relay_shared *shared;
    struct upstream upstream;
};

/* Binds and listens. False with a problem that names the address ("address 127.0.0.1:6432 is in use"). */
MUST_USE bool listener_open(struct listener *listener, struct relay_shared *shared, const struct address *address,
                            const struct upstream *upstream, struct problem *problem);
void listener_close(struct listener *listener);

#endif
