/* SPDX-License-Identifier: PostgreSQL */
#include "app/surveyor.h"

#include "app/clock.h"
#include "app/place.h"
#include "catalog/reading.h"
#include "probe/question.h"

#include <stdlib.h>

enum {
    CATALOG_SIZE_MOST = 64 * 1024 * 1024,
    CHANGES_KEPT = 500,
    SOON_MS = 200,               /* after a change: others follow it, in one script */
    PATIENCE_MS = 30000,         /* of connecting, then of one reading */
    RETRY_FIRST_MS = 500,        /* and double that each time */
    RETRY_MOST_MS = 60000,       /* of a server that cannot be reached */
    LOCKED_RETRY_MOST_MS = 5000, /* of a table that a schema change holds */
    LOCKED_TOLD_AFTER = 10,      /* readings in a row */
    REASON_COPY_SIZE = 600,
    MICROSECONDS_PER_MILLISECOND = 1000
};

static const int64_t statement_timeout_us = 20000000;
static const int64_t lock_timeout_us = 300000;

/* One database, read again and again. Its timer waits for the next reading, or bounds the one under way. */
struct survey {
    struct surveyor *surveyor;
    const struct catalog_settings *settings;
    uv_timer_t timer;
    struct question *question; /* under way, or NULL */
    struct watch *watch;       /* of its socket, or NULL */
    bool has_to_wait;          /* connected; another database is being read */
    bool is_soon;              /* the timer waits for a reading that a change asked for */
    bool is_stale;             /* a change came while it was read: that may have been too early */
    bool was_told_bad;
    unsigned failures; /* in a row */
    int64_t begun_us;  /* this reading */
    int64_t read_us;   /* when the last whole one began; 0: none */
    size_t rows;
};

/* A socket that is waited for; outlives the reading until its handle is closed. */
struct watch {
    uv_poll_t poll;
    struct survey *survey;
};

struct surveyor {
    struct catalog catalog;
    struct constraint_changes changes;
    struct survey_listener listener;
    struct survey *reading; /* the one that feeds the catalog: one at a time */
    size_t count;
    size_t open_timers; /* not closed yet */
    struct survey surveys[];
};

static void timer_set(struct survey *survey, uv_timer_cb callback, uint64_t after_ms)
{
    (void)uv_timer_start(&survey->timer, callback, after_ms, 0);
}

/* ── One reading ───────────────────────────────────────────────────────────────────────────────────────────
 */

static void on_next(uv_timer_t *timer);
static void go_on(struct survey *survey);

static void on_watch_closed(uv_handle_t *handle)
{
    free(CONTAINER_OF(handle, struct watch, poll));
}

static void unwatch(struct survey *survey)
{
    if (survey->watch != NULL)
        uv_close((uv_handle_t *)&survey->watch->poll, on_watch_closed);
    survey->watch = NULL;
}

static void changes_tell(struct survey *survey)
{
    struct surveyor *surveyor = survey->surveyor;
    const struct survey_listener *listener = &surveyor->listener;
    const struct constraint *constraint;
    const struct version *version;
    while (catalog_next_change(&surveyor->catalog, &constraint, &version)) {
        struct constraint_change change;
        constraint_change_fill(constraint, version, survey->read_us, &change);
        constraint_changes_add(&surveyor->changes, &change);
        listener->on_change(listener->owner, constraint, version, &change);
    }
}

/* What it told so far is true, also when it was not whole. */
static void reading_end(struct survey *survey, bool is_whole)
{
    struct surveyor *surveyor = survey->surveyor;
    if (surveyor->reading != survey)
        return;
    if (is_whole)
        catalog_end(&surveyor->catalog);
    else
        catalog_abandon(&surveyor->catalog);
    surveyor->reading = NULL;
    changes_tell(survey);
}

static void close_question(struct survey *survey)
{
    unwatch(survey);
    question_cancel(survey->question);
    survey->question = NULL;
    survey->has_to_wait = false;
}

static void next_in_turn(struct surveyor *surveyor)
{
    for (size_t index = 0; index < surveyor->count && surveyor->reading == NULL; index++) {
        struct survey *survey = &surveyor->surveys[index];
        if (survey->has_to_wait) {
            survey->has_to_wait = false;
            go_on(survey);
        }
    }
}

static void news_tell(struct survey *survey, bool is_readable, const char *reason)
{
    const struct survey_listener *listener = &survey->surveyor->listener;
    const struct survey_news news = { survey->settings->database, is_readable, reason, survey->rows };
    survey->was_told_bad = !is_readable;
    listener->on_news(listener->owner, &news);
}

static void settle_read(struct survey *survey)
{
    reading_end(survey, true);
    close_question(survey);
    if (survey->read_us == 0 || survey->was_told_bad)
        news_tell(survey, true, "");
    survey->read_us = survey->begun_us;
    survey->failures = 0;
    survey->is_soon = survey->is_stale;
    timer_set(survey, on_next,
              survey->is_stale ? SOON_MS
                               : (uint64_t)(survey->settings->interval / MICROSECONDS_PER_MILLISECOND));
    next_in_turn(survey->surveyor);
}

static uint64_t retry_ms(unsigned failures, uint64_t most_ms)
{
    uint64_t after_ms = RETRY_FIRST_MS;
    for (unsigned count = 1; count < failures && after_ms < most_ms; count++)
        after_ms *= 2;
    return after_ms < most_ms ? after_ms : most_ms;
}

/* A table that is locked is no fault of the catalogue's: told only when that lasts. */
static void settle_failed(struct survey *survey, const char *why)
{
    char reason[REASON_COPY_SIZE]; /* that of the question goes with it */
    bool is_locked = strstr(why, "55P03") != NULL;
    (void)bytes_copy_text(bytes_text(why), reason, sizeof(reason));
    reading_end(survey, false);
    close_question(survey);
    survey->failures++;
    if (!survey->was_told_bad && (!is_locked || survey->failures >= LOCKED_TOLD_AFTER))
        news_tell(survey, false, reason);
    survey->is_soon = false;
    timer_set(survey, on_next, retry_ms(survey->failures, is_locked ? LOCKED_RETRY_MOST_MS : RETRY_MOST_MS));
    next_in_turn(survey->surveyor);
}

static void on_ready(uv_poll_t *poll, int status, int events);

/* Waits for the socket of the moment. */
static bool watch_socket(struct survey *survey)
{
    static const int wishes[] = {
        [PROBE_TO_READ] = UV_READABLE,
        [PROBE_TO_WRITE] = UV_WRITABLE,
        [PROBE_TO_READ_OR_WRITE] = UV_READABLE | UV_WRITABLE,
    };
    struct watch *watch = malloc(sizeof(*watch));
    if (watch == NULL)
        return false;
    if (uv_poll_init(survey->timer.loop, &watch->poll, question_socket(survey->question)) != 0) {
        free(watch);
        return false;
    }
    watch->survey = survey;
    survey->watch = watch;
    return uv_poll_start(&watch->poll, wishes[question_wants(survey->question)], on_ready) == 0;
}

static void on_late(uv_timer_t *timer)
{
    settle_failed(CONTAINER_OF(timer, struct survey, timer), "no answer within 30s");
}

/* Its connection is open. Why it cannot be asked; NULL when it is. */
static const char *ask(struct survey *survey)
{
    struct surveyor *surveyor = survey->surveyor;
    char storage[READING_QUERY_SIZE];
    struct text sql;
    text_init(&sql, storage, sizeof(storage));
    if (question_server(survey->question) < READING_SERVER_LEAST)
        return "the server is older than PostgreSQL 15";
    reading_query(question_server(survey->question), &sql);
    survey->begun_us = clock_now();
    survey->is_stale = false;
    survey->rows = 0;
    if (!catalog_begin(&surveyor->catalog, bytes_text(survey->settings->database), survey->begun_us))
        return "there is no room for another database";
    surveyor->reading = survey;
    timer_set(survey, on_late, PATIENCE_MS);
    question_ask(survey->question, storage);
    return NULL;
}

static bool rows_take(struct survey *survey)
{
    struct bytes fields[READING_FIELDS];
    while (question_row(survey->question, fields, READING_FIELDS)) {
        survey->rows += fields[0].size == 1 && fields[0].data[0] != READING_PART;
        if (!reading_take(&survey->surveyor->catalog, fields))
            return false;
    }
    return true;
}

/* False where it is settled or has to wait. */
static bool take_turn(struct survey *survey)
{
    if (survey->surveyor->reading != NULL) {
        survey->has_to_wait = true;
        (void)uv_timer_stop(&survey->timer);
        return false;
    }
    const char *why = ask(survey);
    if (why != NULL)
        settle_failed(survey, why);
    return why == NULL;
}

static void go_on(struct survey *survey)
{
    while (question_state(survey->question) == QUESTION_READY) {
        if (!take_turn(survey))
            return;
    }
    if (survey->surveyor->reading == survey && !rows_take(survey)) {
        settle_failed(survey, "the answer is not that of the query");
        return;
    }
    switch (question_state(survey->question)) {
    case QUESTION_DONE:
        settle_read(survey);
        break;
    case QUESTION_FAILED:
        settle_failed(survey, question_reason(survey->question));
        break;
    default:
        if (!watch_socket(survey))
            settle_failed(survey, "its socket cannot be watched");
        break;
    }
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    (void)status; /* libpq finds out by itself */
    (void)events;
    struct survey *survey = CONTAINER_OF(poll, struct watch, poll)->survey;
    unwatch(survey);
    question_step(survey->question);
    go_on(survey);
}

static void on_next(uv_timer_t *timer)
{
    struct survey *survey = CONTAINER_OF(timer, struct survey, timer);
    const struct question_plan plan = {
        .place = { NULL, survey->settings->connection, "", "", "", "" },
        .application_name = READING_APPLICATION_NAME,
        .statement_timeout_us = statement_timeout_us,
        .lock_timeout_us = lock_timeout_us,
        .options = READING_OPTIONS,
    };
    survey->is_soon = false;
    survey->is_stale = false;
    timer_set(survey, on_late, PATIENCE_MS);
    survey->question = question_start(&plan);
    if (survey->question == NULL)
        settle_failed(survey, "out of memory");
    else
        go_on(survey);
}

/* ── All of them ───────────────────────────────────────────────────────────────────────────────────────────
 */

bool surveyor_check(const struct settings *settings, struct problems *problems)
{
    bool is_good = true;
    for (size_t index = 0; index < settings->catalog.count; index++) {
        char storage[PROBLEM_TEXT_SIZE];
        struct text why;
        text_init(&why, storage, sizeof(storage));
        if (question_conninfo_check(settings->catalog.items[index].connection, &why))
            continue;
        problem_at(problems, settings, "catalog", index, "connection", false, storage);
        is_good = false;
    }
    return is_good;
}

static void begin(struct surveyor *surveyor, uv_loop_t *loop, const struct catalog_settings *settings)
{
    struct survey *survey = &surveyor->surveys[surveyor->count++];
    *survey = (struct survey){ .surveyor = surveyor, .settings = settings };
    (void)uv_timer_init(loop, &survey->timer); /* cannot fail */
    timer_set(survey, on_next, 0);
    surveyor->open_timers++;
}

struct surveyor *surveyor_start(uv_loop_t *loop, const struct settings *settings, const struct hash_key *key,
                                const struct survey_listener *listener)
{
    size_t count = settings->catalog.count;
    struct surveyor *surveyor = calloc(1, sizeof(*surveyor) + count * sizeof(surveyor->surveys[0]));
    if (surveyor == NULL)
        return NULL;
    if (!constraint_changes_init(&surveyor->changes, CHANGES_KEPT)) {
        free(surveyor);
        return NULL;
    }
    catalog_init(&surveyor->catalog, key, CATALOG_SIZE_MOST);
    surveyor->listener = *listener;
    for (size_t index = 0; index < count; index++)
        begin(surveyor, loop, &settings->catalog.items[index]);
    return surveyor;
}

static void surveyor_free(struct surveyor *surveyor)
{
    catalog_release(&surveyor->catalog);
    constraint_changes_release(&surveyor->changes);
    free(surveyor);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct surveyor *surveyor = CONTAINER_OF(handle, struct survey, timer)->surveyor;
    if (--surveyor->open_timers == 0)
        surveyor_free(surveyor);
}

void surveyor_stop(struct surveyor *surveyor)
{
    size_t count = surveyor != NULL ? surveyor->count : 0;
    if (surveyor != NULL && count == 0)
        surveyor_free(surveyor);
    for (size_t index = 0; index < count; index++) {
        close_question(&surveyor->surveys[index]);
        uv_close((uv_handle_t *)&surveyor->surveys[index].timer, on_timer_closed);
    }
}

void surveyor_hurry(struct surveyor *surveyor, const char *database)
{
    for (size_t index = 0; surveyor != NULL && index < surveyor->count; index++) {
        struct survey *survey = &surveyor->surveys[index];
        if (strcmp(survey->settings->database, database) != 0)
            continue;
        survey->is_stale = true;
        if (survey->question == NULL && !survey->is_soon) {
            survey->is_soon = true;
            timer_set(survey, on_next, SOON_MS);
        }
    }
}

const struct catalog *surveyor_catalog(const struct surveyor *surveyor)
{
    return surveyor != NULL && surveyor->count > 0 ? &surveyor->catalog : NULL;
}

const struct constraint_changes *surveyor_changes(const struct surveyor *surveyor)
{
    return surveyor != NULL && surveyor->count > 0 ? &surveyor->changes : NULL;
}
