/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONTROL_EXTENDED_H
#define CONTROL_EXTENDED_H

#include "control/inbox.h"
#include "control/prepared.h"

/* The extended query protocol of the console (manual: "Extended Query"), as far as drivers need it:
 * statements are single commands, whose answers are given in portions where an Execute wants so many rows at
 * a time. Only queries have parameters; one whose type the client does not foretell is a text. */

struct extended {
    struct prepared_names names;
    int64_t duration_most_us;
};

enum extended_result {
    EXTENDED_DONE,     /* the answer was appended */
    EXTENDED_RUN,      /* *run is to be executed: its rows without description, its tag */
    EXTENDED_DESCRIBE, /* *run is a query that must be asked to be described */
    EXTENDED_REFUSED,  /* *failure says why; what follows is to be skipped up to Sync */
};

/* Takes a Parse, Bind, Describe, Execute or Close message. */
MUST_USE enum extended_result extended_take(struct extended *extended, const struct inbox_message *message,
                                            struct buffer *out, struct prepared **run,
                                            struct console_outcome *failure);
/* Answers the Describe of a query with what asking it gave. */
void extended_describe(struct prepared *prepared, struct console_reply *reply, struct buffer *out);
/* The Execute of `portal` was answered in `out` from `at` on: keeps what goes beyond the rows that it wanted.
 * *failure says when there is no room for that. */
void extended_keep_rest(const struct extended *extended, struct prepared *portal, struct buffer *out,
                        size_t at, struct console_outcome *failure);

#endif
