/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONTROL_DISTANCE_H
#define CONTROL_DISTANCE_H

#include "base/attributes.h"
#include "base/bytes.h"

enum { DISTANCE_TEXT_MOST = 63, DISTANCE_FAR = DISTANCE_TEXT_MOST + 1 };

/* How many bytes have to be put in, left out or changed to make `b` of `a`, whatever the case of ASCII
 * letters. FAR when one of them has more than DISTANCE_TEXT_MOST bytes. */
size_t distance_between(struct bytes a, struct bytes b);

#endif
