/* SPDX-License-Identifier: PostgreSQL */
#include "history/archive.h"

#include "history/binding.h"
#include "history/schema_version.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOCK_WAIT_MS = 250, ASIDE_MOST = 9, FILE_MODE = 0600 };

void archive_close(struct archive *archive)
{
    for (size_t i = 0; i < STATEMENT_COUNT; i++) {
        (void)sqlite3_finalize(archive->statements[i]);
        archive->statements[i] = NULL;
    }
    (void)sqlite3_close_v2(archive->connection);
    archive->connection = NULL;
}

static enum archive_result said(const struct archive *archive, int code, struct text *why)
{
    text_append_string(why, sqlite3_errmsg(archive->connection));
    return schema_version_is_fault(code) ? ARCHIVE_FAULTY : ARCHIVE_FAILED;
}

/* Readable by nobody else from its first moment on; SQLite gives its log the same mode. A file that is there
 * is not opened: closing it would end the locks that SQLite holds for this process. */
static bool file_make(const char *path, struct text *why)
{
    int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
    if (file >= 0) {
        (void)close(file);
        return true;
    }
    struct stat facts;
    if (errno == EEXIST && stat(path, &facts) == 0 && S_ISREG(facts.st_mode))
        return true;
    text_append_string(why, errno == EEXIST ? "not a regular file" : strerror(errno));
    return false;
}

static enum archive_result connect(struct archive *archive, struct text *why)
{
    struct stat facts;
    if (!file_make(archive->path, why))
        return ARCHIVE_FAILED;
    int code = sqlite3_open_v2(archive->path, &archive->connection,
                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL);
    if (code != SQLITE_OK || stat(archive->path, &facts) != 0)
        return said(archive, code, why);
    archive->device = facts.st_dev;
    archive->inode = facts.st_ino;
    (void)sqlite3_extended_result_codes(archive->connection, 1);
    (void)sqlite3_busy_timeout(archive->connection, LOCK_WAIT_MS);
    (void)sqlite3_db_config(archive->connection, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(archive->connection, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    return ARCHIVE_DONE;
}

static enum archive_result run_sql(const struct archive *archive, const char *sql, struct text *why)
{
    int code = sqlite3_exec(archive->connection, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? ARCHIVE_DONE : said(archive, code, why);
}

static enum archive_result bring_up(const struct archive *archive, struct text *why)
{
    size_t count;
    const char *const *migrations = schema_version_migrations(&count);
    switch (schema_version_apply(archive->connection, migrations, count, why)) {
    case SCHEMA_VERSION_FOREIGN:
        return ARCHIVE_FAULTY;
    case SCHEMA_VERSION_FAILED:
        return ARCHIVE_FAILED;
    case SCHEMA_VERSION_READY:
        break;
    }
    /* Transactions outlive the program at once, and the machine from the next checkpoint on. */
    return run_sql(
        archive,
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 4194304;"
        "PRAGMA cache_size = -1000; PRAGMA temp_store = MEMORY",
        why);
}

static int check_quickly(const struct archive *archive, bool *is_sound)
{
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(archive->connection, "PRAGMA quick_check(1)", -1, &statement, NULL);
    if (code != SQLITE_OK)
        return code;
    code = sqlite3_step(statement);
    *is_sound = code == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(statement, 0), "ok") == 0;
    int end = sqlite3_finalize(statement);
    return code == SQLITE_ROW ? SQLITE_OK : end;
}

/* Whether the run before was killed; then the whole file is looked at, whatever brought that about. */
static enum archive_result look_back(struct archive *archive, struct text *why)
{
    int64_t flushed_us = 0;
    bool is_sound = true;
    int code = schema_version_number(
        archive->connection,
        "SELECT CAST(unixepoch(flushed) AS INTEGER) * 1000000 + CAST(substr(flushed, 21, 6) AS INTEGER)"
        " FROM (SELECT * FROM runs ORDER BY run DESC LIMIT 1) WHERE ended IS NULL",
        &flushed_us);
    if (code == SQLITE_OK && flushed_us != 0)
        code = check_quickly(archive, &is_sound);
    if (code != SQLITE_OK)
        return said(archive, code, why);
    archive->gap_from_us = flushed_us;
    if (is_sound)
        return ARCHIVE_DONE;
    text_append_string(why, "its pages contradict each other");
    return ARCHIVE_FAULTY;
}

static int begin_run(struct archive *archive, const struct archive_run *run)
{
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(
        archive->connection, "INSERT INTO runs (version, started, flushed) VALUES (?1, ?2, ?2) RETURNING run",
        -1, &statement, NULL);
    if (code != SQLITE_OK)
        return code;
    (void)sqlite3_bind_text(statement, 1, run->version, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(statement, 2, archive->started, -1, SQLITE_STATIC);
    code = sqlite3_step(statement);
    archive->run = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    int end = sqlite3_finalize(statement);
    return code == SQLITE_ROW ? SQLITE_OK : end;
}

static int find_run(const struct archive *archive, int64_t *run)
{
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(archive->connection, "SELECT run FROM runs WHERE run = ?1 AND started = ?2",
                                  -1, &statement, NULL);
    if (code != SQLITE_OK)
        return code;
    (void)sqlite3_bind_int64(statement, 1, archive->run);
    (void)sqlite3_bind_text(statement, 2, archive->started, -1, SQLITE_STATIC);
    *run = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    return sqlite3_finalize(statement);
}

static enum archive_result enter_run(struct archive *archive, const struct archive_run *run, struct text *why)
{
    int64_t found = 0;
    entry_time(run->started_us, archive->started);
    int code = find_run(archive, &found);
    if (code != SQLITE_OK)
        return said(archive, code, why);
    if (found > 0)
        return ARCHIVE_DONE;
    enum archive_result result = look_back(archive, why);
    if (result != ARCHIVE_DONE)
        return result;
    code = begin_run(archive, run);
    return code == SQLITE_OK ? ARCHIVE_DONE : said(archive, code, why);
}

enum archive_result archive_open(struct archive *archive, const struct archive_run *run, struct text *why)
{
    enum archive_result result = connect(archive, why);
    if (result == ARCHIVE_DONE)
        result = bring_up(archive, why);
    if (result == ARCHIVE_DONE)
        result = enter_run(archive, run, why);
    if (result != ARCHIVE_DONE)
        archive_close(archive);
    return result;
}

static int mark_run(const struct archive *archive, const struct archive_run *run)
{
    sqlite3_stmt *statement;
    char flushed[HISTORY_TIME_SIZE];
    entry_time(run->flushed_us, flushed);
    int code =
        sqlite3_prepare_v2(archive->connection,
                           "UPDATE runs SET flushed = ?2, ended = iif(?3, ?2, NULL), details_dropped = ?4,"
                           " counts_unnamed = ?5 WHERE run = ?1",
                           -1, &statement, NULL);
    if (code != SQLITE_OK)
        return code;
    (void)sqlite3_bind_int64(statement, 1, archive->run);
    (void)sqlite3_bind_text(statement, 2, flushed, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int(statement, 3, run->is_ended ? 1 : 0);
    (void)sqlite3_bind_int64(statement, 4, (int64_t)run->details_dropped);
    (void)sqlite3_bind_int64(statement, 5, (int64_t)run->counts_unnamed);
    (void)sqlite3_step(statement);
    return sqlite3_finalize(statement);
}

static int write_counts(const struct binding *binding, const struct batch *batch, uint64_t *rejected)
{
    struct record record;
    struct batch_walk walk = { 0 };
    int code = SQLITE_OK;
    while (code == SQLITE_OK && batch_next_count(batch, &walk, &record))
        code = binding_write_all(binding, record_bytes(&record), rejected);
    return code;
}

/* Where nothing but opening it anew can help. */
static bool is_lost(int code)
{
    int primary = code & 0xff;
    return primary != SQLITE_BUSY && primary != SQLITE_LOCKED && primary != SQLITE_FULL;
}

static enum archive_result give_up(struct archive *archive, int code, struct text *why)
{
    enum archive_result result = said(archive, code, why);
    (void)sqlite3_exec(archive->connection, "ROLLBACK", NULL, NULL, NULL);
    if (is_lost(code))
        archive_close(archive);
    return result;
}

/* SQLite goes on with an emptied one as long as its log lives, and leaves what nobody can read. */
static bool is_in_place(const struct archive *archive)
{
    struct stat facts;
    return stat(archive->path, &facts) == 0 && facts.st_dev == archive->device &&
           facts.st_ino == archive->inode && facts.st_size > 0;
}

enum archive_result archive_write(struct archive *archive, const struct batch *batch,
                                  const struct archive_run *run, uint64_t *rejected, struct text *why)
{
    if (!is_in_place(archive)) {
        text_append_string(why, "the file was removed, replaced or emptied");
        archive_close(archive);
        return ARCHIVE_FAILED;
    }
    struct binding binding = { archive->connection, archive->statements, archive->run };
    uint64_t rejected_now = 0;
    int code = sqlite3_exec(archive->connection, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = binding_write_all(&binding, buffer_bytes(&batch->rows), &rejected_now);
    if (code == SQLITE_OK)
        code = write_counts(&binding, batch, &rejected_now);
    if (code == SQLITE_OK)
        code = mark_run(archive, run);
    if (code == SQLITE_OK)
        code = sqlite3_exec(archive->connection, "COMMIT", NULL, NULL, NULL);
    if (code != SQLITE_OK)
        return give_up(archive, code, why);
    *rejected += rejected_now;
    return ARCHIVE_DONE;
}

static void rename_beside(const char *from, const char *to, const char *ending)
{
    char old[ARCHIVE_PATH_SIZE + sizeof "-wal"];
    char new[ARCHIVE_PATH_SIZE + sizeof "-wal"];
    (void)snprintf(old, sizeof old, "%s%s", from, ending);
    (void)snprintf(new, sizeof new, "%s%s", to, ending);
    if (rename(old, new) != 0)
        (void)unlink(old);
}

bool archive_set_aside(struct archive *archive, char *aside, size_t capacity, struct text *why)
{
    struct stat facts;
    int number = 1;
    archive_close(archive);
    for (; number <= ASIDE_MOST; number++) {
        if (snprintf(aside, capacity, "%s.aside.%d", archive->path, number) >= (int)capacity)
            number = ASIDE_MOST;
        else if (lstat(aside, &facts) != 0 && errno == ENOENT)
            break;
    }
    if (number > ASIDE_MOST) {
        text_append_string(why, "; as many files as are kept aside are there already: remove some");
        return false;
    }
    /* The log first: beside a new file it must never stand. */
    rename_beside(archive->path, aside, "-wal");
    rename_beside(archive->path, aside, "-shm");
    if (rename(archive->path, aside) != 0) {
        text_append_format(why, "; it cannot be renamed: %s", strerror(errno));
        return false;
    }
    return true;
}
