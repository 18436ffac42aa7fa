/* SPDX-License-Identifier: PostgreSQL */
#include "base/attributes.h"
#include "observe/sqlstate.h"
#include "observe/violation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void assert_known(const char *code, const char *name)
{
    const struct sqlstate *row = sqlstate_find(bytes_text(code));
    if (row == NULL)
        fail_msg("%s is not in the list", code);
    assert_string_equal(row->code, code);
    assert_string_equal(row->name, name);
}

static void every_code_of_the_manual_is_known(void **state)
{
    (void)state;
    char line[128];
    char code[8];
    char name[80];
    size_t count = 0;
    FILE *file = fopen(TESTS_FOLDER "/unit/observe/sqlstates_18.tsv", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        if (line[0] == '#')
            continue;
        assert_int_equal(sscanf(line, "%7s %79s", code, name), 2);
        assert_known(code, name);
        count++;
    }
    (void)fclose(file);
    assert_int_equal(count, 262);
}

/* The file that the server's own tables are made from: code, kind, macro and condition name. */
static void every_code_of_the_installed_server_is_known(void **state)
{
    (void)state;
    char line[256];
    char code[8];
    char name[80];
    size_t count = 0;
    static const char path[] = "/usr/share/postgresql/15/errcodes.txt";
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail_msg("%s cannot be read: tests/install.sh installs it with postgresql-15", path);
    while (fgets(line, sizeof line, file) != NULL) {
        if (line[0] == '#' || strncmp(line, "Section", 7) == 0 ||
            sscanf(line, "%7s %*s %*s %79s", code, name) != 2)
            continue;
        assert_known(code, name);
        count++;
    }
    (void)fclose(file);
    assert_true(count > 250);
}

static void families_are_what_is_done_about_an_error(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        enum error_family family;
    } known[] = {
        { "23505", FAMILY_VIOLATION },    { "44000", FAMILY_VIOLATION },    { "22P02", FAMILY_TYPE_DRIFT },
        { "22001", FAMILY_TYPE_DRIFT },   { "22003", FAMILY_TYPE_DRIFT },   { "22007", FAMILY_TYPE_DRIFT },
        { "22008", FAMILY_TYPE_DRIFT },   { "42804", FAMILY_TYPE_DRIFT },   { "42P01", FAMILY_SCHEMA_DRIFT },
        { "42703", FAMILY_SCHEMA_DRIFT }, { "42883", FAMILY_SCHEMA_DRIFT }, { "42P02", FAMILY_SCHEMA_DRIFT },
        { "40001", FAMILY_CONTENTION },   { "40P01", FAMILY_CONTENTION },   { "55P03", FAMILY_CONTENTION },
        { "53300", FAMILY_RESOURCE },     { "57P01", FAMILY_RESOURCE },     { "08006", FAMILY_RESOURCE },
        { "42501", FAMILY_PERMISSION },   { "28P01", FAMILY_PERMISSION },   { "42601", FAMILY_SYNTAX },
        { "57014", FAMILY_CANCELLED },    { "XX000", FAMILY_INTERNAL },     { "P0001", FAMILY_OTHER },
        { "22012", FAMILY_OTHER },        { "00000", FAMILY_OTHER },
    };
    for (size_t i = 0; i < COUNT_OF(known); i++)
        assert_int_equal(sqlstate_family(bytes_text(known[i].code)), known[i].family);
    assert_string_equal(error_family_name(FAMILY_SCHEMA_DRIFT), "schema_drift");
    assert_non_null(strstr(error_family_about(FAMILY_CANCELLED), "timeout"));
}

static void a_code_that_no_server_has_is_of_its_class(void **state)
{
    (void)state;
    assert_null(sqlstate_find(bytes_text("23ABC")));
    assert_int_equal(sqlstate_family(bytes_text("23ABC")), FAMILY_VIOLATION);
    assert_int_equal(sqlstate_family(bytes_text("53XYZ")), FAMILY_RESOURCE);
    assert_int_equal(sqlstate_family(bytes_text("AB123")), FAMILY_OTHER);
    static const char *const odd[] = { "", "2350", "235055", "\xff\xff\xff\xff\xff", "23" };
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        assert_null(sqlstate_find(bytes_text(odd[i])));
        assert_int_equal(sqlstate_family(bytes_text(odd[i])), FAMILY_OTHER);
    }
    assert_int_equal(sqlstate_family(BYTES_NONE), FAMILY_OTHER);
    assert_int_equal(sqlstate_family(bytes_of("\0\0\0\0\0", 5)), FAMILY_OTHER);
}

static void violations_are_the_same_in_both_lists(void **state)
{
    (void)state;
    static const char *const codes[] = {
#define SQLSTATE(code, name, family) code,
#include "observe/sqlstates.def"
#undef SQLSTATE
    };
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        enum violation_kind kind;
        bool is_violation = violation_classify(codes[i], (struct violation_fields){ 0 }, &kind);
        assert_int_equal(sqlstate_family(bytes_text(codes[i])) == FAMILY_VIOLATION, is_violation);
        assert_true(i == 0 || strcmp(codes[i - 1], codes[i]) < 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_of_the_manual_is_known),
        cmocka_unit_test(every_code_of_the_installed_server_is_known),
        cmocka_unit_test(families_are_what_is_done_about_an_error),
        cmocka_unit_test(a_code_that_no_server_has_is_of_its_class),
        cmocka_unit_test(violations_are_the_same_in_both_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
