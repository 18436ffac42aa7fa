/* SPDX-License-Identifier: PostgreSQL */
#include "session/head.h"

#include "wire/reader.h"

/* What the head of each message is made of; see "Message Formats" in the manual. Messages not named need
 * nothing. */
struct head_shape {
    uint8_t from; /* enum side */
    uint8_t type;
    uint8_t fixed;   /* bytes */
    uint8_t strings; /* NUL-terminated strings behind them */
};

static const struct head_shape head_shapes[] = {
    { SIDE_CLIENT, CLIENT_AUTHENTICATION_REPLY, 0, 1 }, /* see client_reply_is_read */
    { SIDE_CLIENT, CLIENT_BIND, 0, 2 },
    { SIDE_CLIENT, CLIENT_DESCRIBE, 1, 1 },
    { SIDE_CLIENT, CLIENT_EXECUTE, 0, 1 },
    { SIDE_CLIENT, CLIENT_CLOSE, 1, 1 },
    { SIDE_SERVER, SERVER_AUTHENTICATION, 4, 0 },
    { SIDE_SERVER, SERVER_PARAMETER_STATUS, 0, 2 },
    { SIDE_SERVER, SERVER_READY_FOR_QUERY, 1, 0 },
    { SIDE_SERVER, SERVER_COMMAND_COMPLETE, 0, 1 },
};

static const struct head_shape *head_shape(enum side from, uint8_t type)
{
    for (size_t index = 0; index < COUNT_OF(head_shapes); index++) {
        if (head_shapes[index].from == from && head_shapes[index].type == type)
            return &head_shapes[index];
    }
    return NULL;
}

enum head_need head_need(enum side from, uint8_t type)
{
    return head_shape(from, type) != NULL ? HEAD_FIELDS : HEAD_NOTHING;
}

bool head_is_complete(enum side from, uint8_t type, struct bytes body)
{
    const struct head_shape *shape = head_shape(from, type);
    struct reader reader = reader_of(body);
    if (from == SIDE_SERVER && type == SERVER_AUTHENTICATION)
        return reader_int32(&reader) != AUTHENTICATION_SASL && !reader.has_failed; /* that one: all of it */
    (void)reader_bytes(&reader, shape->fixed);
    for (uint8_t string = 0; string < shape->strings; string++)
        (void)reader_string(&reader);
    return !reader.has_failed;
}
