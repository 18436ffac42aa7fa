/* SPDX-License-Identifier: PostgreSQL */
#include "diary.h"
#include "history/query.h"

#include <string.h>
#include <sys/stat.h>

/* A table that is alive: three numbers and their names. */
static void numbers(void *context, bool (*yield)(void *into, const struct history_value *values), void *into)
{
    unsigned *readings = context;
    static const char *const names[] = { "one", "two", "three" };
    (*readings)++;
    for (int64_t i = 0; i < 3; i++) {
        const struct history_value values[] = { history_integer(i + 1),
                                                history_text(names[i]),
                                                history_real((double)i / 2),
                                                { .type = HISTORY_NULL } };
        if (!yield(into, values))
            return;
    }
}

static void endless(void *context, bool (*yield)(void *into, const struct history_value *values), void *into)
{
    (void)context;
    const struct history_value value = history_text("for ever");
    while (yield(into, &value)) {
    }
}

static const struct history_column number_columns[] = {
    { "number", "INTEGER" }, { "name", "TEXT" }, { "half", "REAL" }, { "nothing", "TEXT" }
};
static const struct history_column endless_columns[] = { { "word", "TEXT" } };

struct scene {
    struct diary diary;
    unsigned readings;
    struct history_live_table tables[2];
    struct history *history;
    char storage[DIARY_ANSWER_SIZE];
    struct text answer;
    struct history_failure failure;
    struct history_question question;
};

static int scene_make(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);
    assert_non_null(scene);
    diary_make(&scene->diary);
    scene->tables[0] = (struct history_live_table){ "numbers", number_columns, COUNT_OF(number_columns),
                                                    numbers, &scene->readings };
    scene->tables[1] = (struct history_live_table){ "endless", endless_columns, 1, endless, NULL };
    struct history_options options = diary_options(&scene->diary);
    scene->history = history_create(&options);
    assert_non_null(scene->history);
    assert_true(history_flush(scene->history, 20 * SECOND_US));
    struct violation violation = violation_of("kds", "c");
    history_count_violations(scene->history, &violation, NOON_US, 5);
    *state = scene;
    return 0;
}

static int scene_remove(void **state)
{
    struct scene *scene = *state;
    history_destroy(scene->history);
    diary_remove(&scene->diary);
    free(scene);
    return 0;
}

static enum history_answer ask_question(struct scene *scene)
{
    text_init(&scene->answer, scene->storage, sizeof scene->storage);
    scene->question.context = &scene->answer;
    scene->question.live_tables = scene->tables;
    scene->question.live_table_count = COUNT_OF(scene->tables);
    return history_query(scene->history, &scene->question, &scene->failure);
}

static enum history_answer ask(struct scene *scene, const char *sql)
{
    scene->question = question_of(sql, &scene->answer);
    return ask_question(scene);
}

static void assert_answer(struct scene *scene, const char *sql, const char *expected)
{
    enum history_answer answer = ask(scene, sql);
    if (answer != HISTORY_ANSWERED)
        print_error("%s: %s\n", sql, scene->failure.message);
    assert_int_equal(answer, HISTORY_ANSWERED);
    assert_string_equal(scene->answer.data, expected);
}

static void reading_is_allowed_in_every_form(void **state)
{
    struct scene *scene = *state;
    assert_answer(scene, "SELECT service, sum(count) FROM violation_counts GROUP BY 1", "kds|5;");
    assert_answer(scene,
                  "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4)"
                  " SELECT sum(i) FROM n; -- that is all",
                  "10;");
    assert_answer(scene, "VALUES (1, 'a'), (NULL, 2.5)", "1|a;NULL|2.5;");
    assert_answer(scene, "SELECT x'4142' || 'z', '\xc3\xa9'", "ABz|\xc3\xa9;");
    assert_answer(scene, "SELECT name FROM sqlite_schema WHERE type = 'view'", "gaps;");
    assert_answer(scene, "SELECT name FROM pragma_table_info('runs') WHERE pk", "run;");
    assert_answer(scene, "SELECT sum(value) FROM json_each('[1, 2]')", "3;");
    assert_answer(scene, "SELECT count(*) FROM violation_counts WHERE minute > datetime('now', '-100 years')",
                  "1;");
    assert_int_equal(ask(scene, "EXPLAIN QUERY PLAN SELECT * FROM runs"), HISTORY_ANSWERED);
}

static void everything_else_is_denied(void **state)
{
    struct scene *scene = *state;
    static const char *const denied[] = {
        "DELETE FROM runs",
        "INSERT INTO runs VALUES (9, '', '', '', '', 0, 0)",
        "UPDATE runs SET version = 'x'",
        "WITH a AS (SELECT 1) DELETE FROM violation_counts",
        "CREATE TABLE x (a)",
        "CREATE TEMP TABLE x AS SELECT 1",
        "CREATE VIRTUAL TABLE x USING fts5(a)",
        "CREATE TEMP VIEW x AS SELECT 1",
        "DROP TABLE runs",
        "ALTER TABLE runs ADD COLUMN x",
        "ATTACH '/tmp/pgsluice_attached.db' AS x",
        "DETACH main",
        "VACUUM",
        "VACUUM INTO '/tmp/pgsluice_attached.db'",
        "REINDEX",
        "ANALYZE",
        "BEGIN",
        "COMMIT",
        "SAVEPOINT x",
        "PRAGMA query_only = OFF",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA user_version",
        "PRAGMA temp_store_directory = '/'",
        "SELECT * FROM pragma_database_list",
        "SELECT * FROM pragma_journal_mode('delete')",
        "SELECT fts3_tokenizer('simple')",
        "SELECT load_extension('x')",
        "EXPLAIN DELETE FROM runs",
    };
    for (size_t i = 0; i < COUNT_OF(denied); i++) {
        enum history_answer answer = ask(scene, denied[i]);
        if (answer != HISTORY_DENIED)
            print_error("%s: %d %s\n", denied[i], answer, scene->failure.message);
        assert_int_equal(answer, HISTORY_DENIED);
        assert_string_equal(scene->failure.message, "only queries that read are answered here");
    }
    struct stat facts;
    assert_int_not_equal(stat("/tmp/pgsluice_attached.db", &facts), 0);
    assert_answer(scene, "SELECT count(*), sum(count) FROM runs, violation_counts", "1|5;");
}

static void assert_wrong(struct scene *scene, const char *sql, const char *message, size_t position)
{
    assert_int_equal(ask(scene, sql), HISTORY_WRONG);
    if (strstr(scene->failure.message, message) == NULL)
        print_error("%s: %s\n", sql, scene->failure.message);
    assert_non_null(strstr(scene->failure.message, message));
    assert_int_equal(scene->failure.position, position);
}

static void a_mistake_is_named_with_its_place(void **state)
{
    struct scene *scene = *state;
    assert_wrong(scene, "SELECT '\xc3\xa9\xc3\xa9', servise FROM violation_counts", "servise", 14);
    assert_wrong(scene, "SELEC 1", "syntax error", 1);
    assert_wrong(scene, "SELECT count FROM nowhere", "nowhere", 0);
    assert_wrong(scene, "SELECT 1; SELECT 2", "one query at a time", 10);
    assert_wrong(scene, "SELECT 1; garbage", "one query at a time", 10);
    assert_wrong(scene, " -- nothing", "there is no query", 0);
    assert_wrong(scene, "", "between 1 byte", 0);
    assert_wrong(scene, "SELECT $1", "parameters", 0);
    scene->question.sql = bytes_of("SELECT 1\0; DROP", 15);
    assert_int_equal(ask_question(scene), HISTORY_WRONG);
}

static void parameters_go_by_their_numbers(void **state)
{
    struct scene *scene = *state;
    const struct history_value values[] = { history_text("kds"),
                                            history_integer(7),
                                            { .type = HISTORY_NULL } };
    scene->question =
        question_of("SELECT $2, $3, count FROM violation_counts WHERE service = $1", &scene->answer);
    scene->question.parameters = values;
    scene->question.parameter_count = COUNT_OF(values);
    assert_int_equal(ask_question(scene), HISTORY_ANSWERED);
    assert_string_equal(scene->answer.data, "7|NULL|5;");
    static const char *const wrong[] = { "SELECT $4",
                                         "SELECT ?",
                                         "SELECT ?1",
                                         "SELECT :a",
                                         "SELECT $0",
                                         "SELECT $1x",
                                         "SELECT $99999999999999999999" };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        scene->question.sql = bytes_text(wrong[i]);
        assert_int_equal(ask_question(scene), HISTORY_WRONG);
    }
}

static int64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * SECOND_US + now.tv_nsec / 1000;
}

#define ENDLESS "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "

static void time_is_limited(void **state)
{
    struct scene *scene = *state;
    scene->question = question_of(ENDLESS "SELECT count(*) FROM n", &scene->answer);
    scene->question.limits.time_us = SECOND_US / 4;
    int64_t begin = now_us();
    assert_int_equal(ask_question(scene), HISTORY_TOO_LONG);
    assert_in_range(now_us() - begin, SECOND_US / 5, 3 * SECOND_US);
}

static void a_query_can_be_cancelled(void **state)
{
    struct scene *scene = *state;
    atomic_bool is_cancelled = true;
    scene->question = question_of(ENDLESS "SELECT count(*) FROM n", &scene->answer);
    scene->question.limits.is_cancelled = &is_cancelled;
    assert_int_equal(ask_question(scene), HISTORY_CANCELLED);
}

static void memory_is_limited(void **state)
{
    struct scene *scene = *state;
    static const char *const big[] = {
        ENDLESS "SELECT i FROM n ORDER BY i DESC",
        ENDLESS "SELECT count(*) FROM (SELECT i, hex(i) FROM n GROUP BY 1, 2)",
        "SELECT group_concat(hex(zeroblob(900000))) FROM (VALUES (1), (2), (3))",
        "SELECT length(zeroblob(1000000000))",
        "SELECT count(*) FROM endless",
    };
    for (size_t i = 0; i < COUNT_OF(big); i++) {
        scene->question = question_of(big[i], &scene->answer);
        scene->question.limits.bytes_most = 4 << 20;
        enum history_answer answer = ask_question(scene);
        if (answer != HISTORY_TOO_BIG)
            print_error("%s: %d %s\n", big[i], answer, scene->failure.message);
        assert_int_equal(answer, HISTORY_TOO_BIG);
    }
}

/* Between two of its steps SQLite looks at no clock. */
static void a_single_step_takes_little_time(void **state)
{
    struct scene *scene = *state;
#define LETTERS(pairs) "hex(zeroblob(" #pairs "))"
    static const struct {
        const char *sql;
        enum history_answer answer;
    } steps[] = {
        { "SELECT instr(zeroblob(30000000), zeroblob(15000000) || 'b')", HISTORY_TOO_BIG },
        { "SELECT replace(" LETTERS(45000) ", " LETTERS(22500) " || 'b', '') = ''", HISTORY_ANSWERED },
        { "SELECT " LETTERS(45000) " LIKE '%' || " LETTERS(90) " || 'b'", HISTORY_ANSWERED },
        { "SELECT trim(" LETTERS(45000) ", " LETTERS(45000) ")", HISTORY_WRONG },
        { "SELECT rtrim('aab', 'b')", HISTORY_WRONG },
        { "SELECT printf('%.*c', 2147483647, 'x')", HISTORY_WRONG },
        { "SELECT format('%d', 1)", HISTORY_WRONG },
        { ENDLESS "SELECT sum(instr(" LETTERS(45000) " || i, " LETTERS(22500) " || 'b')) FROM n",
          HISTORY_TOO_LONG },
    };
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        scene->question = question_of(steps[i].sql, &scene->answer);
        scene->question.limits.time_us = SECOND_US;
        int64_t begin = now_us();
        assert_int_equal(ask_question(scene), steps[i].answer);
        assert_in_range(now_us() - begin, 0, 20 * SECOND_US);
    }
    assert_answer(scene, "SELECT trim('  a ')", "a;");
}

static void rows_and_their_bytes_are_limited(void **state)
{
    struct scene *scene = *state;
    scene->question = question_of(ENDLESS "SELECT i FROM n", &scene->answer);
    scene->question.limits.rows_most = 3;
    assert_int_equal(ask_question(scene), HISTORY_TOO_BIG);
    assert_string_equal(scene->answer.data, "1;2;3;");
    scene->question = question_of("VALUES (zeroblob(60000)), (zeroblob(60000))", &scene->answer);
    scene->question.limits.bytes_most = 100000;
    assert_int_equal(ask_question(scene), HISTORY_TOO_BIG);
}

static bool on_no_row(void *context, const struct history_value *values, size_t count)
{
    (void)context;
    (void)values;
    (void)count;
    return false;
}

static bool on_columns_described(void *context, const struct history_column *columns, size_t count)
{
    struct text *text = context;
    for (size_t i = 0; i < count; i++)
        text_append_format(text, "%s:%s;", columns[i].name, columns[i].type);
    return false;
}

static void callbacks_can_stop_it(void **state)
{
    struct scene *scene = *state;
    scene->question = question_of(ENDLESS "SELECT i FROM n", &scene->answer);
    scene->question.on_row = on_no_row;
    assert_int_equal(ask_question(scene), HISTORY_STOPPED);
    scene->question =
        question_of("SELECT service, count, count + 1 AS more FROM violation_counts", &scene->answer);
    scene->question.on_columns = on_columns_described;
    assert_int_equal(ask_question(scene), HISTORY_STOPPED);
    assert_string_equal(scene->answer.data, "service:TEXT;count:INTEGER;more:;");
}

static void a_live_table_is_read_with_the_others(void **state)
{
    struct scene *scene = *state;
    assert_answer(scene, "SELECT * FROM numbers", "1|one|0|NULL;2|two|0.5|NULL;3|three|1|NULL;");
    assert_int_equal(scene->readings, 1);
    assert_answer(scene,
                  "SELECT a.name, b.name, count FROM numbers a, numbers b, violation_counts"
                  " WHERE a.number > b.number AND count = 5 ORDER BY 1, 2",
                  "three|one|5;three|two|5;two|one|5;");
    assert_answer(scene, "SELECT count(*) FROM numbers WHERE name = 'two'", "1;");
    assert_answer(scene, "SELECT number FROM numbers LIMIT 1", "1;");
    assert_int_not_equal(ask(scene, "DELETE FROM numbers"), HISTORY_ANSWERED);
    assert_int_not_equal(ask(scene, "DROP TABLE numbers"), HISTORY_ANSWERED);
}

static void a_file_that_is_not_there_is_unavailable(void **state)
{
    struct scene *scene = *state;
    scene->question = question_of("SELECT 1", &scene->answer);
    text_init(&scene->answer, scene->storage, sizeof scene->storage);
    assert_int_equal(history_query_file("/tmp/pgsluice_no_such_file.db", &scene->question, &scene->failure),
                     HISTORY_UNAVAILABLE);
    assert_non_null(strstr(scene->failure.message, "cannot be read"));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, scene_make, scene_remove)
    const struct CMUnitTest tests[] = {
        CASE(reading_is_allowed_in_every_form),
        CASE(everything_else_is_denied),
        CASE(a_mistake_is_named_with_its_place),
        CASE(parameters_go_by_their_numbers),
        CASE(time_is_limited),
        CASE(a_query_can_be_cancelled),
        CASE(memory_is_limited),
        CASE(a_single_step_takes_little_time),
        CASE(rows_and_their_bytes_are_limited),
        CASE(callbacks_can_stop_it),
        CASE(a_live_table_is_read_with_the_others),
        CASE(a_file_that_is_not_there_is_unavailable),
    };
#undef CASE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
