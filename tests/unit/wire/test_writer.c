/* SPDX-License-Identifier: PostgreSQL */
#include "wire/writer.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void expect_written(struct buffer *buffer, const void *expected, size_t size)
{
    assert_false(buffer->has_failed);
    assert_int_equal(buffer->size, size);
    assert_memory_equal(buffer->data, expected, size);
    buffer_release(buffer);
}
#define EXPECT_WRITTEN(buffer, literal) expect_written(buffer, literal, sizeof(literal) - 1)

static void every_field_is_big_endian_and_the_length_counts_itself(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 100);
    struct writer writer = writer_of(&buffer);
    writer_begin(&writer, 'P');
    writer_byte(&writer, 0xfe);
    writer_int16(&writer, 0x8102);
    writer_int32(&writer, 0x83040506);
    writer_string(&writer, bytes_text("ab"));
    writer_bytes(&writer, bytes_of("c\0d", 3));
    writer_end(&writer);
    EXPECT_WRITTEN(&buffer, "P\0\0\0\x11\xfe\x81\2\x83\4\5\6ab\0c\0d");
}

static void messages_follow_one_another(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 100);
    struct writer writer = writer_of(&buffer);
    writer_command_complete(&writer, "SHOW");
    writer_ready(&writer, 'T');
    writer_begin(&writer, 'n');
    writer_end(&writer);
    EXPECT_WRITTEN(&buffer, "C\0\0\0\x09SHOW\0Z\0\0\0\5Tn\0\0\0\4");
}

static void a_length_of_more_than_a_byte_is_right(void **state)
{
    (void)state;
    static const uint8_t filler[0x10203];
    struct buffer buffer;
    buffer_init(&buffer, 0x20000);
    struct writer writer = writer_of(&buffer);
    writer_begin(&writer, 'd');
    writer_bytes(&writer, bytes_of(filler, sizeof filler));
    writer_end(&writer);
    assert_memory_equal(buffer.data, "d\0\1\2\7", 5);
    buffer_release(&buffer);
}

static void a_string_ends_at_its_first_nul(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 100);
    struct writer writer = writer_of(&buffer);
    writer_string(&writer, bytes_of("a\0b", 3));
    writer_string(&writer, BYTES_NONE);
    EXPECT_WRITTEN(&buffer, "a\0\0");
}

static void an_error_has_its_fields_in_order(void **state)
{
    (void)state;
    const struct error_notice notice = { .severity = "ERROR",
                                         .sqlstate = "42501",
                                         .message = bytes_text("no"),
                                         .detail = bytes_text("why"),
                                         .hint = bytes_text("when"),
                                         .routine = "guard" };
    struct buffer buffer;
    buffer_init(&buffer, 100);
    struct writer writer = writer_of(&buffer);
    writer_error(&writer, &notice);
    EXPECT_WRITTEN(&buffer, "E\0\0\0\x30SERROR\0VERROR\0C42501\0Mno\0Dwhy\0Hwhen\0Rguard\0\0");
}

static void an_errors_detail_and_hint_may_be_absent(void **state)
{
    (void)state;
    const struct error_notice notice = {
        .severity = "FATAL", .sqlstate = "08P01", .message = bytes_text("no"), .routine = "wire"
    };
    struct buffer buffer;
    buffer_init(&buffer, 100);
    struct writer writer = writer_of(&buffer);
    writer_error(&writer, &notice);
    EXPECT_WRITTEN(&buffer, "E\0\0\0\x24SFATAL\0VFATAL\0C08P01\0Mno\0Rwire\0\0");
}

static void what_does_not_fit_fails_at_every_limit(void **state)
{
    (void)state;
    for (size_t limit = 0; limit <= 15; limit++) {
        struct buffer buffer;
        buffer_init(&buffer, limit);
        struct writer writer = writer_of(&buffer);
        writer_begin(&writer, 'X');
        writer_int32(&writer, 1);
        writer_int16(&writer, 2);
        writer_string(&writer, bytes_text("abc"));
        writer_end(&writer);
        assert_int_equal(buffer.has_failed, limit < 15);
        buffer_release(&buffer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_is_big_endian_and_the_length_counts_itself),
        cmocka_unit_test(messages_follow_one_another),
        cmocka_unit_test(a_length_of_more_than_a_byte_is_right),
        cmocka_unit_test(a_string_ends_at_its_first_nul),
        cmocka_unit_test(an_error_has_its_fields_in_order),
        cmocka_unit_test(an_errors_detail_and_hint_may_be_absent),
        cmocka_unit_test(what_does_not_fit_fails_at_every_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
