/* SPDX-License-Identifier: PostgreSQL */
#ifndef BASE_PROBLEM_H
#define BASE_PROBLEM_H

#include "base/attributes.h"
#include "base/text.h"

enum { PROBLEM_TEXT_SIZE = 512, PROBLEM_FILE_SIZE = 256, PROBLEMS_KEPT = 50 };

/* What is wrong and where: written for the person who has to mend it. */
struct problem {
    char file[PROBLEM_FILE_SIZE];
    unsigned line;   /* from 1; 0 where no place applies */
    unsigned column; /* from 1; 0 where no place applies */
    bool is_warning; /* what is worth saying but refuses nothing */
    char text[PROBLEM_TEXT_SIZE];
};

/* All that was found in one go; what goes beyond PROBLEMS_KEPT is counted only. */
struct problems {
    struct problem kept[PROBLEMS_KEPT];
    size_t count;       /* of all, errors and warnings */
    size_t error_count; /* of those that refuse */
};

void problems_init(struct problems *problems);
/* Adds an error (what is wrong, then what would be right) at a place; line and column 0 where there is none.
 */
void problems_add(struct problems *problems, const char *file, unsigned line, unsigned column,
                  const char *format, ...) PRINTF_LIKE(5, 6);
void problems_warn(struct problems *problems, const char *file, unsigned line, unsigned column,
                   const char *format, ...) PRINTF_LIKE(5, 6);
/* How many of them are in kept. */
static inline size_t problems_kept_count(const struct problems *problems)
{
    return problems->count < PROBLEMS_KEPT ? problems->count : PROBLEMS_KEPT;
}
/* Appends "FILE:LINE:COLUMN: error: TEXT" (or "warning:"), leaving out what of the place is not known; no
 * line feed. */
void problem_describe(const struct problem *problem, struct text *out);

#endif
