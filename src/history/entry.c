/* SPDX-License-Identifier: PostgreSQL */
#include "history/entry.h"

#include "base/text.h"
#include "history/entry_fields.h"
#include "observe/journal.h"

enum { MINUTE_US = 60 * 1000 * 1000, DATE_SIZE = 10, FRACTIONS_SIZE = 26 };

void entry_time(int64_t time_us, char out[static HISTORY_TIME_SIZE])
{
    struct text text;
    text_init(&text, out, HISTORY_TIME_SIZE);
    text_append_time(&text, time_us);
    if (text.size < FRACTIONS_SIZE)
        return;
    out[DATE_SIZE] = ' ';
    out[FRACTIONS_SIZE] = '\0'; /* in place of Z */
}

int64_t entry_minute(int64_t time_us)
{
    int64_t rest = time_us % MINUTE_US;
    return time_us - (rest < 0 ? rest + MINUTE_US : rest);
}

void field_time(struct record *out, int64_t time_us)
{
    char time[HISTORY_TIME_SIZE];
    entry_time(time_us, time);
    FIELD(out, time);
}

void field_minute(struct record *out, int64_t time_us)
{
    char time[HISTORY_TIME_SIZE];
    entry_time(entry_minute(time_us), time);
    record_field(out, time, FRACTIONS_SIZE - sizeof ".000000" + 1);
}

void field_constant(struct record *out, const char *constant)
{
    record_text(out, bytes_text(constant != NULL ? constant : ""));
}

void field_count(struct record *out, uint64_t count)
{
    record_integer(out, count <= INT64_MAX ? (int64_t)count : INT64_MAX);
}

static void add_session(struct record *out, const struct event *event)
{
    field_time(out, event->time_us);
    record_integer(out, event->worker);
    record_integer(out, (int64_t)event->session);
}

static void add_who(struct record *out, const struct event *event)
{
    FIELD(out, event->violation.service);
    FIELD(out, event->violation.database);
    FIELD(out, event->violation.user);
    FIELD(out, event->application_name);
    FIELD(out, event->address);
}

static void add_violation(struct record *out, const struct event *event)
{
    const struct violation *violation = &event->violation;
    add_who(out, event);
    FIELD(out, violation->sqlstate);
    field_constant(out, violation_kind_name(violation->kind));
    field_constant(out, violation_phase_name(violation->phase));
    FIELD(out, violation->schema);
    FIELD(out, violation->table);
    FIELD(out, violation->column);
    FIELD(out, violation->constraint);
    FIELD(out, violation->datatype);
    FIELD(out, violation->key_columns);
    FIELD(out, violation->fingerprint);
    FIELD(out, violation->statement);
    FIELD(out, violation->route);
    FIELD(out, violation->trace_id);
    if (violation->attempted[0] != '\0')
        FIELD(out, violation->attempted);
    else
        record_null(out);
}

static const char *decision_of(enum event_kind kind)
{
    switch (kind) {
    case EVENT_DDL_PASSED:
        return "passed";
    case EVENT_DDL_REFUSED:
    case EVENT_STATEMENT_REFUSED:
        return "refused";
    case EVENT_DDL_WOULD_REFUSE:
    case EVENT_STATEMENT_WOULD_REFUSE:
        return "would_refuse";
    default:
        return "unseen";
    }
}

static void add_decision(struct record *out, const struct event *event)
{
    add_who(out, event);
    field_constant(out, decision_of(event->kind));
    field_constant(out, change_state_name(event->change > 0 ? CHANGE_PASSED : CHANGE_NONE));
    record_integer(out, event->change);
    FIELD(out, event->command);
    FIELD(out, event->class);
    record_integer(out, event->level);
    FIELD(out, event->objects);
    field_constant(out, event->ground);
    FIELD(out, event->rule);
    FIELD(out, event->window);
    FIELD(out, event->reason);
    FIELD(out, event->violation.fingerprint);
    FIELD(out, event->violation.statement);
}

static void add_refusal(struct record *out, const struct event *event)
{
    add_who(out, event);
    field_constant(out, decision_of(event->kind));
    FIELD(out, event->command);
    FIELD(out, event->objects);
    field_constant(out, event->ground);
    FIELD(out, event->rule);
    FIELD(out, event->reason);
    FIELD(out, event->violation.fingerprint);
    FIELD(out, event->violation.statement);
}

static void add_run(struct record *out, const struct event *event)
{
    enum change_state state = event->kind == EVENT_DDL_FAILED ? CHANGE_FAILED : CHANGE_COMPLETED;
    record_integer(out, event->change);
    field_constant(out, change_state_name(state));
    FIELD(out, event->reason);
    FIELD(out, event->violation.sqlstate);
    record_integer(out, event->duration_us);
}

static enum change_state end_of(enum event_kind kind)
{
    switch (kind) {
    case EVENT_DDL_COMMITTED:
        return CHANGE_COMMITTED;
    case EVENT_DDL_UNDONE:
        return CHANGE_UNDONE;
    default:
        return CHANGE_UNKNOWN;
    }
}

static void add_end(struct record *out, const struct event *event)
{
    record_integer(out, event->change);
    record_integer(out, event->change_last > event->change ? event->change_last : event->change);
    if (event->kind == EVENT_DDL_OUTLIVED)
        return;
    field_constant(out, change_state_name(end_of(event->kind)));
    FIELD(out, event->reason);
}

static void add_close(struct record *out, const struct event *event)
{
    add_who(out, event);
    if (event->kind == EVENT_SESSION_CLOSED)
        field_time(out, event->time_us - event->duration_us);
    else
        record_null(out);
    record_integer(out, event->duration_us);
    FIELD(out, event->reason);
}

typedef void (*entry_rest)(struct record *out, const struct event *event);

/* Which row an event becomes, and what stands in it behind time, worker and session; none of what is not
 * named. */
static const struct {
    enum history_statement statement;
    entry_rest add;
} entries[EVENT_KIND_COUNT] = {
    [EVENT_SESSION_OPENED] = { STATEMENT_SESSION_OPEN, add_who },
    [EVENT_SESSION_CLOSED] = { STATEMENT_SESSION_CLOSE, add_close },
    [EVENT_SESSION_REFUSED] = { STATEMENT_SESSION_CLOSE, add_close },
    [EVENT_VIOLATION] = { STATEMENT_VIOLATION_ADD, add_violation },
    [EVENT_DDL_PASSED] = { STATEMENT_DDL_ADD, add_decision },
    [EVENT_DDL_REFUSED] = { STATEMENT_DDL_ADD, add_decision },
    [EVENT_DDL_WOULD_REFUSE] = { STATEMENT_DDL_ADD, add_decision },
    [EVENT_DDL_UNSEEN] = { STATEMENT_DDL_ADD, add_decision },
    [EVENT_DDL_COMPLETED] = { STATEMENT_DDL_RUN, add_run },
    [EVENT_DDL_FAILED] = { STATEMENT_DDL_RUN, add_run },
    [EVENT_DDL_COMMITTED] = { STATEMENT_DDL_END, add_end },
    [EVENT_DDL_UNDONE] = { STATEMENT_DDL_END, add_end },
    [EVENT_DDL_UNKNOWN] = { STATEMENT_DDL_END, add_end },
    [EVENT_STATEMENT_REFUSED] = { STATEMENT_REFUSED_ADD, add_refusal },
    [EVENT_STATEMENT_WOULD_REFUSE] = { STATEMENT_REFUSED_ADD, add_refusal },
    [EVENT_DDL_OUTLIVED] = { STATEMENT_DDL_OUTLIVED, add_end },
};

bool entry_of_event(const struct event *event, struct record *out)
{
    if (entries[event->kind].add == NULL)
        return false;
    record_begin(out, (uint8_t)entries[event->kind].statement);
    add_session(out, event);
    entries[event->kind].add(out, event);
    return true;
}

void entry_of_minute(const struct history_minute *minute, struct record *out)
{
    record_begin(out, STATEMENT_MINUTE_ADD);
    field_minute(out, minute->minute_us);
    FIELD(out, minute->service);
    FIELD(out, minute->database);
    FIELD(out, minute->user);
    FIELD(out, minute->fingerprint);
    field_count(out, minute->calls);
    field_count(out, minute->errors);
    field_count(out, minute->rows);
    field_count(out, minute->bytes);
    record_integer(out, minute->p50_us);
    record_integer(out, minute->p95_us);
    record_integer(out, minute->p99_us);
    record_integer(out, minute->longest_us);
}

void entry_of_text(const struct history_minute *minute, struct record *out)
{
    record_begin(out, STATEMENT_TEXT_ADD);
    FIELD(out, minute->fingerprint);
    FIELD(out, minute->statement);
}

void entry_of_count(const struct violation *violation, int64_t minute_us, struct record *out)
{
    record_begin(out, STATEMENT_COUNT_ADD);
    field_minute(out, minute_us);
    FIELD(out, violation->service);
    FIELD(out, violation->database);
    FIELD(out, violation->user);
    FIELD(out, violation->sqlstate);
    field_constant(out, violation_kind_name(violation->kind));
    FIELD(out, violation->schema);
    FIELD(out, violation->table);
    FIELD(out, violation->column);
    FIELD(out, violation->constraint);
    FIELD(out, violation->fingerprint);
}

enum { TEXTS_BEFORE_KIND = 4, TEXTS_AFTER_KIND = 5 };

void entry_of_unnamed(int64_t minute_us, struct record *out)
{
    record_begin(out, STATEMENT_COUNT_ADD);
    field_minute(out, minute_us);
    for (unsigned i = 0; i < TEXTS_BEFORE_KIND; i++)
        field_constant(out, "");
    field_constant(out, "other");
    for (unsigned i = 0; i < TEXTS_AFTER_KIND; i++)
        field_constant(out, "");
}
