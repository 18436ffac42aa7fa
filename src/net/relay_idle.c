/* SPDX-License-Identifier: PostgreSQL */
/* Ends sessions that rest too long. Nothing is done for that per message: now and then all are looked at. */
#include "net/relay_state.h"

enum {
    MICROSECONDS_PER_MILLISECOND = 1000,
    SWEEP_LEAST_MS = 20,
    SWEEP_MOST_MS = 1000,
    SWEEPS_PER_TIMEOUT = 8
};

static struct relay *relay_of(struct list *node)
{
    return CONTAINER_OF(node, struct relay, node);
}

static bool is_over(const struct session *session, int64_t timeout_us)
{
    return timeout_us > 0 && session_rested_us(session) >= timeout_us;
}

/* The words and states are those of the server's own timeouts. */
static void end_if_over(struct relay *relay)
{
    const struct relay_shared *shared = relay->shared;
    struct counters *counters = shared->world->counters;
    switch (session_rest(relay->session)) {
    case REST_BUSY:
        break;
    case REST_IDLE:
        if (!is_over(relay->session, shared->idle_timeout_us))
            break;
        counter_add(&counters->idle_timeouts, 1);
        relay_refuse(relay, "57P05", "terminating connection due to idle-session timeout", NULL,
                     "idle-session timeout");
        break;
    case REST_IN_TRANSACTION:
        if (!is_over(relay->session, shared->idle_in_transaction_timeout_us))
            break;
        counter_add(&counters->idle_timeouts, 1);
        relay_refuse(relay, "25P03", "terminating connection due to idle-in-transaction timeout", NULL,
                     "idle-in-transaction timeout");
        break;
    }
}

static void on_sweep(uv_timer_t *timer)
{
    struct relay_shared *shared = CONTAINER_OF(timer, struct relay_shared, sweep);
    struct list *next;
    relay_shared_tick(shared);
    for (struct list *node = shared->relays.next; node != &shared->relays; node = next) {
        next = node->next;
        end_if_over(relay_of(node));
    }
}

static int64_t shorter(int64_t a, int64_t b)
{
    if (a == 0 || b == 0)
        return a + b;
    return a < b ? a : b;
}

void relay_sweep_start(struct relay_shared *shared)
{
    int64_t timeout_us = shorter(shared->idle_timeout_us, shared->idle_in_transaction_timeout_us);
    int64_t every_ms = timeout_us / MICROSECONDS_PER_MILLISECOND / SWEEPS_PER_TIMEOUT;
    if (timeout_us == 0)
        return;
    if (every_ms < SWEEP_LEAST_MS)
        every_ms = SWEEP_LEAST_MS;
    if (every_ms > SWEEP_MOST_MS)
        every_ms = SWEEP_MOST_MS;
    (void)uv_timer_start(&shared->sweep, on_sweep, (uint64_t)every_ms, (uint64_t)every_ms);
}
