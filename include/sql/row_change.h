/* SPDX-License-Identifier: PostgreSQL */
#ifndef SQL_ROW_CHANGE_H
#define SQL_ROW_CHANGE_H

#include "sql/lexer.h"

/* Whether a WITH, a COPY or a CREATE TABLE AS changes rows, told by where its words stand: a data change can
 * only be the query itself or one of its WITH list, in parentheses behind AS. (Elsewhere in a query the
 * server refuses a WITH that holds one.) Everywhere else INSERT, UPDATE, DELETE and MERGE are names or
 * clauses. */

enum row_change_state {
    ROW_CHANGE_DONE,        /* nothing further can be one */
    CHANGE_INTO,            /* behind INSERT or MERGE */
    ROW_CHANGE_BEGIN,       /* a query begins, perhaps in more parentheses */
    ROW_CHANGE_LIST,        /* WITH: before the AS of a list's entry */
    ROW_CHANGE_AS,          /* behind it, before its parenthesis */
    ROW_CHANGE_BEHIND,      /* behind an entry: a comma, SEARCH, CYCLE or the query's first word */
    ROW_CHANGE_SEARCH,      /* before BY */
    ROW_CHANGE_COLUMN,      /* before a name in a list of columns */
    ROW_CHANGE_COLUMN_NEXT, /* behind it */
    ROW_CHANGE_SET,         /* before the name that SEARCH or CYCLE sets */
    ROW_CHANGE_CYCLE,       /* before USING */
    ROW_CHANGE_USING,       /* before its name */
    ROW_CHANGE_TABLE,       /* CREATE TABLE: before AS */
    ROW_CHANGE_COPY,        /* COPY: before its first word */
    ROW_CHANGE_COPY_FILE,   /* behind FROM or TO */
};

/* All fields are private but for the findings. */
struct row_change {
    enum row_change_state state;
    uint32_t level; /* parentheses around the list that is being read */
    uint64_t lists; /* a bit for each number of parentheses: around a list whose query has not begun */
    bool is_cycle;
    bool is_copy; /* before its FROM or TO */
    bool was_dot;
    /* findings */
    bool is_write;
    bool is_outside; /* a program or a file on the server */
};

/* `state` says where the statement stands: ROW_CHANGE_DONE, ROW_CHANGE_LIST behind WITH, ROW_CHANGE_TABLE,
 * ROW_CHANGE_COPY.
 */
void row_change_begin(struct row_change *change, enum row_change_state state);
/* The next token; `depth` is the number of parentheses open around it: before one that opens is counted, and
 * before one that closes is taken off. */
void row_change_take(struct row_change *change, const struct token *token, uint32_t depth);

#endif
