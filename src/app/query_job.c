/* SPDX-License-Identifier: PostgreSQL */
#include "app/query_job.h"

#include "control/extended.h"

#include <stdlib.h>

enum { ROWS_MOST = 1000000, BYTES_MOST = 32 * 1024 * 1024 };

struct query_job {
    uv_work_t work;
    struct query_plan plan;
    bool is_abandoned;
    atomic_bool is_cancelled;
    struct buffer sql;
    struct buffer texts; /* of the parameters */
    struct history_value parameters[PARAMETERS_MOST];
    struct console_reply reply;
};

static void job_free(struct query_job *job)
{
    query_rows_destroy(job->reply.rows);
    live_copies_destroy(job->plan.copies);
    buffer_release(&job->sql);
    buffer_release(&job->texts);
    free(job);
}

/* What the question names may go before the job is done. */
static bool question_copy(struct query_job *job)
{
    struct console_question *question = &job->plan.question;
    size_t at = 0;
    if (question->parameter_count > PARAMETERS_MOST)
        return false;
    buffer_append(&job->sql, question->sql);
    for (size_t i = 0; i < question->parameter_count; i++) {
        job->parameters[i] = question->parameters[i];
        if (question->parameters[i].type == HISTORY_TEXT)
            buffer_append(&job->texts, question->parameters[i].text);
    }
    for (size_t i = 0; i < question->parameter_count && !job->texts.has_failed; i++) {
        if (job->parameters[i].type != HISTORY_TEXT)
            continue;
        job->parameters[i].text.data = job->texts.data + at;
        at += job->parameters[i].text.size;
    }
    question->sql = buffer_bytes(&job->sql);
    question->parameters = job->parameters;
    return !job->sql.has_failed && !job->texts.has_failed;
}

static void on_work(uv_work_t *work)
{
    struct query_job *job = CONTAINER_OF(work, struct query_job, work);
    const struct console_question *asked = &job->plan.question;
    struct history_failure failure;
    const struct history_question question = {
        .sql = asked->sql,
        .parameters = asked->parameters,
        .parameter_count = asked->parameter_count,
        .limits = { job->plan.time_us, ROWS_MOST, BYTES_MOST, &job->is_cancelled },
        .live_tables = live_copies_tables(job->plan.copies),
        .live_table_count = live_copies_count(job->plan.copies),
        .is_preview = asked->is_preview,
        .parameters_named = &job->reply.parameter_count,
        .on_columns = query_rows_take_columns,
        .on_row = query_rows_take_row,
        .context = job->reply.rows,
    };
    static const struct history_view nothing = { .path = "" };
    bool is_off = job->plan.history == NULL;
    enum history_answer answer = is_off ? history_query_view(&nothing, &question, &failure)
                                        : history_query(job->plan.history, &question, &failure);
    failure.is_partial = failure.is_partial && !is_off;
    question_outcome(answer, &failure, &job->reply.outcome);
}

static void on_worked(uv_work_t *work, int status)
{
    struct query_job *job = CONTAINER_OF(work, struct query_job, work);
    if (status != 0)
        outcome_fail(&job->reply.outcome, "57014", "canceling statement due to user request");
    if (!job->is_abandoned)
        job->plan.on_done(job->plan.owner, &job->reply);
    job_free(job);
}

struct query_job *query_job_start(uv_loop_t *loop, const struct query_plan *plan)
{
    struct query_job *job = calloc(1, sizeof(*job));
    if (job == NULL) {
        live_copies_destroy(plan->copies);
        return NULL;
    }
    job->plan = *plan;
    buffer_init(&job->sql, SIZE_MAX / 2);
    buffer_init(&job->texts, SIZE_MAX / 2);
    job->reply.rows = query_rows_create(BYTES_MOST);
    if (job->reply.rows == NULL || !question_copy(job) ||
        uv_queue_work(loop, &job->work, on_work, on_worked) != 0) {
        job_free(job);
        return NULL;
    }
    return job;
}

void query_job_cancel(struct query_job *job)
{
    atomic_store(&job->is_cancelled, true);
    (void)uv_cancel((uv_req_t *)&job->work); /* where it has not begun */
}

void query_job_abandon(struct query_job *job)
{
    job->is_abandoned = true;
    query_job_cancel(job);
}
