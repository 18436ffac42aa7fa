/* SPDX-License-Identifier: PostgreSQL */
#include "observe/incident_note.h"

#include <inttypes.h>

static const int64_t nearness_us = 1000000;

static bool is_field(const char *field, const char *wanted)
{
    return strncmp(field, wanted, NAME_SIZE) == 0;
}

const char *violation_subject(const struct violation *violation)
{
    return violation->constraint[0] != '\0' ? violation->constraint : violation->column;
}

static bool is_about(const struct incident_key *key, const struct violation *violation)
{
    if (!is_field(violation->service, key->service))
        return false;
    if (key->subject == INCIDENT_FAMILY)
        return is_field(error_family_name(FAMILY_VIOLATION), key->name);
    return is_field(violation->schema, key->schema) && is_field(violation->table, key->table) &&
           is_field(violation_subject(violation), key->name);
}

/* What was seen since the incident's start counts before what was not, then what is most frequent. */
static bool is_better(const struct tally_entry *entry, const struct tally_entry *best, int64_t started_us)
{
    if (best == NULL)
        return true;
    bool is_recent = entry->last_us >= started_us - nearness_us;
    bool is_best_recent = best->last_us >= started_us - nearness_us;
    return is_recent != is_best_recent ? is_recent : entry->count > best->count;
}

static const struct ledger_entry *violation_of(const struct incident *incident, const struct tally *tally)
{
    const struct ledger_entry *best = NULL;
    LIST_EACH(list, &tally->recent)
    {
        struct tally_entry *head = CONTAINER_OF(list, struct tally_entry, recent);
        const struct ledger_entry *entry = CONTAINER_OF(head, struct ledger_entry, entry);
        if (is_about(&incident->key, &entry->violation) &&
            is_better(head, best != NULL ? &best->entry : NULL, incident->started_us))
            best = entry;
    }
    return best;
}

static const struct error_entry *error_of(const struct incident *incident, const struct tally *tally)
{
    const struct error_entry *best = NULL;
    LIST_EACH(list, &tally->recent)
    {
        struct tally_entry *head = CONTAINER_OF(list, struct tally_entry, recent);
        const struct error_entry *entry = CONTAINER_OF(head, struct error_entry, entry);
        const char *family = error_family_name(sqlstate_family(bytes_text(entry->sqlstate)));
        if (is_field(entry->service, incident->key.service) && is_field(family, incident->key.name) &&
            is_better(head, best != NULL ? &best->entry : NULL, incident->started_us))
            best = entry;
    }
    return best;
}

static void take_violation(struct incident_note *note, const struct violation *violation)
{
    memcpy(note->database, violation->database, sizeof note->database);
    memcpy(note->sqlstate, violation->sqlstate, sizeof note->sqlstate);
    (void)bytes_copy_text(bytes_text(violation_kind_name(violation->kind)), note->kind, sizeof note->kind);
    memcpy(note->column, violation->column, sizeof note->column);
    memcpy(note->constraint, violation->constraint, sizeof note->constraint);
    memcpy(note->datatype, violation->datatype, sizeof note->datatype);
    memcpy(note->fingerprint, violation->fingerprint, sizeof note->fingerprint);
    memcpy(note->statement, violation->statement, sizeof note->statement);
    memcpy(note->route, violation->route, sizeof note->route);
}

static void take_error(struct incident_note *note, const struct error_entry *entry)
{
    const struct sqlstate *row = sqlstate_find(bytes_text(entry->sqlstate));
    memcpy(note->database, entry->database, sizeof note->database);
    memcpy(note->sqlstate, entry->sqlstate, sizeof note->sqlstate);
    (void)bytes_copy_text(bytes_text(row != NULL ? row->name : ""), note->kind, sizeof note->kind);
    memcpy(note->statement, entry->text, sizeof note->statement);
    if (entry->shape != 0) {
        struct text text;
        text_init(&text, note->fingerprint, sizeof note->fingerprint);
        text_append_format(&text, "%016" PRIx64, entry->shape);
    }
}

void incident_note_fill(struct incident_note *note, enum incident_news news, const struct incident *incident,
                        const struct totals *totals)
{
    note->news = news;
    note->incident = *incident;
    const struct ledger_entry *violation = violation_of(incident, &totals->violations.tally);
    if (violation != NULL) {
        take_violation(note, &violation->violation);
    } else if (incident->key.subject == INCIDENT_FAMILY) {
        const struct error_entry *error = error_of(incident, &totals->errors.tally);
        if (error != NULL)
            take_error(note, error);
    }
}

const char *incident_news_name(enum incident_news news)
{
    static const char *const names[] = {
        [INCIDENT_STARTED] = "started",
        [INCIDENT_GREW] = "grew",
        [INCIDENT_ENDED] = "ended",
    };
    return names[news];
}

const char *incident_subject_name(enum incident_subject subject)
{
    return subject == INCIDENT_FAMILY ? "family" : "constraint";
}

void suspect_describe(const struct suspect *suspect, struct text *out)
{
    text_append_time(out, suspect->time_us);
    if (suspect->was_seen) {
        text_append_string(out, " ");
        text_append_string(out, suspect->user);
        text_append_string(out, " (");
        text_append_string(out, suspect->service);
        text_append_string(out, ") ");
        text_append_string(out, suspect->statement[0] != '\0' ? suspect->statement : suspect->command);
    } else {
        text_append_string(out, " around the sluice: ");
        text_append_string(out, suspect->object);
    }
    if (suspect->difference[0] != '\0') {
        text_append_string(out, " -- ");
        text_append_string(out, suspect->difference);
    }
    text_append_string(out, suspect->is_certain ? "" : " (it may have been undone)");
}
