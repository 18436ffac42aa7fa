/* SPDX-License-Identifier: PostgreSQL */
/* How the changes of texts, pipelines and chained transactions end: what the server may answer, and what is
 * told of it. */
#include "stage/stage.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define ERROR      "server: ErrorResponse S:\"ERROR\" V:\"ERROR\" C:\"22012\" M:\"division by zero\" int8:0\n"
#define IDLE       "server: ReadyForQuery text:\"I\"\n"
#define OPEN       "server: ReadyForQuery text:\"T\"\n"
#define FAILED     "server: ReadyForQuery text:\"E\"\n"
#define DONE(tag)  "server: CommandComplete \"" tag "\"\n"
#define QUERY(sql) "client: Query \"" sql "\"\n"
#define BEGIN      QUERY("begin") DONE("BEGIN") OPEN
#define CREATE     QUERY("create table a ()") DONE("CREATE TABLE")
#define COMMIT     QUERY("commit") DONE("COMMIT") IDLE
#define PIPED(sql)                                                                                           \
    "client: Parse \"\" \"" sql "\" int16:0\nclient: Bind \"\" \"\" int16:0 int16:0 int16:0\n"               \
    "client: Execute \"\" int32:0\n"
#define SYNC  "client: Sync\n"
#define BOUND "server: ParseComplete\nserver: BindComplete\n"

/* What is told of the changes' ends: a letter for each, the change's first number behind it. */
static void ends_of(struct stage *stage, char *out, size_t capacity)
{
    static const struct {
        enum event_kind kind;
        char letter;
    } letters[] = { { EVENT_DDL_FAILED, 'f' },
                    { EVENT_DDL_COMMITTED, 'c' },
                    { EVENT_DDL_UNDONE, 'u' },
                    { EVENT_DDL_UNKNOWN, '?' } };
    struct text text;
    text_init(&text, out, capacity);
    for (size_t index = 0; index < stage->event_count; index++) {
        for (size_t place = 0; place < COUNT_OF(letters); place++) {
            const struct event *event = &stage->kept[index];
            if (event->kind == letters[place].kind)
                text_append_format(&text, "%c%u%s", letters[place].letter, event->change,
                                   event->reason[0] == 'a' || event->reason[0] == 's' ? "* " : " ");
        }
    }
}

/* `*` stands behind what is told with a doubt. */
static void assert_ends(const char *script, const char *expected)
{
    char ends[128] = "";
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_ENFORCE, .allow = LEVEL_ADDITIVE });
    stage_say(stage, script);
    ends_of(stage, ends, sizeof(ends));
    assert_string_equal(ends, expected);
    stage_end(stage);
}

static void a_chained_transaction_is_another(void **state)
{
    (void)state;
    assert_ends(BEGIN CREATE OPEN QUERY("commit and chain") DONE("COMMIT")
                    OPEN CREATE OPEN QUERY("rollback and chain") DONE("ROLLBACK") OPEN CREATE OPEN COMMIT,
                "c1 u2 c3 ");
}

static void a_commit_in_a_text_that_fails_lasts(void **state)
{
    (void)state;
    assert_ends(QUERY("create table a (); commit; select 1/0") DONE("CREATE TABLE") DONE("COMMIT") ERROR IDLE,
                "c1* ");
    assert_ends(QUERY("commit; create table a (); select 1/0") DONE("COMMIT") DONE("CREATE TABLE") ERROR IDLE,
                "f1 ");
    assert_ends(QUERY("begin; create table a (); commit") DONE("BEGIN") DONE("CREATE TABLE") DONE("COMMIT")
                    IDLE,
                "c1 ");
}

static void what_was_rolled_back_in_a_text_is_told_from_what_was_not(void **state)
{
    (void)state;
    assert_ends(QUERY("create table a (); rollback; select 1") DONE("CREATE TABLE") DONE("ROLLBACK")
                    DONE("SELECT 1") IDLE,
                "u1 ");
    assert_ends(QUERY("rollback; create table a ()") DONE("ROLLBACK") DONE("CREATE TABLE") IDLE, "c1 ");
    assert_ends(QUERY("create table a (); rollback; create table b ()") DONE("CREATE TABLE") DONE("ROLLBACK")
                    DONE("CREATE TABLE") IDLE,
                "c1* ");
}

static void a_savepoint_of_its_text_that_was_rolled_back_leaves_a_doubt(void **state)
{
    (void)state;
    assert_ends(QUERY("begin; savepoint s; create table a (); rollback to s; commit") DONE("BEGIN")
                    DONE("SAVEPOINT") DONE("CREATE TABLE") DONE("ROLLBACK") DONE("COMMIT") IDLE,
                "c1* ");
}

static void an_error_behind_a_savepoint_of_its_text_leaves_it_open(void **state)
{
    (void)state;
    assert_ends(QUERY("begin; create table a (); savepoint s; select 1/0") DONE("BEGIN") DONE("CREATE TABLE")
                    DONE("SAVEPOINT") ERROR FAILED QUERY("rollback to s") DONE("ROLLBACK") OPEN COMMIT,
                "c1* ");
    assert_ends(QUERY("begin; savepoint s; create table a (); select 1/0") DONE("BEGIN") DONE("SAVEPOINT")
                    DONE("CREATE TABLE") ERROR FAILED QUERY("rollback to s") DONE("ROLLBACK") OPEN COMMIT,
                "f1 ");
}

static void a_commit_in_a_pipeline_ends_what_was_before_it_only(void **state)
{
    (void)state;
    assert_ends(PIPED("create table a ()") PIPED("commit") PIPED("create table b ()") PIPED("select 1/0")
                    SYNC BOUND DONE("CREATE TABLE") BOUND DONE("COMMIT") BOUND DONE("CREATE TABLE")
                        BOUND ERROR IDLE,
                "c1 u2 ");
}

static void what_no_block_takes_is_committed_at_once(void **state)
{
    (void)state;
    assert_ends(PIPED("create index concurrently i on t (a)") PIPED("select 1/0")
                    SYNC BOUND DONE("CREATE INDEX") BOUND ERROR IDLE,
                "c1 ");
    assert_ends(PIPED("create database d") PIPED("select 1/0") SYNC BOUND DONE("CREATE DATABASE")
                    BOUND ERROR IDLE,
                "c1 ");
}

static void a_prepared_transaction_is_in_doubt_unless_it_prepared_nothing(void **state)
{
    (void)state;
    assert_ends(BEGIN CREATE OPEN QUERY("prepare transaction 'x'") DONE("PREPARE TRANSACTION") IDLE, "?1 ");
    assert_ends(BEGIN QUERY("create table a (); prepare transaction 'x'") DONE("CREATE TABLE")
                    DONE("PREPARE TRANSACTION") IDLE,
                "?1 ");
    assert_ends(PIPED("create table a ()") PIPED("prepare transaction 'x'") SYNC BOUND DONE("CREATE TABLE")
                    BOUND DONE("ROLLBACK") IDLE,
                "c1 ");
    assert_ends(BEGIN CREATE OPEN QUERY("select 1/0") ERROR FAILED QUERY("prepare transaction 'x'")
                    DONE("ROLLBACK") IDLE,
                "u1 ");
}

static void a_refusal_behind_what_its_text_executes_waits_for_its_answer(void **state)
{
    (void)state;
    assert_ends("client: Parse \"p\" \"create table a ()\" int16:0\n" SYNC
                "server: ParseComplete\n" IDLE QUERY("create table b ()") QUERY("execute p; drop table c")
                    DONE("CREATE TABLE") IDLE
                "server: ErrorResponse S:\"ERROR\" V:\"ERROR\" C:\"42601\" M:\"syntax error\" int8:0\n" IDLE,
                "c1 f2 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chained_transaction_is_another),
        cmocka_unit_test(a_commit_in_a_text_that_fails_lasts),
        cmocka_unit_test(what_was_rolled_back_in_a_text_is_told_from_what_was_not),
        cmocka_unit_test(a_savepoint_of_its_text_that_was_rolled_back_leaves_a_doubt),
        cmocka_unit_test(an_error_behind_a_savepoint_of_its_text_leaves_it_open),
        cmocka_unit_test(a_commit_in_a_pipeline_ends_what_was_before_it_only),
        cmocka_unit_test(what_no_block_takes_is_committed_at_once),
        cmocka_unit_test(a_prepared_transaction_is_in_doubt_unless_it_prepared_nothing),
        cmocka_unit_test(a_refusal_behind_what_its_text_executes_waits_for_its_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
