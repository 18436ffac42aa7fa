/* SPDX-License-Identifier: PostgreSQL */
#ifndef WIRE_FRAMER_H
#define WIRE_FRAMER_H

#include "base/attributes.h"
#include "base/bytes.h"
#include "wire/message.h"

/* Cuts the typed part of a stream into messages, without copying bodies and without allocating. The one place
 * where a length word is read and checked. */
struct framer {
    uint32_t body_left;  /* bytes of the current body still to come */
    uint32_t body_size;  /* of the current message */
    uint8_t from;        /* enum side */
    uint8_t header_size; /* bytes of the next header kept so far, 0-5 */
    bool is_inside;      /* a message was begun and its last fragment not yet given out */
    uint8_t type;        /* of the current message, while is_inside; of the refused one after a failure */
    uint8_t header[MESSAGE_HEADER_SIZE];
};

enum framer_result {
    FRAMER_FRAGMENT,     /* *out holds the next fragment */
    FRAMER_STARVED,      /* the input is used up */
    FRAMER_UNKNOWN_TYPE, /* no message of this side has this type byte; framer->type says which */
    FRAMER_BAD_LENGTH,   /* a length outside the message's bounds; framer->type says which message */
};

/* A piece of one message. The first fragment of a message carries its header, the last its end; a message
 * that lies whole in the input comes as one fragment. */
struct fragment {
    const struct message_form *form;
    uint32_t body_size; /* of the whole message, without header */
    uint8_t type;
    bool is_first;
    bool is_last;
    struct bytes header; /* five bytes when is_first, else none. In the input directly before `body` when the
                          * header was not cut; else in the framer, valid until its next call. */
    struct bytes body;   /* in the input; may be empty */
};

void framer_init(struct framer *framer, enum side from);
/* Takes the next fragment off the front of `input`. Any split of the stream into calls gives the same
 * messages; a header that is cut is kept inside the framer and given out when whole. A message whose header
 * is known but of whose body nothing has arrived is given out as an empty first fragment only when the input
 * has ended behind the header. A failure is for good: later calls return it again and take nothing. The bytes
 * of the refused header as far as they were looked at (the type byte, or all five) are then in
 * framer->header, and `input` stands behind them. */
MUST_USE enum framer_result framer_next(struct framer *framer, struct bytes *input, struct fragment *out);
/* Takes the longest run of whole messages that only pass (DISPOSITION_PASS) off the front of `input`, as one
 * view; empty where there is none. When the message behind it lies whole in the input, too, and its header is
 * right, it is taken as well: *next views it with its header (five bytes, then the body); else *next is
 * empty. This is the way of nearly all bytes, at a few instructions a message; where it ends framer_next goes
 * on. */
struct bytes framer_run(const struct framer *framer, struct bytes *input, struct bytes *next);

#endif
