/* SPDX-License-Identifier: PostgreSQL */
#include "catalog/changes.h"

#include <stdlib.h>

static void words_fill(unsigned differences, struct text *out)
{
    for (unsigned which = 0; which < DIFFERENCE_COUNT; which++) {
        if (!difference_is(differences, (enum difference)which))
            continue;
        text_append_string(out, out->size > 0 ? ", " : "");
        text_append_string(out, difference_name((enum difference)which));
    }
}

void constraint_change_fill(const struct constraint *constraint, const struct version *version,
                            int64_t not_before_us, struct constraint_change *out)
{
    const struct constraint_row *row = &version->row;
    const struct version *before = version->older;
    struct text words;
    struct text difference;
    *out = (struct constraint_change){ .seen_us = version->seen_us,
                                       .not_before_us = not_before_us,
                                       .kind = row->kind,
                                       .differences = version->differences };
    (void)bytes_copy_text(constraint_database(constraint), out->database, sizeof out->database);
    (void)bytes_copy_text(row->schema, out->schema, sizeof out->schema);
    (void)bytes_copy_text(row->table, out->table, sizeof out->table);
    (void)bytes_copy_text(row->name, out->name, sizeof out->name);
    (void)bytes_copy_text(row->columns, out->columns, sizeof out->columns);
    text_init(&words, out->words, sizeof out->words);
    words_fill(version->differences, &words);
    text_init(&difference, out->difference, sizeof out->difference);
    difference_describe(version, &difference);
    if (before != NULL && before->is_present)
        (void)bytes_copy_text(before->row.definition, out->before, sizeof out->before);
    if (version->is_present)
        (void)bytes_copy_text(row->definition, out->after, sizeof out->after);
}

bool constraint_changes_init(struct constraint_changes *changes, size_t most)
{
    *changes = (struct constraint_changes){ .kept = calloc(most, sizeof *changes->kept), .most = most };
    return changes->kept != NULL;
}

void constraint_changes_release(struct constraint_changes *changes)
{
    free(changes->kept);
    changes->kept = NULL;
}

void constraint_changes_add(struct constraint_changes *changes, const struct constraint_change *change)
{
    changes->kept[changes->added++ % changes->most] = *change;
}

size_t constraint_changes_count(const struct constraint_changes *changes)
{
    return changes->added < changes->most ? (size_t)changes->added : changes->most;
}

const struct constraint_change *constraint_changes_at(const struct constraint_changes *changes, size_t age)
{
    return &changes->kept[(changes->added - 1 - age) % changes->most];
}
