/* SPDX-License-Identifier: PostgreSQL */
#ifndef SQL_OBJECTS_H
#define SQL_OBJECTS_H

#include "base/text.h"
#include "sql/lexer.h"

/* Which objects the schema changes of a text name: for rules about objects and for the audit. Off the hot
 * path: the text is read once more. */

enum { OBJECT_NAME_SIZE = 64, OBJECTS_NAMED_MOST = 32 };

/* A name as the server takes it: folded to lower case where it is not quoted, cut at 63 bytes. Of a column or
 * a constraint it is the table's name. */
struct object_name {
    char schema[OBJECT_NAME_SIZE]; /* empty: not said, so that search_path decides */
    char name[OBJECT_NAME_SIZE];
    bool is_schema;   /* it is a schema: `name` is its name, `schema` is empty */
    bool is_referred; /* only referred to: the other table of a foreign key */
};

struct object_names {
    size_t count;
    bool is_complete; /* as far as words tell, they change and lock no other object: false for a cut text, for
                       * names that cannot be read (U&"..."), more names than fit, CASCADE, DROP OWNED,
                       * REASSIGN OWNED, ALL ... IN TABLESPACE, DO, IMPORT, an index or statistics whose table
                       * is not told, extensions, operators, and what is not understood */
    struct object_name names[OBJECTS_NAMED_MOST];
};

/* Of all guarded statements in the text; `is_cut` when it is the beginning of a longer one. A new index and a
 * new name are in the schema of the table; what SET SCHEMA moves is named in both. Roles, databases and the
 * like are no objects here, nor is what pg_temp holds: complete may mean none. */
void objects_named(struct bytes text, bool is_cut, struct lexer_reading reading, struct object_names *out);
/* Appends "public.orders", "\"Lead\"" or "schema audit", printable, quoted where the server asks for quotes.
 */
void object_name_describe(const struct object_name *name, struct text *out);
/* Appends "public.orders, orders_id_seq", in the order of the text. */
void objects_describe(const struct object_names *objects, struct text *out);

#endif
