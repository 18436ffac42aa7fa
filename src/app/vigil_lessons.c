/* SPDX-License-Identifier: PostgreSQL */
#include "vigil_lessons.h"

#include "recollection_rows.h"

#include <stdlib.h>

enum { SECOND_US = 1000000, RECENT_MOST = 10000, MINUTE_SIZE = sizeof("2026-11-21 03:04:00") };

static const int64_t minute_us = 60 * (int64_t)SECOND_US;
static const int64_t day_us = 86400 * (int64_t)SECOND_US;
static const int64_t lesson_days = 28;
/* A clock set back is no reason to forget; what lies further ahead was counted by a wrong one. */
static const int64_t set_back_most_us = 86400 * (int64_t)SECOND_US;

/* The minutes from $1 to before $2, as seconds since 1970; the family of a minute stands behind its
 * constraints, behind both the end of a run in it, with the start of the next in place of a count. A run that
 * lies in the future had a wrong clock: it tells nothing of time. */
static const char lesson_sql[] =
    "SELECT CAST(strftime('%s', minute) AS INTEGER) AS at, 0 AS lesson, service, schema_name, table_name,"
    " CASE WHEN constraint_name <> '' THEN constraint_name ELSE column_name END AS name, sum(count)"
    " FROM violation_counts WHERE minute >= $1 AND minute < $2 AND kind <> 'other' AND (table_name <> '' OR"
    " constraint_name <> '' OR column_name <> '') GROUP BY 1, 2, 3, 4, 5, 6"
    " UNION ALL SELECT CAST(strftime('%s', minute) AS INTEGER), 1, service, '', '', 'violation', sum(count)"
    " FROM violation_counts WHERE minute >= $1 AND minute < $2 AND kind <> 'other' GROUP BY 1, 2, 3"
    " UNION ALL SELECT CAST(strftime('%s', flushed) AS INTEGER), 2, '', '', '', '',"
    " CAST(strftime('%s', next) AS INTEGER) FROM (SELECT flushed, lead(started) OVER (ORDER BY run) AS next"
    " FROM runs WHERE started < datetime('now', '+1 seconds'))"
    " WHERE flushed >= $1 AND flushed < $2 AND next IS NOT NULL"
    " ORDER BY 1, 2";

enum lesson_kind { LESSON_CONSTRAINT, LESSON_FAMILY, LESSON_ABSENCE };

/* A run that counted nothing knows that there was nothing. */
static const char since_sql[] =
    "SELECT CAST(strftime('%s', min(at)) AS INTEGER) FROM (SELECT min(minute) AS at FROM violation_counts"
    " WHERE minute >= $1 UNION ALL SELECT min(max(started, $1)) FROM runs WHERE flushed >= $1)";

enum lesson_column {
    LESSON_AT,
    LESSON_KIND,
    LESSON_SERVICE,
    LESSON_SCHEMA,
    LESSON_TABLE,
    LESSON_NAME,
    LESSON_COUNT
};

struct lesson {
    enum lesson_kind kind;
    struct incident_key key;
    int64_t time_us;  /* the minute; of an absence, when it began */
    int64_t until_us; /* of an absence, its end */
    uint64_t count;
};

struct recent_lessons {
    size_t count;
    struct lesson lessons[RECENT_MOST];
};

static void lesson_read(const struct history_value *values, struct lesson *out)
{
    *out = (struct lesson){ .kind = (enum lesson_kind)values[LESSON_KIND].integer,
                            .time_us = values[LESSON_AT].integer * SECOND_US };
    if (out->kind == LESSON_ABSENCE) {
        out->until_us = values[LESSON_COUNT].integer * SECOND_US;
        return;
    }
    out->count = (uint64_t)values[LESSON_COUNT].integer;
    out->key.subject = out->kind == LESSON_FAMILY ? INCIDENT_FAMILY : INCIDENT_CONSTRAINT;
    RECOLLECT(out->key.service, &values[LESSON_SERVICE]);
    RECOLLECT(out->key.schema, &values[LESSON_SCHEMA]);
    RECOLLECT(out->key.table, &values[LESSON_TABLE]);
    RECOLLECT(out->key.name, &values[LESSON_NAME]);
}

static bool on_since(void *context, const struct history_value *values, size_t count)
{
    int64_t *since_us = context;
    if (count == 1 && values[0].type == HISTORY_INTEGER)
        *since_us = values[0].integer * SECOND_US;
    return true;
}

/* Beginning of the minute as the history writes it. */
static void minute_text(int64_t time_us, char out[static HISTORY_TIME_SIZE])
{
    entry_time(entry_minute(time_us), out);
    out[MINUTE_SIZE - 1] = '\0';
}

/* ── The minute of the start ───────────────────────────────────────────────────────────────────────────────
 */

static bool on_recent(void *context, const struct history_value *values, size_t count)
{
    struct recent_lessons *recent = context;
    if (count <= LESSON_COUNT || recent->count == COUNT_OF(recent->lessons))
        return false;
    lesson_read(values, &recent->lessons[recent->count++]);
    return true;
}

struct recent_lessons *recent_lessons_read(const struct recollection *recollection)
{
    char minute[HISTORY_TIME_SIZE];
    char until[HISTORY_TIME_SIZE];
    struct recent_lessons *recent = malloc(sizeof *recent);
    if (recent == NULL)
        return NULL;
    recent->count = 0;
    minute_text(recollection->now_us, minute);
    minute_text(recollection->now_us + set_back_most_us, until);
    const struct recollection_question question = {
        .path = recollection->path,
        .is_cancelled = &recollection->is_cancelled,
        .sql = lesson_sql,
        .from = minute,
        .until = until,
        .on_row = on_recent,
        .context = recent,
    };
    if (recollection_ask(&question))
        return recent;
    free(recent);
    return NULL;
}

void recent_lessons_free(struct recent_lessons *recent)
{
    free(recent);
}

/* ── Teaching ──────────────────────────────────────────────────────────────────────────────────────────────
 */

static bool is_same(const struct incident_key *one, const struct incident_key *other)
{
    return one->subject == other->subject && strcmp(one->service, other->service) == 0 &&
           strcmp(one->schema, other->schema) == 0 && strcmp(one->table, other->table) == 0 &&
           strcmp(one->name, other->name) == 0;
}

static bool is_of_incident(const struct vigil_past *past, const struct lesson *lesson)
{
    for (size_t i = 0; i < past->incident_count; i++) {
        const struct incident *incident = &past->incidents[i].note.incident;
        if (lesson->time_us + minute_us > incident->started_us && is_same(&lesson->key, &incident->key))
            return true;
    }
    return false;
}

static void teach(struct recollection *recollection, const struct lesson *lesson)
{
    struct incident_watch *watch = &recollection->vigil->watch;
    if (lesson->kind == LESSON_ABSENCE)
        incident_watch_learn_absence(watch, lesson->time_us, lesson->until_us);
    else if (lesson->count > 0 && !is_of_incident(&recollection->past, lesson))
        incident_watch_learn(watch, &lesson->key, lesson->time_us, lesson->count);
}

/* Minutes of an incident that goes on are no lessons: nor are they silent. */
static void hold_incidents(struct recollection *recollection)
{
    const struct vigil_past *past = &recollection->past;
    for (size_t i = 0; i < past->incident_count; i++)
        incident_watch_hold(&recollection->vigil->watch, &past->incidents[i].note.incident);
}

static bool on_lesson(void *context, const struct history_value *values, size_t count)
{
    struct lesson lesson;
    if (count <= LESSON_COUNT)
        return false;
    lesson_read(values, &lesson);
    teach(context, &lesson);
    return true;
}

/* Day by day, so that sorting takes little memory. */
static bool teach_weeks(struct recollection *recollection)
{
    char from[HISTORY_TIME_SIZE];
    char until[HISTORY_TIME_SIZE];
    const struct recollection_question question = {
        .path = recollection->path,
        .is_cancelled = &recollection->is_cancelled,
        .sql = lesson_sql,
        .from = from,
        .until = until,
        .on_row = on_lesson,
        .context = recollection,
    };
    int64_t end_us = entry_minute(recollection->now_us);
    bool is_taught = true;
    for (int64_t day = lesson_days; is_taught && day > 0; day--) {
        minute_text(end_us - day * day_us, from);
        minute_text(end_us - (day - 1) * day_us, until);
        is_taught = recollection_ask(&question);
    }
    return is_taught;
}

bool vigil_teach(struct recollection *recollection, const struct recent_lessons *recent)
{
    char from[HISTORY_TIME_SIZE];
    int64_t since_us = recollection->now_us;
    const struct recollection_question question = {
        .path = recollection->path,
        .is_cancelled = &recollection->is_cancelled,
        .sql = since_sql,
        .from = from,
        .on_row = on_since,
        .context = &since_us,
    };
    minute_text(entry_minute(recollection->now_us) - lesson_days * day_us, from);
    if (!recollection_ask(&question))
        return false;
    incident_watch_know(&recollection->vigil->watch,
                        since_us < recollection->now_us ? since_us : recollection->now_us);
    bool is_taught = teach_weeks(recollection);
    for (size_t i = 0; i < recent->count; i++)
        teach(recollection, &recent->lessons[i]);
    hold_incidents(recollection);
    return is_taught;
}
