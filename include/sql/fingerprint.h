/* SPDX-License-Identifier: PostgreSQL */
#ifndef SQL_FINGERPRINT_H
#define SQL_FINGERPRINT_H

#include "base/bytes.h"
#include "sql/lexer.h"

/* 16 hexadecimal digits of libpg_query's fingerprint, or "m:" and 16 digits of the text's shape, and a NUL.
 */
enum { FINGERPRINT_SIZE = 24 };

/* The fingerprint of one statement: equal for texts that differ only in constants, white space and comments.
 * libpg_query's where it is safe and does not depend on values; the text's shape for what it cannot parse,
 * for texts cut short (is_cut), and for statements whose library fingerprint would hash a secret. Costs a
 * parse: call it on errors only. */
void fingerprint_sql(struct bytes sql, bool is_cut, struct lexer_reading reading, char out[FINGERPRINT_SIZE]);

#endif
