/* SPDX-License-Identifier: PostgreSQL */
#include "vectors/vector.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct reading {
    struct vector vector;
    struct problems problems;
    bool is_sound;
};

static struct reading *read_text(struct reading *reading, const char *text)
{
    problems_init(&reading->problems);
    reading->is_sound = vector_parse(&reading->vector, "text", bytes_text(text), &reading->problems);
    return reading;
}

/* The bytes of the only step of a text. */
static void expect_bytes(const char *text, const void *expected, size_t size)
{
    struct reading reading;
    read_text(&reading, text);
    if (!reading.is_sound)
        fail_msg("%s: %s", text, reading.problems.kept[0].text);
    assert_int_equal(reading.vector.count, 1);
    assert_int_equal(reading.vector.steps[0].bytes.size, size);
    if (size > 0)
        assert_memory_equal(reading.vector.steps[0].bytes.data, expected, size);
    vector_release(&reading.vector);
}
#define EXPECT_BYTES(text, literal) expect_bytes(text, literal, sizeof(literal) - 1)

static void expect_refused(const char *text, unsigned line, const char *reason)
{
    struct reading reading;
    read_text(&reading, text);
    assert_false(reading.is_sound);
    assert_int_equal(reading.problems.kept[0].line, line);
    if (strstr(reading.problems.kept[0].text, reason) == NULL)
        fail_msg("%s: %s", text, reading.problems.kept[0].text);
    vector_release(&reading.vector);
}

static void each_field_form_has_its_bytes(void **state)
{
    (void)state;
    EXPECT_BYTES("client! \"ab\"", "ab\0");
    EXPECT_BYTES("client! text:\"ab\"", "ab");
    EXPECT_BYTES("client! text:\"\\x00\\xfF\\\"\\\\#\"", "\0\xff\"\\#");
    EXPECT_BYTES("client! S:\"ab\"", "Sab\0");
    EXPECT_BYTES("client! value:\"ab\" null", "\0\0\0\2ab\xff\xff\xff\xff");
    EXPECT_BYTES("client! int8:-1 int16:0x102 int32:4294967295", "\xff\1\2\xff\xff\xff\xff");
    EXPECT_BYTES("client! int8:255 int16:-32768 int32:-2", "\xff\x80\0\xff\xff\xff\xfe");
    EXPECT_BYTES("client! hex:0aFf hex:", "\x0a\xff");
    EXPECT_BYTES("server!", "");
}

static void a_name_writes_the_header(void **state)
{
    (void)state;
    EXPECT_BYTES("client: Query \"x\"", "Q\0\0\0\6x\0");
    EXPECT_BYTES("server: ReadyForQuery text:\"I\"", "Z\0\0\0\5I");
    EXPECT_BYTES("client: SSLRequest int16:1234 int16:5679", "\0\0\0\x08\x04\xd2\x16\x2f");
    EXPECT_BYTES("-> server: Sync", "S\0\0\0\4");
    EXPECT_BYTES("-> client: ParameterStatus \"a\" \"b\"", "S\0\0\0\x08"
                                                           "a\0b\0");
}

static void a_step_goes_on_in_indented_lines(void **state)
{
    (void)state;
    EXPECT_BYTES("# first\n\nclient: Query # says\n  text:\"x\" # and\n\n\t# then\n\t\"y\"\n",
                 "Q\0\0\0\7xy\0");
}

static void steps_keep_their_order_and_lines(void **state)
{
    (void)state;
    struct reading reading;
    const struct vector_step *steps = reading.vector.steps;
    read_text(&reading, "client: Sync\n= passed # so\nevent refusal\n-> client! hex:00\nserver: NoData");
    assert_true(reading.is_sound);
    assert_int_equal(reading.vector.count, 5);
    assert_int_equal(steps[0].kind, VECTOR_SENDS);
    assert_int_equal(steps[0].side, SIDE_CLIENT);
    assert_string_equal(steps[0].form->name, "Sync");
    assert_int_equal(steps[1].kind, VECTOR_PASSED);
    assert_int_equal(steps[2].kind, VECTOR_EVENT);
    assert_string_equal(steps[2].event, "refusal");
    assert_int_equal(steps[3].kind, VECTOR_RECEIVE);
    assert_null(steps[3].form);
    assert_int_equal(steps[4].side, SIDE_SERVER);
    assert_int_equal(steps[4].line, 5);
    vector_release(&reading.vector);
}

static void what_is_wrong_is_named_with_its_line(void **state)
{
    (void)state;
    expect_refused("\nclient: Frobnicate", 2, "'Frobnicate'");
    expect_refused("client: DataRow int16:0", 1, "'DataRow'");
    expect_refused("server: SSLRequest", 1, "'SSLRequest'");
    expect_refused("somebody: Sync", 1, "starts with");
    expect_refused("client: Sync\nserver: ReadyForQuery\nclient: Sync", 2, "5 to 5, not 4");
    expect_refused("  int8:1", 1, "indented");
    expect_refused("= passed\n  int8:1", 2, "indented");
    expect_refused("= failed", 1, "passed");
    expect_refused("= passed indeed", 1, "nothing");
    expect_refused("event", 1, "name");
    expect_refused("client: Sync ...", 1, "form");
}

static void malformed_fields_are_refused(void **state)
{
    (void)state;
    expect_refused("client! \"ab", 1, "closed");
    expect_refused("client! \"a\\n\"", 1, "escape");
    expect_refused("client! \"a\\x4\"", 1, "escape");
    expect_refused("client! \"a\\", 1, "escape");
    expect_refused("client! text:ab", 1, "quoted");
    expect_refused("client! \"a\"\"b\"", 1, "blank");
    expect_refused("client! hex:0", 1, "pairs");
    expect_refused("client! hex:0g", 1, "pairs");
    expect_refused("client! int8:256", 1, "fit");
    expect_refused("client! int16:-32769", 1, "fit");
    expect_refused("client! int32:4294967296", 1, "fit");
    expect_refused("client! int32:", 1, "number");
    expect_refused("client! int32:1x", 1, "number");
    expect_refused("client! float:1", 1, "form");
}

static void too_many_steps_are_refused(void **state)
{
    (void)state;
    enum { LINE_SIZE = 9 };
    static char text[(VECTOR_STEPS_MOST + 1) * LINE_SIZE + 1];
    for (size_t i = 0; i <= VECTOR_STEPS_MOST; i++)
        memcpy(text + i * LINE_SIZE, "= passed\n", LINE_SIZE);
    expect_refused(text, VECTOR_STEPS_MOST + 1, "steps");
}

static bool matches(const char *expectation, const void *came_out, size_t size, size_t left)
{
    struct reading reading;
    struct bytes bytes = bytes_of(came_out, size);
    read_text(&reading, expectation);
    assert_true(reading.is_sound);
    bool is_match = vector_step_match(&reading.vector.steps[0], &bytes);
    if (is_match)
        assert_int_equal(bytes.size, left);
    vector_release(&reading.vector);
    return is_match;
}

static void an_expectation_takes_what_it_names(void **state)
{
    (void)state;
    assert_true(matches("-> client: NoData", "n\0\0\0\4s", 6, 1));
    assert_false(matches("-> client: NoData", "s\0\0\0\4", 5, 0));
    assert_false(matches("-> client: NoData", "n\0\0\0", 4, 0));
}

static void an_open_end_takes_the_whole_message(void **state)
{
    (void)state;
    const char *expectation = "-> client: ErrorResponse S:\"E\" ...";
    assert_true(matches(expectation, "E\0\0\0\x09SE\0C\0s", 11, 1));
    assert_true(matches(expectation, "E\0\0\0\x07SE\0", 8, 0));
    assert_false(matches(expectation, "E\0\0\0\x07SF\0", 8, 0));
    assert_false(matches(expectation, "N\0\0\0\x07SE\0", 8, 0));
    assert_false(matches(expectation, "E\0\0\0\x08SE\0", 8, 0));
    assert_false(matches(expectation, "E\0\0\0\4", 5, 0));
}

static void one_sides_messages_can_be_collected(void **state)
{
    (void)state;
    struct reading reading;
    struct buffer out;
    buffer_init(&out, 100);
    read_text(&reading, "client: SSLRequest int32:80877103\nclient: Sync\nserver: NoData\n"
                        "client! hex:00\nclient: Flush\n-> server: Sync\n");
    assert_int_equal(vector_collect(&reading.vector, SIDE_CLIENT, &out), 2);
    assert_true(bytes_equal(buffer_bytes(&out), bytes_of("S\0\0\0\4H\0\0\0\4", 10)));
    buffer_release(&out);
    vector_release(&reading.vector);
}

static void a_file_that_is_not_there_is_a_problem(void **state)
{
    (void)state;
    struct reading reading;
    problems_init(&reading.problems);
    assert_false(vector_load(&reading.vector, "/nowhere/at/all.wire", &reading.problems));
    assert_int_equal(reading.problems.error_count, 1);
    vector_release(&reading.vector);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_field_form_has_its_bytes),
        cmocka_unit_test(a_name_writes_the_header),
        cmocka_unit_test(a_step_goes_on_in_indented_lines),
        cmocka_unit_test(steps_keep_their_order_and_lines),
        cmocka_unit_test(what_is_wrong_is_named_with_its_line),
        cmocka_unit_test(malformed_fields_are_refused),
        cmocka_unit_test(too_many_steps_are_refused),
        cmocka_unit_test(an_expectation_takes_what_it_names),
        cmocka_unit_test(an_open_end_takes_the_whole_message),
        cmocka_unit_test(one_sides_messages_can_be_collected),
        cmocka_unit_test(a_file_that_is_not_there_is_a_problem),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
