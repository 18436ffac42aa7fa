/* SPDX-License-Identifier: PostgreSQL */
#include "app/sluice.h"

#include "app/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

enum { TICK_MS = 250, ANSWER_WAIT_MS = 1000, DDL_KEPT = 500, MICROSECONDS_PER_MILLISECOND = 1000 };

/* ── The log ───────────────────────────────────────────────────────────────────────────────────────────────
 */

static void log_problem(struct sluice *sluice, const struct problem *problem)
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

static void log_problems(struct sluice *sluice, const struct problems *problems)
{
    size_t kept = problems->count < PROBLEMS_KEPT ? problems->count : PROBLEMS_KEPT;
    for (size_t index = 0; index < kept; index++)
        log_problem(sluice, &problems->kept[index]);
}

static void log_simple(struct sluice *sluice, const char *event)
{
    if (!log_file_wants(&sluice->log, LOG_INFO))
        return;
    (void)log_file_begin(&sluice->log, clock_now(), LOG_INFO, event);
    log_file_write(&sluice->log);
}

static void log_start(struct sluice *sluice)
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
static void log_gate(struct sluice *sluice, int64_t now_us)
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

/* ── Events of the workers ─────────────────────────────────────────────────────────────────────────────────
 */

static bool is_schema_change(const struct event *event)
{
    return event->kind == EVENT_DDL_PASSED || event->kind == EVENT_DDL_REFUSED ||
           event->kind == EVENT_DDL_WOULD_REFUSE || event->kind == EVENT_DDL_UNSEEN;
}

static void events_take(struct sluice *sluice)
{
    for (uint32_t index = 0; index < sluice->worker_count; index++) {
        struct ring *events = worker_events(sluice->workers[index]);
        const struct event *event;
        while ((event = ring_peek(events)) != NULL) {
            log_file_event(&sluice->log, event);
            if (is_schema_change(event))
                journal_record(&sluice->journal, event);
            ring_discard(events);
        }
    }
}

static bool have_workers_ended(const struct sluice *sluice)
{
    for (uint32_t index = 0; index < sluice->worker_count; index++)
        if (!worker_has_ended(sluice->workers[index]))
            return false;
    return true;
}

static void on_events(uv_async_t *handle)
{
    struct sluice *sluice = CONTAINER_OF(handle, struct sluice, on_events);
    events_take(sluice);
    if (sluice->is_draining && have_workers_ended(sluice))
        uv_stop(&sluice->loop);
}

void sluice_snapshot(struct sluice *sluice, struct snapshot *out)
{
    events_take(sluice);
    snapshot_init(out, &sluice->hash_key, sluice->started->violations.entries * sluice->worker_count);
    for (uint32_t index = 0; index < sluice->worker_count; index++)
        worker_ask(sluice->workers[index], ANSWER_WAIT_MS, out);
}

/* ── Settings and policy ───────────────────────────────────────────────────────────────────────────────────
 */

void sluice_publish_policy(struct sluice *sluice)
{
    for (uint32_t index = 0; index < sluice->worker_count; index++)
        worker_set_policy(sluice->workers[index], sluice->keeper.policy);
    log_gate(sluice, clock_now());
}

static struct log_plan log_plan_of(const struct settings *settings)
{
    return (struct log_plan){
        .format = settings->log.format,
        .level = settings->log.level,
        .path = settings->log.file,
        .violations_most = settings->violations.log_per_second,
    };
}

/* Reads and checks the file with all that is known: its form, then its calendar. */
static struct settings *settings_read(const char *path, struct plan *plan, struct problems *problems)
{
    struct settings *settings = NULL;
    problems_init(problems);
    if (!settings_load(path, &settings, problems))
        return NULL;
    if (!plan_create(plan, settings, clock_now(), problems)) {
        settings_release(settings);
        return NULL;
    }
    return settings;
}

/* Puts new settings in force as far as they can change while running. */
static bool settings_apply(struct sluice *sluice, struct settings *settings, struct plan *plan,
                           struct problem *problem)
{
    struct log_plan log_plan = log_plan_of(settings);
    if (!log_file_open(&sluice->log, &log_plan, problem))
        return false;
    if (!console_host_configure(sluice, settings) ||
        !gatekeeper_set_plan(&sluice->keeper, plan, clock_now())) {
        *problem = (struct problem){ .text = "out of memory" };
        return false;
    }
    if (sluice->current != sluice->started)
        settings_release(sluice->current);
    sluice->current = settings;
    return true;
}

static bool needs_restart(const char *path)
{
    static const char *const fixed[] = { "listen", "upstreams",          "console.address",
                                         "limits", "violations.entries", "workers" };
    for (size_t index = 0; index < COUNT_OF(fixed); index++)
        if (bytes_start_with(bytes_text(path), fixed[index]))
            return true;
    return false;
}

/* Whether the new settings change something that only a start takes up. */
static bool differ_beyond_reload(const struct settings *started, const struct settings *now)
{
    size_t started_count;
    size_t now_count;
    const struct settings_row *before = settings_rows(started, &started_count);
    const struct settings_row *after = settings_rows(now, &now_count);
    size_t left = 0;
    size_t right = 0;
    for (;;) {
        while (left < started_count && !needs_restart(before[left].path))
            left++;
        while (right < now_count && !needs_restart(after[right].path))
            right++;
        if (left == started_count || right == now_count)
            return (left < started_count) != (right < now_count);
        if (strcmp(before[left].path, after[right].path) != 0 ||
            strcmp(before[left].value, after[right].value) != 0)
            return true;
        left++;
        right++;
    }
}

static void reload_refused(struct sluice *sluice, const struct problem *problem,
                           struct console_outcome *outcome)
{
    struct text text;
    outcome_fail(outcome, "F0000", "the settings were not reloaded; the old ones stay in force");
    text_init(&text, outcome->detail, sizeof(outcome->detail));
    problem_describe(problem, &text);
    outcome_hint(outcome, "pgsluice check --config %s shows every problem.", sluice->path);
    log_simple(sluice, "reload_refused");
}

void sluice_reload(struct sluice *sluice, struct console_outcome *outcome)
{
    struct problems *problems = malloc(sizeof(*problems));
    struct plan plan = { .windows = NULL };
    struct problem problem = { .line = 0 };
    if (problems == NULL) {
        outcome_fail(outcome, "53200", "out of memory");
        return;
    }
    struct settings *settings = settings_read(sluice->path, &plan, problems);
    log_problems(sluice, problems);
    if (settings == NULL) {
        reload_refused(sluice, &problems->kept[0], outcome);
    } else if (!settings_apply(sluice, settings, &plan, &problem)) {
        log_problem(sluice, &problem);
        reload_refused(sluice, &problem, outcome);
        plan_release(&plan);
        settings_release(settings);
    } else {
        bool is_partial = differ_beyond_reload(sluice->started, settings);
        (void)snprintf(outcome->message, sizeof(outcome->message), "%s",
                       is_partial ? "the settings were reloaded; listen, upstreams, console.address, limits, "
                                    "violations.entries and workers take effect at the next start"
                                  : "the settings were reloaded");
        sluice_publish_policy(sluice);
        log_simple(sluice, "reloaded");
    }
    free(problems);
}

/* ── Time and signals ──────────────────────────────────────────────────────────────────────────────────────
 */

static void on_tick(uv_timer_t *timer)
{
    struct sluice *sluice = timer->data;
    int64_t now_us = clock_now();
    if (gatekeeper_tick(&sluice->keeper, now_us))
        sluice_publish_policy(sluice);
    log_gate(sluice, now_us);
    log_file_tick(&sluice->log, now_us);
    events_take(sluice);
}

static void drain(struct sluice *sluice)
{
    if (sluice->is_draining)
        _exit(EXIT_FAILURE); /* asked twice: at once */
    sluice->is_draining = true;
    log_simple(sluice, "draining");
    for (uint32_t index = 0; index < sluice->worker_count; index++)
        worker_drain(sluice->workers[index],
                     (uint64_t)sluice->started->limits.drain_timeout / MICROSECONDS_PER_MILLISECOND);
}

static void on_signal(uv_signal_t *handle, int signal_number)
{
    struct sluice *sluice = handle->data;
    struct console_outcome outcome = { .position = 0 };
    if (signal_number == SIGHUP)
        sluice_reload(sluice, &outcome);
    else
        drain(sluice);
}

/* ── Start and end ─────────────────────────────────────────────────────────────────────────────────────────
 */

static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static bool loop_prepare(struct sluice *sluice)
{
    static const int numbers[COUNT_OF(sluice->signals)] = { SIGHUP, SIGTERM, SIGINT };
    if (uv_loop_init(&sluice->loop) != 0 ||
        uv_async_init(&sluice->loop, &sluice->on_events, on_events) != 0 ||
        uv_timer_init(&sluice->loop, &sluice->tick) != 0)
        return false;
    sluice->tick.data = sluice;
    for (size_t index = 0; index < COUNT_OF(numbers); index++) {
        uv_signal_t *handle = &sluice->signals[index];
        if (uv_signal_init(&sluice->loop, handle) != 0 ||
            uv_signal_start(handle, on_signal, numbers[index]) != 0)
            return false;
        handle->data = sluice;
    }
    return uv_timer_start(&sluice->tick, on_tick, TICK_MS, TICK_MS) == 0;
}

static bool resources_prepare(struct sluice *sluice, struct problem *problem)
{
    bool is_ready =
        getrandom(&sluice->hash_key, sizeof(sluice->hash_key), 0) == (ssize_t)sizeof(sluice->hash_key) &&
        journal_init(&sluice->journal, DDL_KEPT) && loop_prepare(sluice);
    sluice->workers = calloc(sluice->started->workers, sizeof(struct worker *));
    if (!is_ready || sluice->workers == NULL)
        *problem = (struct problem){ .text = "memory, randomness or the event loop is not to be had" };
    return is_ready && sluice->workers != NULL;
}

static bool addresses_probe(const struct settings *settings, struct problem *problem)
{
    for (size_t index = 0; index < settings->listen.count; index++)
        if (!listener_probe(&settings->listen.items[index].address, problem))
            return false;
    return true;
}

static bool workers_start(struct sluice *sluice, struct problem *problem)
{
    for (uint32_t index = 0; index < sluice->started->workers; index++) {
        struct worker_plan plan = {
            .settings = sluice->started,
            .policy = sluice->keeper.policy,
            .hash_key = sluice->hash_key,
            .index = index,
            .on_events = &sluice->on_events,
        };
        bool is_open = worker_create(&plan, &sluice->workers[index], problem);
        sluice->worker_count++;
        if (!is_open)
            return false;
    }
    for (uint32_t index = 0; index < sluice->worker_count; index++)
        if (!worker_start(sluice->workers[index], problem))
            return false;
    return true;
}

static bool start(struct sluice *sluice, struct plan *plan, struct problem *problem)
{
    return resources_prepare(sluice, problem) && settings_apply(sluice, sluice->started, plan, problem) &&
           addresses_probe(sluice->started, problem) && console_host_open(sluice, problem) &&
           workers_start(sluice, problem);
}

static void close_any(uv_handle_t *handle, void *unused)
{
    (void)unused;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void stop(struct sluice *sluice)
{
    for (uint32_t index = 0; index < sluice->worker_count; index++)
        if (!worker_has_ended(sluice->workers[index]))
            worker_drain(sluice->workers[index], 0);
    for (uint32_t index = 0; index < sluice->worker_count; index++)
        worker_join(sluice->workers[index]);
    events_take(sluice);
    for (uint32_t index = 0; index < sluice->worker_count; index++)
        worker_destroy(sluice->workers[index]);
    sluice->worker_count = 0;
    if (sluice->responder != NULL)
        responder_close(sluice->responder);
    uv_close((uv_handle_t *)&sluice->on_events, NULL);
    uv_close((uv_handle_t *)&sluice->tick, NULL);
    for (size_t index = 0; index < COUNT_OF(sluice->signals); index++)
        uv_close((uv_handle_t *)&sluice->signals[index], NULL);
    (void)uv_run(&sluice->loop, UV_RUN_DEFAULT);
    uv_walk(&sluice->loop, close_any, NULL);
    (void)uv_run(&sluice->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&sluice->loop);
}

static void sluice_release(struct sluice *sluice)
{
    free(sluice->workers);
    journal_release(&sluice->journal);
    gatekeeper_release(&sluice->keeper);
    scram_secret_wipe(&sluice->console.secret);
    log_file_close(&sluice->log);
    if (sluice->current != sluice->started)
        settings_release(sluice->current);
    settings_release(sluice->started);
    free(sluice);
}

static int run(struct sluice *sluice, struct plan *plan)
{
    struct problem problem = { .line = 0 };
    int status = EXIT_FAILURE;
    raise_descriptor_limit();
    (void)signal(SIGPIPE, SIG_IGN);
    if (start(sluice, plan, &problem)) {
        log_start(sluice);
        log_gate(sluice, clock_now());
        (void)uv_run(&sluice->loop, UV_RUN_DEFAULT);
        status = EXIT_SUCCESS;
    } else {
        log_problem(sluice, &problem);
    }
    stop(sluice);
    log_simple(sluice, "stopped");
    return status;
}

/* Reads the settings to start with; what they warn of is written as they say. */
static bool settings_begin(struct sluice *sluice, struct plan *plan, struct problems *problems)
{
    struct problem problem = { .line = 0 };
    bool is_ready = true;
    sluice->started = settings_read(sluice->path, plan, problems);
    sluice->current = sluice->started;
    if (sluice->started != NULL) {
        struct log_plan log_plan = log_plan_of(sluice->started);
        is_ready = log_file_open(&sluice->log, &log_plan, &problem);
    }
    log_problems(sluice, problems);
    if (!is_ready)
        log_problem(sluice, &problem);
    return is_ready && sluice->started != NULL;
}

int sluice_run(const char *path)
{
    struct sluice *sluice = calloc(1, sizeof(*sluice));
    struct problems *problems = malloc(sizeof(*problems));
    struct plan plan = { .windows = NULL };
    if (sluice == NULL || problems == NULL)
        abort(); /* at the start, before anything is promised */
    sluice->path = path;
    log_file_init(&sluice->log);
    gatekeeper_init(&sluice->keeper);
    bool is_ready = settings_begin(sluice, &plan, problems);
    free(problems);
    int status = is_ready ? run(sluice, &plan) : EXIT_FAILURE;
    plan_release(&plan);
    sluice_release(sluice);
    return status;
}
