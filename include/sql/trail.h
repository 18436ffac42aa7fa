/* SPDX-License-Identifier: PostgreSQL */
#ifndef SQL_TRAIL_H
#define SQL_TRAIL_H

#include "sql/lexer.h"

/* What the second byte of a character in an unsafe encoding (see lexer_reading) may be taken for. */

/* A character of two bytes that the server converts to a single ASCII one: SHIFT_JIS_2004 has \ and ~ there
 * (PostgreSQL's shift_jis_2004_to_utf8.map). */
static inline bool trail_makes_ascii(uint8_t lead, uint8_t byte)
{
    return lead == 0x81 && (byte == 0x5f || byte == 0xb0);
}

/* It looks like an operator, a quote's or an escape: not like a letter, a digit or `_`, which it may as well
 * be. */
static inline bool trail_is_punctuation(uint8_t byte)
{
    return byte == '@' || (byte >= '[' && byte <= '`' && byte != '_') || (byte >= '{' && byte <= '~');
}

/* In how many ways more than one the byte behind `lead` can be read: 2 is more than there are lexers for. */
static inline unsigned trail_doubts(struct lexer_reading reading, uint8_t lead, uint8_t byte)
{
    if (lead < 0x80)
        return 0;
    return reading.has_ascii_pairs && trail_makes_ascii(lead, byte) ? 2 : trail_is_punctuation(byte);
}

#endif
