/* SPDX-License-Identifier: PostgreSQL */
#include "sql/classifier.h"
#include "unit/sql/golden.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { CUT_TEXT_MOST = 48 }; /* pairs of cuts grow with the square of the size */

static void assert_same_names(const struct name_list *one, const struct name_list *other)
{
    assert_int_equal(one->count, other->count);
    assert_memory_equal(one->texts, other->texts, one->size);
}

static void assert_same(const struct verdict *one, const struct verdict *other)
{
    assert_int_equal(one->class, other->class);
    assert_int_equal(one->level, other->level);
    assert_int_equal(one->is_guarded, other->is_guarded);
    assert_int_equal(one->classes, other->classes);
    assert_memory_equal(one->levels, other->levels, sizeof(one->levels));
    assert_int_equal(one->has_temporary, other->has_temporary);
    assert_int_equal(one->statement_count, other->statement_count);
    assert_ptr_equal(one->command, other->command);
    assert_same_names(&one->executes, &other->executes);
    assert_same_names(&one->prepares, &other->prepares);
}

static const struct lexer_reading readings[] = {
    { .has_standard_strings = true },
    { .has_standard_strings = false },
    { .has_vertical_tab = true },
    { .has_standard_strings = true, .has_unsafe_encoding = true, .has_vertical_tab = true },
};
static const struct lexer_reading standard = { .has_standard_strings = true };
static const struct lexer_reading escaping = { .has_standard_strings = false };
static const struct lexer_reading unsafe = { .has_standard_strings = true, .has_unsafe_encoding = true };

static struct verdict verdict_of(const char *text, struct lexer_reading reading)
{
    struct verdict verdict;
    classify(bytes_text(text), reading, &verdict);
    return verdict;
}

static struct verdict verdict_streamed(struct bytes text, size_t first, size_t second,
                                       struct lexer_reading reading)
{
    struct classifier classifier;
    struct verdict verdict;
    classifier_begin(&classifier, reading);
    classifier_feed(&classifier, bytes_take(&text, first));
    classifier_feed(&classifier, bytes_take(&text, second));
    classifier_feed(&classifier, text);
    classifier_end(&classifier, &verdict);
    return verdict;
}

static void assert_class(enum statement_class class, const char *text, struct lexer_reading reading)
{
    struct verdict verdict = verdict_of(text, reading);
    if (verdict.class != class)
        print_error("%s: %s\n", text, statement_class_name(verdict.class));
    assert_int_equal(verdict.class, class);
}

static void each_statement_has_its_class(void **state)
{
    (void)state;
    struct golden golden;
    size_t rows = 0;
    size_t wrong = 0;
    golden_open(&golden, TESTS_FOLDER "/unit/sql/statements.tsv");
    for (; golden_next(&golden, 4); rows++) {
        struct verdict verdict;
        classify(golden.text, standard, &verdict);
        bool is_right = strcmp(statement_class_name(verdict.class), golden.columns[0]) == 0 &&
                        (int)verdict.level == atoi(golden.columns[1]) &&
                        strcmp(verdict.command, golden.columns[2]) == 0 &&
                        verdict.is_guarded == statement_class_is_guarded(verdict.class);
        if (!is_right)
            print_error("%.*s: %s %d %s\n", (int)golden.text.size, (const char *)golden.text.data,
                        statement_class_name(verdict.class), (int)verdict.level, verdict.command);
        wrong += !is_right;
    }
    assert_int_equal(wrong, 0);
    assert_true(rows > 400);
}

static const char *const tables[] = { TESTS_FOLDER "/unit/sql/statements.tsv",
                                      TESTS_FOLDER "/unit/sql/classes.tsv" };
static const size_t columns[] = { 4, 2 };

typedef void (*text_check)(struct bytes text);

static void for_each_text(text_check check)
{
    struct golden golden;
    for (size_t i = 0; i < COUNT_OF(tables); i++) {
        golden_open(&golden, tables[i]);
        while (golden_next(&golden, columns[i]))
            check(golden.text);
    }
}

static void check_cuts(struct bytes text)
{
    if (text.size > CUT_TEXT_MOST)
        return;
    struct verdict whole = verdict_streamed(text, text.size, 0, standard);
    for (size_t i = 0; i <= text.size; i++) {
        for (size_t j = 0; i + j <= text.size; j++) {
            struct verdict cut = verdict_streamed(text, i, j, standard);
            assert_same(&cut, &whole);
        }
    }
}

static void a_text_is_judged_alike_however_it_is_cut(void **state)
{
    (void)state;
    for_each_text(check_cuts);
}

static void check_bytes(struct bytes text)
{
    for (size_t r = 0; r < COUNT_OF(readings); r++) {
        struct verdict whole = verdict_streamed(text, text.size, 0, readings[r]);
        struct classifier classifier;
        struct verdict verdict;
        classifier_begin(&classifier, readings[r]);
        for (size_t i = 0; i < text.size; i++)
            classifier_feed(&classifier, bytes_of(text.data + i, 1));
        classifier_end(&classifier, &verdict);
        assert_same(&verdict, &whole);
    }
}

static void a_text_is_judged_alike_byte_by_byte(void **state)
{
    (void)state;
    for_each_text(check_bytes);
}

static void check_paths(struct bytes text)
{
    for (size_t r = 0; r < COUNT_OF(readings); r++) {
        struct verdict streamed = verdict_streamed(text, text.size, 0, readings[r]);
        struct verdict verdict;
        classify(text, readings[r], &verdict);
        assert_same(&verdict, &streamed);
    }
}

static void the_fast_path_agrees_with_the_streaming_one(void **state)
{
    (void)state;
    for_each_text(check_paths);
}

static void both_settings_of_standard_conforming_strings_are_feared(void **state)
{
    (void)state;
    assert_class(CLASS_DESTRUCTIVE, "select '\\'' ; drop table dd; --'", standard);
    assert_class(CLASS_DESTRUCTIVE, "select '\\'' ; drop table dd; --'", escaping);
    assert_class(CLASS_DESTRUCTIVE, "select '\\'; drop table dd; --'", standard);
    assert_class(CLASS_DESTRUCTIVE, "select '\\'; drop table dd; --'", escaping);
    assert_class(CLASS_NONE, "select 'it''s; drop table dd'", escaping);
}

static void another_reading_that_does_not_end_is_no_danger(void **state)
{
    (void)state;
    assert_class(CLASS_WRITE, "insert into t values ('C:\\', 'x; drop it')", standard);
    assert_class(CLASS_WRITE, "insert into t values ('x; drop \\'it\\'')", escaping);
    assert_class(CLASS_UNKNOWN, "insert into t values ('C:\\', 'x; drop it')", escaping);
}

static void a_backslash_may_be_half_a_character(void **state)
{
    (void)state;
    const char *text = "select E'\x95\\'; drop table dd; --'";
    assert_class(CLASS_NONE, text, standard);
    assert_class(CLASS_DESTRUCTIVE, text, unsafe);
    assert_class(CLASS_DESTRUCTIVE, "select E'\xb1\\\\'; drop table dd; --'", unsafe);
    assert_true(verdict_of("select $\x83|$ ' $\x83|$; drop table dd; --'", unsafe).is_guarded);
    assert_class(CLASS_WRITE, "insert into t values ('\x95\\')", unsafe);
}

static void several_doubtful_bytes_are_not_trusted(void **state)
{
    (void)state;
    const char *mixed = "select E'\xb1\\' \x95\\'; drop table dd; --'";
    assert_class(CLASS_DESTRUCTIVE, "select E'\x95\\'; drop table dd; --'", unsafe);
    struct verdict verdict = verdict_of(mixed, unsafe);
    assert_true(verdict.is_guarded && verdict.level == LEVEL_MODIFYING);
    assert_class(CLASS_UNKNOWN, "select E'\xb1\\' \x95\\' into t --'", unsafe);
    assert_class(CLASS_WRITE, "insert into t values ('\x95\\ \x95\\ drop')", unsafe);
}

static void nothing_is_overlooked_behind_what_is_settled(void **state)
{
    (void)state;
    assert_class(CLASS_DESTRUCTIVE, "insert into t values (1); drop table t", standard);
    assert_class(CLASS_DESTRUCTIVE, "update t set a = 1; ; begin; drop table t", standard);
    assert_class(CLASS_DCL, "create schema s grant select on a to b", standard);
    assert_class(CLASS_MODIFYING,
                 "create schema s grant select on a to b create table c partition of d default", standard);
    assert_class(CLASS_UNKNOWN, "insert into t values (';'); insert into t values ('drop", standard);
    assert_class(CLASS_UNKNOWN, "once more 'drop", standard);
    assert_class(CLASS_UNKNOWN, "once more drop", standard);
    assert_class(CLASS_ADDITIVE, "select 1, 2 as \"as\" into t; values (1)", standard);
    assert_class(CLASS_NONE, "select 1, ';' as into from t", standard);
}

static void a_vertical_tab_is_blank_from_17_on(void **state)
{
    (void)state;
    struct lexer_reading reading = standard;
    assert_class(CLASS_UNKNOWN, "\vdrop table x", reading);
    reading.has_vertical_tab = true;
    assert_class(CLASS_DESTRUCTIVE, "\vdrop table x", reading);
    assert_class(CLASS_ADDITIVE, "select 'a'\v\n'b'; create table t (a int)", reading);
}

static void a_tag_too_long_to_follow_is_not_trusted(void **state)
{
    (void)state;
    char text[512];
    char tag[128];
    memset(tag, 'a', sizeof(tag) - 1);
    tag[sizeof(tag) - 1] = '\0';
    snprintf(text, sizeof(text), "select $%s$ x $%s$; drop table dd", tag, tag);
    assert_class(CLASS_UNKNOWN, text, standard);
    snprintf(text, sizeof(text), "select '\\'; select $%s$ x $%s$; drop table dd --'", tag, tag);
    assert_class(CLASS_UNKNOWN, text, standard);
    snprintf(text, sizeof(text), "select $%s$ x $%s$", tag, tag);
    assert_class(CLASS_NONE, text, standard);
    snprintf(text, sizeof(text), "select $%s$ x $%s$ into made", tag, tag);
    assert_class(CLASS_UNKNOWN, text, standard);
    snprintf(text, sizeof(text), "begin; select $%s$ x $%s$ into made", tag, tag);
    assert_class(CLASS_UNKNOWN, text, standard);
    snprintf(text, sizeof(text), "set a = $%s$ x $%s$", tag, tag);
    assert_class(CLASS_NONE, text, standard);
    snprintf(text, sizeof(text), "insert into t select $%s$ x into y $%s$", tag, tag);
    assert_class(CLASS_WRITE, text, standard);
    snprintf(text, sizeof(text), "with a as (select $%s$ x $%s$), b as (delete from t returning 1) select 1",
             tag, tag);
    assert_class(CLASS_WRITE, text, standard);
}

static void a_number_that_servers_read_differently_is_not_trusted(void **state)
{
    (void)state;
    assert_class(CLASS_UNKNOWN, "select 1_0$$; drop table dd; --$$", standard);
    assert_class(CLASS_UNKNOWN, "select 0x1$a$; drop table dd; --$a$", standard);
    assert_class(CLASS_UNKNOWN, "select 1_0$$ into made --$$", standard);
    assert_class(CLASS_NONE, "select 1_0$$ a $$", standard);
    assert_class(CLASS_NONE, "select 10$$; drop table dd; --$$", standard);
    assert_class(CLASS_DESTRUCTIVE, "select 1_0; drop table dd", standard);
}

static void a_character_may_be_an_ascii_one(void **state)
{
    (void)state;
    const struct lexer_reading pairs = { .has_standard_strings = true,
                                         .has_unsafe_encoding = true,
                                         .has_ascii_pairs = true };
    assert_class(CLASS_UNKNOWN, "select E'\x81_\\'; drop table dd; --'", pairs);
    assert_class(CLASS_UNKNOWN, "select E'\x81_\\' into made --'", pairs);
    assert_class(CLASS_UNKNOWN, "select 'a'\x81\xb0$$ '$$; drop table dd; --'", pairs);
    assert_class(CLASS_NONE, "select E'\x82_\\'; drop table dd; --'", pairs);
    assert_class(CLASS_WRITE, "insert into t values ('\x81_')", pairs);
    assert_class(CLASS_NONE, "select E'\x81_\\'; drop table dd; --'", standard);
    assert_class(CLASS_ADDITIVE, "alter table t add column \xd1\x81_ text", unsafe);
    assert_class(CLASS_WRITE, "with s as (select \xd1\x81_ from t) insert into u select * from s", unsafe);
}

static void an_insert_in_doubt_makes_no_table(void **state)
{
    (void)state;
#define DOUBTS "'\x81\x5b \x81\x5b'"
    static const char *const harmless[] = {
        "insert into t values (" DOUBTS "); select lastval()",
        "begin; insert into t values (" DOUBTS ");\ninsert into t select 1",
        "begin;\n  merge into t using s on true when matched then do nothing; select " DOUBTS,
        "with a as (insert into t values (" DOUBTS ") returning 1) select * from a",
    };
    static const char *const guarded[] = {
        "set a = " DOUBTS "; select 1 insert into made",
        "select " DOUBTS ", 1 insert into made",
        "set a = " DOUBTS "; select 1 --;\ninsert into made",
        "set a = " DOUBTS "; select 1 /*;*/ insert into made",
    };
#undef DOUBTS
    for (size_t i = 0; i < COUNT_OF(harmless); i++)
        assert_false(verdict_of(harmless[i], unsafe).is_guarded);
    for (size_t i = 0; i < COUNT_OF(guarded); i++)
        assert_true(verdict_of(guarded[i], unsafe).is_guarded);
}

static void changes_of_temporary_objects_are_noted(void **state)
{
    (void)state;
    static const char *const with[] = { "create temp table t (a int)",
                                        "select 1; drop table pg_temp.t; select 2",
                                        "drop table x; create temp view v as select 1" };
    static const char *const without[] = {
        "select 1", "drop table t",       "vacuum t",
        "",         "do $$ begin end $$", "select 'create temp table t (a int)'; execute p"
    };
    for (size_t i = 0; i < COUNT_OF(with); i++)
        assert_true(verdict_of(with[i], standard).has_temporary);
    for (size_t i = 0; i < COUNT_OF(without); i++)
        assert_false(verdict_of(without[i], standard).has_temporary);
}

static void prepared_names_are_given_as_the_server_keeps_them(void **state)
{
    (void)state;
    struct verdict verdict = verdict_of("PREPARE MyPlan (int) AS select 1", standard);
    assert_true(verdict.prepares.count == 1 && verdict.executes.count == 0);
    assert_string_equal(verdict.prepares.texts, "myplan");
    verdict = verdict_of("execute \"My\"\"Plan\"(1)", standard);
    assert_true(verdict.executes.count == 1 && verdict.prepares.count == 0);
    assert_string_equal(verdict.executes.texts, "My\"Plan");
    verdict =
        verdict_of("execute a123456789b123456789c123456789d123456789e123456789f123456789g123", standard);
    assert_string_equal(verdict.executes.texts,
                        "a123456789b123456789c123456789d123456789e123456789f123456789g12");
    verdict = verdict_of("select 1; explain analyze execute p", standard);
    assert_int_equal(verdict.executes.count, 1);
    assert_string_equal(verdict.executes.texts, "p");
    assert_int_equal(verdict_of("explain execute p", standard).executes.count, 0);
    verdict = verdict_of("create temp table t (a) with (fillfactor = 9) as execute \"P\" (1)", standard);
    assert_int_equal(verdict.executes.count, 1);
    assert_string_equal(verdict.executes.texts, "P");
    assert_int_equal(verdict_of("explain create table t as execute p", standard).executes.count, 0);
    assert_int_equal(verdict_of("prepare transaction 'x'", standard).prepares.count, 0);
}

static void several_prepared_names_in_one_text_are_all_given(void **state)
{
    (void)state;
    struct verdict verdict = verdict_of("execute a; execute b; execute a; prepare c as select 1", standard);
    assert_int_equal(verdict.class, CLASS_NONE);
    assert_int_equal(verdict.executes.count, 2);
    assert_string_equal(name_list_next(&verdict.executes, NULL), "a");
    assert_string_equal(name_list_next(&verdict.executes, verdict.executes.texts), "b");
    assert_int_equal(verdict.prepares.count, 1);
}

static void more_prepared_names_than_are_kept_stand_for_a_change(void **state)
{
    (void)state;
    char text[1024] = "";
    for (char name = 'a'; name <= 'd'; name++)
        (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "execute %c%054d; ", name, 0);
    assert_class(CLASS_UNKNOWN, text, standard);
}

static void statements_are_counted(void **state)
{
    (void)state;
    assert_int_equal(verdict_of("", standard).statement_count, 0);
    assert_int_equal(verdict_of(" ; /* x */ ;; -- y", standard).statement_count, 0);
    assert_int_equal(verdict_of("select 1; select 2;", standard).statement_count, 2);
    assert_int_equal(verdict_of("select 1;", standard).statement_count, 1);
}

static void every_harmless_command_is_found_by_its_first_word(void **state)
{
    (void)state;
    static const char *const words[] = { "select", "insert",  "update",  "delete", "begin", "commit",
                                         "with",   "set",     "show",    "merge",  "copy",  "values",
                                         "table",  "declare", "fetch",   "notify", "lock",  "close",
                                         "move",   "listen",  "discard", "reset",  "end",   "abort" };
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        struct command_path path;
        assert_true(command_path_begin(&path, bytes_text(words[i])));
        assert_true(command_is_harmless(command_path_end(&path)));
        assert_false(command_path_extend(&path, bytes_text("prepared")));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_statement_has_its_class),
        cmocka_unit_test(a_text_is_judged_alike_however_it_is_cut),
        cmocka_unit_test(a_text_is_judged_alike_byte_by_byte),
        cmocka_unit_test(the_fast_path_agrees_with_the_streaming_one),
        cmocka_unit_test(both_settings_of_standard_conforming_strings_are_feared),
        cmocka_unit_test(another_reading_that_does_not_end_is_no_danger),
        cmocka_unit_test(a_backslash_may_be_half_a_character),
        cmocka_unit_test(several_doubtful_bytes_are_not_trusted),
        cmocka_unit_test(nothing_is_overlooked_behind_what_is_settled),
        cmocka_unit_test(a_vertical_tab_is_blank_from_17_on),
        cmocka_unit_test(a_tag_too_long_to_follow_is_not_trusted),
        cmocka_unit_test(a_number_that_servers_read_differently_is_not_trusted),
        cmocka_unit_test(a_character_may_be_an_ascii_one),
        cmocka_unit_test(an_insert_in_doubt_makes_no_table),
        cmocka_unit_test(changes_of_temporary_objects_are_noted),
        cmocka_unit_test(prepared_names_are_given_as_the_server_keeps_them),
        cmocka_unit_test(several_prepared_names_in_one_text_are_all_given),
        cmocka_unit_test(more_prepared_names_than_are_kept_stand_for_a_change),
        cmocka_unit_test(statements_are_counted),
        cmocka_unit_test(every_harmless_command_is_found_by_its_first_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
