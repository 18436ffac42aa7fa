/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_ATTEMPTS_H
#define APP_ATTEMPTS_H

#include "catalog/catalog.h"
#include "observe/event.h"

/* Picks the value out of a violation's refused row, if the constraint is known and it is sure, into
 * violation.attempted, with what it may have meant in near_miss; wipes the row. `catalog` may be NULL. */
void attempt_read(const struct catalog *catalog, struct event *event);

#endif
