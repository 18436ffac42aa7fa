/* SPDX-License-Identifier: PostgreSQL */
#ifndef SQL_COMMAND_H
#define SQL_COMMAND_H

#include "base/bytes.h"
#include "sql/class.h"

/* The commands of SQL by the words they begin with, and how to find one while its words go by. */

/* What has to be looked at behind the command's words. */
enum command_shape {
    SHAPE_PLAIN,
    SHAPE_SELECT, /* may hold INTO */
    SHAPE_WITH,   /* also data changes */
    SHAPE_COPY,
    SHAPE_CREATE,       /* OR REPLACE, TEMP, a name in pg_temp */
    SHAPE_CREATE_TABLE, /* also PARTITION OF */
    SHAPE_CREATE_SCHEMA,
    SHAPE_DROP, /* a list of names */
    SHAPE_ALTER,
    SHAPE_ALTER_TABLE,
    SHAPE_ALTER_TYPE,
    SHAPE_ALTER_STATISTICS,
    SHAPE_VACUUM,
    SHAPE_REINDEX,
    SHAPE_DO,
    SHAPE_EXECUTE,
    SHAPE_PREPARE,
    SHAPE_EXPLAIN,
};

enum command_privacy {
    PRIVACY_USUAL,
    PRIVACY_VALUES, /* libpg_query's fingerprint depends on values in it */
    PRIVACY_SECRET, /* so much of it may be secret that only the command is ever shown */
};

struct command {
    const char *name; /* "ALTER TABLE" */
    enum statement_class class;
    enum safety_level level;
    enum command_shape shape;
    enum command_privacy privacy;
};

/* The words of a command taken so far. */
struct command_path {
    uint16_t row;    /* the first command that begins with them; COMMAND_UNKNOWN where none does */
    uint16_t length; /* of the words and the spaces between them */
};

enum { COMMAND_UNKNOWN = UINT16_MAX };

/* Begins with a first word (in lower case, as the lexer gives it); false when no command has it. */
bool command_path_begin(struct command_path *path, struct bytes word);
/* Adds a word if some command goes on with it; false, and nothing changed, otherwise. */
bool command_path_extend(struct command_path *path, struct bytes word);
/* The command that the words name; where they only begin one, the longest command that they contain, or NULL.
 */
const struct command *command_path_end(const struct command_path *path);
/* Whether the word (in lower case) may stand between CREATE and the kind of object: OR, REPLACE, TEMP,
 * UNIQUE. */
bool command_is_modifier(struct bytes word);
/* The command that a SELECT becomes by INTO. */
const struct command *command_select_into(void);
/* Whether it is a query that may hold INTO. */
bool command_is_query(const struct command *command);
/* Whether a text that begins with this command holds no schema change unless it holds a further statement
 * (or, for a query, the word INTO). */
bool command_is_harmless(const struct command *command);
/* CREATE FUNCTION and PROCEDURE: BEGIN ATOMIC in it holds statements, RETURN among them. */
bool command_is_routine(const struct command *command);
/* Whether a command that begins with this word (in lower case) may be of PRIVACY_SECRET: false where it
 * cannot be. */
bool command_may_be_secret(struct bytes word);
/* Whether its first word tells all: such a command is of its own class and of no other. */
bool command_is_told(const struct command *command);

#endif
