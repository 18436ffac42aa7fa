/* SPDX-License-Identifier: PostgreSQL */
#include "app/worker.h"

#include "app/clock.h"
#include "app/exchange.h"
#include "app/inquiry.h"
#include "app/thread.h"
#include "net/handover.h"
#include "net/uring.h"

#include <stdatomic.h>
#include <stdlib.h>

/* Texts that nobody uses are kept for when they come again. Those that never do, as where values stand in the
 * text, had better not push all else out of the processor's cache. */
enum { STATEMENTS_UNUSED_MOST = 64 * 1024 };
/* Connections beyond the bound of sessions that may be there to log in, or to be told that it is reached. */
enum { LOGINS_MOST = 1000 };
enum { URING_MISSING_SIZE = 160 };
enum { EVENTS_KEPT = 1024, DOCKET_ENTRIES = 1000, MICROSECONDS_PER_MILLISECOND = 1000 };

/* What the control thread asks of the worker; taken out by the worker when it is woken. */
struct inbox {
    uv_mutex_t mutex;
    struct policy *policy;   /* a new one, or NULL */
    struct inquiry *inquiry; /* to be answered, or NULL */
    bool must_drain;
    uint64_t grace_ms;
};

struct worker {
    uint32_t index;
    uv_loop_t loop;
    uv_async_t wake;
    uv_prepare_t prepare; /* before the loop sleeps: tell the control thread of events */
    struct uring *uring;  /* which moves the bytes, and sleeps; NULL: libuv does */
    char uring_missing[URING_MISSING_SIZE];
    uv_thread_t thread;
    bool is_started;
    atomic_bool has_ended;
    atomic_int thread_id; /* the kernel's; 0 before it runs */
    struct inbox inbox;
    uv_async_t *on_events;
    size_t events_told;
    struct chunk *chunk;
    struct session_world world;
    struct statement_pool statements;
    struct exchange exchange;
    struct docket docket;
    struct counters counters;
    struct ring events;
    struct relay_shared relays;
    struct handover handover;
    struct listener *listeners;
    size_t listener_count;
};

/* ── On the worker's thread ────────────────────────────────────────────────────────────────────────────────
 */

static void close_any(uv_handle_t *handle, void *unused)
{
    (void)unused;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void listeners_close(struct worker *worker)
{
    for (size_t index = 0; index < worker->listener_count; index++)
        listener_close(&worker->listeners[index]);
    worker->listener_count = 0;
}

/* The last session has gone: nothing keeps the loop but our own handles. */
static void on_empty(struct relay_shared *relays)
{
    struct worker *worker = CONTAINER_OF(relays, struct worker, relays);
    uv_walk(&worker->loop, close_any, NULL);
}

static void policy_take(struct worker *worker, struct policy *policy)
{
    policy_release(worker->world.policy);
    worker->world.policy = policy;
    worker->world.policies++;
}

static void inquiry_fill(struct worker *worker, struct inquiry *inquiry)
{
    struct snapshot *out = &inquiry->snapshot;
    atomic_store_explicit(&worker->counters.statements_not_kept, worker->statements.not_kept,
                          memory_order_relaxed);
    counters_merge(&out->counters, &worker->counters);
    docket_merge(&out->docket, &worker->docket);
    relay_describe_all(&worker->relays, out);
    inquiry_answer(inquiry);
}

static void on_wake(uv_async_t *wake)
{
    struct worker *worker = CONTAINER_OF(wake, struct worker, wake);
    roster_beat(worker->handover.roster, worker->index);
    handover_take(&worker->handover);
    uv_mutex_lock(&worker->inbox.mutex);
    struct policy *policy = worker->inbox.policy;
    struct inquiry *inquiry = worker->inbox.inquiry;
    bool must_drain = worker->inbox.must_drain;
    worker->inbox.policy = NULL;
    worker->inbox.inquiry = NULL;
    uv_mutex_unlock(&worker->inbox.mutex);
    if (policy != NULL)
        policy_take(worker, policy);
    if (exchange_give(&worker->exchange, &worker->world.harvest))
        (void)uv_async_send(worker->on_events);
    if (inquiry != NULL)
        inquiry_fill(worker, inquiry);
    if (must_drain && !worker->relays.is_draining) {
        listeners_close(worker);
        handover_leave(&worker->handover);
        relay_drain_all(&worker->relays, worker->inbox.grace_ms);
    }
}

static void tell_of_events(void *argument)
{
    struct worker *worker = argument;
    size_t written = atomic_load_explicit(&worker->events.written, memory_order_relaxed);
    handover_tell(&worker->handover);
    if (written != worker->events_told) {
        worker->events_told = written;
        (void)uv_async_send(worker->on_events);
    }
}

static void on_prepare(uv_prepare_t *prepare)
{
    tell_of_events(CONTAINER_OF(prepare, struct worker, prepare));
}

static void worker_run(void *argument)
{
    struct worker *worker = argument;
    atomic_store(&worker->thread_id, thread_introduce("worker", worker->index));
    if (worker->uring != NULL)
        uring_run(worker->uring, tell_of_events, worker);
    else
        (void)uv_run(&worker->loop, UV_RUN_DEFAULT);
    atomic_store(&worker->has_ended, true);
    (void)uv_async_send(worker->on_events);
}

/* ── Making one ────────────────────────────────────────────────────────────────────────────────────────────
 */

static void world_init(struct worker *worker, const struct worker_plan *plan)
{
    const struct limits_settings *limits = &plan->settings->limits;
    statement_pool_init(&worker->statements, &plan->hash_key, STATEMENTS_UNUSED_MOST,
                        limits->statement_memory);
    docket_init(&worker->docket, &plan->hash_key, DOCKET_ENTRIES);
    worker->world = (struct session_world){
        .limits = { .in_flight = limits->in_flight,
                    .names = limits->prepared_statements,
                    .gathered_bytes = (uint32_t)limits->message_memory },
        .policy = policy_share(plan->policy),
        .captures_values = plan->settings->violations.capture == CAPTURE_VALUES,
        .statements = &worker->statements,
        .harvest = plan->harvest,
        .docket = &worker->docket,
        .turnstile = plan->turnstile,
        .counters = &worker->counters,
        .events = &worker->events,
        .hash_key = plan->hash_key,
        .now_us = clock_now(),
        .worker = worker->index,
    };
    session_world_open(&worker->world);
}

static void relays_init(struct worker *worker, const struct settings *settings)
{
    const struct limits_settings *limits = &settings->limits;
    worker->relays = (struct relay_shared){
        .loop = &worker->loop,
        .chunk = worker->chunk,
        .world = &worker->world,
        .login_timeout_ms = (uint64_t)limits->login_timeout / MICROSECONDS_PER_MILLISECOND,
        .idle_timeout_us = limits->idle_timeout,
        .idle_in_transaction_timeout_us = limits->idle_in_transaction_timeout,
        .relays_most = limits->sessions > 0 ? (size_t)limits->sessions + LOGINS_MOST : 0,
        .on_empty = on_empty,
    };
    relay_shared_open(&worker->relays);
}

static void on_handed(void *owner)
{
    struct worker *worker = owner;
    (void)uv_async_send(&worker->wake);
}

static void handover_init(struct worker *worker, const struct worker_plan *plan)
{
    worker->handover = (struct handover){
        .roster = plan->roster,
        .worker = worker->index,
        .shared = &worker->relays,
        .plans = plan->transport->listeners,
    };
    roster_join(plan->roster, worker->index, on_handed, worker);
}

static bool listeners_open(struct worker *worker, const struct worker_plan *plan, struct problem *problem)
{
    for (size_t number = 0; number < plan->settings->listen.count; number++) {
        struct listener *listener = &worker->listeners[number];
        if (!listener_open(listener, &worker->relays, &plan->transport->listeners[number], problem))
            return false;
        listener->handover = &worker->handover;
        worker->listener_count++;
    }
    return true;
}

static bool loop_init(struct worker *worker)
{
    if (uv_loop_init(&worker->loop) != 0)
        return false;
    return uv_mutex_init(&worker->inbox.mutex) == 0 && exchange_init(&worker->exchange) &&
           uv_async_init(&worker->loop, &worker->wake, on_wake) == 0 &&
           uv_prepare_init(&worker->loop, &worker->prepare) == 0 &&
           uv_prepare_start(&worker->prepare, on_prepare) == 0;
}

/* Without a ring libuv does it; only where the settings ask for a ring that is an error. */
static bool uring_open(struct worker *worker, enum setting_io io, struct problem *problem)
{
    struct problem missing = { .line = 0 };
    struct text text;
    if (io == IO_UV || uring_create(&worker->loop, &worker->uring, &missing))
        missing.text[0] = '\0';
    worker->chunk->uring = worker->uring;
    text_init(&text, worker->uring_missing, sizeof worker->uring_missing);
    text_append_string(&text, missing.text);
    if (io != IO_URING || worker->uring != NULL)
        return true;
    *problem = (struct problem){ .line = 0 };
    text_init(&text, problem->text, sizeof problem->text);
    text_append_format(&text, "io is uring, but %s; auto and uv do without", missing.text);
    return false;
}

bool worker_create(const struct worker_plan *plan, struct worker **out, struct problem *problem)
{
    struct worker *worker = calloc(1, sizeof(*worker));
    size_t listeners = plan->settings->listen.count;
    if (worker == NULL)
        abort();
    worker->index = plan->index;
    worker->on_events = plan->on_events;
    worker->chunk = malloc(sizeof(*worker->chunk));
    worker->listeners = calloc(listeners, sizeof(*worker->listeners));
    if (worker->chunk == NULL || worker->listeners == NULL || plan->harvest == NULL ||
        !ring_init(&worker->events, sizeof(struct event), EVENTS_KEPT) || !loop_init(worker))
        abort(); /* at the start, before anything is promised */
    chunk_init(worker->chunk);
    world_init(worker, plan);
    relays_init(worker, plan->settings);
    handover_init(worker, plan);
    *out = worker;
    return uring_open(worker, plan->settings->io, problem) && listeners_open(worker, plan, problem);
}

bool worker_start(struct worker *worker, struct problem *problem)
{
    int error = uv_thread_create(&worker->thread, worker_run, worker);
    if (error != 0) {
        *problem = (struct problem){ .line = 0 };
        struct text text;
        text_init(&text, problem->text, sizeof(problem->text));
        text_append_format(&text, "cannot start worker %u: %s", worker->index, uv_strerror(error));
        return false;
    }
    worker->is_started = true;
    return true;
}

/* ── From the control thread ───────────────────────────────────────────────────────────────────────────────
 */

const char *worker_io(const struct worker *worker)
{
    return worker->uring != NULL ? "uring" : "uv";
}

const char *worker_uring_missing(const struct worker *worker)
{
    return worker->uring_missing;
}

int worker_listening(const struct worker *worker, size_t number)
{
    return acceptor_duplicate(worker->listeners[number].acceptor);
}

int worker_thread_id(const struct worker *worker)
{
    return atomic_load(&worker->thread_id);
}

int64_t worker_cpu_us(const struct worker *worker)
{
    return worker_has_ended(worker) ? 0 : thread_cpu_us(worker->thread);
}

struct ring *worker_events(struct worker *worker)
{
    return &worker->events;
}

void worker_offer(struct worker *worker, struct harvest **empty)
{
    exchange_offer(&worker->exchange, empty);
    (void)uv_async_send(&worker->wake);
}

struct harvest *worker_harvest(struct worker *worker)
{
    return exchange_take(&worker->exchange);
}

struct harvest *worker_last_harvest(struct worker *worker)
{
    struct harvest *last = worker->world.harvest;
    worker->world.harvest = NULL;
    return last;
}

void worker_set_policy(struct worker *worker, struct policy *policy)
{
    uv_mutex_lock(&worker->inbox.mutex);
    struct policy *unread = worker->inbox.policy;
    worker->inbox.policy = policy_share(policy);
    uv_mutex_unlock(&worker->inbox.mutex);
    policy_release(unread);
    (void)uv_async_send(&worker->wake);
}

void worker_ask(struct worker *worker, uint64_t wait_ms, struct snapshot *into)
{
    struct inquiry *inquiry = inquiry_create(&worker->world.hash_key, DOCKET_ENTRIES);
    into->workers++;
    if (inquiry == NULL || worker_has_ended(worker)) {
        into->workers_silent++;
        inquiry_give_up(inquiry);
        return;
    }
    uv_mutex_lock(&worker->inbox.mutex);
    struct inquiry *unread = worker->inbox.inquiry;
    worker->inbox.inquiry = inquiry;
    uv_mutex_unlock(&worker->inbox.mutex);
    if (unread != NULL)
        inquiry_answer(unread); /* nobody waits for it any more */
    (void)uv_async_send(&worker->wake);
    if (inquiry_wait(inquiry, wait_ms))
        inquiry_add_to(inquiry, into);
    else
        into->workers_silent++;
    inquiry_give_up(inquiry);
}

void worker_drain(struct worker *worker, uint64_t grace_ms)
{
    uv_mutex_lock(&worker->inbox.mutex);
    worker->inbox.must_drain = true;
    worker->inbox.grace_ms = grace_ms;
    uv_mutex_unlock(&worker->inbox.mutex);
    (void)uv_async_send(&worker->wake);
}

bool worker_has_ended(const struct worker *worker)
{
    return !worker->is_started || atomic_load(&worker->has_ended);
}

void worker_join(struct worker *worker)
{
    if (worker->is_started)
        (void)uv_thread_join(&worker->thread);
}

/* Closes what a loop that never ran has open. */
static void loop_close_unrun(struct worker *worker)
{
    listeners_close(worker);
    uv_walk(&worker->loop, close_any, NULL);
    (void)uv_run(&worker->loop, UV_RUN_DEFAULT);
}

void worker_destroy(struct worker *worker)
{
    if (!worker->is_started)
        loop_close_unrun(worker);
    if (worker->inbox.inquiry != NULL)
        inquiry_answer(worker->inbox.inquiry);
    policy_release(worker->inbox.policy);
    uv_mutex_destroy(&worker->inbox.mutex);
    if (worker->uring != NULL)
        uring_destroy(worker->uring);
    (void)uv_loop_close(&worker->loop);
    policy_release(worker->world.policy);
    session_world_close(&worker->world);
    statement_pool_release(&worker->statements);
    harvest_destroy(worker->world.harvest);
    exchange_release(&worker->exchange);
    docket_release(&worker->docket);
    ring_release(&worker->events);
    free(worker->listeners);
    chunk_release(worker->chunk);
    free(worker->chunk);
    free(worker);
}
