/* SPDX-License-Identifier: PostgreSQL */
#include "recollection_rows.h"

#include <stdlib.h>

enum { SECOND_US = 1000000, ROWS_MOST = 1000000, BYTES_MOST = 64 * 1024 * 1024 };

static const int64_t patience_us = 60 * (int64_t)SECOND_US;
static const int64_t unwatched_us = 3600 * (int64_t)SECOND_US;

/* An instant of the history, µs since 1970, as an expression. */
#define MICROSECONDS(column)                                                                                 \
    "(CAST(strftime('%s', substr(" column ", 1, 19)) AS INTEGER) * 1000000 + CAST(substr(" column            \
    ", 21, 6) AS INTEGER))"

static bool on_columns(void *context, const struct history_column *columns, size_t count)
{
    (void)context;
    (void)columns;
    (void)count;
    return true;
}

bool recollection_ask(const struct recollection_question *question)
{
    struct history_failure failure;
    const struct history_value parameters[] = {
        history_text(question->from), history_text(question->until != NULL ? question->until : "")
    };
    const struct history_question asked = {
        .sql = bytes_text(question->sql),
        .parameters = parameters,
        .parameter_count = question->until != NULL ? 2 : 1,
        .limits = { patience_us, ROWS_MOST, BYTES_MOST, question->is_cancelled },
        .on_columns = on_columns,
        .on_row = question->on_row,
        .context = question->context,
    };
    return history_query_file(question->path, &asked, &failure) == HISTORY_ANSWERED;
}

void recollection_copy(char *out, size_t capacity, const struct history_value *value)
{
    (void)bytes_copy_text(value->type == HISTORY_TEXT ? value->text : bytes_text(""), out, capacity);
}

/* ── Incidents ─────────────────────────────────────────────────────────────────────────────────────────────
 */

/* A start that came to nothing may lie between: not only of the last run. */
static const char incidents_sql[] =
    "SELECT run, incident, " MICROSECONDS("incidents.started") ", " MICROSECONDS(
        "detected") ", " MICROSECONDS("flushed") ", service, database, schema_name, table_name, about = "
                                                 "'family', subject, sqlstate, kind,"
                                                 " is_first, is_spike, count, rate, baseline, peak, "
                                                 "fingerprint, statement, route,"
                                                 " definition, difference, near_miss FROM incidents JOIN "
                                                 "runs USING (run)"
                                                 " WHERE incidents.ended IS NULL AND flushed >= $1 AND run < "
                                                 "(SELECT max(run) FROM runs)"
                                                 " ORDER BY run DESC, incident LIMIT 256";

static const char highest_sql[] = "SELECT ifnull(max(incident), 0) FROM incidents WHERE $1 <> ''";

enum incident_column {
    COLUMN_RUN,
    COLUMN_NUMBER,
    COLUMN_STARTED,
    COLUMN_DETECTED,
    COLUMN_FLUSHED,
    COLUMN_SERVICE,
    COLUMN_DATABASE,
    COLUMN_SCHEMA,
    COLUMN_TABLE,
    COLUMN_IS_FAMILY,
    COLUMN_SUBJECT,
    COLUMN_SQLSTATE,
    COLUMN_KIND,
    COLUMN_IS_FIRST,
    COLUMN_IS_SPIKE,
    COLUMN_COUNT_SO_FAR,
    COLUMN_RATE,
    COLUMN_BASELINE,
    COLUMN_PEAK,
    COLUMN_FINGERPRINT,
    COLUMN_STATEMENT,
    COLUMN_ROUTE,
    COLUMN_DEFINITION,
    COLUMN_DIFFERENCE,
    COLUMN_NEAR_MISS,
    INCIDENT_COLUMN_COUNT
};

static double real_of(const struct history_value *value)
{
    return value->type == HISTORY_REAL ? value->real : (double)value->integer;
}

static void incident_read(const struct history_value *values, struct incident *out)
{
    *out = (struct incident){
        .key.subject = values[COLUMN_IS_FAMILY].integer != 0 ? INCIDENT_FAMILY : INCIDENT_CONSTRAINT,
        .number = (uint64_t)values[COLUMN_NUMBER].integer,
        .state = values[COLUMN_IS_SPIKE].integer != 0 ? INCIDENT_SPIKE : INCIDENT_FIRST,
        .is_first = values[COLUMN_IS_FIRST].integer != 0,
        .started_us = values[COLUMN_STARTED].integer,
        .detected_us = values[COLUMN_DETECTED].integer,
        .ended_us = values[COLUMN_FLUSHED].integer,
        .baseline = real_of(&values[COLUMN_BASELINE]),
        .rate = real_of(&values[COLUMN_RATE]),
        .count = (uint64_t)values[COLUMN_COUNT_SO_FAR].integer,
        .peak = (uint64_t)values[COLUMN_PEAK].integer,
    };
    RECOLLECT(out->key.service, &values[COLUMN_SERVICE]);
    RECOLLECT(out->key.schema, &values[COLUMN_SCHEMA]);
    RECOLLECT(out->key.table, &values[COLUMN_TABLE]);
    RECOLLECT(out->key.name, &values[COLUMN_SUBJECT]);
}

static bool on_incident(void *context, const struct history_value *values, size_t count)
{
    struct recollection *recollection = context;
    struct vigil_past *past = &recollection->past;
    if (count != INCIDENT_COLUMN_COUNT || past->incident_count == VIGIL_OPEN_MOST)
        return false;
    struct vigil_open *open = &past->incidents[past->incident_count++];
    struct incident_note *note = &open->note;
    *open = (struct vigil_open){ .run = values[COLUMN_RUN].integer };
    incident_read(values, &note->incident);
    RECOLLECT(note->database, &values[COLUMN_DATABASE]);
    RECOLLECT(note->sqlstate, &values[COLUMN_SQLSTATE]);
    RECOLLECT(note->kind, &values[COLUMN_KIND]);
    RECOLLECT(note->fingerprint, &values[COLUMN_FINGERPRINT]);
    RECOLLECT(note->statement, &values[COLUMN_STATEMENT]);
    RECOLLECT(note->route, &values[COLUMN_ROUTE]);
    RECOLLECT(note->definition, &values[COLUMN_DEFINITION]);
    RECOLLECT(note->difference, &values[COLUMN_DIFFERENCE]);
    RECOLLECT(note->near_miss, &values[COLUMN_NEAR_MISS]);
    return true;
}

static bool on_highest(void *context, const struct history_value *values, size_t count)
{
    struct recollection *recollection = context;
    recollection->past.highest_number = count == 1 ? (uint64_t)values[0].integer : 0;
    return true;
}

bool recollection_read_incidents(struct recollection *recollection)
{
    char since[HISTORY_TIME_SIZE];
    struct recollection_question question = {
        .path = recollection->path,
        .is_cancelled = &recollection->is_cancelled,
        .sql = incidents_sql,
        .from = since,
        .on_row = on_incident,
        .context = recollection,
    };
    entry_time(recollection->now_us - unwatched_us, since);
    recollection->past.incidents = calloc(VIGIL_OPEN_MOST, sizeof *recollection->past.incidents);
    if (recollection->past.incidents == NULL || !recollection_ask(&question))
        return false;
    question.sql = highest_sql;
    question.on_row = on_highest;
    return recollection_ask(&question);
}

/* ── Schema changes ────────────────────────────────────────────────────────────────────────────────────────
 */

static const char changes_sql[] = "SELECT " MICROSECONDS(
    "ifnull(outcome_time, time)") ", session, change, service, database, user_name, application_name,"
                                  " address, command, objects, rule, window_name, ifnull(outcome_reason,"
                                  " ''), statement, outcome"
                                  " FROM ddl WHERE time >= $1 AND decision <> 'refused'"
                                  " AND outcome NOT IN ('failed', 'undone')"
                                  " AND run < (SELECT max(run) FROM runs) ORDER BY time DESC LIMIT 1000";

enum change_column {
    CHANGED_AT,
    CHANGED_SESSION,
    CHANGED_NUMBER,
    CHANGED_SERVICE,
    CHANGED_DATABASE,
    CHANGED_USER,
    CHANGED_APPLICATION,
    CHANGED_ADDRESS,
    CHANGED_COMMAND,
    CHANGED_OBJECTS,
    CHANGED_RULE,
    CHANGED_WINDOW,
    CHANGED_REASON,
    CHANGED_STATEMENT,
    CHANGED_OUTCOME,
    CHANGED_COUNT
};

static enum change_state state_of(const struct history_value *value)
{
    for (unsigned state = 0; state < CHANGE_STATE_COUNT; state++)
        if (bytes_equal(value->text, bytes_text(change_state_name((enum change_state)state))))
            return (enum change_state)state;
    return CHANGE_UNKNOWN;
}

static bool on_change(void *context, const struct history_value *values, size_t count)
{
    struct recollection *recollection = context;
    if (count != CHANGED_COUNT || recollection->change_count == RECOLLECTED_CHANGES_MOST)
        return false;
    struct recollected_change *change = &recollection->changes[recollection->change_count++];
    struct event *event = &change->event;
    change->state = state_of(&values[CHANGED_OUTCOME]);
    event->kind = EVENT_DDL_PASSED;
    event->time_us = values[CHANGED_AT].integer;
    event->session = (uint64_t)values[CHANGED_SESSION].integer;
    event->change = (uint32_t)values[CHANGED_NUMBER].integer;
    RECOLLECT(event->violation.service, &values[CHANGED_SERVICE]);
    RECOLLECT(event->violation.database, &values[CHANGED_DATABASE]);
    RECOLLECT(event->violation.user, &values[CHANGED_USER]);
    RECOLLECT(event->application_name, &values[CHANGED_APPLICATION]);
    RECOLLECT(event->address, &values[CHANGED_ADDRESS]);
    RECOLLECT(event->command, &values[CHANGED_COMMAND]);
    RECOLLECT(event->objects, &values[CHANGED_OBJECTS]);
    RECOLLECT(event->rule, &values[CHANGED_RULE]);
    RECOLLECT(event->window, &values[CHANGED_WINDOW]);
    RECOLLECT(event->reason, &values[CHANGED_REASON]);
    RECOLLECT(event->violation.statement, &values[CHANGED_STATEMENT]);
    return true;
}

static const char differences_sql[] = "SELECT " MICROSECONDS("time") ", " MICROSECONDS(
    "not_before") ", database, schema_name, table_name, constraint_name, difference"
                  " FROM constraint_changes WHERE time >= $1 AND run < (SELECT max(run) FROM runs)"
                  " ORDER BY time DESC LIMIT 1000";

enum difference_column {
    DIFFERENT_AT,
    DIFFERENT_NOT_BEFORE,
    DIFFERENT_DATABASE,
    DIFFERENT_SCHEMA,
    DIFFERENT_TABLE,
    DIFFERENT_CONSTRAINT,
    DIFFERENT_TEXT,
    DIFFERENT_COUNT
};

static bool on_difference(void *context, const struct history_value *values, size_t count)
{
    struct recollection *recollection = context;
    if (count != DIFFERENT_COUNT || recollection->difference_count == RECOLLECTED_CHANGES_MOST)
        return false;
    struct history_constraint_change *change = &recollection->differences[recollection->difference_count++];
    change->time_us = values[DIFFERENT_AT].integer;
    change->not_before_us = values[DIFFERENT_NOT_BEFORE].integer;
    RECOLLECT(change->database, &values[DIFFERENT_DATABASE]);
    RECOLLECT(change->schema, &values[DIFFERENT_SCHEMA]);
    RECOLLECT(change->table, &values[DIFFERENT_TABLE]);
    RECOLLECT(change->constraint, &values[DIFFERENT_CONSTRAINT]);
    RECOLLECT(change->difference, &values[DIFFERENT_TEXT]);
    return true;
}

void recollection_read_changes(struct recollection *recollection, int64_t since_us)
{
    char since[HISTORY_TIME_SIZE];
    struct recollection_question question = {
        .path = recollection->path,
        .is_cancelled = &recollection->is_cancelled,
        .sql = changes_sql,
        .from = since,
        .on_row = on_change,
        .context = recollection,
    };
    entry_time(since_us, since);
    recollection->changes = calloc(RECOLLECTED_CHANGES_MOST, sizeof *recollection->changes);
    recollection->differences = calloc(RECOLLECTED_CHANGES_MOST, sizeof *recollection->differences);
    if (recollection->changes == NULL || recollection->differences == NULL)
        return;
    bool is_asked = recollection_ask(&question);
    question.sql = differences_sql;
    question.on_row = on_difference;
    if (is_asked && !recollection_ask(&question))
        recollection->difference_count = 0;
}
