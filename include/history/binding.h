/* SPDX-License-Identifier: PostgreSQL */
#ifndef HISTORY_BINDING_H
#define HISTORY_BINDING_H

#include "history/record.h"

struct sqlite3;
struct sqlite3_stmt;

/* The statements that write rows, prepared on one connection when first needed. */
struct binding {
    struct sqlite3 *connection;
    /* By enum history_statement; the owner's, NULL at first, or others that take (some of) the same values.
     */
    struct sqlite3_stmt **statements;
    int64_t run;
};

/* Binds a value; of a text, each byte that is not valid UTF-8 and each control becomes \xNN, so that what is
 * read back is one harmless line. Returns SQLite's code. */
MUST_USE int binding_value(struct sqlite3_stmt *statement, int at, const struct history_value *value);
/* Writes the record that the reader has begun. A row that the tables do not take (too big, a constraint) is
 * left out and added to *rejected. Returns SQLite's code, SQLITE_OK when it is done. */
MUST_USE int binding_write(const struct binding *binding, struct record_reader *reader, uint64_t *rejected);
/* Writes all records of `rows`, up to the first failure. */
MUST_USE int binding_write_all(const struct binding *binding, struct bytes rows, uint64_t *rejected);

#endif
