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

static void log_given(struct log_line *line, const char *key, const char *value)
{
    if (value[0] != '\0')
        log_string(line, key, value);
}

static void log_scope(struct log_line *line, const struct scope *scope)
{
    log_given(line, "service", scope->service);
    log_given(line, "user", scope->user);
    log_given(line, "database", scope->database);
}

void sluice_log_opening(struct sluice *sluice, enum notice notice, const struct opening *opening,
                        const char *operator_name)
{
    struct log_line *line = log_file_begin(&sluice->log, clock_now(), notice);
    if (line == NULL)
        return;
    log_string(line, "window", opening->name);
    log_string(line, "operator", operator_name);
    log_string(line, "allow", safety_level_name(opening->allow));
    log_time(line, "until", opening->to_us);
    log_scope(line, &opening->scope);
    log_string(line, "reason", opening->reason);
    log_file_write(&sluice->log);
}

void sluice_log_readonly(struct sluice *sluice, enum notice notice, const struct readonly_order *order,
                         const char *operator_name, const char *reason)
{
    struct log_line *line = log_file_begin(&sluice->log, clock_now(), notice);
    if (line == NULL)
        return;
    log_string(line, "operator", operator_name);
    if (order->until_us != INT64_MAX)
        log_time(line, "until", order->until_us);
    log_scope(line, &order->scope);
    log_given(line, "reason", reason);
    log_file_write(&sluice->log);
}
