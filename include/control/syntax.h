/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONTROL_SYNTAX_H
#define CONTROL_SYNTAX_H

#include "base/attributes.h"
#include "base/text.h"

/* The pieces of a command's syntax as commands.def writes it. */

enum { SYNTAX_ELEMENT_SIZE = 32 };

struct syntax_element {
    char text[SYNTAX_ELEMENT_SIZE]; /* without brackets */
    bool is_keyword;                /* else a value */
    bool opens;                     /* begins what may be left out */
    bool closes;                    /* ends it */
};

/* Takes the next element off the text; false at its end. */
MUST_USE bool syntax_next(const char **syntax, struct syntax_element *out);
/* Behind the keywords with which every command of this syntax begins, which are appended, with one space
 * between them. */
const char *syntax_skip_keywords(const char *syntax, struct text *keywords);

#endif
