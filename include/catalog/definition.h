/* SPDX-License-Identifier: PostgreSQL */
#ifndef CATALOG_DEFINITION_H
#define CATALOG_DEFINITION_H

#include "base/attributes.h"
#include "catalog/value_list.h"

struct buffer;

/* What the definition of a constraint says, as pg_get_constraintdef writes it for a session with
 * search_path = pg_catalog, standard_conforming_strings = on and quote_all_identifiers = off (manual: "System
 * Catalog Information Functions"). A bare operator is the server's own then, so that `=` means equality. */

enum { DEFINITION_COLUMN_SIZE = 64 };

/* `has_list` promises one thing: a value of `column` that is not null and not in `values` is refused,
 * whatever else the row holds. Where that is not sure (a NULL among the values, a cast that changes them, a
 * function of the column, a choice with another column) there is no list. Equality is that of the column's
 * type and collation: for character(n) trailing spaces do not count, for numbers 1 is 1.0. */
struct definition {
    bool has_list;
    bool is_whole;      /* every value in the list is allowed; otherwise there are further conditions */
    bool refuses_null;  /* the check itself says that the column is not null */
    bool is_not_valid;  /* NOT VALID: rows from before were not checked */
    bool is_unenforced; /* NOT ENFORCED (servers from 18 on) */
    char column[DEFINITION_COLUMN_SIZE]; /* "VALUE" of a domain; "" of an enum and where there is no list */
    struct value_list values;            /* in the order of the text, without doubles; lives in the storage */
};

/* Reads `CHECK (...)`, and `ENUM ('a', 'b')` as the reading writes enum types; of any other text only the two
 * words at its end are understood. `storage`, which is emptied, holds the values; when they do not fit in its
 * limit there is no list. */
void definition_read(struct bytes text, struct definition *out, struct buffer *storage);
/* The text without NOT VALID and NOT ENFORCED at its end. */
struct bytes definition_body(struct bytes text);

#endif
