/* SPDX-License-Identifier: PostgreSQL */
/* SHOW STATEMENTS, SHOW ERRORS, SHOW FAMILIES and SHOW HISTORY. */
#include "base/text.h"
#include "control/show.h"
#include "observe/object_text.h"
#include "sql/shape.h"

#include <stdio.h>
#include <stdlib.h>

/* Each list below has the columns of one command, once: COLUMN(name, type, value). */
#define COLUMN_DESCRIPTION(name, type, value) { #name, COLUMN_##type },
#define COLUMN_CELL(name, type, value)        RESULT_CELL_##type(result, value);

/* How many rows are shown, and a word about the rest. */
static size_t rows_shown(const struct show_source *source, size_t all, struct console_outcome *notice)
{
    size_t most = source->command->count > 0 ? source->command->count : SHOW_ROWS_DEFAULT;
    const struct snapshot *snapshot = source->world->snapshot;
    struct text text = { notice->message, 0, sizeof notice->message, false };
    if (snapshot != NULL && snapshot->workers_silent > 0)
        text_append_format(&text, "%u of %u workers did not answer in time: their part is missing.",
                           snapshot->workers_silent, snapshot->workers);
    if (most < all)
        text_append_format(&text, "%s%zu of %zu rows are shown; add LIMIT for more.",
                           text.size > 0 ? " " : "", most, all);
    return most < all ? most : all;
}

static int64_t percentile(const struct statement_entry *entry, double percent)
{
    return histogram_percentile(&entry->sums.latency, percent);
}

static int64_t mean(const struct statement_entry *entry)
{
    uint64_t timed = histogram_count(&entry->sums.latency);
    return timed > 0 ? (int64_t)(entry->sums.time_us / timed) : 0;
}

#define STATEMENT_COLUMNS(COLUMN)                                                                            \
    COLUMN(service, TEXT, entry->service)                                                                    \
    COLUMN(database, TEXT, entry->database)                                                                  \
    COLUMN(user_name, TEXT, entry->user)                                                                     \
    COLUMN(fingerprint, TEXT, fingerprint)                                                                   \
    COLUMN(calls, INTEGER, (int64_t)calls)                                                                   \
    COLUMN(errors, INTEGER, (int64_t)entry->sums.errors)                                                     \
    COLUMN(row_count, INTEGER, (int64_t)entry->sums.rows)                                                    \
    COLUMN(bytes, INTEGER, (int64_t)entry->sums.bytes)                                                       \
    COLUMN(total_us, INTEGER, (int64_t)entry->sums.time_us)                                                  \
    COLUMN(mean_us, DURATION, mean(entry))                                                                   \
    COLUMN(p50_us, DURATION, percentile(entry, 50))                                                          \
    COLUMN(p95_us, DURATION, percentile(entry, 95))                                                          \
    COLUMN(p99_us, DURATION, percentile(entry, 99))                                                          \
    COLUMN(longest_us, DURATION, percentile(entry, 100))                                                     \
    COLUMN(first_seen, TIME, entry->entry.first_us)                                                          \
    COLUMN(last_seen, TIME, entry->entry.last_us)                                                            \
    COLUMN(route, TEXT, entry->route)                                                                        \
    COLUMN(statement, TEXT, entry->text)

static const struct result_column statement_columns[] = { STATEMENT_COLUMNS(COLUMN_DESCRIPTION) };

static void write_statement(struct result *result, const struct statement_entry *entry,
                            const char *fingerprint, uint64_t calls)
{
    result_row_begin(result, COUNT_OF(statement_columns));
    STATEMENT_COLUMNS(COLUMN_CELL)
    result_row_end(result);
}

static bool fill_statements(const struct show_source *source, struct result *result,
                            struct console_outcome *notice)
{
    const struct statements *statements = &source->world->totals->statements;
    size_t most = rows_shown(source, statements->tally.table.count, notice);
    const struct statement_entry **entries = calloc(most + 1, sizeof(const struct statement_entry *));
    if (entries == NULL)
        return false;
    size_t count = statements_top(statements, source->command->order, entries, most);
    for (size_t i = 0; i < count; i++) {
        char fingerprint[SHAPE_TEXT_SIZE];
        shape_text(entries[i]->shape, fingerprint);
        write_statement(result, entries[i], fingerprint, entries[i]->entry.count);
    }
    if (statements->tally.other > 0)
        write_statement(result, &statements->rest, "other", statements->tally.other);
    free(entries);
    return true;
}

const struct show_form show_statements = { statement_columns, COUNT_OF(statement_columns), fill_statements };

/* A row of SHOW ERRORS: an entry, or what no entry holds. */
struct error_row {
    const struct error_entry *entry;
    const char *condition;
    const char *family;
    const char *fingerprint;
    const char *definition; /* of the type, as the catalogue has it */
    const char *changed;
};

#define ERROR_COLUMNS(COLUMN)                                                                                \
    COLUMN(service, TEXT, row.entry->service)                                                                \
    COLUMN(database, TEXT, row.entry->database)                                                              \
    COLUMN(user_name, TEXT, row.entry->user)                                                                 \
    COLUMN(sqlstate, TEXT, row.entry->sqlstate)                                                              \
    COLUMN(condition, TEXT, row.condition)                                                                   \
    COLUMN(family, TEXT, row.family)                                                                         \
    COLUMN(count, INTEGER, (int64_t)row.entry->entry.count)                                                  \
    COLUMN(first_seen, TIME, row.entry->entry.first_us)                                                      \
    COLUMN(last_seen, TIME, row.entry->entry.last_us)                                                        \
    COLUMN(fingerprint, TEXT, row.fingerprint)                                                               \
    COLUMN(statement, TEXT, row.entry->text)                                                                 \
    COLUMN(type_name, TEXT, row.entry->type)                                                                 \
    COLUMN(definition, TEXT, row.definition)                                                                 \
    COLUMN(changed, TEXT, row.changed)

static const struct result_column error_columns[] = { ERROR_COLUMNS(COLUMN_DESCRIPTION) };

static void write_error_row(struct result *result, struct error_row row)
{
    result_row_begin(result, COUNT_OF(error_columns));
    ERROR_COLUMNS(COLUMN_CELL)
    result_row_end(result);
}

static void note_type(const struct catalog *catalog, const struct error_entry *entry, struct text *definition,
                      struct text *changed)
{
    struct object_reference type;
    struct bytes list = bytes_text(entry->type);
    if (catalog != NULL && object_text_next(&list, &type))
        catalog_note_type(catalog, bytes_text(entry->database), bytes_text(type.schema),
                          bytes_text(type.name), definition, changed);
}

static void write_error_entry(const struct show_source *source, struct result *result,
                              const struct error_entry *entry)
{
    char fingerprint[SHAPE_TEXT_SIZE] = "";
    char storage[2][NOTE_DEFINITION_SIZE];
    struct text definition;
    struct text changed;
    struct bytes code = bytes_text(entry->sqlstate);
    const struct sqlstate *known = sqlstate_find(code);
    if (entry->shape != 0)
        shape_text(entry->shape, fingerprint);
    text_init(&definition, storage[0], sizeof storage[0]);
    text_init(&changed, storage[1], sizeof storage[1]);
    note_type(source->world->catalog, entry, &definition, &changed);
    write_error_row(result, (struct error_row){ .entry = entry,
                                                .condition = known != NULL ? known->name : NULL,
                                                .family = error_family_name(sqlstate_family(code)),
                                                .fingerprint = fingerprint,
                                                .definition = storage[0],
                                                .changed = storage[1] });
}

static bool fill_errors(const struct show_source *source, struct result *result,
                        struct console_outcome *notice)
{
    const struct errors *errors = &source->world->totals->errors;
    size_t most = rows_shown(source, errors->tally.table.count, notice);
    const struct error_entry **entries = calloc(most + 1, sizeof(const struct error_entry *));
    if (entries == NULL)
        return false;
    size_t count = errors_top(errors, entries, most);
    for (size_t i = 0; i < count; i++)
        write_error_entry(source, result, entries[i]);
    const struct error_entry other = { .entry = { .count = errors->tally.other } };
    if (errors->tally.other > 0)
        write_error_row(result, (struct error_row){ .entry = &other, .fingerprint = "other" });
    free(entries);
    return true;
}

const struct show_form show_errors = { error_columns, COUNT_OF(error_columns), fill_errors };

#define FAMILY_COLUMNS(COLUMN)                                                                               \
    COLUMN(family, TEXT, error_family_name(family))                                                          \
    COLUMN(count, INTEGER, (int64_t)errors->by_family[family])                                               \
    COLUMN(about, TEXT, error_family_about(family))

static const struct result_column family_columns[] = { FAMILY_COLUMNS(COLUMN_DESCRIPTION) };

static bool fill_families(const struct show_source *source, struct result *result,
                          struct console_outcome *notice)
{
    const struct errors *errors = &source->world->totals->errors;
    (void)rows_shown(source, 0, notice);
    for (enum error_family family = 0; family < FAMILY_COUNT; family++) {
        result_row_begin(result, COUNT_OF(family_columns));
        FAMILY_COLUMNS(COLUMN_CELL)
        result_row_end(result);
    }
    return true;
}

const struct show_form show_families = { family_columns, COUNT_OF(family_columns), fill_families };

#define HISTORY_COLUMNS(COLUMN)                                                                              \
    COLUMN(health, TEXT, state->health == HISTORY_OK ? "ok" : "degraded")                                    \
    COLUMN(reason, TEXT, state->why)                                                                         \
    COLUMN(since, TIME, state->since_us)                                                                     \
    COLUMN(last_write, TIME, state->flushed_us)                                                              \
    COLUMN(file_bytes, INTEGER, (int64_t)state->file_bytes)                                                  \
    COLUMN(waiting_rows, INTEGER, (int64_t)state->waiting_rows)                                              \
    COLUMN(written_rows, INTEGER, (int64_t)state->written_rows)                                              \
    COLUMN(dropped_rows, INTEGER, (int64_t)state->dropped_rows)                                              \
    COLUMN(unnamed_counts, INTEGER, (int64_t)state->unnamed_counts)                                          \
    COLUMN(files_set_aside, INTEGER, (int64_t)state->files_set_aside)                                        \
    COLUMN(set_aside, TEXT, state->set_aside)                                                                \
    COLUMN(set_aside_reason, TEXT, state->set_aside_why)                                                     \
    COLUMN(gap_since, TIME, state->gap_from_us)

static const struct result_column history_columns[] = { HISTORY_COLUMNS(COLUMN_DESCRIPTION) };

static bool fill_history(const struct show_source *source, struct result *result,
                         struct console_outcome *notice)
{
    const struct history_state *state = source->world->history;
    if (state == NULL) {
        (void)snprintf(notice->message, sizeof notice->message,
                       "there is no history: history.record is false");
        return true;
    }
    result_row_begin(result, COUNT_OF(history_columns));
    HISTORY_COLUMNS(COLUMN_CELL)
    result_row_end(result);
    return true;
}

const struct show_form show_history = { history_columns, COUNT_OF(history_columns), fill_history };
