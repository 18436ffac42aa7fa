/* SPDX-License-Identifier: PostgreSQL */
#include "diary.h"
#include "history/history.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_degrades_and_heals(void **state)
{
    const struct diary *diary = *state;
    void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
    struct history *history = start(diary);
    violate(history, 1);
    assert_true(history_flush(history, 5 * SECOND_US));
    limit_files(256 << 10);
    for (uint64_t i = 2; i <= 3000; i++) {
        violate(history, i);
        count(history, "a", NOON_US, 1);
    }
    assert_false(history_flush(history, 5 * SECOND_US));
    struct history_state degraded = state_of(history);
    assert_int_equal(degraded.health, HISTORY_DEGRADED);
    assert_true(degraded.why[0] != '\0' && degraded.since_us > 0);
    assert_int_equal(degraded.waiting_rows + degraded.written_rows, 3000);
    assert_true(degraded.waiting_rows > 0);
    assert_false(
        assert_answers(history, "SELECT count(*), count(DISTINCT session) FROM violations", "3000|3000;"));
    assert_answers(history, "SELECT sum(count) FROM violation_counts", "2999;");
    limit_files(RLIM_INFINITY);
    wait_for(history, HISTORY_OK);
    assert_true(history_flush(history, 5 * SECOND_US));
    assert_string_equal(state_of(history).why, "");
    assert_int_equal(state_of(history).dropped_rows, 0);
    assert_answers(history, "SELECT count(*), count(DISTINCT session) FROM violations", "3000|3000;");
    assert_answers(history, "SELECT sum(count) FROM violation_counts", "2999;");
    history_destroy(history);
    (void)signal(SIGXFSZ, before);
}

/* Ten thousand times "record", of which none may take as long as the lock is waited for. */
static int64_t longest_call_us(struct history *history, unsigned calls)
{
    int64_t longest = 0;
    for (unsigned i = 0; i < calls; i++) {
        struct timespec begin;
        struct timespec end;
        (void)clock_gettime(CLOCK_MONOTONIC, &begin);
        violate(history, i + 1);
        (void)clock_gettime(CLOCK_MONOTONIC, &end);
        int64_t taken = (end.tv_sec - begin.tv_sec) * SECOND_US + (end.tv_nsec - begin.tv_nsec) / 1000;
        longest = taken > longest ? taken : longest;
    }
    return longest;
}

static void a_locked_file_holds_nobody_up(void **state)
{
    const struct diary *diary = *state;
    struct history *history = start(diary);
    assert_true(history_flush(history, 5 * SECOND_US));
    sqlite3 *other = lock_file(diary);
    violate(history, 0);
    wait_for(history, HISTORY_DEGRADED);
    assert_non_null(strstr(state_of(history).why, "locked"));
    assert_true(longest_call_us(history, 3000) < SECOND_US / 5);
    assert_false(assert_answers(history, "SELECT count(*) FROM violations", "3001;"));
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    wait_for(history, HISTORY_OK);
    assert_answers(history, "SELECT count(*) FROM violations", "3001;");
    history_destroy(history);
}

static void what_waits_is_bounded_and_its_loss_counted(void **state)
{
    const struct diary *diary = *state;
    struct history_options options = diary_options(diary);
    options.waiting_bytes_most = 64 << 10;
    options.waiting_counts_most = 10;
    struct history *history = history_create(&options);
    assert_true(history_flush(history, 5 * SECOND_US));
    sqlite3 *other = lock_file(diary);
    enum { ROWS = 5000 };
    for (unsigned i = 0; i < ROWS; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "c%u", i % 100);
        count(history, name, NOON_US + (int64_t)(i % 2) * 60 * SECOND_US, 1);
        violate(history, i + 1);
    }
    struct history_state full = state_of(history);
    assert_true(full.dropped_rows > 0 && full.unnamed_counts > 0);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    wait_for(history, HISTORY_OK);
    assert_true(history_flush(history, 5 * SECOND_US));
    full = state_of(history);
    assert_int_equal(full.written_rows + full.dropped_rows, ROWS);
    assert_answers(history, "SELECT sum(count) FROM violation_counts", "5000;");
    assert_answers(history, "SELECT minute, sum(count) FROM violation_counts GROUP BY 1",
                   "2026-11-21 12:00:00|2500;2026-11-21 12:01:00|2500;");
    char expected[64];
    (void)snprintf(expected, sizeof expected, "%llu;", (unsigned long long)full.unnamed_counts);
    assert_answers(history, "SELECT sum(count) FROM violation_counts WHERE kind = 'other'", expected);
    history_destroy(history);
    (void)snprintf(expected, sizeof expected, "%llu|%llu;", (unsigned long long)full.dropped_rows,
                   (unsigned long long)full.unnamed_counts);
    assert_file_answers(diary, "SELECT details_dropped, counts_unnamed FROM runs", expected);
}

static void write_file(const char *path, const char *content, size_t size, int flags)
{
    int file = open(path, O_WRONLY | flags, 0600);
    assert_true(file >= 0);
    assert_int_equal(write(file, content, size), size);
    assert_int_equal(close(file), 0);
}

static void assert_set_aside(const struct diary *diary, const char *why)
{
    struct history *history = start(diary);
    violate(history, 1);
    assert_answers(history, "SELECT count(*) FROM violations", "1;");
    struct history_state state = state_of(history);
    assert_int_equal(state.health, HISTORY_OK);
    assert_int_equal(state.files_set_aside, 1);
    assert_non_null(strstr(state.set_aside, "history.db.aside."));
    assert_non_null(strstr(state.set_aside_why, why));
    assert_int_equal(access(state.set_aside, R_OK), 0);
    history_destroy(history);
}

static void a_file_that_is_no_database_is_set_aside(void **state)
{
    const struct diary *diary = *state;
    char text[2000];
    char kept[sizeof text];
    char path[DIARY_PATH_SIZE + 16];
    memset(text, 'x', sizeof text);
    write_file(diary->path, text, sizeof text, O_CREAT);
    assert_set_aside(diary, "not a database");
    (void)snprintf(path, sizeof path, "%s.aside.1", diary->path);
    int file = open(path, O_RDONLY);
    assert_int_equal(read(file, kept, sizeof kept), sizeof kept);
    assert_memory_equal(kept, text, sizeof text);
    (void)close(file);
    write_file(diary->path, text, sizeof text, O_TRUNC);
    assert_set_aside(diary, "not a database");
    (void)snprintf(path, sizeof path, "%s.aside.2", diary->path);
    assert_int_equal(access(path, R_OK), 0);
}

static void run_sql(const struct diary *diary, const char *sql)
{
    sqlite3 *connection;
    assert_int_equal(sqlite3_open(diary->path, &connection), SQLITE_OK);
    assert_int_equal(sqlite3_exec(connection, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(connection), SQLITE_OK);
}

static void the_file_of_another_program_is_set_aside_as_it_is(void **state)
{
    const struct diary *diary = *state;
    struct diary aside = *diary;
    run_sql(diary, "CREATE TABLE bookmarks (url TEXT); INSERT INTO bookmarks VALUES ('x')");
    assert_set_aside(diary, "another program");
    (void)snprintf(aside.path, sizeof aside.path, "%s/history.db.aside.1", diary->folder);
    run_sql(&aside, "UPDATE bookmarks SET url = 'y'");
}

static void the_file_of_a_newer_version_is_set_aside(void **state)
{
    const struct diary *diary = *state;
    history_destroy(start(diary));
    run_sql(diary, "PRAGMA user_version = 1000");
    assert_set_aside(diary, "newer");
}

static void a_file_without_its_tables_is_set_aside(void **state)
{
    const struct diary *diary = *state;
    history_destroy(start(diary));
    run_sql(diary, "DROP TABLE violations");
    assert_set_aside(diary, "no such table");
}

/* Pages in the middle, after a kill and while it is open. */
static void spoil(const struct diary *diary, off_t from, size_t pages)
{
    char garbage[4096];
    memset(garbage, 0x5a, sizeof garbage);
    int file = open(diary->path, O_WRONLY);
    assert_true(file >= 0);
    for (size_t i = 0; i < pages; i++)
        assert_int_equal(pwrite(file, garbage, sizeof garbage, from + (off_t)(i * sizeof garbage)),
                         sizeof garbage);
    assert_int_equal(close(file), 0);
}

static void damage_behind_a_kill_is_found(void **state)
{
    const struct diary *diary = *state;
    struct history *history = start(diary);
    for (uint64_t i = 1; i <= 500; i++)
        violate(history, i);
    history_destroy(history);
    run_sql(diary, "UPDATE runs SET ended = NULL");
    spoil(diary, 30 * 4096, 5);
    assert_set_aside(diary, "");
}

static void damage_while_it_is_written_loses_nothing_that_waits(void **state)
{
    const struct diary *diary = *state;
    struct history *history = start(diary);
    for (uint64_t i = 1; i <= 500; i++)
        violate(history, i);
    history_destroy(history);
    spoil(diary, 4 * 4096, 60);
    history = start(diary);
    for (uint64_t i = 501; i <= 600; i++) {
        violate(history, i);
        count(history, "a", NOON_US, 1);
    }
    assert_answers(history, "SELECT count(*), min(session) FROM violations", "100|501;");
    assert_answers(history, "SELECT sum(count) FROM violation_counts", "100;");
    assert_int_equal(state_of(history).files_set_aside, 1);
    history_destroy(history);
}

static void a_file_that_was_removed_is_made_again(void **state)
{
    const struct diary *diary = *state;
    struct history *history = start(diary);
    violate(history, 1);
    assert_true(history_flush(history, 5 * SECOND_US));
    assert_int_equal(unlink(diary->path), 0);
    violate(history, 2);
    assert_true(history_flush(history, 5 * SECOND_US));
    assert_answers(history, "SELECT session FROM violations", "2;");
    history_destroy(history);
}

static void a_file_that_was_emptied_is_made_again(void **state)
{
    const struct diary *diary = *state;
    struct history *history = start(diary);
    violate(history, 1);
    assert_true(history_flush(history, 5 * SECOND_US));
    sqlite3 *other = NULL;
    assert_int_equal(sqlite3_open(diary->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    assert_int_equal(truncate(diary->path, 0), 0);
    violate(history, 2);
    count(history, "a", NOON_US, 1);
    assert_answers(history, "SELECT sum(count) FROM violation_counts", "1;");
    assert_true(history_flush(history, 5 * SECOND_US));
    assert_answers(history, "SELECT session FROM violations", "2;");
    history_destroy(history);
    history = start(diary);
    assert_answers(history, "SELECT session FROM violations", "2;");
    history_destroy(history);
}

static void only_the_owner_can_read_the_file(void **state)
{
    const struct diary *diary = *state;
    struct stat facts;
    mode_t before = umask(0);
    struct history *history = start(diary);
    assert_true(history_flush(history, 5 * SECOND_US));
    (void)umask(before);
    assert_int_equal(stat(diary->path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    char path[DIARY_PATH_SIZE + 8];
    (void)snprintf(path, sizeof path, "%s-wal", diary->path);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    history_destroy(history);
}

static void without_its_folder_what_waits_is_still_answered(void **state)
{
    const struct diary *diary = *state;
    struct diary lost = *diary;
    (void)snprintf(lost.path, sizeof lost.path, "%s/none/history.db", diary->folder);
    struct history *history = start(&lost);
    violate(history, 1);
    count(history, "a", NOON_US, 3);
    assert_true(assert_answers(
        history, "SELECT (SELECT count(*) FROM violations), count FROM violation_counts", "1|3;"));
    assert_int_equal(state_of(history).health, HISTORY_DEGRADED);
    char folder[DIARY_PATH_SIZE];
    (void)snprintf(folder, sizeof folder, "%s/none", diary->folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    wait_for(history, HISTORY_OK);
    assert_false(assert_answers(history, "SELECT count FROM violation_counts", "3;"));
    history_destroy(history);
}

static void the_oldest_details_go_first_and_counts_last(void **state)
{
    const struct diary *diary = *state;
    struct history_options options = diary_options(diary);
    options.bytes_most = 1 << 20;
    struct history *history = history_create(&options);
    enum { ROWS = 20000 };
    for (unsigned i = 0; i < ROWS; i++) {
        struct event event = event_of(EVENT_VIOLATION, i + 1, NOON_US + i);
        history_record_event(history, &event);
        if (i % 200 == 0) {
            event.kind = EVENT_DDL_PASSED;
            history_record_event(history, &event);
        }
        count(history, "a", NOON_US + (int64_t)(i % 100) * 60 * SECOND_US, 1);
    }
    assert_true(history_flush(history, 20 * SECOND_US));
    for (unsigned i = 0; i < 300 && state_of(history).file_bytes > 1 << 20; i++)
        (void)history_flush(history, SECOND_US), sleep_ms(20);
    assert_true(state_of(history).file_bytes <= 1 << 20);
    assert_answers(history,
                   "SELECT count(*) BETWEEN 500 AND 8000, max(session), max(session) - min(session) + 1 ="
                   " count(*) FROM violations",
                   "1|20000|1;");
    assert_answers(history, "SELECT count(*) FROM ddl", "100;");
    assert_answers(history, "SELECT count(*), sum(count) FROM violation_counts", "100|20000;");
    history_destroy(history);
    struct stat facts;
    assert_int_equal(stat(diary->path, &facts), 0);
    assert_true(facts.st_size < 3 << 19);
}

static void what_is_too_old_or_too_much_goes(void **state)
{
    const struct diary *diary = *state;
    struct history_options options = diary_options(diary);
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    int64_t now_us = (int64_t)now.tv_sec * SECOND_US;
    options.detail_age_us = INT64_C(86400) * SECOND_US;
    options.count_age_us = INT64_C(10) * 86400 * SECOND_US;
    options.violations_most = 50;
    struct history *history = history_create(&options);
    for (int64_t day = 0; day < 20; day++) {
        for (unsigned i = 0; i < 100; i++) {
            struct event event = event_of(EVENT_VIOLATION, (uint64_t)(20 - day) * 1000 + i,
                                          now_us - day * options.detail_age_us);
            history_record_event(history, &event);
        }
        count(history, "a", now_us - day * options.detail_age_us, 1);
    }
    history_destroy(history);
    history = history_create(&options); /* looks at the limits at its start */
    assert_true(history_flush(history, 5 * SECOND_US));
    sleep_ms(300);
    assert_answers(history, "SELECT count(*) <= 100 FROM violations", "1;");
    assert_answers(history, "SELECT count(*) FROM violation_counts", "10;");
    history_destroy(history);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_full_disk_degrades_and_heals),
        CASE(a_locked_file_holds_nobody_up),
        CASE(what_waits_is_bounded_and_its_loss_counted),
        CASE(a_file_that_is_no_database_is_set_aside),
        CASE(the_file_of_another_program_is_set_aside_as_it_is),
        CASE(the_file_of_a_newer_version_is_set_aside),
        CASE(a_file_without_its_tables_is_set_aside),
        CASE(damage_behind_a_kill_is_found),
        CASE(damage_while_it_is_written_loses_nothing_that_waits),
        CASE(a_file_that_was_removed_is_made_again),
        CASE(a_file_that_was_emptied_is_made_again),
        CASE(only_the_owner_can_read_the_file),
        CASE(without_its_folder_what_waits_is_still_answered),
        CASE(the_oldest_details_go_first_and_counts_last),
        CASE(what_is_too_old_or_too_much_goes),
    };
#undef CASE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
