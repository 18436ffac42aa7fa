/* SPDX-License-Identifier: PostgreSQL */
#ifndef CATALOG_NEARNESS_H
#define CATALOG_NEARNESS_H

#include "base/text.h"
#include "catalog/value_list.h"

/* Which allowed value somebody may have meant. */

enum nearness_kind {
    NEARNESS_NONE,    /* none, or more than one */
    NEARNESS_SAME,    /* it is allowed */
    NEARNESS_FORM,    /* the same but for case, spaces, _ and - */
    NEARNESS_LETTERS, /* a few letters off */
};

struct nearness {
    enum nearness_kind kind;
    size_t distance;      /* of LETTERS: letters put in, left out, changed, or swapped with their neighbour */
    struct bytes allowed; /* a view into the list; of SAME: what was attempted */
};

/* Compares UTF-8 by code points, other bytes one by one. Letters are compared only of values of 5 to 63
 * characters, one letter off below 10 characters, two below 16, else three; never where digits differ, or
 * where one is the other behind a prefix of two letters or more (confirmed, unconfirmed): such are other
 * values, not slips. */
struct nearness nearness_of(struct bytes attempted, struct value_list allowed);
/* Appends "'cancelled' is 1 letter off 'canceled', which is allowed"; nothing for NONE. It shows the
 * attempted value, made fit to show: only for those who may see it. */
void nearness_describe(const struct nearness *nearness, struct bytes attempted, struct text *out);

#endif
