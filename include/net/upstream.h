/* SPDX-License-Identifier: PostgreSQL */
#ifndef NET_UPSTREAM_H
#define NET_UPSTREAM_H

#include "base/address.h"
#include "net/fitness.h"
#include "tls/context.h"

/* Whether the connection to the server is encrypted, as libpq's sslmode means it; what is asked of the
 * certificate is the context's matter. Never over a Unix socket. */
enum upstream_security {
    UPSTREAM_PLAIN,   /* disable */
    UPSTREAM_PREFER,  /* when the server can; else, and when the handshake fails, plain */
    UPSTREAM_REQUIRE, /* require, verify-ca, verify-full */
};

/* Where sessions go: the hosts are tried in order. */
struct upstream {
    const char *name;
    const struct address *hosts; /* TCP, names or Unix sockets */
    size_t host_count;
    uint64_t connect_timeout_ms; /* for each host, handshake included, and each address of a name; 0: as long
                                  * as the kernel tries */
    enum upstream_security security;
    bool is_direct; /* TLS from the first byte (PostgreSQL 17: sslnegotiation=direct); with REQUIRE only */
    struct tls_context *tls;       /* NULL when PLAIN */
    const struct fitness *fitness; /* which hosts will do (target: read-write); NULL: all of them */
};

#endif
