/* SPDX-License-Identifier: PostgreSQL */
#include "catalog/catalog.h"

#include "catalog/catalog_state.h"

#include <stdlib.h>

enum { STORAGE_LIMIT = 256 * 1024 };

void catalog_init(struct catalog *catalog, const struct hash_key *key, size_t size_most)
{
    *catalog = (struct catalog){ .key = *key, .size_most = size_most };
    table_init(&catalog->constraints);
    table_init(&catalog->identities);
    table_init(&catalog->parts);
    list_init(&catalog->databases);
    list_init(&catalog->dropped);
    list_init(&catalog->changed);
    buffer_init(&catalog->storage, STORAGE_LIMIT);
}

/* ── Forgetting ────────────────────────────────────────────────────────────────────────────────────────────
 */

static void version_forget(struct catalog *catalog, struct version *version)
{
    catalog->size -= version->heap_size;
    version_destroy(version);
}

/* All versions but the newest `most`. Returns how many. */
static size_t versions_forget(struct catalog *catalog, struct constraint *constraint, size_t most)
{
    struct version **place = &constraint->newest;
    size_t count = 0;
    for (size_t kept = 0; kept < most && *place != NULL; kept++)
        place = &(*place)->older;
    struct version *version = *place;
    *place = NULL;
    while (version != NULL) {
        struct version *older = version->older;
        version_forget(catalog, version);
        version = older;
        count++;
    }
    constraint->version_count -= count;
    if (constraint->untold > constraint->version_count)
        constraint->untold = (unsigned)constraint->version_count;
    return count;
}

static void old_versions_forget(struct catalog *catalog, struct constraint *constraint, size_t most)
{
    size_t count = versions_forget(catalog, constraint, most);
    constraint->forgotten += count;
    catalog->forgotten += count;
}

static void constraint_forget(struct catalog *catalog, struct constraint *constraint)
{
    table_remove(&catalog->constraints, &constraint->node);
    table_remove(&catalog->identities, &constraint->identity);
    list_remove(&constraint->neighbours);
    list_remove(&constraint->changed);
    (void)versions_forget(catalog, constraint, 0);
    catalog->size -= sizeof *constraint;
    free(constraint);
}

static struct constraint *constraint_of(struct list *neighbours)
{
    return CONTAINER_OF(neighbours, struct constraint, neighbours);
}

static void database_forget(struct catalog *catalog, struct catalog_database *database)
{
    while (!list_is_empty(&database->present))
        constraint_forget(catalog, constraint_of(database->present.next));
    for (struct list *node = catalog->dropped.next, *next; node != &catalog->dropped; node = next) {
        next = node->next;
        if (constraint_of(node)->database == database)
            constraint_forget(catalog, constraint_of(node));
    }
    while (!list_is_empty(&database->parts))
        part_forget(catalog, CONTAINER_OF(database->parts.next, struct part, neighbours));
    list_remove(&database->neighbours);
    catalog->unkept -= database->unkept;
    catalog->size -= sizeof *database + database->name_size;
    free(database);
}

void catalog_forget(struct catalog *catalog, struct bytes database)
{
    struct catalog_database *found = database_find(catalog, database);
    if (found != NULL)
        database_forget(catalog, found);
}

void catalog_release(struct catalog *catalog)
{
    while (!list_is_empty(&catalog->databases))
        database_forget(catalog, CONTAINER_OF(catalog->databases.next, struct catalog_database, neighbours));
    table_release(&catalog->constraints);
    table_release(&catalog->identities);
    table_release(&catalog->parts);
    buffer_release(&catalog->storage);
}

bool catalog_make_room(struct catalog *catalog, size_t size)
{
    while (size > catalog->size_most - catalog->size && !list_is_empty(&catalog->dropped)) {
        constraint_forget(catalog, constraint_of(catalog->dropped.next));
        catalog->forgotten++;
    }
    return size <= catalog->size_most - catalog->size;
}

/* ── Keeping ───────────────────────────────────────────────────────────────────────────────────────────────
 */

static uint64_t identity_hash(const struct catalog *catalog, struct bytes identity)
{
    const uint64_t words[] = { (uint64_t)(uintptr_t)catalog->current, hash_keyed(&catalog->key, identity) };
    return hash_keyed(&catalog->key, bytes_of(words, sizeof words));
}

static struct constraint *find_by_identity(const struct catalog *catalog, struct bytes identity)
{
    struct table_node *node = table_first(&catalog->identities, identity_hash(catalog, identity));
    for (; node != NULL; node = table_next(node)) {
        struct constraint *constraint = CONTAINER_OF(node, struct constraint, identity);
        if (constraint->database == catalog->current && constraint->newest->is_present &&
            bytes_equal(constraint->newest->row.identity, identity))
            return constraint;
    }
    return NULL;
}

/* The two tables hold it under what its newest version says. False when memory is short; it is in neither
 * then. */
static bool constraint_index(struct catalog *catalog, struct constraint *constraint)
{
    const struct constraint_row *row = &constraint->newest->row;
    struct constraint_key key = constraint_key_of(constraint->database, row);
    if (!table_add(&catalog->constraints, &constraint->node, constraint_key_hash(catalog, &key)))
        return false;
    if (table_add(&catalog->identities, &constraint->identity, identity_hash(catalog, row->identity)))
        return true;
    table_remove(&catalog->constraints, &constraint->node);
    return false;
}

static void constraint_move(struct list *head, struct constraint *constraint)
{
    list_remove(&constraint->neighbours);
    list_append(head, &constraint->neighbours);
}

/* What could not be kept as it is now is not kept as it was, which would be wrong. */
static void constraint_give_up(struct catalog *catalog, struct constraint *constraint)
{
    catalog->current->unkept++;
    constraint_forget(catalog, constraint);
}

/* NULL when there is no room for it. A dropped constraint had better not make room for its own version. */
static struct version *version_make(struct catalog *catalog, struct constraint *constraint,
                                    const struct constraint_row *row)
{
    struct version *version = version_create(row, catalog->now_us, &catalog->storage);
    if (version == NULL)
        return NULL;
    if (constraint != NULL)
        constraint_move(&catalog->current->present, constraint);
    if (!catalog_make_room(catalog, version->heap_size) && constraint != NULL)
        old_versions_forget(catalog, constraint, 1);
    if (!catalog_make_room(catalog, version->heap_size)) {
        version_destroy(version);
        return NULL;
    }
    catalog->size += version->heap_size;
    return version;
}

static void version_push(struct catalog *catalog, struct constraint *constraint, struct version *version)
{
    version->older = constraint->newest;
    version->differences = difference_between(version->older, version);
    constraint->newest = version;
    constraint->version_count++;
    constraint->untold++;
    list_remove(&constraint->changed);
    list_append(&catalog->changed, &constraint->changed);
    old_versions_forget(catalog, constraint, CATALOG_VERSIONS_MOST);
}

static struct constraint *constraint_create(struct catalog *catalog, const struct constraint_row *row)
{
    bool has_room = catalog_make_room(catalog, sizeof(struct constraint));
    struct constraint *constraint = has_room ? malloc(sizeof *constraint) : NULL;
    if (constraint == NULL)
        return NULL;
    *constraint = (struct constraint){ .database = catalog->current, .reading = catalog->reading };
    list_init(&constraint->neighbours);
    list_init(&constraint->changed);
    catalog->size += sizeof *constraint;
    constraint->newest = version_make(catalog, NULL, row);
    if (constraint->newest != NULL && constraint_index(catalog, constraint))
        return constraint;
    if (constraint->newest != NULL)
        version_forget(catalog, constraint->newest);
    catalog->size -= sizeof *constraint;
    free(constraint);
    return NULL;
}

static void constraint_add(struct catalog *catalog, const struct constraint_row *row)
{
    struct constraint *constraint = constraint_create(catalog, row);
    if (constraint == NULL) {
        catalog->current->unkept++;
        return;
    }
    list_append(&catalog->current->present, &constraint->neighbours);
    if (catalog->current->is_read && !catalog->current->was_short) {
        struct version *version = constraint->newest;
        constraint->newest = NULL;
        version_push(catalog, constraint, version);
    } else {
        constraint->newest->is_baseline = true;
        constraint->version_count = 1;
    }
}

/* The same as before, made anew: its identity is another, nothing else. */
static void version_replace(struct catalog *catalog, struct constraint *constraint, struct version *version)
{
    struct version *newest = constraint->newest;
    version->older = newest->older;
    version->seen_us = newest->seen_us;
    version->is_baseline = newest->is_baseline;
    version->differences = newest->differences;
    constraint->newest = version;
    version_forget(catalog, newest);
}

static void constraint_change(struct catalog *catalog, struct constraint *constraint,
                              const struct constraint_row *row)
{
    struct version *version = version_make(catalog, constraint, row);
    if (version == NULL) {
        constraint_give_up(catalog, constraint);
        return;
    }
    table_remove(&catalog->constraints, &constraint->node);
    table_remove(&catalog->identities, &constraint->identity);
    if (difference_between(constraint->newest, version) == 0)
        version_replace(catalog, constraint, version);
    else
        version_push(catalog, constraint, version);
    bool is_indexed = constraint_index(catalog, constraint);
    (void)is_indexed; /* both tables have just lost an entry: adding one allocates nothing */
}

/* ── Reading ───────────────────────────────────────────────────────────────────────────────────────────────
 */

static struct catalog_database *database_add(struct catalog *catalog, struct bytes name)
{
    size_t size = sizeof(struct catalog_database) + name.size;
    struct catalog_database *database = catalog_make_room(catalog, size) ? malloc(size) : NULL;
    if (database == NULL)
        return NULL;
    *database = (struct catalog_database){ .name_size = name.size };
    if (name.size > 0)
        memcpy(database->name, name.data, name.size);
    list_init(&database->present);
    list_init(&database->parts);
    list_append(&catalog->databases, &database->neighbours);
    catalog->size += size;
    return database;
}

bool catalog_begin(struct catalog *catalog, struct bytes database, int64_t now_us)
{
    struct catalog_database *found = database_find(catalog, database);
    catalog->current = found != NULL ? found : database_add(catalog, database);
    if (catalog->current == NULL)
        return false;
    catalog->now_us = now_us;
    catalog->reading++;
    catalog->unkept -= catalog->current->unkept;
    catalog->current->was_short = catalog->current->unkept > 0;
    catalog->current->unkept = 0;
    return true;
}

static bool is_as_before(const struct version *version, const struct constraint_row *row)
{
    const struct constraint_row *own = &version->row;
    return version->is_present && own->kind == row->kind && bytes_equal(own->identity, row->identity) &&
           bytes_equal(own->schema, row->schema) && bytes_equal(own->table, row->table) &&
           bytes_equal(own->name, row->name) && bytes_equal(own->columns, row->columns) &&
           bytes_equal(own->definition, row->definition) && bytes_equal(own->place, row->place);
}

void catalog_take(struct catalog *catalog, const struct constraint_row *row)
{
    struct constraint_key key = constraint_key_of(catalog->current, row);
    struct constraint *constraint = constraint_find(catalog, &key);
    if (constraint == NULL)
        constraint = find_by_identity(catalog, row->identity);
    if (constraint == NULL) {
        constraint_add(catalog, row);
        return;
    }
    constraint->reading = catalog->reading;
    if (!is_as_before(constraint->newest, row))
        constraint_change(catalog, constraint, row);
}

static void constraint_drop(struct catalog *catalog, struct constraint *constraint)
{
    const struct constraint_row row = constraint->newest->row;
    struct version *version = version_make(catalog, constraint, &row);
    if (version == NULL) {
        constraint_forget(catalog, constraint); /* gone is gone */
        return;
    }
    version->is_present = false;
    version_push(catalog, constraint, version);
    constraint_move(&catalog->dropped, constraint);
}

static void constraints_sweep(struct catalog *catalog)
{
    struct list *head = &catalog->current->present;
    for (struct list *node = head->next, *next; node != head; node = next) {
        next = node->next;
        if (constraint_of(node)->reading != catalog->reading)
            constraint_drop(catalog, constraint_of(node));
    }
}

void catalog_end(struct catalog *catalog)
{
    constraints_sweep(catalog);
    parts_sweep(catalog);
    catalog->current->is_read = true;
    catalog_abandon(catalog);
}

void catalog_abandon(struct catalog *catalog)
{
    catalog->unkept += catalog->current->unkept;
    catalog->current = NULL;
}

bool catalog_next_change(struct catalog *catalog, const struct constraint **constraint,
                         const struct version **version)
{
    if (list_is_empty(&catalog->changed))
        return false;
    struct constraint *changed = CONTAINER_OF(catalog->changed.next, struct constraint, changed);
    *constraint = changed;
    *version = changed->newest;
    changed->untold--;
    for (unsigned newer = 0; newer < changed->untold; newer++)
        *version = (*version)->older;
    if (changed->untold == 0)
        list_remove(&changed->changed);
    return true;
}
