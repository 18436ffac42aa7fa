/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONTROL_TOKEN_H
#define CONTROL_TOKEN_H

#include "base/attributes.h"
#include "base/text.h"

/* The words of the console's language. White space and comments of SQL (two hyphens, slash and asterisk) lie
 * between them. */
enum token_kind {
    TOKEN_END,
    TOKEN_SEMICOLON,
    TOKEN_WORD,       /* letters, digits, bytes above ASCII, and _ - . $ behind the first */
    TOKEN_QUOTED,     /* "..." */
    TOKEN_STRING,     /* '...' */
    TOKEN_OTHER,      /* any other byte */
    TOKEN_OPEN_ENDED, /* a string, name or comment without its end */
};

struct token {
    enum token_kind kind;
    size_t offset;     /* in the query, bytes */
    struct bytes text; /* as written, with its quotes */
};

struct token_reader {
    struct bytes query;
    size_t at;
};

/* Takes the next token; END again and again at the end. */
struct token token_next(struct token_reader *reader);
/* Appends what the token means: without its quotes, doubled ones made single. */
void token_append_value(const struct token *token, struct text *out);
/* The token's place as PostgreSQL counts: characters, from 1. */
uint32_t token_position(const struct token_reader *reader, const struct token *token);

#endif
