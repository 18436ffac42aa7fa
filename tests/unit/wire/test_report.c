/* SPDX-License-Identifier: PostgreSQL */
#include "wire/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void report_feed_copy(struct report *report, struct bytes piece)
{
    uint8_t *copy = calloc(piece.size > 0 ? piece.size : 1, 1);
    if (piece.size > 0)
        memcpy(copy, piece.data, piece.size);
    report_feed(report, bytes_of(copy, piece.size));
    free(copy);
}

static void expect_same(const struct report *one, const struct report *other)
{
    assert_int_equal(one->is_complete, other->is_complete);
#define FIELD(code, name, capacity)                                                                          \
    assert_int_equal(one->has_##name, other->has_##name);                                                    \
    assert_memory_equal(one->name, other->name, capacity);
    REPORT_FIELDS(FIELD)
#undef FIELD
}

static void read_in_three(struct report *report, struct bytes body, size_t first, size_t second)
{
    report_begin(report);
    report_feed_copy(report, bytes_take(&body, first));
    report_feed_copy(report, bytes_take(&body, second - first));
    report_feed_copy(report, body);
    report_end(report);
}

static void read_bytewise(struct report *report, struct bytes body)
{
    report_begin(report);
    while (body.size > 0)
        report_feed_copy(report, bytes_take(&body, 1));
    report_end(report);
}

/* Reads the body uncut, byte by byte and at every pair of cuts, which must all say the same. */
static struct report read_body(const void *data, size_t size)
{
    struct bytes body = bytes_of(data, size);
    struct report whole, cut;
    read_in_three(&whole, body, size, size);
    read_bytewise(&cut, body);
    expect_same(&whole, &cut);
    for (size_t first = 0; first <= size; first++) {
        for (size_t second = first; second <= size; second++) {
            read_in_three(&cut, body, first, second);
            expect_same(&whole, &cut);
        }
    }
    return whole;
}
#define READ_BODY(literal) read_body(literal, sizeof(literal) - 1)

static void every_field_is_found_by_its_code(void **state)
{
    (void)state;
    struct report report =
        READ_BODY("SFEHLER\0VERROR\0C23505\0Mtext\0DKey (a)=(1)\0P7\0Wcopy\0sapp\0titem\0cid\0"
                  "dpos\0nitem_pkey\0Rroutine\0\0");
    assert_true(report.is_complete);
    assert_string_equal(report.severity_shown, "FEHLER");
    assert_string_equal(report.severity, "ERROR");
    assert_string_equal(report.sqlstate, "23505");
    assert_string_equal(report.message, "text");
    assert_string_equal(report.detail, "Key (a)=(1)");
    assert_string_equal(report.position, "7");
    assert_string_equal(report.where, "copy");
    assert_string_equal(report.schema, "app");
    assert_string_equal(report.table, "item");
    assert_string_equal(report.column, "id");
    assert_string_equal(report.datatype, "pos");
    assert_string_equal(report.constraint, "item_pkey");
    assert_string_equal(report.routine, "routine");
#define FIELD(code, name, capacity) assert_true(report.has_##name);
    REPORT_FIELDS(FIELD)
#undef FIELD
}

static void an_absent_field_is_not_an_empty_one(void **state)
{
    (void)state;
    struct report report = READ_BODY("C\0t\0Mx\0\0");
    assert_true(report.has_sqlstate && report.has_table);
    assert_false(report.has_constraint);
    assert_string_equal(report.table, "");
    assert_true(report.is_complete);
}

static bool has_valid_sqlstate(const char *sqlstate)
{
    char body[32] = "C";
    size_t size = strlen(sqlstate);
    memcpy(body + 1, sqlstate, size);
    struct report report = read_body(body, size + 3);
    assert_true(report.has_sqlstate && report.is_complete);
    return report_has_valid_sqlstate(&report);
}

static void a_sqlstate_has_five_digits_or_capitals(void **state)
{
    (void)state;
    assert_true(has_valid_sqlstate("23505"));
    assert_true(has_valid_sqlstate("P0001"));
    assert_true(has_valid_sqlstate("09AZA"));
    assert_false(has_valid_sqlstate(""));
    assert_false(has_valid_sqlstate("2350"));
    assert_false(has_valid_sqlstate("235055"));
    assert_false(has_valid_sqlstate("2350523505"));
    assert_false(has_valid_sqlstate("23505-"));
    assert_false(has_valid_sqlstate("p0001"));
    assert_false(has_valid_sqlstate("23 05"));
    assert_false(has_valid_sqlstate("2350:"));
    assert_false(has_valid_sqlstate("2350/"));
    assert_false(has_valid_sqlstate("2350@"));
    assert_false(has_valid_sqlstate("2350["));
    struct report report = READ_BODY("Mx\0\0");
    assert_false(report.has_sqlstate);
    assert_false(report_has_valid_sqlstate(&report));
}

static void the_first_of_duplicates_counts(void **state)
{
    (void)state;
    struct report report = READ_BODY("C23505\0Mone\0C42601111\0Mtwo\0M\0\0");
    assert_string_equal(report.sqlstate, "23505");
    assert_string_equal(report.message, "one");
    report = READ_BODY("n\0nname\0\0");
    assert_true(report.has_constraint);
    assert_string_equal(report.constraint, "");
}

static void unknown_fields_are_skipped(void **state)
{
    (void)state;
    struct report report = READ_BODY("!what\0\xffM\0\x01\0Fnbtinsert.c\0L666\0Hhint\0C23505\0\0");
    assert_string_equal(report.sqlstate, "23505");
    assert_true(report.is_complete);
    assert_false(report.has_message);
    assert_false(report.has_severity_shown);
    assert_string_equal(report.severity_shown, "");
}

static void a_body_without_terminator_is_incomplete(void **state)
{
    (void)state;
    assert_false(READ_BODY("").is_complete);
    assert_false(READ_BODY("C23505\0").is_complete);
    assert_false(READ_BODY("C23505\0M").is_complete);
    assert_true(READ_BODY("\0").is_complete);
}

static void a_field_without_end_is_not_there(void **state)
{
    (void)state;
    struct report report = READ_BODY("Mx\0C23505");
    assert_false(report.is_complete);
    assert_true(report.has_message);
    assert_false(report.has_sqlstate);
    assert_string_equal(report.sqlstate, "");
    assert_false(report_has_valid_sqlstate(&report));
}

static void a_duplicate_without_end_leaves_the_first(void **state)
{
    (void)state;
    struct report report = READ_BODY("C23505\0C4");
    assert_string_equal(report.sqlstate, "23505");
}

static void bytes_after_the_terminator_are_no_fields(void **state)
{
    (void)state;
    struct report report = READ_BODY("C23505\0\0titem\0\0");
    assert_false(report.is_complete);
    assert_false(report.has_table);
    assert_false(READ_BODY("C23505\0\0\0").is_complete);
}

static void a_field_is_cut_at_its_capacity(void **state)
{
    (void)state;
    enum { NAME_SIZE = 64 };
    char body[3 * NAME_SIZE] = "t";
    memset(body + 1, 'x', NAME_SIZE - 1);
    assert_int_equal(strlen(read_body(body, 1 + NAME_SIZE - 1 + 2).table), NAME_SIZE - 1);
    memset(body + 1, 'x', NAME_SIZE + 1);
    memcpy(body + 1 + NAME_SIZE + 1, "\0c\0\0", 4);
    struct report report = read_body(body, 1 + NAME_SIZE + 1 + 4);
    assert_int_equal(strlen(report.table), NAME_SIZE - 1);
    assert_true(report.has_column && report.is_complete);
    assert_string_equal(report.column, "");
}

static void a_field_of_a_megabyte_is_cut_and_passed_over(void **state)
{
    (void)state;
    enum { SIZE = 1 << 20 };
    static uint8_t filler[SIZE];
    struct report report;
    memset(filler, 'm', SIZE);
    report_begin(&report);
    report_feed(&report, bytes_text("M"));
    report_feed(&report, bytes_of(filler, SIZE));
    report_feed(&report, bytes_of("\0C23505\0\0", 9));
    report_end(&report);
    assert_true(report.is_complete && report.has_message);
    assert_int_equal(strlen(report.message), sizeof report.message - 1);
    assert_string_equal(report.sqlstate, "23505");
}

static void severity_is_read_from_v_before_s(void **state)
{
    (void)state;
    struct report report = READ_BODY("SFATAL\0VERROR\0\0");
    assert_int_equal(report_severity(&report), REPORT_ERROR);
    report = READ_BODY("SERROR\0VFATAL\0\0");
    assert_int_equal(report_severity(&report), REPORT_FATAL);
    report = READ_BODY("SERROR\0VPANIC\0\0");
    assert_int_equal(report_severity(&report), REPORT_FATAL);
    report = READ_BODY("SERROR\0VWARNING\0\0");
    assert_int_equal(report_severity(&report), REPORT_OTHER);
}

static void severity_is_read_from_s_where_v_is_absent(void **state)
{
    (void)state;
    struct report report = READ_BODY("SERROR\0\0");
    assert_int_equal(report_severity(&report), REPORT_ERROR);
    report = READ_BODY("SPANIC\0\0");
    assert_int_equal(report_severity(&report), REPORT_FATAL);
    report = READ_BODY("SFEHLER\0\0");
    assert_int_equal(report_severity(&report), REPORT_OTHER);
    report = READ_BODY("Mx\0\0");
    assert_int_equal(report_severity(&report), REPORT_NONE);
}

/* A report of these fields, in pairs of a code and a text. */
static struct report report_of(const char *const (*fields)[2], size_t count)
{
    struct report report;
    report_begin(&report);
    for (size_t i = 0; i < count; i++) {
        report_feed(&report, bytes_text(fields[i][0]));
        report_feed(&report, bytes_of(fields[i][1], strlen(fields[i][1]) + 1));
    }
    report_feed(&report, bytes_of("", 1));
    report_end(&report);
    return report;
}

static void expect_found(struct bytes found, const char *expected)
{
    assert_int_equal(found.data != NULL, expected != NULL);
    if (expected != NULL)
        assert_true(bytes_equal_text(found, expected));
}

static void expect_columns(const char *detail, const char *columns)
{
    struct report report = report_of((const char *const[][2]){ { "D", detail } }, 1);
    expect_found(report_key_columns(&report), columns);
}

static void key_columns_are_what_stands_before_the_values(void **state)
{
    (void)state;
    expect_columns("Key (a, b)=(1, 2) already exists.", "a, b");
    expect_columns("Key (lower(name))=(x) already exists.", "lower(name)");
    expect_columns("Key (r)=([1,3)) conflicts with existing key (r)=([2,4)).", "r");
    expect_columns("Key (a)=(x)=(y) already exists.", "a");
    expect_columns("Key (pid)=(5) is not present in table \"parent\".", "pid");
}

static void details_of_other_forms_have_no_key_columns(void **state)
{
    (void)state;
    expect_columns("", NULL);
    expect_columns("Key (", NULL);
    expect_columns("Key (secret", NULL);
    expect_columns("Key (secret) = (value)", NULL);
    expect_columns("(id, e) = (1, secret)", NULL);
    expect_columns("Failing row contains (1, Key (a)=(b)).", NULL);
    expect_columns("Schl\xc3\xbcssel (id)=(1) existiert bereits.", NULL);
    expect_columns("Partition key of the failing row contains (id) = (99).", NULL);
}

static void expect_enum_type(const char *routine, const char *message, const char *type)
{
    struct report report = report_of((const char *const[][2]){ { "M", message }, { "R", routine } }, 2);
    expect_found(report_enum_type(&report), type);
}

static void an_enum_type_is_named_by_its_message_alone(void **state)
{
    (void)state;
    expect_enum_type("enum_in", "invalid input value for enum mood: \"sad\"", "mood");
    expect_enum_type("enum_recv", "invalid input value for enum shop.mood: \"sad\"", "shop.mood");
    expect_enum_type("enum_in", "invalid input value for enum \"Mood: \"\"x\"\"\": \"sad\"",
                     "\"Mood: \"\"x\"\"\"");
    expect_enum_type("enum_in", "invalid input value for enum \"A\".\"b.c\": \"d: \"e\"", "\"A\".\"b.c\"");
}

static void what_names_no_enum_type_has_none(void **state)
{
    (void)state;
    expect_enum_type("boolin", "invalid input value for enum mood: \"sad\"", NULL);
    expect_enum_type("enum_in", "invalid input syntax for type mood: \"sad\"", NULL);
    expect_enum_type("enum_in", "ung\xc3\xbcltiger Eingabewert f\xc3\xbcr Enum mood: \xc2\xbbsad\xc2\xab",
                     NULL);
    expect_enum_type("enum_in", "", NULL);
    expect_enum_type("enum_in", "invalid input value for enum ", NULL);
    expect_enum_type("enum_in", "invalid input value for enum mood", NULL);
    expect_enum_type("enum_in", "invalid input value for enum \"mood", NULL);
    expect_enum_type("enum_in", "invalid input value for enum shop.", NULL);
    expect_enum_type("enum_in", "invalid input value for enum : \"sad\"", NULL);
    expect_enum_type("enum_in", "invalid input value for enum mood sad: \"x\"", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_is_found_by_its_code),
        cmocka_unit_test(an_absent_field_is_not_an_empty_one),
        cmocka_unit_test(a_sqlstate_has_five_digits_or_capitals),
        cmocka_unit_test(the_first_of_duplicates_counts),
        cmocka_unit_test(unknown_fields_are_skipped),
        cmocka_unit_test(a_body_without_terminator_is_incomplete),
        cmocka_unit_test(a_field_without_end_is_not_there),
        cmocka_unit_test(a_duplicate_without_end_leaves_the_first),
        cmocka_unit_test(bytes_after_the_terminator_are_no_fields),
        cmocka_unit_test(a_field_is_cut_at_its_capacity),
        cmocka_unit_test(a_field_of_a_megabyte_is_cut_and_passed_over),
        cmocka_unit_test(severity_is_read_from_v_before_s),
        cmocka_unit_test(severity_is_read_from_s_where_v_is_absent),
        cmocka_unit_test(key_columns_are_what_stands_before_the_values),
        cmocka_unit_test(details_of_other_forms_have_no_key_columns),
        cmocka_unit_test(an_enum_type_is_named_by_its_message_alone),
        cmocka_unit_test(what_names_no_enum_type_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
