/* SPDX-License-Identifier: PostgreSQL */
/* What the catalogue knows: constraints as they are, and what was changed. */
#include "catalog/changes.h"
#include "control/like.h"
#include "control/show.h"

#include <stdlib.h>

/* Each list below has the columns of one command, once: COLUMN(name, type, value). */
#define COLUMN_DESCRIPTION(name, type, value) { #name, COLUMN_##type },
#define COLUMN_CELL(name, type, value)        RESULT_CELL_##type(result, value);

enum { SHOWN_NAME_SIZE = 64, SHOWN_COLUMNS_SIZE = 256, SHOWN_DEFINITION_SIZE = 4096 };

static void note_no_catalog(struct console_outcome *notice)
{
    struct text text;
    text_init(&text, notice->message, sizeof notice->message);
    text_append_string(&text,
                       "No database is read: name those that are to be under catalog in the settings.");
}

/* ── SHOW CONSTRAINTS ──────────────────────────────────────────────────────────────────────────────────────
 */

/* A constraint's texts, each with a NUL. */
struct constraint_texts {
    char database[SHOWN_NAME_SIZE];
    char schema[SHOWN_NAME_SIZE];
    char table[SHOWN_NAME_SIZE];
    char name[SHOWN_NAME_SIZE];
    char columns[SHOWN_COLUMNS_SIZE];
    char definition[SHOWN_DEFINITION_SIZE];
    char allowed[SHOWN_DEFINITION_SIZE];
    char difference[CHANGE_DIFFERENCE_SIZE];
};

static void allowed_fill(const struct definition *definition, char *field, size_t capacity)
{
    struct text text;
    struct bytes rest = definition->values.packed;
    struct bytes value;
    text_init(&text, field, capacity);
    while (definition->has_list && value_list_next(&rest, &value)) {
        text_append_string(&text, text.size > 0 ? ", " : "");
        value_describe(value, &text);
    }
}

static void texts_fill(const struct constraint *constraint, struct constraint_texts *out)
{
    const struct version *version = constraint->newest;
    const struct constraint_row *row = &version->row;
    struct text difference;
    (void)bytes_copy_text(constraint_database(constraint), out->database, sizeof out->database);
    (void)bytes_copy_text(row->schema, out->schema, sizeof out->schema);
    (void)bytes_copy_text(row->table, out->table, sizeof out->table);
    (void)bytes_copy_text(row->name, out->name, sizeof out->name);
    (void)bytes_copy_text(row->columns, out->columns, sizeof out->columns);
    (void)bytes_copy_text(row->definition, out->definition, sizeof out->definition);
    allowed_fill(&version->definition, out->allowed, sizeof out->allowed);
    text_init(&difference, out->difference, sizeof out->difference);
    if (version->differences != 0)
        difference_describe(version, &difference);
}

#define CONSTRAINT_COLUMNS(COLUMN)                                                                           \
    COLUMN(database, TEXT, texts.database)                                                                   \
    COLUMN(schema_name, TEXT, texts.schema)                                                                  \
    COLUMN(table_name, TEXT, texts.table)                                                                    \
    COLUMN(constraint_name, TEXT, texts.name)                                                                \
    COLUMN(kind, TEXT, constraint_kind_name(version->row.kind))                                              \
    COLUMN(columns, TEXT, texts.columns)                                                                     \
    COLUMN(definition, TEXT, texts.definition)                                                               \
    COLUMN(allowed, TEXT, texts.allowed)                                                                     \
    COLUMN(sqlstate, TEXT, constraint_kind_sqlstate(version->row.kind))                                      \
    COLUMN(since, TIME, version->seen_us)                                                                    \
    COLUMN(since_is, TEXT, version->is_baseline ? "or before" : "found")                                     \
    COLUMN(versions, INTEGER, (int64_t)(constraint->version_count + constraint->forgotten))                  \
    COLUMN(changed, TEXT, texts.difference)

static const struct result_column constraint_columns[] = { CONSTRAINT_COLUMNS(COLUMN_DESCRIPTION) };

static void write_constraint(struct result *result, const struct constraint *constraint)
{
    const struct version *version = constraint->newest;
    struct constraint_texts texts;
    texts_fill(constraint, &texts);
    result_row_begin(result, COUNT_OF(constraint_columns));
    CONSTRAINT_COLUMNS(COLUMN_CELL)
    result_row_end(result);
}

/* The pattern may be of the constraint, of the table, or of the table with its schema. */
static bool is_wanted(const struct constraint *constraint, const char *pattern)
{
    const struct constraint_row *row = &constraint->newest->row;
    char storage[2 * SHOWN_NAME_SIZE];
    struct text table;
    if (pattern[0] == '\0')
        return true;
    text_init(&table, storage, sizeof storage);
    text_append(&table, row->schema);
    text_append_byte(&table, '.');
    text_append(&table, row->table);
    return like_matches(row->name, bytes_text(pattern)) || like_matches(row->table, bytes_text(pattern)) ||
           like_matches(text_bytes(&table), bytes_text(pattern));
}

static int compare_bytes(struct bytes a, struct bytes b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size > 0 ? memcmp(a.data, b.data, size) : 0;
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static int compare_constraints(const void *left, const void *right)
{
    const struct constraint *const *a = left;
    const struct constraint *const *b = right;
    const struct constraint_row *first = &(*a)->newest->row;
    const struct constraint_row *second = &(*b)->newest->row;
    int order = compare_bytes(constraint_database(*a), constraint_database(*b));
    order = order != 0 ? order : compare_bytes(first->schema, second->schema);
    order = order != 0 ? order : compare_bytes(first->table, second->table);
    order = order != 0 ? order : compare_bytes(first->name, second->name);
    return order != 0 ? order : compare_bytes(first->columns, second->columns);
}

static void write_constraints(const struct show_source *source, const struct constraint **all, size_t count,
                              struct result *result, struct console_outcome *notice)
{
    size_t most = show_rows_most(source->command);
    size_t wanted = 0;
    qsort(all, count, sizeof(const struct constraint *), compare_constraints);
    for (size_t i = 0; i < count; i++) {
        if (is_wanted(all[i], source->command->pattern) && wanted++ < most)
            write_constraint(result, all[i]);
    }
    show_note_rows_left(most, wanted, notice);
}

static bool fill_constraints(const struct show_source *source, struct result *result,
                             struct console_outcome *notice)
{
    const struct catalog *catalog = source->world->catalog;
    if (catalog == NULL) {
        note_no_catalog(notice);
        return true;
    }
    size_t count = catalog_list(catalog, NULL, 0);
    const struct constraint **all = calloc(count > 0 ? count : 1, sizeof(const struct constraint *));
    if (all == NULL)
        return false;
    write_constraints(source, all, catalog_list(catalog, all, count), result, notice);
    free(all);
    return true;
}

const struct show_form show_constraints = { constraint_columns, COUNT_OF(constraint_columns),
                                            fill_constraints };

/* ── SHOW CONSTRAINT CHANGES ───────────────────────────────────────────────────────────────────────────────
 */

#define CONSTRAINT_CHANGE_COLUMNS(COLUMN)                                                                    \
    COLUMN(found, TIME, change->seen_us)                                                                     \
    COLUMN(not_before, TIME, change->not_before_us)                                                          \
    COLUMN(database, TEXT, change->database)                                                                 \
    COLUMN(schema_name, TEXT, change->schema)                                                                \
    COLUMN(table_name, TEXT, change->table)                                                                  \
    COLUMN(constraint_name, TEXT, change->name)                                                              \
    COLUMN(kind, TEXT, constraint_kind_name(change->kind))                                                   \
    COLUMN(columns, TEXT, change->columns)                                                                   \
    COLUMN(change, TEXT, change->words)                                                                      \
    COLUMN(difference, TEXT, change->difference)                                                             \
    COLUMN(before, TEXT, change->before)                                                                     \
    COLUMN(after, TEXT, change->after)

static const struct result_column constraint_change_columns[] = { CONSTRAINT_CHANGE_COLUMNS(
    COLUMN_DESCRIPTION) };

static bool fill_constraint_changes(const struct show_source *source, struct result *result,
                                    struct console_outcome *notice)
{
    const struct constraint_changes *changes = source->world->constraint_changes;
    if (changes == NULL) {
        note_no_catalog(notice);
        return true;
    }
    size_t count = constraint_changes_count(changes);
    size_t most = show_rows_most(source->command);
    for (size_t age = 0; age < count && age < most; age++) {
        const struct constraint_change *change = constraint_changes_at(changes, age);
        result_row_begin(result, COUNT_OF(constraint_change_columns));
        CONSTRAINT_CHANGE_COLUMNS(COLUMN_CELL)
        result_row_end(result);
    }
    show_note_rows_left(most, count, notice);
    return true;
}

const struct show_form show_constraint_changes = { constraint_change_columns,
                                                   COUNT_OF(constraint_change_columns),
                                                   fill_constraint_changes };
