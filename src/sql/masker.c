/* SPDX-License-Identifier: PostgreSQL */
#include "sql/masker.h"

#include "sql/token_walk.h"

void masker_begin(struct masker *masker)
{
    *masker = (struct masker){ .head = HEAD_START };
}

static unsigned flush(struct masker *masker)
{
    unsigned parts = masker->held;
    masker->held = 0;
    return parts;
}

/* A literal that is alone between commas or parentheses says no more than the one before it. */
static void drop_held(struct masker *masker)
{
    if ((masker->held & MASKER_HELD) != 0)
        masker->held = 0;
}

static unsigned show(struct masker *masker, enum masker_last last)
{
    unsigned parts = flush(masker) | MASKER_TOKEN;
    masker->was_element = false;
    masker->last = (uint8_t)last;
    return parts;
}

static unsigned take_literal(struct masker *masker, const struct token *token)
{
    enum masker_last before = (enum masker_last)masker->last;
    if ((masker->held & MASKER_SIGN) != 0 && token->kind == TOKEN_NUMBER) {
        masker->held = masker->held & MASKER_COMMA;
        before = (enum masker_last)masker->last_before_sign;
    }
    masker->last = token->kind == TOKEN_NUMBER ? LAST_NUMBER : LAST_OTHER;
    if (masker->held == MASKER_COMMA && masker->was_element) {
        masker->held |= MASKER_HELD;
        return 0;
    }
    masker->was_element = before != LAST_OPERATOR;
    return flush(masker) | MASKER_LITERAL;
}

static unsigned take_operator(struct masker *masker, const struct token *token)
{
    char byte = '\0';
    if (token->word_size == 1)
        byte = token->word[0];
    if (byte == '[')
        return show(masker, LAST_OPENER);
    if (byte == ']') {
        drop_held(masker);
        return show(masker, LAST_OTHER);
    }
    bool is_sign = byte == '-' || byte == '+';
    bool is_before_value = masker->last == LAST_OPENER || masker->last == LAST_OPERATOR;
    if (!is_sign || !is_before_value || (masker->held & MASKER_SIGN) != 0)
        return show(masker, LAST_OPERATOR);
    masker->sign = byte;
    masker->held |= MASKER_SIGN;
    masker->last_before_sign = masker->last;
    masker->last = LAST_OPERATOR;
    return 0;
}

static bool is_opener(const struct token *token)
{
#define WORD(text) || (token->word_size == sizeof(text) - 1 && memcmp(token->word, text, sizeof(text)) == 0)
    return false MASKER_OPENERS(WORD);
#undef WORD
}

/* Letters right behind a number are no name: the text is broken there, and they may belong to a value. */
static bool is_junk(const struct masker *masker, const struct token *token)
{
    return masker->last == LAST_NUMBER && token->start == masker->end;
}

static unsigned take_word(struct masker *masker, const struct token *token)
{
    if (is_junk(masker, token))
        return 0;
    if (token->word_size == 6 && memcmp(token->word, "values", 6) == 0) {
        masker->is_in_values = true;
        masker->values_depth = masker->depth;
    }
    return show(masker, masker_word_may_matter(token) && is_opener(token) ? LAST_OPENER : LAST_OTHER);
}

static unsigned take_close(struct masker *masker)
{
    drop_held(masker);
    masker->depth -= masker->depth > 0 ? 1 : 0;
    return show(masker, LAST_OTHER);
}

static unsigned take_comma(struct masker *masker)
{
    drop_held(masker);
    unsigned parts = flush(masker);
    masker->held = MASKER_COMMA;
    masker->last = LAST_OPENER;
    return parts;
}

/* Whether the token belongs to a further row of VALUES, all of which are left out. */
static bool take_row(struct masker *masker, const struct token *token)
{
    if (masker->is_in_row) { /* masker_take has taken the rest */
        masker->depth += token->kind == TOKEN_OPEN ? 1 : 0;
        masker->depth -= token->kind == TOKEN_CLOSE ? 1 : 0;
        masker->is_in_row = token->kind != TOKEN_CLOSE || masker->depth > masker->values_depth;
        masker->last = LAST_OTHER;
        return true;
    }
    if (masker->depth != masker->values_depth)
        return false;
    if ((masker->held & MASKER_COMMA) != 0 && token->kind == TOKEN_OPEN) {
        masker->held = 0;
        masker->depth++;
        masker->is_in_row = true;
        return true;
    }
    masker->is_in_values = token->kind == TOKEN_OPEN || token->kind == TOKEN_COMMA;
    return false;
}

static unsigned take_token(struct masker *masker, const struct token *token)
{
    if (masker->is_in_values && take_row(masker, token))
        return 0;
    switch (token->kind) {
    case TOKEN_WORD:
        return take_word(masker, token);
    case TOKEN_STRING:
    case TOKEN_NUMBER:
        return take_literal(masker, token);
    case TOKEN_COMMA:
        return take_comma(masker);
    case TOKEN_OPEN:
        masker->depth++;
        return show(masker, LAST_OPENER);
    case TOKEN_CLOSE:
        return take_close(masker);
    case TOKEN_OPERATOR:
        return take_operator(masker, token);
    default:
        return show(masker, LAST_OTHER);
    }
}

/* The words of the head are over. */
static unsigned end_head(struct masker *masker)
{
    const struct command *command = masker->head == HEAD_PATH ? command_path_end(&masker->path) : NULL;
    bool is_secret = command != NULL && command->privacy == PRIVACY_SECRET;
    masker->head = is_secret || masker->head == HEAD_SECRET ? HEAD_SECRET : HEAD_BEHIND;
    masker->command = command;
    return is_secret ? MASKER_COMMAND : 0;
}

static unsigned take_head(struct masker *masker, const struct token *token)
{
    struct bytes word = bytes_of(token->word, token->word_size);
    if (masker->head == HEAD_SECRET)
        return 0;
    if (masker->head == HEAD_START && token->kind == TOKEN_WORD && command_may_be_secret(word) &&
        command_path_begin(&masker->path, word)) {
        masker->head = HEAD_PATH;
        return take_token(masker, token) | MASKER_BEGIN;
    }
    if (masker->head == HEAD_PATH && token->kind == TOKEN_WORD && command_path_extend(&masker->path, word))
        return take_token(masker, token);
    unsigned parts = end_head(masker);
    return masker->head == HEAD_SECRET ? parts : take_token(masker, token);
}

static unsigned take_semicolon(struct masker *masker)
{
    unsigned parts = end_head(masker);
    drop_held(masker);
    parts |= show(masker, LAST_OPENER);
    masker->head = HEAD_START;
    masker->is_in_values = masker->is_in_row = false;
    masker->depth = 0;
    return parts;
}

static unsigned take_cut(struct masker *masker)
{
    unsigned parts = end_head(masker) | flush(masker) | MASKER_CUT;
    masker->head = HEAD_CUT;
    return parts;
}

unsigned masker_take_any(struct masker *masker, const struct token *token)
{
    unsigned parts;
    if (token->kind == TOKEN_COMMENT || masker->head == HEAD_CUT)
        return 0;
    if (token->kind == TOKEN_SEMICOLON)
        parts = take_semicolon(masker);
    else if (token->kind == TOKEN_UNTERMINATED)
        parts = take_cut(masker);
    else if (masker->head != HEAD_BEHIND)
        parts = take_head(masker, token);
    else
        parts = take_token(masker, token);
    masker->end = token->end;
    return parts;
}

unsigned masker_end(struct masker *masker)
{
    unsigned parts = end_head(masker);
    drop_held(masker);
    return parts | flush(masker);
}
