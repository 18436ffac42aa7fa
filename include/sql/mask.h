/* SPDX-License-Identifier: PostgreSQL */
#ifndef SQL_MASK_H
#define SQL_MASK_H

#include "base/text.h"
#include "sql/lexer.h"

/* Appends `sql` as it may be shown: every literal is `?` (a number with its sign), comments are gone, runs of
 * white space are one space, lists of literals and further VALUES rows are collapsed, `$n`, keywords,
 * operators and identifiers stay. Statements whose text is secret as a whole (roles, user mappings, servers,
 * subscriptions, ALTER SYSTEM) are shown by their command only. What does not end (an open string or comment,
 * also where `sql` is only the beginning of a text) is cut there and marked with an ellipsis. Where the
 * reading is in doubt (a backslash in a string) the reading that shows less wins. */
void mask_sql(struct bytes sql, struct lexer_reading reading, struct text *out);

#endif
