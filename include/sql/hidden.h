/* SPDX-License-Identifier: PostgreSQL */
#ifndef SQL_HIDDEN_H
#define SQL_HIDDEN_H

#include "base/hash.h"

/* Functions of ours whose names libpg_query exports, too. The linker gives a symbol the least visibility that
 * any object asks for: hidden, the library cannot call ours in place of its own, nor is its own taken for
 * ours. */
uint64_t hash_bytes(const struct hash_key *key, struct bytes bytes) __attribute__((visibility("hidden")));

#endif
