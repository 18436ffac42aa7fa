/* SPDX-License-Identifier: PostgreSQL */
#include "net/cancel.h"

#include "net/reach.h"

#include <stdlib.h>

/* The way to one host. */
struct errand {
    struct link link;
    struct cancel *cancel;
    struct upstream upstream; /* that host alone */
    struct reach *reach;      /* under way, or NULL */
    bool is_open;             /* the link is not yet closed */
};

struct cancel {
    struct cancel_plan plan;
    uv_timer_t timer;  /* to until_ms, or to the end of the grace */
    uint64_t until_ms; /* by the loop's clock */
    bool is_hastened;
    uint8_t *request;
    size_t request_size;
    size_t under_way; /* errands */
    size_t errand_count;
    struct errand errands[];
};

static struct errand *errand_of(struct link *link)
{
    return CONTAINER_OF(link, struct errand, link);
}

/* ── The end ───────────────────────────────────────────────────────────────────────────────────────────────
 */

static void cancel_free(struct cancel *cancel)
{
    free(cancel->request);
    free(cancel);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct cancel *cancel = CONTAINER_OF(handle, struct cancel, timer);
    cancel->plan.done(cancel->plan.owner);
    cancel_free(cancel);
}

static void errand_end(struct errand *errand)
{
    if (--errand->cancel->under_way == 0)
        uv_close((uv_handle_t *)&errand->cancel->timer, on_timer_closed);
}

static void errand_stop(struct errand *errand)
{
    if (errand->reach != NULL) {
        errand->is_open = reach_cancel(errand->reach);
        errand->reach = NULL;
        if (!errand->is_open)
            errand_end(errand);
    } else if (errand->is_open) {
        link_close(&errand->link);
    }
}

void cancel_stop(struct cancel *cancel)
{
    for (size_t index = 0; index < cancel->errand_count; index++)
        errand_stop(&cancel->errands[index]);
}

static void on_timeout(uv_timer_t *timer)
{
    cancel_stop(CONTAINER_OF(timer, struct cancel, timer));
}

static uint64_t cancel_left_ms(const struct cancel *cancel)
{
    uint64_t now_ms = uv_now(cancel->plan.loop);
    return cancel->until_ms > now_ms ? cancel->until_ms - now_ms : 0;
}

static void on_grace(uv_timer_t *timer);

/* Not beyond the end of all. */
static void cancel_time_grace(struct cancel *cancel, uint64_t grace_ms)
{
    uint64_t left_ms = cancel_left_ms(cancel);
    if (left_ms > grace_ms)
        (void)uv_timer_start(&cancel->timer, on_grace, grace_ms, 0);
    else
        (void)uv_timer_start(&cancel->timer, on_timeout, left_ms, 0);
}

/* A host that has answered is there, and may be the one; one whose name is being looked up was not asked yet:
 * its own grace begins later, and lasts as long. */
static void on_grace(uv_timer_t *timer)
{
    struct cancel *cancel = CONTAINER_OF(timer, struct cancel, timer);
    uint64_t longest_ms = 0;
    for (size_t index = 0; index < cancel->errand_count; index++) {
        struct errand *errand = &cancel->errands[index];
        uint64_t unanswered_ms = errand->reach != NULL ? reach_unanswered_ms(errand->reach) : 0;
        if (unanswered_ms >= CANCEL_GRACE_MS)
            errand_stop(errand);
        else if (unanswered_ms > longest_ms)
            longest_ms = unanswered_ms;
    }
    if (cancel->under_way > 0)
        cancel_time_grace(cancel, CANCEL_GRACE_MS - longest_ms);
}

/* A host has taken the request. */
static void cancel_hasten(struct cancel *cancel)
{
    if (!cancel->is_hastened)
        cancel_time_grace(cancel, CANCEL_GRACE_MS);
    cancel->is_hastened = true;
}

/* ── On the way ────────────────────────────────────────────────────────────────────────────────────────────
 */

static void on_bytes(struct link *link, struct bytes bytes)
{
    (void)link; /* there is no answer to a cancel request */
    (void)bytes;
}

static void on_end(struct link *link, int error)
{
    if (error == 0)
        cancel_hasten(errand_of(link)->cancel);
    link_close_flushed(link);
}

static void on_drained(struct link *link)
{
    (void)link; /* nobody waits for that */
}

static void on_closed(struct link *link)
{
    errand_of(link)->is_open = false;
    errand_end(errand_of(link));
}

static const struct link_events errand_link_events = {
    .on_bytes = on_bytes,
    .on_end = on_end,
    .on_drained = on_drained,
    .on_closed = on_closed,
};

static void on_reached(void *owner, bool is_open, const char *why)
{
    (void)why; /* that the host is down is told by the sessions to it */
    struct errand *errand = owner;
    errand->reach = NULL;
    errand->is_open = is_open;
    if (!is_open) {
        errand_end(errand);
        return;
    }
    link_send(&errand->link, bytes_of(errand->cancel->request, errand->cancel->request_size));
    link_read_start(&errand->link);
}

static bool errand_begin(struct errand *errand)
{
    const struct reach_plan plan = {
        .loop = errand->cancel->plan.loop,
        .link = &errand->link,
        .events = &errand_link_events,
        .chunk = errand->cancel->plan.chunk,
        .upstream = &errand->upstream,
        .done = on_reached,
        .owner = errand,
    };
    errand->reach = reach_start(&plan);
    return errand->reach != NULL;
}

/* ── All of them ───────────────────────────────────────────────────────────────────────────────────────────
 */

static void cancel_add(struct cancel *cancel, const struct upstream *upstream)
{
    for (size_t host = 0; host < upstream->host_count; host++) {
        struct errand *errand = &cancel->errands[cancel->errand_count++];
        errand->cancel = cancel;
        errand->upstream = *upstream;
        errand->upstream.hosts = &upstream->hosts[host];
        errand->upstream.host_count = 1;
        errand->upstream.fitness = NULL;
        cancel->under_way += errand_begin(errand);
    }
}

static struct cancel *cancel_create(const struct cancel_plan *plan)
{
    size_t hosts = 0;
    for (size_t index = 0; index < plan->upstream_count; index++)
        hosts += plan->upstreams[index]->host_count;
    struct cancel *cancel = calloc(1, sizeof *cancel + hosts * sizeof cancel->errands[0]);
    uint8_t *request = malloc(plan->request.size);
    if (cancel == NULL || request == NULL) {
        free(cancel);
        free(request);
        return NULL;
    }
    memcpy(request, plan->request.data, plan->request.size);
    cancel->plan = *plan;
    cancel->request = request;
    cancel->request_size = plan->request.size;
    return cancel;
}

static uint64_t cancel_timeout(const struct cancel_plan *plan)
{
    uint64_t longest = 0;
    for (size_t index = 0; index < plan->upstream_count; index++) {
        uint64_t timeout = plan->upstreams[index]->connect_timeout_ms;
        timeout = timeout > 0 ? timeout : CANCEL_MOST_MS;
        longest = timeout > longest ? timeout : longest;
    }
    return longest;
}

struct cancel *cancel_start(const struct cancel_plan *plan)
{
    struct cancel *cancel = cancel_create(plan);
    if (cancel == NULL)
        return NULL;
    for (size_t index = 0; index < plan->upstream_count; index++)
        cancel_add(cancel, plan->upstreams[index]);
    if (cancel->under_way == 0) {
        cancel_free(cancel);
        return NULL;
    }
    (void)uv_timer_init(plan->loop, &cancel->timer); /* neither can fail */
    cancel->until_ms = uv_now(plan->loop) + cancel_timeout(plan);
    (void)uv_timer_start(&cancel->timer, on_timeout, cancel_left_ms(cancel), 0);
    return cancel;
}
