/* SPDX-License-Identifier: PostgreSQL */
#ifndef NET_ENDPOINT_H
#define NET_ENDPOINT_H

#include "base/address.h"

#include <sys/socket.h>

/* The kernel's form of an address. */
struct endpoint {
    struct sockaddr_storage storage;
    socklen_t size; /* bytes */
};

/* False for a name, which has to be resolved first, and for a path too long for the kernel. */
MUST_USE bool endpoint_of(const struct address *address, struct endpoint *out);
/* The address of what the kernel says; ADDRESS_NONE for families other than IPv4, IPv6 and Unix. The path of
 * an unnamed Unix socket is empty. */
void endpoint_read(const struct sockaddr *from, socklen_t size, struct address *out);
/* A view of the endpoint as the kernel's calls take it. */
const struct sockaddr *endpoint_name(const struct endpoint *endpoint);
/* A socket that does not block, to be connected to the endpoint or to listen there, or -1 and errno. By TCP
 * it sends at once (TCP_NODELAY), finds out when its peer is gone (keep-alive), and at a loopback address,
 * where nothing can be congested, has a congestion control that does not pace what it sends. What a listening
 * socket has, those that are accepted from it have too. */
MUST_USE int endpoint_socket(const struct endpoint *endpoint);

#endif
