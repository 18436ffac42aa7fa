/* SPDX-License-Identifier: PostgreSQL */
#include "history/archive.h"
#include "history/schema_version.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>

/* Texts have no time, runs go by age only. */
enum rank { PRUNED_DETAIL, PRUNED_TEXT, PRUNED_CHANGE, PRUNED_COUNT, PRUNED_RUN };

enum { SQL_SIZE = 512, PIECES_MOST = 8, PIECE_ROWS = 2000 };

static const struct pruned {
    const char *table;
    const char *time;
    enum rank rank;
} pruned[] = {
#define PRUNED(table, time, rank) { #table, time, rank },
#include "history/pruned.def"
#undef PRUNED
};

static const char last_of_all[] = "~"; /* behind every time */

uint64_t archive_bytes(const struct archive *archive)
{
    int64_t pages = 0;
    int64_t pages_free = 0;
    int64_t page_size = 0;
    if (schema_version_number(archive->connection, "PRAGMA page_count", &pages) != SQLITE_OK ||
        schema_version_number(archive->connection, "PRAGMA freelist_count", &pages_free) != SQLITE_OK ||
        schema_version_number(archive->connection, "PRAGMA page_size", &page_size) != SQLITE_OK)
        return 0;
    return (uint64_t)(pages - pages_free) * (uint64_t)page_size;
}

static int run_deletion(const struct archive *archive, const char *sql, const char *before, int64_t *deleted)
{
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(archive->connection, sql, -1, &statement, NULL);
    if (code != SQLITE_OK)
        return code;
    (void)sqlite3_bind_text(statement, 1, before, -1, SQLITE_STATIC);
    if (sqlite3_step(statement) == SQLITE_DONE)
        *deleted += sqlite3_changes64(archive->connection);
    return sqlite3_finalize(statement);
}

/* Deletes some of the oldest rows whose time is before `before`. */
static int delete_oldest(const struct archive *archive, const struct pruned *from, const char *before,
                         int64_t *deleted)
{
    char sql[SQL_SIZE];
    (void)snprintf(sql, sizeof sql,
                   "DELETE FROM %s WHERE %s <= (SELECT max(at) FROM (SELECT %s AS at FROM %s WHERE %s < ?1"
                   " ORDER BY %s LIMIT %d))",
                   from->table, from->time, from->time, from->table, from->time, from->time, PIECE_ROWS);
    return run_deletion(archive, sql, before, deleted);
}

static int prune_by_age(const struct archive *archive, const struct archive_limits *limits, int64_t now_us,
                        int64_t *deleted)
{
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < COUNT_OF(pruned); i++) {
        bool is_detail = pruned[i].rank < PRUNED_COUNT;
        int64_t age_us = is_detail ? limits->detail_age_us : limits->count_age_us;
        char before[HISTORY_TIME_SIZE];
        entry_time(now_us - age_us, before);
        if (age_us > 0 && pruned[i].rank != PRUNED_TEXT)
            code = delete_oldest(archive, &pruned[i], before, deleted);
    }
    return code;
}

static int prune_by_rows(const struct archive *archive, const struct archive_limits *limits, int64_t *deleted)
{
    char sql[SQL_SIZE];
    if (limits->violations_most == 0)
        return SQLITE_OK;
    (void)snprintf(sql, sizeof sql,
                   "DELETE FROM violations WHERE rowid <= (SELECT max(rowid) FROM violations) - %" PRIu64
                   " AND rowid < (SELECT min(rowid) FROM violations) + %d AND ?1 IS NOT NULL",
                   limits->violations_most, PIECE_ROWS);
    return run_deletion(archive, sql, last_of_all, deleted);
}

/* The time of a table's oldest row, which is `older` when it is before it. */
static int oldest_of(const struct archive *archive, const struct pruned *from, char older[HISTORY_TIME_SIZE],
                     bool *is_older)
{
    char sql[SQL_SIZE];
    sqlite3_stmt *statement;
    (void)snprintf(sql, sizeof sql, "SELECT min(%s) AS at FROM %s WHERE %s < '%s'", from->time, from->table,
                   from->time, older);
    int code = sqlite3_prepare_v2(archive->connection, sql, -1, &statement, NULL);
    if (code != SQLITE_OK)
        return code;
    *is_older = false;
    if (sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL) {
        *is_older = true;
        (void)snprintf(older, HISTORY_TIME_SIZE, "%s", (const char *)sqlite3_column_text(statement, 0));
    }
    return sqlite3_finalize(statement);
}

/* The table of a rank that has the oldest row, or NULL where all are empty. */
static int find_oldest(const struct archive *archive, enum rank rank, const struct pruned **found)
{
    char older[HISTORY_TIME_SIZE];
    int code = SQLITE_OK;
    *found = NULL;
    (void)snprintf(older, sizeof older, "%s", last_of_all);
    for (size_t i = 0; code == SQLITE_OK && i < COUNT_OF(pruned); i++) {
        bool is_older = false;
        if (pruned[i].rank == rank)
            code = oldest_of(archive, &pruned[i], older, &is_older);
        if (is_older)
            *found = &pruned[i];
    }
    return code;
}

static int prune_by_size(const struct archive *archive, const struct archive_limits *limits, int64_t *deleted)
{
    const struct pruned *found = NULL;
    int code = SQLITE_OK;
    if (limits->bytes_most == 0 || archive_bytes(archive) <= limits->bytes_most)
        return SQLITE_OK;
    for (enum rank rank = PRUNED_DETAIL; code == SQLITE_OK && found == NULL && rank < PRUNED_RUN; rank++)
        code = find_oldest(archive, rank, &found);
    if (code == SQLITE_OK && found != NULL)
        code = delete_oldest(archive, found, last_of_all, deleted);
    return code;
}

static int prune_piece(const struct archive *archive, const struct archive_limits *limits, int64_t now_us,
                       int64_t *deleted)
{
    int code = prune_by_age(archive, limits, now_us, deleted);
    if (code == SQLITE_OK)
        code = prune_by_rows(archive, limits, deleted);
    if (code == SQLITE_OK)
        code = prune_by_size(archive, limits, deleted);
    return code;
}

enum archive_result archive_prune(struct archive *archive, const struct archive_limits *limits,
                                  int64_t now_us, bool *is_done, struct text *why)
{
    int64_t deleted = 1;
    int64_t deleted_in_all = 0;
    int code = SQLITE_OK;
    for (unsigned piece = 0; piece < PIECES_MOST && code == SQLITE_OK && deleted > 0; piece++) {
        deleted = 0;
        code = prune_piece(archive, limits, now_us, &deleted);
        deleted_in_all += deleted;
    }
    if (code == SQLITE_OK && deleted_in_all > 0)
        code = sqlite3_exec(archive->connection, "PRAGMA incremental_vacuum", NULL, NULL, NULL);
    *is_done = deleted == 0;
    if (code == SQLITE_OK)
        return ARCHIVE_DONE;
    text_append_string(why, sqlite3_errmsg(archive->connection));
    return schema_version_is_fault(code) ? ARCHIVE_FAULTY : ARCHIVE_FAILED;
}
