/* SPDX-License-Identifier: PostgreSQL */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/bytes.h"

/* The secret of one process: keys chosen by clients cannot be made to collide. */
struct hash_key {
    uint64_t words[2];
};

/* SipHash-1-3 of `bytes` under `key`. */
uint64_t hash_keyed(const struct hash_key *key, struct bytes bytes);
/* A hash that is the same in every process and release: for identifiers shown to people, not for tables.
 * SipHash-2-4 under the key of its authors' test vectors (the bytes 0 to 15). */
uint64_t hash_stable(struct bytes bytes);

#endif
