/* SPDX-License-Identifier: PostgreSQL */
#include "app/recording.h"

#include "sql/shape.h"

enum {
    FLUSH_US = 500 * 1000,
    TELL_US = 400 * 1000, /* at every other tick of four a second */
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
        .holds_back = settings->incidents.record, /* whoever watches for them learns first */
    };
    statements_init(&recording->minute, key, settings->statements.entries);
    statements_init(&recording->fresh, key, settings->statements.entries);
    recording->has_minute = true;
    recording->history = history_create(&options);
    return recording->history != NULL;
}

/* What is fresh, with the latencies of the whole minute. */
static void minute_fill(const struct statement_entry *fresh, const struct statement_entry *whole,
                        struct history_minute *out)
{
    const struct histogram *latency = &whole->sums.latency;
    memcpy(out->service, fresh->service, sizeof(out->service));
    memcpy(out->database, fresh->database, sizeof(out->database));
    memcpy(out->user, fresh->user, sizeof(out->user));
    out->errors = fresh->sums.errors;
    out->rows = fresh->sums.rows;
    out->bytes = fresh->sums.bytes;
    out->p50_us = histogram_percentile(latency, PERCENT_MEDIAN);
    out->p95_us = histogram_percentile(latency, PERCENT_HIGH);
    out->p99_us = histogram_percentile(latency, PERCENT_HIGHEST);
    out->longest_us = histogram_percentile(latency, PERCENT_ALL);
}

static void tell_entry(struct recording *recording, const struct statement_entry *fresh)
{
    struct history_minute minute = { .minute_us = recording->minute_us, .calls = fresh->entry.count };
    const struct statement_entry *whole = statements_like(&recording->minute, fresh);
    if (whole == NULL) /* it gave its place up */
        whole = fresh;
    minute_fill(fresh, whole, &minute);
    shape_text(fresh->shape, minute.fingerprint);
    if (whole->entry.count == fresh->entry.count) /* the first of the minute */
        memcpy(minute.statement, fresh->text, sizeof(minute.statement));
    history_record_minute(recording->history, &minute);
}

static void tell_rest(struct recording *recording)
{
    const struct statements *fresh = &recording->fresh;
    struct history_minute minute = { .minute_us = recording->minute_us,
                                     .fingerprint = "other",
                                     .calls = fresh->tally.other };
    if (minute.calls == 0)
        return;
    minute_fill(&fresh->rest, &recording->minute.rest, &minute);
    history_record_minute(recording->history, &minute);
}

static void empty(struct statements *statements)
{
    struct hash_key key = statements->tally.key;
    size_t entries_most = statements->tally.entries_most;
    statements_release(statements);
    statements_init(statements, &key, entries_most);
}

static void tell_fresh(struct recording *recording, int64_t now_us)
{
    struct statements *fresh = &recording->fresh;
    recording->told_us = now_us;
    if (fresh->tally.total == 0)
        return;
    LIST_EACH(node, &fresh->tally.recent)
    {
        tell_entry(recording, CONTAINER_OF(node, struct statement_entry, entry.recent));
    }
    tell_rest(recording);
    empty(fresh);
}

void recording_end(struct recording *recording)
{
    if (recording->history != NULL) {
        tell_fresh(recording, recording->told_us);
        history_destroy(recording->history);
    }
    if (recording->has_minute) {
        statements_release(&recording->minute);
        statements_release(&recording->fresh);
    }
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

/* What waits for a file that cannot be written is to take little room: whole minutes. */
static bool is_time_to_tell(const struct recording *recording, int64_t now_us)
{
    struct history_state state;
    int64_t passed_us = now_us - recording->told_us;
    if (passed_us >= 0 && passed_us < TELL_US)
        return false;
    history_state(recording->history, &state);
    return state.health == HISTORY_OK && state.flushed_us > 0;
}

void recording_tick(struct recording *recording, int64_t now_us)
{
    int64_t minute_us = entry_minute(now_us);
    if (recording->history == NULL)
        return;
    bool is_over = minute_us != recording->minute_us;
    if (is_over || is_time_to_tell(recording, now_us))
        tell_fresh(recording, now_us);
    if (!is_over)
        return;
    empty(&recording->minute);
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
    statements_merge(&recording->fresh, &harvest->statements);
}

bool recording_state(const struct recording *recording, struct history_state *out)
{
    if (recording->history == NULL)
        return false;
    history_state(recording->history, out);
    return true;
}
