/* SPDX-License-Identifier: PostgreSQL */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include "base/attributes.h"
#include "base/text.h"

/* Where somebody listens or comes from. */
enum address_family { ADDRESS_NONE, ADDRESS_IPV4, ADDRESS_IPV6, ADDRESS_UNIX, ADDRESS_NAME };

enum { ADDRESS_TEXT_SIZE = 256 };

struct address {
    enum address_family family;
    uint16_t port;                /* host byte order; 0 for UNIX */
    uint8_t ip[16];               /* IPV4 (first four) and IPV6, network byte order */
    char text[ADDRESS_TEXT_SIZE]; /* NAME: the host's name; UNIX: the socket's path */
};

/* Reads "1.2.3.4:5432", "[::1]:5432", "name:5432" (port 1 to 65535) or "/path/of/socket". A path of a
 * directory is completed by the caller. False when it is none of these; `why` (may be NULL) then says what
 * would be right. */
MUST_USE bool address_parse(const char *text, struct address *out, struct text *why);
/* Appends it in the form that address_parse reads. IPv4 mapped into IPv6 shows as IPv4; a Unix peer without a
 * path as
 * "[local]", NONE as "unknown". */
void address_describe(const struct address *address, struct text *out);
/* 127.0.0.0/8, ::1, a Unix socket, and the name "localhost" (RFC 6761, 6.3). */
/* Whether only this machine can reach it: a loopback address, a UNIX socket, the name localhost. */
bool address_is_loopback(const struct address *address);

/* An address in few bytes: all of it but the text. */
struct compact_address {
    uint8_t ip[16];
    uint16_t port;
    uint8_t family; /* enum address_family */
};

static inline struct compact_address compact_address_of(const struct address *address)
{
    struct compact_address compact = { .port = address->port, .family = (uint8_t)address->family };
    memcpy(compact.ip, address->ip, sizeof(compact.ip));
    return compact;
}

/* The address again, with this text (at most ADDRESS_TEXT_SIZE - 1 bytes count). */
void compact_address_expand(const struct compact_address *compact, struct bytes text, struct address *out);

/* A network such as 10.2.0.0/16, fd00::/8 or a single address. */
struct network {
    enum address_family family;
    uint8_t ip[16];
    uint8_t prefix; /* bits */
};

/* Bits beyond the prefix must be zero, as in PostgreSQL's type cidr. False and `why` as in address_parse. */
/* False when it is no network or has bits set after its prefix; `why` (may be NULL) then says what would be
 * right. */
MUST_USE bool network_parse(const char *text, struct network *out, struct text *why);
/* Appends it as 10.2.0.0/16. */
void network_describe(const struct network *network, struct text *out);
/* IPv4 mapped into IPv6 counts as IPv4; a UNIX address is in no network. */
bool network_holds(const struct network *network, const struct address *address);

#endif
