/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONTROL_PORTION_H
#define CONTROL_PORTION_H

#include "base/attributes.h"
#include "base/buffer.h"

/* The answer of a portal that is executed a number of rows at a time (manual: "Extended Query", Execute):
 * what one Execute leaves of it waits for the next. */
struct portion {
    struct buffer rest; /* messages: rows, and what ends the answer */
    size_t given;       /* bytes of it */
    bool is_begun;
};

void portion_init(struct portion *portion);
void portion_release(struct portion *portion);
/* `out` holds from `at` on a whole answer: DataRows and what ends it. Where there are `most` rows or more,
 * what stands behind them is kept and PortalSuspended takes its place, as a server does, which has not looked
 * yet whether there are more. 0: all rows are wanted. What ends the answer is kept in any case, for an
 * Execute that comes when no row is left. False when it takes more than `room` bytes, or memory is short:
 * then nothing is kept. */
MUST_USE bool portion_begin(struct portion *portion, uint32_t most, size_t room, struct buffer *out,
                            size_t at);
/* Appends the next rows, likewise; behind the last of them what ends the answer, with the number of these
 * rows. False when they do not fit into out's limit: then nothing is appended, and they are still the next.
 */
MUST_USE bool portion_next(struct portion *portion, uint32_t most, struct buffer *out);

#endif
