/* SPDX-License-Identifier: PostgreSQL */
#include "console_world.h"

#include "app/clock.h"
#include "control/rule_rows.h"
#include "control/window_rows.h"

#include <stdlib.h>

static void with_snapshot(const struct world_gathering *gathering, struct console_world *world)
{
    struct snapshot snapshot;
    sluice_snapshot(gathering->sluice, &snapshot);
    world->snapshot = &snapshot;
    world->totals = &gathering->sluice->observer.totals;
    world->deploys = &gathering->sluice->observer.aftermath.deploys;
    world->incidents = vigil_book(&gathering->sluice->observer.vigil);
    gathering->use(gathering->context, world);
    world->snapshot = NULL;
    snapshot_release(&snapshot);
}

static void with_history(const struct world_gathering *gathering, struct console_world *world)
{
    struct history_state state;
    if (recording_state(&gathering->sluice->observer.recording, &state))
        world->history = &state;
    gathering->use(gathering->context, world);
    world->history = NULL;
}

static void with_windows(const struct world_gathering *gathering, struct console_world *world)
{
    struct gate_plan plan = gatekeeper_gate_plan(&gathering->sluice->keeper);
    size_t most = window_rows_most(&plan);
    struct window_row *rows = calloc(most > 0 ? most : 1, sizeof(*rows));
    if (rows == NULL)
        outcome_fail(&world->outcome, "53200", "out of memory");
    else
        world->window_count = window_rows_fill(&plan, world->now_us, rows, most);
    world->windows = rows;
    gathering->use(gathering->context, world);
    free(rows);
}

static void with_rules(const struct world_gathering *gathering, struct console_world *world)
{
    const struct policy_plan *plan = &gathering->sluice->keeper.plan.policy;
    size_t most = rule_rows_most(plan);
    struct rule_row *rows = calloc(most, sizeof(*rows));
    if (rows != NULL)
        world->rule_count = rule_rows_fill(plan, rows, most);
    world->rules = rows;
    gathering->use(gathering->context, world);
    free(rows);
}

static void with_workers(const struct world_gathering *gathering, struct console_world *world)
{
    struct worker_row *rows = sluice_worker_rows(gathering->sluice);
    world->worker_count = rows != NULL ? gathering->sluice->worker_count : 0;
    world->workers = rows;
    gathering->use(gathering->context, world);
    free(rows);
}

static void with_settings(const struct world_gathering *gathering, struct console_world *world)
{
    size_t count;
    const struct settings_row *from = settings_rows(gathering->sluice->current, &count);
    struct setting_row *rows = calloc(count > 0 ? count : 1, sizeof(*rows));
    if (rows == NULL)
        count = 0;
    for (size_t index = 0; index < count; index++)
        rows[index] = (struct setting_row){ from[index].path, from[index].value, from[index].standard,
                                            from[index].about, false };
    world->settings = rows;
    world->setting_count = count;
    gathering->use(gathering->context, world);
    free(rows);
}

struct console_world console_world_now(struct sluice *sluice)
{
    sluice_take_events(sluice); /* whoever asks sees what was done before */
    return (struct console_world){ .now_us = clock_now(),
                                   .journal = &sluice->journal,
                                   .catalog = surveyor_catalog(sluice->surveyor),
                                   .constraint_changes = surveyor_changes(sluice->surveyor),
                                   .attempts = sluice->attempts,
                                   .orders = sluice->keeper.orders,
                                   .order_count = sluice->keeper.order_count };
}

void console_world_gather(const struct world_gathering *gathering, enum command_needs needs)
{
    struct console_world world = console_world_now(gathering->sluice);
    switch (needs) {
    case COMMAND_NEEDS_SNAPSHOT:
    case COMMAND_NEEDS_TOTALS:
        with_snapshot(gathering, &world);
        break;
    case COMMAND_NEEDS_WINDOWS:
        with_windows(gathering, &world);
        break;
    case COMMAND_NEEDS_RULES:
        with_rules(gathering, &world);
        break;
    case COMMAND_NEEDS_WORKERS:
        with_workers(gathering, &world);
        break;
    case COMMAND_NEEDS_SETTINGS:
        with_settings(gathering, &world);
        break;
    case COMMAND_NEEDS_HISTORY:
        with_history(gathering, &world);
        break;
    case COMMAND_NEEDS_JOURNAL:
    case COMMAND_NEEDS_CATALOG:
    case COMMAND_NEEDS_ORDERS:
    case COMMAND_NEEDS_NOTHING:
    case COMMAND_NEEDS_QUERY:
    case COMMAND_NEEDS_EFFECT:
        gathering->use(gathering->context, &world);
        break;
    }
}
