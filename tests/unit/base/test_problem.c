/* SPDX-License-Identifier: PostgreSQL */
#include "base/problem.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void assert_described(const struct problem *problem, const char *expected)
{
    char storage[PROBLEM_TEXT_SIZE + PROBLEM_FILE_SIZE];
    struct text text;
    text_init(&text, storage, sizeof storage);
    problem_describe(problem, &text);
    assert_string_equal(storage, expected);
}

static void errors_and_warnings_are_kept_in_order_and_counted(void **state)
{
    (void)state;
    struct problems problems;
    problems_init(&problems);
    assert_int_equal(problems_kept_count(&problems), 0);
    problems_add(&problems, "a.yaml", 3, 7, "unknown key \"%s\"", "lisen");
    problems_warn(&problems, "a.yaml", 4, 0, "%d is much", 9);
    assert_int_equal(problems.count, 2);
    assert_int_equal(problems.error_count, 1);
    assert_int_equal(problems_kept_count(&problems), 2);
    assert_described(&problems.kept[0], "a.yaml:3:7: error: unknown key \"lisen\"");
    assert_described(&problems.kept[1], "a.yaml:4: warning: 9 is much");
}

static void what_is_not_known_of_the_place_is_left_out(void **state)
{
    (void)state;
    struct problems problems;
    problems_init(&problems);
    problems_add(&problems, "a.yaml", 0, 0, "cannot be read");
    problems_add(&problems, NULL, 0, 0, "no file named");
    problems_add(&problems, "a.yaml", 0, 9, "no line");
    assert_described(&problems.kept[0], "a.yaml: error: cannot be read");
    assert_described(&problems.kept[1], "error: no file named");
    assert_described(&problems.kept[2], "a.yaml: error: no line");
}

static void what_goes_beyond_is_counted_only(void **state)
{
    (void)state;
    struct problems problems;
    problems_init(&problems);
    for (unsigned i = 0; i < PROBLEMS_KEPT + 5; i++)
        problems_add(&problems, "f", i + 1, 0, "number %u", i);
    problems_warn(&problems, "f", 1, 0, "one more");
    assert_int_equal(problems.count, PROBLEMS_KEPT + 6);
    assert_int_equal(problems.error_count, PROBLEMS_KEPT + 5);
    assert_int_equal(problems_kept_count(&problems), PROBLEMS_KEPT);
    assert_described(&problems.kept[PROBLEMS_KEPT - 1], "f:50: error: number 49");
}

static void long_names_and_texts_are_cut(void **state)
{
    (void)state;
    struct problems problems;
    char name[2 * PROBLEM_FILE_SIZE];
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    problems_init(&problems);
    problems_add(&problems, name, 1, 1, "%s%s", name, name);
    assert_int_equal(strlen(problems.kept[0].file), PROBLEM_FILE_SIZE - 1);
    assert_int_equal(strlen(problems.kept[0].text), PROBLEM_TEXT_SIZE - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_and_warnings_are_kept_in_order_and_counted),
        cmocka_unit_test(what_is_not_known_of_the_place_is_left_out),
        cmocka_unit_test(what_goes_beyond_is_counted_only),
        cmocka_unit_test(long_names_and_texts_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
