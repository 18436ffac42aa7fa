/* SPDX-License-Identifier: PostgreSQL */
/* What the tests of the history share: a folder of their own, and questions whose answer is a text. */
#ifndef DIARY_H
#define DIARY_H

#include "base/text.h"
#include "history/history.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { SECOND_US = 1000000, DIARY_PATH_SIZE = 256, DIARY_ANSWER_SIZE = 4096 };

#define NOON_US INT64_C(1795262400000000) /* 2026-11-21 12:00:00 */

struct diary {
    char folder[DIARY_PATH_SIZE / 2];
    char path[DIARY_PATH_SIZE];
};

static inline void diary_make(struct diary *diary)
{
    (void)snprintf(diary->folder, sizeof diary->folder, "/tmp/pgsluice_history_XXXXXX");
    assert_non_null(mkdtemp(diary->folder));
    (void)snprintf(diary->path, sizeof diary->path, "%s/history.db", diary->folder);
}

static inline void diary_remove(const struct diary *diary)
{
    char command[DIARY_PATH_SIZE + 16];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", diary->folder);
    assert_int_equal(system(command), 0);
}

static inline struct history_options diary_options(const struct diary *diary)
{
    return (struct history_options){ .path = diary->path,
                                     .version = "0.1",
                                     .flush_us = SECOND_US / 5,
                                     .waiting_bytes_most = 8 << 20,
                                     .waiting_counts_most = 10000,
                                     .key = { { 1, 2 } } };
}

static inline void text_set(char *field, size_t capacity, const char *text)
{
    assert_true(bytes_copy_text(bytes_text(text), field, capacity));
}

#define SET(field, text) text_set(field, sizeof(field), text)

static inline struct violation violation_of(const char *service, const char *constraint)
{
    struct violation violation = { .kind = VIOLATION_CHECK, .sqlstate = "23514" };
    SET(violation.service, service);
    SET(violation.database, "shop");
    SET(violation.user, "app");
    SET(violation.schema, "public");
    SET(violation.table, "orders");
    SET(violation.constraint, constraint);
    SET(violation.fingerprint, "f1");
    SET(violation.statement, "UPDATE orders SET status = ?");
    return violation;
}

static inline struct event event_of(enum event_kind kind, uint64_t session, int64_t time_us)
{
    return (struct event){ .kind = kind,
                           .worker = 1,
                           .session = session,
                           .time_us = time_us,
                           .address = "10.0.0.1:5000",
                           .application_name = "orders-api",
                           .violation = violation_of("kds", "orders_status_check") };
}

static inline bool on_columns(void *context, const struct history_column *columns, size_t count)
{
    (void)context;
    (void)columns;
    (void)count;
    return true;
}

/* Rows as "a|b;c|d;". */
static inline bool on_row(void *context, const struct history_value *values, size_t count)
{
    struct text *text = context;
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            text_append_byte(text, '|');
        if (values[i].type == HISTORY_INTEGER)
            text_append_format(text, "%lld", (long long)values[i].integer);
        else if (values[i].type == HISTORY_REAL)
            text_append_format(text, "%g", values[i].real);
        else if (values[i].type == HISTORY_TEXT)
            text_append(text, values[i].text);
        else
            text_append_string(text, "NULL");
    }
    text_append_byte(text, ';');
    return true;
}

static inline struct history_question question_of(const char *sql, struct text *answer)
{
    return (struct history_question){
        .sql = bytes_text(sql),
        .limits = { .time_us = 10 * SECOND_US, .rows_most = 1000, .bytes_most = 32 << 20 },
        .on_columns = on_columns,
        .on_row = on_row,
        .context = answer
    };
}

static inline void assert_file_answers(const struct diary *diary, const char *sql, const char *expected)
{
    char storage[DIARY_ANSWER_SIZE];
    struct text answer;
    struct history_failure failure;
    text_init(&answer, storage, sizeof storage);
    struct history_question question = question_of(sql, &answer);
    enum history_answer result = history_query_file(diary->path, &question, &failure);
    if (result != HISTORY_ANSWERED)
        print_error("%s: %s\n", sql, failure.message);
    assert_int_equal(result, HISTORY_ANSWERED);
    assert_string_equal(answer.data, expected);
}

/* Returns whether it was of what waits only. */
static inline bool assert_answers(struct history *history, const char *sql, const char *expected)
{
    char storage[DIARY_ANSWER_SIZE];
    struct text answer;
    struct history_failure failure;
    text_init(&answer, storage, sizeof storage);
    struct history_question question = question_of(sql, &answer);
    enum history_answer result = history_query(history, &question, &failure);
    if (result != HISTORY_ANSWERED)
        print_error("%s: %s\n", sql, failure.message);
    assert_int_equal(result, HISTORY_ANSWERED);
    assert_string_equal(answer.data, expected);
    return failure.is_partial;
}

static inline int set_up(void **state)
{
    struct diary *diary = calloc(1, sizeof *diary);
    assert_non_null(diary);
    diary_make(diary);
    *state = diary;
    return 0;
}

static inline int tear_down(void **state)
{
    diary_remove(*state);
    free(*state);
    return 0;
}

static inline struct history *start(const struct diary *diary)
{
    struct history_options options = diary_options(diary);
    struct history *history = history_create(&options);
    assert_non_null(history);
    return history;
}

/* Nobody else can write the file until it is closed. */
static inline sqlite3 *lock_file(const struct diary *diary)
{
    sqlite3 *other;
    assert_int_equal(sqlite3_open(diary->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    return other;
}

/* As nobody but a test would. */
static inline void execute_in_file(const struct diary *diary, const char *sql)
{
    sqlite3 *file;
    char *message = NULL;
    assert_int_equal(sqlite3_open(diary->path, &file), SQLITE_OK);
    if (sqlite3_exec(file, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s", message);
    assert_int_equal(sqlite3_close(file), SQLITE_OK);
}

static inline struct history_state state_of(struct history *history)
{
    struct history_state state;
    history_state(history, &state);
    return state;
}

static inline void count(struct history *history, const char *constraint, int64_t time_us, uint64_t times)
{
    struct violation violation = violation_of("kds", constraint);
    history_count_violations(history, &violation, time_us, times);
}

static inline void violate(struct history *history, uint64_t session)
{
    struct event event = event_of(EVENT_VIOLATION, session, NOON_US);
    history_record_event(history, &event);
}

static inline void sleep_ms(long ms)
{
    struct timespec span = { ms / 1000, ms % 1000 * 1000000 };
    (void)nanosleep(&span, NULL);
}

static inline void wait_for(struct history *history, enum history_health health)
{
    for (unsigned i = 0; i < 1000 && state_of(history).health != health; i++)
        sleep_ms(10);
    assert_int_equal(state_of(history).health, health);
}

#endif
