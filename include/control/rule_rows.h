/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONTROL_RULE_ROWS_H
#define CONTROL_RULE_ROWS_H

#include "control/world.h"

/* Fills `rows` with what the plan says besides windows, in the order in which the guard asks: modes (the last
 * is that of all others), protected objects, rules; up to `most` rows. Returns how many. Their texts are the
 * plan's own where they are no copies. */
size_t rule_rows_fill(const struct policy_plan *plan, struct rule_row *rows, size_t most);
/* How many rows that is. */
size_t rule_rows_most(const struct policy_plan *plan);

#endif
