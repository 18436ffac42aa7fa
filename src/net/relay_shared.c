/* SPDX-License-Identifier: PostgreSQL */
#include "net/relay_state.h"

#include <assert.h>
#include <time.h>

static_assert(sizeof(struct relay) <= 2 * sizeof(struct link) + 128, "a relay is hardly more than its links");

/* An order that was given in this turn is not in force yet by a clock that was read before it. */
void relay_shared_hear(struct relay_shared *shared)
{
    if (!atomic_load_explicit(&shared->has_news, memory_order_acquire))
        return;
    if (shared->time == TIME_READ)
        shared->time = TIME_UNREAD;
    shared->on_news(shared);
}

void relay_shared_tick(struct relay_shared *shared)
{
    struct timespec now;
    relay_shared_hear(shared);
    if (shared->time == TIME_READ)
        return;
    if (shared->time == TIME_UNREAD)
        shared->time = TIME_READ;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    shared->world->now_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
    shared->world->ticks = (uint32_t)(uv_now(shared->loop) / WORLD_TICK_MS);
}

void relay_shared_open(struct relay_shared *shared)
{
    list_init(&shared->logins);
    list_init(&shared->relays);
    list_init(&shared->endings);
    slab_init(&shared->slab, sizeof(struct relay));
    shared->relay_count = 0;
    shared->cancel_count = 0;
    shared->is_draining = false;
    shared->time = TIME_READ_EACH;
    (void)uv_timer_init(shared->loop, &shared->deadline); /* none of these can fail */
    (void)uv_timer_init(shared->loop, &shared->grace);
    (void)uv_timer_init(shared->loop, &shared->sweep);
    relay_sweep_start(shared);
}

void relay_shared_close(struct relay_shared *shared)
{
    assert(shared->relay_count == 0);
    slab_release(&shared->slab);
    uv_close((uv_handle_t *)&shared->deadline, NULL);
    uv_close((uv_handle_t *)&shared->grace, NULL);
    uv_close((uv_handle_t *)&shared->sweep, NULL);
}

/* ── The deadline of logins ────────────────────────────────────────────────────────────────────────────────
 */

static struct relay *relay_of(struct list *node)
{
    return CONTAINER_OF(node, struct relay, node);
}

static void on_deadline(uv_timer_t *timer);

/* How long ago it was made. */
static uint32_t relay_age_ms(const struct relay *relay)
{
    return (uint32_t)uv_now(relay->shared->loop) - relay->opened_ms;
}

/* Since all have the same time to log in, the first in the list is the next to be late. */
static void deadline_set(struct relay_shared *shared)
{
    if (list_is_empty(&shared->logins) || shared->login_timeout_ms == 0) {
        (void)uv_timer_stop(&shared->deadline);
        return;
    }
    uint64_t age = relay_age_ms(relay_of(shared->logins.next));
    uint64_t most = shared->login_timeout_ms;
    (void)uv_timer_start(&shared->deadline, on_deadline, age < most ? most - age : 0, 0);
}

static void on_deadline(uv_timer_t *timer)
{
    struct relay_shared *shared = CONTAINER_OF(timer, struct relay_shared, deadline);
    relay_shared_tick(shared);
    while (!list_is_empty(&shared->logins) && shared->login_timeout_ms > 0) {
        struct relay *relay = relay_of(shared->logins.next);
        if (relay_age_ms(relay) < shared->login_timeout_ms)
            break;
        counter_add(&shared->world->counters->login_timeouts, 1);
        /* the state the server uses for its own authentication_timeout */
        relay_refuse(relay, "57014", "login took too long", NULL, "login took too long");
    }
    deadline_set(shared);
}

/* ── From list to list ─────────────────────────────────────────────────────────────────────────────────────
 */

/* Without a login under way there is no deadline: libuv would set the kernel a timer for it at each wait. */
static void relay_move(struct relay *relay, struct list *to)
{
    struct relay_shared *shared = relay->shared;
    list_remove(&relay->node);
    list_append(to, &relay->node);
    if (list_is_empty(&shared->logins))
        (void)uv_timer_stop(&shared->deadline);
}

void relay_shared_add(struct relay_shared *shared, struct relay *relay)
{
    bool is_first = list_is_empty(&shared->logins);
    list_append(&shared->logins, &relay->node);
    shared->relay_count++;
    if (is_first)
        deadline_set(shared);
}

void relay_shared_promote(struct relay *relay)
{
    relay_move(relay, &relay->shared->relays);
}

void relay_shared_retire(struct relay *relay)
{
    relay_move(relay, &relay->shared->endings);
}

void relay_shared_remove(struct relay *relay)
{
    struct relay_shared *shared = relay->shared;
    list_remove(&relay->node);
    slab_give(&shared->slab, relay);
    if (--shared->relay_count > 0 || !shared->is_draining)
        return;
    (void)uv_timer_stop(&shared->grace);
    (void)uv_timer_stop(&shared->deadline);
    (void)uv_timer_stop(&shared->sweep);
    if (shared->on_empty != NULL)
        shared->on_empty(shared);
}

/* ── All of them ───────────────────────────────────────────────────────────────────────────────────────────
 */

void relay_shared_drain(struct relay *relay)
{
    if (session_rest(relay->session) == REST_IDLE)
        relay_refuse(relay, "57P01", "pgsluice is shutting down", NULL, "shutdown");
}

static void relays_abort(struct list *head)
{
    struct list *next;
    for (struct list *node = head->next; node != head; node = next) {
        next = node->next;
        relay_abort(relay_of(node), "shutdown: the time for ending by itself is over");
    }
}

/* Tells those whose time is over, with the server's own words for its shutdown; they are flushed and closed.
 */
static void relays_terminate(struct list *head)
{
    struct list *next;
    for (struct list *node = head->next; node != head; node = next) {
        next = node->next;
        relay_refuse(relay_of(node), "57P01", "terminating connection due to administrator command", NULL,
                     "shutdown: the time for ending by itself is over");
    }
}

static void on_grace(uv_timer_t *timer)
{
    struct relay_shared *shared = CONTAINER_OF(timer, struct relay_shared, grace);
    relay_shared_tick(shared);
    relays_abort(&shared->logins);
    relays_abort(&shared->endings);
    relays_terminate(&shared->relays);
}

void relay_drain_all(struct relay_shared *shared, uint64_t grace_ms)
{
    struct list *next;
    shared->is_draining = true;
    if (shared->relay_count == 0) {
        if (shared->on_empty != NULL)
            shared->on_empty(shared);
        return;
    }
    uv_update_time(shared->loop);
    (void)uv_timer_start(&shared->grace, on_grace, grace_ms, 0);
    relay_shared_tick(shared);
    for (struct list *node = shared->relays.next; node != &shared->relays; node = next) {
        next = node->next;
        relay_shared_drain(relay_of(node));
    }
}

static const char *tls_version(const struct relay_end *end)
{
    struct tls_facts facts;
    return end->is_open && link_facts(&end->link, &facts) ? facts.version : "";
}

static void relays_describe(const struct list *head, struct snapshot *out)
{
    LIST_EACH(node, head)
    {
        struct session_row *row = snapshot_add_session(out);
        if (row == NULL)
            return;
        const struct relay *relay = relay_of(node);
        session_describe(relay->session, row);
        row->client_tls = tls_version(&relay->ends[SIDE_CLIENT]);
        row->server_tls = tls_version(&relay->ends[SIDE_SERVER]);
    }
}

void relay_describe_all(const struct relay_shared *shared, struct snapshot *out)
{
    relays_describe(&shared->logins, out);
    relays_describe(&shared->relays, out);
}
