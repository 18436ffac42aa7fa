/* SPDX-License-Identifier: PostgreSQL */
#include "observe/violation.h"

#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

enum { T = 1, C = 2, N = 4, D = 8 }; /* the fields' letters in the protocol, as capitals */

static bool classify(const char *sqlstate, unsigned fields, enum violation_kind *kind)
{
    struct violation_fields present = {
        .has_table = (fields & T) != 0,
        .has_column = (fields & C) != 0,
        .has_constraint = (fields & N) != 0,
        .has_datatype = (fields & D) != 0,
    };
    return violation_classify(sqlstate, present, kind);
}

static void every_shape_the_server_sends_has_its_kind(void **state)
{
    (void)state;
    static const struct {
        const char *sqlstate;
        unsigned fields;
        const char *kind;
    } rows[] = {
        { "23505", T | N, "unique" },
        { "23P01", T | N, "exclusion" },
        { "23503", T | N, "foreign_key" },
        { "23001", T | N, "restrict" },
        { "23502", T | C, "not_null" },
        { "23514", T | N, "check" },
        { "23514", N | D, "domain_check" },
        { "23502", D, "domain_not_null" },
        { "23514", T, "partition" },
        { "23514", 0, "integrity" }, /* an empty range in WITHOUT OVERLAPS, or a function's own */
        { "44000", 0, "check_option" },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum violation_kind kind;
        assert_true(classify(rows[i].sqlstate, rows[i].fields, &kind));
        assert_string_equal(violation_kind_name(kind), rows[i].kind);
    }
}

static void what_a_function_raises_is_classified_by_what_it_set(void **state)
{
    (void)state;
    enum violation_kind kind;
    assert_true(classify("23000", 0, &kind));
    assert_int_equal(kind, VIOLATION_INTEGRITY);
    assert_true(classify("23XYZ", T | C | N | D, &kind));
    assert_int_equal(kind, VIOLATION_INTEGRITY);
    assert_true(classify("23505", 0, &kind));
    assert_int_equal(kind, VIOLATION_UNIQUE);
    assert_true(classify("23502", 0, &kind));
    assert_int_equal(kind, VIOLATION_INTEGRITY);
    assert_true(classify("23502", N, &kind));
    assert_int_equal(kind, VIOLATION_INTEGRITY);
    assert_true(classify("23502", C, &kind));
    assert_int_equal(kind, VIOLATION_NOT_NULL);
    assert_true(classify("23502", T, &kind));
    assert_int_equal(kind, VIOLATION_NOT_NULL);
    assert_true(classify("23502", T | C | D, &kind));
    assert_int_equal(kind, VIOLATION_NOT_NULL);
    assert_true(classify("23514", T | N | D, &kind));
    assert_int_equal(kind, VIOLATION_CHECK);
    assert_true(classify("23514", N, &kind));
    assert_int_equal(kind, VIOLATION_CHECK);
}

static void other_errors_are_no_violations(void **state)
{
    (void)state;
    static const char *const others[] = { "",      "2",     "23",     "2350",  "235050", "22P02", "42501",
                                          "40001", "25P02", "440000", "44001", "4400",   "24000", "P2350" };
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        enum violation_kind kind;
        assert_false(classify(others[i], T | N, &kind));
    }
}

static void kinds_and_phases_have_names(void **state)
{
    (void)state;
    for (int i = 0; i < VIOLATION_KIND_COUNT; i++) {
        assert_true(strlen(violation_kind_name((enum violation_kind)i)) > 0);
        assert_true(strlen(violation_kind_about((enum violation_kind)i)) > 0);
    }
    assert_string_equal(violation_phase_name(PHASE_STATEMENT), "statement");
    assert_string_equal(violation_phase_name(PHASE_CONSTRAINT_CHECK), "constraint_check");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape_the_server_sends_has_its_kind),
        cmocka_unit_test(what_a_function_raises_is_classified_by_what_it_set),
        cmocka_unit_test(other_errors_are_no_violations),
        cmocka_unit_test(kinds_and_phases_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
