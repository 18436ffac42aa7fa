/* SPDX-License-Identifier: PostgreSQL */
#include "sql/split.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct lexer_reading standard = { .has_standard_strings = true };

static void assert_bytes(struct bytes bytes, const char *expected)
{
    assert_true(bytes_equal_text(bytes, expected));
}

static void assert_statement(const char *sql, uint32_t index, const char *expected)
{
    assert_bytes(split_statement(bytes_text(sql), standard, index), expected);
}

static void assert_at(const char *sql, uint32_t position, const char *expected)
{
    assert_bytes(split_statement_at(bytes_text(sql), standard, position, true), expected);
}

static void assert_target(const char *sql, const char *expected)
{
    char table[64];
    assert_true(split_target(bytes_text(sql), standard, table));
    assert_string_equal(table, expected);
}

static void assert_no_target(const char *sql)
{
    char table[64];
    assert_false(split_target(bytes_text(sql), standard, table));
}

static void statements_are_counted_as_they_are_answered(void **state)
{
    (void)state;
    static const char sql[] = " ;select 1; ;; /* x */ select ';' ; -- y\n update t set a = 1 ; ";
    assert_statement(sql, 0, "select 1");
    assert_statement(sql, 1, "select ';'");
    assert_statement(sql, 2, "update t set a = 1");
    assert_null(split_statement(bytes_text(sql), standard, 3).data);
    assert_null(split_statement(bytes_text(""), standard, 0).data);
    assert_null(split_statement(bytes_text(" ; "), standard, 0).data);
}

static void a_body_of_sql_is_one_statement(void **state)
{
    (void)state;
    static const char sql[] =
        "create or replace function f() returns int begin atomic select 1; select case when true "
        "then 1 end; select t.end, a as end from t; end; select 2";
    assert_statement(sql, 1, "select 2");
    assert_statement("create procedure p() begin atomic insert into t values (1); end; select 2", 1,
                     "select 2");
    assert_statement("begin; select 1; end; select 2", 3, "select 2");
    assert_statement("create function begin() returns int return 1; select 2", 1, "select 2");
    assert_statement("create table t (a int); begin; end; select 2", 3, "select 2");
}

static void the_commands_of_a_rule_are_one_statement(void **state)
{
    (void)state;
    static const char sql[] =
        "create rule r as on insert to t do (insert into u values (1); delete from v); select 2";
    assert_statement(sql, 1, "select 2");
}

static void a_text_that_does_not_end_is_one_statement(void **state)
{
    (void)state;
    assert_statement("select 1; select 'a; b", 1, "select 'a; b");
}

static void a_position_is_in_the_statement_around_it(void **state)
{
    (void)state;
    static const char sql[] = "select 1; selec 2 ; select 3";
    assert_at(sql, 1, "select 1");
    assert_at(sql, 9, "select 1");
    assert_at(sql, 10, "selec 2");
    assert_at(sql, 11, "selec 2");
    assert_at(sql, 21, "select 3");
    assert_at(sql, 29, "select 3");
    assert_at("select 1;", 10, "select 1");
    assert_at("select (1 ;", 12, "select (1 ;");
}

static void positions_count_characters(void **state)
{
    (void)state;
    static const char sql[] = "select '\xc3\xa4\xc3\xb6\xc3\xbc'; select 2";
    assert_at(sql, 13, "select '\xc3\xa4\xc3\xb6\xc3\xbc'");
    assert_at(sql, 14, "select 2");
    assert_bytes(split_statement_at(bytes_text(sql), standard, 16, false),
                 "select '\xc3\xa4\xc3\xb6\xc3\xbc'");
}

static void a_position_of_nothing_is_nowhere(void **state)
{
    (void)state;
    assert_null(split_statement_at(bytes_text("select 1"), standard, 0, true).data);
    assert_null(split_statement_at(bytes_text(""), standard, 1, true).data);
}

static void data_changes_name_their_table(void **state)
{
    (void)state;
    assert_target("insert into t values (1)", "t");
    assert_target("INSERT INTO S.Orders (a) VALUES (1)", "orders");
    assert_target("insert into \"S\".\"Order\"\"s\" values (1)", "Order\"s");
    assert_target("update t set a = 1", "t");
    assert_target("update only a.b.t as x set a = 1", "t");
    assert_target("delete from only t where a = 1", "t");
    assert_target("merge into t using u on true when matched then delete", "t");
    assert_target("/* x */ copy t from stdin", "t");
    assert_target("copy s.t (a, b) from stdin", "t");
    assert_target("update t", "t");
}

static void data_changes_behind_with_name_their_table(void **state)
{
    (void)state;
    assert_target("with x as (select * from u) insert into t select * from x", "t");
    assert_target("with recursive x as materialized (delete from u returning *), y (a) as (select 1) update "
                  "t set a = 1",
                  "t");
    assert_target("with update as (select 1) delete from t", "t");
    assert_no_target("with x as (insert into t values (1) returning *) select * from x");
}

static void other_statements_have_no_target(void **state)
{
    (void)state;
    assert_no_target("");
    assert_no_target("select * from t for update");
    assert_no_target("copy t to stdout");
    assert_no_target("copy (select * from t) to stdout");
    assert_no_target("insert");
    assert_no_target("insert into");
    assert_no_target("insert into 1");
    assert_no_target("insert into t.");
    assert_no_target("copy");
    assert_no_target("alter table t add a int");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_are_counted_as_they_are_answered),
        cmocka_unit_test(a_body_of_sql_is_one_statement),
        cmocka_unit_test(the_commands_of_a_rule_are_one_statement),
        cmocka_unit_test(a_text_that_does_not_end_is_one_statement),
        cmocka_unit_test(a_position_is_in_the_statement_around_it),
        cmocka_unit_test(positions_count_characters),
        cmocka_unit_test(a_position_of_nothing_is_nowhere),
        cmocka_unit_test(data_changes_name_their_table),
        cmocka_unit_test(data_changes_behind_with_name_their_table),
        cmocka_unit_test(other_statements_have_no_target),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
