/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONTROL_INBOX_H
#define CONTROL_INBOX_H

#include "base/buffer.h"
#include "wire/framer.h"

/* A client's messages, whole. Bodies that come in pieces are gathered; what is longer than allowed is passed
 * over without being held. */
struct inbox {
    struct framer framer;
    struct buffer body;
    bool is_too_long; /* of the message that is coming in */
};

enum inbox_result {
    INBOX_MESSAGE,
    INBOX_STARVED,
    INBOX_TOO_LONG,
    INBOX_UNKNOWN_TYPE,
    INBOX_BAD_LENGTH,
    INBOX_NO_MEMORY
};

struct inbox_message {
    uint8_t type;
    struct bytes body; /* in the input or in the inbox: until the next call */
};

void inbox_init(struct inbox *inbox);
void inbox_release(struct inbox *inbox);
/* Takes the next message off the front of `input`. TOO_LONG: a message with a body of more than `most` bytes
 * has gone by (out->type says which). UNKNOWN_TYPE and BAD_LENGTH are for good. */
MUST_USE enum inbox_result inbox_next(struct inbox *inbox, struct bytes *input, size_t most,
                                      struct inbox_message *out);

#endif
