/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_PLAN_OVERLAPS_H
#define APP_PLAN_OVERLAPS_H

#include "app/plan.h"

/* Warns of weekly windows that are open at one time and do not allow the same, once they have been read
 * without error: the one that allows more then counts, which whoever wrote the other may not expect. */
void plan_warn_of_overlaps(const struct plan *plan, const struct settings *settings, int64_t now_us,
                           struct problems *problems);

#endif
