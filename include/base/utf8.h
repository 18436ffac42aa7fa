/* SPDX-License-Identifier: PostgreSQL */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/attributes.h"
#include "base/bytes.h"

/* Reads the UTF-8 sequence at the start of `bytes` (RFC 3629: shortest form, no surrogates, up to U+10FFFF).
 * Returns its length in bytes and its code point, or 0 where there is no valid sequence. */
MUST_USE size_t utf8_decode(struct bytes bytes, uint32_t *code_point);
/* Whether showing the code point could do more than show a character of the same line: controls (C0, DEL,
 * C1), line and paragraph separators, and marks that reorder the text after them. */
MUST_USE bool utf8_is_control(uint32_t code_point);

#endif
