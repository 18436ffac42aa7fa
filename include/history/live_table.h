/* SPDX-License-Identifier: PostgreSQL */
#ifndef HISTORY_LIVE_TABLE_H
#define HISTORY_LIVE_TABLE_H

#include "history/query.h"

struct sqlite3;

/* A live table on one connection; outlives the connection. */
struct live_table {
    const struct history_live_table *table;
    size_t bytes_most; /* of the rows that one reading holds */
};

/* Makes the table known: read-only, without being created. SQLite's code. */
MUST_USE int live_table_register(struct sqlite3 *connection, const struct live_table *live);

#endif
