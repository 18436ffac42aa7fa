/* SPDX-License-Identifier: PostgreSQL */
#ifndef REGRESS_TEXTS_H
#define REGRESS_TEXTS_H

#include "sql/lexer.h"

/* Reads texts from the standard input until its end: each comes as a line with 1 or 0
 * (standard_conforming_strings) and its size in bytes, then its bytes. `say` is called for each and writes a
 * line. The exit status: a failure when a text is cut short. */
int texts_read(void (*say)(struct bytes text, struct lexer_reading reading));

#endif
