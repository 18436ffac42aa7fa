/* SPDX-License-Identifier: PostgreSQL */
#include "wire/reader.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define READER_OF(literal) reader_of(bytes_of(literal, sizeof(literal) - 1))

static void fields_are_read_in_order_and_big_endian(void **state)
{
    (void)state;
    struct reader reader = READER_OF("\xff\x80\1\xff\2\3\4name\0\0rest");
    assert_int_equal(reader_byte(&reader), 0xff);
    assert_int_equal(reader_int16(&reader), 0x8001);
    assert_int_equal(reader_int32(&reader), 0xff020304);
    assert_true(bytes_equal_text(reader_string(&reader), "name"));
    assert_true(bytes_equal_text(reader_string(&reader), ""));
    assert_int_equal(reader_left(&reader), 4);
    assert_false(reader_is_done(&reader));
    assert_true(bytes_equal_text(reader_bytes(&reader, 4), "rest"));
    assert_true(reader_is_done(&reader));
}

static void a_read_past_the_end_fails_for_good(void **state)
{
    (void)state;
    struct reader reader = READER_OF("\1\2\3");
    assert_int_equal(reader_int32(&reader), 0);
    assert_true(reader.has_failed);
    assert_int_equal(reader_byte(&reader), 0);
    assert_int_equal(reader_int16(&reader), 0);
    assert_null(reader_bytes(&reader, 0).data);
    assert_int_equal(reader_string(&reader).size, 0);
    assert_int_equal(reader_left(&reader), 0);
    assert_false(reader_is_done(&reader));
}

static void each_kind_of_field_may_be_one_byte_short(void **state)
{
    (void)state;
    struct reader reader = READER_OF("");
    assert_int_equal(reader_byte(&reader), 0);
    assert_true(reader.has_failed);
    reader = READER_OF("\1");
    assert_int_equal(reader_int16(&reader), 0);
    assert_true(reader.has_failed);
    reader = READER_OF("abc");
    assert_null(reader_bytes(&reader, 4).data);
    assert_true(reader.has_failed);
    reader = READER_OF("abc");
    assert_null(reader_bytes(&reader, SIZE_MAX).data);
    assert_true(reader.has_failed);
}

static void a_string_without_end_fails(void **state)
{
    (void)state;
    struct reader reader = reader_of(bytes_of("abc\0", 3));
    struct bytes text = reader_string(&reader);
    assert_null(text.data);
    assert_int_equal(text.size, 0);
    assert_true(reader.has_failed);
}

static void an_empty_string_is_not_a_missing_one(void **state)
{
    (void)state;
    struct reader reader = READER_OF("\0");
    assert_non_null(reader_string(&reader).data);
    assert_true(reader_is_done(&reader));
}

static void nothing_is_read_from_nothing(void **state)
{
    (void)state;
    struct reader reader = reader_of(BYTES_NONE);
    assert_true(reader_is_done(&reader));
    assert_int_equal(reader_bytes(&reader, 0).size, 0);
    assert_true(reader_is_done(&reader));
    assert_int_equal(reader_string(&reader).size, 0);
    assert_true(reader.has_failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_read_in_order_and_big_endian),
        cmocka_unit_test(a_read_past_the_end_fails_for_good),
        cmocka_unit_test(each_kind_of_field_may_be_one_byte_short),
        cmocka_unit_test(a_string_without_end_fails),
        cmocka_unit_test(an_empty_string_is_not_a_missing_one),
        cmocka_unit_test(nothing_is_read_from_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
