/* SPDX-License-Identifier: PostgreSQL */
#ifndef SQL_ADVICE_H
#define SQL_ADVICE_H

#include "sql/classifier.h"

/* What people who plan a schema change want to know of a statement: its lock, why it is dangerous, what to do
 * instead, and which objects it names. For people and reports; the guard decides without it. */

struct advice {
    const char *lock;
    const char *why;
    const char *instead; /* empty: nothing */
};

/* Of one statement, by its verdict; NULL where there is nothing to be said. */
const struct advice *advice_of(struct bytes statement, struct lexer_reading reading,
                               const struct verdict *verdict);

enum { OBJECTS_MOST = 32 };

/* Names as they are written, views into the statement. */
struct object_list {
    size_t count;
    struct bytes names[OBJECTS_MOST];
};

/* The objects that a statement asking for a window names as its own, and those its foreign keys refer to; of
 * more than OBJECTS_MOST the first. */
void advice_objects(struct bytes statement, struct lexer_reading reading, const struct verdict *verdict,
                    struct object_list *out);

#endif
