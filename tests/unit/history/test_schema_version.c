/* SPDX-License-Identifier: PostgreSQL */
#include "history/schema_version.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdio.h>

#include <cmocka.h>

static const char *const steps[] = {
    "CREATE TABLE notes (a TEXT); INSERT INTO notes VALUES ('kept')",
    "ALTER TABLE notes ADD COLUMN b INTEGER NOT NULL DEFAULT 7",
    "CREATE INDEX notes_b ON notes (b); UPDATE notes SET b = b + 1",
};
static const char *const broken[] = { "CREATE TABLE notes (a TEXT)",
                                      "DELETE FROM notes; DROP TABLE nowhere" };

static sqlite3 *open_empty(void)
{
    sqlite3 *connection;
    assert_int_equal(sqlite3_open(":memory:", &connection), SQLITE_OK);
    return connection;
}

static enum schema_version_result apply(sqlite3 *connection, const char *const *migrations, size_t count)
{
    char storage[256];
    struct text why;
    text_init(&why, storage, sizeof storage);
    enum schema_version_result result = schema_version_apply(connection, migrations, count, &why);
    assert_int_equal(result == SCHEMA_VERSION_READY, why.size == 0);
    return result;
}

static void assert_number(sqlite3 *connection, const char *sql, int64_t expected)
{
    int64_t number;
    assert_int_equal(schema_version_number(connection, sql, &number), SQLITE_OK);
    assert_int_equal(number, expected);
}

static void every_older_version_is_brought_up_to_date(void **state)
{
    (void)state;
    for (size_t older = 0; older <= COUNT_OF(steps); older++) {
        sqlite3 *connection = open_empty();
        assert_int_equal(apply(connection, steps, older), SCHEMA_VERSION_READY);
        assert_int_equal(apply(connection, steps, COUNT_OF(steps)), SCHEMA_VERSION_READY);
        assert_int_equal(apply(connection, steps, COUNT_OF(steps)), SCHEMA_VERSION_READY);
        assert_number(connection, "PRAGMA user_version", COUNT_OF(steps));
        assert_number(connection, "PRAGMA application_id", HISTORY_APPLICATION_ID);
        assert_number(connection, "SELECT b FROM notes WHERE a = 'kept'", 8);
        assert_int_equal(sqlite3_close(connection), SQLITE_OK);
    }
}

static void a_step_is_done_whole_or_not_at_all(void **state)
{
    (void)state;
    sqlite3 *connection = open_empty();
    assert_int_equal(apply(connection, steps, 1), SCHEMA_VERSION_READY);
    assert_int_equal(apply(connection, broken, 2), SCHEMA_VERSION_FOREIGN);
    assert_number(connection, "PRAGMA user_version", 1);
    assert_number(connection, "SELECT count(*) FROM notes", 1);
    assert_int_equal(sqlite3_get_autocommit(connection), 1);
    assert_int_equal(sqlite3_close(connection), SQLITE_OK);
}

static void what_is_not_ours_is_left_alone(void **state)
{
    (void)state;
    static const char *const foreign[] = { "CREATE TABLE x (a)", "PRAGMA application_id = 5",
                                           "PRAGMA user_version = 1" };
    for (size_t i = 0; i < COUNT_OF(foreign); i++) {
        sqlite3 *connection = open_empty();
        assert_int_equal(sqlite3_exec(connection, foreign[i], NULL, NULL, NULL), SQLITE_OK);
        assert_int_equal(apply(connection, steps, COUNT_OF(steps)), SCHEMA_VERSION_FOREIGN);
        assert_number(connection, "SELECT count(*) FROM sqlite_schema WHERE name = 'notes'", 0);
        assert_int_equal(sqlite3_close(connection), SQLITE_OK);
    }
}

static void a_newer_version_is_not_touched(void **state)
{
    (void)state;
    sqlite3 *connection = open_empty();
    assert_int_equal(apply(connection, steps, 3), SCHEMA_VERSION_READY);
    assert_int_equal(apply(connection, steps, 2), SCHEMA_VERSION_FOREIGN);
    assert_number(connection, "PRAGMA user_version", 3);
    assert_int_equal(sqlite3_close(connection), SQLITE_OK);
}

static void our_own_tables_are_made_by_the_migrations(void **state)
{
    (void)state;
    size_t count;
    const char *const *migrations = schema_version_migrations(&count);
    sqlite3 *connection = open_empty();
    assert_int_equal(apply(connection, migrations, count), SCHEMA_VERSION_READY);
    assert_number(connection,
                  "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('runs',"
                  " 'violation_counts', 'violations', 'ddl', 'sessions', 'statement_minutes',"
                  " 'statement_texts', 'incidents')",
                  8);
    assert_int_equal(sqlite3_close(connection), SQLITE_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_older_version_is_brought_up_to_date),
        cmocka_unit_test(a_step_is_done_whole_or_not_at_all),
        cmocka_unit_test(what_is_not_ours_is_left_alone),
        cmocka_unit_test(a_newer_version_is_not_touched),
        cmocka_unit_test(our_own_tables_are_made_by_the_migrations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
