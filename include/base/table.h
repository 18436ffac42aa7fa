/* SPDX-License-Identifier: PostgreSQL */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include "base/attributes.h"
#include "base/bytes.h"

/* An intrusive hash table with chains: entries embed a table_node, the table owns only its slots (none while
 * it is empty). The caller compares keys: walk the chain with table_first/table_next. */
struct table_node {
    struct table_node *next;
    uint64_t hash;
};

struct table {
    struct table_node **slots;
    uint32_t slot_count; /* a power of two, or 0 */
    uint32_t count;
};

/* Where a walk stands. */
struct table_cursor {
    size_t slot;             /* the next to look into */
    struct table_node *next; /* what is left of the chain before it */
};

void table_init(struct table *table);
/* Frees the slots; the entries are the caller's. */
void table_release(struct table *table);
/* The first entry with this hash, or NULL. */
struct table_node *table_first(const struct table *table, uint64_t hash);
/* The next entry with the same hash, or NULL. */
struct table_node *table_next(const struct table_node *node);
/* Adds an entry; the caller has looked that its key is not there. False when memory is short. */
MUST_USE bool table_add(struct table *table, struct table_node *node, uint64_t hash);
void table_remove(struct table *table, struct table_node *node);
/* Walks all entries: start with a cursor of zeros; NULL at the end. The entry just returned may be removed
 * and freed; nothing else may be removed and nothing added while walking. */
struct table_node *table_walk(const struct table *table, struct table_cursor *cursor);

#endif
