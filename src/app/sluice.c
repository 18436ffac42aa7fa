/* SPDX-License-Identifier: PostgreSQL */
#include "app/sluice.h"

#include "app/clock.h"
#include "app/visit.h"
#include "net/poll_set.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

enum { TICK_MS = 250, DDL_KEPT = 500, MICROSECONDS_PER_MILLISECOND = 1000 };

/* ── Events of the workers ─────────────────────────────────────────────────────────────────────────────────
 */

static bool have_workers_ended(const struct sluice *sluice)
{
    for (uint32_t index = 0; index < sluice->worker_count; index++)
        if (!worker_has_ended(sluice->workers[index]))
            return false;
    return true;
}

static void on_events(void *owner)
{
    struct sluice *sluice = owner;
    sluice_take_events(sluice);
    if (sluice->is_draining && have_workers_ended(sluice))
        poll_set_stop(sluice->chunk.poll_set);
}

/* ── Time and signals ──────────────────────────────────────────────────────────────────────────────────────
 */

static void on_tick(uv_timer_t *timer)
{
    struct sluice *sluice = timer->data;
    int64_t now_us = clock_now();
    if (gatekeeper_tick(&sluice->keeper, now_us))
        sluice_hand_policy(sluice);
    sluice_log_gate(sluice, now_us);
    sluice_log_audit(sluice);
    sluice_log_history(sluice);
    log_file_tick(&sluice->log, now_us);
    console_door_tick(sluice);
    sluice_take_events(sluice);
    stand_in_tick(sluice->stand_in);
    sluice_abandon_if_due(sluice);
    sluice_ask_harvests(sluice);
    observer_tick(&sluice->observer, now_us);
    sluice_log_alerts(sluice);
}

static void drain(struct sluice *sluice)
{
    uint64_t grace_ms = (uint64_t)sluice->started->limits.drain_timeout / MICROSECONDS_PER_MILLISECOND;
    if (sluice->is_draining)
        _exit(EXIT_FAILURE); /* asked twice: at once */
    sluice->is_draining = true;
    sluice->patience_ms = uv_now(&sluice->loop) + grace_ms;
    sluice_log_notice(sluice, NOTICE_DRAINING);
    stand_in_retire(sluice->stand_in);
    for (uint32_t index = 0; index < sluice->worker_count; index++)
        worker_drain(sluice->workers[index], grace_ms);
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

static bool loop_prepare(struct sluice *sluice, struct problem *problem)
{
    static const int numbers[COUNT_OF(sluice->signals)] = { SIGHUP, SIGTERM, SIGINT };
    if (uv_loop_init(&sluice->loop) != 0 ||
        !poll_set_create(&sluice->loop, &sluice->chunk.poll_set, problem) ||
        bell_init(&sluice->bell, &sluice->loop, on_events, sluice) != 0 ||
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

static bool hash_key_make(struct hash_key *key)
{
    return getrandom(key, sizeof(*key), 0) == (ssize_t)sizeof(*key);
}

static void on_deploy_worse(void *owner, const struct deploy_verdict *verdict)
{
    sluice_log_deploy(owner, verdict);
}

/* Only where refused values are to be seen. */
static bool attempts_prepare(struct sluice *sluice)
{
    if (sluice->started->violations.capture == CAPTURE_NONE)
        return true;
    sluice->attempts = calloc(1, sizeof(*sluice->attempts));
    if (sluice->attempts != NULL)
        sluice->attempts->key = sluice->hash_key;
    return sluice->attempts != NULL;
}

static void on_stall(void *owner, const struct stall *stall)
{
    sluice_log_stall(owner, stall->is_over ? NOTICE_WORKER_RECOVERED : NOTICE_WORKER_STALLED, stall);
}

static bool stand_in_prepare(struct sluice *sluice)
{
    const struct stand_in_plan plan = {
        .loop = &sluice->loop,
        .roster = sluice->roster,
        .workers = sluice->started->workers,
        .listeners = (uint32_t)sluice->started->listen.count,
        .told = on_stall,
        .owner = sluice,
    };
    sluice->stand_in = stand_in_create(&plan);
    return sluice->stand_in != NULL;
}

static bool resources_prepare(struct sluice *sluice, struct problem *problem)
{
    sluice->has_loop = loop_prepare(sluice, problem);
    bool is_ready = sluice->has_loop &&
                    observer_init(&sluice->observer, sluice->started, &sluice->hash_key, PGSLUICE_VERSION) &&
                    aftermath_init(&sluice->observer.aftermath, sluice->started, &sluice->hash_key,
                                   on_deploy_worse, sluice) &&
                    journal_init(&sluice->journal, DDL_KEPT);
    sluice->workers = calloc(sluice->started->workers, sizeof(struct worker *));
    sluice->turnstile = turnstile_create();
    sluice->roster = roster_create(sluice->started->workers);
    is_ready = attempts_prepare(sluice) && is_ready && sluice->workers != NULL && sluice->turnstile != NULL &&
               sluice->roster != NULL && stand_in_prepare(sluice);
    if (!is_ready && problem->text[0] == '\0')
        *problem = (struct problem){ .text = "memory or the event loop is not to be had" };
    return is_ready;
}

static bool addresses_probe(const struct settings *settings, struct problem *problem)
{
    for (size_t index = 0; index < settings->listen.count; index++)
        if (!listener_probe(&settings->listen.items[index].address, problem))
            return false;
    return true;
}

/* Of one worker alone nobody could take anything over. */
static void worker_guard(struct sluice *sluice, uint32_t index)
{
    for (uint32_t number = 0; sluice->started->workers > 1 && number < sluice->started->listen.count;
         number++)
        stand_in_guard(sluice->stand_in, index, number, worker_listening(sluice->workers[index], number));
}

static bool workers_start(struct sluice *sluice, struct problem *problem)
{
    for (uint32_t index = 0; index < sluice->started->workers; index++) {
        struct worker_plan plan = {
            .settings = sluice->started,
            .transport = &sluice->transport,
            .policy = sluice->keeper.policy,
            .turnstile = sluice->turnstile,
            .roster = sluice->roster,
            .harvest = observer_harvest(&sluice->observer),
            .hash_key = sluice->hash_key,
            .index = index,
            .bell = &sluice->bell,
        };
        bool is_open = worker_create(&plan, &sluice->workers[index], problem);
        sluice->worker_count++;
        if (!is_open)
            return false;
        worker_guard(sluice, index);
    }
    for (uint32_t index = 0; index < sluice->worker_count; index++)
        if (!worker_start(sluice->workers[index], problem))
            return false;
    return true;
}

static void on_host_change(void *owner, const struct host_change *change)
{
    sluice_log_host(owner, change);
}

static bool prober_open(struct sluice *sluice, struct problem *problem)
{
    sluice->prober = prober_start(&sluice->loop, &sluice->transport, on_host_change, sluice);
    if (sluice->prober == NULL)
        *problem = (struct problem){ .text = "out of memory" };
    return sluice->prober != NULL;
}

static void on_survey_news(void *owner, const struct survey_news *news)
{
    sluice_log_survey(owner, news);
}

static void on_constraint_change(void *owner, const struct constraint *constraint,
                                 const struct version *version, const struct constraint_change *change)
{
    struct sluice *sluice = owner;
    const struct suspect_difference difference = {
        .database = change->database,
        .schema = change->schema,
        .table = change->table,
        .constraint = change->name[0] != '\0' ? change->name : change->columns,
        .seen_us = change->seen_us,
        .not_before_us = change->not_before_us,
        .text = change->difference,
    };
    (void)constraint;
    (void)version;
    sluice_log_constraint(sluice, change);
    recording_constraint(&sluice->observer.recording, change);
    aftermath_learn(&sluice->observer.aftermath, &difference);
}

static bool surveyor_open(struct sluice *sluice, struct problem *problem)
{
    const struct survey_listener listener = { on_survey_news, on_constraint_change, sluice };
    sluice->surveyor = surveyor_start(&sluice->loop, sluice->started, &sluice->hash_key, &listener);
    if (sluice->surveyor == NULL)
        *problem = (struct problem){ .text = "out of memory" };
    return sluice->surveyor != NULL;
}

static bool start(struct sluice *sluice, struct plan *plan, struct problem *problem)
{
    return resources_prepare(sluice, problem) && sluice_apply(sluice, sluice->started, plan, problem) &&
           addresses_probe(sluice->started, problem) && console_host_open(sluice, problem) &&
           prober_open(sluice, problem) && surveyor_open(sluice, problem) &&
           sluice_open_telling(sluice, problem) && workers_start(sluice, problem);
}

static void close_any(uv_handle_t *handle, void *unused)
{
    (void)unused;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void loop_end(struct sluice *sluice)
{
    bell_close(&sluice->bell);
    uv_close((uv_handle_t *)&sluice->tick, NULL);
    for (size_t index = 0; index < COUNT_OF(sluice->signals); index++)
        uv_close((uv_handle_t *)&sluice->signals[index], NULL);
    poll_set_run(sluice->chunk.poll_set, NULL, NULL);
    uv_walk(&sluice->loop, close_any, NULL);
    poll_set_run(sluice->chunk.poll_set, NULL, NULL);
    poll_set_destroy(sluice->chunk.poll_set);
    (void)uv_loop_close(&sluice->loop);
}

static void stop(struct sluice *sluice)
{
    stand_in_destroy(sluice->stand_in);
    sluice->stand_in = NULL;
    for (uint32_t index = 0; index < sluice->worker_count; index++)
        if (!worker_has_ended(sluice->workers[index]))
            worker_drain(sluice->workers[index], 0);
    for (uint32_t index = 0; index < sluice->worker_count; index++)
        worker_join(sluice->workers[index]);
    sluice_take_events(sluice);
    for (uint32_t index = 0; index < sluice->worker_count; index++) {
        observer_take(&sluice->observer, worker_last_harvest(sluice->workers[index]), clock_now());
        worker_destroy(sluice->workers[index]);
    }
    sluice->worker_count = 0;
    prober_stop(sluice->prober);
    surveyor_stop(sluice->surveyor);
    sluice->surveyor = NULL;
    if (sluice->responder != NULL)
        responder_close(sluice->responder);
    if (sluice->has_loop)
        loop_end(sluice);
}

static void sluice_release(struct sluice *sluice)
{
    free(sluice->workers);
    free(sluice->attempts);
    turnstile_destroy(sluice->turnstile);
    roster_destroy(sluice->roster);
    audit_close(&sluice->audit);
    journal_release(&sluice->journal);
    observer_release(&sluice->observer);
    gatekeeper_release(&sluice->keeper);
    transport_release(&sluice->transport);
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
    (void)signal(SIGCHLD, SIG_DFL); /* ignored by who started us, it would keep from us how a command ended */
    (void)signal(SIGXFSZ, SIG_IGN); /* a log that may not grow any more is one that cannot be written */
    if (start(sluice, plan, &problem)) {
        sluice_log_start(sluice);
        sluice_log_gate(sluice, clock_now());
        poll_set_run(sluice->chunk.poll_set, NULL, NULL);
        if (sluice->is_abandoning)
            sluice_abandon(sluice);
        status = EXIT_SUCCESS;
    } else {
        sluice_log_problem(sluice, &problem);
    }
    stop(sluice);
    sluice_close_telling(sluice);
    sluice_log_audit(sluice);
    sluice_log_notice(sluice, NOTICE_STOPPED);
    return status;
}

int sluice_run(const char *path)
{
    struct sluice *sluice = calloc(1, sizeof(*sluice));
    struct problems *problems = malloc(sizeof(*problems));
    struct plan plan = { .windows = NULL };
    if (sluice == NULL || problems == NULL || !hash_key_make(&sluice->hash_key))
        abort(); /* at the start, before anything is promised */
    sluice->path = path;
    log_file_init(&sluice->log);
    audit_init(&sluice->audit);
    gatekeeper_init(&sluice->keeper);
    bool is_ready = sluice_begin(sluice, &plan, problems);
    free(problems);
    int status = is_ready ? run(sluice, &plan) : EXIT_FAILURE;
    plan_release(&plan);
    sluice_release(sluice);
    return status;
}
