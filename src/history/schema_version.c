/* SPDX-License-Identifier: PostgreSQL */
#include "history/schema_version.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>

enum { SQL_SIZE = 128 };

const char *const *schema_version_migrations(size_t *count)
{
    static const char *const migrations[] = {
#define MIGRATION(...) __VA_ARGS__,
#include "history/migrations.def"
#undef MIGRATION
    };
    *count = COUNT_OF(migrations);
    return migrations;
}

bool schema_version_is_fault(int code)
{
    int primary = code & 0xff;
    return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB || primary == SQLITE_ERROR;
}

int schema_version_number(sqlite3 *connection, const char *sql, int64_t *number)
{
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(connection, sql, -1, &statement, NULL);
    if (code != SQLITE_OK)
        return code;
    code = sqlite3_step(statement);
    *number = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    int end = sqlite3_finalize(statement);
    return code == SQLITE_ROW ? SQLITE_OK : end;
}

static enum schema_version_result said(sqlite3 *connection, int code, struct text *why)
{
    text_append_string(why, sqlite3_errmsg(connection));
    return schema_version_is_fault(code) ? SCHEMA_VERSION_FOREIGN : SCHEMA_VERSION_FAILED;
}

struct marks {
    int64_t application;
    int64_t version;
    int64_t objects; /* tables and the like */
};

static int marks_read(sqlite3 *connection, struct marks *marks)
{
    int code = schema_version_number(connection, "PRAGMA application_id", &marks->application);
    if (code == SQLITE_OK)
        code = schema_version_number(connection, "PRAGMA user_version", &marks->version);
    if (code == SQLITE_OK)
        code = schema_version_number(connection, "SELECT count(*) FROM sqlite_schema", &marks->objects);
    return code;
}

static bool marks_are_ours(const struct marks *marks, size_t count, struct text *why)
{
    bool is_empty = marks->application == 0 && marks->version == 0 && marks->objects == 0;
    if (!is_empty && marks->application != HISTORY_APPLICATION_ID) {
        text_append_string(why, "it belongs to another program");
        return false;
    }
    if (marks->version < 0 || (uint64_t)marks->version > count) {
        text_append_format(why, "it is of version %" PRId64 ", newer than this program's %zu", marks->version,
                           count);
        return false;
    }
    return true;
}

static int migrate(sqlite3 *connection, const char *migration, size_t version)
{
    char marks[SQL_SIZE];
    (void)snprintf(marks, sizeof marks, "PRAGMA application_id = %d; PRAGMA user_version = %zu; COMMIT",
                   HISTORY_APPLICATION_ID, version);
    int code = sqlite3_exec(connection, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(connection, migration, NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(connection, marks, NULL, NULL, NULL);
    return code;
}

enum schema_version_result schema_version_apply(sqlite3 *connection, const char *const *migrations,
                                                size_t count, struct text *why)
{
    struct marks marks = { 0 };
    int code = marks_read(connection, &marks);
    if (code != SQLITE_OK)
        return said(connection, code, why);
    if (!marks_are_ours(&marks, count, why))
        return SCHEMA_VERSION_FOREIGN;
    /* Takes effect in a file without tables only. */
    code = sqlite3_exec(connection, "PRAGMA auto_vacuum = INCREMENTAL", NULL, NULL, NULL);
    for (size_t version = (size_t)marks.version; code == SQLITE_OK && version < count; version++)
        code = migrate(connection, migrations[version], version + 1);
    if (code == SQLITE_OK)
        return SCHEMA_VERSION_READY;
    enum schema_version_result result = said(connection, code, why);
    (void)sqlite3_exec(connection, "ROLLBACK", NULL, NULL, NULL);
    return result;
}

int schema_version_create(sqlite3 *connection)
{
    size_t count;
    const char *const *migrations = schema_version_migrations(&count);
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < count; i++)
        code = sqlite3_exec(connection, migrations[i], NULL, NULL, NULL);
    return code;
}
