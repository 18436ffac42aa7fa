/* SPDX-License-Identifier: PostgreSQL */
/* Hosts the console: gathers what a command needs, does what it asks, and lets the console put the answer
 * into words. */
#include "app/clock.h"
#include "app/sluice.h"
#include "control/rule_rows.h"
#include "control/window_rows.h"

#include <stdlib.h>

enum { CONSOLE_CONNECTIONS_MOST = 32, CONSOLE_ANSWER_MOST = 64 * 1024 * 1024 };

/* One connection. */
struct visit {
    struct sluice *sluice;
    struct console *console;
};

static void *visit_create(void *context, const struct address *peer)
{
    struct sluice *sluice = context;
    struct visit *visit = malloc(sizeof(*visit));
    if (visit == NULL)
        return NULL;
    *visit = (struct visit){ sluice, console_create(&sluice->console, peer) };
    if (visit->console == NULL) {
        free(visit);
        return NULL;
    }
    return visit;
}

static void visit_destroy(void *state)
{
    struct visit *visit = state;
    console_destroy(visit->console);
    free(visit);
}

/* ── What commands ask for ─────────────────────────────────────────────────────────────────────────────────
 */

static void answer_snapshot(struct visit *visit, struct console_world *world, struct buffer *out)
{
    struct snapshot snapshot;
    sluice_snapshot(visit->sluice, &snapshot);
    world->snapshot = &snapshot;
    world->totals = &visit->sluice->observer.totals;
    console_answer(visit->console, world, out);
    world->snapshot = NULL;
    snapshot_release(&snapshot);
}

static void answer_windows(struct visit *visit, struct console_world *world, struct buffer *out)
{
    struct gate_plan plan = gatekeeper_gate_plan(&visit->sluice->keeper);
    size_t most = window_rows_most(&plan);
    struct window_row *rows = calloc(most > 0 ? most : 1, sizeof(*rows));
    if (rows == NULL)
        outcome_fail(&world->outcome, "53200", "out of memory");
    else
        world->window_count = window_rows_fill(&plan, world->now_us, rows, most);
    world->windows = rows;
    console_answer(visit->console, world, out);
    free(rows);
}

static void answer_rules(struct visit *visit, struct console_world *world, struct buffer *out)
{
    const struct policy_plan *plan = &visit->sluice->keeper.plan.policy;
    size_t most = rule_rows_most(plan);
    struct rule_row *rows = calloc(most, sizeof(*rows));
    if (rows != NULL)
        world->rule_count = rule_rows_fill(plan, rows, most);
    world->rules = rows;
    console_answer(visit->console, world, out);
    free(rows);
}

static void answer_settings(struct visit *visit, struct console_world *world, struct buffer *out)
{
    size_t count;
    const struct settings_row *from = settings_rows(visit->sluice->current, &count);
    struct setting_row *rows = calloc(count > 0 ? count : 1, sizeof(*rows));
    if (rows == NULL)
        count = 0;
    for (size_t index = 0; index < count; index++)
        rows[index] = (struct setting_row){ from[index].path, from[index].value, from[index].standard,
                                            from[index].about, false };
    world->settings = rows;
    world->setting_count = count;
    console_answer(visit->console, world, out);
    free(rows);
}

static void gate_moved(struct sluice *sluice, enum notice notice, const struct opening *opening,
                       const char *who)
{
    sluice_log_opening(sluice, notice, opening, who);
    sluice_publish_policy(sluice);
}

static void writes_moved(struct sluice *sluice, enum notice notice, const struct readonly_order *order,
                         const struct console_command *command, const char *who)
{
    sluice_log_readonly(sluice, notice, order, who, command->reason);
    sluice_publish_policy(sluice);
}

static void do_effect(struct sluice *sluice, const struct console_command *command, const char *who,
                      struct console_world *world)
{
    struct gatekeeper *keeper = &sluice->keeper;
    struct console_outcome *outcome = &world->outcome;
    struct opening opening;
    struct readonly_order order;
    switch (command->kind) {
    case COMMAND_RELOAD:
        sluice_reload(sluice, outcome);
        break;
    case COMMAND_OPEN_WINDOW:
        if (gatekeeper_open(keeper, command, who, world->now_us, outcome, &opening))
            gate_moved(sluice, NOTICE_OPENING_MADE, &opening, who);
        break;
    case COMMAND_CLOSE_WINDOW:
        if (gatekeeper_close(keeper, command->name, world->now_us, outcome, &opening))
            gate_moved(sluice, NOTICE_OPENING_ENDED, &opening, who);
        break;
    case COMMAND_SET_READONLY_ON:
        if (gatekeeper_set_readonly(keeper, command, who, world->now_us, outcome, &order))
            writes_moved(sluice, NOTICE_READONLY_ORDERED, &order, command, who);
        break;
    case COMMAND_SET_READONLY_OFF:
        if (gatekeeper_clear_readonly(keeper, command, world->now_us, outcome, &order))
            writes_moved(sluice, NOTICE_READONLY_ENDED, &order, command, who);
        break;
    default:
        break; /* what only shows has no effect */
    }
}

static void answer_effect(struct visit *visit, struct console_world *world, struct buffer *out)
{
    do_effect(visit->sluice, console_command(visit->console), console_user(visit->console), world);
    console_answer(visit->console, world, out);
}

static void command_answer(struct visit *visit, struct buffer *out)
{
    const struct gatekeeper *keeper = &visit->sluice->keeper;
    struct console_world world = { .now_us = clock_now(),
                                   .journal = &visit->sluice->journal,
                                   .catalog = surveyor_catalog(visit->sluice->surveyor),
                                   .constraint_changes = surveyor_changes(visit->sluice->surveyor),
                                   .attempts = visit->sluice->attempts,
                                   .orders = keeper->orders,
                                   .order_count = keeper->order_count };
    switch (command_forms[console_command(visit->console)->kind].needs) {
    case COMMAND_NEEDS_SNAPSHOT:
    case COMMAND_NEEDS_TOTALS:
        answer_snapshot(visit, &world, out);
        break;
    case COMMAND_NEEDS_WINDOWS:
        answer_windows(visit, &world, out);
        break;
    case COMMAND_NEEDS_RULES:
        answer_rules(visit, &world, out);
        break;
    case COMMAND_NEEDS_SETTINGS:
        answer_settings(visit, &world, out);
        break;
    case COMMAND_NEEDS_EFFECT:
        answer_effect(visit, &world, out);
        break;
    case COMMAND_NEEDS_JOURNAL:
    case COMMAND_NEEDS_CATALOG:
    case COMMAND_NEEDS_ORDERS:
    case COMMAND_NEEDS_NOTHING:
        console_answer(visit->console, &world, out);
        break;
    }
}

static enum answer visit_take(void *state, struct bytes bytes, struct buffer *out)
{
    struct visit *visit = state;
    for (;;) {
        switch (console_step(visit->console, &bytes, out)) {
        case CONSOLE_STARVED:
            return ANSWER_MORE;
        case CONSOLE_CLOSE:
            return ANSWER_CLOSE;
        case CONSOLE_ASK:
            command_answer(visit, out);
            break;
        }
    }
}

bool console_host_open(struct sluice *sluice, struct problem *problem)
{
    const struct answerer answerer = {
        .create = visit_create,
        .take = visit_take,
        .destroy = visit_destroy,
        .context = sluice,
        .connections_most = CONSOLE_CONNECTIONS_MOST,
        .answer_most = CONSOLE_ANSWER_MOST,
    };
    if (sluice->started->console.address.family == ADDRESS_NONE)
        return true;
    return responder_open(&sluice->loop, &sluice->started->console.address, &answerer, &sluice->chunk,
                          &sluice->responder, problem);
}
