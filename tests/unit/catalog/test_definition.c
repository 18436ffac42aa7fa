/* SPDX-License-Identifier: PostgreSQL */
#include "base/buffer.h"
#include "catalog/definition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { STORAGE_LIMIT = 256 * 1024 };

struct expected {
    const char *text;
    const char *column;
    const char *values;
    int count; /* -1: no list */
    bool is_whole;
    bool refuses_null;
    bool is_not_valid;
};

static const struct expected of_servers[] = {
#define DEFINITION(text, column, values, count, is_whole, refuses_null, is_not_valid)                        \
    { text, column, values, count, is_whole, refuses_null, is_not_valid },
#include "unit/catalog/definitions.def"
#undef DEFINITION
};

static const struct expected of_nobody[] = {
    { "", "", "", -1, false, false, false },
    { "CHECK", "", "", -1, false, false, false },
    { "CHECK (", "", "", -1, false, false, false },
    { "CHECK ((s = 'a'", "", "", -1, false, false, false },
    { "CHECK ((s = 'a'::text)", "", "", -1, false, false, false },
    { "CHECK ((s = 'a'::text)) = 1", "", "", -1, false, false, false },
    { "CHECK ((s = 'a'::text)))", "", "", -1, false, false, false },
    { "CHECK ((s = 'unterminated))", "", "", -1, false, false, false },
    { "CHECK ((s = U&'\\0061'))", "", "", -1, false, false, false },
    { "CHECK ((s = E'\\x61'))", "", "", -1, false, false, false },
    { "CHECK ((s = 'a'\n'b'))", "", "", -1, false, false, false },
    { "CHECK ((s = $$a$$))", "", "", -1, false, false, false },
    { "CHECK ((s OPERATOR(public.=) 'a'::public.citext))", "", "", -1, false, false, false },
    { "CHECK ((s = ANY ('{(1,1),(0,0)}'::box[])))", "", "", -1, false, false, false },
    { "CHECK ((s = ANY ('{a'::text[])))", "", "", -1, false, false, false },
    { "CHECK ((s = ANY ('{a}x'::text[])))", "", "", -1, false, false, false },
    { "CHECK ((s = ANY ('{a,}'::text[])))", "", "", -1, false, false, false },
    { "CHECK ((s = ANY ('{\"a}'::text[])))", "", "", -1, false, false, false },
    { "CHECK ((s = ANY ('[0:1]={a,b}'::text[])))", "", "", -1, false, false, false },
    { "CHECK ((s = ('1'::text)::integer))", "", "", -1, false, false, false },
    { "CHECK ((s = ('a'::public.text)::text))", "", "", -1, false, false, false },
    { "CHECK (((s)::public.text = 'a'))", "", "", -1, false, false, false },
    { "CHECK ((s = ANY (ARRAY['a'::text) OR true]))", "", "", -1, false, false, false },
    { "CHECK (((CASE WHEN x THEN y END AND s = 'a') OR z))", "", "", -1, false, false, false },
    { "CHECK ((s IN ('a', 'b'))) NOT VALID NOT ENFORCED", "s", "a\0b\0", 2, true, false, true },
    { "CHECK ((s IN ('a'))) NOT ENFORCED", "s", "a\0", 1, true, false, false },
    { "CHECK ((VALUE = 'a'::text))", "VALUE", "a\0", 1, true, false, false },
    { "CHECK ((s = ANY ('{ a b , \"\" }'::text[])))", "s", "a b\0\0", 2, true, false, false },
    { "ENUM ('a', 'it''s', E'b\\\\c')", "", "a\0it's\0b\\c\0", 3, true, false, false },
    { "ENUM ()", "", "", 0, true, false, false },
    { "ENUM ('a', 'b' ... [70000 characters]", "", "", -1, false, false, false },
    { "ENUM (a)", "", "", -1, false, false, false },
    { "FOREIGN KEY (a) REFERENCES public.b(c) NOT VALID", "", "", -1, false, false, true },
};

static void expect_values(struct value_list list, const struct expected *row)
{
    const char *expected = row->values;
    struct bytes value;
    assert_int_equal(list.count, row->count);
    while (value_list_next(&list.packed, &value)) {
        assert_int_equal(value.size, strlen(expected));
        assert_memory_equal(value.data, expected, value.size);
        expected += value.size + 1;
    }
}

static void expect_definition(const struct expected *row)
{
    struct buffer storage;
    struct definition definition;
    buffer_init(&storage, STORAGE_LIMIT);
    definition_read(bytes_text(row->text), &definition, &storage);
    if (definition.has_list != (row->count >= 0))
        fail_msg("%s: %s", definition.has_list ? "a list" : "no list", row->text);
    assert_string_equal(definition.column, row->column);
    assert_int_equal(definition.is_not_valid, row->is_not_valid);
    assert_int_equal(definition.is_whole, row->is_whole);
    assert_int_equal(definition.refuses_null, row->refuses_null);
    if (definition.has_list)
        expect_values(definition.values, row);
    buffer_release(&storage);
}

static void what_servers_write_is_understood(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(of_servers); i++)
        expect_definition(&of_servers[i]);
}

static void what_no_server_writes_is_no_list_unless_it_is_sure(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(of_nobody); i++)
        expect_definition(&of_nobody[i]);
}

static void a_text_that_is_cut_anywhere_is_no_list(void **state)
{
    (void)state;
    const char *text = "CHECK (((s IS NOT NULL) AND ((v)::text = ANY ((ARRAY['a'::character varying, "
                       "'b''c'::character varying])::text[]))))";
    struct buffer storage;
    struct definition definition;
    buffer_init(&storage, STORAGE_LIMIT);
    for (size_t size = 0; size < strlen(text); size++) {
        uint8_t *copy = malloc(size + 1); /* so that a sanitizer sees a read behind its end */
        memcpy(copy, text, size);
        definition_read(bytes_of(copy, size), &definition, &storage);
        assert_false(definition.has_list);
        free(copy);
    }
    definition_read(bytes_text(text), &definition, &storage);
    assert_true(definition.has_list);
    buffer_release(&storage);
}

static void parentheses_without_end_are_bounded(void **state)
{
    (void)state;
    enum { SIZE = 100000 };
    struct buffer storage;
    struct definition definition;
    uint8_t *text = malloc(SIZE);
    memset(text, '(', SIZE);
    memcpy(text, "CHECK ", 6);
    buffer_init(&storage, STORAGE_LIMIT);
    definition_read(bytes_of(text, SIZE), &definition, &storage);
    assert_false(definition.has_list);
    buffer_release(&storage);
    free(text);
}

static void values_beyond_the_limit_are_no_list(void **state)
{
    (void)state;
    struct buffer storage;
    struct definition definition;
    buffer_init(&storage, 12);
    definition_read(bytes_text("CHECK ((s IN ('a', 'b')))"), &definition, &storage);
    assert_true(definition.has_list);
    definition_read(bytes_text("CHECK ((s IN ('a', 'b', 'c')))"), &definition, &storage);
    assert_false(definition.has_list);
    definition_read(bytes_text("CHECK ((s IN ('a')))"), &definition, &storage);
    assert_true(definition.has_list);
    buffer_release(&storage);
}

static void the_body_is_without_the_words_about_validity(void **state)
{
    (void)state;
    static const char *const texts[] = { "CHECK (a)", "CHECK (a) NOT VALID", "CHECK (a) NOT ENFORCED" };
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        assert_true(bytes_equal_text(definition_body(bytes_text(texts[i])), "CHECK (a)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_servers_write_is_understood),
        cmocka_unit_test(what_no_server_writes_is_no_list_unless_it_is_sure),
        cmocka_unit_test(a_text_that_is_cut_anywhere_is_no_list),
        cmocka_unit_test(parentheses_without_end_are_bounded),
        cmocka_unit_test(values_beyond_the_limit_are_no_list),
        cmocka_unit_test(the_body_is_without_the_words_about_validity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
