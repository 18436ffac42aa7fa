/* SPDX-License-Identifier: PostgreSQL */
#include "base/attributes.h"
#include "sql/commenter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const struct lexer_reading standard = { .has_standard_strings = true };

#define TRACE  "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"

static struct commenter read_text(const char *sql)
{
    struct commenter said;
    memset(&said, 0xee, sizeof said);
    commenter_read(bytes_text(sql), false, standard, &said);
    return said;
}

static void assert_route(const char *sql, const char *route)
{
    struct commenter said = read_text(sql);
    if (strcmp(said.route, route) != 0)
        fail_msg("%s: %s", sql, said.route);
}

static void all_keys_are_read(void **state)
{
    (void)state;
    struct commenter said = read_text(
        "select 1 /*action='index',application='shop',controller='orders',db_driver='pg%3A8',framework="
        "'rails_v7',route='%2Forders',traceparent='00-" TRACE "-" PARENT "-01',tracestate='a%3Db'*/");
    assert_string_equal(said.action, "index");
    assert_string_equal(said.application, "shop");
    assert_string_equal(said.controller, "orders");
    assert_string_equal(said.db_driver, "pg:8");
    assert_string_equal(said.framework, "rails_v7");
    assert_string_equal(said.route, "/orders");
    assert_string_equal(said.trace_id, TRACE);
}

static void a_comment_is_read_at_the_end_and_at_the_beginning(void **state)
{
    (void)state;
    assert_route("select 1 /*route='/a'*/", "/a");
    assert_route("select 1 /*route='/a'*/;", "/a");
    assert_route("select 1; /*route='/a'*/ \n", "/a");
    assert_route("/*route='/a'*/ select 1", "/a");
    assert_route(" ; /* route = '/a' , action='b' */", "/a");
    assert_route("select 1 /* note */ /*route='/a'*/", "/a");
    assert_route("select 'x' /* note */ /*route='/a'*/", "/a");
    assert_route("select 1 /*route='/a'*/ , 2", "");
    assert_route("select /*route='/a'*/ 1", "");
    assert_route("select 1 -- route='/a'", "");
    assert_route("/*route='/a'*/ select 1 /*route='/b'*/", "/b");
    struct commenter said = read_text("/*route='/a',action='x'*/ select 1 /*route='/b'*/");
    assert_string_equal(said.action, "x");
}

static void what_stands_in_a_string_is_no_comment(void **state)
{
    (void)state;
    assert_route("select '/*route=''/a''*/'", "");
    assert_route("select '/*route=''/a''*/", "");
    assert_route("select $$ /*route='/a'*/", "");
    assert_route("select \"/*route='/a'*/", "");
    assert_route("select 'a\\' /*route='/b'*/", "");
    assert_route("select 1 /* /*route='/a'*/", "");
    assert_route("select 1 /* /*route='/a'*/ */", "");
}

static void a_beginning_is_not_taken_for_the_end(void **state)
{
    (void)state;
    struct commenter said;
    commenter_read(bytes_text("select 1 /*route='/a'*/"), true, standard, &said);
    assert_string_equal(said.route, "");
    commenter_read(bytes_text("/*route='/a'*/ select 1 /*route='/b'*/ "), true, standard, &said);
    assert_string_equal(said.route, "/a");
    commenter_read(bytes_text("/*route='/a"), true, standard, &said);
    assert_string_equal(said.route, "");
}

static void a_comment_without_the_form_says_nothing(void **state)
{
    (void)state;
    static const char *const odd[] = {
        "route",
        "route=",
        "route=/a",
        "route='/a",
        "route='/a''",
        "route='/a' b='c'",
        "route='/a',",
        ",route='/a'",
        "='/a'",
        "route='/a';",
        "see route='/a'",
        "route='/a' -- it's",
        "route='/a\\'",
        "",
        "*",
        "/",
        "route:'/a'",
        "route='/a',b=c",
        "don't route='/a'",
    };
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        char sql[128];
        assert_true(snprintf(sql, sizeof sql, "select 1 /*%s*/", odd[i]) < (int)sizeof sql);
        assert_route(sql, "");
    }
    assert_route("/*/", "");
    assert_route("/**/", "");
    assert_route("", "");
}

static void values_are_decoded(void **state)
{
    (void)state;
    assert_route("select 1 /*route='%2Fa%20b%2fc+d'*/", "/a b/c+d");
    assert_route("select 1 /*route='it\\'s %27q%27'*/", "it's 'q'");
    assert_route("select 1 /*route='%C3%A4'*/", "\xc3\xa4");
    assert_route("select 1 /*route='\xc3\xa4'*/", "\xc3\xa4");
    assert_route("select 1 /*route='a\\b'*/", "a\\b");
}

static void values_that_are_not_valid_or_printable_are_left_out(void **state)
{
    (void)state;
    static const char *const odd[] = { "%",    "%2",    "%G0",       "a%0Ab",      "%00",       "a%1B[31m",
                                       "%7F",  "%C3",   "%FF",       "%C0%AF",     "%E2%80%AE", "%C2%9B",
                                       "\xff", "a\x01", "%ED%A0%80", "%E2%80%A8x", "a\nb",      "\x1b[2J" };
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        char sql[128];
        (void)snprintf(sql, sizeof sql, "select 1 /*action='kept',route='%s',controller='c'*/", odd[i]);
        struct commenter said = read_text(sql);
        assert_string_equal(said.route, "");
        assert_string_equal(said.action, "kept");
        assert_string_equal(said.controller, "c");
    }
}

static void other_keys_are_not_kept(void **state)
{
    (void)state;
    static const struct commenter nothing = { 0 };
    struct commenter said =
        read_text("select 1 /*password='x',Route='/a',route2='/a',rout='/a',%72oute='/a',trace_id='x'*/");
    assert_memory_equal(&said, &nothing, sizeof nothing);
}

static void the_first_of_two_counts(void **state)
{
    (void)state;
    assert_route("select 1 /*route='/a',route='/b'*/", "/a");
    assert_route("select 1 /*route='%00',route='/b'*/", "/b");
}

static void long_values_are_cut_between_characters(void **state)
{
    (void)state;
    char sql[6000];
    char value[5000];
    for (size_t size = 60; size < sizeof value; size = size < 70 ? size + 1 : size * 3) {
        memset(value, 'a', size);
        value[size] = '\0';
        (void)snprintf(sql, sizeof sql, "select 1 /*route='%s'*/", value);
        struct commenter said = read_text(sql);
        assert_int_equal(strlen(said.route), size < 64 ? size : 64);
        memcpy(value + 63 - (size < 64 ? 63 : 0), "\xe2\x82\xac", 3);
        if (size < 66)
            continue;
        (void)snprintf(sql, sizeof sql, "select 1 /*route='%s'*/", value);
        said = read_text(sql);
        assert_int_equal(strlen(said.route), 63);
    }
}

static void assert_trace(const char *value, const char *trace)
{
    char sql[256];
    (void)snprintf(sql, sizeof sql, "select 1 /*traceparent='%s'*/", value);
    struct commenter said = read_text(sql);
    assert_string_equal(said.trace_id, trace);
}

static void only_a_trace_of_the_right_form_is_kept(void **state)
{
    (void)state;
    assert_trace("00-" TRACE "-" PARENT "-01", TRACE);
    assert_trace("00%2D" TRACE "%2D" PARENT "%2D01", TRACE);
    assert_trace("cc-" TRACE "-" PARENT "-01-more", TRACE);
    assert_trace("cc-" TRACE "-" PARENT "-01more", "");
    assert_trace("00-" TRACE "-" PARENT "-01-more", "");
    assert_trace("ff-" TRACE "-" PARENT "-01", "");
    assert_trace("00-" TRACE "-" PARENT "-0", "");
    assert_trace("00-" TRACE "-" PARENT, "");
    assert_trace("00_" TRACE "-" PARENT "-01", "");
    assert_trace("00-" TRACE "_" PARENT "-01", "");
    assert_trace("00-" TRACE "-" PARENT "_01", "");
    assert_trace("00-00000000000000000000000000000000-" PARENT "-01", "");
    assert_trace("00-" TRACE "-0000000000000000-01", "");
    assert_trace("00-4BF92F3577B34DA6A3CE929D0E0E4736-" PARENT "-01", "");
    assert_trace("00-4bf92f3577b34da6a3ce929d0e0e473g-" PARENT "-01", "");
    assert_trace("0g-" TRACE "-" PARENT "-01", "");
    assert_trace("00-" TRACE "-" PARENT "-0g", "");
    assert_trace("", "");
}

static void assert_place(const char *sql, const char *expected)
{
    struct commenter said = read_text(sql);
    char route[COMMENTER_VALUE_SIZE];
    memset(route, 0xee, sizeof route);
    commenter_route(&said, route);
    assert_string_equal(route, expected);
}

static void the_place_is_the_route_or_the_controller_and_its_action(void **state)
{
    (void)state;
    assert_place("select 1 /*route='%2Fa',controller='b',action='c'*/", "/a");
    assert_place("select 1 /*controller='b',action='c'*/", "b#c");
    assert_place("select 1 /*controller='b'*/", "b");
    assert_place("select 1 /*action='c'*/", "");
    assert_place("select 1", "");
    assert_place("select 1 /*controller='0123456789012345678901234567890123456789012345678901234567890',"
                 "action='a%C3%A9b'*/",
                 "0123456789012345678901234567890123456789012345678901234567890#a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_keys_are_read),
        cmocka_unit_test(a_comment_is_read_at_the_end_and_at_the_beginning),
        cmocka_unit_test(what_stands_in_a_string_is_no_comment),
        cmocka_unit_test(a_beginning_is_not_taken_for_the_end),
        cmocka_unit_test(a_comment_without_the_form_says_nothing),
        cmocka_unit_test(values_are_decoded),
        cmocka_unit_test(values_that_are_not_valid_or_printable_are_left_out),
        cmocka_unit_test(other_keys_are_not_kept),
        cmocka_unit_test(the_first_of_two_counts),
        cmocka_unit_test(long_values_are_cut_between_characters),
        cmocka_unit_test(only_a_trace_of_the_right_form_is_kept),
        cmocka_unit_test(the_place_is_the_route_or_the_controller_and_its_action),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
