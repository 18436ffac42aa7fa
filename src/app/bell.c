/* SPDX-License-Identifier: PostgreSQL */
#include "app/bell.h"

#include "base/attributes.h"

static void on_timer(uv_timer_t *timer);

static void hear(struct bell *bell)
{
    (void)atomic_exchange(&bell->is_rung, false); /* with what the callers did before */
    bell->heard(bell->owner);
}

static void on_async(uv_async_t *async)
{
    struct bell *bell = CONTAINER_OF(async, struct bell, async);
    atomic_store(&bell->is_awake, true);
    hear(bell);
    (void)uv_timer_start(&bell->timer, on_timer, BELL_PAUSE_MS, BELL_PAUSE_MS); /* cannot fail */
}

/* A caller sets is_rung and then looks at is_awake; here it is the other way round, so that one of the two
 * sees what the other did. */
static void on_timer(uv_timer_t *timer)
{
    struct bell *bell = CONTAINER_OF(timer, struct bell, timer);
    if (atomic_load(&bell->is_rung)) {
        hear(bell);
        return;
    }
    (void)uv_timer_stop(timer);
    atomic_store(&bell->is_awake, false);
    if (atomic_load(&bell->is_rung))
        bell_ring_loudly(bell);
}

int bell_init(struct bell *bell, uv_loop_t *loop, void (*heard)(void *owner), void *owner)
{
    bell->heard = heard;
    bell->owner = owner;
    atomic_init(&bell->is_rung, false);
    atomic_init(&bell->is_awake, false);
    int result = uv_timer_init(loop, &bell->timer);
    return result == 0 ? uv_async_init(loop, &bell->async, on_async) : result;
}

void bell_ring(struct bell *bell)
{
    (void)atomic_exchange(&bell->is_rung, true);
    if (!atomic_load(&bell->is_awake))
        bell_ring_loudly(bell);
}

void bell_ring_loudly(struct bell *bell)
{
    (void)uv_async_send(&bell->async);
}

void bell_close(struct bell *bell)
{
    uv_close((uv_handle_t *)&bell->timer, NULL);
    uv_close((uv_handle_t *)&bell->async, NULL);
}
