/* SPDX-License-Identifier: PostgreSQL */
#ifndef SQL_OUTLINE_H
#define SQL_OUTLINE_H

#include "sql/alteration.h"
#include "sql/outcome.h"
#include "sql/row_change.h"

/* What can be told of one statement while its tokens go by: its command, its class and level. */

enum outline_phase {
    OUTLINE_BEGIN,          /* nothing but parentheses so far */
    OUTLINE_HEAD,           /* the command's words */
    OUTLINE_TARGET,         /* before the name of an object */
    OUTLINE_TARGET_BEHIND,  /* behind its first part */
    OUTLINE_TARGET_PART,    /* behind a dot in it */
    OUTLINE_TARGET_REST,    /* behind a further part */
    OUTLINE_BODY,           /* all that follows */
    OUTLINE_INTO,           /* behind a SELECT's INTO */
    OUTLINE_INTO_LOCAL,     /* INTO LOCAL */
    OUTLINE_INTO_TEMP,      /* INTO TEMP */
    OUTLINE_INTO_SCHEMA,    /* INTO pg_temp */
    OUTLINE_EXPLAIN,        /* its options */
    OUTLINE_EXPLAIN_OPEN,   /* EXPLAIN ( */
    OUTLINE_EXPLAIN_OPTION, /* EXPLAIN (option */
    OUTLINE_NAME,           /* of a prepared statement */
    OUTLINE_PREPARE,        /* before its AS */
};

enum { OUTLINE_WORD_SIZE = 16, OUTLINE_NAME_SIZE = 64, OUTLINE_DEPTH = 64 };

/* All fields are private but for the findings. */
struct outline {
    enum outline_phase phase;
    uint32_t depth;   /* of parentheses */
    uint64_t queries; /* a bit for each depth: SELECT was said in the parentheses that are open there */
    struct command_path path;
    const struct command *command;
    bool is_temporary;        /* TEMP was said */
    bool names_temporary;     /* a name in pg_temp stands in it */
    bool names_permanent;     /* and one that is not */
    bool is_temporary_schema; /* the last name was pg_temp itself */
    bool is_replacing;
    bool is_concurrent;
    bool has_values; /* parenthesized options have values, such as FULL false */
    bool has_target; /* VACUUM: a table has been named */
    bool is_partition;
    bool is_full;
    bool is_selecting_into;
    bool is_dry; /* EXPLAIN without ANALYZE */
    bool is_schema;
    const struct command *wrapper;
    struct outcome worst; /* of the parts that are complete */
    struct alteration alteration;
    struct row_change change;
    enum token_kind previous_kind;
    char previous[OUTLINE_WORD_SIZE]; /* the word before, empty where it was none */
    bool was_label;                   /* it was a name only: behind AS or a dot */
    /* findings */
    bool has_tokens;
    bool is_unknown;       /* its first token begins no command */
    bool is_return;        /* and that is RETURN */
    bool is_do;            /* its body is to be looked through */
    bool is_do_unreadable; /* but says something else than what stands there */
    bool is_do_foreign;    /* or is in a language that is not called plpgsql */
    bool is_do_quoted;     /* or in one that a string names, whose text is not known here */
    bool has_execute;
    bool has_prepare;
    bool is_name_unreadable; /* U&"...": which statement it means is not known */
    char name[OUTLINE_NAME_SIZE];
};

void outline_begin(struct outline *outline);
/* The statement's next token; comments and semicolons are not given. */
void outline_take(struct outline *outline, const struct token *token);
/* Whether further tokens of the statement change nothing: they need not be given. */
static inline bool outline_is_settled(const struct outline *outline)
{
    bool is_indifferent = outline->command != NULL && outline->command->shape == SHAPE_PLAIN;
    return outline->phase == OUTLINE_BODY && is_indifferent && !outline->is_schema;
}

/* Whether the next token names the language of a DO. */
static inline bool outline_awaits_language(const struct outline *outline)
{
    return outline->is_do && strcmp(outline->previous, "language") == 0;
}

/* Takes a token of a query's body that is neither a word nor a parenthesis, if it is one: all that it says is
 * that it stood there. */
static inline bool outline_take_filler(struct outline *outline, const struct token *token)
{
    bool is_filler = (token->kind >= TOKEN_QUOTED_NAME && token->kind <= TOKEN_COMMA) &&
                     outline->phase == OUTLINE_BODY && outline->command != NULL &&
                     command_is_query(outline->command) && outline->change.state == ROW_CHANGE_DONE;
    if (is_filler) {
        outline->previous_kind = token->kind;
        outline->previous[0] = '\0';
    }
    return is_filler;
}

/* What the part of the statement that is read comes to: EXPLAIN, PREPARE and CREATE SCHEMA hold others. */
struct outcome outline_judge(struct outline *outline);
struct outcome outline_end(struct outline *outline);

#endif
