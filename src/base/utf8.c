/* SPDX-License-Identifier: PostgreSQL */
#include "base/utf8.h"

static size_t sequence_size(uint8_t first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first <= 0xdf)
        return 2;
    if (first >= 0xe0 && first <= 0xef)
        return 3;
    if (first >= 0xf0 && first <= 0xf4)
        return 4;
    return 0;
}

/* Rules out long forms of smaller code points, the surrogates, and what lies beyond Unicode. */
static bool is_in_range(uint32_t code_point, size_t size)
{
    static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
    return code_point >= smallest[size] && code_point <= 0x10ffff &&
           (code_point < 0xd800 || code_point > 0xdfff);
}

size_t utf8_decode(struct bytes bytes, uint32_t *code_point)
{
    size_t size = bytes.size > 0 ? sequence_size(bytes.data[0]) : 0;
    if (size == 0 || size > bytes.size)
        return 0;
    uint32_t value = size == 1 ? bytes.data[0] : bytes.data[0] & (0x7fU >> size);
    for (size_t i = 1; i < size; i++) {
        if ((bytes.data[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (bytes.data[i] & 0x3f);
    }
    if (!is_in_range(value, size))
        return 0;
    *code_point = value;
    return size;
}

bool utf8_is_control(uint32_t code_point)
{
    bool is_control_code = code_point < 0x20 || (code_point >= 0x7f && code_point <= 0x9f);
    bool is_separator = code_point == 0x2028 || code_point == 0x2029;
    bool is_reordering =
        (code_point >= 0x202a && code_point <= 0x202e) || (code_point >= 0x2066 && code_point <= 0x2069);
    return is_control_code || is_separator || is_reordering;
}
