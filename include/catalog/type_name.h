/* SPDX-License-Identifier: PostgreSQL */
#ifndef CATALOG_TYPE_NAME_H
#define CATALOG_TYPE_NAME_H

#include "catalog/expression.h"

/* The type that a cast names, as format_type writes it. */
struct type_name {
    char words[DEFINITION_COLUMN_SIZE]; /* of the server's own types: "character varying"; else "" */
    bool is_array;
};

/* Reads the type behind `::`. False where it has a modifier, such as character varying(3): casts to it cut.
 */
MUST_USE bool type_name_read(struct expression_reader *reader, struct type_name *out);
/* text, character varying or bpchar: between them a value stays what it is, but for trailing spaces, which
 * bpchar takes off. */
MUST_USE bool type_name_is_text(const struct type_name *type);
MUST_USE bool type_name_is(const struct type_name *type, const char *words);

#endif
