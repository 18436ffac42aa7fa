/* SPDX-License-Identifier: PostgreSQL */
#ifndef HISTORY_VALUE_H
#define HISTORY_VALUE_H

#include "base/bytes.h"

enum history_type { HISTORY_NULL, HISTORY_INTEGER, HISTORY_REAL, HISTORY_TEXT };

/* One value of a row. A text is a view of somebody else's bytes; what a query computes may hold any, NUL too.
 */
struct history_value {
    enum history_type type;
    int64_t integer;
    double real;
    struct bytes text;
};

static inline struct history_value history_integer(int64_t integer)
{
    return (struct history_value){ .type = HISTORY_INTEGER, .integer = integer };
}

static inline struct history_value history_real(double real)
{
    return (struct history_value){ .type = HISTORY_REAL, .real = real };
}

static inline struct history_value history_text(const char *text)
{
    return (struct history_value){ .type = HISTORY_TEXT, .text = bytes_text(text) };
}

#endif
