/* SPDX-License-Identifier: PostgreSQL */
#ifndef NET_ACCEPTOR_H
#define NET_ACCEPTOR_H

#include "base/address.h"
#include "base/problem.h"

#include <sys/stat.h>
#include <uv.h>

/* A listening socket that hands out what it accepts. When accepting fails for want of descriptors or memory
 * it rests for ACCEPTOR_REST_MS and tries again, while those who connect wait in the kernel's queue: it
 * neither spins nor gives up. */
enum { ACCEPTOR_BACKLOG = 1024, ACCEPTOR_REST_MS = 100 };

struct acceptor;

struct acceptor_plan {
    const struct address *address; /* IPv4, IPv6 or Unix; an IPv6 address takes no IPv4 connections */
    bool is_shared;                /* SO_REUSEPORT: others in this process listen there too */
    mode_t mode;                   /* of the file of a Unix socket */
    /* Takes the accepted socket over. */
    void (*on_accepted)(void *owner, int socket);
    bool (*may_accept)(void *owner); /* false: it rests; NULL: always */
    void *owner;
};

/* Binds and listens. A Unix socket's file that nobody answers any more is replaced. False with a problem that
 * names the address ("address 127.0.0.1:6432 is in use"). */
MUST_USE bool acceptor_open(uv_loop_t *loop, const struct acceptor_plan *plan, struct acceptor **out,
                            struct problem *problem);
/* Accepts from a socket that listens already, of which the caller keeps its descriptor; of the plan, only
 * what comes behind the mode is looked at. False when descriptors or memory are short. */
MUST_USE bool acceptor_adopt(uv_loop_t *loop, const struct acceptor_plan *plan, int listening,
                             struct acceptor **out);
/* Another descriptor of the listening socket, for acceptor_adopt on another thread's loop; -1 and errno. */
MUST_USE int acceptor_duplicate(const struct acceptor *acceptor);
/* Nothing is accepted any more; frees itself in the loop. Removes a Unix socket's file. */
void acceptor_close(struct acceptor *acceptor);
/* Whether the address could be bound by us alone. False with a problem. */
MUST_USE bool acceptor_probe(const struct address *address, struct problem *problem);

#endif
