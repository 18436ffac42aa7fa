/* SPDX-License-Identifier: PostgreSQL */
#include "auth/base64.h"

enum { GROUP_BYTES = 3, GROUP_DIGITS = 4, DIGIT_BITS = 6, DIGIT_MASK = 63 };

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void append_group(struct text *text, struct bytes group)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < GROUP_BYTES; i++)
        bits = bits << 8 | (i < group.size ? group.data[i] : 0);
    for (size_t i = 0; i < GROUP_DIGITS; i++) {
        uint32_t digit = bits >> (DIGIT_BITS * (GROUP_DIGITS - 1 - i)) & DIGIT_MASK;
        text_append_byte(text, (char)(i <= group.size ? digits[digit] : '='));
    }
}

void base64_append(struct text *text, struct bytes bytes)
{
    while (bytes.size > 0)
        append_group(text, bytes_take(&bytes, bytes.size < GROUP_BYTES ? bytes.size : GROUP_BYTES));
}

/* Reads one group of `size` bytes (1 to 3); what is not a digit or not the padding due makes it fail. */
static bool decode_group(const uint8_t *group, uint8_t *out, size_t size)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < GROUP_DIGITS; i++) {
        const char *digit = group[i] != '\0' ? strchr(digits, group[i]) : NULL;
        if (i <= size ? digit == NULL : group[i] != '=')
            return false;
        bits = bits << DIGIT_BITS | (digit != NULL ? (uint32_t)(digit - digits) : 0);
    }
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(bits >> (8 * (GROUP_BYTES - 1 - i)));
    return (bits & (0xffffffU >> (8 * size))) == 0;
}

bool base64_decode(struct bytes encoded, uint8_t *out, size_t size)
{
    if (encoded.size != (size + GROUP_BYTES - 1) / GROUP_BYTES * GROUP_DIGITS)
        return false;
    for (size_t at = 0; at < size; at += GROUP_BYTES) {
        size_t group_size = size - at < GROUP_BYTES ? size - at : GROUP_BYTES;
        if (!decode_group(encoded.data + at / GROUP_BYTES * GROUP_DIGITS, out + at, group_size))
            return false;
    }
    return true;
}
