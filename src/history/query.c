/* SPDX-License-Identifier: PostgreSQL */
#include "history/query.h"

#include "history/query_connection.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* One query under way. */
struct asking {
    const struct history_question *question;
    struct history_failure *failure;
    const struct query_connection *query;
    sqlite3_stmt *statement;
    int64_t deadline_us;
    bool is_open;          /* the memory that opening takes is not the query's */
    int64_t memory_before; /* bytes; of the whole program, which hardly does anything else with SQLite */
    enum history_answer stopped; /* why the look at limits stopped it; HISTORY_ANSWERED: it did not */
    size_t columns;
    size_t rows;
    size_t bytes;
};

static int64_t monotonic_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static enum history_answer end(const struct asking *asking, enum history_answer answer, const char *message)
{
    (void)snprintf(asking->failure->message, sizeof asking->failure->message, "%s", message);
    return answer;
}

static int look_at_limits(void *context)
{
    struct asking *asking = context;
    const struct history_limits *limits = &asking->question->limits;
    if (limits->is_cancelled != NULL && atomic_load_explicit(limits->is_cancelled, memory_order_relaxed))
        asking->stopped = HISTORY_CANCELLED;
    else if (monotonic_us() > asking->deadline_us)
        asking->stopped = HISTORY_TOO_LONG;
    else if (asking->is_open && sqlite3_memory_used() - asking->memory_before > (int64_t)limits->bytes_most)
        asking->stopped = HISTORY_TOO_BIG;
    return asking->stopped != HISTORY_ANSWERED;
}

static size_t characters_before(struct bytes sql, int offset)
{
    size_t count = 0;
    for (size_t i = 0; i < sql.size && i < (size_t)offset; i++)
        count += (sql.data[i] & 0xc0) != 0x80;
    return count;
}

static enum history_answer limit_hit(const struct asking *asking)
{
    switch (asking->stopped) {
    case HISTORY_CANCELLED:
        return end(asking, HISTORY_CANCELLED, "the query was cancelled");
    case HISTORY_TOO_LONG:
        return end(asking, HISTORY_TOO_LONG, "the query took longer than is allowed");
    default:
        return end(asking, HISTORY_TOO_BIG, "the query takes more memory than is allowed");
    }
}

/* What SQLite's refusal means. */
static enum history_answer failed(const struct asking *asking, int code)
{
    int offset = sqlite3_error_offset(asking->query->connection);
    if (asking->stopped != HISTORY_ANSWERED)
        return limit_hit(asking);
    if (asking->query->has_denied)
        return end(asking, HISTORY_DENIED, "only queries that read are answered here");
    if (offset >= 0)
        asking->failure->position = characters_before(asking->question->sql, offset) + 1;
    switch (code & 0xff) {
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG:
        return end(asking, HISTORY_TOO_BIG, "the query takes more memory than is allowed");
    case SQLITE_BUSY:
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CANTOPEN:
        return end(asking, HISTORY_UNAVAILABLE, sqlite3_errmsg(asking->query->connection));
    default:
        return end(asking, HISTORY_WRONG, sqlite3_errmsg(asking->query->connection));
    }
}

static enum history_answer prepare(struct asking *asking)
{
    struct bytes sql = asking->question->sql;
    const char *rest;
    sqlite3_stmt *second = NULL;
    if (bytes_find(sql, '\0') < sql.size)
        return end(asking, HISTORY_WRONG, "a query holds no NUL");
    if (sql.size == 0 || sql.size > INT32_MAX)
        return end(asking, HISTORY_WRONG, "a query is between 1 byte and 2 GB");
    const char *start = (const char *)sql.data;
    int code =
        sqlite3_prepare_v3(asking->query->connection, start, (int)sql.size, 0, &asking->statement, &rest);
    if (code != SQLITE_OK)
        return failed(asking, code);
    if (asking->statement == NULL)
        return end(asking, HISTORY_WRONG, "there is no query");
    code =
        sqlite3_prepare_v3(asking->query->connection, rest, (int)(start + sql.size - rest), 0, &second, NULL);
    (void)sqlite3_finalize(second);
    if (code != SQLITE_OK || second != NULL) {
        asking->failure->position = characters_before(sql, (int)(rest - start)) + 1;
        return end(asking, HISTORY_WRONG, "one query at a time, please: there is something behind the first");
    }
    if (sqlite3_stmt_readonly(asking->statement) == 0)
        return end(asking, HISTORY_DENIED, "only queries that read are answered here");
    return HISTORY_ANSWERED;
}

static int bind(sqlite3_stmt *statement, int at, const struct history_value *value)
{
    switch (value->type) {
    case HISTORY_INTEGER:
        return sqlite3_bind_int64(statement, at, value->integer);
    case HISTORY_REAL:
        return sqlite3_bind_double(statement, at, value->real);
    case HISTORY_TEXT:
        return sqlite3_bind_text64(statement, at, value->text.size > 0 ? (const char *)value->text.data : "",
                                   value->text.size, SQLITE_STATIC, SQLITE_UTF8);
    case HISTORY_NULL:
        break;
    }
    return sqlite3_bind_null(statement, at);
}

/* Each parameter goes by its name, $1, in whatever order the query has them. */
static enum history_answer bind_all(const struct asking *asking)
{
    const struct history_question *question = asking->question;
    int count = sqlite3_bind_parameter_count(asking->statement);
    for (int at = 1; at <= count; at++) {
        const char *name = sqlite3_bind_parameter_name(asking->statement, at);
        char *after = NULL;
        unsigned long number = name != NULL && name[0] == '$' ? strtoul(name + 1, &after, 10) : 0;
        bool is_wrong = number == 0 || *after != '\0' || number > UINT16_MAX;
        if (question->is_preview && !is_wrong) {
            if (number > *question->parameters_named)
                *question->parameters_named = number;
            continue;
        }
        if (is_wrong || number > question->parameter_count)
            return end(asking, HISTORY_WRONG, "parameters are $1, $2 ..., and each has a value");
        int code = bind(asking->statement, at, &question->parameters[number - 1]);
        if (code != SQLITE_OK)
            return failed(asking, code);
    }
    return HISTORY_ANSWERED;
}

static enum history_answer tell_columns(struct asking *asking, struct history_column *columns)
{
    for (size_t i = 0; i < asking->columns; i++) {
        const char *type = sqlite3_column_decltype(asking->statement, (int)i);
        columns[i].name = sqlite3_column_name(asking->statement, (int)i);
        columns[i].type = type != NULL ? type : "";
        if (columns[i].name == NULL)
            return failed(asking, SQLITE_NOMEM);
    }
    if (!asking->question->on_columns(asking->question->context, columns, asking->columns))
        return end(asking, HISTORY_STOPPED, "the query was stopped");
    return HISTORY_ANSWERED;
}

static struct history_value value_of(sqlite3_stmt *statement, int at)
{
    switch (sqlite3_column_type(statement, at)) {
    case SQLITE_INTEGER:
        return history_integer(sqlite3_column_int64(statement, at));
    case SQLITE_FLOAT:
        return history_real(sqlite3_column_double(statement, at));
    case SQLITE_NULL:
        return (struct history_value){ .type = HISTORY_NULL };
    default: {
        const void *data = sqlite3_column_blob(statement, at); /* a text's bytes as they are */
        size_t size = (size_t)sqlite3_column_bytes(statement, at);
        return (struct history_value){ .type = HISTORY_TEXT,
                                       .text = bytes_of(data, data != NULL ? size : 0) };
    }
    }
}

static enum history_answer tell_row(struct asking *asking, struct history_value *values)
{
    const struct history_limits *limits = &asking->question->limits;
    asking->rows++;
    for (size_t i = 0; i < asking->columns; i++) {
        values[i] = value_of(asking->statement, (int)i);
        asking->bytes += sizeof values[i] + values[i].text.size;
    }
    if (asking->rows > limits->rows_most)
        return end(asking, HISTORY_TOO_BIG, "the query has more rows than are allowed; LIMIT helps");
    if (asking->bytes > limits->bytes_most)
        return end(asking, HISTORY_TOO_BIG, "the query's rows are more bytes than are allowed; LIMIT helps");
    if (!asking->question->on_row(asking->question->context, values, asking->columns))
        return end(asking, HISTORY_STOPPED, "the query was stopped");
    return HISTORY_ANSWERED;
}

static enum history_answer run(struct asking *asking, struct history_column *columns,
                               struct history_value *values)
{
    enum history_answer answer = tell_columns(asking, columns);
    while (answer == HISTORY_ANSWERED && !asking->question->is_preview) {
        int code = sqlite3_step(asking->statement);
        if (code == SQLITE_DONE)
            break;
        answer = code == SQLITE_ROW ? tell_row(asking, values) : failed(asking, code);
    }
    return answer;
}

static enum history_answer ask(struct asking *asking)
{
    enum history_answer answer = prepare(asking);
    if (answer == HISTORY_ANSWERED)
        answer = bind_all(asking);
    if (answer != HISTORY_ANSWERED)
        return answer;
    asking->columns = (size_t)sqlite3_column_count(asking->statement);
    struct history_column *columns = calloc(asking->columns + 1, sizeof *columns);
    struct history_value *values = calloc(asking->columns + 1, sizeof *values);
    if (columns != NULL && values != NULL)
        answer = run(asking, columns, values);
    else
        answer = end(asking, HISTORY_TOO_BIG, "memory is short");
    free(values);
    free(columns);
    return answer;
}

enum history_answer history_query_view(const struct history_view *view,
                                       const struct history_question *question,
                                       struct history_failure *failure)
{
    struct asking asking = { .question = question, .failure = failure, .stopped = HISTORY_ANSWERED };
    struct query_connection query;
    const struct query_look look = { look_at_limits, &asking };
    asking.deadline_us = monotonic_us() + question->limits.time_us;
    enum history_answer answer = query_connection_open(&query, view, question, &look, failure);
    if (answer == HISTORY_ANSWERED) {
        asking.query = &query;
        asking.memory_before = sqlite3_memory_used();
        asking.is_open = true;
        answer = ask(&asking);
        (void)sqlite3_finalize(asking.statement);
    } else if (asking.stopped != HISTORY_ANSWERED) {
        answer = limit_hit(&asking);
    }
    query_connection_release(&query);
    return answer;
}
