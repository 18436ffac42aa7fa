/* SPDX-License-Identifier: PostgreSQL */
#ifndef CATALOG_VERSION_H
#define CATALOG_VERSION_H

#include "catalog/definition.h"

/* By which names a constraint is found, among those of one database. */
enum constraint_room {
    ROOM_TABLE,      /* schema, table, name of the constraint or index */
    ROOM_COLUMN,     /* schema, table, column */
    ROOM_PARTITIONS, /* schema, table */
    ROOM_DOMAIN,     /* schema, domain, name of the constraint; "" for NOT NULL */
    ROOM_TYPE,       /* schema, type */
};

enum constraint_kind {
#define CONSTRAINT(symbol, letter, room, name, sqlstate) CONSTRAINT_##symbol,
#include "catalog/constraints.def"
#undef CONSTRAINT
    CONSTRAINT_KIND_COUNT
};

const char *constraint_kind_name(enum constraint_kind kind);
/* The SQLSTATE that a violation of it raises. */
const char *constraint_kind_sqlstate(enum constraint_kind kind);
enum constraint_room constraint_kind_room(enum constraint_kind kind);
/* The kind that a reading calls by this letter; false for other letters. */
MUST_USE bool constraint_kind_find(char letter, enum constraint_kind *kind);

/* One constraint as a server has it now. The names are as they are, not quoted. */
struct constraint_row {
    enum constraint_kind kind;
    struct bytes identity; /* stays when it is renamed, and is not used again for another soon */
    struct bytes schema;
    struct bytes table;   /* or domain or type */
    struct bytes name;    /* may be empty: of NOT NULL of servers before 18, partition keys, types */
    struct bytes columns; /* the bare name where there is one, of NOT NULL; else "a, b", quoted as needed */
    struct bytes definition; /* as pg_get_constraintdef writes it */
    struct bytes place;      /* of a CHECK of one column: that column's among all, as "3/7"; else empty */
};

/* A constraint from one reading on. Does not change once it is made. */
struct version {
    struct version *older;     /* what was before it, or NULL */
    int64_t seen_us;           /* the first reading that had it, µs since 1970 */
    bool is_baseline;          /* that was the first of the database: it may be of any age */
    bool is_present;           /* false: dropped, the rest is what it was before */
    unsigned differences;      /* to the older one, 1 << DIFFERENCE_... each */
    struct constraint_row row; /* its bytes are the version's own */
    struct definition definition;
    size_t heap_size; /* bytes, all in all */
    uint8_t storage[];
};

/* A copy of the row, with its values; present, of now. NULL when memory is short. `storage` is emptied and
 * used. */
MUST_USE struct version *version_create(const struct constraint_row *row, int64_t now_us,
                                        struct buffer *storage);
void version_destroy(struct version *version);

#endif
