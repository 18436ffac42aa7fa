/* SPDX-License-Identifier: PostgreSQL */
#ifndef HISTORY_QUERY_H
#define HISTORY_QUERY_H

#include "base/attributes.h"
#include "history/value.h"

#include <stdatomic.h>

struct history_column {
    const char *name;
    const char *type; /* as declared: TEXT, INTEGER, REAL; empty for what was computed */
};

/* What one query may take. */
struct history_limits {
    int64_t time_us;
    size_t rows_most;
    size_t bytes_most;               /* of memory while it runs, and of its result */
    const atomic_bool *is_cancelled; /* looked at now and then; may be NULL */
};

enum { HISTORY_MESSAGE_SIZE = 512 };

enum history_answer {
    HISTORY_ANSWERED,
    HISTORY_STOPPED,  /* a callback said so */
    HISTORY_WRONG,    /* the query is not valid, or its values made it fail */
    HISTORY_DENIED,   /* not one that only reads */
    HISTORY_TOO_LONG, /* the limit of time */
    HISTORY_TOO_BIG,  /* rows or memory */
    HISTORY_CANCELLED,
    HISTORY_UNAVAILABLE, /* the file cannot be read now */
};

struct history_failure {
    char message[HISTORY_MESSAGE_SIZE]; /* for people; may quote the query */
    bool is_partial; /* the file could not be shown: the answer is of what waits and of live tables only */
    size_t position; /* in characters of the query, from 1, where SQLite names a place; otherwise 0 */
};

/* A table over something alive: its rows are asked for when a query reads it, on the query's thread. */
struct history_live_table {
    const char *name; /* a plain word that is no table of the file; those are seen first */
    const struct history_column *columns; /* names are plain words */
    size_t column_count;
    /* Calls `yield` with each row (column_count values); stops when that says false. */
    void (*rows)(void *context, bool (*yield)(void *into, const struct history_value *values), void *into);
    void *context;
};

/* A SELECT (or VALUES, WITH ..., EXPLAIN) in SQLite's language; $1, $2 ... stand for the parameters. */
struct history_question {
    struct bytes sql;
    const struct history_value *parameters;
    size_t parameter_count;
    struct history_limits limits;
    const struct history_live_table *live_tables; /* seen beside the tables of the file */
    size_t live_table_count;
    bool is_ours; /* no function is withheld from it, as some are from what is typed */
    /* Only to tell its columns: no parameter needs a value, no row is read. *parameters_named becomes the
     * highest $n in it. */
    bool is_preview;
    size_t *parameters_named;
    /* Once, before any row; values of rows live for the call. False stops the query. */
    bool (*on_columns)(void *context, const struct history_column *columns, size_t count);
    bool (*on_row)(void *context, const struct history_value *values, size_t count);
    void *context;
};

/* What a query sees. */
struct history_view {
    const char *path;     /* of the history file; need not be there */
    bool needs_file;      /* without it the query is refused; otherwise the answer is partial */
    struct bytes waiting; /* records that are not in the file yet: shown with it */
    int64_t waiting_run;  /* their run */
};

/* Answers on a connection of its own that can only read; `failure` is written in any case. Any thread; takes
 * as long as the limits allow: not for an event loop. */
MUST_USE enum history_answer history_query_view(const struct history_view *view,
                                                const struct history_question *question,
                                                struct history_failure *failure);

#endif
