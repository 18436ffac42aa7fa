/* SPDX-License-Identifier: PostgreSQL */
#include "sql/mask.h"
#include "sql/shape.h"
#include "unit/sql/golden.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct lexer_reading standard = { .has_standard_strings = true };
static const struct lexer_reading readings[] = { { .has_standard_strings = true },
                                                 { .has_standard_strings = false },
                                                 { .has_standard_strings = true,
                                                   .has_unsafe_encoding = true } };

static uint64_t shape_of(const char *sql)
{
    return shape_sql(bytes_text(sql), standard);
}

static void assert_same(const char *one, const char *other)
{
    if (shape_of(one) != shape_of(other))
        fail_msg("%s\n%s", one, other);
}

static void assert_other(const char *one, const char *other)
{
    if (shape_of(one) == shape_of(other))
        fail_msg("%s\n%s", one, other);
}

static void literals_do_not_count(void **state)
{
    (void)state;
    assert_same("select * from t where a = 1", "select * from t where a = 2.5e7");
    assert_same("select * from t where a = 1", "select * from t where a = 'x'");
    assert_same("select E'a\\'b', $$c$$, x'1f', b", "select 'a', 2, b");
    assert_same("select date '2026-01-01'", "select date '2027-12-31'");
    assert_other("select a from t where b = 1", "select a from t where c = 1");
    assert_other("select a from t where b = 1", "select a from t where b = c");
    assert_other("select $1, $2", "select $1, $1");
    assert_other("select $1", "select $11");
    assert_other("select 1", "select $1");
}

static void a_sign_goes_with_its_number(void **state)
{
    (void)state;
    assert_same("select * from t where a = -1", "select * from t where a = 1");
    assert_same("insert into t values (-1, 2, -3)", "insert into t values (1)");
    assert_same("select a from t where b between -1 and -2 limit +3",
                "select a from t where b between 1 and 2 limit 3");
    assert_same("select a[-1], array[-1, 2]", "select a[1], array[1]");
    assert_same("select -1", "select 1");
    assert_other("select a - 1", "select a 1");
    assert_other("select a[1] - 1", "select a[1] 1");
    assert_other("select (a) - 1", "select (a) 1");
    assert_other("select 2 - 1", "select 2 1");
    assert_other("select (-a)", "select (a)");
    assert_other("select (-a)", "select (+a)");
    assert_other("select b = - - 1", "select b = 1");
    assert_other("select (- 'x')", "select ('x')");
}

static void lists_and_rows_of_any_length_are_the_same(void **state)
{
    (void)state;
    assert_same("select * from t where a in (1, 2, 3) and b", "select * from t where a in (1) and b");
    assert_same("select array[1, 2, 3]", "select array['x']");
    assert_same("insert into t (a, b) values (1, now()), (2, f(3, (4))), (5, 6) returning a",
                "insert into t (a, b) values (1, now()) returning a");
    assert_other("select * from t where a in ($1, $2)", "select * from t where a in ($1)");
    assert_other("insert into t values (1, x)", "insert into t values (1)");
    assert_other("select f(1, a)", "select f(1)");
    assert_other("select 1, 2 + a", "select 1");
}

static void layout_comments_and_case_do_not_count(void **state)
{
    (void)state;
    assert_same("select a from t where b=1", "SELECT\n\ta  FROM t -- c\nWHERE /* d */ B = 2 /*route='x'*/");
    assert_same("select a", "select a;");
    assert_same("select a", "select a ; -- bye");
    assert_same("select U&\"a\"", "select u&\"a\"");
    assert_other("select a", "select a; select b");
    assert_other("select a", "select a;;");
    assert_other("select \"a\"", "select \"A\"");
    assert_other("select \"a\"", "select a");
    assert_other("select U&\"a\"", "select \"a\"");
    assert_other("select a b", "select ab");
    assert_other("select a.b", "select a, b");
    assert_other("select a <= b", "select a < = b");
    assert_other("", "select");
    assert_same("", "-- nothing\n");
}

static void words_count_as_far_as_the_server_reads_them(void **state)
{
    (void)state;
#define LONG "a12345678901234567890123456789012345678901234567890123456789012"
    assert_same("select " LONG "b", "select " LONG "c");
    assert_same("select \"" LONG "b\"", "select \"" LONG "c\"");
    for (size_t i = 0; i < sizeof(LONG) - 1; i++) {
        char text[] = "select " LONG;
        text[sizeof("select ") - 1 + i] = 'x';
        assert_other(text, "select " LONG);
        text[sizeof("select ") - 1 + i] = '\0';
        assert_other(text, "select " LONG);
    }
#undef LONG
}

static void what_is_secret_or_doubtful_does_not_count(void **state)
{
    (void)state;
    assert_same("create role a password 'b'", "CREATE ROLE c WITH LOGIN");
    assert_same("alter user a; select 1", "alter user b password x; select 2");
    assert_other("create role a", "create user a");
    assert_other("create role a; select 1", "create role a; select b");
    assert_other("create table a (b int)", "create table c (b int)");
    assert_same("select a, 'x\\', secret, 'y'", "select a, 'x\\', other, 'y'");
    assert_same("select a, 'open", "select a, 'end");
    assert_other("select a, 'open", "select a, 'closed'");
    assert_other("select a, 'open", "select a");
    assert_same("select 1secret, a", "select 2other, a");
}

static uint64_t shape_of_pieces(struct bytes sql, size_t first, size_t step, struct lexer_reading reading)
{
    struct shape shape;
    shape_begin(&shape, reading);
    shape_feed(&shape, bytes_take(&sql, first));
    while (sql.size > 0)
        shape_feed(&shape, bytes_take(&sql, step < sql.size ? step : sql.size));
    return shape_end(&shape);
}

static void assert_cuts_do_not_count(struct bytes sql)
{
    for (size_t i = 0; i < COUNT_OF(readings); i++) {
        uint64_t whole = shape_sql(sql, readings[i]);
        for (size_t first = 0; first <= sql.size; first++)
            assert_int_equal(shape_of_pieces(sql, first, sql.size, readings[i]), whole);
        assert_int_equal(shape_of_pieces(sql, 0, 1, readings[i]), whole);
        assert_int_equal(shape_of_pieces(sql, 0, 3, readings[i]), whole);
    }
}

static const char *const tables[] = { TESTS_FOLDER "/unit/sql/statements.tsv",
                                      TESTS_FOLDER "/unit/sql/secrets.tsv" };
static const int columns[] = { 4, 1 };

static void any_cut_gives_the_same(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "select 'a\\\\b', E'c\\'d' -- x\n 'e', f",
        "select $a$ \\ $b$ \\ $a$, \"x\\\"\"y\" /* \\ */ + 1",
        "copy t from stdin \\ select 'a\\",
        "select '\x95\\', a, '\x95\x5c\x95'",
        "select $12345678901234567890, $1",
        "insert into t values (-1, '\\x00ff'), (2, '\\x01'); create user a; x",
    };
    struct golden golden;
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        assert_cuts_do_not_count(bytes_text(texts[i]));
    for (size_t i = 0; i < COUNT_OF(tables); i++) {
        golden_open(&golden, tables[i]);
        while (golden_next(&golden, (size_t)columns[i]))
            assert_cuts_do_not_count(golden.text);
    }
}

/* What of a mask counts for a shape. */
static void fold_mask(char *mask)
{
    char *out = mask;
    for (const char *in = mask; *in != '\0'; in++) {
        if (*in != ' ')
            *out++ = (char)(*in >= 'A' && *in <= 'Z' ? *in | 0x20 : *in);
    }
    if (out > mask && out[-1] == ';')
        out--;
    *out = '\0';
}

struct known {
    char *mask;
    uint64_t shape;
};

static size_t read_known(const char *path, size_t column_count, struct lexer_reading reading,
                         struct known *known)
{
    struct golden golden;
    size_t count = 0;
    golden_open(&golden, path);
    for (; golden_next(&golden, column_count); count++) {
        char storage[4096];
        struct text out;
        text_init(&out, storage, sizeof(storage));
        mask_sql(golden.text, reading, &out);
        fold_mask(storage);
        known[count] = (struct known){ strdup(storage), shape_sql(golden.text, reading) };
        assert_non_null(known[count].mask);
    }
    return count;
}

static void texts_with_the_same_mask_have_the_same_shape_and_others_another(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(readings); i++) {
        static struct known known[1000];
        size_t pairs = 0;
        size_t count = read_known(tables[0], 4, readings[i], known);
        count += read_known(tables[1], 1, readings[i], known + count);
        for (size_t a = 0; a < count; a++)
            for (size_t b = 0; b < a; b++) {
                bool is_same = strcmp(known[a].mask, known[b].mask) == 0;
                pairs += is_same;
                if (is_same != (known[a].shape == known[b].shape))
                    fail_msg("%s\n%s", known[a].mask, known[b].mask);
            }
        assert_true(pairs > 10);
        for (size_t a = 0; a < count; a++)
            free(known[a].mask);
    }
}

static void no_shape_depends_on_a_secret(void **state)
{
    (void)state;
    struct golden golden;
    golden_open(&golden, tables[1]);
    while (golden_next(&golden, 1)) {
        for (size_t i = 0; i < COUNT_OF(readings); i++) {
            char other[GOLDEN_LINE_SIZE];
            uint64_t shape = shape_sql(golden.text, readings[i]);
            memcpy(other, golden.text.data, golden.text.size);
            other[golden.text.size] = '\0';
            for (char *at = other; (at = strstr(at, "canary")) != NULL;)
                memcpy(at, "secret", 6);
            for (char *at = other; (at = strstr(at, "4711")) != NULL;)
                memcpy(at, "9999", 4);
            assert_int_equal(shape_sql(bytes_of(other, golden.text.size), readings[i]), shape);
        }
    }
}

static int compare_shapes(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a;
    uint64_t other = *(const uint64_t *)b;
    return (one > other) - (one < other);
}

/* Half a million texts that differ in one name or in two that are exchanged; and all bits of the result are
 * in use. */
static void different_names_have_different_shapes(void **state)
{
    (void)state;
    enum { NAMES = 700 };
    uint64_t *shapes = malloc(NAMES * NAMES * sizeof(*shapes));
    size_t bits[64] = { 0 };
    assert_non_null(shapes);
    for (unsigned i = 0; i < NAMES * NAMES; i++) {
        char text[64];
        int size = snprintf(text, sizeof(text), "select c%u, c%u from t", i / NAMES, i % NAMES);
        shapes[i] = shape_sql(bytes_of(text, (size_t)size), standard);
        for (unsigned bit = 0; bit < 64; bit++)
            bits[bit] += shapes[i] >> bit & 1;
    }
    qsort(shapes, NAMES * NAMES, sizeof(*shapes), compare_shapes);
    for (size_t i = 1; i < NAMES * NAMES; i++)
        assert_int_not_equal(shapes[i - 1], shapes[i]);
    for (unsigned bit = 0; bit < 64; bit++)
        assert_in_range(bits[bit], NAMES * NAMES / 2 - 2000, NAMES * NAMES / 2 + 2000);
    free(shapes);
}

/* They are written down: one release knows the shapes of another. */
static void shapes_stay_what_they_are(void **state)
{
    (void)state;
    char text[SHAPE_TEXT_SIZE];
    shape_text(shape_of("select * from orders where customer_identifier = 1"), text);
    assert_string_equal(text, "m:fb57fae3db5deda3");
    shape_text(UINT64_C(0xabc), text);
    assert_string_equal(text, "m:0000000000000abc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_do_not_count),
        cmocka_unit_test(a_sign_goes_with_its_number),
        cmocka_unit_test(lists_and_rows_of_any_length_are_the_same),
        cmocka_unit_test(layout_comments_and_case_do_not_count),
        cmocka_unit_test(words_count_as_far_as_the_server_reads_them),
        cmocka_unit_test(what_is_secret_or_doubtful_does_not_count),
        cmocka_unit_test(any_cut_gives_the_same),
        cmocka_unit_test(texts_with_the_same_mask_have_the_same_shape_and_others_another),
        cmocka_unit_test(no_shape_depends_on_a_secret),
        cmocka_unit_test(different_names_have_different_shapes),
        cmocka_unit_test(shapes_stay_what_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
