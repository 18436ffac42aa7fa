/* SPDX-License-Identifier: PostgreSQL */
#ifndef SQL_HARMLESS_H
#define SQL_HARMLESS_H

#include "sql/command.h"

/* The fast path: a proof from absent bytes that a text changes no schema, and that its one command is of its
 * own class and no other. */

/* The one command that the text holds, or NULL where it may hold more, or another. No encoding has a
 * semicolon, a line end, a star, a slash or a quote inside a character, so that it holds for every reading: a
 * harmless first word and no semicolon but a last one; for a query no letters of INTO, and
 * behind WITH none of UPDATE and DELETE. COPY is never proven. */
const struct command *harmless_find(struct bytes text);
/* Whether it is white space throughout, the vertical tab not counted. */
bool harmless_is_blank(struct bytes text);

#endif
