/* SPDX-License-Identifier: PostgreSQL */
/* What the control thread knows and wants of a worker. */
#include "app/thread.h"
#include "app/worker_state.h"

const char *worker_io(const struct worker *worker)
{
    return worker->io;
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
    atomic_store_explicit(&worker->relays.has_news, true, memory_order_release);
    (void)uv_async_send(&worker->wake);
}

void worker_ask(struct worker *worker, uint64_t wait_ms, struct snapshot *into)
{
    struct inquiry *inquiry = inquiry_create(&worker->world.hash_key, WORKER_DOCKET_ENTRIES);
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
