/* SPDX-License-Identifier: PostgreSQL */
#include "base/text.h"
#include "history/entry.h"
#include "history/entry_fields.h"

void entry_of_constraint_change(const struct history_constraint_change *change, struct record *out)
{
    record_begin(out, STATEMENT_CONSTRAINT_CHANGE_ADD);
    field_time(out, change->time_us);
    field_time(out, change->not_before_us);
    FIELD(out, change->database);
    FIELD(out, change->schema);
    FIELD(out, change->table);
    FIELD(out, change->constraint);
    FIELD(out, change->kind);
    FIELD(out, change->change);
    FIELD(out, change->difference);
    FIELD(out, change->before);
    FIELD(out, change->after);
}

static void describe_suspect(const struct suspect *suspect, struct text *text)
{
    text_append_time(text, suspect->time_us);
    if (suspect->was_seen)
        text_append_format(text, " %s on %s by %s (%s, %s)", suspect->command, suspect->object, suspect->user,
                           suspect->application_name, suspect->address);
    else
        text_append_format(text, " a change of %s that did not pass through here", suspect->object);
    if (suspect->difference[0] != '\0')
        text_append_format(text, ": %s", suspect->difference);
}

static void add_suspects(struct record *out, const struct incident_note *note)
{
    char storage[SUSPECTS_SIZE];
    struct text text;
    text_init(&text, storage, sizeof storage);
    for (size_t i = 0; i < note->suspect_count; i++) {
        text_append_string(&text, i > 0 ? "; " : "");
        describe_suspect(&note->suspects[i], &text);
    }
    record_text(out, text_bytes(&text));
}

static void add_course(struct record *out, const struct incident *incident)
{
    field_count(out, incident->number);
    field_time(out, incident->started_us);
    field_time(out, incident->detected_us);
    if (incident->ended_us > 0)
        field_time(out, incident->ended_us);
    else
        record_null(out);
}

static void add_figures(struct record *out, const struct incident *incident)
{
    record_integer(out, incident->is_first ? 1 : 0);
    record_integer(out, incident->state == INCIDENT_SPIKE ? 1 : 0);
    record_integer(out, incident->is_adopted ? 1 : 0);
    field_count(out, incident->count);
    record_real(out, incident->rate);
    record_real(out, incident->baseline);
    field_count(out, incident->peak);
}

void entry_of_incident(const struct incident_note *note, struct record *out)
{
    const struct incident_key *key = &note->incident.key;
    record_begin(out, STATEMENT_INCIDENT_PUT);
    add_course(out, &note->incident);
    FIELD(out, key->service);
    FIELD(out, note->database);
    FIELD(out, key->schema);
    FIELD(out, key->table);
    field_constant(out, key->subject == INCIDENT_CONSTRAINT ? "constraint" : "family");
    FIELD(out, key->name);
    FIELD(out, note->sqlstate);
    FIELD(out, note->kind);
    add_figures(out, &note->incident);
    FIELD(out, note->fingerprint);
    FIELD(out, note->statement);
    FIELD(out, note->route);
    FIELD(out, note->definition);
    FIELD(out, note->difference);
    FIELD(out, note->near_miss);
    add_suspects(out, note);
}

/* What is not known of a change that did not pass through here. */
static void add_seen(struct record *out, bool was_seen, const char *field, size_t capacity)
{
    if (was_seen)
        record_field(out, field, capacity);
    else
        record_null(out);
}

#define SEEN(record, suspect, name)                                                                          \
    add_seen((record), (suspect)->was_seen, (suspect)->name, sizeof((suspect)->name))

void entry_of_suspect(const struct incident_note *note, size_t rank, struct record *out)
{
    const struct suspect *suspect = &note->suspects[rank - 1];
    record_begin(out, STATEMENT_SUSPECT_PUT);
    field_count(out, note->incident.number);
    field_count(out, rank);
    field_time(out, suspect->time_us);
    field_time(out, suspect->not_before_us);
    record_integer(out, suspect->was_seen ? 1 : 0);
    SEEN(out, suspect, service);
    SEEN(out, suspect, user);
    SEEN(out, suspect, application_name);
    SEEN(out, suspect, address);
    SEEN(out, suspect, command);
    SEEN(out, suspect, rule);
    SEEN(out, suspect, window);
    SEEN(out, suspect, statement);
    FIELD(out, suspect->object);
    FIELD(out, suspect->difference);
}

void entry_of_suspects_cut(const struct incident_note *note, struct record *out)
{
    record_begin(out, STATEMENT_SUSPECTS_CUT);
    field_count(out, note->incident.number);
    field_count(out, note->suspect_count);
}

void entry_of_incident_taken(enum history_statement statement, int64_t run, uint64_t number,
                             struct record *out)
{
    record_begin(out, (uint8_t)statement);
    record_integer(out, run);
    field_count(out, number);
}
