/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONFIG_SOURCE_H
#define CONFIG_SOURCE_H

#include "base/buffer.h"
#include "base/problem.h"

enum { SOURCE_LIMIT = 1024 * 1024 };

/* Reads a file whole, up to SOURCE_LIMIT bytes. False with an error. */
MUST_USE bool source_read(const char *path, struct buffer *out, struct problems *problems);
/* Whether it is text: at most SOURCE_LIMIT bytes, UTF-8 without control characters other than tabs and ends
 * of lines. False with an error at the first byte that is not. */
MUST_USE bool source_check(const char *file, struct bytes text, struct problems *problems);

#endif
