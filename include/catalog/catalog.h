/* SPDX-License-Identifier: PostgreSQL */
#ifndef CATALOG_CATALOG_H
#define CATALOG_CATALOG_H

#include "base/buffer.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/table.h"
#include "catalog/difference.h"

/* The constraints of databases, with what they were before. Fed by readings, each of a whole database:
 *
 *   catalog_begin(catalog, database, now_us);
 *   ... catalog_take(catalog, &row) or catalog_take_part(catalog, &part) for each row of the reading ...
 *   catalog_end(catalog);               or catalog_abandon(catalog) when the reading failed
 *   while (catalog_next_change(catalog, &change)) ...
 *
 * One reading at a time. What a reading that failed had told stays; what it had not is taken as it was. */

enum { CATALOG_VERSIONS_MOST = 8, CATALOG_PARENTS_MOST = 16 };

struct catalog_database;

/* One constraint, with its versions: the newest first, at most CATALOG_VERSIONS_MOST. */
struct constraint {
    struct table_node node;     /* by its names */
    struct table_node identity; /* by what stays when it is renamed */
    struct list neighbours;     /* among the present ones of its database, or all dropped ones */
    struct list changed;
    struct catalog_database *database;
    struct version *newest;
    size_t version_count;
    unsigned untold;    /* newest versions not yet told as changes */
    uint64_t forgotten; /* versions that were older than those kept */
    uint64_t reading;   /* the last that had it */
};

/* A name in place of another: of a partition, its parent's. The names are as they are, not quoted. */
struct constraint_part {
    struct bytes schema;
    struct bytes table;
    struct bytes name; /* "": the table itself; else a constraint or index that stands for its parent's */
    struct bytes parent_schema;
    struct bytes parent_table;
    struct bytes parent_name;
};

struct catalog {
    struct hash_key key;
    size_t size_most;         /* bytes */
    size_t size;              /* of all that is kept, but for the slots of the tables */
    struct table constraints; /* by names */
    struct table identities;  /* the same */
    struct table parts;
    struct list databases;
    struct list dropped; /* constraints, the longest dropped first */
    struct list changed;
    struct catalog_database *current; /* being read */
    int64_t now_us;
    uint64_t reading;
    struct buffer storage;
    uint64_t unkept;    /* constraints and parts of the last readings that found no room */
    uint64_t forgotten; /* dropped constraints and old versions that gave up their place */
};

/* The memory bound holds for all databases together. When it is reached, the constraints dropped longest ago
 * go first; what then finds no room is not kept and counted. */
void catalog_init(struct catalog *catalog, const struct hash_key *key, size_t size_most);
void catalog_release(struct catalog *catalog);

/* Begins a reading of a database, at `now_us` (µs since 1970). False when there is no room for it. */
MUST_USE bool catalog_begin(struct catalog *catalog, struct bytes database, int64_t now_us);
void catalog_take(struct catalog *catalog, const struct constraint_row *row);
void catalog_take_part(struct catalog *catalog, const struct constraint_part *part);
/* The reading was whole: what it did not have was dropped, or has another name. */
void catalog_end(struct catalog *catalog);
void catalog_abandon(struct catalog *catalog);
/* Forgets a database that is read no more. */
void catalog_forget(struct catalog *catalog, struct bytes database);

/* What the readings found to be different, oldest first; the first reading of a database finds nothing. False
 * when all is told. The version may have lost its older one meanwhile. Lives until the next catalog_begin. */
bool catalog_next_change(struct catalog *catalog, const struct constraint **constraint,
                         const struct version **version);
struct bytes constraint_database(const struct constraint *constraint);

/* The names that an error came with (manual: "Error and Notice Message Fields"); empty where it had none. */
struct catalog_names {
    struct bytes database;
    struct bytes schema;
    struct bytes table;
    struct bytes column;
    struct bytes constraint;
    struct bytes datatype;
};

/* The constraint that an error is about: of a partition, the one of the table it is part of. NULL when it is
 * not known. It may have been dropped: then newest->is_present is false and tells since when. Lives until the
 * next catalog_begin. */
const struct constraint *catalog_find(const struct catalog *catalog, const struct catalog_names *names);
/* An enum type by name, as errors about values of it have no fields; with an empty schema it is found only if
 * there is one of this name. */
const struct constraint *catalog_find_type(const struct catalog *catalog, struct bytes database,
                                           struct bytes schema, struct bytes name);
/* The constraints of the newest readings that are present, of all databases, in no order: up to `most`, which
 * live until the next catalog_begin. Returns how many there are. */
size_t catalog_list(const struct catalog *catalog, const struct constraint **out, size_t most);
/* The table that `schema`.`table` is a part of, at whatever depth; itself when it is none. Views into the
 * catalog or the arguments. */
void catalog_root(const struct catalog *catalog, struct bytes database, struct bytes *schema,
                  struct bytes *table);

/* Appends what an operator wants to know of a constraint, in one line: kind, definition in force and allowed
 * values, since when, what was changed then. */
void constraint_describe(const struct constraint *constraint, struct text *out);
/* Appends what to say of the constraint that an error is about: its definition in force, and what was changed
 * in its newest version. Nothing where it is not known. */
void catalog_note(const struct catalog *catalog, const struct catalog_names *names, struct text *definition,
                  struct text *difference);
/* The same of an enum type, as catalog_find_type finds it. */
void catalog_note_type(const struct catalog *catalog, struct bytes database, struct bytes schema,
                       struct bytes name, struct text *definition, struct text *difference);

#endif
