/* SPDX-License-Identifier: PostgreSQL */
/* What a session counts of its statements and errors. */
#include "sql/shape.h"
#include "stage/stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define IDLE        "server: ReadyForQuery text:\"I\"\n"
#define DONE(tag)   "server: CommandComplete \"" tag "\"\n"
#define QUERY(sql)  "client: Query \"" sql "\"\n"
#define FAILS(code) "server: ErrorResponse S:\"ERROR\" V:\"ERROR\" C:\"" code "\" M:\"no\" int8:0\n"
#define VIOLATES                                                                                             \
    "server: ErrorResponse S:\"ERROR\" V:\"ERROR\" C:\"23505\" M:\"no\" s:\"public\" t:\"a\" n:\"a_pkey\" "  \
    "int8:0\n"

enum { TOP_MOST = 100 };

/* The entry of this masked text; fails the test where there is none. */
static const struct statement_entry *entry_of(const struct stage *stage, const char *text)
{
    const struct statement_entry *top[TOP_MOST];
    size_t count = statements_top(&stage->world.harvest->statements, STATEMENTS_BY_CALLS, top, TOP_MOST);
    for (size_t i = 0; i < count; i++)
        if (strcmp(top[i]->text, text) == 0)
            return top[i];
    fail_msg("no statement reads %s", text);
    return NULL;
}

static uint64_t calls_of(const struct stage *stage)
{
    return stage->world.harvest->statements.tally.total;
}

static const struct error_entry *first_error(const struct stage *stage)
{
    const struct error_entry *top[TOP_MOST];
    assert_true(errors_top(&stage->world.harvest->errors, top, TOP_MOST) > 0);
    return top[0];
}

/* ── Calls ─────────────────────────────────────────────────────────────────────────────────────────────────
 */

static void calls_are_counted_by_shape_with_rows_and_bytes(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_OFF });
    stage_say(stage,
              QUERY("select 1") "server: DataRow int16:1 value:\"1\"\n" DONE("SELECT 1")
                  IDLE QUERY("select 22") "server: DataRow int16:1 value:\"22\"\n" DONE("SELECT 1")
                      IDLE QUERY("insert into a values (1), (2)") DONE("INSERT 0 2") IDLE QUERY("begin")
                          DONE("BEGIN 7x") IDLE QUERY("x") DONE("X 9999999999999999999") IDLE "= passed\n");
    const struct statement_entry *entry = entry_of(stage, "select ?");
    assert_int_equal(entry->entry.count, 2);
    assert_int_equal(entry->sums.rows, 2);
    assert_int_equal(entry->sums.errors, 0);
    assert_int_equal(entry->sums.bytes, 2 * (5 + 2 + 4 + 1 + 5 + 9) + 1);
    assert_int_equal(entry->shape, shape_sql(bytes_text("select 3"),
                                             (struct lexer_reading){ .has_standard_strings = true }));
    assert_string_equal(entry->service, "app");
    assert_string_equal(entry->user, "app");
    assert_string_equal(entry->database, "shop");
    assert_int_equal(entry_of(stage, "insert into a values (?)")->sums.rows, 2);
    assert_int_equal(entry_of(stage, "begin")->sums.rows, 0);
    assert_int_equal(entry_of(stage, "x")->sums.rows, 0);
    stage_end(stage);
}

static void statements_of_one_text_are_told_apart(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_OFF });
    stage_say(stage, QUERY("insert into a values (1);; select 2 /*controller='a',action='b'*/; select 3;")
                         DONE("INSERT 0 1") DONE("SELECT 5") DONE("SELECT 6") IDLE QUERY("select 4")
                             DONE("SELECT 7") IDLE "= passed\n");
    assert_int_equal(entry_of(stage, "insert into a values (?)")->sums.rows, 1);
    assert_int_equal(entry_of(stage, "select ?")->sums.rows, 18);
    assert_int_equal(entry_of(stage, "select ?")->entry.count, 3);
    assert_string_equal(entry_of(stage, "select ?")->route, "a#b");
    stage_end(stage);
}

static void what_lies_beyond_the_kept_text_counts_for_the_whole_of_it(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_OFF });
    struct buffer query;
    char begin[STATEMENT_TEXT_MOST];
    size_t size = sizeof(begin) - 6;
    memset(begin, ' ', sizeof(begin));
    memcpy(begin, "select 1;", 9);
    memcpy(begin + size, "from a", 6);
    buffer_init(&query, 2 * sizeof(begin));
    const uint8_t header[] = { 'Q', 0, 0, (uint8_t)((sizeof(begin) + 4 + 15) >> 8),
                               (uint8_t)(sizeof(begin) + 4 + 15) };
    buffer_append(&query, bytes_of(header, sizeof(header)));
    buffer_append(&query, bytes_of(begin, sizeof(begin)));
    buffer_append(&query, bytes_of("; select 33333", 15));
    stage_feed(stage, SIDE_CLIENT, buffer_bytes(&query));
    stage_say(stage, DONE("SELECT 1") DONE("SELECT 2") DONE("SELECT 4") IDLE "= passed\n");
    assert_int_equal(entry_of(stage, "select ?")->sums.rows, 1);
    assert_int_equal(entry_of(stage, "from a…")->sums.rows, 2);
    assert_int_equal(entry_of(stage, "select ?; from a…")->sums.rows, 4);
    buffer_release(&query);
    stage_end(stage);
}

static void each_answer_to_an_execute_is_a_call(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_OFF });
    stage_say(stage, "client: Parse \"s\" \"select $1 /*route='%2Fx'*/\" int16:0\n"
                     "client: Bind \"\" \"s\" int16:0 int16:0 int16:0\n"
                     "client: Execute \"\" int32:1\nclient: Execute \"\" int32:1\nclient: Sync\n"
                     "server: ParseComplete\nserver: BindComplete\nserver: DataRow int16:0\n"
                     "server: PortalSuspended\nserver: DataRow int16:0\n" DONE("SELECT 2") IDLE
              "client: Parse \"\" \"\" int16:0\nclient: Bind \"\" \"\" int16:0 int16:0 int16:0\n"
              "client: Execute \"\" int32:0\nclient: Execute \"cursor\" int32:0\nclient: Sync\n"
              "server: ParseComplete\nserver: BindComplete\nserver: EmptyQueryResponse\n" DONE("FETCH 3") IDLE
              "= passed\n");
    const struct statement_entry *entry = entry_of(stage, "select $1");
    assert_int_equal(entry->entry.count, 2);
    assert_int_equal(entry->sums.rows, 2);
    assert_int_equal(entry->sums.bytes, 5 + 5 + 7 + 5 + 7 + 5 + 9);
    assert_string_equal(entry->route, "/x");
    assert_int_equal(calls_of(stage), 4);
    stage_end(stage);
}

static void a_statement_that_fails_before_it_runs_is_a_call_without_time(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_OFF });
    stage_say(stage,
              "client: Parse \"\" \"selec 1\" int16:0\nclient: Bind \"\" \"\" int16:0 int16:0 int16:0\n"
              "client: Execute \"\" int32:0\nclient: Sync\n" FAILS("42601") IDLE
              "client: Close S:\"x\"\nclient: Sync\n" FAILS("57014") IDLE "= passed\n");
    const struct statement_entry *entry = entry_of(stage, "selec ?");
    assert_int_equal(entry->entry.count, 1);
    assert_int_equal(entry->sums.errors, 1);
    assert_int_equal(histogram_count(&entry->sums.latency), 0);
    assert_int_equal(calls_of(stage), 1);
    assert_int_equal(errors_total(&stage->world.harvest->errors), 2);
    stage_end(stage);
}

static void a_refused_statement_is_no_call_and_no_error_of_the_servers(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_OFF });
    stage_set_gate(stage, GUARD_ENFORCE, LEVEL_NONE);
    stage_say(stage, QUERY("drop table a"));
    buffer_clear(&stage->out[SIDE_SERVER]);
    stage_say(stage, FAILS("42601") IDLE);
    assert_int_equal(calls_of(stage), 0);
    assert_int_equal(errors_total(&stage->world.harvest->errors), 0);
    stage_end(stage);
}

static void time_runs_from_the_later_of_request_and_answer_before(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_OFF });
    stage_say(stage, QUERY("select 1") QUERY("select 'b'::text"));
    stage->world.now_us += 300;
    stage_say(stage, DONE("SELECT 1") IDLE);
    stage->world.now_us += 40;
    stage_say(stage, DONE("SELECT 1") IDLE QUERY("begin"));
    stage->world.now_us -= 1000;
    stage_say(stage, DONE("BEGIN") "server: ReadyForQuery text:\"T\"\n");
    stage->world.now_us += 5;
    stage_say(stage, QUERY("select a"));
    stage->world.now_us += 7;
    stage_say(stage, FAILS("42703") "server: ReadyForQuery text:\"E\"\n= passed\n");
    assert_int_equal(entry_of(stage, "select ?")->sums.time_us, 300);
    assert_int_equal(entry_of(stage, "select ?::text")->sums.time_us, 40);
    assert_int_equal(histogram_count(&entry_of(stage, "select ?::text")->sums.latency), 1);
    assert_int_equal(entry_of(stage, "begin")->sums.time_us, 0);
    assert_int_equal(histogram_count(&entry_of(stage, "begin")->sums.latency), 0);
    assert_int_equal(entry_of(stage, "select a")->sums.time_us, 7);
    stage_end(stage);
}

static void calls_are_not_counted_where_nobody_wants_them(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_OFF });
    stage->world.harvest->has_statements = false;
    stage_say(stage,
              QUERY("select 1") DONE("SELECT 1") IDLE QUERY("select a") FAILS("42703") IDLE "= passed\n");
    assert_int_equal(calls_of(stage), 0);
    assert_int_equal(errors_total(&stage->world.harvest->errors), 1);
    stage_end(stage);
}

static void the_service_is_the_one_at_the_answer(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_OFF });
    stage_say(stage, QUERY("select 1") DONE("SELECT 1") IDLE
              "server: ParameterStatus \"application_name\" \"kds-7\"\n" QUERY("select $1") DONE("SELECT 1")
                  IDLE);
    assert_string_equal(entry_of(stage, "select $1")->service, "kitchen");
    struct policy_plan plan = stage_policy_plan(stage, GUARD_OFF, LEVEL_NONE);
    bytes_copy_text(bytes_text("bakery"), stage->rule.name, sizeof(stage->rule.name));
    stage_set_policy(stage, &plan);
    stage_say(stage, QUERY("select $1, $2") DONE("SELECT 1") IDLE "= passed\n");
    assert_string_equal(entry_of(stage, "select $1, $2")->service, "bakery");
    stage_end(stage);
}

/* ── Errors ────────────────────────────────────────────────────────────────────────────────────────────────
 */

static void errors_are_counted_with_code_and_statement(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_OFF });
    stage_say(stage, QUERY("select 1; select b from c") DONE("SELECT 1") FAILS("42P01")
                         IDLE QUERY("select b from c") FAILS("42P01") IDLE "= passed\n");
    const struct error_entry *error = first_error(stage);
    assert_int_equal(error->entry.count, 2);
    assert_string_equal(error->sqlstate, "42P01");
    assert_string_equal(error->text, "select b from c");
    assert_int_equal(error->shape, entry_of(stage, "select b from c")->shape);
    assert_int_equal(entry_of(stage, "select b from c")->sums.errors, 2);
    assert_int_equal(stage->world.harvest->errors.by_family[FAMILY_SCHEMA_DRIFT], 2);
    stage_end(stage);
}

#define FAILS_AT(code, position)                                                                             \
    "server: ErrorResponse S:\"ERROR\" V:\"ERROR\" C:\"" code "\" M:\"no\" P:\"" position "\" int8:0\n"

/* What is not answered yet is parsed all the same. */
static void a_mistake_in_one_of_several_statements_is_that_ones(void **state)
{
    (void)state;
    static const struct {
        const char *said;
        const char *text;
    } cases[] = {
        { QUERY("select 1; selec 2; select 3") FAILS_AT("42601", "11"), "selec ?" },
        { QUERY("select '\xc3\xa9\xc3\xa9'; selec 2; select 3") FAILS_AT("42601", "15"), "selec ?" },
        { QUERY("select 1; selec 2") FAILS_AT("42601", "18"), "selec ?" },
        { QUERY("select a; select 2") FAILS_AT("42703", "8"), "select a" },
        { QUERY("select 1; select b") DONE("SELECT 1") FAILS_AT("42703", "8"), "select b" },
        { QUERY("select 1; select b") FAILS_AT("42601", "4711"), "select ?" },
        { QUERY("select 1; select b") FAILS_AT("42601", "-5"), "select ?" },
        { QUERY("execute p; select b") FAILS_AT("42703", "12"), "execute p" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_OFF });
        stage_say(stage, cases[i].said);
        stage_say(stage, IDLE "= passed\n");
        assert_string_equal(first_error(stage)->text, cases[i].text);
        assert_int_equal(entry_of(stage, cases[i].text)->sums.errors, 1);
        stage_end(stage);
    }
}

static void an_error_before_the_login_is_counted(void **state)
{
    (void)state;
    struct stage *stage = stage_open((struct stage_plan){ .mode = GUARD_OFF });
    stage_say(stage, "client: StartupMessage int16:3 int16:0 \"user\" \"app\" int8:0\n"
                     "server: ErrorResponse S:\"FATAL\" V:\"FATAL\" C:\"28P01\" M:\"no\" int8:0\n= passed\n");
    assert_string_equal(first_error(stage)->sqlstate, "28P01");
    assert_string_equal(first_error(stage)->user, "app");
    assert_int_equal(first_error(stage)->shape, 0);
    assert_int_equal(calls_of(stage), 0);
    stage_end(stage);
}

static void families_left_out_are_counted_as_a_whole(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_OFF });
    stage->world.harvest->errors.families = FAMILIES_ALL & ~(1 << FAMILY_SYNTAX);
    stage_say(stage, QUERY("selec") FAILS("42601") IDLE);
    assert_int_equal(stage->world.harvest->errors.tally.total, 0);
    assert_int_equal(stage->world.harvest->errors.by_family[FAMILY_SYNTAX], 1);
    assert_false(harvest_is_empty(stage->world.harvest));
    stage_say(stage, QUERY("select a") FAILS("42703") IDLE "= passed\n");
    assert_int_equal(stage->world.harvest->errors.tally.total, 1);
    stage_end(stage);
}

static void odd_errors_are_each_counted_once(void **state)
{
    (void)state;
    static const char *const odd[] = {
        "int8:0",
        "M:\"no code\" int8:0",
        "C:\"\" int8:0",
        "C:\"2350\" int8:0",
        "C:\"235055\" int8:0",
        "C:\"23505555555555555555\" int8:0",
        "C:\"23\\x1b[1\" int8:0",
        "C:\"235\\xff5\" int8:0",
        "C:\"42601\" C:\"23505\" int8:0",
        "C:\"42601\" C:\"23505\" text:\"C23\"",
        "S:\"ERROR\" S:\"FATAL\" C:\"42601\" int8:0 text:\"more\"",
        "t:\"\\x1b]0;x\\x07\" s:\"\\xe2\\x80\\xae\" n:\"'\" C:\"23505\" int8:0",
    };
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_OFF });
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        char said[512];
        (void)snprintf(said, sizeof(said), QUERY("select 1") "server: ErrorResponse %s\n" IDLE "= passed\n",
                       odd[i]);
        stage_say(stage, said);
    }
    const struct errors *errors = &stage->world.harvest->errors;
    assert_int_equal(errors_total(errors), COUNT_OF(odd));
    assert_int_equal(errors->tally.total, COUNT_OF(odd));
    assert_int_equal(errors->by_family[FAMILY_SYNTAX], 3);
    assert_int_equal(errors->by_family[FAMILY_VIOLATION], 1);
    assert_int_equal(errors->by_family[FAMILY_OTHER], COUNT_OF(odd) - 4);
    assert_int_equal(entry_of(stage, "select ?")->sums.errors, COUNT_OF(odd));
    stage_end(stage);
}

static void an_error_of_a_mebibyte_is_one_error(void **state)
{
    (void)state;
    enum { FIELD_MOST = 1 << 20, CHUNK = 1000 };
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_OFF });
    struct buffer error;
    uint32_t size = 4 + 1 + FIELD_MOST + 1 + 7 + 1;
    const uint8_t header[] = {
        'E', (uint8_t)(size >> 24), (uint8_t)(size >> 16), (uint8_t)(size >> 8), (uint8_t)size, 'M'
    };
    buffer_init(&error, 2 * FIELD_MOST);
    buffer_append(&error, bytes_of(header, sizeof(header)));
    memset(buffer_extend(&error, FIELD_MOST), 'x', FIELD_MOST);
    buffer_append(&error, bytes_of("\0C23505\0", 9));
    stage_say(stage, QUERY("select 1"));
    for (struct bytes rest = buffer_bytes(&error); rest.size > 0;)
        stage_feed(stage, SIDE_SERVER, bytes_take(&rest, rest.size < CHUNK ? rest.size : CHUNK));
    stage_say(stage, IDLE QUERY("select 1") DONE("SELECT 1") IDLE "= passed\n");
    assert_string_equal(first_error(stage)->sqlstate, "23505");
    assert_int_equal(first_error(stage)->entry.count, 1);
    assert_int_equal(entry_of(stage, "select ?")->sums.bytes, error.size + 5 + 9);
    assert_int_equal(counter_read(&stage->counters.violations), 1);
    buffer_release(&error);
    stage_end(stage);
}

static void a_hostile_application_name_breaks_no_count(void **state)
{
    (void)state;
    static const char *const names[] = { "\\x1b[2J\\x0d\\x0a", "a\\\"b'; drop table c; --", "\\xff\\xfe",
                                         "\\xe2\\x80\\xae", "" };
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_OFF });
    struct buffer status;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char said[512];
        (void)snprintf(said, sizeof(said),
                       "server: ParameterStatus \"application_name\" \"%s\"\n" QUERY("select 1")
                           DONE("SELECT 1") IDLE QUERY("insert into a values (1)") VIOLATES IDLE "= passed\n",
                       names[i]);
        stage_say(stage, said);
    }
    enum { NAME_LONG = 10240, STATUS_SIZE = 4 + 17 + NAME_LONG + 1 };
    buffer_init(&status, 2 * NAME_LONG);
    const uint8_t header[] = { 'S', 0, 0, STATUS_SIZE >> 8, STATUS_SIZE & 0xff };
    buffer_append(&status, bytes_of(header, sizeof(header)));
    buffer_append(&status, bytes_of("application_name", 17));
    memset(buffer_extend(&status, NAME_LONG), 'n', NAME_LONG);
    buffer_append(&status, bytes_of("", 1));
    stage_feed(stage, SIDE_SERVER, buffer_bytes(&status));
    for (size_t i = 0; i < 3; i++)
        stage_say(stage, QUERY("select 1") DONE("SELECT 1") IDLE QUERY("insert into a values (1)")
                             VIOLATES IDLE "= passed\n");
    assert_int_equal(calls_of(stage), 2 * (COUNT_OF(names) + 3));
    assert_int_equal(stage->world.harvest->statements.tally.table.count, 2 * (COUNT_OF(names) + 1));
    assert_int_equal(ledger_total(&stage->world.harvest->violations), COUNT_OF(names) + 3);
    assert_int_equal(errors_total(&stage->world.harvest->errors), COUNT_OF(names) + 3);
    buffer_release(&status);
    stage_end(stage);
}

static void a_violation_says_where_its_statement_comes_from(void **state)
{
    (void)state;
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_OFF });
    const struct ledger_entry *top[1];
    stage_say(stage, QUERY("insert into a values (1) /*route='%2Forders',"
                           "traceparent='00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'*/")
                         VIOLATES IDLE "= passed\n");
    const struct event *event = stage_event(stage, EVENT_VIOLATION);
    assert_non_null(event);
    assert_string_equal(event->violation.route, "/orders");
    assert_string_equal(event->violation.trace_id, "0af7651916cd43dd8448eb211c80319c");
    assert_int_equal(ledger_top(&stage->world.harvest->violations, top, 1), 1);
    assert_string_equal(top[0]->violation.route, "/orders");
    stage_end(stage);
}

/* ── Any conversation ──────────────────────────────────────────────────────────────────────────────────────
 */

/* What a random conversation is made of, and what there is to be counted of it. */
struct said {
    struct text text;
    unsigned calls;
    unsigned rows;
    unsigned failed;
    unsigned errors;
    uint32_t random;
};

static unsigned random_below(struct said *said, unsigned bound)
{
    said->random = said->random * 1664525u + 1013904223u;
    return (said->random >> 16) % bound;
}

static void say_rows(struct said *said)
{
    unsigned rows = random_below(said, 5);
    for (unsigned row = 0; row < rows; row++)
        text_append_string(&said->text, "server: DataRow int16:1 value:\"12345\"\n");
    text_append_format(&said->text, "server: CommandComplete \"SELECT %u\"\n", rows);
    said->calls++;
    said->rows += rows;
}

static void say_error(struct said *said, bool is_call)
{
    static const char *const codes[] = { "23505", "42P01", "40001", "XX000", "ABCDE", "?" };
    text_append_format(&said->text, "server: ErrorResponse S:\"ERROR\" V:\"ERROR\" C:\"%s\" t:\"a\" int8:0\n",
                       codes[random_below(said, COUNT_OF(codes))]);
    said->errors++;
    said->calls += is_call;
    said->failed += is_call;
}

static void say_query(struct said *said)
{
    unsigned statements = 1 + random_below(said, 4);
    bool fails = random_below(said, 3) == 0;
    text_append_string(&said->text, "client: Query \"");
    for (unsigned i = 0; i < statements; i++)
        text_append_format(&said->text, "select %u from t%u; ", random_below(said, 1000),
                           random_below(said, 6));
    text_append_string(&said->text, "\"\n");
    for (unsigned i = 0; i + (fails ? 1 : 0) < statements; i++)
        say_rows(said);
    if (fails)
        say_error(said, true);
    text_append_string(&said->text, IDLE);
}

static void say_pipeline(struct said *said)
{
    unsigned statements = 1 + random_below(said, 4);
    unsigned failing = random_below(said, 2 * statements);
    for (unsigned i = 0; i < statements; i++)
        text_append_format(&said->text,
                           "client: Parse \"\" \"insert into t%u values ($1)\" int16:0\n"
                           "client: Bind \"\" \"\" int16:0 int16:0 int16:0\nclient: Execute \"\" int32:0\n",
                           random_below(said, 6));
    text_append_string(&said->text, "client: Sync\n");
    for (unsigned i = 0; i < statements && i < failing; i++) {
        text_append_string(&said->text, "server: ParseComplete\nserver: BindComplete\n");
        say_rows(said);
    }
    if (failing < statements) {
        for (unsigned answered = random_below(said, 3), i = 0; i < answered; i++)
            text_append_string(&said->text, i == 0 ? "server: ParseComplete\n" : "server: BindComplete\n");
        say_error(said, true);
    } else if (random_below(said, 4) == 0) {
        say_error(said, false); /* at the end of the transaction */
    }
    text_append_string(&said->text, IDLE);
}

static void statement_describe(const struct statement_entry *entry, struct text *out)
{
    text_append_format(out, "%016llx %s %s %s %llu %llu %llu %llu %llu %s\n",
                       (unsigned long long)entry->shape, entry->service, entry->database, entry->user,
                       (unsigned long long)entry->entry.count, (unsigned long long)entry->sums.errors,
                       (unsigned long long)entry->sums.rows, (unsigned long long)entry->sums.bytes,
                       (unsigned long long)entry->sums.time_us, entry->text);
}

/* All that was counted, oldest use last among equals. */
static void harvest_describe(const struct harvest *harvest, struct text *out)
{
    const struct statement_entry *calls[TOP_MOST];
    const struct error_entry *errors[TOP_MOST];
    size_t count = statements_top(&harvest->statements, STATEMENTS_BY_CALLS, calls, TOP_MOST);
    for (size_t i = 0; i < count; i++)
        statement_describe(calls[i], out);
    count = errors_top(&harvest->errors, errors, TOP_MOST);
    for (size_t i = 0; i < count; i++)
        text_append_format(out, "%s %llu %s\n", errors[i]->sqlstate,
                           (unsigned long long)errors[i]->entry.count, errors[i]->text);
}

static void check_sums(const struct harvest *harvest, const struct said *said)
{
    const struct statement_entry *calls[TOP_MOST];
    size_t count = statements_top(&harvest->statements, STATEMENTS_BY_CALLS, calls, TOP_MOST);
    struct statement_sums sums = harvest->statements.rest.sums;
    for (size_t i = 0; i < count; i++) {
        sums.rows += calls[i]->sums.rows;
        sums.errors += calls[i]->sums.errors;
    }
    assert_int_equal(harvest->statements.tally.total, said->calls);
    assert_int_equal(sums.rows, said->rows);
    assert_int_equal(sums.errors, said->failed);
    assert_int_equal(errors_total(&harvest->errors), said->errors);
    assert_int_equal(harvest->errors.tally.total, said->errors);
}

/* Plays it cut so, with room for `entries` statements, and checks and describes what was counted. */
static void play(const struct vector *vector, enum stage_cut cut, size_t entries, const struct said *said,
                 struct text *out)
{
    struct stage *stage = stage_begin((struct stage_plan){ .mode = GUARD_OFF });
    harvest_destroy(stage->world.harvest);
    stage->world.harvest =
        harvest_create(&stage->world.hash_key, &(struct harvest_bounds){ 100, entries, 100 });
    assert_non_null(stage->world.harvest);
    stage_play(stage, vector, &(struct stage_cuts){ .cut = cut }, "random");
    check_sums(stage->world.harvest, said);
    harvest_describe(stage->world.harvest, out);
    stage_end(stage);
}

static void check_said(const struct said *said)
{
    static char described[2][64 * 1024];
    static const enum stage_cut cuts[] = { CUT_STEPS, CUT_MERGED, CUT_BYTES };
    struct vector *vector = malloc(sizeof(*vector));
    struct problems *problems = malloc(sizeof(*problems));
    assert_non_null(vector);
    assert_non_null(problems);
    problems_init(problems);
    assert_true(vector_parse(vector, "random", text_bytes(&said->text), problems));
    for (size_t entries = 3; entries <= TOP_MOST; entries += TOP_MOST - 3) {
        for (size_t i = 0; i < COUNT_OF(cuts); i++) {
            struct text out;
            text_init(&out, described[i > 0], sizeof(described[0]));
            play(vector, cuts[i], entries, said, &out);
            if (i > 0)
                assert_string_equal(described[0], described[1]);
        }
    }
    vector_release(vector);
    free(vector);
    free(problems);
}

static void all_that_is_played_is_counted_once_however_it_is_cut(void **state)
{
    (void)state;
    enum { CONVERSATIONS = 60, TURNS = 6 };
    static char storage[64 * 1024];
    for (unsigned seed = 0; seed < CONVERSATIONS; seed++) {
        struct said said = { .random = seed * 7919 + 1 };
        text_init(&said.text, storage, sizeof(storage));
        for (unsigned turn = 0; turn < TURNS; turn++) {
            if (random_below(&said, 2) == 0)
                say_query(&said);
            else
                say_pipeline(&said);
        }
        text_append_string(&said.text, "= passed\n");
        assert_false(said.text.is_truncated);
        check_said(&said);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_are_counted_by_shape_with_rows_and_bytes),
        cmocka_unit_test(statements_of_one_text_are_told_apart),
        cmocka_unit_test(what_lies_beyond_the_kept_text_counts_for_the_whole_of_it),
        cmocka_unit_test(each_answer_to_an_execute_is_a_call),
        cmocka_unit_test(a_statement_that_fails_before_it_runs_is_a_call_without_time),
        cmocka_unit_test(a_refused_statement_is_no_call_and_no_error_of_the_servers),
        cmocka_unit_test(time_runs_from_the_later_of_request_and_answer_before),
        cmocka_unit_test(calls_are_not_counted_where_nobody_wants_them),
        cmocka_unit_test(the_service_is_the_one_at_the_answer),
        cmocka_unit_test(errors_are_counted_with_code_and_statement),
        cmocka_unit_test(a_mistake_in_one_of_several_statements_is_that_ones),
        cmocka_unit_test(an_error_before_the_login_is_counted),
        cmocka_unit_test(families_left_out_are_counted_as_a_whole),
        cmocka_unit_test(odd_errors_are_each_counted_once),
        cmocka_unit_test(an_error_of_a_mebibyte_is_one_error),
        cmocka_unit_test(a_hostile_application_name_breaks_no_count),
        cmocka_unit_test(a_violation_says_where_its_statement_comes_from),
        cmocka_unit_test(all_that_is_played_is_counted_once_however_it_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
