/* SPDX-License-Identifier: PostgreSQL */
#include "history/query_connection.h"

#include "base/text.h"
#include "history/overlay.h"
#include "history/schema_version.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    LOCK_WAIT_MS = 250,
    /* A step may call a function that reads all of a text many times over. */
    STEPS_BETWEEN_LOOKS = 50,
    QUERY_SIZE_MOST = 100000,
    /* Of one text or row. instr, replace and LIKE take time with its square, and nothing interrupts them. */
    VALUE_SIZE_MOST = 100000,
    PATTERN_SIZE_MOST = 200,
    DEPTH_MOST = 200,
    TERMS_MOST = 100
};

static bool is_reading_pragma(const char *name)
{
    return sqlite3_stricmp(name, "table_info") == 0 || sqlite3_stricmp(name, "table_list") == 0;
}

/* What a typed query may do: everything that only reads, so nothing that was not thought of. */
static bool is_allowed(int action, const char *first, const char *second)
{
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
        return true;
    case SQLITE_FUNCTION: /* the second tells addresses */
        return sqlite3_stricmp(second, "load_extension") != 0 &&
               sqlite3_stricmp(second, "fts3_tokenizer") != 0;
    case SQLITE_PRAGMA:
        return is_reading_pragma(first);
    default:
        return false;
    }
}

static int authorize(void *context, int action, const char *first, const char *second, const char *database,
                     const char *trigger)
{
    struct query_connection *query = context;
    (void)database;
    (void)trigger;
    if (is_allowed(action, first, second))
        return SQLITE_OK;
    query->has_denied = true;
    return SQLITE_DENY;
}

/* What is sorted stays in memory, where the limit sees it. */
static const char sorted_in_memory[] = "PRAGMA temp_store = MEMORY";

static int connect_file(sqlite3 **connection, const char *path)
{
    int64_t runs;
    int code = sqlite3_open_v2(path, connection,
                               SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL);
    if (code != SQLITE_OK)
        return code;
    (void)sqlite3_busy_timeout(*connection, LOCK_WAIT_MS);
    (void)sqlite3_exec(*connection, sorted_in_memory, NULL, NULL, NULL);
    return schema_version_number(*connection, "SELECT count(*) FROM runs", &runs);
}

enum { SQL_SIZE = 256 };

/* A table of a module is declared when it is first named, by statements of SQLite's own that a typed query
 * may not cause: so it is named once before. */
static int meet(sqlite3 *connection, const char *name)
{
    char sql[SQL_SIZE];
    sqlite3_stmt *statement = NULL;
    (void)snprintf(sql, sizeof sql, "SELECT 1 FROM \"%s\"", name);
    int code = sqlite3_prepare_v2(connection, sql, -1, &statement, NULL);
    (void)sqlite3_finalize(statement);
    return code;
}

static int meet_all(sqlite3 *connection, const struct history_question *question)
{
    static const char *const modules[] = { "pragma_table_info", "pragma_table_list", "json_each",
                                           "json_tree" };
    int code = SQLITE_OK;
    for (size_t i = 0; i < COUNT_OF(modules); i++)
        (void)meet(connection, modules[i]); /* SQLite may have been built without */
    for (size_t i = 0; code == SQLITE_OK && i < question->live_table_count; i++)
        code = meet(connection, question->live_tables[i].name);
    return code;
}

static int register_live(struct query_connection *query, const struct history_question *question)
{
    query->live = calloc(question->live_table_count + 1, sizeof *query->live);
    if (query->live == NULL)
        return SQLITE_NOMEM;
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < question->live_table_count; i++) {
        query->live[i] = (struct live_table){ &question->live_tables[i], question->limits.bytes_most };
        code = live_table_register(query->connection, &query->live[i]);
    }
    return code == SQLITE_OK ? meet_all(query->connection, question) : code;
}

static int limit_of(size_t bytes_most)
{
    return bytes_most < VALUE_SIZE_MOST ? (int)bytes_most : VALUE_SIZE_MOST;
}

static void refuse_function(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    (void)values;
    sqlite3_result_error(context, "printf, format and trim with two arguments are not answered here", -1);
}

/* One call of these may take minutes, in which nothing interrupts it: a padding of 2 GB that is thrown away,
 * many characters to trim from many. */
static int refuse_functions(sqlite3 *connection)
{
    static const struct {
        const char *name;
        int arguments; /* -1: any number */
    } functions[] = { { "printf", -1 }, { "format", -1 }, { "trim", 2 }, { "ltrim", 2 }, { "rtrim", 2 } };
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < COUNT_OF(functions); i++)
        code = sqlite3_create_function_v2(connection, functions[i].name, functions[i].arguments, SQLITE_UTF8,
                                          NULL, refuse_function, NULL, NULL, NULL);
    return code;
}

static int lock_down(struct query_connection *query, const struct history_question *question)
{
    const struct history_limits *limits = &question->limits;
    sqlite3 *connection = query->connection;
    (void)sqlite3_extended_result_codes(connection, 1);
    (void)sqlite3_limit(connection, SQLITE_LIMIT_LENGTH, limit_of(limits->bytes_most));
    (void)sqlite3_limit(connection, SQLITE_LIMIT_SQL_LENGTH, QUERY_SIZE_MOST);
    (void)sqlite3_limit(connection, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, PATTERN_SIZE_MOST);
    (void)sqlite3_limit(connection, SQLITE_LIMIT_EXPR_DEPTH, DEPTH_MOST);
    (void)sqlite3_limit(connection, SQLITE_LIMIT_COMPOUND_SELECT, TERMS_MOST);
    (void)sqlite3_limit(connection, SQLITE_LIMIT_ATTACHED, 1);
    (void)sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(connection, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void)sqlite3_db_config(connection, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    (void)sqlite3_db_config(connection, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    (void)sqlite3_db_config(connection, SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0, NULL);
    int code = sqlite3_exec(connection,
                            "PRAGMA cache_size = -2000; PRAGMA cell_size_check = ON; PRAGMA query_only = ON",
                            NULL, NULL, NULL);
    if (code == SQLITE_OK && !question->is_ours)
        code = refuse_functions(connection);
    return code == SQLITE_OK ? sqlite3_set_authorizer(connection, authorize, query) : code;
}

static void say(struct history_failure *failure, sqlite3 *connection, int code)
{
    bool is_said = sqlite3_errcode(connection) == code; /* no later call went well */
    const char *reason = is_said ? sqlite3_errmsg(connection) : sqlite3_errstr(code);
    (void)snprintf(failure->message, sizeof failure->message, "the history file cannot be read: %s", reason);
}

static void begin_to_look(sqlite3 *connection, const struct query_look *look)
{
    sqlite3_progress_handler(connection, STEPS_BETWEEN_LOOKS, look->at_limits, look->context);
}

/* A file of an earlier version, which could not be brought to ours yet, has no place for what waits. */
static int show_file(struct query_connection *query, const struct history_view *view,
                     const struct query_look *look)
{
    int code = connect_file(&query->connection, view->path);
    if (code != SQLITE_OK)
        return code;
    begin_to_look(query->connection, look);
    return overlay_lay(query->connection, view);
}

static int show_only_waiting(struct query_connection *query, const struct history_view *view,
                             const struct query_look *look)
{
    (void)sqlite3_close_v2(query->connection);
    query->connection = NULL;
    int code = overlay_open_alone(&query->connection, view);
    if (code == SQLITE_OK)
        begin_to_look(query->connection, look);
    return code;
}

static int show(struct query_connection *query, const struct history_view *view,
                const struct query_look *look, struct history_failure *failure)
{
    int code = show_file(query, view, look);
    if (code == SQLITE_OK)
        return SQLITE_OK;
    say(failure, query->connection, code);
    if (view->needs_file || look->at_limits(look->context) != 0)
        return code;
    failure->is_partial = true;
    return show_only_waiting(query, view, look);
}

enum history_answer query_connection_open(struct query_connection *query, const struct history_view *view,
                                          const struct history_question *question,
                                          const struct query_look *look, struct history_failure *failure)
{
    *query = (struct query_connection){ .connection = NULL };
    *failure = (struct history_failure){ .position = 0 };
    int code = show(query, view, look, failure);
    if (code == SQLITE_OK)
        code = register_live(query, question);
    if (code == SQLITE_OK)
        code = lock_down(query, question);
    if (code == SQLITE_OK)
        return HISTORY_ANSWERED;
    say(failure, query->connection, code);
    return HISTORY_UNAVAILABLE;
}

void query_connection_release(struct query_connection *query)
{
    (void)sqlite3_close_v2(query->connection);
    free(query->live);
}
