/* SPDX-License-Identifier: PostgreSQL */
#include "control/show.h"

/* The list below has the columns, once: COLUMN(name, type, value). */
#define COLUMN_DESCRIPTION(name, type, value) { #name, COLUMN_##type },
#define COLUMN_CELL(name, type, value)        RESULT_CELL_##type(result, value);

enum { NUMBER_SIZE = 32, SUSPECT_TEXT_SIZE = 2048 };

/* A row: an incident, and what is put into words for it. */
struct incident_row {
    const struct incident_note *note;
    const struct incident *incident;
    const struct incident_key *key;
    bool is_family;
    char rate[NUMBER_SIZE];
    char baseline[NUMBER_SIZE];
    char suspect[SUSPECT_TEXT_SIZE];
};

static const char *state_of(const struct incident_row *row)
{
    if (row->note->news == INCIDENT_ENDED)
        return row->incident->is_adopted ? "usual now" : "ended";
    return row->incident->state == INCIDENT_FIRST ? "first seen" : "spike";
}

#define INCIDENT_COLUMNS(COLUMN)                                                                             \
    COLUMN(incident, INTEGER, (int64_t)row->incident->number)                                                \
    COLUMN(state, TEXT, state_of(row))                                                                       \
    COLUMN(service, TEXT, row->key->service)                                                                 \
    COLUMN(schema_name, TEXT, row->key->schema)                                                              \
    COLUMN(table_name, TEXT, row->key->table)                                                                \
    COLUMN(constraint_name, TEXT, row->is_family ? NULL : row->key->name)                                    \
    COLUMN(family, TEXT, row->is_family ? row->key->name : NULL)                                             \
    COLUMN(started, TIME, row->incident->started_us)                                                         \
    COLUMN(detected, TIME, row->incident->detected_us)                                                       \
    COLUMN(ended, TIME, row->note->news == INCIDENT_ENDED ? row->incident->ended_us : 0)                     \
    COLUMN(first_ever, TEXT, row->incident->is_first ? "yes" : "no")                                         \
    COLUMN(count, INTEGER, (int64_t)row->incident->count)                                                    \
    COLUMN(rate, TEXT, row->rate)                                                                            \
    COLUMN(baseline, TEXT, row->baseline)                                                                    \
    COLUMN(peak, INTEGER, (int64_t)row->incident->peak)                                                      \
    COLUMN(kind, TEXT, row->note->kind)                                                                      \
    COLUMN(sqlstate, TEXT, row->note->sqlstate)                                                              \
    COLUMN(database, TEXT, row->note->database)                                                              \
    COLUMN(suspect, TEXT, row->suspect)                                                                      \
    COLUMN(definition, TEXT, row->note->definition)                                                          \
    COLUMN(difference, TEXT, row->note->difference)                                                          \
    COLUMN(near_miss, TEXT, row->note->near_miss)                                                            \
    COLUMN(route, TEXT, row->note->route)                                                                    \
    COLUMN(fingerprint, TEXT, row->note->fingerprint)                                                        \
    COLUMN(statement, TEXT, row->note->statement)

static const struct result_column incident_columns[] = { INCIDENT_COLUMNS(COLUMN_DESCRIPTION) };

static void number_put(char out[static NUMBER_SIZE], double number)
{
    struct text text;
    text_init(&text, out, NUMBER_SIZE);
    text_append_format(&text, number >= 1 ? "%.1f" : "%.4f", number);
}

static void write_incident(struct result *result, const struct incident_note *note)
{
    struct incident_row filled = { .note = note, .incident = &note->incident, .key = &note->incident.key };
    const struct incident_row *row = &filled;
    struct text suspect;
    filled.is_family = row->key->subject == INCIDENT_FAMILY;
    if (row->incident->rate > 0)
        number_put(filled.rate, row->incident->rate);
    number_put(filled.baseline, row->incident->baseline);
    text_init(&suspect, filled.suspect, sizeof filled.suspect);
    if (note->suspect_count > 0)
        suspect_describe(&note->suspects[0], &suspect);
    result_row_begin(result, COUNT_OF(incident_columns));
    INCIDENT_COLUMNS(COLUMN_CELL)
    result_row_end(result);
}

static bool fill_incidents(const struct show_source *source, struct result *result,
                           struct console_outcome *notice)
{
    const struct incident_book *book = source->world->incidents;
    const struct incident_note *note;
    size_t most = source->command->count > 0 ? source->command->count : SHOW_ROWS_DEFAULT;
    if (book == NULL) {
        (void)bytes_copy_text(bytes_text("Incidents are not looked for: incidents.record is false."),
                              notice->message, sizeof notice->message);
        return true;
    }
    for (size_t place = 0; place < most && (note = incident_book_at(book, place)) != NULL; place++)
        write_incident(result, note);
    return true;
}

const struct show_form show_incidents = { incident_columns, COUNT_OF(incident_columns), fill_incidents };
