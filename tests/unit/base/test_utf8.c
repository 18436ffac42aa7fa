/* SPDX-License-Identifier: PostgreSQL */
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static size_t encode(uint32_t code_point, uint8_t *out)
{
    size_t size = code_point < 0x80 ? 1 : code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    static const uint8_t marks[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    for (size_t i = size; i-- > 1; code_point >>= 6)
        out[i] = (uint8_t)(0x80 | (code_point & 0x3f));
    out[0] = (uint8_t)(marks[size] | code_point);
    return size;
}

static void every_code_point_is_read_and_surrogates_are_not(void **state)
{
    (void)state;
    for (uint32_t wanted = 0; wanted < 0x120000; wanted++) {
        uint8_t sequence[4];
        uint32_t code_point = UINT32_MAX;
        size_t size = encode(wanted, sequence);
        bool is_valid = wanted <= 0x10ffff && (wanted < 0xd800 || wanted > 0xdfff);
        assert_int_equal(utf8_decode(bytes_of(sequence, size), &code_point), is_valid ? size : 0);
        assert_true(code_point == (is_valid ? wanted : UINT32_MAX));
    }
}

static void a_sequence_that_ends_early_is_invalid(void **state)
{
    (void)state;
    const char *const wholes[] = { "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x90\x98" };
    for (size_t i = 0; i < COUNT_OF(wholes); i++) {
        struct bytes whole = bytes_text(wholes[i]);
        uint32_t code_point;
        for (size_t size = 0; size < whole.size; size++)
            assert_int_equal(utf8_decode(bytes_of(whole.data, size), &code_point), 0);
        assert_int_equal(utf8_decode(whole, &code_point), whole.size);
    }
}

static void longer_forms_of_smaller_code_points_are_invalid(void **state)
{
    (void)state;
    const char *const forms[] = {
        "\xc0\xaf",         "\xc1\xbf",         "\xe0\x80\xaf",        "\xe0\x9f\xbf",
        "\xf0\x80\x80\xaf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",    "\xc0\x90\x80\x80",
        "\x80\x90\x80\x80", "\xf8\x90\x80\x80", "\xf8\x88\x80\x80\x80"
    };
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        uint32_t code_point;
        assert_int_equal(utf8_decode(bytes_text(forms[i]), &code_point), 0);
    }
}

static void a_broken_continuation_is_invalid_at_every_place(void **state)
{
    (void)state;
    for (size_t broken = 1; broken < 4; broken++) {
        uint8_t sequence[] = { 0xf0, 0x9f, 0x90, 0x98 };
        uint32_t code_point;
        sequence[broken] = 'a';
        assert_int_equal(utf8_decode(bytes_of(sequence, 4), &code_point), 0);
        sequence[broken] = 0xc3;
        assert_int_equal(utf8_decode(bytes_of(sequence, 4), &code_point), 0);
    }
    uint32_t code_point;
    assert_int_equal(utf8_decode(bytes_text("\x80"), &code_point), 0);
    assert_int_equal(utf8_decode(BYTES_NONE, &code_point), 0);
}

static void controls_are_told_from_characters_at_every_edge(void **state)
{
    (void)state;
    const uint32_t controls[] = { 0,      0x1f,   0x7f,   0x80,   0x85,   0x9f,
                                  0x2028, 0x2029, 0x202a, 0x202e, 0x2066, 0x2069 };
    const uint32_t characters[] = { 0x20, 0x7e, 0xa0, 0x2027, 0x202f, 0x2065, 0x206a, 0x1f418 };
    for (size_t i = 0; i < COUNT_OF(controls); i++)
        assert_true(utf8_is_control(controls[i]));
    for (size_t i = 0; i < COUNT_OF(characters); i++)
        assert_false(utf8_is_control(characters[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_is_read_and_surrogates_are_not),
        cmocka_unit_test(a_sequence_that_ends_early_is_invalid),
        cmocka_unit_test(longer_forms_of_smaller_code_points_are_invalid),
        cmocka_unit_test(a_broken_continuation_is_invalid_at_every_place),
        cmocka_unit_test(controls_are_told_from_characters_at_every_edge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
