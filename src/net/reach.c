/* SPDX-License-Identifier: PostgreSQL */
#include "net/dial.h"
#include "net/reach_state.h"

#include <stdlib.h>
#include <unistd.h>

/* How often it is looked whether hosts were asked, and for how long when there is no timeout. */
enum { ASK_AGAIN_MS = 20, ASK_MOST_MS = 10000 };

/* ── The end ───────────────────────────────────────────────────────────────────────────────────────────────
 */

static void on_timer_closed(uv_handle_t *handle)
{
    free(CONTAINER_OF(handle, struct reach, timer));
}

static void reach_release(struct reach *reach)
{
    if (reach->dial != NULL)
        dial_cancel(reach->dial);
    uv_close((uv_handle_t *)&reach->timer, on_timer_closed);
}

static void reach_give_link(struct reach *reach)
{
    reach->plan.link->events = reach->plan.events;
    reach->plan.link->keeper = NULL;
}

void reach_succeed(struct reach *reach)
{
    link_read_stop(reach->plan.link);
    reach_give_link(reach);
    reach_release(reach);
    reach->plan.done(reach->plan.owner, true, "");
}

static void reach_give_up(struct reach *reach)
{
    reach_release(reach);
    reach->plan.done(reach->plan.owner, false, reach->why_storage);
}

uint64_t reach_unanswered_ms(const struct reach *reach)
{
    bool is_answered = reach->has_link || reach->is_plain;
    return is_answered || reach->dial == NULL ? 0 : dial_tried_ms(reach->dial);
}

bool reach_cancel(struct reach *reach)
{
    bool has_link = reach->has_link;
    if (has_link) {
        reach_give_link(reach);
        link_close(reach->plan.link);
    }
    reach_release(reach);
    return has_link;
}

/* ── What becomes of a host ────────────────────────────────────────────────────────────────────────────────
 */

static void reach_note(struct reach *reach, const struct address *host, const char *what)
{
    if (reach->why.size > 0)
        text_append_string(&reach->why, "; ");
    if (host != NULL) {
        address_describe(host, &reach->why);
        text_append_string(&reach->why, ": ");
    }
    text_append_string(&reach->why, what);
}

static void on_next(uv_timer_t *timer);

/* The host failed before there was a link. */
static void reach_go_on(struct reach *reach)
{
    reach->step = STEP_FAILED;
    (void)uv_timer_start(&reach->timer, on_next, 0, 0);
}

/* The link is closed; on_closed goes on from there. */
void reach_fail(struct reach *reach, const char *why)
{
    reach_note(reach, reach_host(reach), why);
    reach->step = STEP_FAILED;
    (void)uv_timer_stop(&reach->timer);
    link_close(reach->plan.link);
}

static void on_timeout(uv_timer_t *timer)
{
    reach_fail(CONTAINER_OF(timer, struct reach, timer), uv_strerror(UV_ETIMEDOUT));
}

/* ── The link ──────────────────────────────────────────────────────────────────────────────────────────────
 */

static void on_drained(struct link *link)
{
    (void)link; /* nobody waits for that */
}

static void reach_dial(struct reach *reach, uint64_t timeout_ms);

static void on_closed(struct link *link)
{
    struct reach *reach = reach_of(link);
    reach->has_link = false;
    reach->is_plain = reach->step == STEP_RETRYING;
    if (!reach->is_plain) {
        on_next(&reach->timer);
        return;
    }
    uint64_t timeout = reach->plan.upstream->connect_timeout_ms;
    uint64_t spent = uv_now(reach->plan.loop) - reach->begun_ms;
    reach_dial(reach, spent < timeout ? timeout - spent : timeout > 0);
}

static const struct link_events reach_link_events = {
    .on_bytes = reach_on_bytes,
    .on_end = reach_on_end,
    .on_drained = on_drained,
    .on_closed = on_closed,
    .on_secured = reach_on_secured,
};

/* ── Hosts ─────────────────────────────────────────────────────────────────────────────────────────────────
 */

static void reach_guard(struct reach *reach)
{
    uint64_t timeout = reach->plan.upstream->connect_timeout_ms;
    uint64_t spent = uv_now(reach->plan.loop) - reach->begun_ms;
    if (timeout > 0)
        (void)uv_timer_start(&reach->timer, on_timeout, spent < timeout ? timeout - spent : 0, 0);
}

static int reach_open(struct reach *reach, const struct dial_result *result)
{
    struct link *link = reach->plan.link;
    link_init(link, reach->plan.chunk, &reach_link_events);
    link->keeper = reach;
    link->is_of_server = true;
    reach->has_link = true;
    int error = link_open(link, result->socket);
    if (error < 0)
        (void)close(result->socket);
    return error;
}

static void reach_speak(struct reach *reach)
{
    const struct upstream *upstream = reach->plan.upstream;
    bool is_plain =
        upstream->security == UPSTREAM_PLAIN || reach->is_plain || reach_host(reach)->family == ADDRESS_UNIX;
    if (is_plain) {
        reach_succeed(reach);
        return;
    }
    reach_guard(reach);
    reach_secure(reach);
}

static void on_dialed(void *owner, const struct dial_result *result)
{
    struct reach *reach = owner;
    reach->dial = NULL;
    if (result->socket < 0) {
        reach_note(reach, NULL, result->why);
        reach_go_on(reach);
        return;
    }
    if (!reach->is_plain)
        reach->begun_ms = result->begun_ms;
    int error = reach_open(reach, result);
    if (error < 0)
        reach_fail(reach, uv_strerror(error));
    else
        reach_speak(reach);
}

static void reach_dial(struct reach *reach, uint64_t timeout_ms)
{
    reach->step = STEP_DIALING;
    reach->dial = dial_start(reach->plan.loop, reach_host(reach), timeout_ms, on_dialed, reach);
    if (reach->dial != NULL)
        return;
    reach_note(reach, reach_host(reach), uv_strerror(UV_ENOMEM));
    reach_go_on(reach);
}

static void on_next(uv_timer_t *timer)
{
    struct reach *reach = CONTAINER_OF(timer, struct reach, timer);
    reach->is_plain = false;
    if (reach->hosts_begun == reach->order_count) {
        reach_give_up(reach);
        return;
    }
    reach->hosts_begun++;
    reach_dial(reach, reach->plan.upstream->connect_timeout_ms);
}

/* ── Which hosts, in which order ───────────────────────────────────────────────────────────────────────────
 */

/* Looks once, so that what is chosen goes together. */
static void reach_look(struct reach *reach)
{
    const struct fitness *fitness = reach->plan.upstream->fitness;
    for (size_t host = 0; fitness != NULL && host < FITNESS_HOSTS_MOST; host++)
        reach->fitness[host] = (unsigned char)fitness_of(fitness, host);
}

static enum host_fitness host_fitness(const struct reach *reach, size_t host)
{
    if (reach->plan.upstream->fitness == NULL)
        return HOST_FIT;
    return host < FITNESS_HOSTS_MOST ? (enum host_fitness)reach->fitness[host] : HOST_UNKNOWN;
}

static bool has_host(const struct reach *reach, enum host_fitness fitness)
{
    for (size_t host = 0; host < reach->plan.upstream->host_count; host++) {
        if (host_fitness(reach, host) == fitness)
            return true;
    }
    return false;
}

static void reach_pass_over(struct reach *reach, enum host_fitness fitness, const char *why)
{
    for (size_t host = 0; host < reach->plan.upstream->host_count; host++) {
        if (host_fitness(reach, host) == fitness)
            reach_note(reach, &reach->plan.upstream->hosts[host], why);
    }
}

/* One of which nothing is known may be a standby: a session that must write had better be refused. */
static void reach_order(struct reach *reach)
{
    for (size_t host = 0; host < reach->plan.upstream->host_count; host++) {
        if (host_fitness(reach, host) == HOST_FIT)
            reach->order[reach->order_count++] = host;
    }
    reach_pass_over(reach, HOST_UNKNOWN, "not known to accept writes");
    reach_pass_over(reach, HOST_UNFIT, "is read-only");
    reach_pass_over(reach, HOST_DOWN, "could not be asked whether it accepts writes");
}

static void on_begin(uv_timer_t *timer)
{
    struct reach *reach = CONTAINER_OF(timer, struct reach, timer);
    uint64_t timeout = reach->plan.upstream->connect_timeout_ms;
    bool may_wait = uv_now(reach->plan.loop) - reach->begun_ms < (timeout > 0 ? timeout : ASK_MOST_MS);
    reach_look(reach);
    if (may_wait && !has_host(reach, HOST_FIT) && has_host(reach, HOST_UNKNOWN)) {
        (void)uv_timer_start(&reach->timer, on_begin, ASK_AGAIN_MS, 0);
        return;
    }
    reach_order(reach);
    on_next(&reach->timer);
}

struct reach *reach_start(const struct reach_plan *plan)
{
    size_t hosts = plan->upstream->host_count;
    struct reach *reach = calloc(1, sizeof *reach + hosts * sizeof reach->order[0]);
    if (reach == NULL)
        return NULL;
    reach->plan = *plan;
    reach->begun_ms = uv_now(plan->loop);
    text_init(&reach->why, reach->why_storage, sizeof reach->why_storage);
    (void)uv_timer_init(plan->loop, &reach->timer); /* neither can fail */
    (void)uv_timer_start(&reach->timer, on_begin, 0, 0);
    return reach;
}
