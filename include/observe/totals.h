/* SPDX-License-Identifier: PostgreSQL */
#ifndef OBSERVE_TOTALS_H
#define OBSERVE_TOTALS_H

#include "observe/harvest.h"

/* What all workers have counted since the start; on the control thread. */
struct totals {
    struct ledger violations;
    struct statements statements;
    struct errors errors;
};

/* Must stay where it is. */
void totals_init(struct totals *totals, const struct hash_key *key, const struct harvest_bounds *bounds);
void totals_release(struct totals *totals);
void totals_add(struct totals *totals, const struct harvest *harvest);

#endif
