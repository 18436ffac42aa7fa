/* SPDX-License-Identifier: PostgreSQL */
#include "sql/token_walk.h"

void token_walk_begin(struct token_walk *walk, struct bytes text, struct lexer_reading reading)
{
    lexer_init(&walk->lexer, reading);
    walk->text = walk->rest = text;
}

bool token_walk_next(struct token_walk *walk, struct token *out)
{
    return lexer_next(&walk->lexer, &walk->rest, out) == LEXER_TOKEN || lexer_finish(&walk->lexer, out);
}

bool token_walk_next_word(struct token_walk *walk, struct token *out)
{
    bool has_token;
    do {
        has_token = token_walk_next(walk, out);
    } while (has_token && out->kind == TOKEN_COMMENT);
    return has_token;
}

struct bytes token_walk_bytes(const struct token_walk *walk, const struct token *token)
{
    return bytes_of(walk->text.data + token->start, (size_t)(token->end - token->start));
}

const struct command *token_walk_command(struct token_walk walk, const struct token *first)
{
    struct token token = *first;
    struct command_path path;
    if (token.kind != TOKEN_WORD || !command_path_begin(&path, bytes_of(token.word, token.word_size)))
        return NULL;
    while (token_walk_next_word(&walk, &token) && token.kind == TOKEN_WORD) {
        if (!command_path_extend(&path, bytes_of(token.word, token.word_size)))
            break;
    }
    return command_path_end(&path);
}
