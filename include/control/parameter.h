/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONTROL_PARAMETER_H
#define CONTROL_PARAMETER_H

#include "control/outcome.h"
#include "history/value.h"

/* Reads what Bind gives for a parameter of this type (the number in pg_type; 0: not foretold). What is no
 * number or truth value is a text, which stays a view of the bytes. False with a failure (22P02, 22P03, 0A000)
 * where the bytes are not of the type. */
MUST_USE bool parameter_read(struct bytes bytes, uint32_t type, bool is_in_binary, struct history_value *out,
                             struct console_outcome *failure);

#endif
