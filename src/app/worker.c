/* SPDX-License-Identifier: PostgreSQL */
#include "app/clock.h"
#include "app/thread.h"
#include "app/worker_state.h"
#include "config/schema.h"

#include <stdlib.h>

/* Texts that nobody uses are kept for when they come again. Those that never do, as where values stand in the
 * text, had better not push all else out of the processor's cache. */
enum { STATEMENTS_UNUSED_MOST = 64 * 1024 };
/* Connections beyond the bound of sessions that may be there to log in, or to be told that it is reached. */
enum { LOGINS_MOST = 1000 };
enum { EVENTS_KEPT = 1024, MICROSECONDS_PER_MILLISECOND = 1000 };

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

static void close_any_but(uv_handle_t *handle, void *kept)
{
    if (handle != kept)
        close_any(handle, NULL);
}

/* The last session has gone: nothing keeps the loop but our own handles, and names that are still looked up
 * for those who gave up. Until these are, it is woken and gives signs of life as before. */
static void on_empty(struct relay_shared *relays)
{
    struct worker *worker = CONTAINER_OF(relays, struct worker, relays);
    uv_walk(&worker->loop, close_any_but, &worker->wake);
    uv_unref((uv_handle_t *)&worker->wake);
}

/* Between an operator's order and what a client sends once the order was answered nothing is judged by what
 * was in force before: the loop's own wake-up may come behind the bytes. */
static void on_news(struct relay_shared *relays)
{
    struct worker *worker = CONTAINER_OF(relays, struct worker, relays);
    atomic_store_explicit(&relays->has_news, false, memory_order_relaxed);
    uv_mutex_lock(&worker->inbox.mutex);
    struct policy *policy = worker->inbox.policy;
    worker->inbox.policy = NULL;
    uv_mutex_unlock(&worker->inbox.mutex);
    if (policy == NULL)
        return;
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
    relay_shared_hear(&worker->relays);
    roster_beat(worker->handover.roster, worker->index);
    handover_take(&worker->handover);
    uv_mutex_lock(&worker->inbox.mutex);
    struct inquiry *inquiry = worker->inbox.inquiry;
    bool must_drain = worker->inbox.must_drain;
    worker->inbox.inquiry = NULL;
    uv_mutex_unlock(&worker->inbox.mutex);
    if (exchange_give(&worker->exchange, &worker->world.harvest))
        bell_ring(worker->bell);
    if (inquiry != NULL)
        inquiry_fill(worker, inquiry);
    if (must_drain && !worker->relays.is_draining) {
        listeners_close(worker);
        handover_leave(&worker->handover);
        relay_drain_all(&worker->relays, worker->inbox.grace_ms);
    }
}

/* A ring, and a long slice, with which it waits longer for its turn, pay only where one call of the kernel
 * then does what is for many. */
static void keep_pace(struct worker *worker)
{
    struct poll_set *set = worker->chunk->poll_set;
    size_t arrivals = worker->chunk->arrivals;
    worker->chunk->arrivals = 0;
    worker->chunk->arrived = NULL;
    if (!pace_turn(&worker->pace, arrivals) || !poll_set_has_ring(set))
        return;
    poll_set_pace(set, worker->pace.is_busy);
    if (worker->slice_us > 0)
        thread_ask_slice(worker->pace.is_busy ? worker->slice_us : 0);
}

static void before_wait(void *argument)
{
    struct worker *worker = argument;
    keep_pace(worker);
    relay_shared_turn(&worker->relays);
    size_t written = atomic_load_explicit(&worker->events.written, memory_order_relaxed);
    handover_tell(&worker->handover);
    if (written == worker->events_told)
        return;
    worker->events_told = written;
    if (ring_is_filling(&worker->events))
        bell_ring_loudly(worker->bell);
    else
        bell_ring(worker->bell);
}

static void worker_run(void *argument)
{
    struct worker *worker = argument;
    atomic_store(&worker->thread_id, thread_introduce("worker", worker->index));
    poll_set_run(worker->chunk->poll_set, before_wait, worker);
    roster_end(worker->handover.roster, worker->index);
    atomic_store(&worker->has_ended, true);
    bell_ring(worker->bell);
}

/* ── Making one ────────────────────────────────────────────────────────────────────────────────────────────
 */

static void world_init(struct worker *worker, const struct worker_plan *plan)
{
    const struct limits_settings *limits = &plan->settings->limits;
    statement_pool_init(&worker->statements, &plan->hash_key, STATEMENTS_UNUSED_MOST,
                        limits->statement_memory);
    docket_init(&worker->docket, &plan->hash_key, WORKER_DOCKET_ENTRIES);
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
        .on_news = on_news,
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
           uv_async_init(&worker->loop, &worker->wake, on_wake) == 0;
}

/* Only where the settings ask for a ring its absence is an error. */
static bool lane_open(struct worker *worker, enum setting_io io, struct problem *problem)
{
    struct problem missing = { .line = 0 };
    struct text text;
    worker->io = schema_word(CHOICE_setting_io, IO_UV);
    if (!poll_set_create(&worker->loop, &worker->chunk->poll_set, problem))
        return false;
    if (io == IO_UV)
        return true;
    if (poll_set_add_ring(worker->chunk->poll_set, io == IO_URING, &missing)) {
        worker->io = schema_word(CHOICE_setting_io, io);
        return true;
    }
    text_init(&text, worker->uring_missing, sizeof worker->uring_missing);
    text_append_string(&text, missing.text);
    if (io == IO_AUTO)
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
    worker->bell = plan->bell;
    worker->slice_us = plan->settings->worker_slice;
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
    return lane_open(worker, plan->settings->io, problem) && listeners_open(worker, plan, problem);
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

/* ── Its end ───────────────────────────────────────────────────────────────────────────────────────────────
 */

void worker_join(struct worker *worker)
{
    if (worker->is_started)
        (void)uv_thread_join(&worker->thread);
}

/* Closes what the loop still has open: the wake-up, or all where it never ran. */
static void loop_end(struct worker *worker)
{
    listeners_close(worker);
    uv_walk(&worker->loop, close_any, NULL);
    (void)uv_run(&worker->loop, UV_RUN_DEFAULT);
}

void worker_destroy(struct worker *worker)
{
    loop_end(worker);
    if (worker->inbox.inquiry != NULL)
        inquiry_answer(worker->inbox.inquiry);
    policy_release(worker->inbox.policy);
    uv_mutex_destroy(&worker->inbox.mutex);
    if (worker->chunk->poll_set != NULL)
        poll_set_destroy(worker->chunk->poll_set);
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
