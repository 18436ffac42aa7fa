/* SPDX-License-Identifier: PostgreSQL */
#include "sql/fingerprint.h"
#include "sql/statement.h"
#include "unit/sql/golden.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct lexer_reading standard = { .has_standard_strings = true };

static void fingerprint_of(const char *sql, char out[FINGERPRINT_SIZE])
{
    fingerprint_sql(bytes_text(sql), false, standard, out);
}

static void assert_same(const char *a, const char *b)
{
    char one[FINGERPRINT_SIZE];
    char other[FINGERPRINT_SIZE];
    fingerprint_of(a, one);
    fingerprint_of(b, other);
    assert_string_equal(one, other);
}

static void assert_other(const char *a, const char *b)
{
    char one[FINGERPRINT_SIZE];
    char other[FINGERPRINT_SIZE];
    fingerprint_of(a, one);
    fingerprint_of(b, other);
    assert_string_not_equal(one, other);
}

static void assert_masked(const char *sql)
{
    char out[FINGERPRINT_SIZE];
    fingerprint_of(sql, out);
    assert_memory_equal(out, "m:", 2);
    assert_int_equal(strlen(out), 18);
}

static void a_query_has_sixteen_digits(void **state)
{
    (void)state;
    char out[FINGERPRINT_SIZE];
    fingerprint_of("select 1", out);
    assert_int_equal(strlen(out), 16);
    assert_int_equal(strspn(out, "0123456789abcdef"), 16);
    assert_string_equal(out, "50fde20626009aba");
}

static void constants_layout_and_comments_do_not_count(void **state)
{
    (void)state;
    assert_same("select a from t where b = 1", "SELECT a\nFROM t -- x\nWHERE b = 'y'");
    assert_same("select a from t where b in (1, 2)", "select a from t where b in (1, 2, 3)");
    assert_same("insert into t values (1)", "insert into t values (2), (3)");
    assert_same("select a from t where b = $1", "select a from t where b = 7");
}

static void names_and_shapes_count(void **state)
{
    (void)state;
    assert_other("select a from t", "select a from u");
    assert_other("select a from t", "select b from t");
    assert_other("select a from t", "select a from s.t");
    assert_other("select a from t where b = 1", "select a from t where b > 1");
    assert_other("insert into t values (1)", "update t set a = 1");
}

static void masked_fingerprints_know_layout_from_names_too(void **state)
{
    (void)state;
    assert_same("comment on table t is 'x'", "COMMENT  on table /* y */ t is 'z'");
    assert_same("frobnicate (1, 2)", "frobnicate(3)");
    assert_other("comment on table t is 'x'", "comment on table u is 'x'");
    assert_other("comment on table t is 'x'", "comment on table \"T\" is 'x'");
    assert_other("frobnicate ab", "frobnicate a b");
    assert_masked("frobnicate the table");
    assert_masked("comment on table t is 'x'");
    assert_masked("");
}

static void texts_the_library_may_misread_are_masked(void **state)
{
    (void)state;
    assert_masked("select 'a\\b'");
    assert_masked("select '\xff'");
    assert_masked("select \"\xc3\"");
    char out[FINGERPRINT_SIZE];
    fingerprint_sql(bytes_text("select 1"), true, standard, out);
    assert_memory_equal(out, "m:", 2);
    struct lexer_reading unsafe = { .has_standard_strings = true, .has_unsafe_encoding = true };
    fingerprint_sql(bytes_text("select 1"), false, unsafe, out);
    assert_memory_equal(out, "m:", 2);
    fingerprint_sql(bytes_of("select 1\0x", 10), false, standard, out);
    assert_memory_equal(out, "m:", 2);
}

static void a_long_text_is_known_by_its_beginning(void **state)
{
    (void)state;
    static char sql[STATEMENT_TEXT_MOST * 3];
    char one[FINGERPRINT_SIZE];
    char other[FINGERPRINT_SIZE];
    memset(sql, ' ', sizeof(sql));
    memcpy(sql, "select a", 8);
    fingerprint_sql(bytes_of(sql, sizeof(sql)), false, standard, one);
    memcpy(sql + sizeof(sql) - 8, "from tab", 8);
    fingerprint_sql(bytes_of(sql, sizeof(sql)), false, standard, other);
    assert_string_equal(one, other);
    assert_memory_equal(one, "m:", 2);
}

static void deep_nesting_does_no_harm(void **state)
{
    (void)state;
    char sql[STATEMENT_TEXT_MOST] = "select 1";
    char out[FINGERPRINT_SIZE];
    for (size_t at = 8; at + 2 < sizeof(sql); at += 2)
        memcpy(sql + at, "+1", 2);
    fingerprint_of(sql, out);
    assert_true(strlen(out) >= 16);
    memset(sql + 7, '(', sizeof(sql) - 8);
    fingerprint_of(sql, out);
    assert_memory_equal(out, "m:", 2);
}

/* Replaces all of `from` by `to`, which is as long. */
static void replace(char *text, size_t size, const char *from, const char *to)
{
    for (size_t i = 0; i + strlen(from) <= size; i++) {
        if (memcmp(text + i, from, strlen(from)) == 0)
            memcpy(text + i, to, strlen(to));
    }
}

static void no_fingerprint_depends_on_a_literal(void **state)
{
    (void)state;
    struct golden golden;
    size_t wrong = 0;
    golden_open(&golden, TESTS_FOLDER "/unit/sql/secrets.tsv");
    while (golden_next(&golden, 1)) {
        char text[GOLDEN_LINE_SIZE];
        char one[FINGERPRINT_SIZE];
        char other[FINGERPRINT_SIZE];
        size_t size = golden.text.size;
        memcpy(text, golden.text.data, size);
        replace(text, size, "canary", "parrot");
        replace(text, size, "4711", "8150");
        fingerprint_sql(golden.text, false, standard, one);
        fingerprint_sql(bytes_of(text, size), false, standard, other);
        if (strcmp(one, other) != 0)
            print_error("%.*s: %s %s\n", (int)size, text, one, other);
        wrong += strcmp(one, other) != 0;
    }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_query_has_sixteen_digits),
        cmocka_unit_test(constants_layout_and_comments_do_not_count),
        cmocka_unit_test(names_and_shapes_count),
        cmocka_unit_test(masked_fingerprints_know_layout_from_names_too),
        cmocka_unit_test(texts_the_library_may_misread_are_masked),
        cmocka_unit_test(a_long_text_is_known_by_its_beginning),
        cmocka_unit_test(deep_nesting_does_no_harm),
        cmocka_unit_test(no_fingerprint_depends_on_a_literal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
