/* SPDX-License-Identifier: PostgreSQL */
#include "catalog/catalog.h"
#include "catalog/catalog_state.h"

#include <stdlib.h>

static uint64_t part_hash(const struct catalog *catalog, const struct catalog_database *database,
                          struct bytes schema, struct bytes table, struct bytes name)
{
    const struct constraint_key key = { database, ROOM_TABLE, schema, table, name };
    return constraint_key_hash(catalog, &key);
}

static bool has_names(const struct part *part, const struct catalog_database *database, struct bytes schema,
                      struct bytes table, struct bytes name)
{
    return part->database == database && bytes_equal(part->names.schema, schema) &&
           bytes_equal(part->names.table, table) && bytes_equal(part->names.name, name);
}

struct part *part_find(const struct catalog *catalog, const struct catalog_database *database,
                       struct bytes schema, struct bytes table, struct bytes name)
{
    struct table_node *node = table_first(&catalog->parts, part_hash(catalog, database, schema, table, name));
    while (node != NULL && !has_names(CONTAINER_OF(node, struct part, node), database, schema, table, name))
        node = table_next(node);
    return node != NULL ? CONTAINER_OF(node, struct part, node) : NULL;
}

void part_forget(struct catalog *catalog, struct part *part)
{
    table_remove(&catalog->parts, &part->node);
    list_remove(&part->neighbours);
    catalog->size -= part->heap_size;
    free(part);
}

static size_t names_keep(struct constraint_part *names, uint8_t *storage)
{
    struct bytes *const texts[] = { &names->schema,        &names->table,        &names->name,
                                    &names->parent_schema, &names->parent_table, &names->parent_name };
    size_t size = 0;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        if (storage != NULL && texts[i]->size > 0)
            texts[i]->data = memcpy(storage + size, texts[i]->data, texts[i]->size);
        size += texts[i]->size;
    }
    return size;
}

static void part_add(struct catalog *catalog, const struct constraint_part *names)
{
    struct constraint_part kept = *names;
    size_t size = sizeof(struct part) + names_keep(&kept, NULL);
    struct part *part = catalog_make_room(catalog, size) ? malloc(size) : NULL;
    uint64_t hash = part_hash(catalog, catalog->current, names->schema, names->table, names->name);
    if (part == NULL) {
        catalog->current->unkept++;
        return;
    }
    (void)names_keep(&kept, part->storage);
    *part = (struct part){
        .database = catalog->current, .names = kept, .reading = catalog->reading, .heap_size = size
    };
    if (!table_add(&catalog->parts, &part->node, hash)) {
        catalog->current->unkept++;
        free(part);
        return;
    }
    list_append(&catalog->current->parts, &part->neighbours);
    catalog->size += size;
}

static bool has_same_parent(const struct constraint_part *a, const struct constraint_part *b)
{
    return bytes_equal(a->parent_schema, b->parent_schema) && bytes_equal(a->parent_table, b->parent_table) &&
           bytes_equal(a->parent_name, b->parent_name);
}

void catalog_take_part(struct catalog *catalog, const struct constraint_part *part)
{
    struct part *known = part_find(catalog, catalog->current, part->schema, part->table, part->name);
    if (known != NULL && has_same_parent(&known->names, part)) {
        known->reading = catalog->reading;
        return;
    }
    if (known != NULL)
        part_forget(catalog, known);
    part_add(catalog, part);
}

void parts_sweep(struct catalog *catalog)
{
    struct list *head = &catalog->current->parts;
    for (struct list *node = head->next, *next; node != head; node = next) {
        struct part *part = CONTAINER_OF(node, struct part, neighbours);
        next = node->next;
        if (part->reading != catalog->reading)
            part_forget(catalog, part);
    }
}
