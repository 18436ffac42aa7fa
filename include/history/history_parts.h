/* SPDX-License-Identifier: PostgreSQL */
#ifndef HISTORY_HISTORY_PARTS_H
#define HISTORY_HISTORY_PARTS_H

#include "history/batch.h"
#include "history/history.h"
#include "history/keeper.h"

#include <pthread.h>
#include <time.h>

/* The mutex is held for copies in memory only, never while the file is worked on. */
struct history {
    struct history_options options;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;    /* to the thread: there is something to do before its time */
    pthread_cond_t written; /* from the thread: an attempt has ended */
    struct batch arriving;
    struct batch leaving; /* changed under the mutex, and by the thread only: it reads without */
    struct history_state state;
    bool holds_back; /* what arrives is not to be written yet */
    bool is_ending;
    bool is_wanted;     /* a write before its time */
    uint64_t begun;     /* attempts to write */
    uint64_t attempts;  /* that have ended */
    bool has_succeeded; /* the last attempt */
    unsigned holding;   /* queries that keep attempts from beginning */
    /* What was taken in so far: all, up to what leaves now, up to what is in the file. */
    uint64_t arrived;
    uint64_t left;
    uint64_t stored;
    int64_t run;          /* its number in the file, for what waits */
    struct keeper keeper; /* the thread's */
};

/* The thread: `context` is the history. */
void *history_work(void *context);
/* The wall clock, µs since 1970. */
int64_t history_clock(void);
/* The instant of the monotonic clock that is `span_us` from now. */
struct timespec history_deadline(int64_t span_us);

#endif
