/* SPDX-License-Identifier: PostgreSQL */
#ifndef VECTORS_FIELD_H
#define VECTORS_FIELD_H

#include "base/buffer.h"

/* Takes one field in text form off `line`, which starts with it, and appends its bytes. NULL when it is
 * well-formed, else what is wrong with it. */
MUST_USE const char *field_read(struct bytes *line, struct buffer *out);

/* Takes off what stands before the next blank or the end. */
struct bytes field_word(struct bytes *line);
/* Drops blanks. */
void field_skip_blanks(struct bytes *line);

#endif
