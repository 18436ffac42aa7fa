/* SPDX-License-Identifier: PostgreSQL */
#ifndef CATALOG_ATTEMPTED_H
#define CATALOG_ATTEMPTED_H

#include "catalog/version.h"

/* The value of a refused row that a CHECK of one column is about. `detail` is the server's ("Failing row
 * contains (1, open)."). The server does not quote, so the value is told only where the number of values says
 * that no value holds a comma and a space; and not where the columns may be named ("... contains (id, status)
 * = (1, open).", where the user may not see all of them), since a value may look like that. False where it is
 * not sure; else a view into the detail. Longer values than 64 bytes were cut by the server. */
MUST_USE bool attempted_pick(const struct constraint_row *row, struct bytes detail, struct bytes *value);

#endif
