/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONTROL_EXTENDED_H
#define CONTROL_EXTENDED_H

#include "base/list.h"
#include "control/command.h"
#include "control/inbox.h"
#include "control/portion.h"
#include "control/question.h"

/* The extended query protocol of the console (manual: "Extended Query"), as far as drivers need it:
 * statements are single commands, whose answers are given in portions where an Execute wants so many rows at
 * a time. Only queries have parameters; one whose type the client does not foretell is a text. */

enum {
    EXTENDED_NAMES_MOST = 256,     /* prepared statements and portals of one connection */
    EXTENDED_REST_MOST = 64 << 20, /* bytes of answers that its portals keep for later */
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

struct extended {
    struct list names;
    size_t name_count;
    int64_t duration_most_us;
};

enum extended_result {
    EXTENDED_DONE,     /* the answer was appended */
    EXTENDED_RUN,      /* *run is to be executed: its rows without description, its tag */
    EXTENDED_DESCRIBE, /* *run is a query that must be asked to be described */
    EXTENDED_REFUSED,  /* *failure says why; what follows is to be skipped up to Sync */
};

void extended_init(struct extended *extended);
void extended_release(struct extended *extended);
/* Takes a Parse, Bind, Describe, Execute or Close message. */
MUST_USE enum extended_result extended_take(struct extended *extended, const struct inbox_message *message,
                                            struct buffer *out, struct prepared **run,
                                            struct console_outcome *failure);
/* Answers the Describe of a query with what asking it gave. */
void extended_describe(struct prepared *prepared, struct console_reply *reply, struct buffer *out);
/* The Execute of `portal` was answered in `out` from `at` on: keeps what goes beyond the rows that it wanted.
 * *failure says when there is no room for that. */
void extended_keep_rest(const struct extended *extended, struct prepared *portal, struct buffer *out,
                        size_t at, struct console_outcome *failure);
/* Portals end with the transaction; the unnamed one with a Query, too. Of those that stay, what was only
 * described is asked again when it is executed. */
void extended_end_portals(struct extended *extended);
void extended_end_unnamed_portal(struct extended *extended);
void extended_rest_portals(struct extended *extended);

#endif
