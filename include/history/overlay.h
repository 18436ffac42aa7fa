/* SPDX-License-Identifier: PostgreSQL */
#ifndef HISTORY_OVERLAY_H
#define HISTORY_OVERLAY_H

#include "base/attributes.h"
#include "history/query.h"

struct sqlite3;

/* Opens a database in memory with our tables and what waits of the view, in place of the file. Closed by the
 * caller in any case. Returns SQLite's code. */
MUST_USE int overlay_open_alone(struct sqlite3 **connection, const struct history_view *view);
/* Has each of our tables seen on a connection to the view's file as it will be when what waits is written: of
 * the file's rows those that will change are copied and changed, the others stay where they are. Takes time
 * and memory by what waits. Returns SQLite's code. */
MUST_USE int overlay_lay(struct sqlite3 *connection, const struct history_view *view);

#endif
