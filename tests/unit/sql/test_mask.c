/* SPDX-License-Identifier: PostgreSQL */
#include "sql/mask.h"
#include "unit/sql/golden.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct lexer_reading standard = { .has_standard_strings = true };

static void assert_masked_as(struct bytes sql, struct lexer_reading reading, const char *expected)
{
    char storage[2048];
    struct text out;
    text_init(&out, storage, sizeof(storage));
    mask_sql(sql, reading, &out);
    assert_string_equal(storage, expected);
}

static void assert_masked(const char *sql, const char *expected)
{
    assert_masked_as(bytes_text(sql), standard, expected);
}

static void every_form_of_literal_is_a_question_mark(void **state)
{
    (void)state;
    assert_masked("select 'a' , E'b', b'1', x'f', n'c', U&'d', $$e$$, $x$f$x$", "select ?");
    assert_masked("select 'a' || 'b'\n'c'", "select ? || ?");
    assert_masked("select a + 1, .5 - b, 1e5 * c, 0x1F, 1_000", "select a + ?, ? - b, ? * c, ?");
    assert_masked("select a from t where b = -1", "select a from t where b = ?");
}

static void comments_are_gone(void **state)
{
    (void)state;
    assert_masked("select /* secret */ a -- secret\n from t /* s */", "select a from t");
    assert_masked("select 'a' -- secret\n, b", "select ?, b");
    assert_masked("/* secret */ select a", "select a");
}

static void white_space_is_one_space(void **state)
{
    (void)state;
    assert_masked("  select \n\t a,b  from t  ", "select a,b from t");
}

static void parameters_names_and_operators_stay(void **state)
{
    (void)state;
    assert_masked("select $1, \"A b\".c::text from t where x @> $2",
                  "select $1, \"A b\".c::text from t where x @> $2");
}

static void lists_of_literals_and_further_rows_are_left_out(void **state)
{
    (void)state;
    assert_masked("select * from t where a in (1, 'b', 3) and c in ($1, $2)",
                  "select * from t where a in (?) and c in ($1, $2)");
    assert_masked("insert into t values (1, now()), (2, f(3, (4))), (5, 6) on conflict do nothing",
                  "insert into t values (?, now()) on conflict do nothing");
    assert_masked("select * from (values (1, now()), (2, f(3))) t", "select * from (values (?, now())) t");
    assert_masked("select f(1, x, 2)", "select f(?, x, ?)");
    assert_masked("select 1, 2 - a, 3,4||b", "select ?, ? - a, ?,?||b");
    assert_masked("select a, 1, 2;", "select a, ?;");
    assert_masked("insert into t values ((1), 'a'), ((2), 'b') returning a, (b)",
                  "insert into t values ((?), ?) returning a, (b)");
}

static void what_does_not_end_is_cut(void **state)
{
    (void)state;
    assert_masked("select a, 'secret", "select a, ...");
    assert_masked("select a /* secret", "select a ...");
    assert_masked("select a, \"secret", "select a, ...");
    assert_masked("select $a$ secret", "select ...");
    assert_masked("'secret", "...");
    assert_masked("select a, b, 1, 2, 'secret", "select a, b, ?, ...");
}

static void statements_that_are_secrets_show_their_command_only(void **state)
{
    (void)state;
    assert_masked("create role secret password secret", "CREATE ROLE");
    assert_masked("select 1; alter user secret with password secret; select a",
                  "select ?; ALTER USER; select a");
    assert_masked("create user mapping for secret server s options (password secret)",
                  "CREATE USER MAPPING FOR");
    assert_masked("create server secret foreign data wrapper w", "CREATE SERVER");
    assert_masked("alter subscription secret connection secret", "ALTER SUBSCRIPTION");
    assert_masked("alter system set secret = secret", "ALTER SYSTEM");
    assert_masked("alter system set a = \"secret", "ALTER SYSTEM ...");
}

static void letters_behind_a_number_go_with_it(void **state)
{
    (void)state;
    assert_masked("select 1secret, a", "select ?, a");
}

static void where_readings_part_the_text_is_cut(void **state)
{
    (void)state;
    assert_masked("select a, 'x\\', secret, 'y'", "select a, ...");
    assert_masked("select 'x\\y', a", "select ?, a");
    assert_masked("select E'x\\'y', a", "select ?, a");
    struct lexer_reading unsafe = { .has_standard_strings = true, .has_unsafe_encoding = true };
    assert_masked_as(bytes_text("select a, E'\x95\\', secret, 'y'"), unsafe, "select a, ...");
    assert_masked_as(bytes_text("select a, E'\x81_', secret, 'y'"), unsafe, "select a, ?, secret, ?");
    unsafe.has_ascii_pairs = true;
    assert_masked_as(bytes_text("select a, E'\x81_', secret, 'y'"), unsafe, "select a, ...");
    assert_masked_as(bytes_text("select a, '\x81\xb0', b"), unsafe, "select a, ...");
    assert_masked_as(bytes_text("select a, E'\x82_', secret, 'y'"), unsafe, "select a, ?, secret, ?");
}

static void a_sign_goes_with_its_number(void **state)
{
    (void)state;
    assert_masked("select -1, a - 1, (-b), f( - 2,-c, +3)", "select ?, a - ?, (-b), f( ?,-c, ?)");
    assert_masked("select a from t where b in (-1, -2) and c = -3 limit - 4",
                  "select a from t where b in (?) and c = ? limit ?");
    assert_masked("select array[-1, 2, -3], a[1]-1, (1,-", "select array[?], a[?]-?, (?,-");
}

static void control_bytes_and_broken_characters_are_escaped(void **state)
{
    (void)state;
    assert_masked("select \"a\nb\x1b\", \xff", "select \"a\\x0ab\\x1b\", \\xff");
}

static void a_narrow_text_is_cut(void **state)
{
    (void)state;
    char storage[10];
    struct text out;
    text_init(&out, storage, sizeof(storage));
    mask_sql(bytes_text("select a from b"), standard, &out);
    assert_true(out.is_truncated);
    assert_int_equal(strlen(storage), out.size);
}

/* Each form has been seen to leak where literals are replaced by a parser that knows only queries. */
static void no_literal_of_any_statement_is_shown(void **state)
{
    (void)state;
    struct golden golden;
    size_t rows = 0;
    golden_open(&golden, TESTS_FOLDER "/unit/sql/secrets.tsv");
    for (; golden_next(&golden, 1); rows++) {
        static const struct lexer_reading readings[] = {
            { .has_standard_strings = true },
            { .has_standard_strings = false },
            { .has_standard_strings = true, .has_unsafe_encoding = true },
        };
        for (size_t i = 0; i < COUNT_OF(readings) * 2; i++) {
            char storage[2048];
            struct text out;
            text_init(&out, storage, sizeof(storage));
            struct bytes sql = golden.text;
            sql.size = i < COUNT_OF(readings) ? sql.size : sql.size * 3 / 4;
            mask_sql(sql, readings[i % COUNT_OF(readings)], &out);
            assert_null(strstr(storage, "canary"));
            assert_null(strstr(storage, "4711"));
        }
    }
    assert_true(rows >= 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_literal_is_a_question_mark),
        cmocka_unit_test(comments_are_gone),
        cmocka_unit_test(white_space_is_one_space),
        cmocka_unit_test(parameters_names_and_operators_stay),
        cmocka_unit_test(lists_of_literals_and_further_rows_are_left_out),
        cmocka_unit_test(what_does_not_end_is_cut),
        cmocka_unit_test(statements_that_are_secrets_show_their_command_only),
        cmocka_unit_test(letters_behind_a_number_go_with_it),
        cmocka_unit_test(where_readings_part_the_text_is_cut),
        cmocka_unit_test(a_sign_goes_with_its_number),
        cmocka_unit_test(control_bytes_and_broken_characters_are_escaped),
        cmocka_unit_test(a_narrow_text_is_cut),
        cmocka_unit_test(no_literal_of_any_statement_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
