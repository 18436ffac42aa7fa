/* SPDX-License-Identifier: PostgreSQL */
#include "catalog/difference.h"

enum { VALUES_TOLD = 6 };

static const char *const names[] = {
#define DIFFERENCE(symbol, name) name,
#include "catalog/differences.def"
#undef DIFFERENCE
};

const char *difference_name(enum difference difference)
{
    return names[difference];
}

static unsigned bit(bool is_set, enum difference which)
{
    return is_set ? 1u << which : 0;
}

/* ── Finding ───────────────────────────────────────────────────────────────────────────────────────────────
 */

/* The values of `list` that are not in `other`; `told` takes them, or is NULL. */
static size_t values_missing(struct value_list list, struct value_list other, struct text *told);

static bool is_list_of_both(const struct version *before, const struct version *after)
{
    return before->definition.has_list && after->definition.has_list &&
           strcmp(before->definition.column, after->definition.column) == 0;
}

static unsigned list_difference(const struct definition *before, const struct definition *after)
{
    return bit(values_missing(before->values, after->values, NULL) > 0, DIFFERENCE_VALUES_DROPPED) |
           bit(values_missing(after->values, before->values, NULL) > 0, DIFFERENCE_VALUES_ADDED);
}

/* Where only values came and went, these say it all. */
static unsigned body_difference(const struct version *before, const struct version *after)
{
    unsigned found = 0;
    if (bytes_equal(definition_body(before->row.definition), definition_body(after->row.definition)) &&
        bytes_equal(before->row.columns, after->row.columns) && before->row.kind == after->row.kind)
        return 0;
    if (is_list_of_both(before, after))
        found = list_difference(&before->definition, &after->definition);
    bool is_all_told = found != 0 && before->definition.is_whole && after->definition.is_whole &&
                       before->definition.refuses_null == after->definition.refuses_null;
    return found | bit(!is_all_told, DIFFERENCE_DEFINITION);
}

/* That a server of another version knows a name where the one before knew none is no difference. */
static bool has_same_names(const struct constraint_row *a, const struct constraint_row *b)
{
    return bytes_equal(a->schema, b->schema) && bytes_equal(a->table, b->table) &&
           (bytes_equal(a->name, b->name) || a->name.size == 0 || b->name.size == 0);
}

static unsigned validity_difference(const struct definition *before, const struct definition *after)
{
    bool was_valid = !before->is_not_valid && !before->is_unenforced;
    bool is_valid = !after->is_not_valid && !after->is_unenforced;
    return bit(before->is_not_valid && is_valid, DIFFERENCE_VALIDATED) |
           bit(was_valid && after->is_not_valid, DIFFERENCE_NOT_VALID) |
           bit(before->is_unenforced && !after->is_unenforced, DIFFERENCE_ENFORCED) |
           bit(!before->is_unenforced && after->is_unenforced, DIFFERENCE_UNENFORCED);
}

unsigned difference_between(const struct version *before, const struct version *after)
{
    if (!after->is_present)
        return bit(before == NULL || before->is_present, DIFFERENCE_DROPPED);
    if (before == NULL)
        return bit(true, DIFFERENCE_MADE);
    return bit(!before->is_present, DIFFERENCE_MADE) |
           bit(!has_same_names(&before->row, &after->row), DIFFERENCE_RENAMED) |
           body_difference(before, after) | validity_difference(&before->definition, &after->definition);
}

/* ── Telling ───────────────────────────────────────────────────────────────────────────────────────────────
 */

static void value_tell(struct bytes value, size_t index, size_t count, struct text *out)
{
    bool is_last = index + 1 == count;
    if (index < VALUES_TOLD) {
        text_append_string(out, index == 0 ? "" : is_last ? " and " : ", ");
        value_describe(value, out);
    } else if (is_last) {
        text_append_format(out, " and %zu more", count - VALUES_TOLD);
    }
}

static size_t values_missing(struct value_list list, struct value_list other, struct text *told)
{
    struct bytes value;
    size_t count = 0;
    size_t index = 0;
    size_t all = told != NULL ? values_missing(list, other, NULL) : 0;
    while (value_list_next(&list.packed, &value)) {
        if (value_list_has(other, value))
            continue;
        if (told != NULL)
            value_tell(value, index++, all, told);
        count++;
    }
    return count;
}

void value_list_describe(struct value_list list, struct text *out)
{
    const struct value_list nothing = { BYTES_NONE, 0 };
    (void)values_missing(list, nothing, out);
}

static void moved_tell(struct value_list from, struct value_list to, const char *what, struct text *out)
{
    size_t count = values_missing(from, to, out);
    text_append_format(out, " %s %s the list", count == 1 ? "was" : "were", what);
}

static void former_name_tell(const struct constraint_row *row, struct text *out)
{
    text_append_string(out, "it was called ");
    value_describe(row->name, out);
    text_append_string(out, " on ");
    value_describe(row->table, out);
    text_append_string(out, " of schema ");
    value_describe(row->schema, out);
}

static void definition_tell(const struct version *before, const struct version *after, struct text *out)
{
    if (is_list_of_both(before, after))
        text_append_string(out, after->differences &
                                        (1u << DIFFERENCE_VALUES_DROPPED | 1u << DIFFERENCE_VALUES_ADDED)
                                    ? "so was the rest of the definition"
                                    : "the definition was changed, the values in the list were not");
    else if (before->definition.has_list)
        text_append_string(out, "the definition was changed and is no list of values any longer");
    else if (after->definition.has_list)
        text_append_string(out, "the definition was changed and is a list of values now");
    else
        text_append_string(out, "the definition was changed");
}

static void difference_tell(const struct version *after, enum difference which, struct text *out)
{
    const struct version *before = after->older;
    switch (which) {
    case DIFFERENCE_MADE:
        text_append_string(out, before != NULL ? "it was made again" : "it was made");
        break;
    case DIFFERENCE_DROPPED:
        text_append_string(out, "it was dropped");
        break;
    case DIFFERENCE_RENAMED:
        former_name_tell(&before->row, out);
        break;
    case DIFFERENCE_VALUES_DROPPED:
        moved_tell(before->definition.values, after->definition.values, "dropped from", out);
        break;
    case DIFFERENCE_VALUES_ADDED:
        moved_tell(after->definition.values, before->definition.values, "added to", out);
        break;
    case DIFFERENCE_DEFINITION:
        definition_tell(before, after, out);
        break;
    case DIFFERENCE_VALIDATED:
        text_append_string(out, "it was validated: it holds for all rows now");
        break;
    case DIFFERENCE_NOT_VALID:
        text_append_string(out, "it is NOT VALID now: rows from before are not checked");
        break;
    case DIFFERENCE_ENFORCED:
        text_append_string(out, "it is enforced now");
        break;
    case DIFFERENCE_UNENFORCED:
        text_append_string(out, "it is not enforced any longer");
        break;
    case DIFFERENCE_COUNT:
        break;
    }
}

/* What was before may have been forgotten; only that it was made or dropped needs it not. */
static bool is_tellable(const struct version *after, enum difference which)
{
    return difference_is(after->differences, which) &&
           (after->older != NULL || which == DIFFERENCE_MADE || which == DIFFERENCE_DROPPED);
}

void difference_describe(const struct version *after, struct text *out)
{
    const char *between = "";
    for (enum difference which = 0; which < DIFFERENCE_COUNT; which++) {
        if (!is_tellable(after, which))
            continue;
        text_append_string(out, between);
        difference_tell(after, which, out);
        between = "; ";
    }
}
