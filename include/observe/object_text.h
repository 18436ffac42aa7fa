/* SPDX-License-Identifier: PostgreSQL */
#ifndef OBSERVE_OBJECT_TEXT_H
#define OBSERVE_OBJECT_TEXT_H

#include "observe/violation.h"

/* Names of objects in texts made to be shown: the lists of events, "public.orders, \"Lead\", schema audit",
 * and masked statements. */

struct object_reference {
    char schema[NAME_SIZE]; /* empty: not said */
    char name[NAME_SIZE];
    bool is_schema; /* all of the schema `name` */
};

/* Takes the next reference off a list; false at its end, or where it cannot be read on: then list->size is
 * not 0. */
MUST_USE bool object_text_next(struct bytes *list, struct object_reference *out);
/* Whether it is, or holds, the object `name` of `schema`; a schema not said on either side is any. */
bool object_reference_fits(const struct object_reference *reference, const char *schema, const char *name);
/* Whether a masked statement holds `name`, as the server takes words and quoted names. */
bool object_text_names(const char *statement, const char *name);

#endif
