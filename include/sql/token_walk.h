/* SPDX-License-Identifier: PostgreSQL */
#ifndef SQL_TOKEN_WALK_H
#define SQL_TOKEN_WALK_H

#include "sql/command.h"
#include "sql/lexer.h"

/* The tokens of a text that lies whole in memory. A copy of the structure goes its own way. */
struct token_walk {
    struct lexer lexer;
    struct bytes text; /* the whole */
    struct bytes rest;
};

void token_walk_begin(struct token_walk *walk, struct bytes text, struct lexer_reading reading);
/* False at the end. */
bool token_walk_next(struct token_walk *walk, struct token *out);
/* The same, without comments. */
bool token_walk_next_word(struct token_walk *walk, struct token *out);
/* The bytes of a token. */
struct bytes token_walk_bytes(const struct token_walk *walk, const struct token *token);
/* The command that the tokens from `first` on begin, or NULL. */
const struct command *token_walk_command(struct token_walk walk, const struct token *first);

#endif
