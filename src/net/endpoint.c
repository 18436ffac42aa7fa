/* SPDX-License-Identifier: PostgreSQL */
#include "net/endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>

enum { KEEPALIVE_SECONDS = 60 };

static bool endpoint_of_path(const char *path, struct endpoint *out)
{
    struct sockaddr_un name = { .sun_family = AF_UNIX };
    if (!bytes_copy_text(bytes_text(path), name.sun_path, sizeof name.sun_path))
        return false;
    memcpy(&out->storage, &name, sizeof name);
    out->size = sizeof name;
    return true;
}

bool endpoint_of(const struct address *address, struct endpoint *out)
{
    *out = (struct endpoint){ 0 };
    struct sockaddr_in ipv4 = { .sin_family = AF_INET, .sin_port = htons(address->port) };
    struct sockaddr_in6 ipv6 = { .sin6_family = AF_INET6, .sin6_port = htons(address->port) };
    switch (address->family) {
    case ADDRESS_IPV4:
        memcpy(&ipv4.sin_addr, address->ip, sizeof ipv4.sin_addr);
        memcpy(&out->storage, &ipv4, out->size = sizeof ipv4);
        return true;
    case ADDRESS_IPV6:
        memcpy(&ipv6.sin6_addr, address->ip, sizeof ipv6.sin6_addr);
        memcpy(&out->storage, &ipv6, out->size = sizeof ipv6);
        return true;
    case ADDRESS_UNIX:
        return endpoint_of_path(address->text, out);
    case ADDRESS_NONE:
    case ADDRESS_NAME:
        break;
    }
    return false;
}

static void endpoint_read_path(const struct sockaddr *from, socklen_t size, struct address *out)
{
    struct sockaddr_un name = { 0 };
    memcpy(&name, from, size < sizeof name ? size : sizeof name);
    out->family = ADDRESS_UNIX;
    memcpy(out->text, name.sun_path, sizeof name.sun_path);
}

void endpoint_read(const struct sockaddr *from, socklen_t size, struct address *out)
{
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
    *out = (struct address){ .family = ADDRESS_NONE };
    if (from->sa_family == AF_INET && size >= sizeof ipv4) {
        memcpy(&ipv4, from, sizeof ipv4);
        *out = (struct address){ .family = ADDRESS_IPV4, .port = ntohs(ipv4.sin_port) };
        memcpy(out->ip, &ipv4.sin_addr, sizeof ipv4.sin_addr);
    } else if (from->sa_family == AF_INET6 && size >= sizeof ipv6) {
        memcpy(&ipv6, from, sizeof ipv6);
        *out = (struct address){ .family = ADDRESS_IPV6, .port = ntohs(ipv6.sin6_port) };
        memcpy(out->ip, &ipv6.sin6_addr, sizeof ipv6.sin6_addr);
    } else if (from->sa_family == AF_UNIX) {
        endpoint_read_path(from, size, out);
    }
}

const struct sockaddr *endpoint_name(const struct endpoint *endpoint)
{
    return (const struct sockaddr *)&endpoint->storage;
}

/* ── Sockets ───────────────────────────────────────────────────────────────────────────────────────────────
 */

/* Where an option is not to be had the connection works without it. */
static void socket_set(int socket, int level, int option, int value)
{
    (void)setsockopt(socket, level, option, &value, sizeof value);
}

static void socket_tune(int socket, const struct endpoint *endpoint)
{
    static const char unpaced[] = "reno"; /* which every kernel has */
    struct address address;
    endpoint_read(endpoint_name(endpoint), endpoint->size, &address);
    socket_set(socket, IPPROTO_TCP, TCP_NODELAY, 1);
    socket_set(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
    socket_set(socket, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_SECONDS);
    if (address_is_loopback(&address))
        (void)setsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, unpaced, sizeof unpaced - 1);
}

int endpoint_socket(const struct endpoint *endpoint)
{
    int family = endpoint->storage.ss_family;
    int made = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (made >= 0 && family != AF_UNIX)
        socket_tune(made, endpoint);
    return made;
}
