/* SPDX-License-Identifier: PostgreSQL */
#ifndef AUTH_BASE64_H
#define AUTH_BASE64_H

#include "base/text.h"

/* Base64 of RFC 4648, section 4: with padding, without white space. */

void base64_append(struct text *text, struct bytes bytes);
/* Decodes all of `encoded` into exactly `size` bytes. False for another size, a foreign character, missing or
 * superfluous padding, or bits set in what the padding cuts off. */
MUST_USE bool base64_decode(struct bytes encoded, uint8_t *out, size_t size);

#endif
