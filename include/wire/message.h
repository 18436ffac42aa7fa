/* SPDX-License-Identifier: PostgreSQL */
#ifndef WIRE_MESSAGE_H
#define WIRE_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

/* Who sends. */
enum side { SIDE_CLIENT, SIDE_SERVER };

static inline enum side side_other(enum side side)
{
    return side == SIDE_CLIENT ? SIDE_SERVER : SIDE_CLIENT;
}

/* What is looked at before a message flows on; see messages.def. */
enum disposition { DISPOSITION_PASS, DISPOSITION_HEAD, DISPOSITION_SCAN };

/* Bounds of the length word. The first three are those the server enforces on clients. What it sends it
 * builds in one allocation of less than 1 GiB, to which the length word comes on top. */
enum {
    MESSAGE_SMALL = 10000,
    MESSAGE_AUTHENTICATION = 65535,
    MESSAGE_LARGE = 0x3ffffffe,
    MESSAGE_BUILT = 0x3ffffffe + 4,
};

enum { MESSAGE_LENGTH_SIZE = 4, MESSAGE_HEADER_SIZE = 1 + MESSAGE_LENGTH_SIZE };

/* What an Authentication message asks for or says, where that matters here. */
enum {
    AUTHENTICATION_OK = 0,
    AUTHENTICATION_SASL = 10, /* names the mechanisms to choose from */
    AUTHENTICATION_SASL_CONTINUE = 11,
    AUTHENTICATION_SASL_FINAL = 12,
};

enum client_message {
#define MESSAGE_CLIENT(type, symbol) CLIENT_##symbol = type,
#define MESSAGE_SERVER(type, symbol)
#define MESSAGE(side, type, symbol, name, disposition, least, most) MESSAGE_##side(type, symbol)
#include "wire/messages.def"
#undef MESSAGE
#undef MESSAGE_CLIENT
#undef MESSAGE_SERVER
};

enum server_message {
#define MESSAGE_CLIENT(type, symbol)
#define MESSAGE_SERVER(type, symbol)                                SERVER_##symbol = type,
#define MESSAGE(side, type, symbol, name, disposition, least, most) MESSAGE_##side(type, symbol)
#include "wire/messages.def"
#undef MESSAGE
#undef MESSAGE_CLIENT
#undef MESSAGE_SERVER
};

/* A row of the message table; all zero for a type byte the protocol does not have. */
struct message_form {
    const char *name; /* as the manual spells it */
    enum disposition disposition;
    uint32_t least; /* the length word's bounds, inclusive */
    uint32_t most;
};

/* By side and type byte. */
extern const struct message_form message_forms[2][256];

/* The form of a type byte sent by that side, or NULL for a type the protocol does not have. Constant time. */
static inline const struct message_form *message_form(enum side from, uint8_t type)
{
    const struct message_form *form = &message_forms[from][type];
    return form->name != NULL ? form : NULL;
}

#endif
