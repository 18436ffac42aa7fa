/* SPDX-License-Identifier: PostgreSQL */
#ifndef SQL_ADVICE_H
#define SQL_ADVICE_H

#include "sql/lexer.h"
#include "sql/verdict.h"

/* What people who plan a schema change want to know of a statement: its lock, why it is dangerous, and what
 * to do instead. For people and reports; the guard decides without it. */

struct advice {
    const char *lock;
    const char *why;
    const char *instead; /* empty: nothing */
};

/* Of one statement, by its verdict; NULL where there is nothing to be said. */
const struct advice *advice_of(struct bytes statement, struct lexer_reading reading,
                               const struct verdict *verdict);

#endif
