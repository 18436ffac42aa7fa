/* SPDX-License-Identifier: PostgreSQL */
#ifndef WIRE_PROXY_HEADER_H
#define WIRE_PROXY_HEADER_H

#include "base/address.h"

/* The header by which a load balancer says whose connection it carries, before the first byte of it ("The
 * PROXY protocol", versions 1 and 2). Longer ones are refused, so that what is gathered before a login is
 * bounded. */
enum { PROXY_HEADER_MOST = 4096 }; /* bytes of a whole header */

enum proxy_header_result {
    PROXY_HEADER_READY,     /* *out holds it */
    PROXY_HEADER_STARVED,   /* it goes on; *out holds nothing yet */
    PROXY_HEADER_MALFORMED, /* no such header, or one that is broken; out->why says what */
};

struct proxy_header {
    size_t size;           /* bytes of the header */
    bool is_local;         /* LOCAL, UNKNOWN or UNSPEC: keep the address of the socket */
    struct address client; /* else: whose it is; IPv4 mapped into IPv6 stays so */
    const char *why;       /* MALFORMED: a constant */
};

/* Decodes the header at the front of `bytes`, which hold the connection from its first byte. Consumes
 * nothing. Gives the same result however the stream is cut: what cannot become a header is refused at its
 * first wrong byte, and what may still become one starves until its last. Stricter than the protocol asks: a
 * line of version 1 has one space between words and numbers without leading zeros; only connections that are
 * streams are taken. What LOCAL, UNKNOWN and UNSPEC carry is skipped unseen, as the protocol asks; else the
 * lengths of all TLVs must add up. */
MUST_USE enum proxy_header_result proxy_header_read(struct bytes bytes, struct proxy_header *out);

#endif
