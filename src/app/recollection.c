/* SPDX-License-Identifier: PostgreSQL */
#include "app/recollection.h"

#include "app/clock.h"
#include "recollection_rows.h"
#include "vigil_lessons.h"

#include <stdlib.h>

enum { LOOK_MS = 10, LOOKS_MOST = 12000 };

/* A file that was not closed well is looked through when it is opened, which takes its time. */
static bool wait_for_file(struct recollection *recollection)
{
    struct history_state state = { .flushed_us = 0 };
    for (unsigned look = 0; look < LOOKS_MOST && !atomic_load(&recollection->is_cancelled); look++) {
        history_state(recollection->history, &state);
        if (state.flushed_us > 0 || state.health == HISTORY_DEGRADED)
            break;
        uv_sleep(LOOK_MS);
    }
    return state.flushed_us > 0;
}

/* What this run writes is seen by what is read behind history_go_on only. */
static void learn(struct recollection *recollection)
{
    struct recent_lessons *recent = NULL;
    bool is_open = wait_for_file(recollection);
    if (is_open)
        recent = recent_lessons_read(recollection);
    history_go_on(recollection->history);
    bool has_incidents = is_open && recollection_read_incidents(recollection);
    if (!has_incidents)
        recollection->past = (struct vigil_past){ .incidents = recollection->past.incidents };
    bool has_lessons = recent != NULL && vigil_teach(recollection, recent);
    recollection->has_learned = has_incidents && has_lessons;
    if (is_open)
        recollection_read_changes(recollection, recollection->now_us - recollection->look_back_us);
    recent_lessons_free(recent);
}

static void work(void *context)
{
    struct recollection *recollection = context;
    learn(recollection);
    atomic_store(&recollection->is_over, true);
}

static void awake(struct recollection *recollection)
{
    if (!recollection->has_learned)
        incident_watch_doubt(&recollection->vigil->watch, clock_now()); /* what was not told is not learned */
    vigil_awake(recollection->vigil, &recollection->past);
}

void recollection_begin(struct recollection *recollection, struct vigil *vigil, struct history *history,
                        const struct settings *settings, int64_t now_us)
{
    *recollection = (struct recollection){ .history = history,
                                           .path = settings->history.file,
                                           .vigil = vigil,
                                           .now_us = now_us,
                                           .look_back_us = settings->deploys.look_back };
    recollection->is_running = uv_thread_create(&recollection->thread, work, recollection) == 0;
    if (recollection->is_running)
        return;
    history_go_on(history);
    awake(recollection);
}

static void restore(const struct recollection *recollection, struct aftermath *aftermath)
{
    for (size_t i = recollection->change_count; i > 0; i--) {
        const struct recollected_change *change = &recollection->changes[i - 1];
        aftermath_restore(aftermath, &change->event, change->state);
    }
    for (size_t i = recollection->difference_count; i > 0; i--) {
        const struct history_constraint_change *change = &recollection->differences[i - 1];
        const struct suspect_difference difference = {
            .database = change->database,
            .schema = change->schema,
            .table = change->table,
            .constraint = change->constraint,
            .seen_us = change->time_us,
            .not_before_us = change->not_before_us,
            .text = change->difference,
        };
        aftermath_learn(aftermath, &difference);
    }
}

static void let_go(struct recollection *recollection)
{
    (void)uv_thread_join(&recollection->thread);
    recollection->is_running = false;
}

static void forget(struct recollection *recollection)
{
    free(recollection->past.incidents);
    free(recollection->changes);
    free(recollection->differences);
    *recollection = (struct recollection){ .is_running = false };
}

void recollection_tick(struct recollection *recollection, struct aftermath *aftermath)
{
    if (!recollection->is_running || !atomic_load(&recollection->is_over))
        return;
    let_go(recollection);
    restore(recollection, aftermath); /* before there are incidents to be put down to something */
    awake(recollection);
    forget(recollection);
}

void recollection_end(struct recollection *recollection)
{
    if (!recollection->is_running)
        return;
    atomic_store(&recollection->is_cancelled, true);
    let_go(recollection);
    forget(recollection);
}
