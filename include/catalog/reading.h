/* SPDX-License-Identifier: PostgreSQL */
#ifndef CATALOG_READING_H
#define CATALOG_READING_H

#include "catalog/catalog.h"

/* How a database is asked for its constraints: one query, one row each. Whoever holds the connection (area
 * probe) asks and hands the rows on. */

enum {
    READING_FIELDS = 8,
    READING_PART = 'T', /* letter of a row that is a part, not a constraint */
    READING_SERVER_LEAST = 150000,
    READING_QUERY_SIZE = 8192,
    READING_DEFINITION_SIZE = 32768 /* characters; a longer definition is cut, with a hash of the whole */
};

#define READING_APPLICATION_NAME "pgsluice-catalog"
/* What definitions are written by, besides search_path = pg_catalog; options of the session. */
#define READING_OPTIONS                                                                                      \
    " -c standard_conforming_strings=on -c quote_all_identifiers=off -c client_min_messages=error"

/* Appends the query for a server of this version, such as 150018, at least READING_SERVER_LEAST. It reads
 * what is not the server's own and not temporary; of a partition only what it does not have from the table it
 * is part of; reading needs no privilege but to connect. */
void reading_query(int server_version, struct text *out);
/* Takes one row into a catalog that has begun a reading. False where it is no row of that query. */
MUST_USE bool reading_take(struct catalog *catalog, const struct bytes fields[READING_FIELDS]);

#endif
