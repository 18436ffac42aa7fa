/* SPDX-License-Identifier: PostgreSQL */
/* What the program itself has to say in the log. */
#include "app/clock.h"
#include "app/sluice.h"

#include <stdio.h>
#include <unistd.h>

void sluice_log_problem(struct sluice *sluice, const struct problem *problem)
{
    struct text text;
    char storage[PROBLEM_TEXT_SIZE + PROBLEM_FILE_SIZE + 64];
    text_init(&text, storage, sizeof(storage));
    problem_describe(problem, &text);
    enum log_level level = problem->is_warning ? LOG_WARNING : LOG_ERROR;
    if (!log_file_wants(&sluice->log, level))
        return;
    log_bytes(log_file_begin(&sluice->log, clock_now(), level, "problem"), "text", text_bytes(&text));
    log_file_write(&sluice->log);
}

void sluice_log_problems(struct sluice *sluice, const struct problems *problems)
{
    size_t kept = problems->count < PROBLEMS_KEPT ? problems->count : PROBLEMS_KEPT;
    for (size_t index = 0; index < kept; index++)
        sluice_log_problem(sluice, &problems->kept[index]);
}

void sluice_log_event(struct sluice *sluice, const char *event)
{
    if (!log_file_wants(&sluice->log, LOG_INFO))
        return;
    (void)log_file_begin(&sluice->log, clock_now(), LOG_INFO, event);
    log_file_write(&sluice->log);
}

void sluice_log_start(struct sluice *sluice)
{
    if (!log_file_wants(&sluice->log, LOG_INFO))
        return;
    struct log_line *line = log_file_begin(&sluice->log, clock_now(), LOG_INFO, "started");
    log_string(line, "version", PGSLUICE_VERSION);
    log_integer(line, "pid", getpid());
    log_string(line, "settings", sluice->path);
    for (size_t index = 0; index < sluice->started->listen.count; index++) {
        struct text text;
        char storage[ADDRESS_TEXT_SIZE + 16];
        text_init(&text, storage, sizeof(storage));
        address_describe(&sluice->started->listen.items[index].address, &text);
        log_bytes(line, "listen", text_bytes(&text));
    }
    log_string(line, "guard", guard_mode_name(sluice->keeper.policy->mode));
    log_integer(line, "workers", sluice->worker_count);
    log_file_write(&sluice->log);
}

/* Says when the gate opens, closes or freezes. */
void sluice_log_gate(struct sluice *sluice, int64_t now_us)
{
    const struct gate_span *span = gate_at(&sluice->keeper.policy->gate, now_us);
    char shown[sizeof(sluice->gate_shown)] = "";
    if (span != NULL)
        (void)snprintf(shown, sizeof(shown), "%d %s", (int)span->allow, span->name);
    if (strcmp(shown, sluice->gate_shown) == 0)
        return;
    memcpy(sluice->gate_shown, shown, sizeof(shown));
    if (!log_file_wants(&sluice->log, LOG_INFO))
        return;
    bool is_open = span != NULL && !span->is_freeze;
    struct log_line *line =
        log_file_begin(&sluice->log, now_us, LOG_INFO, is_open ? "window_opened" : "window_closed");
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
