/* SPDX-License-Identifier: PostgreSQL */
#include "observe/harvest.h"

#include <stdlib.h>

struct harvest *harvest_create(const struct hash_key *key, const struct harvest_bounds *bounds)
{
    struct harvest *harvest = malloc(sizeof *harvest);
    if (harvest == NULL)
        return NULL;
    ledger_init_by_minute(&harvest->violations, key, bounds->violations);
    statements_init(&harvest->statements, key, bounds->statements);
    errors_init(&harvest->errors, key, bounds->errors);
    harvest->has_statements = bounds->statements > 0;
    return harvest;
}

void harvest_destroy(struct harvest *harvest)
{
    if (harvest == NULL)
        return;
    ledger_release(&harvest->violations);
    statements_release(&harvest->statements);
    errors_release(&harvest->errors);
    free(harvest);
}

bool harvest_is_empty(const struct harvest *harvest)
{
    return harvest->violations.tally.total == 0 && harvest->statements.tally.total == 0 &&
           errors_total(&harvest->errors) == 0;
}
