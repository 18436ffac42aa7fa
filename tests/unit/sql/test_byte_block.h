/* SPDX-License-Identifier: PostgreSQL */
#ifndef TEST_BYTE_BLOCK_H
#define TEST_BYTE_BLOCK_H

/* Holds byte_block.h against plain loops, for whichever form of it is included before this. */
#include "sql/byte_block.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

typedef bool (*byte_predicate)(uint8_t byte);

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_word(uint8_t byte)
{
    bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
    return is_letter || is_digit(byte) || byte == '_' || byte == '$' || byte >= 0x80;
}

static bool is_blank(uint8_t byte)
{
    return byte != 0 && memchr(" \t\n\r\f", byte, 5) != NULL;
}

static uint32_t mask_of(const uint8_t *bytes, byte_predicate is_one)
{
    uint32_t mask = 0;
    for (uint32_t i = 0; i < BYTE_BLOCK_SIZE; i++)
        mask |= (uint32_t)is_one(bytes[i]) << i;
    return mask;
}

/* Every value at every place, among others that are none of those asked for. */
static void every_byte_is_told_at_every_place(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        for (size_t at = 0; at < BYTE_BLOCK_SIZE; at++) {
            uint8_t bytes[BYTE_BLOCK_SIZE];
            memset(bytes, '(', sizeof(bytes));
            bytes[at] = (uint8_t)byte;
            struct byte_block block = byte_block_load(bytes);
            assert_int_equal(byte_block_digits(block), mask_of(bytes, is_digit));
            assert_int_equal(byte_block_words(block), mask_of(bytes, is_word));
            assert_int_equal(byte_block_blanks(block), mask_of(bytes, is_blank));
            assert_int_equal(byte_block_equal(block, (char)byte), byte == '(' ? BYTE_BLOCK_ALL : 1u << at);
        }
    }
}

static void only_capital_letters_are_folded(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        uint8_t bytes[BYTE_BLOCK_SIZE];
        char folded[BYTE_BLOCK_SIZE];
        memset(bytes, (int)byte, sizeof(bytes));
        byte_block_fold(byte_block_load(bytes), folded);
        uint8_t expected = byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + 32) : (uint8_t)byte;
        for (size_t i = 0; i < BYTE_BLOCK_SIZE; i++)
            assert_int_equal((uint8_t)folded[i], expected);
    }
}

static void into_is_found_at_every_place_in_every_case(void **state)
{
    (void)state;
    for (size_t at = 0; at < BYTE_BLOCK_SIZE; at++) {
        for (unsigned cases = 0; cases < 16; cases++) {
            uint8_t bytes[BYTE_BLOCK_SIZE + 3];
            memset(bytes, 'n', sizeof(bytes));
            for (size_t i = 0; i < 4; i++)
                bytes[at + i] = (uint8_t)((cases >> i & 1) != 0 ? "INTO"[i] : "into"[i]);
            assert_int_equal(byte_block_letters(bytes, "into"), 1u << at);
        }
    }
}

static void what_is_not_into_is_not_found(void **state)
{
    (void)state;
    for (size_t wrong = 0; wrong < 4; wrong++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            uint8_t bytes[BYTE_BLOCK_SIZE + 3] = "   into          ";
            bytes[3 + wrong] = (uint8_t)byte;
            bool is_right = byte == (uint8_t) "into"[wrong] || byte == (uint8_t) "INTO"[wrong];
            assert_int_equal(byte_block_letters(bytes, "into"), is_right ? 8 : 0);
        }
    }
}

static void runs_and_firsts_are_counted_to_sixteen(void **state)
{
    (void)state;
    assert_int_equal(byte_block_run(0), 0);
    assert_int_equal(byte_block_run(7), 3);
    assert_int_equal(byte_block_run(BYTE_BLOCK_ALL), BYTE_BLOCK_SIZE);
    assert_int_equal(byte_block_first(0), BYTE_BLOCK_SIZE);
    assert_int_equal(byte_block_first(8), 3);
}

static void the_first_of_two_is_found_wherever_it_stands(void **state)
{
    (void)state;
    for (size_t size = 0; size < 3 * BYTE_BLOCK_SIZE; size++) {
        for (size_t at = 0; at <= size; at++) {
            uint8_t bytes[3 * BYTE_BLOCK_SIZE];
            memset(bytes, 'x', sizeof(bytes));
            bytes[at] = at % 2 == 0 ? '*' : '/';
            assert_int_equal(byte_block_find_either(bytes_of(bytes, size), '*', '/'), at);
        }
    }
}

static int run_byte_block_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_is_told_at_every_place),
        cmocka_unit_test(only_capital_letters_are_folded),
        cmocka_unit_test(into_is_found_at_every_place_in_every_case),
        cmocka_unit_test(what_is_not_into_is_not_found),
        cmocka_unit_test(runs_and_firsts_are_counted_to_sixteen),
        cmocka_unit_test(the_first_of_two_is_found_wherever_it_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
