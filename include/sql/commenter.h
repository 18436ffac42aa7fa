/* SPDX-License-Identifier: PostgreSQL */
#ifndef SQL_COMMENTER_H
#define SQL_COMMENTER_H

#include "sql/lexer.h"

/* What a program says of a statement in a comment at its end or beginning, in the form of sqlcommenter:
 * key='value' with values URL-encoded, parted by commas. */

enum { COMMENTER_VALUE_SIZE = 65, COMMENTER_TRACE_SIZE = 33 };

/* Texts are valid UTF-8 of printable characters; empty where nothing was said. */
struct commenter {
#define COMMENTER_KEY(key) char key[COMMENTER_VALUE_SIZE];
#include "sql/commenter_keys.def"
#undef COMMENTER_KEY
    char trace_id[COMMENTER_TRACE_SIZE]; /* of traceparent (W3C "Trace Context"): 32 hexadecimal digits */
};

/* Reads the last comment of `sql` and, for what that does not say, the first, where no other token than
 * semicolons stands behind or before it. A comment that does not have the form as a whole says nothing; of
 * other keys and of values that are not valid or not printable nothing is kept; longer values are cut between
 * characters. Where `sql` is only the beginning of a text (is_cut), only the first comment counts. Costs a
 * pass of the lexer. */
void commenter_read(struct bytes sql, bool is_cut, struct lexer_reading reading, struct commenter *out);
/* The place in the program that it came from: the route; else controller#action; else the controller; else
 * empty. */
void commenter_route(const struct commenter *commenter, char out[COMMENTER_VALUE_SIZE]);

#endif
