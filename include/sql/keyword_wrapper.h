/* SPDX-License-Identifier: PostgreSQL */
#ifndef SQL_KEYWORD_WRAPPER_H
#define SQL_KEYWORD_WRAPPER_H

#include "base/bytes.h"

/* What in a DO's body holds a command that stands behind no word a statement begins with: EXPLAIN ANALYZE,
 * PREPARE, and a DO of another language. Text of which nobody can say where a string ends is left to count
 * for more than it is. */

/* What of one was read last. */
enum keyword_wrapper_state {
    WRAPPER_NONE,
    WRAPPER_EXPLAIN,
    WRAPPER_EXPLAIN_OPTIONS, /* in its parenthesis */
    WRAPPER_PREPARE,
    WRAPPER_PREPARE_NAME,
    WRAPPER_PREPARE_TYPES, /* in their parenthesis */
    WRAPPER_DO,
    WRAPPER_DO_LANGUAGE,        /* its name is next */
    WRAPPER_DO_LANGUAGE_BEHIND, /* the same behind the body */
};

/* Fields are private but for the first six. */
struct keyword_wrapper {
    bool is_wrapped;           /* in what EXPLAIN ANALYZE or PREPARE holds */
    bool is_foreign;           /* in or behind a DO of another language than PL/pgSQL */
    bool is_foreign_body_past; /* whose body stood before the language */
    bool is_start;             /* a statement begins here: what comes cannot be a label */
    bool begins_string;        /* the wrapper: what is wrapped holds no words of PL/pgSQL */
    bool has_comment;          /* anywhere before */
    bool has_do_body;
    bool has_opened;  /* a comment, with the last byte */
    bool has_newline; /* since `last` */
    bool has_escapes; /* or a dollar quote, or several pieces: where strings end is not known */
    enum keyword_wrapper_state state;
    uint8_t hidden_by;       /* '"', '-' or '*': a quoted name or a comment; else 0 */
    uint8_t last;            /* byte that is not white space; 0 behind a word */
    uint32_t depth;          /* of the types' parentheses */
    uint32_t quotes_before;  /* single quotes that end with the last byte */
    uint32_t quotes_outside; /* the same where the wrapper began: 0 if it does not begin a string */
    uint32_t quotes;         /* single quotes since */
};

static inline bool keyword_is_blank(uint8_t byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* Takes a word in lower case; whether a statement or a query may begin with it. */
void keyword_wrapper_take_word(struct keyword_wrapper *wrapper, struct bytes word, bool may_begin_statement,
                               bool may_begin_query);
/* Takes a byte that is of no word, and the one before it, whatever that was. */
void keyword_wrapper_take_byte(struct keyword_wrapper *wrapper, uint8_t byte, uint8_t before);

#endif
