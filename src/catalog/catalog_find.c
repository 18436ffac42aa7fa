/* SPDX-License-Identifier: PostgreSQL */
#include "catalog/catalog.h"
#include "catalog/catalog_state.h"

struct catalog_database *database_find(const struct catalog *catalog, struct bytes name)
{
    LIST_EACH(node, &catalog->databases)
    {
        struct catalog_database *database = CONTAINER_OF(node, struct catalog_database, neighbours);
        if (bytes_equal(bytes_of(database->name, database->name_size), name))
            return database;
    }
    return NULL;
}

struct bytes constraint_database(const struct constraint *constraint)
{
    return bytes_of(constraint->database->name, constraint->database->name_size);
}

/* ── By names ──────────────────────────────────────────────────────────────────────────────────────────────
 */

struct constraint_key constraint_key_of(const struct catalog_database *database,
                                        const struct constraint_row *row)
{
    enum constraint_room room = constraint_kind_room(row->kind);
    bool has_name = room == ROOM_TABLE || row->kind == CONSTRAINT_DOMAIN_CHECK;
    struct bytes name = room == ROOM_COLUMN ? row->columns : has_name ? row->name : BYTES_NONE;
    return (struct constraint_key){ database, room, row->schema, row->table, name };
}

uint64_t constraint_key_hash(const struct catalog *catalog, const struct constraint_key *key)
{
    const uint64_t words[] = {
        (uint64_t)(uintptr_t)key->database,     key->room,
        hash_keyed(&catalog->key, key->schema), hash_keyed(&catalog->key, key->table),
        hash_keyed(&catalog->key, key->name),
    };
    return hash_keyed(&catalog->key, bytes_of(words, sizeof words));
}

static bool has_key(const struct constraint *constraint, const struct constraint_key *key)
{
    struct constraint_key own = constraint_key_of(constraint->database, &constraint->newest->row);
    return own.database == key->database && own.room == key->room && bytes_equal(own.schema, key->schema) &&
           bytes_equal(own.table, key->table) && bytes_equal(own.name, key->name);
}

struct constraint *constraint_find(const struct catalog *catalog, const struct constraint_key *key)
{
    struct table_node *node = table_first(&catalog->constraints, constraint_key_hash(catalog, key));
    while (node != NULL && !has_key(CONTAINER_OF(node, struct constraint, node), key))
        node = table_next(node);
    return node != NULL ? CONTAINER_OF(node, struct constraint, node) : NULL;
}

/* ── By an error's names ───────────────────────────────────────────────────────────────────────────────────
 */

static struct constraint_key key_of_error(const struct catalog_database *database,
                                          const struct catalog_names *names)
{
    if (names->datatype.size > 0)
        return (struct constraint_key){ database, ROOM_DOMAIN, names->schema, names->datatype,
                                        names->constraint };
    if (names->constraint.size > 0)
        return (struct constraint_key){ database, ROOM_TABLE, names->schema, names->table,
                                        names->constraint };
    if (names->column.size > 0)
        return (struct constraint_key){ database, ROOM_COLUMN, names->schema, names->table, names->column };
    return (struct constraint_key){ database, ROOM_PARTITIONS, names->schema, names->table, BYTES_NONE };
}

/* From a partition to the table above it; false where there is none. A partition's own index or foreign key
 * has a name of its own, a CHECK the same name. */
static bool key_climb(const struct catalog *catalog, struct constraint_key *key)
{
    const struct part *part = NULL;
    if (key->room == ROOM_TABLE)
        part = part_find(catalog, key->database, key->schema, key->table, key->name);
    if (part != NULL)
        key->name = part->names.parent_name;
    else if (key->room == ROOM_TABLE || key->room == ROOM_COLUMN || key->room == ROOM_PARTITIONS)
        part = part_find(catalog, key->database, key->schema, key->table, BYTES_NONE);
    if (part == NULL)
        return false;
    key->schema = part->names.parent_schema;
    key->table = part->names.parent_table;
    return true;
}

const struct constraint *catalog_find(const struct catalog *catalog, const struct catalog_names *names)
{
    const struct constraint *dropped = NULL;
    const struct catalog_database *database = database_find(catalog, names->database);
    if (database == NULL)
        return NULL;
    struct constraint_key key = key_of_error(database, names);
    for (size_t steps = 0; steps <= CATALOG_PARENTS_MOST; steps++) {
        const struct constraint *found = constraint_find(catalog, &key);
        if (found != NULL && found->newest->is_present)
            return found;
        dropped = dropped != NULL ? dropped : found;
        if (!key_climb(catalog, &key))
            break;
    }
    return dropped;
}

const struct constraint *catalog_find_type(const struct catalog *catalog, struct bytes database,
                                           struct bytes schema, struct bytes name)
{
    const struct catalog_database *where = database_find(catalog, database);
    const struct constraint *found = NULL;
    const struct constraint_key key = { where, ROOM_TYPE, schema, name, BYTES_NONE };
    if (where == NULL || schema.size > 0)
        return where != NULL ? constraint_find(catalog, &key) : NULL;
    LIST_EACH(node, &where->present)
    {
        const struct constraint *constraint = CONTAINER_OF(node, struct constraint, neighbours);
        const struct constraint_row *row = &constraint->newest->row;
        if (row->kind != CONSTRAINT_ENUM || !bytes_equal(row->table, name))
            continue;
        if (found != NULL)
            return NULL;
        found = constraint;
    }
    return found;
}

size_t catalog_list(const struct catalog *catalog, const struct constraint **out, size_t most)
{
    size_t count = 0;
    LIST_EACH(place, &catalog->databases)
    {
        const struct catalog_database *database = CONTAINER_OF(place, struct catalog_database, neighbours);
        LIST_EACH(node, &database->present)
        {
            if (count < most)
                out[count] = CONTAINER_OF(node, struct constraint, neighbours);
            count++;
        }
    }
    return count;
}

void catalog_root(const struct catalog *catalog, struct bytes database, struct bytes *schema,
                  struct bytes *table)
{
    const struct catalog_database *where = database_find(catalog, database);
    for (size_t steps = 0; where != NULL && steps < CATALOG_PARENTS_MOST; steps++) {
        const struct part *part = part_find(catalog, where, *schema, *table, BYTES_NONE);
        if (part == NULL)
            return;
        *schema = part->names.parent_schema;
        *table = part->names.parent_table;
    }
}

/* ── In words ──────────────────────────────────────────────────────────────────────────────────────────────
 */

static void since_describe(const struct version *version, struct text *out)
{
    text_append_string(out, version->is_baseline ? "; so since before " : "; so since ");
    text_append_time(out, version->seen_us);
    if (version->differences == 0)
        return;
    text_append_string(out, ": ");
    difference_describe(version, out);
}

void constraint_describe(const struct constraint *constraint, struct text *out)
{
    const struct version *version = constraint->newest;
    text_append_string(out, constraint_kind_name(version->row.kind));
    text_append_string(out, version->is_present ? ": " : ", which is no more: ");
    text_append_printable(out, version->row.definition);
    if (version->definition.has_list) {
        text_append_string(out, "; allowed: ");
        value_list_describe(version->definition.values, out);
    }
    since_describe(version, out);
}

static void note(const struct constraint *constraint, struct text *definition, struct text *difference)
{
    if (constraint == NULL)
        return;
    const struct version *version = constraint->newest;
    if (version->is_present)
        text_append(definition, version->row.definition);
    if (version->differences != 0)
        difference_describe(version, difference);
}

void catalog_note(const struct catalog *catalog, const struct catalog_names *names, struct text *definition,
                  struct text *difference)
{
    note(catalog_find(catalog, names), definition, difference);
}

void catalog_note_type(const struct catalog *catalog, struct bytes database, struct bytes schema,
                       struct bytes name, struct text *definition, struct text *difference)
{
    note(catalog_find_type(catalog, database, schema, name), definition, difference);
}
