/* SPDX-License-Identifier: PostgreSQL */
#include "wire/message.h"

/* The bounds that messages.def names. */
enum {
    SMALL = MESSAGE_SMALL,
    AUTHENTICATION = MESSAGE_AUTHENTICATION,
    LARGE = MESSAGE_LARGE,
    BUILT = MESSAGE_BUILT,
};

#define MESSAGE(side, type, symbol, name, disposition, least, most)                                          \
    [SIDE_##side][type] = { name, DISPOSITION_##disposition, least, most },
const struct message_form message_forms[2][256] = {
#include "wire/messages.def"
};
#undef MESSAGE
