/* SPDX-License-Identifier: PostgreSQL */
#include "sql/advice.h"
#include "sql/classifier.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct lexer_reading standard = { .has_standard_strings = true };

static struct verdict verdict_of(const char *text)
{
    struct verdict verdict;
    classify(bytes_text(text), standard, &verdict);
    return verdict;
}

static const struct advice *advice_about(const char *text)
{
    struct verdict verdict = verdict_of(text);
    return advice_of(bytes_text(text), standard, &verdict);
}

static void assert_lock(const char *text, const char *lock)
{
    const struct advice *advice = advice_about(text);
    assert_non_null(advice);
    if (strcmp(advice->lock, lock) != 0)
        print_error("%s: %s\n", text, advice->lock);
    assert_string_equal(advice->lock, lock);
}

static void assert_instead(const char *text, const char *part)
{
    const struct advice *advice = advice_about(text);
    assert_non_null(advice);
    if (strstr(advice->instead, part) == NULL)
        print_error("%s: %s\n", text, advice->instead);
    assert_non_null(strstr(advice->instead, part));
}

static void the_lock_is_that_of_the_gravest_subcommand(void **state)
{
    (void)state;
    assert_lock("alter table t add constraint f foreign key (a) references u not valid",
                "SHARE ROW EXCLUSIVE on both tables");
    assert_lock("alter table t add a int", "ACCESS EXCLUSIVE");
    assert_lock("alter table t validate constraint f", "SHARE UPDATE EXCLUSIVE");
    assert_lock("create index i on t (a)", "SHARE");
    assert_lock("create unique index concurrently i on t (a)", "SHARE UPDATE EXCLUSIVE");
    assert_lock("reindex (concurrently) table t", "SHARE UPDATE EXCLUSIVE");
    assert_lock("alter table t add constraint f foreign key (a) references u",
                "SHARE ROW EXCLUSIVE on both tables");
    assert_lock("alter table t add a int references u",
                "ACCESS EXCLUSIVE; SHARE ROW EXCLUSIVE on the referenced table");
    assert_lock("lock table t", "as named; ACCESS EXCLUSIVE where none is");
    assert_instead("alter table t add a int, alter column b type bigint", "add a column of the new type");
    assert_instead("alter table t alter b type bigint", "add a column of the new type");
}

static void each_danger_has_its_gentler_way(void **state)
{
    (void)state;
    assert_instead("alter table t alter a set not null", "IS NOT NULL) NOT VALID");
    assert_instead("alter table t add constraint c check (a > 0)", "NOT VALID");
    assert_instead("alter table t add constraint u unique (a)", "UNIQUE USING INDEX");
    assert_instead("create index i on t (a)", "CONCURRENTLY");
    assert_instead("drop index i", "CONCURRENTLY");
    assert_instead("alter table t detach partition p", "CONCURRENTLY");
    assert_instead("drop table if exists t cascade", "without CASCADE");
    assert_instead("truncate t cascade", "without CASCADE");
    assert_instead("explain analyze create table t partition of p default as select 1", "");
}

static void words_in_names_and_strings_are_no_subcommands(void **state)
{
    (void)state;
    assert_instead("alter table type add a int", "set lock_timeout");
    assert_instead("alter table t add \"unique\" int default 'primary key'", "set lock_timeout");
    assert_lock("alter table t /* set not null */ set (fillfactor = 70)", "SHARE UPDATE EXCLUSIVE");
}

static void every_schema_change_has_advice_and_a_query_has_none(void **state)
{
    (void)state;
    static const char *const commands[] = {
#define COMMAND(class, level, shape, privacy, name) name,
#include "sql/commands.def"
#undef COMMAND
    };
    static const enum statement_class classes[] = {
#define COMMAND(class, level, shape, privacy, name) CLASS_##class,
#include "sql/commands.def"
#undef COMMAND
    };
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        if (classes[i] == CLASS_NONE || classes[i] == CLASS_WRITE)
            continue;
        if (advice_about(commands[i]) == NULL)
            print_error("%s\n", commands[i]);
        assert_non_null(advice_about(commands[i]));
    }
    assert_null(advice_about("select 1"));
    assert_null(advice_about("delete from t"));
    assert_null(advice_about("create temp table t (a int)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lock_is_that_of_the_gravest_subcommand),
        cmocka_unit_test(each_danger_has_its_gentler_way),
        cmocka_unit_test(words_in_names_and_strings_are_no_subcommands),
        cmocka_unit_test(every_schema_change_has_advice_and_a_query_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
