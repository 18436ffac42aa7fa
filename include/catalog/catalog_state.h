/* SPDX-License-Identifier: PostgreSQL */
#ifndef CATALOG_CATALOG_STATE_H
#define CATALOG_CATALOG_STATE_H

#include "catalog/catalog.h"

/* The inside of a catalog. */

struct catalog_database {
    struct list neighbours;
    struct list present; /* constraints */
    struct list parts;
    bool is_read;    /* a reading of it was whole */
    bool was_short;  /* the reading before had no room for something: what is new may only have room now */
    uint64_t unkept; /* of its last reading */
    size_t name_size;
    uint8_t name[];
};

struct part {
    struct table_node node;
    struct list neighbours;
    struct catalog_database *database;
    struct constraint_part names; /* its bytes are in the storage */
    uint64_t reading;
    size_t heap_size;
    uint8_t storage[];
};

/* What a constraint is found by. */
struct constraint_key {
    const struct catalog_database *database;
    enum constraint_room room;
    struct bytes schema;
    struct bytes table;
    struct bytes name;
};

struct catalog_database *database_find(const struct catalog *catalog, struct bytes name);
struct constraint_key constraint_key_of(const struct catalog_database *database,
                                        const struct constraint_row *row);
uint64_t constraint_key_hash(const struct catalog *catalog, const struct constraint_key *key);
struct constraint *constraint_find(const struct catalog *catalog, const struct constraint_key *key);

/* Makes room for so many bytes at the cost of what was dropped; false when there is none. */
MUST_USE bool catalog_make_room(struct catalog *catalog, size_t size);

struct part *part_find(const struct catalog *catalog, const struct catalog_database *database,
                       struct bytes schema, struct bytes table, struct bytes name);
void part_forget(struct catalog *catalog, struct part *part);
/* Forgets those of the current database that the reading did not have. */
void parts_sweep(struct catalog *catalog);

#endif
