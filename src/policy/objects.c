/* SPDX-License-Identifier: PostgreSQL */
#include "policy/objects.h"

bool object_pattern_read(const char *text, struct object_pattern *out)
{
    struct bytes rest = bytes_text(text);
    size_t dot = bytes_find(rest, '.');
    struct bytes schema = BYTES_NONE;
    if (dot < rest.size) {
        schema = bytes_take(&rest, dot);
        (void)bytes_take(&rest, 1);
    }
    return bytes_copy_text(schema, out->schema, sizeof(out->schema)) &&
           bytes_copy_text(rest, out->name, sizeof(out->name));
}

static bool part_holds(const char *pattern, const char *text)
{
    return pattern[0] == '\0' || pattern_matches(pattern, bytes_text(text));
}

bool object_pattern_may_match(const struct object_pattern *pattern, const struct object_name *name)
{
    if (name->is_schema)
        return part_holds(pattern->schema, name->name);
    bool may_be_there = name->schema[0] == '\0' || part_holds(pattern->schema, name->schema);
    return may_be_there && part_holds(pattern->name, name->name);
}

/* Where no schema is said, "*" is the pattern that holds: it alone matches no text at all. */
bool object_pattern_matches(const struct object_pattern *pattern, const struct object_name *name)
{
    if (name->is_schema)
        return part_holds(pattern->schema, name->name) && part_holds(pattern->name, "");
    return part_holds(pattern->schema, name->schema) && part_holds(pattern->name, name->name);
}
