/* SPDX-License-Identifier: PostgreSQL */
#ifndef SQL_MASK_FORM_H
#define SQL_MASK_FORM_H

#include "sql/mask.h"

enum mask_form {
    MASK_SHOWN,     /* as mask_sql has it: blanks and case as written */
    MASK_CANONICAL, /* one space between all tokens, words in lower case: equal for what differs in layout
                       only */
};

void mask_form_sql(struct bytes sql, struct lexer_reading reading, enum mask_form form, struct text *out);

#endif
