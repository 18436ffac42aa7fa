/* SPDX-License-Identifier: PostgreSQL */
#include "observe/totals.h"

void totals_init(struct totals *totals, const struct hash_key *key, const struct harvest_bounds *bounds)
{
    ledger_init(&totals->violations, key, bounds->violations);
    statements_init(&totals->statements, key, bounds->statements);
    errors_init(&totals->errors, key, bounds->errors);
}

void totals_release(struct totals *totals)
{
    ledger_release(&totals->violations);
    statements_release(&totals->statements);
    errors_release(&totals->errors);
}

void totals_add(struct totals *totals, const struct harvest *harvest)
{
    ledger_merge(&totals->violations, &harvest->violations);
    statements_merge(&totals->statements, &harvest->statements);
    errors_merge(&totals->errors, &harvest->errors);
}
