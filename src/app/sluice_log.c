/* SPDX-License-Identifier: PostgreSQL */
/* What the program itself has to say in the log. */
#include "app/clock.h"
#include "app/sluice.h"

#include <stdio.h>
#include <unistd.h>

void sluice_log_problem(struct sluice *sluice, const struct problem *problem)
{
    enum log_level level = problem->is_warning ? LOG_WARNING : LOG_ERROR;
    struct log_line *line = log_file_begin_at(&sluice->log, clock_now(), level, NOTICE_PROBLEM);
    if (line == NULL)
        return;
    if (problem->file[0] != '\0')
        log_string(line, "file", problem->file);
    if (problem->line > 0) {
        log_integer(line, "line", problem->line);
        log_integer(line, "column", problem->column);
    }
    log_string(line, "text", problem->text);
    log_file_write(&sluice->log);
}

void sluice_log_problems(struct sluice *sluice, const struct problems *problems)
{
    size_t kept = problems->count < PROBLEMS_KEPT ? problems->count : PROBLEMS_KEPT;
    for (size_t index = 0; index < kept; index++)
        sluice_log_problem(sluice, &problems->kept[index]);
}

void sluice_log_notice(struct sluice *sluice, enum notice notice)
{
    if (log_file_begin(&sluice->log, clock_now(), notice) != NULL)
        log_file_write(&sluice->log);
}

/* One value: a key stands once in a line. */
static void log_listeners(struct log_line *line, const struct settings *settings)
{
    char storage[LOG_VALUE_SIZE];
    struct text text;
    text_init(&text, storage, sizeof(storage));
    for (size_t index = 0; index < settings->listen.count; index++) {
        text_append_string(&text, index > 0 ? "," : "");
        address_describe(&settings->listen.items[index].address, &text);
    }
    log_bytes(line, "listen", text_bytes(&text));
}

void sluice_log_start(struct sluice *sluice)
{
    struct log_line *line = log_file_begin(&sluice->log, clock_now(), NOTICE_STARTED);
    if (line == NULL)
        return;
    log_string(line, "version", PGSLUICE_VERSION);
    log_integer(line, "pid", getpid());
    log_string(line, "settings", sluice->path);
    log_listeners(line, sluice->started);
    log_string(line, "guard", guard_mode_name(sluice->keeper.policy->mode));
    log_integer(line, "workers", sluice->worker_count);
    log_string(line, "io", worker_io(sluice->workers[0]));
    if (worker_uring_missing(sluice->workers[0])[0] != '\0')
        log_string(line, "reason", worker_uring_missing(sluice->workers[0]));
    log_file_write(&sluice->log);
}

void sluice_log_stall(struct sluice *sluice, enum notice notice, const struct stall *stall)
{
    struct log_line *line = log_file_begin(&sluice->log, clock_now(), notice);
    if (line == NULL)
        return;
    log_integer(line, "worker", stall->worker);
    log_integer(line, "thread", worker_thread_id(sluice->workers[stall->worker]));
    log_integer(line, "connections", (int64_t)stall->connections);
    log_integer(line, "duration_us", (int64_t)stall->lasted_ms * 1000);
    if (notice == NOTICE_WORKER_RECOVERED)
        log_integer(line, "handed", (int64_t)stall->handed);
    log_file_write(&sluice->log);
}

void sluice_log_host(struct sluice *sluice, const struct host_change *change)
{
    char storage[ADDRESS_TEXT_SIZE + 16];
    struct text host;
    struct log_line *line = log_file_begin(&sluice->log, clock_now(), NOTICE_HOST_CHANGED);
    if (line == NULL)
        return;
    text_init(&host, storage, sizeof(storage));
    address_describe(change->host, &host);
    log_string(line, "upstream", change->upstream);
    log_bytes(line, "host", text_bytes(&host));
    log_string(line, "state", host_fitness_about(change->fitness));
    if (change->reason[0] != '\0')
        log_string(line, "reason", change->reason);
    log_file_write(&sluice->log);
}

static void log_given(struct log_line *line, const char *key, const char *value)
{
    if (value[0] != '\0')
        log_string(line, key, value);
}

void sluice_log_deploy(struct sluice *sluice, const struct deploy_verdict *verdict)
{
    const struct deploy *deploy = verdict->deploy;
    struct log_line *line = log_file_begin(&sluice->log, clock_now(), NOTICE_DEPLOY_WORSE);
    if (line == NULL)
        return;
    log_string(line, "service", verdict->row->service);
    log_string(line, "database", deploy->database);
    log_string(line, "reason", verdict->row->reason);
    log_integer(line, "deploy", (int64_t)deploy->number);
    log_time(line, "started", deploy->started_us);
    log_integer(line, "changes", (int64_t)deploy->changes);
    log_given(line, "objects", deploy->objects);
    log_given(line, "changed_by", deploy->service);
    log_given(line, "user", deploy->user);
    log_given(line, "application_name", deploy->application_name);
    log_given(line, "command", deploy->command);
    log_given(line, "statement", deploy->statement);
    log_file_write(&sluice->log);
}

void sluice_log_survey(struct sluice *sluice, const struct survey_news *news)
{
    enum notice notice = news->is_readable ? NOTICE_CATALOG_READ : NOTICE_CATALOG_UNREAD;
    struct log_line *line = log_file_begin(&sluice->log, clock_now(), notice);
    if (line == NULL)
        return;
    log_string(line, "database", news->database);
    if (news->is_readable)
        log_integer(line, "constraints", (int64_t)news->constraints);
    else
        log_string(line, "reason", news->reason);
    log_file_write(&sluice->log);
}

/* What has no name, as NOT NULL before PostgreSQL 18, is called by its column. */
static bool constraint_write(struct log_file *file, const struct constraint_change *change)
{
    struct log_line *line = log_file_begin(file, clock_now(), NOTICE_CONSTRAINT_CHANGED);
    if (line == NULL)
        return true;
    log_string(line, "database", change->database);
    log_string(line, "schema", change->schema);
    log_string(line, "table", change->table);
    log_given(line, "constraint", change->name[0] != '\0' ? change->name : change->columns);
    log_string(line, "kind", constraint_kind_name(change->kind));
    log_string(line, "change", change->words);
    log_string(line, "difference", change->difference);
    log_given(line, "before", change->before);
    log_given(line, "after", change->after);
    log_time(line, "not_before", change->not_before_us);
    return log_file_write(file);
}

void sluice_log_constraint(struct sluice *sluice, const struct constraint_change *change)
{
    (void)constraint_write(&sluice->log, change);
    if (sluice->audit.is_on && !constraint_write(&sluice->audit.file, change))
        sluice->audit.lost++;
}

void sluice_log_audit(struct sluice *sluice)
{
    uint64_t lost = audit_take_lost(&sluice->audit);
    struct log_line *line = lost > 0 ? log_file_begin(&sluice->log, clock_now(), NOTICE_AUDIT_LOST) : NULL;
    if (line == NULL)
        return;
    log_string(line, "file", sluice->current->audit.file);
    log_integer(line, "count", (int64_t)lost);
    log_file_write(&sluice->log);
}

static void log_history(struct sluice *sluice, enum notice notice, const char *key, const char *value,
                        const char *reason)
{
    struct log_line *line = log_file_begin(&sluice->log, clock_now(), notice);
    if (line == NULL)
        return;
    log_string(line, "file", sluice->started->history.file);
    if (key != NULL)
        log_string(line, key, value);
    if (reason != NULL)
        log_string(line, "reason", reason);
    log_file_write(&sluice->log);
}

static void log_history_gap(struct sluice *sluice, const struct history_state *state)
{
    struct log_line *line = log_file_begin(&sluice->log, clock_now(), NOTICE_HISTORY_GAP);
    if (line == NULL)
        return;
    log_string(line, "file", sluice->started->history.file);
    log_time(line, "since", state->gap_from_us);
    log_file_write(&sluice->log);
}

static void log_history_losses(struct sluice *sluice, const struct history_state *state)
{
    struct log_line *line = log_file_begin(&sluice->log, clock_now(), NOTICE_HISTORY_DROPPED);
    if (line == NULL)
        return;
    log_integer(line, "count", (int64_t)state->dropped_rows);
    log_integer(line, "unnamed", (int64_t)state->unnamed_counts);
    log_file_write(&sluice->log);
}

void sluice_log_history(struct sluice *sluice)
{
    struct history_state state;
    struct recording *recording = &sluice->observer.recording;
    struct recording_told *told = &recording->told;
    if (!recording_state(recording, &state))
        return;
    if (state.files_set_aside > told->files_set_aside)
        log_history(sluice, NOTICE_HISTORY_SET_ASIDE, "aside", state.set_aside, state.set_aside_why);
    if (state.health != told->health && state.health == HISTORY_DEGRADED)
        log_history(sluice, NOTICE_HISTORY_DEGRADED, NULL, NULL, state.why);
    else if (state.health != told->health)
        log_history(sluice, NOTICE_HISTORY_RESTORED, NULL, NULL, NULL);
    if (state.gap_from_us != 0 && told->gap_from_us == 0)
        log_history_gap(sluice, &state);
    bool has_lost = state.dropped_rows > told->dropped_rows;
    if (has_lost && state.health == HISTORY_OK)
        log_history_losses(sluice, &state);
    told->dropped_rows = state.health == HISTORY_OK ? state.dropped_rows : told->dropped_rows;
    told->files_set_aside = state.files_set_aside;
    told->health = state.health;
    told->gap_from_us = state.gap_from_us;
}

void sluice_log_gate(struct sluice *sluice, int64_t now_us)
{
    const struct gate_span *span = gate_at(&sluice->keeper.policy->gate, now_us);
    char shown[sizeof(sluice->gate_shown)] = "";
    if (span != NULL)
        (void)snprintf(shown, sizeof(shown), "%d %s", (int)span->allow, span->name);
    if (strcmp(shown, sluice->gate_shown) == 0)
        return;
    memcpy(sluice->gate_shown, shown, sizeof(shown));
    bool is_open = span != NULL && !span->is_freeze;
    struct log_line *line =
        log_file_begin(&sluice->log, now_us, is_open ? NOTICE_WINDOW_OPENED : NOTICE_WINDOW_CLOSED);
    if (line == NULL)
        return;
    if (is_open) {
        log_string(line, "window", span->name);
        log_string(line, "allow", safety_level_name(span->allow));
        log_time(line, "until", span->to_us);
    } else if (span != NULL) {
        log_string(line, "freeze", span->name);
        log_time(line, "until", span->to_us);
    }
    if (span != NULL && span->reason[0] != '\0')
        log_string(line, "reason", span->reason);
    log_file_write(&sluice->log);
}

/* What an operator did to the gate stands in the log and in the audit. */
struct act {
    enum notice notice;
    const char *operator_name;
    const char *window; /* NULL: none */
    const char *allow;
    int64_t until_us; /* INT64_MAX: not said */
    const struct scope *scope;
    const char *reason;
};

static bool act_write(struct log_file *file, const struct act *act)
{
    struct log_line *line = log_file_begin(file, clock_now(), act->notice);
    if (line == NULL)
        return true;
    if (act->window != NULL)
        log_string(line, "window", act->window);
    log_string(line, "operator", act->operator_name);
    if (act->window != NULL)
        log_string(line, "allow", act->allow);
    if (act->until_us != INT64_MAX)
        log_time(line, "until", act->until_us);
    log_given(line, "service", act->scope->service);
    log_given(line, "user", act->scope->user);
    log_given(line, "database", act->scope->database);
    log_given(line, "reason", act->reason);
    return log_file_write(file);
}

static void act_log(struct sluice *sluice, const struct act *act)
{
    (void)act_write(&sluice->log, act);
    if (sluice->audit.is_on && !act_write(&sluice->audit.file, act))
        sluice->audit.lost++;
}

void sluice_log_opening(struct sluice *sluice, enum notice notice, const struct opening *opening,
                        const char *operator_name)
{
    struct act act = { .notice = notice,
                       .operator_name = operator_name,
                       .window = opening->name,
                       .allow = safety_level_name(opening->allow),
                       .until_us = opening->to_us,
                       .scope = &opening->scope,
                       .reason = opening->reason };
    act_log(sluice, &act);
}

void sluice_log_readonly(struct sluice *sluice, enum notice notice, const struct readonly_order *order,
                         const char *operator_name, const char *reason)
{
    struct act act = { .notice = notice,
                       .operator_name = operator_name,
                       .until_us = order->until_us,
                       .scope = &order->scope,
                       .reason = reason };
    act_log(sluice, &act);
}
