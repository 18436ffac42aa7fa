/* SPDX-License-Identifier: PostgreSQL */
#include "history/history_parts.h"

#include <errno.h>
#include <stdio.h>

enum { SECOND_US = 1000 * 1000, HEARTBEAT_US = 10 * SECOND_US };

int64_t history_clock(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * SECOND_US + now.tv_nsec / 1000;
}

struct timespec history_deadline(int64_t span_us)
{
    struct timespec at;
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    int64_t nanoseconds = at.tv_nsec + span_us % SECOND_US * 1000;
    at.tv_sec += span_us / SECOND_US + nanoseconds / 1000000000;
    at.tv_nsec = nanoseconds % 1000000000;
    return at;
}

/* Called with the mutex held. */
static void wait_for_work(struct history *history)
{
    struct timespec deadline = history_deadline(history->options.flush_us);
    bool is_time = false;
    while (history->holding > 0 || (!history->is_ending && !history->is_wanted && !is_time)) {
        if (history->holding > 0)
            (void)pthread_cond_wait(&history->wake, &history->mutex);
        else
            is_time = pthread_cond_timedwait(&history->wake, &history->mutex, &deadline) == ETIMEDOUT;
    }
}

/* Called with the mutex held. */
static void begin_attempt(struct history *history)
{
    history->is_wanted = false;
    history->begun++;
    if (batch_is_empty(&history->leaving) && (!history->holds_back || history->is_ending)) {
        struct batch leaving = history->leaving;
        history->leaving = history->arriving;
        history->arriving = leaving;
        history->left = history->arrived;
    }
    history->keeper.run.details_dropped = history->state.dropped_rows;
    history->keeper.run.counts_unnamed = history->state.unnamed_counts;
    history->keeper.run.is_ended = history->is_ending && batch_is_empty(&history->arriving);
}

static void state_fill(struct history *history, bool has_succeeded, int64_t now_us)
{
    const struct keeper *keeper = &history->keeper;
    struct history_state *state = &history->state;
    enum history_health health = has_succeeded ? HISTORY_OK : HISTORY_DEGRADED;
    if (health != state->health || state->since_us == 0)
        state->since_us = now_us;
    state->health = health;
    (void)snprintf(state->why, sizeof state->why, "%s", has_succeeded ? "" : keeper->why);
    (void)snprintf(state->set_aside, sizeof state->set_aside, "%s", keeper->set_aside);
    (void)snprintf(state->set_aside_why, sizeof state->set_aside_why, "%s", keeper->set_aside_why);
    state->files_set_aside = keeper->files_set_aside;
    state->written_rows = keeper->written_rows - keeper->rejected_rows;
    state->file_bytes = keeper->file_bytes;
    state->gap_from_us = keeper->gap_from_us;
    history->run = keeper->archive.run;
}

/* Called with the mutex held. */
static void note_attempt(struct history *history, bool has_succeeded, uint64_t rejected, int64_t now_us)
{
    if (has_succeeded) {
        batch_clear(&history->leaving);
        history->state.flushed_us = now_us;
        history->stored = history->left;
    }
    history->state.dropped_rows += rejected;
    state_fill(history, has_succeeded, now_us);
    history->has_succeeded = has_succeeded;
}

/* One attempt; called and left with the mutex held. */
static bool write_leaving(struct history *history)
{
    struct keeper *keeper = &history->keeper;
    int64_t now_us = history_clock();
    uint64_t rejected_before = keeper->rejected_rows;
    bool is_due = !batch_is_empty(&history->leaving) || !history->has_succeeded || keeper->run.is_ended ||
                  now_us - history->state.flushed_us >= HEARTBEAT_US || now_us < history->state.flushed_us;
    (void)pthread_mutex_unlock(&history->mutex);
    bool has_succeeded = !is_due || keeper_write(keeper, &history->leaving, now_us);
    (void)pthread_mutex_lock(&history->mutex);
    if (is_due)
        note_attempt(history, has_succeeded, keeper->rejected_rows - rejected_before, now_us);
    history->attempts = history->begun;
    (void)pthread_cond_broadcast(&history->written);
    return has_succeeded;
}

void *history_work(void *context)
{
    struct history *history = context;
    bool goes_on = true;
    (void)pthread_mutex_lock(&history->mutex);
    while (goes_on) {
        wait_for_work(history);
        begin_attempt(history);
        bool has_succeeded = write_leaving(history);
        goes_on = !history->is_ending || (has_succeeded && !history->keeper.run.is_ended);
        (void)pthread_mutex_unlock(&history->mutex);
        bool is_more = has_succeeded && goes_on && !keeper_prune(&history->keeper, history_clock());
        (void)pthread_mutex_lock(&history->mutex);
        history->state.file_bytes = history->keeper.file_bytes;
        history->is_wanted = history->is_wanted || is_more;
    }
    (void)pthread_mutex_unlock(&history->mutex);
    keeper_release(&history->keeper);
    return NULL;
}
