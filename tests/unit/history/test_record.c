/* SPDX-License-Identifier: PostgreSQL */
#include "history/record.h"

#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

static void what_goes_in_comes_out(void **state)
{
    (void)state;
    struct record record;
    struct history_value value;
    record_begin(&record, 9);
    record_null(&record);
    record_integer(&record, INT64_MIN);
    record_real(&record, -0.25);
    record_text(&record, bytes_of("a\0\xff", 3));
    record_text(&record, BYTES_NONE);
    record_field(&record, "abcdef", 3);
    struct record_reader reader = record_reader_of(record_bytes(&record));
    assert_false(record_value(&reader, &value));
    assert_true(record_next(&reader));
    assert_int_equal(reader.tag, 9);
    assert_true(record_value(&reader, &value) && value.type == HISTORY_NULL);
    assert_true(record_value(&reader, &value) && value.type == HISTORY_INTEGER && value.integer == INT64_MIN);
    assert_true(record_value(&reader, &value) && value.type == HISTORY_REAL && value.real * 4 + 1 < 1e-9);
    assert_true(record_value(&reader, &value) && value.type == HISTORY_TEXT);
    assert_true(bytes_equal(value.text, bytes_of("a\0\xff", 3)));
    assert_true(record_value(&reader, &value) && value.text.size == 0);
    assert_true(record_value(&reader, &value) && bytes_equal_text(value.text, "abc"));
    assert_false(record_value(&reader, &value));
    assert_false(record_next(&reader));
}

static void what_is_left_of_a_record_is_passed_over(void **state)
{
    (void)state;
    struct record first;
    struct record second;
    uint8_t both[64];
    record_begin(&first, 1);
    record_text(&first, bytes_text("unread"));
    record_integer(&first, 5);
    record_begin(&second, 2);
    memcpy(both, first.bytes, first.size);
    memcpy(both + first.size, second.bytes, second.size);
    struct record_reader reader = record_reader_of(bytes_of(both, first.size + second.size));
    assert_true(record_next(&reader) && reader.tag == 1);
    assert_true(record_next(&reader) && reader.tag == 2);
    assert_false(record_next(&reader));
}

static void what_does_not_fit_is_cut(void **state)
{
    (void)state;
    static const uint8_t filler[RECORD_SIZE] = { 1 };
    for (size_t spare = 0; spare < 20; spare++) {
        struct record record;
        struct history_value value = { .type = HISTORY_NULL };
        record_begin(&record, 1);
        record_text(&record, bytes_of(filler, sizeof filler - 7 - spare));
        record_text(&record, bytes_of(filler, sizeof filler));
        record_integer(&record, 1);
        record_real(&record, 1);
        record_null(&record);
        assert_true(record.size <= sizeof record.bytes);
        struct record_reader reader = record_reader_of(record_bytes(&record));
        assert_true(record_next(&reader));
        while (record_value(&reader, &value)) {
        }
        assert_int_equal(reader.rest.size, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_in_comes_out),
        cmocka_unit_test(what_is_left_of_a_record_is_passed_over),
        cmocka_unit_test(what_does_not_fit_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
