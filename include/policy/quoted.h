/* SPDX-License-Identifier: PostgreSQL */
#ifndef POLICY_QUOTED_H
#define POLICY_QUOTED_H

#include "base/text.h"

/* Names and reasons in what clients read. */

/* Appends a name or reason so that it stays one line of ASCII and inside its quotes: other bytes, quotes and
 * backslashes stand as \xNN. */
void ascii_append(struct text *out, struct bytes name);
/* Appends `before` as it is and the name in quotes. */
void quoted_append(struct text *out, const char *before, struct bytes name);

#endif
