/* SPDX-License-Identifier: PostgreSQL */
#ifndef AUTH_DIGEST_H
#define AUTH_DIGEST_H

#include "base/attributes.h"
#include "base/bytes.h"

/* The primitives of SCRAM-SHA-256. Each is false only when libcrypto fails; `out` is then not to be used. */

enum { DIGEST_SIZE = 32 };

MUST_USE bool digest_sha256(struct bytes bytes, uint8_t out[DIGEST_SIZE]);
MUST_USE bool digest_hmac(struct bytes key, struct bytes bytes, uint8_t out[DIGEST_SIZE]);
/* PBKDF2 with HMAC-SHA-256: Hi() of RFC 5802. */
MUST_USE bool digest_stretch(struct bytes password, struct bytes salt, uint32_t iterations,
                             uint8_t out[DIGEST_SIZE]);
/* Bytes that nobody can foretell. */
MUST_USE bool digest_random(uint8_t *out, size_t size);
/* Overwrites a secret, also where the compiler sees no reader. */
void digest_wipe(void *secret, size_t size);

#endif
