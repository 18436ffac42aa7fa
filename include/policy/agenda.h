/* SPDX-License-Identifier: PostgreSQL */
#ifndef POLICY_AGENDA_H
#define POLICY_AGENDA_H

#include "policy/gate.h"

/* When the windows of a plan open, one after the other. As window.h says, all of it runs on one thread. */
struct agenda_entry {
    const struct window *window;
    struct occurrence occurrence;
};

/* Fills `entries`, which has room for agenda_most(plan, next_most), with the occurrences that last at `at_us`
 * and the `next_most` that begin next, in the order in which they begin. Returns how many. Freezes are not
 * taken out of them. */
size_t agenda_fill(const struct gate_plan *plan, int64_t at_us, size_t next_most,
                   struct agenda_entry *entries);
size_t agenda_most(const struct gate_plan *plan, size_t next_most);
/* Whether the freeze takes something of the occurrence, and then which time of the freeze does first. */
MUST_USE bool freeze_cuts(const struct freeze *freeze, const struct occurrence *occurrence,
                          struct occurrence *out);

#endif
