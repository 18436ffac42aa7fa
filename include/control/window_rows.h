/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONTROL_WINDOW_ROWS_H
#define CONTROL_WINDOW_ROWS_H

#include "control/world.h"
#include "policy/gate.h"

/* Fills `rows` with what the plan holds at `now_us`: windows (opens and closes are those of the next
 * stretch that no freeze takes, 0 where none is in sight), openings that are not over, freezes that are not
 * over (the one that holds or comes next, from when to when), in the order of the plan, up to `most` rows.
 * Returns how many. The rows' texts are the plan's own. */
size_t window_rows_fill(const struct gate_plan *plan, int64_t now_us, struct window_row *rows, size_t most);
/* How many rows are enough for any moment. */
size_t window_rows_most(const struct gate_plan *plan);

#endif
