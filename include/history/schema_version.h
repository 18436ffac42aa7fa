/* SPDX-License-Identifier: PostgreSQL */
#ifndef HISTORY_SCHEMA_VERSION_H
#define HISTORY_SCHEMA_VERSION_H

#include "base/attributes.h"
#include "base/text.h"

struct sqlite3;

enum { HISTORY_APPLICATION_ID = 0x7067736c }; /* "pgsl", in the file's header */

enum schema_version_result {
    SCHEMA_VERSION_READY,
    SCHEMA_VERSION_FOREIGN, /* damaged, another program's, or of a version that is not known yet */
    SCHEMA_VERSION_FAILED   /* it could not be read or written now */
};

/* The migrations of this program, one for each version from 1. */
const char *const *schema_version_migrations(size_t *count);
/* Looks whose file it is and brings its tables to version `count`: an empty one becomes ours. Each step is
 * done whole or not at all. `why` is written where the result is not READY. */
MUST_USE enum schema_version_result schema_version_apply(struct sqlite3 *connection,
                                                         const char *const *migrations, size_t count,
                                                         struct text *why);
/* Creates the tables of the newest version in a database that is empty, and nothing else. SQLite's code. */
MUST_USE int schema_version_create(struct sqlite3 *connection);
/* Whether SQLite's code says that the file, not the moment, is at fault. */
bool schema_version_is_fault(int code);
/* The first column of the first row of a query as a number; returns SQLite's code. */
MUST_USE int schema_version_number(struct sqlite3 *connection, const char *sql, int64_t *number);

#endif
