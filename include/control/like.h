/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONTROL_LIKE_H
#define CONTROL_LIKE_H

#include "base/attributes.h"
#include "base/bytes.h"

/* Whether all of the text matches a pattern of SQL (manual: "Pattern Matching", "LIKE"): % is any run of
 * characters, _ any single one, a backslash takes away the meaning of what follows. */
MUST_USE bool like_matches(struct bytes text, struct bytes pattern);

#endif
