/* SPDX-License-Identifier: PostgreSQL */
#ifndef WIRE_PREAMBLE_H
#define WIRE_PREAMBLE_H

#include "base/attributes.h"
#include "base/bytes.h"

/* The packets without type byte that open a connection (manual: "Start-up", "Message Formats":
 * StartupMessage, SSLRequest, GSSENCRequest, CancelRequest). */
enum {
    PREAMBLE_MOST = 10000 + 4, /* bytes of a whole packet: the server's own limit, with its length word */
    PREAMBLE_CANCEL_KEY_MOST = 256, /* bytes of a cancel key: 4 in protocol 3.0, any from 1 since 3.2 */
};

enum preamble_kind { PREAMBLE_STARTUP, PREAMBLE_TLS_REQUEST, PREAMBLE_GSS_REQUEST, PREAMBLE_CANCEL };

enum preamble_result {
    PREAMBLE_READY,   /* *out holds the packet */
    PREAMBLE_STARVED, /* more bytes are needed; out->size says how many in all (4 until the length is known)
                       */
    PREAMBLE_DIRECT_TLS, /* the first byte opens a TLS handshake (0x16) */
    PREAMBLE_BAD_LENGTH, /* outside 8..PREAMBLE_MOST, or not the length this request has */
    PREAMBLE_BAD_CODE,   /* a protocol that is not 3.x, or an unknown request */
    PREAMBLE_MALFORMED, /* a StartupMessage whose parameters do not end as they must, or without a user's name
                         */
};

struct preamble {
    enum preamble_kind kind;
    size_t size;             /* bytes of the whole packet */
    uint16_t major, minor;   /* of the protocol, for STARTUP (and for BAD_CODE, for the error message) */
    struct bytes parameters; /* STARTUP: the name/value pairs without the final NUL; walk with
                                startup_parameter_next */
    uint32_t process_id;     /* CANCEL */
    struct bytes cancel_key; /* CANCEL */
};

/* Whether a connection's first byte is that of a TLS handshake: no packet of PostgreSQL's begins with it. */
static inline bool preamble_begins_tls(uint8_t first)
{
    return first == 0x16;
}

/* Decodes the packet at the front of `bytes`, which hold it from its first byte. Consumes nothing; views in
 * *out point into `bytes`. */
MUST_USE enum preamble_result preamble_read(struct bytes bytes, struct preamble *out);

struct startup_parameter {
    struct bytes name;
    struct bytes value;
};

/* Takes the next pair off `parameters`; false at the end. */
MUST_USE bool startup_parameter_next(struct bytes *parameters, struct startup_parameter *out);
/* The value in force for `name`: the last of duplicates, as PostgreSQL takes it; BYTES_NONE (data NULL) when
 * absent. */
struct bytes startup_parameter_find(struct bytes parameters, const char *name);

#endif
