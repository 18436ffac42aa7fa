/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONTROL_EXTENDED_H
#define CONTROL_EXTENDED_H

#include "base/list.h"
#include "control/command.h"
#include "control/inbox.h"

/* The extended query protocol of the console (manual: "Extended Query"), as far as drivers need it:
 * statements are single commands without parameters, every Execute gives all rows. */

enum { EXTENDED_NAMES_MOST = 256 }; /* prepared statements and portals of one connection */

enum prepared_kind { PREPARED_STATEMENT, PREPARED_PORTAL };

struct prepared {
    struct list node;
    enum prepared_kind kind;
    char name[POLICY_NAME_SIZE];
    bool is_empty;           /* holds no command */
    uint32_t binary_columns; /* of a portal: bit i, whether column i is wanted in binary */
    struct console_command command;
};

struct extended {
    struct list names;
    size_t name_count;
    int64_t duration_most_us;
};

enum extended_result {
    EXTENDED_DONE,    /* the answer was appended */
    EXTENDED_RUN,     /* *run is to be executed: its rows without description, its tag */
    EXTENDED_REFUSED, /* *failure says why; what follows is to be skipped up to Sync */
};

void extended_init(struct extended *extended);
void extended_release(struct extended *extended);
/* Takes a Parse, Bind, Describe, Execute or Close message. */
MUST_USE enum extended_result extended_take(struct extended *extended, const struct inbox_message *message,
                                            struct buffer *out, const struct prepared **run,
                                            struct console_outcome *failure);
/* Portals end with the transaction: at Sync, and at a Query. */
void extended_end_portals(struct extended *extended);

#endif
