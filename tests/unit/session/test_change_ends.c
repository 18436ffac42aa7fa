/* SPDX-License-Identifier: PostgreSQL */
/* How the changes of texts, pipelines and chained transactions end: what the server may answer, and what is
 * told of it. */
#include "stage/stage.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define ERROR       "server: ErrorResponse S:\"ERROR\" V:\"ERROR\" C:\"22012\" M:\"division by zero\" int8:0\n"
#define IDLE        "server: ReadyForQuery text:\"I\"\n"
#define OPEN        "server: ReadyForQuery text:\"T\"\n"
#define FAILED      "server: ReadyForQuery text:\"E\"\n"
#define DONE(tag)   "server: CommandComplete \"" tag "\"\n"
#define QUERY(sql)  "client: Query \"" sql "\"\n"
#define BEGIN       QUERY("begin") DONE("BEGIN") OPEN
#define CREATE      QUERY("create table a ()") DONE("CREATE TABLE")
#define CREATE_SENT QUERY("create table a ()")
#define COMMIT      QUERY("commit") DONE("COMMIT") IDLE
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

/* `*` stands behind what is told with a doubt. At the end of the script all is answered. */
static void assert_ends(const char *script, const char *expected)
{
    char ends[128] = "";
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_ENFORCE, .allow = LEVEL_ADDITIVE });
    stage_say(stage, script);
    ends_of(stage, ends, sizeof(ends));
    assert_string_equal(ends, expected);
    assert_int_equal(counter_read(&stage->counters.unfollowed), 0);
    assert_int_not_equal(session_rest(stage->session), REST_BUSY);
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

#define COPY   PIPED("copy t from stdin")
#define READS  "server: CopyInResponse int8:0 int16:0\n"
#define COPIES BOUND READS
#define LINE   "client: CopyData text:\"1\"\n"
#define ENDED  "client: CopyDone\n"
#define DATA   LINE ENDED
#define REPORTED(sqlstate, routine)                                                                          \
    "server: ErrorResponse S:\"ERROR\" V:\"ERROR\" C:\"" sqlstate "\" M:\"canceled\" R:\"" routine           \
    "\" int8:0\n"
#define CANCELED   REPORTED("57014", "ProcessInterrupts")
#define UNEXPECTED REPORTED("08P01", "CopyGetData")
#define SHORT      REPORTED("08P01", "pq_copymsgbytes")
#define BY_QUERY   QUERY("copy t from stdin")
#define CALL       "client: FunctionCall int32:1598 int16:0 int16:0 int16:0\n"
#define CALLED     "server: FunctionCallResponse value:\"0.25\"\n"

static void a_sync_that_a_failed_copy_did_not_swallow_answers_no_other_request(void **state)
{
    (void)state;
    assert_ends(COPY SYNC DATA SYNC CREATE_SENT COPIES CANCELED IDLE IDLE ERROR IDLE, "f1 ");
    assert_ends(COPY SYNC DATA SYNC PIPED("create table a ()")
                    SYNC COPIES CANCELED IDLE IDLE BOUND DONE("CREATE TABLE") IDLE,
                "c1 ");
    assert_ends(BY_QUERY SYNC SYNC DATA SYNC CREATE_SENT READS CANCELED IDLE IDLE IDLE IDLE ERROR IDLE,
                "f1 ");
    assert_ends(COPY SYNC COPIES CANCELED IDLE DATA SYNC IDLE CREATE_SENT ERROR IDLE, "f1 ");
    assert_ends(COPY SYNC COPIES CANCELED DATA SYNC IDLE CREATE_SENT IDLE ERROR IDLE, "f1 ");
    assert_ends(COPY SYNC DATA SYNC CALL CREATE_SENT COPIES CANCELED IDLE IDLE CALLED IDLE ERROR IDLE, "f1 ");
    assert_ends(COPY SYNC DATA SYNC CALL CREATE_SENT COPIES CANCELED IDLE IDLE ERROR IDLE ERROR IDLE, "f1 ");
}

static void a_sync_that_a_failed_copy_swallowed_is_not_awaited(void **state)
{
    (void)state;
    assert_ends(COPY SYNC DATA SYNC CREATE_SENT COPIES CANCELED IDLE ERROR IDLE, "f1 ");
    assert_ends(COPY SYNC DATA SYNC CREATE_SENT COPIES CANCELED IDLE DONE("CREATE TABLE") IDLE, "c1 ");
    assert_ends(COPY SYNC COPIES DATA SYNC CANCELED IDLE CREATE IDLE, "c1 ");
    assert_ends(BY_QUERY SYNC DATA SYNC CREATE_SENT READS CANCELED IDLE IDLE ERROR IDLE, "f1 ");
    assert_ends(COPY SYNC DATA SYNC CALL CREATE_SENT COPIES CANCELED IDLE CALLED IDLE ERROR IDLE, "f1 ");
    /* and is not doubted for long */
    assert_ends(COPY SYNC DATA SYNC COPIES CANCELED IDLE PIPED("select 1/0") PIPED("create table a ()")
                    SYNC ERROR IDLE,
                "f1* ");
    assert_ends(COPY SYNC DATA SYNC COPIES CANCELED IDLE PIPED("select 1") SYNC BOUND DONE("SELECT 1")
                    IDLE PIPED("select 1/0") PIPED("create table a ()") SYNC BOUND ERROR IDLE,
                "f1* ");
}

static void what_a_failed_copy_did_not_read_runs(void **state)
{
    (void)state;
    assert_ends(BY_QUERY CREATE_SENT READS CANCELED IDLE DONE("CREATE TABLE") IDLE, "c1 ");
    assert_ends(BY_QUERY CREATE_SENT DATA SYNC READS CANCELED IDLE DONE("CREATE TABLE") IDLE IDLE, "c1 ");
    assert_ends(BY_QUERY LINE CREATE_SENT READS SHORT IDLE DONE("CREATE TABLE") IDLE, "c1 ");
    assert_ends(COPY PIPED("create table a ()") SYNC COPIES CANCELED IDLE, "f1* ");
}

static void what_a_failed_copy_read_in_place_of_data_does_not_run(void **state)
{
    (void)state;
    assert_ends(BY_QUERY CREATE_SENT READS UNEXPECTED IDLE, "f1* ");
    assert_ends(COPY SYNC CREATE_SENT SYNC COPIES UNEXPECTED IDLE, "f1* ");
}

static void each_copy_of_a_text_has_the_end_of_its_data(void **state)
{
    (void)state;
    assert_ends(QUERY("copy t from stdin; copy t from stdin")
                    ENDED ENDED CREATE_SENT ENDED READS DONE("COPY 0") READS DONE("COPY 0")
                        IDLE DONE("CREATE TABLE") IDLE,
                "c1 ");
    assert_ends(QUERY("copy t from stdin; copy t from stdin")
                    SYNC ENDED ENDED SYNC CREATE_SENT READS DONE("COPY 0") READS DONE("COPY 0")
                        IDLE IDLE DONE("CREATE TABLE") IDLE,
                "c1 ");
    assert_ends(QUERY("copy t from stdin; copy t from stdin; copy t from stdin")
                    ENDED ENDED SYNC ENDED SYNC CREATE_SENT READS DONE("COPY 0") READS DONE("COPY 0")
                        READS DONE("COPY 0") IDLE IDLE DONE("CREATE TABLE") IDLE,
                "c1 ");
}

static void what_may_be_run_or_skipped_behind_a_failed_copy_is_not_followed(void **state)
{
    (void)state;
    static const struct {
        const char *script;
        const char *ends;
    } cases[] = {
        { COPY SYNC PIPED("create table a ()") SYNC COPIES CANCELED, "?1 ?1 " },
        { COPY SYNC DATA PIPED("create table a ()") SYNC COPIES CANCELED, "?1 ?1 " },
        { COPY SYNC COPIES CANCELED CREATE_SENT, "?1 ?1 " },
        { COPY SYNC COPIES CANCELED PIPED("create table a ()"), "" /* passed on unread */ },
    };
    for (size_t index = 0; index < COUNT_OF(cases); index++) {
        struct stage *stage =
            stage_begin((struct stage_plan){ .mode = GUARD_OBSERVE, .allow = LEVEL_ADDITIVE });
        char ends[128] = "";
        stage_say(stage, cases[index].script);
        assert_int_equal(counter_read(&stage->counters.unfollowed), 1);
        stage_hang_up(stage);
        ends_of(stage, ends, sizeof(ends));
        assert_string_equal(ends, cases[index].ends);
        stage_end(stage);
    }
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
        cmocka_unit_test(a_sync_that_a_failed_copy_did_not_swallow_answers_no_other_request),
        cmocka_unit_test(a_sync_that_a_failed_copy_swallowed_is_not_awaited),
        cmocka_unit_test(what_a_failed_copy_did_not_read_runs),
        cmocka_unit_test(what_a_failed_copy_read_in_place_of_data_does_not_run),
        cmocka_unit_test(each_copy_of_a_text_has_the_end_of_its_data),
        cmocka_unit_test(what_may_be_run_or_skipped_behind_a_failed_copy_is_not_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
