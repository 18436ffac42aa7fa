/* SPDX-License-Identifier: PostgreSQL */
#include "vigil_lessons.h"

enum { SECOND_US = 1000000, ROWS_MOST = 2000000, BYTES_MOST = 64 * 1024 * 1024 };

static const int64_t lesson_us = 28 * 86400 * (int64_t)SECOND_US;
static const int64_t patience_us = 5 * (int64_t)SECOND_US;

/* The minutes as seconds since 1970; the family of a minute stands behind its constraints. */
static const char lesson_sql[] =
    "SELECT CAST(strftime('%s', minute) AS INTEGER) AS at, 0 AS is_family, service, schema_name, table_name,"
    " CASE WHEN constraint_name <> '' THEN constraint_name ELSE column_name END AS name, sum(count)"
    " FROM violation_counts WHERE minute >= $1 AND kind <> 'other' AND (table_name <> '' OR"
    " constraint_name <> '' OR column_name <> '') GROUP BY 1, 2, 3, 4, 5, 6"
    " UNION ALL SELECT CAST(strftime('%s', minute) AS INTEGER), 1, service, '', '', 'violation', sum(count)"
    " FROM violation_counts WHERE minute >= $1 AND kind <> 'other' GROUP BY 1, 2, 3 ORDER BY 1, 2";

/* A run that counted nothing knows that there was nothing. */
static const char since_sql[] =
    "SELECT CAST(strftime('%s', min(at)) AS INTEGER) FROM (SELECT min(minute) AS at FROM violation_counts"
    " WHERE minute >= $1 UNION ALL SELECT min(max(started, $1)) FROM runs WHERE flushed >= $1)";

enum lesson_column {
    LESSON_AT,
    LESSON_IS_FAMILY,
    LESSON_SERVICE,
    LESSON_SCHEMA,
    LESSON_TABLE,
    LESSON_NAME,
    LESSON_COUNT
};

static bool on_columns(void *context, const struct history_column *columns, size_t count)
{
    (void)context;
    (void)columns;
    (void)count;
    return true;
}

/* Whether all was told. */
static bool ask(struct history *history, const char *sql, int64_t from_us, void *context,
                bool (*on_row)(void *, const struct history_value *, size_t))
{
    char from[HISTORY_TIME_SIZE];
    struct history_failure failure;
    entry_time(from_us, from);
    const struct history_value parameter = history_text(from);
    const struct history_question question = {
        .sql = bytes_text(sql),
        .parameters = &parameter,
        .parameter_count = 1,
        .limits = { .time_us = patience_us, .rows_most = ROWS_MOST, .bytes_most = BYTES_MOST },
        .on_columns = on_columns,
        .on_row = on_row,
        .context = context,
    };
    return history_query(history, &question, &failure) == HISTORY_ANSWERED && !failure.is_partial;
}

static bool on_since(void *context, const struct history_value *values, size_t count)
{
    int64_t *since_us = context;
    if (count == 1 && values[0].type == HISTORY_INTEGER)
        *since_us = values[0].integer * SECOND_US;
    return true;
}

int64_t vigil_known_since(struct history *history, int64_t now_us)
{
    int64_t since_us = now_us;
    if (history == NULL || !ask(history, since_sql, now_us - lesson_us, &since_us, on_since))
        return now_us;
    return since_us < now_us ? since_us : now_us;
}

static void field_take(char out[static NAME_SIZE], const struct history_value *value)
{
    (void)bytes_copy_text(value->text, out, NAME_SIZE);
}

static bool on_lesson(void *context, const struct history_value *values, size_t count)
{
    struct incident_key key = { .subject = INCIDENT_CONSTRAINT };
    if (count <= LESSON_COUNT || values[LESSON_COUNT].integer <= 0)
        return true;
    if (values[LESSON_IS_FAMILY].integer != 0)
        key.subject = INCIDENT_FAMILY;
    field_take(key.service, &values[LESSON_SERVICE]);
    field_take(key.schema, &values[LESSON_SCHEMA]);
    field_take(key.table, &values[LESSON_TABLE]);
    field_take(key.name, &values[LESSON_NAME]);
    vigil_learn(context, &key, values[LESSON_AT].integer * SECOND_US, (uint64_t)values[LESSON_COUNT].integer);
    return true;
}

void vigil_teach(struct vigil *vigil, struct history *history, int64_t now_us)
{
    if (history != NULL && !ask(history, lesson_sql, now_us - lesson_us, vigil, on_lesson))
        incident_watch_doubt(&vigil->watch, now_us); /* what was not told is not learned */
}
