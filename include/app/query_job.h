/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_QUERY_JOB_H
#define APP_QUERY_JOB_H

#include "app/live_copy.h"
#include "control/question.h"
#include "history/history.h"

#include <uv.h>

/* A query of the history that a thread of libuv's pool answers. Freed in the loop when it is done, after
 * on_done. */
struct query_job;

struct query_plan {
    struct history *history; /* NULL: only live tables are seen. Outlives the loop's last turn */
    struct console_question question;
    int64_t time_us;
    struct live_copies *copies; /* taken over, also when it fails */
    /* In the loop; not after query_job_abandon. *reply->rows may be taken over. */
    void (*on_done)(void *owner, struct console_reply *reply);
    void *owner;
};

/* NULL when memory is short. */
struct query_job *query_job_start(uv_loop_t *loop, const struct query_plan *plan);
/* Ends it before its time; its owner is told that it was cancelled. */
void query_job_cancel(struct query_job *job);
/* The same; its owner is not told. */
void query_job_abandon(struct query_job *job);

#endif
