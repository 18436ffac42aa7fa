/* SPDX-License-Identifier: PostgreSQL */
#include "control/show.h"

#include <stdlib.h>

/* Each list below has the columns of one command, once: COLUMN(name, type, value). */
#define COLUMN_DESCRIPTION(name, type, value) { #name, COLUMN_##type },
#define COLUMN_CELL(name, type, value)        RESULT_CELL_##type(result, value);

static size_t rows_most(const struct console_command *command)
{
    return command->count > 0 ? command->count : SHOW_ROWS_DEFAULT;
}

static void append_notice(struct console_outcome *notice, const char *sentence)
{
    struct text text = { notice->message, strlen(notice->message), sizeof notice->message, false };
    text_append_string(&text, text.size > 0 ? " " : "");
    text_append_string(&text, sentence);
}

static void note_silent_workers(const struct snapshot *snapshot, struct console_outcome *notice)
{
    char storage[128];
    struct text text;
    if (snapshot->workers_silent == 0)
        return;
    text_init(&text, storage, sizeof storage);
    text_append_format(&text, "%u of %u workers did not answer in time: their part is missing.",
                       snapshot->workers_silent, snapshot->workers);
    append_notice(notice, storage);
}

static void note_rows_left(size_t shown, size_t all, struct console_outcome *notice)
{
    char storage[128];
    struct text text;
    if (shown >= all)
        return;
    text_init(&text, storage, sizeof storage);
    text_append_format(&text, "%zu of %zu rows are shown; add LIMIT for more.", shown, all);
    append_notice(notice, storage);
}

static const char *level_name(uint8_t level)
{
    bool is_known = level >= LEVEL_NONE && level <= LEVEL_MODIFYING;
    return is_known ? safety_level_name((enum safety_level)level) : NULL;
}

/* A row of SHOW VIOLATIONS: an entry of the ledger, or what no entry holds. */
struct violation_row {
    const char *kind;
    const char *phase;
    const struct ledger_entry *entry;
};

#define VIOLATION_COLUMNS(COLUMN)                                                                            \
    COLUMN(kind, TEXT, row.kind)                                                                             \
    COLUMN(sqlstate, TEXT, row.entry->violation.sqlstate)                                                    \
    COLUMN(schema_name, TEXT, row.entry->violation.schema)                                                   \
    COLUMN(table_name, TEXT, row.entry->violation.table)                                                     \
    COLUMN(column_name, TEXT, row.entry->violation.column)                                                   \
    COLUMN(constraint_name, TEXT, row.entry->violation.constraint)                                           \
    COLUMN(datatype_name, TEXT, row.entry->violation.datatype)                                               \
    COLUMN(service, TEXT, row.entry->violation.service)                                                      \
    COLUMN(database, TEXT, row.entry->violation.database)                                                    \
    COLUMN(user_name, TEXT, row.entry->violation.user)                                                       \
    COLUMN(count, INTEGER, (int64_t)row.entry->entry.count)                                                  \
    COLUMN(first_seen, TIME, row.entry->entry.first_us)                                                      \
    COLUMN(last_seen, TIME, row.entry->entry.last_us)                                                        \
    COLUMN(phase, TEXT, row.phase)                                                                           \
    COLUMN(fingerprint, TEXT, row.entry->violation.fingerprint)                                              \
    COLUMN(statement, TEXT, row.entry->violation.statement)                                                  \
    COLUMN(columns, TEXT, row.entry->violation.key_columns)                                                  \
    COLUMN(route, TEXT, row.entry->violation.route)                                                          \
    COLUMN(trace_id, TEXT, row.entry->violation.trace_id)

static const struct result_column violation_columns[] = { VIOLATION_COLUMNS(COLUMN_DESCRIPTION) };

static void write_violation(struct result *result, struct violation_row row)
{
    result_row_begin(result, COUNT_OF(violation_columns));
    VIOLATION_COLUMNS(COLUMN_CELL)
    result_row_end(result);
}

static bool write_entries(const struct ledger *ledger, size_t most, struct result *result)
{
    if (most == 0)
        return true;
    const struct ledger_entry **entries = calloc(most, sizeof(const struct ledger_entry *));
    if (entries == NULL)
        return false;
    size_t count = ledger_top(ledger, entries, most);
    for (size_t i = 0; i < count; i++) {
        const struct violation *violation = &entries[i]->violation;
        write_violation(result, (struct violation_row){ violation_kind_name(violation->kind),
                                                        violation_phase_name(violation->phase), entries[i] });
    }
    free(entries);
    return true;
}

static bool fill_violations(const struct show_source *source, struct result *result,
                            struct console_outcome *notice)
{
    const struct snapshot *snapshot = source->world->snapshot;
    const struct ledger *ledger = &source->world->totals->violations;
    size_t most = rows_most(source->command);
    most = most < ledger->tally.table.count ? most : ledger->tally.table.count;

    note_silent_workers(snapshot, notice);
    note_rows_left(most, ledger->tally.table.count, notice);
    if (!write_entries(ledger, most, result))
        return false;
    struct ledger_entry other = { .entry = { .count = ledger->tally.other } };
    if (ledger->tally.other > 0)
        write_violation(result, (struct violation_row){ "other", NULL, &other });
    return true;
}

const struct show_form show_violations = { violation_columns, COUNT_OF(violation_columns), fill_violations };

/* A row of SHOW WOULD REFUSE: an entry of the docket, or what no entry holds. */
struct would_refuse_row {
    const char *class;
    const struct docket_entry *entry;
};

#define WOULD_REFUSE_COLUMNS(COLUMN)                                                                         \
    COLUMN(class, TEXT, row.class)                                                                           \
    COLUMN(level, TEXT, level_name(row.entry->level))                                                        \
    COLUMN(command, TEXT, row.entry->command)                                                                \
    COLUMN(objects, TEXT, row.entry->objects)                                                                \
    COLUMN(service, TEXT, row.entry->service)                                                                \
    COLUMN(database, TEXT, row.entry->database)                                                              \
    COLUMN(user_name, TEXT, row.entry->user)                                                                 \
    COLUMN(count, INTEGER, (int64_t)row.entry->entry.count)                                                  \
    COLUMN(first_seen, TIME, row.entry->entry.first_us)                                                      \
    COLUMN(last_seen, TIME, row.entry->entry.last_us)                                                        \
    COLUMN(ground, TEXT, row.entry->ground)                                                                  \
    COLUMN(rule, TEXT, row.entry->rule)                                                                      \
    COLUMN(window, TEXT, row.entry->window)                                                                  \
    COLUMN(reason, TEXT, row.entry->reason)                                                                  \
    COLUMN(fingerprint, TEXT, row.entry->fingerprint)                                                        \
    COLUMN(statement, TEXT, row.entry->statement)

static const struct result_column would_refuse_columns[] = { WOULD_REFUSE_COLUMNS(COLUMN_DESCRIPTION) };

static void statement_would_refuse(struct result *result, struct would_refuse_row row)
{
    result_row_begin(result, COUNT_OF(would_refuse_columns));
    WOULD_REFUSE_COLUMNS(COLUMN_CELL)
    result_row_end(result);
}

static bool write_docket(const struct docket *docket, size_t most, struct result *result)
{
    if (most == 0)
        return true;
    const struct docket_entry **entries = calloc(most, sizeof(const struct docket_entry *));
    if (entries == NULL)
        return false;
    size_t count = docket_top(docket, entries, most);
    for (size_t i = 0; i < count; i++)
        statement_would_refuse(result, (struct would_refuse_row){ entries[i]->class, entries[i] });
    free(entries);
    return true;
}

static bool fill_would_refuse(const struct show_source *source, struct result *result,
                              struct console_outcome *notice)
{
    const struct snapshot *snapshot = source->world->snapshot;
    const struct tally *tally = &snapshot->docket.tally;
    size_t most = rows_most(source->command);
    most = most < tally->table.count ? most : tally->table.count;

    note_silent_workers(snapshot, notice);
    note_rows_left(most, tally->table.count, notice);
    if (!write_docket(&snapshot->docket, most, result))
        return false;
    struct docket_entry other = { .entry = { .count = tally->other } };
    if (tally->other > 0)
        statement_would_refuse(result, (struct would_refuse_row){ "other", &other });
    return true;
}

const struct show_form show_would_refuse = { would_refuse_columns, COUNT_OF(would_refuse_columns),
                                             fill_would_refuse };

/* What SHOW DDL calls the guard's word on the kinds of event that it shows; NULL for the others. */
static const char *ddl_decision(enum event_kind kind)
{
    switch (kind) {
    case EVENT_DDL_PASSED:
        return "passed";
    case EVENT_DDL_REFUSED:
        return "refused";
    case EVENT_DDL_WOULD_REFUSE:
        return "would_refuse";
    case EVENT_DDL_UNSEEN:
        return "unseen";
    default:
        return NULL;
    }
}

/* Nothing while its end was not seen, nor for what did not pass. */
static const char *outcome_name(enum change_state state)
{
    return state == CHANGE_NONE || state == CHANGE_PASSED ? NULL : change_state_name(state);
}

#define DDL_COLUMNS(COLUMN)                                                                                  \
    COLUMN(time, TIME, event->time_us)                                                                       \
    COLUMN(decision, TEXT, ddl_decision(event->kind))                                                        \
    COLUMN(outcome, TEXT, outcome_name(entry->state))                                                        \
    COLUMN(outcome_reason, TEXT, entry->note)                                                                \
    COLUMN(sqlstate, TEXT, entry->sqlstate)                                                                  \
    COLUMN(duration_us, DURATION, entry->duration_us)                                                        \
    COLUMN(command, TEXT, event->command)                                                                    \
    COLUMN(class, TEXT, event->class)                                                                        \
    COLUMN(level, TEXT, level_name(event->level))                                                            \
    COLUMN(objects, TEXT, event->objects)                                                                    \
    COLUMN(service, TEXT, event->violation.service)                                                          \
    COLUMN(user_name, TEXT, event->violation.user)                                                           \
    COLUMN(database, TEXT, event->violation.database)                                                        \
    COLUMN(address, TEXT, event->address)                                                                    \
    COLUMN(application_name, TEXT, event->application_name)                                                  \
    COLUMN(ground, TEXT, event->ground)                                                                      \
    COLUMN(rule, TEXT, event->rule)                                                                          \
    COLUMN(window, TEXT, event->window)                                                                      \
    COLUMN(reason, TEXT, event->reason)                                                                      \
    COLUMN(fingerprint, TEXT, event->violation.fingerprint)                                                  \
    COLUMN(statement, TEXT, event->violation.statement)

static const struct result_column ddl_columns[] = { DDL_COLUMNS(COLUMN_DESCRIPTION) };

static void write_change(struct result *result, const struct journal_entry *entry)
{
    const struct event *event = &entry->event;
    result_row_begin(result, COUNT_OF(ddl_columns));
    DDL_COLUMNS(COLUMN_CELL)
    result_row_end(result);
}

static bool fill_ddl(const struct show_source *source, struct result *result, struct console_outcome *notice)
{
    const struct journal_entry *entry;
    size_t most = rows_most(source->command);
    size_t all = 0;
    for (size_t age = 0; (entry = journal_newest(source->world->journal, age)) != NULL; age++)
        if (ddl_decision(entry->event.kind) != NULL && all++ < most)
            write_change(result, entry);
    note_rows_left(most, all, notice);
    return true;
}

const struct show_form show_ddl = { ddl_columns, COUNT_OF(ddl_columns), fill_ddl };

#define SESSION_COLUMNS(COLUMN)                                                                              \
    COLUMN(id, INTEGER, (int64_t)row->id)                                                                    \
    COLUMN(worker, INTEGER, row->worker)                                                                     \
    COLUMN(service, TEXT, row->service)                                                                      \
    COLUMN(user_name, TEXT, row->user)                                                                       \
    COLUMN(database, TEXT, row->database)                                                                    \
    COLUMN(application_name, TEXT, row->application_name)                                                    \
    COLUMN(address, TEXT, row->address)                                                                      \
    COLUMN(upstream, TEXT, row->upstream)                                                                    \
    COLUMN(client_tls, TEXT, row->client_tls)                                                                \
    COLUMN(server_tls, TEXT, row->server_tls)                                                                \
    COLUMN(phase, TEXT, row->phase)                                                                          \
    COLUMN(in_flight, INTEGER, row->in_flight)                                                               \
    COLUMN(opened, TIME, row->opened_us)                                                                     \
    COLUMN(active, TIME, row->active_us)                                                                     \
    COLUMN(bytes_received, INTEGER, (int64_t)row->bytes_received)                                            \
    COLUMN(bytes_sent, INTEGER, (int64_t)row->bytes_sent)                                                    \
    COLUMN(errors, INTEGER, (int64_t)row->errors)                                                            \
    COLUMN(violations, INTEGER, (int64_t)row->violations)

static const struct result_column session_columns[] = { SESSION_COLUMNS(COLUMN_DESCRIPTION) };

static bool fill_sessions(const struct show_source *source, struct result *result,
                          struct console_outcome *notice)
{
    const struct snapshot *snapshot = source->world->snapshot;
    note_silent_workers(snapshot, notice);
    for (size_t i = 0; i < snapshot->session_count; i++) {
        const struct session_row *row = &snapshot->sessions[i];
        result_row_begin(result, COUNT_OF(session_columns));
        SESSION_COLUMNS(COLUMN_CELL)
        result_row_end(result);
    }
    return true;
}

const struct show_form show_sessions = { session_columns, COUNT_OF(session_columns), fill_sessions };

#define STAT_COLUMNS(COLUMN)                                                                                 \
    COLUMN(name, TEXT, row->name)                                                                            \
    COLUMN(value, INTEGER, (int64_t)counter_value(&snapshot->counters, row))                                 \
    COLUMN(about, TEXT, row->about)

static const struct result_column stat_columns[] = { STAT_COLUMNS(COLUMN_DESCRIPTION) };

static bool fill_stats(const struct show_source *source, struct result *result,
                       struct console_outcome *notice)
{
    const struct snapshot *snapshot = source->world->snapshot;
    size_t count = 0;
    const struct counter_row *rows = counter_rows(&count);
    note_silent_workers(snapshot, notice);
    for (const struct counter_row *row = rows; row < rows + count; row++) {
        result_row_begin(result, COUNT_OF(stat_columns));
        STAT_COLUMNS(COLUMN_CELL)
        result_row_end(result);
    }
    return true;
}

const struct show_form show_stats = { stat_columns, COUNT_OF(stat_columns), fill_stats };
