/* SPDX-License-Identifier: PostgreSQL */
#include "history/history.h"
#include "history/history_parts.h"

/* Called with the mutex held. */
static void add_row(struct history *history, const struct record *record)
{
    if (!batch_add(&history->arriving, record)) {
        history->state.dropped_rows++;
        return;
    }
    history->arrived++;
    /* More than half: not every row of a burst has to wait for the second to end. */
    if (history->arriving.rows.size > history->options.waiting_bytes_most / 2 && !history->is_wanted &&
        history->state.health == HISTORY_OK) {
        history->is_wanted = true;
        (void)pthread_cond_signal(&history->wake);
    }
}

void history_record_event(struct history *history, const struct event *event)
{
    struct record record;
    if (!entry_of_event(event, &record))
        return;
    (void)pthread_mutex_lock(&history->mutex);
    add_row(history, &record);
    (void)pthread_mutex_unlock(&history->mutex);
}

void history_record_minute(struct history *history, const struct history_minute *minute)
{
    struct record row;
    struct record text;
    entry_of_minute(minute, &row);
    entry_of_text(minute, &text);
    (void)pthread_mutex_lock(&history->mutex);
    add_row(history, &row);
    if (minute->statement[0] != '\0')
        add_row(history, &text);
    (void)pthread_mutex_unlock(&history->mutex);
}

void history_record_constraint_change(struct history *history, const struct history_constraint_change *change)
{
    struct record record;
    entry_of_constraint_change(change, &record);
    (void)pthread_mutex_lock(&history->mutex);
    add_row(history, &record);
    (void)pthread_mutex_unlock(&history->mutex);
}

void history_record_incident(struct history *history, const struct incident_note *note)
{
    struct record record;
    entry_of_incident(note, &record);
    (void)pthread_mutex_lock(&history->mutex);
    add_row(history, &record);
    for (size_t rank = 1; rank <= note->suspect_count; rank++) {
        entry_of_suspect(note, rank, &record);
        add_row(history, &record);
    }
    if (note->suspect_count > 0) {
        entry_of_suspects_cut(note, &record);
        add_row(history, &record);
    }
    (void)pthread_mutex_unlock(&history->mutex);
}

void history_take_incident(struct history *history, int64_t run, uint64_t number)
{
    static const enum history_statement statements[] = { STATEMENT_INCIDENT_TAKE, STATEMENT_SUSPECTS_TAKE };
    struct record record;
    (void)pthread_mutex_lock(&history->mutex);
    for (size_t i = 0; i < COUNT_OF(statements); i++) {
        entry_of_incident_taken(statements[i], run, number, &record);
        add_row(history, &record);
    }
    (void)pthread_mutex_unlock(&history->mutex);
}

void history_cut_incidents(struct history *history)
{
    struct record record;
    record_begin(&record, STATEMENT_INCIDENTS_CUT);
    (void)pthread_mutex_lock(&history->mutex);
    add_row(history, &record);
    (void)pthread_mutex_unlock(&history->mutex);
}

/* Called with the mutex held. */
static void add_unnamed(struct history *history, enum counted counted, int64_t minute_us, uint64_t count)
{
    if (count == 0)
        return;
    history->arrived++;
    minute_counts_add_unnamed(&history->arriving.counts[counted], minute_us, count);
    history->state.unnamed_counts += count;
}

/* Called with the mutex held. */
static void add_count(struct history *history, enum counted counted, const struct record *record,
                      int64_t minute_us, uint64_t count)
{
    history->arrived++;
    if (count > 0 && !minute_counts_add(&history->arriving.counts[counted], record, minute_us, count))
        history->state.unnamed_counts += count;
}

void history_count_violations(struct history *history, const struct violation *violation, int64_t time_us,
                              uint64_t count)
{
    struct record record;
    int64_t minute_us = entry_minute(time_us);
    entry_of_count(violation, minute_us, &record);
    (void)pthread_mutex_lock(&history->mutex);
    add_count(history, COUNTED_VIOLATIONS, &record, minute_us, count);
    (void)pthread_mutex_unlock(&history->mutex);
}

void history_count_ledger(struct history *history, const struct ledger *ledger, int64_t time_us)
{
    int64_t minute_us = entry_minute(time_us);
    LIST_EACH(node, &ledger->tally.recent)
    {
        const struct ledger_entry *entry = CONTAINER_OF(node, struct ledger_entry, entry.recent);
        history_count_violations(history, &entry->violation,
                                 entry->minute_us != 0 ? entry->minute_us : minute_us, entry->entry.count);
    }
    (void)pthread_mutex_lock(&history->mutex);
    add_unnamed(history, COUNTED_VIOLATIONS, minute_us, ledger->tally.other);
    (void)pthread_mutex_unlock(&history->mutex);
}

void history_count_error(struct history *history, const struct error_entry *error, int64_t time_us,
                         uint64_t count)
{
    struct record key;
    struct record text;
    int64_t minute_us = entry_minute(time_us);
    entry_of_error_count(error, minute_us, &key);
    entry_of_error_text(error, &text);
    (void)pthread_mutex_lock(&history->mutex);
    add_count(history, COUNTED_ERRORS, &key, minute_us, count);
    if (error->shape != 0 && error->text[0] != '\0')
        add_row(history, &text);
    (void)pthread_mutex_unlock(&history->mutex);
}

/* What of each family no entry holds any longer. */
static void count_rest(struct history *history, const uint64_t rest[FAMILY_COUNT], int64_t minute_us)
{
    struct record record;
    (void)pthread_mutex_lock(&history->mutex);
    for (unsigned family = 0; family < FAMILY_COUNT; family++) {
        if (rest[family] == 0)
            continue;
        history->arrived++;
        history->state.unnamed_counts += rest[family];
        entry_of_family_count((enum error_family)family, minute_us, &record);
        (void)minute_counts_add(&history->arriving.counts[COUNTED_ERRORS], &record, minute_us, rest[family]);
    }
    (void)pthread_mutex_unlock(&history->mutex);
}

void history_count_errors(struct history *history, const struct errors *errors, int64_t time_us)
{
    uint64_t rest[FAMILY_COUNT];
    int64_t minute_us = entry_minute(time_us);
    memcpy(rest, errors->by_family, sizeof rest);
    LIST_EACH(node, &errors->tally.recent)
    {
        const struct error_entry *error = CONTAINER_OF(node, struct error_entry, entry.recent);
        history_count_error(history, error, minute_us, error->entry.count);
        rest[sqlstate_family(bytes_text(error->sqlstate))] -= error->entry.count;
    }
    count_rest(history, rest, minute_us);
}
