/* SPDX-License-Identifier: PostgreSQL */
#include "app/recording.h"

#include "sql/shape.h"

enum {
    FLUSH_US = 500 * 1000,
    WAITING_BYTES_MOST = 16 * 1024 * 1024,
    WAITING_COUNTS_MOST = 50000,
    PERCENT_MEDIAN = 50,
    PERCENT_HIGH = 95,
    PERCENT_HIGHEST = 99,
    PERCENT_ALL = 100
};

bool recording_begin(struct recording *recording, const struct settings *settings, const struct hash_key *key,
                     const char *version)
{
    const struct history_settings *wanted = &settings->history;
    if (!wanted->record)
        return true;
    const struct history_options options = {
        .path = wanted->file,
        .version = version,
        .bytes_most = wanted->size,
        .violations_most = wanted->violations,
        .detail_age_us = wanted->detail_age,
        .count_age_us = wanted->count_age,
        .flush_us = FLUSH_US,
        .waiting_bytes_most = WAITING_BYTES_MOST,
        .waiting_counts_most = WAITING_COUNTS_MOST,
        .key = *key,
    };
    statements_init(&recording->minute, key, settings->statements.entries);
    recording->has_minute = true;
    recording->history = history_create(&options);
    return recording->history != NULL;
}

static void minute_fill(const struct statement_entry *entry, struct history_minute *out)
{
    const struct histogram *latency = &entry->sums.latency;
    memcpy(out->service, entry->service, sizeof(out->service));
    memcpy(out->database, entry->database, sizeof(out->database));
    memcpy(out->user, entry->user, sizeof(out->user));
    memcpy(out->statement, entry->text, sizeof(out->statement));
    out->errors = entry->sums.errors;
    out->rows = entry->sums.rows;
    out->bytes = entry->sums.bytes;
    out->p50_us = histogram_percentile(latency, PERCENT_MEDIAN);
    out->p95_us = histogram_percentile(latency, PERCENT_HIGH);
    out->p99_us = histogram_percentile(latency, PERCENT_HIGHEST);
    out->longest_us = histogram_percentile(latency, PERCENT_ALL);
}

static void record_entry(struct recording *recording, const struct statement_entry *entry)
{
    struct history_minute minute = { .minute_us = recording->minute_us, .calls = entry->entry.count };
    minute_fill(entry, &minute);
    shape_text(entry->shape, minute.fingerprint);
    history_record_minute(recording->history, &minute);
}

static void record_rest(struct recording *recording)
{
    const struct statements *statements = &recording->minute;
    struct history_minute minute = { .minute_us = recording->minute_us,
                                     .fingerprint = "other",
                                     .calls = statements->tally.other };
    if (minute.calls == 0)
        return;
    minute_fill(&statements->rest, &minute);
    history_record_minute(recording->history, &minute);
}

static void close_minute(struct recording *recording)
{
    struct statements *statements = &recording->minute;
    struct hash_key key = statements->tally.key;
    size_t entries_most = statements->tally.entries_most;
    LIST_EACH(node, &statements->tally.recent)
    {
        record_entry(recording, CONTAINER_OF(node, struct statement_entry, entry.recent));
    }
    record_rest(recording);
    statements_release(statements);
    statements_init(statements, &key, entries_most);
}

void recording_end(struct recording *recording)
{
    if (recording->history != NULL) {
        close_minute(recording);
        history_destroy(recording->history);
    }
    if (recording->has_minute)
        statements_release(&recording->minute);
    *recording = (struct recording){ .history = NULL };
}

void recording_event(struct recording *recording, const struct event *event)
{
    if (recording->history != NULL)
        history_record_event(recording->history, event);
}

void recording_constraint(struct recording *recording, const struct constraint_change *change)
{
    struct history_constraint_change row = { .time_us = change->seen_us,
                                             .not_before_us = change->not_before_us };
    const char *name = change->name[0] != '\0' ? change->name : change->columns;
    if (recording->history == NULL)
        return;
    (void)bytes_copy_text(bytes_text(change->database), row.database, sizeof row.database);
    (void)bytes_copy_text(bytes_text(change->schema), row.schema, sizeof row.schema);
    (void)bytes_copy_text(bytes_text(change->table), row.table, sizeof row.table);
    (void)bytes_copy_text(bytes_text(name), row.constraint, sizeof row.constraint);
    (void)bytes_copy_text(bytes_text(constraint_kind_name(change->kind)), row.kind, sizeof row.kind);
    (void)bytes_copy_text(bytes_text(change->words), row.change, sizeof row.change);
    (void)bytes_copy_text(bytes_text(change->difference), row.difference, sizeof row.difference);
    (void)bytes_copy_text(bytes_text(change->before), row.before, sizeof row.before);
    (void)bytes_copy_text(bytes_text(change->after), row.after, sizeof row.after);
    history_record_constraint_change(recording->history, &row);
}

void recording_tick(struct recording *recording, int64_t now_us)
{
    int64_t minute_us = entry_minute(now_us);
    if (recording->history == NULL || minute_us == recording->minute_us)
        return;
    close_minute(recording);
    recording->minute_us = minute_us;
}

void recording_take(struct recording *recording, const struct harvest *harvest, int64_t now_us)
{
    if (recording->history == NULL)
        return;
    recording_tick(recording, now_us);
    history_count_ledger(recording->history, &harvest->violations, now_us);
    history_count_errors(recording->history, &harvest->errors, now_us);
    statements_merge(&recording->minute, &harvest->statements);
}

bool recording_state(const struct recording *recording, struct history_state *out)
{
    if (recording->history == NULL)
        return false;
    history_state(recording->history, out);
    return true;
}
