/* SPDX-License-Identifier: PostgreSQL */
#ifndef OBSERVE_HARVEST_H
#define OBSERVE_HARVEST_H

#include "observe/errors.h"
#include "observe/ledger.h"
#include "observe/statements.h"

/* What one worker has counted since it was last asked: taken away whole, an empty one given in its place. */

/* How many entries each part holds; what goes beyond is counted under `other`. */
struct harvest_bounds {
    size_t violations;
    size_t statements; /* 0: calls are not counted by statement */
    size_t errors;
};

struct harvest {
    struct ledger violations; /* by minute */
    struct statements statements;
    struct errors errors;
    bool has_statements; /* calls are to be counted */
};

/* NULL when memory is short. */
struct harvest *harvest_create(const struct hash_key *key, const struct harvest_bounds *bounds);
void harvest_destroy(struct harvest *harvest); /* NULL is allowed */
/* Whether nothing was counted. */
bool harvest_is_empty(const struct harvest *harvest);

#endif
