/* SPDX-License-Identifier: PostgreSQL */
#include "base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void a_new_buffer_owns_nothing(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 100);
    assert_null(buffer.data);
    assert_int_equal(buffer_bytes(&buffer).size, 0);
    buffer_append(&buffer, BYTES_NONE);
    assert_false(buffer.has_failed);
    assert_null(buffer.data);
    buffer_release(&buffer);
}

static void appends_follow_each_other_through_every_growth(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 100000);
    for (unsigned i = 0; i < 5000; i++) {
        uint8_t pair[] = { (uint8_t)(i >> 8), (uint8_t)i };
        buffer_append(&buffer, bytes_of(pair, sizeof pair));
    }
    assert_false(buffer.has_failed);
    assert_int_equal(buffer.size, 10000);
    for (unsigned i = 0; i < 5000; i++)
        assert_int_equal(buffer.data[2 * i] << 8 | buffer.data[2 * i + 1], i);
    buffer_release(&buffer);
    assert_null(buffer.data);
    assert_int_equal(buffer.size, 0);
}

static void many_small_appends_seldom_move_the_bytes(void **state)
{
    (void)state;
    struct buffer buffer;
    size_t capacity = 0;
    unsigned growth_count = 0;
    buffer_init(&buffer, 100000);
    for (unsigned i = 0; i < 100000; i++) {
        buffer_append(&buffer, bytes_text("x"));
        growth_count += buffer.capacity != capacity;
        capacity = buffer.capacity;
    }
    assert_in_range(growth_count, 8, 20); /* nor does it take all at once */
    assert_int_equal(capacity, 100000);
    buffer_release(&buffer);
}

static void the_limit_can_be_filled_exactly(void **state)
{
    (void)state;
    for (size_t limit = 0; limit <= 200; limit++) {
        struct buffer buffer;
        buffer_init(&buffer, limit);
        for (size_t i = 0; i < limit; i++)
            buffer_append(&buffer, bytes_text("x"));
        assert_false(buffer.has_failed);
        assert_int_equal(buffer.size, limit);
        assert_true(buffer.capacity <= limit);
        buffer_append(&buffer, bytes_text("y"));
        assert_true(buffer.has_failed);
        assert_int_equal(buffer.size, limit);
        buffer_release(&buffer);
    }
}

static void a_failure_stays_until_the_buffer_is_cleared(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 4);
    buffer_append(&buffer, bytes_text("abc"));
    buffer_append(&buffer, bytes_text("de"));
    assert_true(buffer.has_failed);
    buffer_append(&buffer, bytes_text("f"));
    assert_null(buffer_extend(&buffer, 1));
    assert_true(bytes_equal_text(buffer_bytes(&buffer), "abc"));
    buffer_clear(&buffer);
    assert_false(buffer.has_failed);
    assert_int_equal(buffer.size, 0);
    buffer_append(&buffer, bytes_text("defg"));
    assert_true(bytes_equal_text(buffer_bytes(&buffer), "defg"));
    buffer_release(&buffer);
}

static void a_size_that_would_overflow_is_refused(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 1000);
    buffer_append(&buffer, bytes_text("abc"));
    assert_null(buffer_extend(&buffer, SIZE_MAX));
    assert_true(buffer.has_failed);
    assert_int_equal(buffer.size, 3);
    buffer_release(&buffer);
}

static void memory_that_is_not_there_is_a_failure(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, SIZE_MAX);
    buffer_append(&buffer, bytes_text("abc"));
    assert_null(buffer_extend(&buffer, (size_t)PTRDIFF_MAX / 2));
    assert_true(buffer.has_failed);
    assert_true(bytes_equal_text(buffer_bytes(&buffer), "abc"));
    buffer_release(&buffer);
}

static void extending_gives_the_place_after_the_last_byte(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 100);
    buffer_append(&buffer, bytes_text("ab"));
    uint8_t *place = buffer_extend(&buffer, 3);
    assert_ptr_equal(place, buffer.data + 2);
    memcpy(place, "cde", 3);
    assert_true(bytes_equal_text(buffer_bytes(&buffer), "abcde"));
    buffer_release(&buffer);
}

static void consuming_drops_the_front(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 8);
    buffer_append(&buffer, bytes_text("abcdefgh"));
    buffer_consume(&buffer, 0);
    assert_true(bytes_equal_text(buffer_bytes(&buffer), "abcdefgh"));
    buffer_consume(&buffer, 3);
    assert_true(bytes_equal_text(buffer_bytes(&buffer), "defgh"));
    buffer_append(&buffer, bytes_text("ijk"));
    assert_true(bytes_equal_text(buffer_bytes(&buffer), "defghijk"));
    buffer_consume(&buffer, 8);
    assert_int_equal(buffer.size, 0);
    buffer_release(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_buffer_owns_nothing),
        cmocka_unit_test(appends_follow_each_other_through_every_growth),
        cmocka_unit_test(many_small_appends_seldom_move_the_bytes),
        cmocka_unit_test(the_limit_can_be_filled_exactly),
        cmocka_unit_test(a_failure_stays_until_the_buffer_is_cleared),
        cmocka_unit_test(a_size_that_would_overflow_is_refused),
        cmocka_unit_test(memory_that_is_not_there_is_a_failure),
        cmocka_unit_test(extending_gives_the_place_after_the_last_byte),
        cmocka_unit_test(consuming_drops_the_front),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
