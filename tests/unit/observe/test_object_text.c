/* SPDX-License-Identifier: PostgreSQL */
#include "observe/object_text.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void a_list_is_read_name_by_name(void **state)
{
    (void)state;
    struct bytes list = bytes_text("public.orders, \"Le\"\"ad\".\"a, b\", schema audit, t");
    struct object_reference name;
    assert_true(object_text_next(&list, &name));
    assert_string_equal(name.schema, "public");
    assert_string_equal(name.name, "orders");
    assert_true(object_text_next(&list, &name));
    assert_string_equal(name.schema, "Le\"ad");
    assert_string_equal(name.name, "a, b");
    assert_false(name.is_schema);
    assert_true(object_text_next(&list, &name));
    assert_string_equal(name.name, "audit");
    assert_true(name.is_schema);
    assert_true(object_text_next(&list, &name));
    assert_string_equal(name.schema, "");
    assert_string_equal(name.name, "t");
    assert_false(object_text_next(&list, &name));
    assert_int_equal(list.size, 0);
}

static void what_cannot_be_read_is_left(void **state)
{
    (void)state;
    static const char *const texts[] = { "\"cut", "public.", "a.b;c", ", a", "a,b" };
    struct object_reference name;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct bytes list = bytes_text(texts[i]);
        assert_false(object_text_next(&list, &name));
        assert_int_equal(list.size, strlen(texts[i]));
    }
}

static bool fits(const char *text, const char *schema, const char *table)
{
    struct bytes list = bytes_text(text);
    struct object_reference name;
    assert_true(object_text_next(&list, &name));
    return object_reference_fits(&name, schema, table);
}

static void a_schema_that_is_not_said_is_any(void **state)
{
    (void)state;
    assert_true(fits("orders", "public", "orders"));
    assert_true(fits("public.orders", "public", "orders"));
    assert_true(fits("public.orders", "", "orders"));
    assert_false(fits("sales.orders", "public", "orders"));
    assert_false(fits("orders", "public", "order"));
    assert_false(fits("\"Orders\"", "public", "orders"));
    assert_true(fits("schema public", "public", "orders"));
    assert_false(fits("schema audit", "public", "orders"));
    assert_false(fits("schema orders", "public", "orders"));
}

static void a_statement_is_searched_by_whole_names(void **state)
{
    (void)state;
    static const char statement[] =
        "ALTER TABLE t ADD CONSTRAINT State_Check CHECK (\"Odd\"\"One\" in ($1)), x_2";
    assert_true(object_text_names(statement, "state_check"));
    assert_true(object_text_names(statement, "Odd\"One"));
    assert_true(object_text_names(statement, "t"));
    assert_true(object_text_names(statement, "x_2"));
    assert_false(object_text_names(statement, "state"));
    assert_false(object_text_names(statement, "check_"));
    assert_false(object_text_names(statement, "odd\"one"));
    assert_false(object_text_names(statement, ""));
    assert_false(object_text_names("\"never ends", "never ends"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_is_read_name_by_name),
        cmocka_unit_test(what_cannot_be_read_is_left),
        cmocka_unit_test(a_schema_that_is_not_said_is_any),
        cmocka_unit_test(a_statement_is_searched_by_whole_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
