/* SPDX-License-Identifier: PostgreSQL */
#ifndef SQL_SPLIT_H
#define SQL_SPLIT_H

#include "base/bytes.h"
#include "sql/lexer.h"

/* The `index`-th (from 0) statement of a text, counted as the server answers them: empty ones between
 * semicolons do not count; BEGIN ATOMIC bodies and the commands of CREATE RULE belong to their statement.
 * BYTES_NONE beyond the last. */
struct bytes split_statement(struct bytes sql, struct lexer_reading reading, uint32_t index);
/* The statement in which the character at `position` (from 1, in characters of the text's encoding, as
 * ErrorResponse's P field counts; is_utf8 says how to count) stands. */
struct bytes split_statement_at(struct bytes sql, struct lexer_reading reading, uint32_t position,
                                bool is_utf8);

/* The relation a data change names as its target (INSERT INTO x, UPDATE [ONLY] x, DELETE FROM [ONLY] x, MERGE
 * INTO x, COPY x FROM), also behind WITH: its unqualified name, folded as the server folds it. False for
 * others. */
bool split_target(struct bytes statement, struct lexer_reading reading, char table[64]);

#endif
