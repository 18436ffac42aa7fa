/* SPDX-License-Identifier: PostgreSQL */
/* How the changes of texts, pipelines and chained transactions end: what the server may answer, and what is
 * told of it. */
#include "stage/stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

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

static void assert_ends_unfollowed(enum guard_mode mode, const char *script, const char *expected)
{
    struct stage *stage = stage_begin((struct stage_plan){ .mode = mode, .allow = LEVEL_ADDITIVE });
    char ends[128] = "";
    stage_say(stage, script);
    assert_int_equal(counter_read(&stage->counters.unfollowed), 1);
    stage_hang_up(stage);
    ends_of(stage, ends, sizeof(ends));
    assert_string_equal(ends, expected);
    stage_end(stage);
}

static void what_may_be_run_or_skipped_behind_a_failed_copy_is_not_followed(void **state)
{
    (void)state;
    static const struct {
        const char *script;
        const char *observed;
        const char *enforced;
    } cases[] = {
        { COPY SYNC PIPED("create table a ()") SYNC COPIES CANCELED, "?1 ", "?1 " },
        { COPY SYNC DATA PIPED("create table a ()") SYNC COPIES CANCELED, "?1 ", "?1 " },
        { COPY SYNC COPIES CANCELED CREATE_SENT, "?1 ", "f1 " /* it stays here */ },
        { COPY SYNC COPIES CANCELED PIPED("create table a ()"), "" /* passed on unread */, "" /* closed */ },
    };
    for (size_t index = 0; index < COUNT_OF(cases); index++) {
        assert_ends_unfollowed(GUARD_OBSERVE, cases[index].script, cases[index].observed);
        assert_ends_unfollowed(GUARD_ENFORCE, cases[index].script, cases[index].enforced);
    }
}

static void a_doubt_ends_with_what_is_answered_behind_it(void **state)
{
    (void)state;
    assert_ends(COPY SYNC DATA SYNC COPIES CANCELED IDLE QUERY("select 1") DONE("SELECT 1")
                    IDLE QUERY("select 2") IDLE,
                "");
}

static void what_was_open_or_in_flight_when_a_session_is_lost_is_not_known(void **state)
{
    (void)state;
    static const enum guard_mode modes[] = { GUARD_OBSERVE, GUARD_ENFORCE };
    for (size_t index = 0; index < COUNT_OF(modes); index++) {
        assert_ends_unfollowed(modes[index], BEGIN CREATE OPEN CREATE_SENT "server: BindComplete\n",
                               "?1 ?2 ");
        assert_ends_unfollowed(modes[index],
                               BEGIN QUERY("create table a (); savepoint s; select 1/0")
                                   QUERY("create table a ()") DONE("CREATE TABLE") DONE("SAVEPOINT") ERROR
                               "server: BindComplete\n",
                               "?1 ?2 ");
    }
}

static void each_change_ends_once_when_the_connection_does(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_ENFORCE, .allow = LEVEL_ADDITIVE });
    char ends[128] = "";
    stage_say(stage, BEGIN CREATE OPEN CREATE OPEN CREATE_SENT);
    stage_hang_up(stage);
    ends_of(stage, ends, sizeof(ends));
    assert_string_equal(ends, "u1 f3 ");
    stage_end(stage);
}

/* The text is long enough to flow on while it is read; its end is what the server would run it by. */
static void a_long_text_that_ends_the_session_does_not_reach_the_server_whole(void **state)
{
    (void)state;
    static char text[20000];
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_ENFORCE, .allow = LEVEL_ADDITIVE });
    stage_say(stage, COPY SYNC COPIES CANCELED "= passed\n");
    struct buffer *sent = &stage->out[SIDE_SERVER];
    size_t before = sent->size;
    memset(text, ' ', sizeof(text));
    memcpy(text,
           "Q\0\0\x4e\x1f"
           "create table a ()",
           22);
    text[sizeof(text) - 1] = '\0';
    stage_feed(stage, SIDE_CLIENT, bytes_of(text, sizeof(text) / 2));
    stage_feed(stage, SIDE_CLIENT, bytes_of(text + sizeof(text) / 2, sizeof(text) - sizeof(text) / 2));
    assert_int_equal(counter_read(&stage->counters.unfollowed), 1);
    assert_true(stage->is_closed);
    assert_int_equal(sent->size - before, sizeof(text) / 2);
    stage_end(stage);
}

#define CLOSED "-> client: ErrorResponse S:\"FATAL\" V:\"FATAL\" C:\"08P01\" ...\n"

static void assert_closed(struct stage *stage, const char *script)
{
    stage_say(stage, script);
    assert_true(stage->is_closed);
    assert_int_equal(counter_read(&stage->counters.unfollowed), 1);
    assert_int_equal(stage_event_count(stage, EVENT_DDL_PASSED), 0);
    stage_end(stage);
}

static struct stage *stage_of_version(const char *version)
{
    char script[128];
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_ENFORCE, .allow = LEVEL_ADDITIVE });
    (void)snprintf(script, sizeof(script), "server: ParameterStatus \"server_version\" \"%s\"\n= passed\n",
                   version);
    stage_say(stage, script);
    return stage;
}

/* A server of up to 13 says that it read what is no COPY data, and goes on with what is behind. */
static void what_is_sent_behind_terminate_goes_nowhere(void **state)
{
    static const char *const versions[] = { "13.23", "15.4" };
    (void)state;
    for (size_t index = 0; index < COUNT_OF(versions); index++) {
        struct stage *stage = stage_of_version(versions[index]);
        stage_say(stage, BY_QUERY "client: Terminate\n= passed\n" CREATE_SENT SYNC LINE);
        assert_int_equal(stage->out[SIDE_SERVER].size, 0);
        buffer_clear(&stage->sent[SIDE_CLIENT]);
        stage_say(stage, READS UNEXPECTED IDLE "= passed\n");
        assert_int_equal(stage_event_count(stage, EVENT_DDL_PASSED), 0);
        assert_int_equal(counter_read(&stage->counters.unfollowed), 0);
        stage_end(stage);
    }
}

static void a_password_or_request_in_place_of_data_ends_the_session(void **state)
{
    (void)state;
    assert_closed(stage_of_version("15.4"), BY_QUERY "= passed\nclient: PasswordMessage \"x\"\n" CLOSED);
    assert_closed(stage_of_version("13.23"), BY_QUERY READS "= passed\n" PIPED("select 1") CLOSED);
}

/* PostgreSQL 18 says so of a Query in a pipeline that a Sync ends later; the next Query may undo all of it.
 */
static void a_transaction_that_is_over_without_an_answer_that_ended_it_leaves_a_doubt(void **state)
{
    (void)state;
    assert_ends(PIPED("create table a ()") PIPED("select 1") QUERY("select 2") SYNC BOUND DONE("CREATE TABLE")
                    BOUND DONE("SELECT 1") DONE("SELECT 1") OPEN IDLE,
                "?1 ");
    assert_ends(BEGIN CREATE OPEN QUERY("commit; create table b ()") DONE("COMMIT") DONE("CREATE TABLE") IDLE,
                "c1 c2 ");
    assert_ends(BEGIN PIPED("commit") BOUND DONE("COMMIT") PIPED("create table a ()")
                    SYNC BOUND DONE("CREATE TABLE") IDLE,
                "c1 ");
}

static void assert_held(const char *script, const char *behind)
{
    struct stage *stage = stage_of_version("13.23");
    stage_say(stage, script);
    assert_false(stage->is_holding);
    stage_feed(stage, SIDE_CLIENT, bytes_of("Q\0\0\0\x0bselect\0", 12));
    assert_true(stage->is_holding);
    assert_int_equal(stage->out[SIDE_SERVER].size, 0);
    buffer_clear(&stage->sent[SIDE_CLIENT]);
    stage_say(stage, behind);
    assert_false(session_is_holding(stage->session));
    stage_say(stage, QUERY("select 1") "= passed\n");
    stage_end(stage);
}

static void what_an_old_server_may_read_in_place_of_data_waits(void **state)
{
    (void)state;
    assert_held(BY_QUERY "= passed\n", CANCELED IDLE);
    assert_held(BY_QUERY READS DATA SYNC "= passed\n", DONE("COPY 1") IDLE IDLE "= passed\n");
    struct stage *stage = stage_of_version("13.23");
    stage_say(stage, QUERY("select 1") QUERY("select 2") "= passed\n");
    stage_end(stage);
    stage = stage_of_version("14.23");
    stage_say(stage, BY_QUERY QUERY("select 2") "= passed\n");
    stage_end(stage);
}

/* Its owner must read on. */
static void a_session_that_is_lost_while_a_request_waits_holds_nothing(void **state)
{
    (void)state;
    struct stage *stage = stage_of_version("13.23");
    stage_set_gate(stage, GUARD_OBSERVE, LEVEL_NONE);
    stage_say(stage, BY_QUERY "= passed\n");
    assert_true(session_is_holding(stage->session));
    stage_say(stage, "server: BindComplete\n= passed\n");
    assert_int_equal(counter_read(&stage->counters.unfollowed), 1);
    assert_false(session_is_holding(stage->session));
    stage_end(stage);
}

static void terminate_passes_whole_however_it_is_cut(void **state)
{
    (void)state;
    struct stage *stage = stage_of_version("15.4");
    stage_feed(stage, SIDE_CLIENT,
               bytes_of("X\0\0\0\x06"
                        "a",
                        6));
    stage_feed(stage, SIDE_CLIENT, bytes_of("bQ\0", 3));
    assert_int_equal(stage->out[SIDE_SERVER].size, 7);
    stage_end(stage);
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
        cmocka_unit_test(a_doubt_ends_with_what_is_answered_behind_it),
        cmocka_unit_test(what_was_open_or_in_flight_when_a_session_is_lost_is_not_known),
        cmocka_unit_test(each_change_ends_once_when_the_connection_does),
        cmocka_unit_test(a_long_text_that_ends_the_session_does_not_reach_the_server_whole),
        cmocka_unit_test(what_is_sent_behind_terminate_goes_nowhere),
        cmocka_unit_test(a_password_or_request_in_place_of_data_ends_the_session),
        cmocka_unit_test(a_transaction_that_is_over_without_an_answer_that_ended_it_leaves_a_doubt),
        cmocka_unit_test(what_an_old_server_may_read_in_place_of_data_waits),
        cmocka_unit_test(a_session_that_is_lost_while_a_request_waits_holds_nothing),
        cmocka_unit_test(terminate_passes_whole_however_it_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
