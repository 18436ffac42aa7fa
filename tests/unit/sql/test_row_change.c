/* SPDX-License-Identifier: PostgreSQL */
#include "sql/classifier.h"
#include "unit/sql/golden.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { CLASSES_TEXT_SIZE = 128 };

static const struct lexer_reading standard = { .has_standard_strings = true };
static const struct lexer_reading escaping = { .has_standard_strings = false };
static const struct lexer_reading unsafe = { .has_standard_strings = true, .has_unsafe_encoding = true };

static const char *classes_text(const struct verdict *verdict, char storage[CLASSES_TEXT_SIZE])
{
    struct text text;
    text_init(&text, storage, CLASSES_TEXT_SIZE);
    for (size_t class = 0; class < CLASS_COUNT; class ++) {
        if ((verdict->classes >> class & 1) != 0)
            text_append_format(&text, "%s%s", text.size > 0 ? "," : "",
                               statement_class_name((enum statement_class) class));
    }
    return storage;
}

static void assert_levels(const struct verdict *verdict)
{
    for (size_t class = 0; class < CLASS_COUNT; class ++) {
        bool occurs = (verdict->classes >> class & 1) != 0;
        uint8_t least = (uint8_t)statement_class_level((enum statement_class) class);
        assert_true(occurs ? verdict->levels[class] >= least : verdict->levels[class] == 0);
    }
    assert_int_equal(verdict->levels[verdict->class], verdict->level);
}

static void each_text_has_the_classes_of_all_its_statements(void **state)
{
    (void)state;
    struct golden golden;
    size_t rows = 0;
    size_t wrong = 0;
    golden_open(&golden, TESTS_FOLDER "/unit/sql/classes.tsv");
    for (; golden_next(&golden, 2); rows++) {
        char storage[CLASSES_TEXT_SIZE];
        struct verdict verdict;
        classify(golden.text, standard, &verdict);
        assert_levels(&verdict);
        bool is_right = strcmp(classes_text(&verdict, storage), golden.columns[0]) == 0;
        if (!is_right)
            print_error("%.*s: %s\n", (int)golden.text.size, (const char *)golden.text.data, storage);
        wrong += !is_right;
    }
    assert_int_equal(wrong, 0);
    assert_true(rows > 150);
}

static bool is_of(enum statement_class class, const char *text, struct lexer_reading reading)
{
    struct verdict verdict;
    classify(bytes_text(text), reading, &verdict);
    return (verdict.classes >> class & 1) != 0;
}

static void a_change_behind_several_doubtful_bytes_is_not_overlooked(void **state)
{
    (void)state;
    assert_true(is_of(CLASS_WRITE, "select E'\xb1\\' \x95\\'; delete from t; --'", unsafe));
    assert_true(is_of(CLASS_WRITE, "select E'\xb1\\' \x95\\'; copy t from stdin; --'", unsafe));
    assert_true(is_of(CLASS_LOCK, "select E'\xb1\\' \x95\\'; lock t; --'", unsafe));
    assert_false(is_of(CLASS_WRITE, "/*/**/*/select E'\xb1\\' \x95\\ delete'", unsafe));
    const char *hidden =
        "with x as (select E'\xb1\\' \x95\\'), y as (delete from t returning 1) select 1 --')";
    assert_true(is_of(CLASS_WRITE, hidden, unsafe));
    assert_true(is_of(CLASS_WRITE, "copy \"\x95\\\" (\"\x95\\\") from stdin", unsafe));
    assert_false(is_of(CLASS_WRITE, "copy \"\x95\\\" (\"\x95\\\") to stdout", unsafe));
    assert_false(is_of(CLASS_COPY_PROGRAM, "copy \"\x95\\\" (\"\x95\\\") from stdin", unsafe));
}

static void both_readings_of_a_backslash_count_for_changes_too(void **state)
{
    (void)state;
    const char *text = "with x as (select '\\'), y as (delete from t returning 1) select ''";
    assert_true(is_of(CLASS_WRITE, text, standard));
    assert_true(is_of(CLASS_WRITE, text, escaping));
    assert_true(is_of(CLASS_WRITE, "select '\\'; delete from t; --'", escaping));
}

static void a_change_is_found_however_deep_it_stands(void **state)
{
    (void)state;
    for (int depth = 1; depth < 100; depth++) {
        char text[4096] = "";
        for (int i = 0; i < depth; i++)
            strcat(text, "with x as (");
        strcat(text, "with y as (select (1)) update t set a = 1");
        for (int i = 0; i < depth; i++)
            strcat(text, ") select 1");
        assert_true(is_of(CLASS_WRITE, text, standard));
        memcpy(strstr(text, "update t"), "select x", 8);
        assert_false(is_of(CLASS_WRITE, text, standard));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_text_has_the_classes_of_all_its_statements),
        cmocka_unit_test(a_change_behind_several_doubtful_bytes_is_not_overlooked),
        cmocka_unit_test(both_readings_of_a_backslash_count_for_changes_too),
        cmocka_unit_test(a_change_is_found_however_deep_it_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
