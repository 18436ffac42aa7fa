/* SPDX-License-Identifier: PostgreSQL */
#ifndef SQL_OBJECT_CLAUSE_H
#define SQL_OBJECT_CLAUSE_H

#include "sql/object_walk.h"

/* What may stand behind the name of an object and name others. Each goes on to the end of the statement. */

/* Nothing does, but CASCADE may reach others. */
void object_clause_rest(struct object_walk *walk);
/* A new table: its columns, parents and constraints. */
void object_clause_table(struct object_walk *walk);
/* A sequence's options. */
void object_clause_sequence(struct object_walk *walk);
/* RENAME TO and SET SCHEMA, or options that name nothing. */
void object_clause_options(struct object_walk *walk);
/* ALTER's actions, with commas between them. */
void object_clause_actions(struct object_walk *walk);
/* The tables and schemas of a publication. */
void object_clause_publication(struct object_walk *walk);

#endif
