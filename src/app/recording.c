/* SPDX-License-Identifier: PostgreSQL */
#include "app/recording.h"

#include "sql/shape.h"

enum {
    FLUSH_US = 500 * 1000,
    TELL_US = 400 * 1000, /* at every other tick of four a second */
    WAITING_BYTES_MOST = 16 * 1024 * 1024,
    WAITING_COUNTS_MOST = 50000,
    NEW_ONES_PART = 8, /* of the names of a minute, how many may be new at once */
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
    recording->has_minute = true;
    recording->history = history_create(&options);
    return recording->history != NULL;
}

/* What was not told yet, with the latencies of the whole minute so far. */
static void tell(struct recording *recording, struct statement_entry *entry, uint64_t calls,
                 struct history_minute *minute)
{
    const struct histogram *latency = &entry->sums.latency;
    const struct statement_told *told = &entry->told;
    memcpy(minute->service, entry->service, sizeof(minute->service));
    memcpy(minute->database, entry->database, sizeof(minute->database));
    memcpy(minute->user, entry->user, sizeof(minute->user));
    minute->minute_us = recording->minute_us;
    minute->calls = calls - told->calls;
    minute->errors = entry->sums.errors - told->errors;
    minute->rows = entry->sums.rows - told->rows;
    minute->bytes = entry->sums.bytes - told->bytes;
    minute->p50_us = histogram_percentile(latency, PERCENT_MEDIAN);
    minute->p95_us = histogram_percentile(latency, PERCENT_HIGH);
    minute->p99_us = histogram_percentile(latency, PERCENT_HIGHEST);
    minute->longest_us = histogram_percentile(latency, PERCENT_ALL);
    history_record_minute(recording->history, minute);
    entry->told = (struct statement_told){ calls, entry->sums.errors, entry->sums.rows, entry->sums.bytes };
}

static void tell_entry(struct recording *recording, struct statement_entry *entry)
{
    struct history_minute minute = { .calls = 0 };
    bool is_first = entry->told.calls == 0;
    shape_text(entry->shape, minute.fingerprint);
    if (is_first)
        memcpy(minute.statement, entry->text, sizeof(minute.statement));
    recording->named += is_first ? 1 : 0;
    tell(recording, entry, entry->entry.count, &minute);
}

static void tell_rest(struct recording *recording)
{
    struct statements *statements = &recording->minute;
    struct history_minute minute = { .fingerprint = "other" };
    if (statements->tally.other > statements->rest.told.calls)
        tell(recording, &statements->rest, statements->tally.other, &minute);
}

/* The latest first. Of those that are new `most` at most: where texts hardly ever come again, as a minute's
 * entries give their places up, neither file nor disk is to pay for each. */
static void tell_entries(struct recording *recording, size_t most)
{
    const struct list *recent = &recording->minute.tally.recent;
    for (struct list *node = recent->previous; node != recent; node = node->previous) {
        struct statement_entry *entry = CONTAINER_OF(node, struct statement_entry, entry.recent);
        bool is_new = entry->told.calls == 0;
        if (entry->entry.count == entry->told.calls || (is_new && most == 0))
            continue;
        most -= is_new ? 1 : 0;
        tell_entry(recording, entry);
    }
}

static size_t names_left(const struct recording *recording)
{
    return recording->minute.tally.entries_most - recording->named;
}

static void tell_news(struct recording *recording)
{
    size_t most = recording->minute.tally.entries_most / NEW_ONES_PART;
    size_t left = names_left(recording);
    tell_entries(recording, most < left ? most : left);
    tell_rest(recording);
}

static void end_minute(struct recording *recording)
{
    struct statements *statements = &recording->minute;
    struct hash_key key = statements->tally.key;
    size_t entries_most = statements->tally.entries_most;
    tell_entries(recording, names_left(recording));
    tally_give_up(&statements->tally); /* what no name was left for */
    tell_rest(recording);
    statements_release(statements);
    statements_init(statements, &key, entries_most);
    recording->named = 0;
}

void recording_end(struct recording *recording)
{
    if (recording->history != NULL) {
        end_minute(recording);
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
    if (minute_us != recording->minute_us)
        end_minute(recording);
    else if (is_time_to_tell(recording, now_us))
        tell_news(recording);
    else
        return;
    recording->minute_us = minute_us;
    recording->told_us = now_us;
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
