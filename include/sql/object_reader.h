/* SPDX-License-Identifier: PostgreSQL */
#ifndef SQL_OBJECT_READER_H
#define SQL_OBJECT_READER_H

#include "sql/object_walk.h"

/* Takes the objects out of one guarded statement, which the walk has begun. */
void object_read(struct object_walk *walk);

#endif
