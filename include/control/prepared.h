/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONTROL_PREPARED_H
#define CONTROL_PREPARED_H

#include "base/list.h"
#include "control/command.h"
#include "control/portion.h"
#include "control/question.h"

/* The prepared statements and portals of one connection to the console, by name. */

enum {
    PREPARED_MOST = 256,           /* of both together */
    PREPARED_REST_MOST = 64 << 20, /* bytes of rows that the portals keep for later */
    PARAMETERS_MOST = 64
};

enum prepared_kind { PREPARED_STATEMENT, PREPARED_PORTAL };

struct prepared {
    struct list node;
    enum prepared_kind kind;
    char name[POLICY_NAME_SIZE];
    bool is_empty;           /* holds no command */
    uint32_t binary_columns; /* of a portal: bit i, whether column i is wanted in binary */
    struct console_command command;
    struct buffer sql;               /* what command.sql is a view of */
    uint32_t types[PARAMETERS_MOST]; /* foretold; 0: not */
    size_t parameter_count;          /* foretold, of a portal: given */
    struct history_value parameters[PARAMETERS_MOST];
    struct buffer texts; /* what the parameters are views of */
    struct question_form form;
    struct query_rows *rows; /* of a portal that was described: its answer */
    uint32_t rows_most;      /* of a portal: how many rows the Execute that runs it wants; 0: all */
    struct portion portion;  /* of a portal: what is left for the next Execute */
};

struct prepared_names {
    struct list list;
    size_t count;
};

void prepared_init(struct prepared_names *names);
void prepared_release(struct prepared_names *names);
/* NULL when there is none. */
struct prepared *prepared_find(const struct prepared_names *names, enum prepared_kind kind,
                               struct bytes name);
/* Makes one; the unnamed one takes the place of its forerunner. NULL and *failure when that may not be. */
struct prepared *prepared_add(struct prepared_names *names, enum prepared_kind kind, struct bytes name,
                              struct console_outcome *failure);
/* Ends one; NULL is allowed. */
void prepared_forget(struct prepared_names *names, struct prepared *prepared);
/* Portals end with the transaction. */
void prepared_end_portals(struct prepared_names *names);
/* Of those that stay behind a Sync, what was only described is asked again when it is executed. */
void prepared_rest_portals(struct prepared_names *names);
/* How many bytes of rows the portals may keep besides those that they do. */
size_t prepared_room(const struct prepared_names *names);

#endif
