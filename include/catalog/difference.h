/* SPDX-License-Identifier: PostgreSQL */
#ifndef CATALOG_DIFFERENCE_H
#define CATALOG_DIFFERENCE_H

#include "base/text.h"
#include "catalog/version.h"

/* What became of a constraint between two versions of it. */

enum difference {
#define DIFFERENCE(symbol, name) DIFFERENCE_##symbol,
#include "catalog/differences.def"
#undef DIFFERENCE
    DIFFERENCE_COUNT
};

const char *difference_name(enum difference difference);

static inline bool difference_is(unsigned differences, enum difference which)
{
    return (differences & 1u << which) != 0;
}

/* One bit 1 << DIFFERENCE_... for each; 0 when they say the same. `before` may be NULL. */
MUST_USE unsigned difference_between(const struct version *before, const struct version *after);
/* Appends what `after->differences` say, for people: "'member_program_item_schedule' was dropped from the
 * list; 'count_session' was added to the list". One line, whatever the names and values hold; long values and
 * long lists are cut. */
void difference_describe(const struct version *after, struct text *out);
/* Appends the values as "'a', 'b' and 3 more", made fit to show and cut. */
void value_list_describe(struct value_list list, struct text *out);

#endif
