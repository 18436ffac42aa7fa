/* SPDX-License-Identifier: PostgreSQL */
#include "probe/question.h"

#include "probe/connection.h"

#include <stdlib.h>

enum { MICROSECONDS_PER_MILLISECOND = 1000, OPTIONS_SIZE = 1024 };

/*   start ──► connecting ──► READY ──question_ask──► asking ──► rows ... ──► DONE   */
struct question {
    struct connection connection;
    enum question_state state;
    bool is_asking;
    PGresult *row; /* the one last given, or NULL */
};

static void question_fail(struct question *question, const char *message)
{
    connection_fail(&question->connection, message);
    question->state = QUESTION_FAILED;
}

static bool question_open(struct question *question, const struct question_plan *plan)
{
    char storage[OPTIONS_SIZE];
    struct text options;
    struct parameters parameters;
    text_init(&options, storage, sizeof storage);
    text_append_format(&options,
                       " -c default_transaction_read_only=on -c statement_timeout=%lld -c lock_timeout=%lld",
                       (long long)(plan->statement_timeout_us / MICROSECONDS_PER_MILLISECOND),
                       (long long)(plan->lock_timeout_us / MICROSECONDS_PER_MILLISECOND));
    text_append_string(&options, plan->options);
    if (options.is_truncated) {
        connection_fail(&question->connection, "the session's options are too long");
        return false;
    }
    if (!parameters_init_for(&parameters, &plan->place, plan->application_name, storage,
                             &question->connection.reason))
        return false;
    bool is_open = connection_open(&question->connection, &parameters);
    parameters_release(&parameters);
    return is_open;
}

struct question *question_start(const struct question_plan *plan)
{
    struct question *question = calloc(1, sizeof *question);
    if (question == NULL)
        return NULL;
    connection_init(&question->connection);
    question->state = question_open(question, plan) ? QUESTION_WAITING : QUESTION_FAILED;
    return question;
}

static void step_connecting(struct question *question)
{
    switch (connection_poll(&question->connection)) {
    case CONNECTION_UNDER_WAY:
        break;
    case CONNECTION_OPEN:
        question->state = QUESTION_READY;
        break;
    case CONNECTION_FAILED:
        question->state = QUESTION_FAILED;
        break;
    }
}

void question_step(struct question *question)
{
    if (question->state != QUESTION_WAITING)
        return;
    if (!question->is_asking)
        step_connecting(question);
    else if (!connection_exchange(&question->connection))
        question->state = QUESTION_FAILED;
}

static bool is_asked(struct question *question, const char *sql)
{
    if (!connection_ask(&question->connection, sql))
        return false;
    if (PQsetSingleRowMode(question->connection.handle) != 0)
        return connection_exchange(&question->connection);
    connection_fail(&question->connection, "rows cannot be had one by one");
    return false;
}

void question_ask(struct question *question, const char *sql)
{
    if (question->state != QUESTION_READY)
        return;
    question->is_asking = true;
    question->state = is_asked(question, sql) ? QUESTION_WAITING : QUESTION_FAILED;
}

/* Whether it is a row; otherwise the answer is at an end, good or bad. */
static bool result_read(struct question *question, PGresult *result, size_t count)
{
    switch (PQresultStatus(result)) {
    case PGRES_SINGLE_TUPLE:
        if ((size_t)PQnfields(result) == count)
            return true;
        question_fail(question, "the server's rows have another number of fields than was asked for");
        return false;
    case PGRES_TUPLES_OK: /* behind the last row */
        return false;
    default:
        question_fail(question, PQresultErrorMessage(result));
        return false;
    }
}

/* The next result that is there without waiting, or NULL. */
static PGresult *result_take(struct question *question)
{
    PQclear(question->row);
    question->row = NULL;
    if (question->state != QUESTION_WAITING || !question->is_asking ||
        PQisBusy(question->connection.handle) != 0)
        return NULL;
    PGresult *result = PQgetResult(question->connection.handle);
    if (result == NULL)
        question->state = QUESTION_DONE;
    return result;
}

bool question_row(struct question *question, struct bytes *fields, size_t count)
{
    while ((question->row = result_take(question)) != NULL) {
        if (!result_read(question, question->row, count))
            continue;
        for (int i = 0; i < (int)count; i++)
            fields[i] = bytes_of(PQgetvalue(question->row, 0, i), (size_t)PQgetlength(question->row, 0, i));
        return true;
    }
    return false;
}

enum question_state question_state(const struct question *question)
{
    return question->state;
}

int question_server(const struct question *question)
{
    return PQserverVersion(question->connection.handle);
}

int question_socket(const struct question *question)
{
    return PQsocket(question->connection.handle);
}

enum probe_wish question_wants(const struct question *question)
{
    return question->connection.wish;
}

const char *question_reason(const struct question *question)
{
    return question->connection.reason_storage;
}

void question_cancel(struct question *question)
{
    if (question == NULL)
        return;
    PQclear(question->row);
    connection_close(&question->connection);
    free(question);
}
