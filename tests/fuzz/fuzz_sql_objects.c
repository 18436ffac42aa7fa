/* SPDX-License-Identifier: PostgreSQL */
/* The first byte chooses the reading; the rest is SQL. Whatever it is, its objects have names that end, what
 * is cut is never complete, no more is known of a text than of the same with a change beside it, and a text
 * that is not guarded names none. */
#include "sql/classifier.h"
#include "sql/objects.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SHOWN_SIZE = 256, TEXT_MOST = 4096 };

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_name(const struct object_name *name)
{
    check(memchr(name->schema, 0, sizeof(name->schema)) != NULL);
    check(memchr(name->name, 0, sizeof(name->name)) != NULL);
    check(!name->is_schema || name->schema[0] == '\0');
}

static void check_names(const struct object_names *objects)
{
    char storage[SHOWN_SIZE];
    struct text shown;
    check(objects->count <= OBJECTS_NAMED_MOST);
    for (size_t i = 0; i < objects->count; i++)
        check_name(&objects->names[i]);
    text_init(&shown, storage, sizeof(storage));
    objects_describe(objects, &shown);
    for (size_t i = 0; i < shown.size; i++)
        check((uint8_t)storage[i] >= ' ' && storage[i] != 0x7f);
}

/* DROP TABLE probe before it: that must be found, and completeness cannot come of it. */
static void check_beside(struct bytes text, struct lexer_reading reading, const struct object_names *alone)
{
    static const char before[] = "drop table probe;";
    uint8_t joined[sizeof(before) + TEXT_MOST];
    struct object_names both;
    memcpy(joined, before, sizeof(before) - 1);
    if (text.size > 0)
        memcpy(joined + sizeof(before) - 1, text.data, text.size);
    objects_named(bytes_of(joined, sizeof(before) - 1 + text.size), false, reading, &both);
    check_names(&both);
    check(!both.is_complete || (both.count > 0 && strcmp(both.names[0].name, "probe") == 0));
    check(alone->is_complete || !both.is_complete);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > TEXT_MOST)
        return 0;
    struct lexer_reading reading = { .has_standard_strings = (data[0] & 1) != 0,
                                     .has_unsafe_encoding = (data[0] & 2) != 0,
                                     .has_ascii_pairs = (data[0] & 3) == 3,
                                     .has_vertical_tab = (data[0] & 4) != 0,
                                     .has_foreign_letters = (data[0] & 8) != 0 };
    struct bytes text = bytes_of(data + 1, size - 1);
    struct verdict verdict;
    struct object_names objects;
    struct object_names cut;
    classify(text, reading, &verdict);
    objects_named(text, false, reading, &objects);
    check_names(&objects);
    check(verdict.is_guarded || objects.count == 0);
    objects_named(text, true, reading, &cut);
    check_names(&cut);
    check(!cut.is_complete);
    check_beside(text, reading, &objects);
    return 0;
}
