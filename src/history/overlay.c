/* SPDX-License-Identifier: PostgreSQL */
#include "history/overlay.h"

#include "history/binding.h"
#include "history/entry.h"
#include "history/schema_version.h"

#include <sqlite3.h>

/* Texts of SQL for one of our tables: {table} is its name, {key} what tells its rows apart, {file_key} the
 * same of what is called `file`. */
static const char expansion[] =
    "SELECT replace(replace(replace(?1, '{table}', name), '{key}', columns), '{file_key}',"
    " 'file.' || replace(columns, ',', ',file.')) FROM (SELECT name, ifnull((SELECT group_concat(name)"
    " FROM pragma_table_info(tables.name, 'waiting') WHERE pk), 'rowid') AS columns"
    " FROM waiting.sqlite_schema AS tables WHERE type = 'table' AND name <> 'runs' AND name GLOB ?2)";

/* The rows of the file that what waits will change. */
static const char make_touched[] =
    "CREATE TEMP TABLE touched_{table} AS SELECT {key} FROM main.{table} WHERE FALSE;"
    "CREATE UNIQUE INDEX temp.touched_{table}_key ON touched_{table} ({key})";
static const char copy_touched[] = "INSERT INTO waiting.{table} SELECT * FROM main.{table} WHERE ({key}) IN"
                                   " (SELECT * FROM temp.touched_{table})";
static const char unite[] = "CREATE TEMP VIEW {table} AS SELECT * FROM main.{table} AS file WHERE NOT EXISTS"
                            " (SELECT 1 FROM temp.touched_{table} WHERE ({key}) = ({file_key}))"
                            " UNION ALL SELECT * FROM waiting.{table}";

/* Each statement twice: finding what it may change, and done to what waits. */
static const struct change {
    const char *table;
    const char *find;
    const char *make;
} changes[STATEMENT_COUNT] = {
#define STATEMENT(symbol, verb, table, rest, rows)                                                           \
    [STATEMENT_##symbol] = { #table,                                                                         \
                             "INSERT OR IGNORE INTO temp.touched_{table} SELECT {key} FROM main.{table}"     \
                             " WHERE " rows,                                                                 \
                             verb " waiting." #table " " rest },
#define CHANGE(symbol, verb, table, rest, rows) STATEMENT(symbol, verb, table, rest rows, rows)
#include "history/statements.def"
#undef CHANGE
#undef STATEMENT
};

/* Texts come of it, for the tables of that name; '*' is any. */
static int expand(sqlite3 *connection, const char *text, const char *table, sqlite3_stmt **texts)
{
    int code = sqlite3_prepare_v2(connection, expansion, -1, texts, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_bind_text(*texts, 1, text, -1, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_bind_text(*texts, 2, table, -1, SQLITE_STATIC);
    return code;
}

static int run_for_each_table(sqlite3 *connection, const char *text)
{
    sqlite3_stmt *texts = NULL;
    int code = expand(connection, text, "*", &texts);
    while (code == SQLITE_OK && sqlite3_step(texts) == SQLITE_ROW)
        code = sqlite3_exec(connection, (const char *)sqlite3_column_text(texts, 0), NULL, NULL, NULL);
    int end = sqlite3_finalize(texts);
    return code == SQLITE_OK ? end : code;
}

/* How a change is to be prepared. */
typedef int prepare_function(sqlite3 *connection, const struct change *change, sqlite3_stmt **statement);

static int prepare_find(sqlite3 *connection, const struct change *change, sqlite3_stmt **statement)
{
    sqlite3_stmt *texts = NULL;
    int code = expand(connection, change->find, change->table, &texts);
    if (code == SQLITE_OK && sqlite3_step(texts) == SQLITE_ROW)
        code =
            sqlite3_prepare_v2(connection, (const char *)sqlite3_column_text(texts, 0), -1, statement, NULL);
    int end = sqlite3_finalize(texts);
    return code == SQLITE_OK ? end : code;
}

static int prepare_make(sqlite3 *connection, const struct change *change, sqlite3_stmt **statement)
{
    return sqlite3_prepare_v2(connection, change->make, -1, statement, NULL);
}

static int bind_waiting(sqlite3 *connection, struct bytes waiting, int64_t run, prepare_function *prepare)
{
    sqlite3_stmt *statements[STATEMENT_COUNT] = { 0 };
    struct binding binding = { connection, statements, run };
    uint64_t rejected = 0;
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && prepare != NULL && i < STATEMENT_COUNT; i++)
        code = prepare(connection, &changes[i], &statements[i]);
    if (code == SQLITE_OK)
        code = binding_write_all(&binding, waiting, &rejected);
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        (void)sqlite3_finalize(statements[i]);
    return code;
}

static int execute(sqlite3 *connection, const char *sql)
{
    return sqlite3_exec(connection, sql, NULL, NULL, NULL);
}

int overlay_open_alone(sqlite3 **connection, const struct history_view *view)
{
    int code = sqlite3_open_v2(":memory:", connection,
                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK) /* what is sorted, too, stays where the limit sees it */
        code = execute(*connection, "PRAGMA temp_store = MEMORY; BEGIN");
    if (code == SQLITE_OK)
        code = schema_version_create(*connection);
    if (code == SQLITE_OK)
        code = bind_waiting(*connection, view->waiting, view->waiting_run, NULL);
    return code == SQLITE_OK ? execute(*connection, "COMMIT") : code;
}

/* Puts our tables beside the file's, empty. */
static int attach(sqlite3 *connection)
{
    const struct history_view nothing = { .waiting = { NULL, 0 } };
    sqlite3 *empty = NULL;
    sqlite3_int64 size = 0;
    unsigned char *image = NULL;
    int code = overlay_open_alone(&empty, &nothing);
    if (code == SQLITE_OK)
        code = execute(connection, "ATTACH ':memory:' AS waiting");
    if (code == SQLITE_OK) {
        image = sqlite3_serialize(empty, "main", &size, 0);
        code = image == NULL ? SQLITE_NOMEM : SQLITE_OK;
    }
    (void)sqlite3_close_v2(empty);
    if (code != SQLITE_OK)
        return code;
    return sqlite3_deserialize(connection, "waiting", image, size, size,
                               SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE);
}

/* The number of what waits where the run has none yet, since it could not write so far: the next. */
static int number_run(sqlite3 *connection, int64_t *run)
{
    if (*run > 0)
        return SQLITE_OK;
    return schema_version_number(connection, "SELECT ifnull(max(run), 0) + 1 FROM main.runs", run);
}

static int lay(sqlite3 *connection, struct bytes waiting, int64_t run)
{
    int code = number_run(connection, &run);
    if (code == SQLITE_OK)
        code = run_for_each_table(connection, make_touched);
    if (code == SQLITE_OK)
        code = bind_waiting(connection, waiting, run, prepare_find);
    if (code == SQLITE_OK)
        code = run_for_each_table(connection, copy_touched);
    if (code == SQLITE_OK)
        code = bind_waiting(connection, waiting, run, prepare_make);
    return code == SQLITE_OK ? run_for_each_table(connection, unite) : code;
}

int overlay_lay(sqlite3 *connection, const struct history_view *view)
{
    if (view->waiting.size == 0)
        return SQLITE_OK;
    int code = attach(connection);
    if (code == SQLITE_OK)
        code = execute(connection, "BEGIN");
    if (code == SQLITE_OK)
        code = lay(connection, view->waiting, view->waiting_run);
    return code == SQLITE_OK ? execute(connection, "COMMIT") : code;
}
