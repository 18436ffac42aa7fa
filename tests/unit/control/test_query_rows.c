/* SPDX-License-Identifier: PostgreSQL */
#include "control/question.h"
#include "unit/control/conversation.h"

#include <setjmp.h>

#include <cmocka.h>

static const struct history_column columns[] = { { "a", "INTEGER" }, { "b", "" }, { "c", "REAL" } };

static struct query_rows *rows_of(const struct history_value (*values)[3], size_t count)
{
    struct query_rows *rows = query_rows_create(100000);
    assert_non_null(rows);
    assert_true(query_rows_take_columns(rows, columns, COUNT_OF(columns)));
    for (size_t i = 0; i < count; i++)
        assert_true(query_rows_take_row(rows, values[i], COUNT_OF(columns)));
    return rows;
}

static void assert_sent(const struct query_rows *rows, const struct question_form *form, const char *expected)
{
    char storage[4096];
    struct text text;
    struct buffer out;
    struct console_outcome outcome = { 0 };
    buffer_init(&out, CONVERSATION_MOST);
    text_init(&text, storage, sizeof storage);
    question_describe(rows, form, &out);
    question_write(rows, form, &out, &outcome);
    assert_string_equal(outcome.sqlstate, "");
    hear(buffer_bytes(&out), &text);
    assert_string_equal(storage, expected);
    buffer_release(&out);
}

static void a_column_has_the_type_that_all_its_values_fit(void **state)
{
    (void)state;
    static const struct question_form plain;
    const struct history_value values[][3] = {
        { history_integer(-1), history_integer(2), history_integer(3) },
        { history_text("x\x1by"), history_integer(INT64_MIN), history_real(0.1) },
    };
    struct query_rows *rows = rows_of(values, 2);
    assert_sent(rows, &plain,
                "T a:25|b:20|c:701\nD -1|2|3\nD x\\x1by|-9223372036854775808|0.1\nC SELECT 2\n");
    query_rows_destroy(rows);
}

static void without_values_the_declaration_counts(void **state)
{
    (void)state;
    static const struct question_form plain;
    const struct history_value values[][3] = { { { .type = HISTORY_NULL } } };
    struct query_rows *rows = rows_of(values, 1);
    assert_sent(rows, &plain, "T a:20|b:25|c:701\nD ~|~|~\nC SELECT 1\n");
    query_rows_destroy(rows);
}

static void what_was_promised_is_kept_or_refused(void **state)
{
    (void)state;
    struct console_outcome outcome = { 0 };
    struct buffer out;
    struct question_form form = { .has_fixed = true,
                                  .fixed_count = 3,
                                  .fixed = { QUERY_INTEGER, QUERY_TEXT, QUERY_REAL } };
    const struct history_value values[][3] = { { history_integer(1), history_integer(2), history_integer(3) },
                                               { history_text("x"), history_text(""), history_real(4) } };
    struct query_rows *rows = rows_of(values, 1);
    assert_sent(rows, &form, "T a:20|b:25|c:701\nD 1|2|3\nC SELECT 1\n");
    query_rows_destroy(rows);
    rows = rows_of(values, 2);
    buffer_init(&out, CONVERSATION_MOST);
    question_write(rows, &form, &out, &outcome);
    assert_string_equal(outcome.sqlstate, "22P02");
    form.formats.count = 2;
    question_write(rows, &form, &out, &outcome);
    assert_string_equal(outcome.sqlstate, "08P01");
    buffer_release(&out);
    query_rows_destroy(rows);
}

static void what_does_not_fit_is_told(void **state)
{
    (void)state;
    struct history_value value = history_text("twelve bytes");
    struct query_rows *rows = query_rows_create(20);
    assert_true(query_rows_take_columns(rows, columns, 1));
    assert_true(query_rows_take_row(rows, &value, 1));
    assert_false(query_rows_take_row(rows, &value, 1));
    query_rows_destroy(rows);
    rows = query_rows_create(20);
    assert_false(query_rows_take_columns(rows, columns, QUERY_COLUMNS_MOST + 1));
    query_rows_destroy(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_column_has_the_type_that_all_its_values_fit),
        cmocka_unit_test(without_values_the_declaration_counts),
        cmocka_unit_test(what_was_promised_is_kept_or_refused),
        cmocka_unit_test(what_does_not_fit_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
