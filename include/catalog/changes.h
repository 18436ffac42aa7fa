/* SPDX-License-Identifier: PostgreSQL */
#ifndef CATALOG_CHANGES_H
#define CATALOG_CHANGES_H

#include "catalog/catalog.h"

/* The changes of constraints that readings found, in words that do not go away with the catalog: the newest
 * ones, up to a bound. */

enum {
    CHANGE_NAME_SIZE = 64,
    CHANGE_WORDS_SIZE = 128,
    CHANGE_DIFFERENCE_SIZE = 512,
    CHANGE_DEFINITION_SIZE = 1024
};

/* Names and definitions are as they are, cut where they are long; words and difference are fit to show. */
struct constraint_change {
    int64_t seen_us;       /* the reading that found it, µs since 1970 */
    int64_t not_before_us; /* the one before, which found it as it was */
    enum constraint_kind kind;
    unsigned differences; /* 1 << DIFFERENCE_... each */
    char database[CHANGE_NAME_SIZE];
    char schema[CHANGE_NAME_SIZE];
    char table[CHANGE_NAME_SIZE];
    char name[CHANGE_NAME_SIZE];     /* may be empty, as in struct constraint_row */
    char columns[CHANGE_WORDS_SIZE]; /* as there */
    char words[CHANGE_WORDS_SIZE];   /* the names of the differences: "values dropped, values added" */
    char difference[CHANGE_DIFFERENCE_SIZE];
    char before[CHANGE_DEFINITION_SIZE]; /* empty where there was none */
    char after[CHANGE_DEFINITION_SIZE];  /* empty where there is none any more */
};

/* What the version of the constraint is to the one before it. */
void constraint_change_fill(const struct constraint *constraint, const struct version *version,
                            int64_t not_before_us, struct constraint_change *out);

struct constraint_changes {
    struct constraint_change *kept;
    size_t most;
    uint64_t added;
};

/* False when memory is short; there is nothing to release then. */
MUST_USE bool constraint_changes_init(struct constraint_changes *changes, size_t most);
void constraint_changes_release(struct constraint_changes *changes);
void constraint_changes_add(struct constraint_changes *changes, const struct constraint_change *change);
size_t constraint_changes_count(const struct constraint_changes *changes);
/* The one of this age: 0 is the newest; age is below the count. */
const struct constraint_change *constraint_changes_at(const struct constraint_changes *changes, size_t age);

#endif
