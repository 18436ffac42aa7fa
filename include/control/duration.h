/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONTROL_DURATION_H
#define CONTROL_DURATION_H

#include "base/attributes.h"
#include "base/bytes.h"

/* Reads a span of time such as "30m", "1h30m", "90 minutes" or "1 hour 30 minutes" into µs: whole numbers,
 * each with a unit (s sec second, m min minute, h hour, d day, also in the plural, in any case). False for
 * anything else, for zero, and for more than a thousand days. */
MUST_USE bool duration_parse(struct bytes text, int64_t *duration_us);

#endif
