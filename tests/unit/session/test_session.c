/* SPDX-License-Identifier: PostgreSQL */
/* Conversations through the session: those of tests/vectors, cut in every way, and those that need a word in
 * between. */
#include "stage/stage.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* ── The vectors ───────────────────────────────────────────────────────────────────────────────────────────
 */

static void play_cut(const struct vector *vector, const char *path, const struct stage_cuts *cuts)
{
    struct stage *stage = stage_open((struct stage_plan){ .mode = GUARD_ENFORCE, .allow = LEVEL_NONE });
    stage_play(stage, vector, cuts, path);
    stage_end(stage);
}

static void play_every_pair(const struct vector *vector, const char *path)
{
    for (size_t step = 0; step < vector->count; step++) {
        size_t size = vector->steps[step].bytes.size;
        if (vector->steps[step].kind != VECTOR_SENDS || size > 200)
            continue;
        for (size_t first = 0; first <= size; first++)
            for (size_t second = first; second <= size; second += 1 + size / 40)
                play_cut(vector, path, &(struct stage_cuts){ CUT_PAIR, step, first, second });
    }
}

static void every_conversation_goes_as_it_says_however_it_is_cut(void **state)
{
    glob_t found;
    (void)state;
    assert_int_equal(glob(TESTS_FOLDER "/vectors/*.wire", 0, NULL, &found), 0);
    assert_true(found.gl_pathc >= 15);
    for (size_t index = 0; index < found.gl_pathc; index++) {
        struct vector *vector = malloc(sizeof(*vector));
        struct problems *problems = malloc(sizeof(*problems));
        assert_non_null(vector);
        assert_non_null(problems);
        problems_init(problems);
        assert_true(vector_load(vector, found.gl_pathv[index], problems));
        play_cut(vector, found.gl_pathv[index], &(struct stage_cuts){ .cut = CUT_STEPS });
        play_cut(vector, found.gl_pathv[index], &(struct stage_cuts){ .cut = CUT_MERGED });
        play_cut(vector, found.gl_pathv[index], &(struct stage_cuts){ .cut = CUT_BYTES });
        play_every_pair(vector, found.gl_pathv[index]);
        vector_release(vector);
        free(vector);
        free(problems);
    }
    globfree(&found);
}

/* ── What needs a word in between ──────────────────────────────────────────────────────────────────────────
 */

#define POISON       "\"\\\"pgsluice\\\" statement refused by the maintenance window guard\""
#define SYNTAX_ERROR "server: ErrorResponse S:\"ERROR\" V:\"ERROR\" C:\"42601\" M:\"syntax error\" int8:0\n"
#define REFUSAL      "-> client: ErrorResponse S:\"ERROR\" V:\"ERROR\" C:\"42501\" ...\n"
#define READY        "server: ReadyForQuery text:\"I\"\n"

/* The violation the ledger saw most often. */
static const struct violation *top_violation(const struct stage *stage)
{
    const struct ledger_entry *top;
    assert_int_equal(ledger_top(&stage->world.harvest->violations, &top, 1), 1);
    return &top->violation;
}

static void a_statement_prepared_in_the_window_is_refused_at_bind_after_it(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_ENFORCE, .allow = LEVEL_MODIFYING });
    stage_say(stage, "client: Parse \"ddl\" \"drop table item\" int16:0\nclient: Sync\n"
                     "server: ParseComplete\n" READY "= passed\n");
    stage_set_gate(stage, GUARD_ENFORCE, LEVEL_NONE);
    stage_say(stage, "client: Bind \"\" \"ddl\" int16:0 int16:0 int16:0\n"
                     "-> server: Parse \"__pgsluice_refused\" " POISON " int16:0\n"
                     "client: Execute \"\" int32:0\nclient: Sync\n= passed\n" SYNTAX_ERROR REFUSAL READY
                     "= passed\n");
    stage_set_gate(stage, GUARD_ENFORCE, LEVEL_MODIFYING);
    stage_say(
        stage,
        "client: Bind \"\" \"ddl\" int16:0 int16:0 int16:0\nclient: Execute \"\" int32:0\nclient: Sync\n"
        "server: BindComplete\nserver: CommandComplete \"DROP TABLE\"\n" READY "= passed\n");
    assert_int_equal(stage_event_count(stage, EVENT_DDL_REFUSED), 1);
    assert_int_equal(stage_event_count(stage, EVENT_DDL_PASSED), 1);
    stage_end(stage);
}

static void a_portal_bound_in_the_window_is_refused_at_execute_after_it(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_ENFORCE, .allow = LEVEL_MODIFYING });
    stage_say(
        stage,
        "client: Parse \"\" \"drop table item\" int16:0\nclient: Bind \"p\" \"\" int16:0 int16:0 int16:0\n"
        "client: Flush\nserver: ParseComplete\nserver: BindComplete\n= passed\n");
    stage_set_gate(stage, GUARD_ENFORCE, LEVEL_ADDITIVE);
    stage_say(stage,
              "client: Execute \"p\" int32:0\n-> server: Parse \"__pgsluice_refused\" " POISON " int16:0\n"
              "client: Sync\n= passed\n" SYNTAX_ERROR REFUSAL READY "= passed\n");
    stage_end(stage);
}

static void an_sql_execute_of_a_prepared_change_is_refused(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_ENFORCE, .allow = LEVEL_MODIFYING });
    stage_say(
        stage,
        "client: Parse \"ddl\" \"drop table item\" int16:0\nclient: Sync\n"
        "server: ParseComplete\n" READY "= passed\n"
        "client: Query \"prepare late as select 1 into kept\"\nserver: CommandComplete \"PREPARE\"\n" READY
        "= passed\n");
    stage_set_gate(stage, GUARD_ENFORCE, LEVEL_NONE);
    stage_say(stage, "client: Query \"execute ddl\"\n-> server: Query " POISON "\n" SYNTAX_ERROR REFUSAL READY
                     "-> client: ReadyForQuery text:\"I\"\n"
                     "client: Query \"EXECUTE late\"\n-> server: Query " POISON
                     "\n" SYNTAX_ERROR REFUSAL READY "-> client: ReadyForQuery text:\"I\"\n"
                     "client: Query \"execute unheard_of\"\n= passed\n");
    stage_end(stage);
}

static void assert_refused_after(const char *while_open, const char *once_closed)
{
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_ENFORCE, .allow = LEVEL_MODIFYING });
    stage_say(stage, while_open);
    stage_set_gate(stage, GUARD_ENFORCE, LEVEL_NONE);
    stage_say(stage, once_closed);
    assert_int_equal(stage_event_count(stage, EVENT_DDL_REFUSED), 1);
    stage_end(stage);
}

#define BIND(portal, statement) "client: Bind \"" portal "\" \"" statement "\" int16:0 int16:0 int16:0\n"
#define POISONED                "-> server: Parse \"__pgsluice_refused\" " POISON " int16:0\n"

static void a_name_keeps_its_meaning_when_what_binds_it_again_may_fail(void **state)
{
    (void)state;
    assert_refused_after("client: Parse \"s\" \"drop table item\" int16:0\nclient: Sync\n"
                         "server: ParseComplete\n" READY "= passed\n",
                         "client: Parse \"s\" \"select 1\" int16:0\nclient: Sync\n= passed\n" BIND("", "s")
                             POISONED);
    assert_refused_after("client: Parse \"\" \"drop table item\" int16:0\nclient: Sync\n"
                         "server: ParseComplete\n" READY "= passed\n",
                         "client: Describe S:\"x\"\nclient: Parse \"\" \"select 1\" int16:0\nclient: Sync\n"
                         "= passed\n" BIND("", "") POISONED);
    assert_refused_after("client: Parse \"s\" \"drop table item\" int16:0\n= passed\n",
                         "client: Parse \"s\" \"select 1\" int16:0\nclient: Sync\n= passed\n" BIND("", "s")
                             POISONED);
    assert_refused_after(
        "client: Parse \"\" \"drop table item\" int16:0\n" BIND(
            "p", "") "client: Sync\n"
                     "server: ParseComplete\nserver: BindComplete\nserver: ReadyForQuery text:\"T\"\n"
                     "= passed\n",
        "client: Parse \"\" \"select 1\" int16:0\n" BIND(
            "p", "") "client: Sync\nclient: Query \"rollback to a\"\n= passed\n"
                     "client: Execute \"p\" int32:0\n" POISONED);
}

#define OLD "server: ParameterStatus \"server_version\" \"13.23\"\n"

static void assert_bound_anew(const char *version, const char *text)
{
    char script[512];
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_ENFORCE, .allow = LEVEL_MODIFYING });
    stage_say(stage, version);
    stage_say(stage, "client: Parse \"\" \"drop table item\" int16:0\nclient: Sync\n"
                     "server: ParseComplete\n" READY "= passed\n");
    stage_set_gate(stage, GUARD_ENFORCE, LEVEL_NONE);
    (void)snprintf(script, sizeof(script),
                   "%sclient: Parse \"\" \"select 1\" int16:0\n" BIND(
                       "", "") "client: Execute \"\" int32:0\nclient: Sync\n= passed\n",
                   text);
    stage_say(stage, script);
    assert_int_equal(stage_event_count(stage, EVENT_DDL_REFUSED), 0);
    stage_end(stage);
}

static void a_name_bound_again_in_the_same_segment_has_its_new_meaning(void **state)
{
    (void)state;
    assert_bound_anew(OLD, "");
    assert_bound_anew(OLD, "client: Query \"begin\"\n");
    assert_bound_anew("server: ParameterStatus \"server_version\" \"14.23\"\n",
                      "client: Query \"copy t from stdin\"\n");
}

static void the_unnamed_statement_outlives_deallocate_all(void **state)
{
    (void)state;
    assert_refused_after(
        "client: Parse \"\" \"drop table item\" int16:0\n"
        "client: Parse \"all\" \"deallocate all\" int16:0\n" BIND(
            "p", "all") "client: Execute \"p\" int32:0\nclient: Sync\n"
                        "server: ParseComplete\nserver: ParseComplete\nserver: BindComplete\n"
                        "server: CommandComplete \"DEALLOCATE ALL\"\n" READY "= passed\n",
        BIND("", "") POISONED);
}

static void a_name_that_the_server_may_read_otherwise_stands_for_every_change(void **state)
{
    static const char sixty[] =
        "client: Parse \"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn\" "
        "\"drop table item\" int16:0\nserver: ParseComplete\n= passed\n";
    (void)state;
    assert_refused_after("client: Parse \"\\xc3\\xa9\" \"drop table item\" int16:0\nserver: ParseComplete\n"
                         "= passed\n",
                         "client: Query \"execute \\xe9\"\n-> server: Query " POISON "\n");
    assert_refused_after(
        sixty, "client: Query \"execute nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
               "\\xc3\\xa9\"\n-> server: Query " POISON "\n");
    assert_refused_after("client: Parse \"\\xc3\\xa9\" \"drop table item\" int16:0\n"
                         "client: Parse \"\\xc3\\xa9\" \"select 1\" int16:0\nclient: Sync\n"
                         "server: ParseComplete\nserver: ParseComplete\n" READY "= passed\n",
                         BIND("", "\\xc3\\xa9") POISONED);
}

#define HIDDEN "client: Query \"select E'\\x95\\\\'; drop table item; --'\"\n"

static void an_encoding_changed_ahead_of_a_text_hides_nothing(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_ENFORCE });
    stage_say(stage, HIDDEN "server: CommandComplete \"SELECT 1\"\n" READY "= passed\n"
                            "client: Query \"set client_encoding = sjis\"\n= passed\n" HIDDEN
                            "-> server: Query " POISON "\n");
    stage_end(stage);
    stage = stage_begin((struct stage_plan){ .mode = GUARD_ENFORCE });
    stage_say(stage, "client: Parse \"\" \"set client_encoding = sjis\" int16:0\n" BIND(
                         "", "") "client: Execute \"\" int32:0\nclient: Flush\nserver: ParseComplete\n"
                                 "server: BindComplete\nserver: CommandComplete \"SET\"\n= passed\n" HIDDEN
                                 "-> server: Query " POISON "\n");
    stage_end(stage);
}

static void a_text_behind_others_may_hold_any_characters(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_ENFORCE });
    stage_say(stage, "client: Query \"select 1\"\n"
                     "client: Query \"select E'\\xc3\\xa9\\\\n', '{\\xc3\\xa9; drop'\"\n"
                     "client: Query \"insert into t values ('\\xe6\\x97\\xa5|', 'create')\"\n= passed\n");
    stage_end(stage);
}

static void observing_changes_no_byte_and_tells_what_it_would_refuse(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_OBSERVE, .allow = LEVEL_NONE });
    stage_say(stage,
              "client: Query \"drop table item\"\nserver: CommandComplete \"DROP TABLE\"\n" READY "= passed\n"
              "client: Parse \"\" \"create table t (a int)\" int16:0\n"
              "client: Bind \"\" \"\" int16:0 int16:0 int16:0\nclient: Execute \"\" int32:0\nclient: Sync\n"
              "server: ParseComplete\nserver: BindComplete\nserver: CommandComplete \"CREATE TABLE\"\n" READY
              "= passed\n");
    assert_int_equal(stage_event_count(stage, EVENT_DDL_WOULD_REFUSE), 2);
    assert_int_equal(counter_read(&stage->counters.ddl_would_refuse), 2);
    stage_end(stage);
}

static void a_change_that_was_not_seen_going_in_raises_an_alarm(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_ENFORCE, .allow = LEVEL_NONE });
    stage_say(
        stage,
        "client: Query \"select hidden()\"\nserver: CommandComplete \"DROP TABLE\"\n" READY "= passed\n"
        "client: Query \"create temp table t (a int)\"\nserver: CommandComplete \"CREATE TABLE\"\n" READY
        "= passed\n"
        "client: Query \"execute unheard_of\"\nserver: CommandComplete \"DROP INDEX\"\n" READY "= passed\n");
    assert_int_equal(stage_event_count(stage, EVENT_DDL_UNSEEN), 2);
    stage_end(stage);
}

/* ── Long SQL ──────────────────────────────────────────────────────────────────────────────────────────────
 */

enum { LONG_SQL = 300, LONG_GATHERED = 64 };

/* A message of `type` whose SQL is a comment of LONG_SQL bytes and then `sql`. */
static void long_message(struct buffer *out, uint8_t type, const char *sql)
{
    struct buffer body;
    buffer_init(&body, 4096);
    if (type == CLIENT_PARSE)
        buffer_append(&body, bytes_of("name", 5));
    buffer_append(&body, bytes_text("/*"));
    memset(buffer_extend(&body, LONG_SQL), '.', LONG_SQL);
    buffer_append(&body, bytes_text("*/"));
    buffer_append(&body, bytes_of(sql, strlen(sql) + 1));
    if (type == CLIENT_PARSE)
        buffer_append(&body, bytes_of("\0\2\0\0\0\x17\0\0\0\x17", 10));
    uint32_t length = (uint32_t)body.size + 4;
    const uint8_t header[5] = { type, (uint8_t)(length >> 24), (uint8_t)(length >> 16),
                                (uint8_t)(length >> 8), (uint8_t)length };
    buffer_init(out, 8192);
    buffer_append(out, bytes_of(header, sizeof(header)));
    buffer_append(out, buffer_bytes(&body));
    buffer_release(&body);
}

/* Feeds it cut at two places and gives what reached the server. */
static struct stage *long_play(uint8_t type, const char *sql, size_t first, size_t second)
{
    struct buffer message;
    struct stage *stage =
        stage_begin((struct stage_plan){ .mode = GUARD_ENFORCE, .gathered_bytes = LONG_GATHERED });
    long_message(&message, type, sql);
    struct bytes rest = buffer_bytes(&message);
    stage_feed(stage, SIDE_CLIENT, bytes_take(&rest, first));
    stage_feed(stage, SIDE_CLIENT, bytes_take(&rest, second - first));
    stage_feed(stage, SIDE_CLIENT, rest);
    buffer_release(&message);
    return stage;
}

static void check_spoilt(struct stage *stage, uint8_t type, const char *sql)
{
    struct buffer message;
    long_message(&message, type, sql);
    size_t sql_end = message.size - 1 - (type == CLIENT_PARSE ? 10 : 0);
    struct bytes out = buffer_bytes(&stage->out[SIDE_SERVER]);
    assert_int_equal(out.size, message.size);
    assert_memory_equal(out.data, message.data, sql_end);
    for (size_t at = sql_end; at < out.size; at++)
        assert_int_equal(out.data[at], '#');
    buffer_release(&message);
}

static void long_sql_that_is_refused_is_spoilt_at_its_end_however_it_is_cut(void **state)
{
    static const uint8_t types[] = { CLIENT_QUERY, CLIENT_PARSE };
    (void)state;
    for (size_t type = 0; type < COUNT_OF(types); type++) {
        for (size_t first = 6; first < LONG_SQL + 20; first += 3) {
            for (size_t second = first; second < LONG_SQL + 20; second += 7) {
                struct stage *stage = long_play(types[type], "drop table item", first, second);
                check_spoilt(stage, types[type], "drop table item");
                buffer_clear(&stage->out[SIDE_SERVER]);
                buffer_clear(&stage->sent[SIDE_CLIENT]);
                stage_say(stage,
                          "client: Sync\n= passed\n"
                          "server: ErrorResponse S:\"ERROR\" V:\"ERROR\" C:\"08P01\" M:\"invalid string\" "
                          "int8:0\n" REFUSAL READY "= passed\n");
                stage_end(stage);
            }
        }
    }
}

static void long_sql_that_executes_a_prepared_change_is_refused(void **state)
{
    struct buffer message;
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){
        .mode = GUARD_ENFORCE, .allow = LEVEL_MODIFYING, .gathered_bytes = LONG_GATHERED });
    stage_say(stage, "client: Parse \"ddl\" \"drop table item\" int16:0\nclient: Sync\n"
                     "server: ParseComplete\n" READY "= passed\n");
    stage_set_gate(stage, GUARD_ENFORCE, LEVEL_NONE);
    long_message(&message, CLIENT_QUERY, "execute ddl");
    stage_feed(stage, SIDE_CLIENT, bytes_of(message.data, 100));
    stage_feed(stage, SIDE_CLIENT, bytes_of(message.data + 100, message.size - 100));
    buffer_release(&message);
    check_spoilt(stage, CLIENT_QUERY, "execute ddl");
    stage_end(stage);
}

static void long_sql_that_passes_is_not_touched(void **state)
{
    (void)state;
    for (size_t first = 1; first < LONG_SQL + 20; first++) {
        struct stage *stage = long_play(CLIENT_PARSE, "select 1", first, first);
        assert_true(
            bytes_equal(buffer_bytes(&stage->out[SIDE_SERVER]), buffer_bytes(&stage->sent[SIDE_CLIENT])));
        stage_end(stage);
    }
}

/* ── Bounds and ends ───────────────────────────────────────────────────────────────────────────────────────
 */

static void a_client_far_ahead_waits_until_the_server_has_answered(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_ENFORCE, .in_flight = 2 });
    stage_say(stage, "client: Query \"select 1\"\nclient: Query \"select 2\"\n= passed\n");
    assert_true(session_is_holding(stage->session));
    stage_feed(stage, SIDE_CLIENT, bytes_of("S\0\0\0\4", 5));
    assert_true(stage->is_holding);
    assert_int_equal(stage->out[SIDE_SERVER].size, 0);
    buffer_clear(&stage->sent[SIDE_CLIENT]);
    stage_say(stage, "server: CommandComplete \"SELECT 1\"\n" READY "= passed\n");
    assert_false(session_is_holding(stage->session));
    stage_end(stage);
}

static void a_name_that_is_not_tracked_stands_for_the_riskiest_that_could_not_be(void **state)
{
    (void)state;
    struct stage *stage =
        stage_begin((struct stage_plan){ .mode = GUARD_ENFORCE, .allow = LEVEL_MODIFYING, .names = 1 });
    stage_say(stage, "client: Parse \"a\" \"select 1\" int16:0\nclient: Parse \"b\" \"select 2\" int16:0\n"
                     "client: Sync\nserver: ParseComplete\nserver: ParseComplete\n" READY "= passed\n");
    assert_int_equal(counter_read(&stage->counters.statements_not_tracked), 1);
    stage_set_gate(stage, GUARD_ENFORCE, LEVEL_NONE);
    stage_say(stage,
              "client: Query \"execute b\"\nserver: CommandComplete \"SELECT 1\"\n" READY "= passed\n");
    stage_set_gate(stage, GUARD_ENFORCE, LEVEL_MODIFYING);
    stage_say(stage,
              "client: Parse \"c\" \"drop table item\" int16:0\nclient: Sync\nserver: ParseComplete\n" READY
              "= passed\n");
    stage_set_gate(stage, GUARD_ENFORCE, LEVEL_NONE);
    stage_say(stage,
              "client: Query \"execute c\"\n-> server: Query " POISON "\n" SYNTAX_ERROR REFUSAL READY
              "= passed\n"
              "client: Bind \"\" \"c\" int16:0 int16:0 int16:0\n"
              "-> server: Parse \"__pgsluice_refused\" " POISON " int16:0\n"
              "client: Sync\n= passed\n" SYNTAX_ERROR REFUSAL READY "= passed\n"
              "client: Query \"execute a\"\nserver: CommandComplete \"SELECT 1\"\n" READY "= passed\n");
    stage_say(stage,
              "client: Query \"deallocate all\"\nserver: CommandComplete \"DEALLOCATE ALL\"\n" READY
              "= passed\n"
              "client: Query \"execute c\"\nserver: CommandComplete \"SELECT 1\"\n" READY "= passed\n");
    assert_false(stage->is_closed);
    stage_end(stage);
}

static void an_untracked_name_in_flight_behind_deallocate_all_is_not_forgotten(void **state)
{
    (void)state;
    struct stage *stage =
        stage_begin((struct stage_plan){ .mode = GUARD_ENFORCE, .allow = LEVEL_MODIFYING, .names = 1 });
    stage_say(stage, "client: Parse \"a\" \"select 1\" int16:0\nclient: Sync\nserver: ParseComplete\n" READY
                     "= passed\n"
                     "client: Query \"deallocate all\"\n"
                     "client: Parse \"a\" \"select 1\" int16:0\n"
                     "client: Parse \"c\" \"drop table item\" int16:0\nclient: Sync\n"
                     "server: CommandComplete \"DEALLOCATE ALL\"\n" READY
                     "server: ParseComplete\nserver: ParseComplete\n" READY "= passed\n");
    stage_set_gate(stage, GUARD_ENFORCE, LEVEL_NONE);
    stage_say(stage, "client: Query \"execute c\"\n-> server: Query " POISON "\n" SYNTAX_ERROR REFUSAL READY
                     "= passed\n");
    stage_end(stage);
}

static void deallocated_names_make_room_for_others(void **state)
{
    static const char *const said[] = { "deallocate a", "DEALLOCATE prepare \\\"a\\\" ;;",
                                        "deallocate a; select 1", "deallocate /* b */ a" };
    (void)state;
    for (size_t index = 0; index < COUNT_OF(said); index++) {
        struct stage *stage =
            stage_begin((struct stage_plan){ .mode = GUARD_ENFORCE, .allow = LEVEL_MODIFYING, .names = 1 });
        char text[128];
        stage_say(stage, "client: Parse \"a\" \"select 1\" int16:0\nserver: ParseComplete\n= passed\n");
        (void)snprintf(text, sizeof(text), "client: Query \"%s\"\n", said[index]);
        stage_say(stage, text);
        stage_say(stage, "server: CommandComplete \"DEALLOCATE\"\n" READY "= passed\n"
                         "client: Parse \"b\" \"select 2\" int16:0\n= passed\n");
        assert_int_equal(counter_read(&stage->counters.statements_not_tracked), index < 2 ? 0 : 1);
        stage_end(stage);
    }
}

static void a_server_that_answers_what_nobody_asked_ends_the_session_when_enforcing(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_ENFORCE });
    stage_say(stage, "server: ParseComplete\n"
                     "-> client: ErrorResponse S:\"FATAL\" V:\"FATAL\" C:\"08P01\" ...\n");
    stage_feed(stage, SIDE_SERVER, BYTES_NONE);
    assert_true(stage->is_closed);
    assert_int_equal(counter_read(&stage->counters.unfollowed), 1);
    stage_end(stage);
}

static void a_session_that_cannot_be_followed_flows_on_when_observing(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_OBSERVE });
    stage_say(stage,
              "server: ParseComplete\n= passed\nclient! hex:ffffff\nserver! text:\"anything\"\n= passed\n");
    assert_int_equal(stage_event_count(stage, EVENT_UNFOLLOWED), 1);
    stage_set_gate(stage, GUARD_ENFORCE, LEVEL_NONE);
    stage_say(stage, "client! text:\"drop\"\n"); /* where the client's message ends is not known */
    assert_int_equal(stage->out[SIDE_SERVER].size, 0);
    assert_int_equal(stage->out[SIDE_CLIENT].size, 0);
    assert_true(stage->is_closed);
    stage_end(stage);
}

/* "с_", whose bytes would be a backslash in SHIFT_JIS_2004. */
static void what_drivers_send_behind_begin_is_read_in_the_encoding_believed_in(void **state)
{
    (void)state;
    static const char change[] = "client: Query \"alter table t add column \\xd1\\x81_ text\"\n";
    char text[256];
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_ENFORCE, .allow = LEVEL_ADDITIVE });
    (void)snprintf(text, sizeof text, "client: Query \"begin\"\n%s= passed\n", change);
    stage_say(stage, text);
    stage_end(stage);
    stage = stage_begin((struct stage_plan){ .mode = GUARD_ENFORCE, .allow = LEVEL_ADDITIVE });
    (void)snprintf(text, sizeof text, "client: Query \"set names 'x'\"\n%s", change);
    stage_say(stage, text);
    assert_int_equal(stage_event_count(stage, EVENT_DDL_REFUSED), 1);
    stage_end(stage);
}

/* Feeds this much of a row, and then ends the session. Whether the client was told why. */
static bool is_told_behind(size_t size, bool by_owner)
{
    static const char row[] = "D\0\0\0\x0e\0\1\0\0\0\4true";
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_OBSERVE });
    stage_say(stage, "client: Query \"select true\"\n= passed\n");
    stage_feed(stage, SIDE_SERVER, bytes_of(row, size));
    stage->out[SIDE_CLIENT].size = 0;
    if (by_owner)
        session_refuse(stage->session, "57P01", "shutting down", NULL);
    stage_feed(stage, SIDE_CLIENT, bytes_of("\xff\0\0\0\4", 5));
    assert_true(stage->is_closed);
    const struct buffer *heard = &stage->out[SIDE_CLIENT];
    bool is_told = heard->size > 0;
    assert_true(!is_told || heard->data[0] == 'E');
    stage_end(stage);
    return is_told;
}

static void no_error_stands_within_a_message_of_the_servers(void **state)
{
    (void)state;
    for (size_t size = 0; size <= 15; size++) {
        bool is_between = size < 5 || size == 15;
        assert_int_equal(is_told_behind(size, false), is_between);
        assert_int_equal(is_told_behind(size, true), is_between);
    }
}

static void what_was_kept_back_is_sent_when_a_session_is_lost(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_OBSERVE });
    stage_feed(stage, SIDE_CLIENT, bytes_of("Q\0\0\0\x0dsele", 9)); /* gathered: the message has not ended */
    stage_feed(stage, SIDE_SERVER, bytes_of("1\0\0\0\4Z\0\0", 8)); /* answers nothing; then a header begins */
    stage_say(stage, "= passed\nclient! text:\"ct 1\\x00\"\nserver! hex:000549\n= passed\n");
    stage_end(stage);
    stage = stage_begin((struct stage_plan){ .mode = GUARD_OBSERVE });
    stage_feed(stage, SIDE_CLIENT, bytes_of("Q\0\0", 3));
    stage_say(stage, "server: ParseComplete\n= passed\n");
    stage_end(stage);
}

static void data_sent_before_the_answer_to_an_encryption_request_closes(void **state)
{
    static const uint8_t packets[] = "\0\0\0\x08\x04\xd2\x16\x2f\0\0\0\x08\x04\xd2\x16\x2f";
    (void)state;
    struct stage *stage = stage_open((struct stage_plan){ .mode = GUARD_OFF });
    stage_feed(stage, SIDE_CLIENT, bytes_of(packets, 9));
    assert_true(stage->is_closed);
    assert_int_equal(stage->out[SIDE_CLIENT].size, 0);
    stage_end(stage);
    stage = stage_open((struct stage_plan){ .mode = GUARD_OFF });
    stage_feed(stage, SIDE_CLIENT, bytes_of(packets, 8));
    assert_false(stage->is_closed);
    stage_feed(stage, SIDE_CLIENT, bytes_of(packets, 8));
    assert_true(stage->is_closed);
    assert_int_equal(stage->out[SIDE_CLIENT].size, 1);
    stage_end(stage);
}

static void an_error_in_the_form_of_protocol_2_goes_through(void **state)
{
    (void)state;
    struct stage *stage = stage_open((struct stage_plan){ .mode = GUARD_ENFORCE });
    stage_say(stage, "client: StartupMessage int16:3 int16:0 \"user\" \"app\" int8:0\n"
                     "server! text:\"Ecould not fork new process for connection\\x0a\\x00\"\n= passed\n");
    stage_end(stage);
}

/* ── Whose error it was ────────────────────────────────────────────────────────────────────────────────────
 */

#define VIOLATES(table)                                                                                      \
    "server: ErrorResponse S:\"ERROR\" V:\"ERROR\" C:\"23503\" M:\"violates\" s:\"public\" t:\"" table       \
    "\" n:\"fk\" int8:0\n"

static void an_error_at_commit_is_held_against_the_statement_that_changed_the_table(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_OFF });
    stage_say(stage,
              "client: Query \"begin\"\nserver: CommandComplete \"BEGIN\"\nserver: ReadyForQuery text:\"T\"\n"
              "client: Query \"insert into child values (5)\"\nserver: CommandComplete \"INSERT 0 1\"\n"
              "server: ReadyForQuery text:\"T\"\n"
              "client: Query \"update other set a = 1\"\nserver: CommandComplete \"UPDATE 1\"\n"
              "server: ReadyForQuery text:\"T\"\n"
              "client: Query \"commit\"\n" VIOLATES("child") READY "= passed\n");
    assert_int_equal(top_violation(stage)->phase, PHASE_COMMIT);
    assert_string_equal(top_violation(stage)->statement, "insert into child values (?)");
    stage_end(stage);
}

static void an_error_of_one_of_several_statements_is_held_against_that_one(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_OFF });
    stage_say(stage, "client: Query \"insert into a values (1); insert into b values (2); select 3\"\n"
                     "server: CommandComplete \"INSERT 0 1\"\n" VIOLATES("b") READY "= passed\n");
    assert_int_equal(top_violation(stage)->phase, PHASE_STATEMENT);
    assert_non_null(strstr(top_violation(stage)->statement, "insert into b"));
    stage_end(stage);
}

static void an_error_of_the_last_of_several_statements_may_be_the_commits(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_OFF });
    stage_say(stage,
              "client: Query \"insert into child values (1); select 3\"\n"
              "server: CommandComplete \"INSERT 0 1\"\nserver: RowDescription int16:0\n" VIOLATES("child")
                  READY "= passed\n");
    assert_int_equal(top_violation(stage)->phase, PHASE_COMMIT_OR_LAST);
    assert_non_null(strstr(top_violation(stage)->statement, "insert into child"));
    stage_end(stage);
}

static void after_a_copy_the_syncs_it_swallowed_are_not_awaited(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_OFF });
    stage_say(
        stage,
        "client: Parse \"\" \"copy t from stdin\" int16:0\nclient: Bind \"\" \"\" int16:0 int16:0 int16:0\n"
        "client: Execute \"\" int32:0\nclient: Sync\n"
        "server: ParseComplete\nserver: BindComplete\nserver: CopyInResponse int8:0 int16:0\n"
        "client: CopyData text:\"1\"\nclient: CopyDone\nclient: Sync\n"
        "server: CommandComplete \"COPY 1\"\n" READY "= passed\n"
        "client: Query \"insert into b values (2)\"\n" VIOLATES("b") READY "= passed\n");
    assert_string_equal(top_violation(stage)->statement, "insert into b values (?)");
    assert_int_equal(session_rest(stage->session), REST_IDLE);
    stage_end(stage);
}

static void an_error_during_a_copy_leaves_the_next_segment_in_step(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_OFF });
    stage_say(
        stage,
        "client: Parse \"\" \"copy t from stdin\" int16:0\nclient: Bind \"\" \"\" int16:0 int16:0 int16:0\n"
        "client: Execute \"\" int32:0\nclient: Sync\n"
        "server: ParseComplete\nserver: BindComplete\nserver: CopyInResponse int8:0 int16:0\n"
        "client: CopyData text:\"1\"\n" VIOLATES("t") "client: CopyDone\nclient: Sync\n" READY "= passed\n"
                                                      "client: Query \"insert into b values (2)\"\n" VIOLATES(
                                                          "b") READY "= passed\n");
    assert_int_equal(ledger_total(&stage->world.harvest->violations), 2);
    assert_int_equal(session_rest(stage->session), REST_IDLE);
    stage_end(stage);
}

static void an_end_of_copy_data_that_no_copy_awaits_stands_for_nothing(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_ENFORCE });
    stage_say(
        stage,
        "client: CopyFail \"stray\"\nclient: Query \"copy t from stdin\"\nclient: CopyDone\nclient: Sync\n"
        "server: CopyInResponse int8:0 int16:0\nserver: CommandComplete \"COPY 0\"\n" READY READY
        "= passed\n");
    assert_int_equal(session_rest(stage->session), REST_IDLE);
    assert_int_equal(counter_read(&stage->counters.unfollowed), 0);
    stage_end(stage);
}

static void ends_of_copy_data_in_a_row_do_not_fill_the_flight(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_ENFORCE, .in_flight = 3 });
    for (size_t count = 0; count < 10; count++)
        stage_feed(stage, SIDE_CLIENT, bytes_of("c\0\0\0\4", 5));
    assert_false(session_is_holding(stage->session));
    stage_say(stage, "client: Query \"select 1\"\nserver: CommandComplete \"SELECT 1\"\n" READY "= passed\n");
    assert_int_equal(session_rest(stage->session), REST_IDLE);
    stage_end(stage);
}

static void a_session_rests_when_a_stream_that_went_both_ways_has_ended(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_ENFORCE });
    stage_say(stage, "client: Query \"START_REPLICATION 0/0\"\nserver: CopyBothResponse int8:0 int16:0\n"
                     "server: CopyData text:\"w\"\nclient: CopyData text:\"r\"\n= passed\n");
    assert_int_equal(session_rest(stage->session), REST_BUSY);
    stage_say(stage,
              "client: CopyDone\nserver: CopyDone\nserver: CommandComplete \"COPY 0\"\n" READY "= passed\n");
    assert_int_equal(session_rest(stage->session), REST_IDLE);
    stage_end(stage);
}

static void how_long_it_rests_is_told_by_the_ticks_whatever_the_wall_clock_says(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_ENFORCE });
    stage->world.ticks = UINT32_MAX - 10; /* soon it begins anew */
    stage_say(stage, "client: Query \"select 1\"\nserver: CommandComplete \"SELECT 1\"\n" READY "= passed\n");
    stage->world.now_us += INT64_C(15) * 60 * 1000000;
    assert_true(session_rested_us(stage->session) == 0);
    stage->world.ticks += 101; /* the first of which may have been nearly over */
    stage->world.now_us -= INT64_C(30) * 60 * 1000000;
    assert_true(session_rested_us(stage->session) == INT64_C(1000000));
    stage_say(stage, "client: Sync\n= passed\n");
    assert_true(session_rested_us(stage->session) == 0);
    stage_end(stage);
}

static void what_follows_the_end_of_a_stream_is_answered_in_turn(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_ENFORCE });
    stage_say(stage, "client: Query \"START_REPLICATION 0/0\"\nserver: CopyBothResponse int8:0 int16:0\n"
                     "client: CopyDone\nclient: Query \"insert into b values (2)\"\n"
                     "server: CopyDone\nserver: CommandComplete \"COPY 0\"\n" READY VIOLATES("b") READY
              "= passed\n");
    assert_string_equal(top_violation(stage)->statement, "insert into b values (?)");
    assert_int_equal(session_rest(stage->session), REST_IDLE);
    stage_end(stage);
}

static void an_end_of_copy_data_that_comes_late_leaves_the_session_at_rest(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_ENFORCE });
    stage_say(stage, "client: Query \"START_REPLICATION 0/0\"\nserver: CopyBothResponse int8:0 int16:0\n"
                     "server: ErrorResponse S:\"ERROR\" V:\"ERROR\" C:\"58P01\" M:\"removed\" int8:0\n" READY
                     "client: CopyDone\n= passed\n");
    assert_int_equal(session_rest(stage->session), REST_IDLE);
    stage_end(stage);
}

static void a_message_too_short_for_its_fields_is_the_servers_to_refuse(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_ENFORCE });
    stage_say(stage,
              "client! text:\"Q\" int32:4\nclient! text:\"P\" int32:5 int8:0\nclient! text:\"B\" int32:4\n"
              "client! text:\"E\" int32:4\nclient! text:\"D\" int32:4\nclient! text:\"C\" int32:4\n"
              "client! text:\"F\" int32:4\nclient: Sync\n= passed\n"
              "server: ErrorResponse S:\"ERROR\" V:\"ERROR\" C:\"08P01\" M:\"too short\" int8:0\n" READY
              "server: ErrorResponse S:\"ERROR\" V:\"ERROR\" C:\"08P01\" M:\"too short\" int8:0\n" READY
              "= passed\n");
    assert_int_equal(session_rest(stage->session), REST_IDLE);
    stage_end(stage);
}

static void the_service_follows_the_application_name(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_OFF });
    stage_say(stage, "client: Query \"insert into b values (2)\"\n" VIOLATES("b") READY "= passed\n");
    assert_string_equal(top_violation(stage)->service, "app");
    stage_say(stage, "server: ParameterStatus \"application_name\" \"kds-7\"\n"
                     "client: Query \"insert into b values (2)\"\n" VIOLATES("b") READY
              "client: Query \"insert into b values (2)\"\n" VIOLATES("b") READY "= passed\n");
    assert_string_equal(top_violation(stage)->service, "kitchen");
    stage_end(stage);
}

static void an_error_names_the_statement_behind_its_portal(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_OFF });
    stage_say(
        stage,
        "client: Parse \"one\" \"insert into a values ($1)\" int16:0\n"
        "client: Parse \"two\" \"insert into b values ($1)\" int16:0\n"
        "client: Bind \"p\" \"two\" int16:0 int16:0 int16:0\n"
        "client: Bind \"q\" \"one\" int16:0 int16:0 int16:0\n"
        "client: Execute \"p\" int32:0\nclient: Sync\n"
        "server: ParseComplete\nserver: ParseComplete\nserver: BindComplete\nserver: BindComplete\n" VIOLATES(
            "b") READY "= passed\n");
    assert_string_equal(top_violation(stage)->statement, "insert into b values ($1)");
    stage_end(stage);
}

static void an_error_of_an_sql_execute_names_what_it_executes(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_OFF });
    stage_say(stage, "client: Query \"prepare z as insert into b values ($1)\"\n"
                     "server: CommandComplete \"PREPARE\"\n" READY
                     "client: Query \"execute z(1)\"\n" VIOLATES("b") READY "= passed\n");
    assert_string_equal(top_violation(stage)->statement, "prepare z as insert into b values ($1)");
    stage_end(stage);
}

static void several_executes_in_one_text_are_judged_by_the_riskiest(void **state)
{
    (void)state;
    static const char prepared[] =
        "client: Query \"prepare a as select 1; prepare b as select 1 into kept\"\n"
        "server: CommandComplete \"PREPARE\"\nserver: CommandComplete \"PREPARE\"\n" READY "= passed\n"
        "client: Query \"prepare c as select 1; prepare d as select 2\"\n"
        "server: CommandComplete \"PREPARE\"\nserver: CommandComplete \"PREPARE\"\n" READY "= passed\n";
    assert_refused_after(prepared, "client: Query \"execute c; execute b\"\n-> server: Query " POISON
                                   "\n" SYNTAX_ERROR REFUSAL READY "-> client: ReadyForQuery text:\"I\"\n"
                                   "client: Query \"execute c; execute d\"\n= passed\n");
    assert_refused_after(prepared, "client: Query \"execute b; execute c\"\n-> server: Query " POISON
                                   "\n" SYNTAX_ERROR REFUSAL READY "-> client: ReadyForQuery text:\"I\"\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_conversation_goes_as_it_says_however_it_is_cut),
        cmocka_unit_test(a_statement_prepared_in_the_window_is_refused_at_bind_after_it),
        cmocka_unit_test(a_portal_bound_in_the_window_is_refused_at_execute_after_it),
        cmocka_unit_test(an_sql_execute_of_a_prepared_change_is_refused),
        cmocka_unit_test(a_name_keeps_its_meaning_when_what_binds_it_again_may_fail),
        cmocka_unit_test(a_name_bound_again_in_the_same_segment_has_its_new_meaning),
        cmocka_unit_test(the_unnamed_statement_outlives_deallocate_all),
        cmocka_unit_test(a_name_that_the_server_may_read_otherwise_stands_for_every_change),
        cmocka_unit_test(an_encoding_changed_ahead_of_a_text_hides_nothing),
        cmocka_unit_test(a_text_behind_others_may_hold_any_characters),
        cmocka_unit_test(observing_changes_no_byte_and_tells_what_it_would_refuse),
        cmocka_unit_test(a_change_that_was_not_seen_going_in_raises_an_alarm),
        cmocka_unit_test(long_sql_that_is_refused_is_spoilt_at_its_end_however_it_is_cut),
        cmocka_unit_test(long_sql_that_executes_a_prepared_change_is_refused),
        cmocka_unit_test(long_sql_that_passes_is_not_touched),
        cmocka_unit_test(a_client_far_ahead_waits_until_the_server_has_answered),
        cmocka_unit_test(a_name_that_is_not_tracked_stands_for_the_riskiest_that_could_not_be),
        cmocka_unit_test(an_untracked_name_in_flight_behind_deallocate_all_is_not_forgotten),
        cmocka_unit_test(deallocated_names_make_room_for_others),
        cmocka_unit_test(a_server_that_answers_what_nobody_asked_ends_the_session_when_enforcing),
        cmocka_unit_test(a_session_that_cannot_be_followed_flows_on_when_observing),
        cmocka_unit_test(what_drivers_send_behind_begin_is_read_in_the_encoding_believed_in),
        cmocka_unit_test(no_error_stands_within_a_message_of_the_servers),
        cmocka_unit_test(what_was_kept_back_is_sent_when_a_session_is_lost),
        cmocka_unit_test(data_sent_before_the_answer_to_an_encryption_request_closes),
        cmocka_unit_test(an_error_in_the_form_of_protocol_2_goes_through),
        cmocka_unit_test(an_error_at_commit_is_held_against_the_statement_that_changed_the_table),
        cmocka_unit_test(an_error_of_one_of_several_statements_is_held_against_that_one),
        cmocka_unit_test(an_error_of_the_last_of_several_statements_may_be_the_commits),
        cmocka_unit_test(after_a_copy_the_syncs_it_swallowed_are_not_awaited),
        cmocka_unit_test(an_error_during_a_copy_leaves_the_next_segment_in_step),
        cmocka_unit_test(an_end_of_copy_data_that_no_copy_awaits_stands_for_nothing),
        cmocka_unit_test(ends_of_copy_data_in_a_row_do_not_fill_the_flight),
        cmocka_unit_test(a_session_rests_when_a_stream_that_went_both_ways_has_ended),
        cmocka_unit_test(how_long_it_rests_is_told_by_the_ticks_whatever_the_wall_clock_says),
        cmocka_unit_test(what_follows_the_end_of_a_stream_is_answered_in_turn),
        cmocka_unit_test(an_end_of_copy_data_that_comes_late_leaves_the_session_at_rest),
        cmocka_unit_test(a_message_too_short_for_its_fields_is_the_servers_to_refuse),
        cmocka_unit_test(the_service_follows_the_application_name),
        cmocka_unit_test(an_error_names_the_statement_behind_its_portal),
        cmocka_unit_test(an_error_of_an_sql_execute_names_what_it_executes),
        cmocka_unit_test(several_executes_in_one_text_are_judged_by_the_riskiest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
