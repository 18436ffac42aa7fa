/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONFIG_EDITS_H
#define CONFIG_EDITS_H

#include "base/bytes.h"

enum { EDITS_NAME_MOST = 63 };

/* How many letters must be put in, taken out or replaced to make of the key a name of at most EDITS_NAME_MOST
 * bytes (Levenshtein). */
size_t edits_between(struct bytes key, struct bytes name);
/* Fewer than this, and a person who wrote the key may have meant the name. */
size_t edits_too_many(struct bytes key);

#endif
