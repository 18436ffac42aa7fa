/* SPDX-License-Identifier: PostgreSQL */
#ifndef SESSION_HEAD_H
#define SESSION_HEAD_H

#include "base/bytes.h"
#include "wire/message.h"

/* How much of a message must be there before the session acts on it. */
enum head_need {
    HEAD_NOTHING, /* its type says it all */
    HEAD_FIELDS,  /* its first fields: ask head_is_complete */
};

enum head_need head_need(enum side from, uint8_t type);
/* Whether `body`, the beginning of such a message, holds the fields that are looked at. */
bool head_is_complete(enum side from, uint8_t type, struct bytes body);

#endif
