/* SPDX-License-Identifier: PostgreSQL */
#include "catalog/version.h"

#include "base/buffer.h"

#include <stdlib.h>

static const struct kind {
    char letter;
    enum constraint_room room;
    const char *name;
    const char *sqlstate;
} kinds[] = {
#define CONSTRAINT(symbol, letter, room, name, sqlstate) { letter, room, name, sqlstate },
#include "catalog/constraints.def"
#undef CONSTRAINT
};

const char *constraint_kind_name(enum constraint_kind kind)
{
    return kinds[kind].name;
}

const char *constraint_kind_sqlstate(enum constraint_kind kind)
{
    return kinds[kind].sqlstate;
}

enum constraint_room constraint_kind_room(enum constraint_kind kind)
{
    return kinds[kind].room;
}

bool constraint_kind_find(char letter, enum constraint_kind *kind)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (kinds[i].letter == letter) {
            *kind = (enum constraint_kind)i;
            return true;
        }
    }
    return false;
}

static struct bytes keep(uint8_t **free_from, struct bytes bytes)
{
    struct bytes kept = { *free_from, bytes.size };
    if (bytes.size > 0)
        memcpy(*free_from, bytes.data, bytes.size);
    *free_from += bytes.size;
    return kept;
}

static void row_keep(uint8_t *storage, struct version *version)
{
    struct constraint_row *row = &version->row;
    struct bytes *const texts[] = {
        &row->identity, &row->schema,     &row->table, &row->name,
        &row->columns,  &row->definition, &row->place, &version->definition.values.packed,
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        *texts[i] = keep(&storage, *texts[i]);
}

static size_t row_size(const struct constraint_row *row)
{
    return row->identity.size + row->schema.size + row->table.size + row->name.size + row->columns.size +
           row->definition.size + row->place.size;
}

struct version *version_create(const struct constraint_row *row, int64_t now_us, struct buffer *storage)
{
    struct definition definition;
    definition_read(row->definition, &definition, storage);
    size_t size = sizeof(struct version) + row_size(row) + definition.values.packed.size;
    struct version *version = malloc(size);
    if (version == NULL)
        return NULL;
    *version = (struct version){
        .seen_us = now_us, .is_present = true, .row = *row, .definition = definition, .heap_size = size
    };
    row_keep(version->storage, version);
    return version;
}

void version_destroy(struct version *version)
{
    free(version);
}
