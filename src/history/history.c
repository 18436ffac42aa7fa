/* SPDX-License-Identifier: PostgreSQL */
#define _GNU_SOURCE /* pthread_setname_np */
#include "history/history.h"

#include "history/history_parts.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/* Of its time, how much a query may wait for what was recorded before to be written. */
enum { FLUSH_PART = 4 };

static void history_free(struct history *history)
{
    batch_release(&history->arriving);
    batch_release(&history->leaving);
    (void)pthread_cond_destroy(&history->written);
    (void)pthread_cond_destroy(&history->wake);
    (void)pthread_mutex_destroy(&history->mutex);
    free(history);
}

/* Signals are for the thread that handles them. */
static bool thread_start(struct history *history)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&history->thread, NULL, history_work, history);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code == 0)
        (void)pthread_setname_np(history->thread, "history");
    return code == 0;
}

static void init_waiting(struct history *history)
{
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&history->wake, &attributes);
    (void)pthread_cond_init(&history->written, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_mutex_init(&history->mutex, NULL);
}

struct history *history_create(const struct history_options *options)
{
    struct history *history = calloc(1, sizeof *history);
    if (history == NULL)
        return NULL;
    history->options = *options;
    history->holds_back = options->holds_back;
    keeper_init(&history->keeper, options, history_clock());
    batch_init(&history->arriving, &options->key, options->waiting_bytes_most, options->waiting_counts_most);
    batch_init(&history->leaving, &options->key, options->waiting_bytes_most, options->waiting_counts_most);
    init_waiting(history);
    history->is_wanted = true; /* the file is opened at once */
    if (thread_start(history))
        return history;
    history_free(history);
    return NULL;
}

void history_destroy(struct history *history)
{
    (void)pthread_mutex_lock(&history->mutex);
    history->is_ending = true;
    (void)pthread_cond_signal(&history->wake);
    (void)pthread_mutex_unlock(&history->mutex);
    (void)pthread_join(history->thread, NULL);
    history_free(history);
}

void history_go_on(struct history *history)
{
    (void)pthread_mutex_lock(&history->mutex);
    history->holds_back = false;
    history->is_wanted = true;
    (void)pthread_cond_broadcast(&history->wake);
    (void)pthread_mutex_unlock(&history->mutex);
}

bool history_flush(struct history *history, int64_t timeout_us)
{
    struct timespec deadline = history_deadline(timeout_us);
    int code = 0;
    bool has_failed = false;
    (void)pthread_mutex_lock(&history->mutex);
    uint64_t target = history->arrived;
    while (code == 0 && !has_failed && (history->stored < target || history->attempts == 0) &&
           !history->holds_back) {
        uint64_t attempts = history->attempts;
        history->is_wanted = true;
        (void)pthread_cond_broadcast(&history->wake);
        while (code == 0 && history->attempts == attempts)
            code = pthread_cond_timedwait(&history->written, &history->mutex, &deadline);
        has_failed = history->attempts != attempts && !history->has_succeeded;
    }
    bool is_done = history->stored >= target && history->attempts > 0;
    (void)pthread_mutex_unlock(&history->mutex);
    return is_done;
}

void history_state(struct history *history, struct history_state *out)
{
    (void)pthread_mutex_lock(&history->mutex);
    *out = history->state;
    out->waiting_rows = history->arriving.row_count + history->leaving.row_count;
    (void)pthread_mutex_unlock(&history->mutex);
}

/* Keeps the thread from writing, so that what waits and what is in the file stay what they are, and copies
 * what waits. False when the thread is writing and does not come back. */
static bool hold(struct history *history, int64_t timeout_us, struct buffer *waiting)
{
    struct timespec deadline = history_deadline(timeout_us);
    int code = 0;
    (void)pthread_mutex_lock(&history->mutex);
    history->holding++;
    while (code == 0 && history->attempts < history->begun)
        code = pthread_cond_timedwait(&history->written, &history->mutex, &deadline);
    bool is_held = history->attempts == history->begun;
    if (is_held) {
        batch_copy(&history->leaving, waiting);
        batch_copy(&history->arriving, waiting);
    }
    (void)pthread_mutex_unlock(&history->mutex);
    return is_held && !waiting->has_failed;
}

static void let_go(struct history *history)
{
    (void)pthread_mutex_lock(&history->mutex);
    history->holding--;
    (void)pthread_cond_broadcast(&history->wake);
    (void)pthread_mutex_unlock(&history->mutex);
}

static struct history_view view_of(const struct history *history)
{
    return (struct history_view){ .path = history->keeper.archive.path };
}

/* With what waits beside the file. */
static enum history_answer query_held(struct history *history, const struct history_question *question,
                                      struct history_failure *failure)
{
    struct buffer waiting;
    struct history_view view = view_of(history);
    enum history_answer answer = HISTORY_UNAVAILABLE;
    buffer_init(&waiting, SIZE_MAX / 2);
    *failure = (struct history_failure){ .message = "the history is busy, or memory is short: try again" };
    if (hold(history, question->limits.time_us / FLUSH_PART, &waiting)) {
        view.waiting = buffer_bytes(&waiting);
        view.waiting_run = history->run;
        answer = history_query_view(&view, question, failure);
    }
    let_go(history);
    buffer_release(&waiting);
    return answer;
}

enum history_answer history_query(struct history *history, const struct history_question *question,
                                  struct history_failure *failure)
{
    if (!history_flush(history, question->limits.time_us / FLUSH_PART))
        return query_held(history, question, failure);
    struct history_view view = view_of(history);
    return history_query_view(&view, question, failure);
}

enum history_answer history_query_file(const char *path, const struct history_question *question,
                                       struct history_failure *failure)
{
    struct history_view view = { .path = path, .needs_file = true };
    return history_query_view(&view, question, failure);
}
