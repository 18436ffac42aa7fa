/* SPDX-License-Identifier: PostgreSQL */
#ifndef CATALOG_EXPRESSION_H
#define CATALOG_EXPRESSION_H

#include "base/buffer.h"
#include "catalog/definition.h"
#include "sql/token_walk.h"

/* The condition of a CHECK, as far as it says which values a column may have. */

/* A look at the next token; a copy goes its own way. */
struct expression_reader {
    struct token_walk walk;
    struct token token; /* the next one */
    bool has_token;
    struct buffer *values; /* packed, of the whole text */
    unsigned depth;
};

enum condition_kind {
    CONDITION_OTHER,
    CONDITION_LIST,     /* column is one of the values */
    CONDITION_NULL,     /* column IS NULL */
    CONDITION_NOT_NULL, /* column IS NOT NULL */
};

/* Its values lie in the reader's buffer from `start` to `end`. */
struct condition {
    enum condition_kind kind;
    bool is_whole;
    bool refuses_null;
    char column[DEFINITION_COLUMN_SIZE];
    size_t start;
    size_t end;
};

void expression_begin(struct expression_reader *reader, struct bytes text, struct buffer *values);
/* Goes to the next token that is no comment. */
void expression_next(struct expression_reader *reader);
bool expression_is(const struct expression_reader *reader, enum token_kind kind);
bool expression_is_word(const struct expression_reader *reader, const char *word);
bool expression_is_operator(const struct expression_reader *reader, const char *sign);
/* Takes the token when it is this one. */
bool expression_take(struct expression_reader *reader, enum token_kind kind);
bool expression_take_word(struct expression_reader *reader, const char *word);
bool expression_take_operator(struct expression_reader *reader, const char *sign);

/* Reads a whole condition, up to a closing parenthesis or the end. */
void expression_condition(struct expression_reader *reader, struct condition *out);
/* Reads `column = constant`, `column = ANY (...)`, `column IN (...)`, `column IS [NOT] NULL`. False where the
 * text is none of these; the reader is anywhere then. */
bool comparison_read(struct expression_reader *reader, struct condition *out);
/* Reads one constant, with casts that do not change it, and appends its value. */
bool constant_read(struct expression_reader *reader);
/* Reads the constants of ARRAY[...] or '{...}', and appends their values. */
bool constant_array_read(struct expression_reader *reader);

/* The value of a string constant as it stands in the text, '...' or E'...'; false for other forms. */
bool literal_append(struct bytes literal, struct buffer *out);
/* The elements of an array constant such as {a,"b c"}; false where one is null or the form is another. */
bool array_literal_append(struct bytes elements, struct buffer *values);

#endif
