/* SPDX-License-Identifier: PostgreSQL */
#include "policy/gate.h"

#include <stdlib.h>
#include <string.h>

enum source_kind { SOURCE_OPENING, SOURCE_FREEZE, SOURCE_WINDOW };

/* What may decide a moment: an opening, a freeze or a window of the plan. */
struct source {
    enum source_kind kind;
    enum safety_level allow;
    const char *name;
    const char *timezone;
    const char *reason;
    int64_t to_us; /* of the freeze that holds, or held last */
    size_t active; /* occurrences that hold at the moment */
};

/* Where an occurrence begins or ends. */
struct edge {
    int64_t time_us;
    int64_t to_us; /* where an occurrence begins: its own end */
    struct source *source;
    bool is_begin;
};

struct sweep {
    struct source *sources; /* openings, freezes, windows: of equals, the first decides */
    size_t source_count;
    struct edge *edges;
    size_t edge_count;
    size_t edge_capacity;
    int64_t from_us;
    int64_t to_us;
};

static bool sweep_reserve(struct sweep *sweep)
{
    if (sweep->edge_count + 2 <= sweep->edge_capacity)
        return true;
    size_t capacity = sweep->edge_capacity * 2 + 64;
    struct edge *edges = reallocarray(sweep->edges, capacity, sizeof *edges);
    if (edges == NULL)
        return false;
    sweep->edges = edges;
    sweep->edge_capacity = capacity;
    return true;
}

/* Adds the part of [from, to) that lies in the line. */
static bool sweep_add(struct sweep *sweep, struct source *source, int64_t from_us, int64_t to_us)
{
    int64_t own_to_us = to_us;
    from_us = from_us > sweep->from_us ? from_us : sweep->from_us;
    to_us = to_us < sweep->to_us ? to_us : sweep->to_us;
    if (from_us >= to_us)
        return true;
    if (!sweep_reserve(sweep))
        return false;
    sweep->edges[sweep->edge_count++] = (struct edge){ from_us, own_to_us, source, true };
    sweep->edges[sweep->edge_count++] = (struct edge){ to_us, own_to_us, source, false };
    return true;
}

static bool sweep_add_window(struct sweep *sweep, struct source *source, const struct window *window)
{
    struct occurrence occurrence = { sweep->from_us, sweep->from_us };
    while (window_next(window, occurrence.to_us, &occurrence) && occurrence.from_us < sweep->to_us) {
        if (!sweep_add(sweep, source, occurrence.from_us, occurrence.to_us))
            return false;
    }
    return true;
}

static bool sweep_add_freeze(struct sweep *sweep, struct source *source, const struct freeze *freeze)
{
    struct occurrence occurrence = { sweep->from_us, sweep->from_us };
    while (freeze_next(freeze, occurrence.to_us, &occurrence) && occurrence.from_us < sweep->to_us) {
        if (!sweep_add(sweep, source, occurrence.from_us, occurrence.to_us))
            return false;
    }
    return true;
}

static struct source *sweep_source(struct sweep *sweep, struct source source)
{
    sweep->sources[sweep->source_count] = source;
    return &sweep->sources[sweep->source_count++];
}

const char *gate_plan_timezone(const struct gate_plan *plan)
{
    if (plan->timezone != NULL)
        return plan->timezone;
    return plan->window_count > 0 ? plan->windows[0].timezone : "UTC";
}

static struct source source_of_opening(const struct gate_plan *plan, const struct opening *opening)
{
    return (struct source){ .kind = SOURCE_OPENING,
                            .allow = opening->allow,
                            .name = opening->name,
                            .timezone = gate_plan_timezone(plan),
                            .reason = opening->reason };
}

static bool sweep_add_openings(struct sweep *sweep, const struct gate_plan *plan)
{
    for (size_t i = 0; i < plan->opening_count; i++) {
        const struct opening *opening = &plan->openings[i];
        if (!scope_is_open(&opening->scope))
            continue;
        struct source *source = sweep_source(sweep, source_of_opening(plan, opening));
        if (!sweep_add(sweep, source, opening->from_us, opening->to_us))
            return false;
    }
    return true;
}

static bool sweep_add_freezes(struct sweep *sweep, const struct gate_plan *plan)
{
    for (size_t i = 0; i < plan->freeze_count; i++) {
        const struct freeze *freeze = &plan->freezes[i];
        struct source *source = sweep_source(sweep, (struct source){ .kind = SOURCE_FREEZE,
                                                                     .allow = LEVEL_NONE,
                                                                     .name = freeze->name,
                                                                     .timezone = gate_plan_timezone(plan),
                                                                     .reason = freeze->reason });
        if (!sweep_add_freeze(sweep, source, freeze))
            return false;
    }
    return true;
}

static bool sweep_add_windows(struct sweep *sweep, const struct gate_plan *plan)
{
    for (size_t i = 0; i < plan->window_count; i++) {
        const struct window *window = &plan->windows[i];
        struct source *source = sweep_source(sweep, (struct source){ .kind = SOURCE_WINDOW,
                                                                     .allow = window->allow,
                                                                     .name = window->name,
                                                                     .timezone = window->timezone,
                                                                     .reason = "" });
        if (!sweep_add_window(sweep, source, window))
            return false;
    }
    return true;
}

/* Of the sources that hold: a freeze shuts the windows out and itself gives way to any opening; of the rest,
 * the one that allows most. NULL: none. */
static const struct source *sweep_winner(const struct sweep *sweep)
{
    const struct source *winner = NULL;
    bool is_frozen = false;
    for (size_t i = 0; i < sweep->source_count; i++) {
        const struct source *source = &sweep->sources[i];
        if (source->active == 0 || (source->kind == SOURCE_WINDOW && is_frozen))
            continue;
        is_frozen = is_frozen || source->kind == SOURCE_FREEZE;
        if (winner == NULL || source->allow > winner->allow)
            winner = source;
    }
    return winner;
}

static int edge_compare(const void *left, const void *right)
{
    const struct edge *a = left;
    const struct edge *b = right;
    return (a->time_us > b->time_us) - (a->time_us < b->time_us);
}

static void field_copy(char *field, size_t capacity, const char *text)
{
    (void)bytes_copy_text(bytes_text(text), field, capacity);
}

static void time_show(char *field, size_t capacity, int64_t time_us, const char *timezone)
{
    struct text text;
    text_init(&text, field, capacity);
    instant_describe(time_us, timezone, &text);
}

static void span_make(struct gate_span *span, const struct source *source, int64_t from_us)
{
    *span = (struct gate_span){ .from_us = from_us,
                                .allow = source->allow,
                                .is_freeze = source->kind == SOURCE_FREEZE };
    field_copy(span->name, sizeof span->name, source->name);
    field_copy(span->timezone, sizeof span->timezone, source->timezone);
    field_copy(span->reason, sizeof span->reason, source->reason);
    time_show(span->from_text, sizeof span->from_text, from_us, source->timezone);
}

static void span_end(struct gate_span *span, const struct source *source, int64_t to_us)
{
    span->to_us = to_us;
    time_show(span->to_text, sizeof span->to_text, span->is_freeze ? source->to_us : to_us, source->timezone);
}

static void edge_apply(const struct edge *edge)
{
    struct source *source = edge->source;
    source->active = edge->is_begin ? source->active + 1 : source->active - 1;
    if (edge->is_begin && edge->to_us > source->to_us)
        source->to_us = edge->to_us;
}

/* Walks the edges in time; where the deciding source changes, a span ends and another begins. */
static void sweep_run(struct sweep *sweep, struct gate *gate)
{
    const struct source *current = NULL;
    if (sweep->edge_count > 0)
        qsort(sweep->edges, sweep->edge_count, sizeof *sweep->edges, edge_compare);
    for (size_t i = 0; i < sweep->edge_count;) {
        int64_t time_us = sweep->edges[i].time_us;
        for (; i < sweep->edge_count && sweep->edges[i].time_us == time_us; i++)
            edge_apply(&sweep->edges[i]);
        const struct source *winner = sweep_winner(sweep);
        if (winner == current)
            continue;
        if (current != NULL)
            span_end(&gate->spans[gate->count++], current, time_us);
        if (winner != NULL)
            span_make(&gate->spans[gate->count], winner, time_us);
        current = winner;
    }
}

bool gate_init(struct gate *gate, const struct gate_plan *plan, int64_t from_us, int64_t length_us)
{
    struct sweep sweep = { .from_us = from_us, .to_us = from_us + length_us };
    size_t source_count = plan->window_count + plan->freeze_count + plan->opening_count;
    *gate = (struct gate){ .from_us = sweep.from_us, .to_us = sweep.to_us };
    sweep.sources = calloc(source_count + 1, sizeof *sweep.sources);
    bool is_made = sweep.sources != NULL && sweep_add_openings(&sweep, plan) &&
                   sweep_add_freezes(&sweep, plan) && sweep_add_windows(&sweep, plan);
    gate->spans = is_made ? calloc(sweep.edge_count + 1, sizeof *gate->spans) : NULL;
    is_made = gate->spans != NULL;
    if (is_made)
        sweep_run(&sweep, gate);
    free(sweep.edges);
    free(sweep.sources);
    return is_made;
}

void gate_span_of_opening(const struct gate_plan *plan, size_t index, struct gate_span *out)
{
    const struct opening *opening = &plan->openings[index];
    struct source source = source_of_opening(plan, opening);
    span_make(out, &source, opening->from_us);
    span_end(out, &source, opening->to_us);
}

void gate_release(struct gate *gate)
{
    free(gate->spans);
    *gate = (struct gate){ 0 };
}

/* The first span that ends after `now_us`; gate->count where there is none. */
static size_t gate_search(const struct gate *gate, int64_t now_us)
{
    size_t low = 0;
    size_t high = gate->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (gate->spans[middle].to_us > now_us)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

const struct gate_span *gate_at(const struct gate *gate, int64_t now_us)
{
    size_t at = gate_search(gate, now_us);
    return at < gate->count && gate->spans[at].from_us <= now_us ? &gate->spans[at] : NULL;
}

const struct gate_span *gate_next(const struct gate *gate, enum safety_level level, int64_t now_us)
{
    for (size_t at = gate_search(gate, now_us); at < gate->count; at++) {
        if (!gate->spans[at].is_freeze && gate->spans[at].allow >= level)
            return &gate->spans[at];
    }
    return NULL;
}
