/* SPDX-License-Identifier: PostgreSQL */
/* What becomes of schema changes that pass, and what the guard says by more than windows. */
#include "stage/stage.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define POISON       "\"\\\"pgsluice\\\" statement refused by the maintenance window guard\""
#define SYNTAX_ERROR "server: ErrorResponse S:\"ERROR\" V:\"ERROR\" C:\"42601\" M:\"syntax error\" int8:0\n"
#define OTHER_ERROR                                                                                          \
    "server: ErrorResponse S:\"ERROR\" V:\"ERROR\" C:\"22012\" M:\"division by zero\" int8:0\n"
#define REFUSAL  "-> client: ErrorResponse S:\"ERROR\" V:\"ERROR\" C:\"42501\" ...\n"
#define IDLE     "server: ReadyForQuery text:\"I\"\n"
#define OPEN     "server: ReadyForQuery text:\"T\"\n"
#define FAILED   "server: ReadyForQuery text:\"E\"\n"
#define CREATE   "client: Query \"create table a ()\"\nserver: CommandComplete \"CREATE TABLE\"\n"
#define BEGIN    "client: Query \"begin\"\nserver: CommandComplete \"BEGIN\"\n" OPEN
#define COMMIT   "client: Query \"commit\"\nserver: CommandComplete \"COMMIT\"\n" IDLE
#define ROLLBACK "client: Query \"rollback\"\nserver: CommandComplete \"ROLLBACK\"\n" IDLE

static struct stage *stage_begin_open(void)
{
    return stage_begin((struct stage_plan){ .mode = GUARD_ENFORCE, .allow = LEVEL_MODIFYING });
}

/* The newest event of the kind speaks of the changes `first` to `last`. */
static const struct event *assert_told(const struct stage *stage, enum event_kind kind, uint32_t first,
                                       uint32_t last)
{
    const struct event *event = stage_event(stage, kind);
    assert_non_null(event);
    assert_int_equal(event->change, first);
    assert_int_equal(event->change_last, last);
    return event;
}

/* ── How changes end ───────────────────────────────────────────────────────────────────────────────────────
 */

static void a_change_by_itself_is_completed_and_committed(void **state)
{
    (void)state;
    struct stage *stage = stage_begin_open();
    stage_say(stage, "client: Query \"create table a ()\"\n");
    stage->world.now_us += 1500;
    stage_say(stage, "server: CommandComplete \"CREATE TABLE\"\n" IDLE);
    assert_int_equal(stage_event(stage, EVENT_DDL_PASSED)->change, 1);
    assert_int_equal(assert_told(stage, EVENT_DDL_COMPLETED, 1, 1)->duration_us, 1500);
    assert_told(stage, EVENT_DDL_COMMITTED, 1, 1);
    stage_end(stage);
}

static void a_change_that_the_server_refuses_failed_with_its_sqlstate(void **state)
{
    (void)state;
    struct stage *stage = stage_begin_open();
    stage_say(stage, "client: Query \"create table a ()\"\n"
                     "server: ErrorResponse S:\"ERROR\" V:\"ERROR\" C:\"42P07\" M:\"exists\" int8:0\n" IDLE);
    assert_string_equal(assert_told(stage, EVENT_DDL_FAILED, 1, 1)->violation.sqlstate, "42P07");
    assert_int_equal(stage_event_count(stage, EVENT_DDL_COMMITTED), 0);
    assert_int_equal(stage_event_count(stage, EVENT_DDL_COMPLETED), 0);
    stage_end(stage);
}

static void changes_of_a_transaction_are_committed_together(void **state)
{
    (void)state;
    struct stage *stage = stage_begin_open();
    stage_say(stage, BEGIN CREATE OPEN CREATE OPEN);
    assert_int_equal(stage_event_count(stage, EVENT_DDL_COMPLETED), 2);
    assert_int_equal(stage_event_count(stage, EVENT_DDL_COMMITTED), 0);
    stage_say(stage, COMMIT);
    assert_told(stage, EVENT_DDL_COMMITTED, 1, 2);
    stage_say(stage, CREATE IDLE);
    assert_told(stage, EVENT_DDL_COMMITTED, 3, 3);
    stage_end(stage);
}

static void a_rollback_undoes_them(void **state)
{
    (void)state;
    struct stage *stage = stage_begin_open();
    stage_say(stage, BEGIN CREATE OPEN ROLLBACK);
    assert_string_equal(assert_told(stage, EVENT_DDL_UNDONE, 1, 1)->reason, "rolled back");
    assert_int_equal(stage_event_count(stage, EVENT_DDL_COMMITTED), 0);
    stage_end(stage);
}

static void the_commit_of_a_failed_transaction_undoes_them(void **state)
{
    (void)state;
    struct stage *stage = stage_begin_open();
    stage_say(stage,
              BEGIN CREATE OPEN "client: Query \"select 1/0\"\n" OTHER_ERROR FAILED
                                "client: Query \"commit\"\nserver: CommandComplete \"ROLLBACK\"\n" IDLE);
    assert_told(stage, EVENT_DDL_UNDONE, 1, 1);
    stage_end(stage);
}

static void a_savepoint_rolled_back_is_told_with_the_commit(void **state)
{
    (void)state;
    struct stage *stage = stage_begin_open();
    stage_say(stage,
              BEGIN "client: Query \"savepoint s\"\nserver: CommandComplete \"SAVEPOINT\"\n" OPEN CREATE OPEN
                    "client: Query \"rollback to s\"\nserver: CommandComplete \"ROLLBACK\"\n" OPEN COMMIT);
    assert_string_equal(assert_told(stage, EVENT_DDL_COMMITTED, 1, 1)->reason,
                        "some of it may have been rolled back to a savepoint");
    stage_end(stage);
}

static void an_error_behind_a_change_in_its_pipeline_undoes_it(void **state)
{
    (void)state;
    struct stage *stage = stage_begin_open();
    stage_say(stage, "client: Parse \"\" \"create table a ()\" int16:0\n"
                     "client: Bind \"\" \"\" int16:0 int16:0 int16:0\nclient: Execute \"\" int32:0\n"
                     "client: Parse \"\" \"select 1/0\" int16:0\n"
                     "client: Bind \"\" \"\" int16:0 int16:0 int16:0\nclient: Execute \"\" int32:0\n"
                     "client: Sync\n"
                     "server: ParseComplete\nserver: BindComplete\nserver: CommandComplete \"CREATE TABLE\"\n"
                     "server: ParseComplete\nserver: BindComplete\n" OTHER_ERROR IDLE);
    assert_told(stage, EVENT_DDL_COMPLETED, 1, 1);
    assert_told(stage, EVENT_DDL_UNDONE, 1, 1);
    stage_end(stage);
}

static void a_change_behind_an_error_in_its_pipeline_is_not_carried_out(void **state)
{
    (void)state;
    struct stage *stage = stage_begin_open();
    stage_say(stage, "client: Parse \"\" \"select 1/0\" int16:0\n"
                     "client: Bind \"\" \"\" int16:0 int16:0 int16:0\nclient: Execute \"\" int32:0\n"
                     "client: Parse \"\" \"create table a ()\" int16:0\n"
                     "client: Bind \"\" \"\" int16:0 int16:0 int16:0\nclient: Execute \"\" int32:0\n"
                     "client: Sync\n"
                     "server: ParseComplete\nserver: BindComplete\n" OTHER_ERROR IDLE);
    assert_string_equal(assert_told(stage, EVENT_DDL_FAILED, 1, 1)->reason,
                        "an earlier statement of its pipeline failed");
    stage_say(stage, CREATE IDLE);
    assert_told(stage, EVENT_DDL_COMMITTED, 2, 2);
    stage_end(stage);
}

static void each_sync_of_a_pipeline_ends_its_own_changes(void **state)
{
    (void)state;
    struct stage *stage = stage_begin_open();
    stage_say(stage, "client: Query \"create table a ()\"\nclient: Query \"create table b ()\"\n"
                     "server: CommandComplete \"CREATE TABLE\"\n" IDLE);
    assert_told(stage, EVENT_DDL_COMMITTED, 1, 1);
    stage_say(stage, "server: CommandComplete \"CREATE TABLE\"\n" IDLE);
    assert_told(stage, EVENT_DDL_COMMITTED, 2, 2);
    stage_end(stage);
}

static void a_connection_that_ends_leaves_no_change_untold(void **state)
{
    (void)state;
    struct stage *stage = stage_begin_open();
    stage_say(stage, BEGIN CREATE OPEN "client: Query \"create table b ()\"\n");
    stage_hang_up(stage);
    assert_int_equal(stage_event_count(stage, EVENT_DDL_FAILED), 1);
    assert_int_equal(stage_event(stage, EVENT_DDL_FAILED)->change, 2);
    assert_told(stage, EVENT_DDL_UNDONE, 1, 1);
    stage_end(stage);
}

/* ── The edge of the window ────────────────────────────────────────────────────────────────────────────────
 */

static void set_edge(struct stage *stage, bool lets_finish)
{
    struct policy_plan plan = stage_policy_plan(stage, GUARD_ENFORCE, LEVEL_MODIFYING);
    plan.lets_transactions_finish = lets_finish;
    stage_set_policy(stage, &plan);
}

static void close_the_window(struct stage *stage)
{
    stage->world.now_us += INT64_C(120) * 1000000;
}

static void a_transaction_may_finish_behind_its_window_where_it_is_let(void **state)
{
    (void)state;
    struct stage *stage = stage_begin_open();
    set_edge(stage, true);
    stage_say(stage, BEGIN CREATE OPEN "= passed\n");
    close_the_window(stage);
    stage_say(stage, CREATE OPEN "= passed\n");
    assert_string_equal(stage_event(stage, EVENT_DDL_PASSED)->ground, "transaction");
    stage_say(stage, COMMIT "= passed\n");
    assert_int_equal(stage_event(stage, EVENT_DDL_OUTLIVED)->duration_us, INT64_C(60) * 1000000);
    assert_string_equal(stage_event(stage, EVENT_DDL_OUTLIVED)->window, "stage");
    assert_int_equal(stage->counters.ddl_outlived, 1);
    stage_say(stage, "client: Query \"create table b ()\"\n-> server: Query " POISON
                     "\n" SYNTAX_ERROR REFUSAL IDLE "= passed\n");
    stage_end(stage);
}

static void its_further_changes_are_refused_otherwise_and_it_may_still_commit(void **state)
{
    (void)state;
    struct stage *stage = stage_begin_open();
    set_edge(stage, false);
    stage_say(stage, BEGIN CREATE OPEN "= passed\n");
    close_the_window(stage);
    stage_say(stage, COMMIT "= passed\n");
    assert_int_equal(stage_event_count(stage, EVENT_DDL_OUTLIVED), 1);
    stage_say(stage, "client: Query \"create table b ()\"\n-> server: Query " POISON
                     "\n" SYNTAX_ERROR REFUSAL IDLE "= passed\n");
    stage_end(stage);
}

static void a_window_outlived_is_told_of_once_when_a_lost_session_ends(void **state)
{
    (void)state;
    struct stage *stage = stage_begin_open();
    stage_say(stage, BEGIN CREATE OPEN
              "client: Query \"create table b (); savepoint s; select 1/0\"\n"
              "server: CommandComplete \"CREATE TABLE\"\nserver: CommandComplete \"SAVEPOINT\"\n"
              "server: ErrorResponse S:\"ERROR\" V:\"ERROR\" C:\"22012\" M:\"division by zero\" int8:0\n"
              "server: BindComplete\n");
    close_the_window(stage);
    stage_hang_up(stage);
    assert_int_equal(stage_event_count(stage, EVENT_DDL_UNKNOWN), 2);
    assert_int_equal(stage->counters.ddl_outlived, 1);
    stage_end(stage);
}

/* ── One change at a time ──────────────────────────────────────────────────────────────────────────────────
 */

static void set_turns(struct stage *stage, int64_t rest_us)
{
    struct policy_plan plan = stage_policy_plan(stage, GUARD_ENFORCE, LEVEL_MODIFYING);
    plan.has_turns = true;
    plan.rest_us = rest_us;
    stage_set_policy(stage, &plan);
}

/* Another session asks for its turn. */
static bool may_another_enter(struct stage *stage)
{
    struct turnstile_holder holder;
    struct turnstile_claim claim = { .session = 77,
                                     .upstream = bytes_text("main"),
                                     .database = bytes_text("shop"),
                                     .service = bytes_text("other"),
                                     .user = bytes_text("other") };
    bool may = turnstile_enter(stage->turnstile, &claim, stage->world.now_us, &holder);
    if (may)
        turnstile_leave(stage->turnstile, 77, stage->world.now_us, 0);
    return may;
}

static void a_transaction_with_changes_keeps_others_out_until_it_ends(void **state)
{
    (void)state;
    struct stage *stage = stage_begin_open();
    set_turns(stage, 0);
    assert_true(may_another_enter(stage));
    stage_say(stage, BEGIN CREATE OPEN);
    assert_false(may_another_enter(stage));
    stage_say(stage, COMMIT);
    assert_true(may_another_enter(stage));
    stage_end(stage);
}

static void a_change_still_in_flight_keeps_its_turn(void **state)
{
    (void)state;
    struct stage *stage = stage_begin_open();
    set_turns(stage, 0);
    stage_say(stage, "client: Query \"create table a ()\"\nclient: Query \"create table b ()\"\n"
                     "server: CommandComplete \"CREATE TABLE\"\n" IDLE);
    assert_false(may_another_enter(stage));
    stage_say(stage, "server: CommandComplete \"CREATE TABLE\"\n" IDLE);
    assert_true(may_another_enter(stage));
    stage_end(stage);
}

static void others_wait_for_the_rest_behind_what_lasts(void **state)
{
    (void)state;
    struct stage *stage = stage_begin_open();
    set_turns(stage, 1000);
    stage_say(stage, BEGIN CREATE OPEN ROLLBACK);
    assert_true(may_another_enter(stage));
    stage_say(stage, CREATE IDLE);
    assert_false(may_another_enter(stage));
    stage->world.now_us += 1000;
    assert_true(may_another_enter(stage));
    stage_end(stage);
}

static void a_change_out_of_turn_is_refused(void **state)
{
    struct turnstile_holder holder;
    (void)state;
    struct stage *stage = stage_begin_open();
    set_turns(stage, 0);
    struct turnstile_claim claim = { .session = 77,
                                     .upstream = bytes_text("main"),
                                     .database = bytes_text("shop") };
    assert_true(turnstile_enter(stage->turnstile, &claim, stage->world.now_us, &holder));
    stage_say(stage, "client: Query \"create table b ()\"\n-> server: Query " POISON
                     "\n" SYNTAX_ERROR REFUSAL IDLE "= passed\n");
    assert_string_equal(stage_event(stage, EVENT_DDL_REFUSED)->ground, "taken");
    stage_end(stage);
}

static void a_connection_that_ends_gives_its_turn_back(void **state)
{
    (void)state;
    struct stage *stage = stage_begin_open();
    set_turns(stage, 1000);
    stage_say(stage, BEGIN CREATE OPEN);
    stage_hang_up(stage);
    assert_true(may_another_enter(stage));
    stage_end(stage);
}

/* ── Read-only orders ──────────────────────────────────────────────────────────────────────────────────────
 */

static void set_readonly(struct stage *stage, enum guard_mode mode)
{
    struct readonly_order order = { .from_us = 0, .until_us = INT64_MAX, .reason = "cut-over" };
    struct policy_plan plan = stage_policy_plan(stage, mode, LEVEL_MODIFYING);
    plan.readonly_sqlstate = "25006";
    plan.orders = &order;
    plan.order_count = 1;
    stage_set_policy(stage, &plan);
}

static void a_read_only_order_refuses_writes_in_every_mode(void **state)
{
    static const enum guard_mode modes[] = { GUARD_ENFORCE, GUARD_OBSERVE, GUARD_OFF };
    (void)state;
    for (size_t index = 0; index < COUNT_OF(modes); index++) {
        struct stage *stage = stage_begin_open();
        set_readonly(stage, modes[index]);
        stage_say(stage,
                  "client: Query \"insert into item values (1)\"\n-> server: Query " POISON "\n" SYNTAX_ERROR
                  "-> client: ErrorResponse S:\"ERROR\" V:\"ERROR\" C:\"25006\" ...\n" IDLE
                  "client: Query \"select 1\"\nserver: CommandComplete \"SELECT 1\"\n" IDLE "= passed\n");
        assert_int_equal(stage_event_count(stage, EVENT_STATEMENT_REFUSED), 1);
        assert_int_equal(stage->counters.statements_refused, 1);
        stage_end(stage);
    }
}

static void a_write_may_be_prepared_and_is_refused_when_it_is_to_run(void **state)
{
    (void)state;
    struct stage *stage = stage_begin_open();
    set_readonly(stage, GUARD_ENFORCE);
    stage_say(stage, "client: Parse \"w\" \"insert into item values (1)\" int16:0\nclient: Sync\n"
                     "server: ParseComplete\n" IDLE "= passed\n"
                     "client: Bind \"\" \"w\" int16:0 int16:0 int16:0\n"
                     "-> server: Parse \"__pgsluice_refused\" " POISON " int16:0\n"
                     "client: Execute \"\" int32:0\nclient: Sync\n= passed\n" SYNTAX_ERROR
                     "-> client: ErrorResponse S:\"ERROR\" V:\"ERROR\" C:\"25006\" ...\n" IDLE "= passed\n");
    stage_end(stage);
}

static void an_sql_execute_of_a_write_is_refused(void **state)
{
    (void)state;
    struct stage *stage = stage_begin_open();
    stage_say(stage, "client: Query \"prepare w as insert into item values (1)\"\nserver: CommandComplete "
                     "\"PREPARE\"\n" IDLE "= passed\n");
    set_readonly(stage, GUARD_ENFORCE);
    stage_say(stage, "client: Query \"execute w\"\n-> server: Query " POISON "\n" SYNTAX_ERROR
                     "-> client: ErrorResponse S:\"ERROR\" V:\"ERROR\" C:\"25006\" ...\n" IDLE "= passed\n");
    stage_end(stage);
}

static void an_sql_execute_of_an_unknown_name_is_refused_as_it_may_write(void **state)
{
    (void)state;
    struct stage *stage = stage_begin_open();
    set_readonly(stage, GUARD_ENFORCE);
    stage_say(stage, "client: Query \"execute nobody_knows\"\n-> server: Query " POISON "\n" SYNTAX_ERROR
                     "-> client: ErrorResponse S:\"ERROR\" V:\"ERROR\" C:\"25006\" ...\n" IDLE "= passed\n");
    stage_end(stage);
}

static void a_function_call_is_refused_as_it_may_write(void **state)
{
    (void)state;
    struct stage *stage = stage_begin_open();
    set_readonly(stage, GUARD_ENFORCE);
    stage_say(stage, "client: FunctionCall int32:1 int16:0 int16:0 int16:0\n-> server: Query " POISON
                     "\n" SYNTAX_ERROR
                     "-> client: ErrorResponse S:\"ERROR\" V:\"ERROR\" C:\"25006\" ...\n" IDLE "= passed\n");
    stage_end(stage);
}

/* ── What would be refused ─────────────────────────────────────────────────────────────────────────────────
 */

static void what_would_be_refused_is_counted_though_nobody_listens(void **state)
{
    const struct docket_entry *top;
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_OBSERVE, .allow = LEVEL_NONE });
    for (size_t index = 0; index < 50; index++)
        stage_say(stage, CREATE IDLE "= passed\n");
    assert_int_equal(docket_top(&stage->docket, &top, 1), 1);
    assert_int_equal(top->entry.count, 50);
    assert_string_equal(top->command, "CREATE TABLE");
    assert_string_equal(top->ground, "closed");
    stage_end(stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_by_itself_is_completed_and_committed),
        cmocka_unit_test(a_change_that_the_server_refuses_failed_with_its_sqlstate),
        cmocka_unit_test(changes_of_a_transaction_are_committed_together),
        cmocka_unit_test(a_rollback_undoes_them),
        cmocka_unit_test(the_commit_of_a_failed_transaction_undoes_them),
        cmocka_unit_test(a_savepoint_rolled_back_is_told_with_the_commit),
        cmocka_unit_test(an_error_behind_a_change_in_its_pipeline_undoes_it),
        cmocka_unit_test(a_change_behind_an_error_in_its_pipeline_is_not_carried_out),
        cmocka_unit_test(each_sync_of_a_pipeline_ends_its_own_changes),
        cmocka_unit_test(a_connection_that_ends_leaves_no_change_untold),
        cmocka_unit_test(a_transaction_may_finish_behind_its_window_where_it_is_let),
        cmocka_unit_test(its_further_changes_are_refused_otherwise_and_it_may_still_commit),
        cmocka_unit_test(a_window_outlived_is_told_of_once_when_a_lost_session_ends),
        cmocka_unit_test(a_transaction_with_changes_keeps_others_out_until_it_ends),
        cmocka_unit_test(a_change_still_in_flight_keeps_its_turn),
        cmocka_unit_test(others_wait_for_the_rest_behind_what_lasts),
        cmocka_unit_test(a_change_out_of_turn_is_refused),
        cmocka_unit_test(a_connection_that_ends_gives_its_turn_back),
        cmocka_unit_test(a_read_only_order_refuses_writes_in_every_mode),
        cmocka_unit_test(a_write_may_be_prepared_and_is_refused_when_it_is_to_run),
        cmocka_unit_test(an_sql_execute_of_a_write_is_refused),
        cmocka_unit_test(an_sql_execute_of_an_unknown_name_is_refused_as_it_may_write),
        cmocka_unit_test(a_function_call_is_refused_as_it_may_write),
        cmocka_unit_test(what_would_be_refused_is_counted_though_nobody_listens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
