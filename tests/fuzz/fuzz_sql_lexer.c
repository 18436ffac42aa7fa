/* SPDX-License-Identifier: PostgreSQL */
/* The first byte chooses the reading, the second a distance between cuts; the rest is SQL. However it is cut,
 * the lexer finds the same tokens, in order, within the text, and what they hold agrees with it. */
#include "sql/lexer.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

/* What a text was read as. */
struct outcome {
    uint64_t size;
    uint64_t end; /* of the last token */
    uint64_t digest;
    uint64_t count;
    bool has_ended; /* an open end was found: the last token */
};

static void mix(struct outcome *outcome, uint64_t value)
{
    outcome->digest = (outcome->digest ^ value) * UINT64_C(0x100000001b3);
}

static void take_token(struct outcome *outcome, const struct token *token)
{
    check(!outcome->has_ended);
    check(token->kind != TOKEN_NONE && token->start >= outcome->end && token->end <= outcome->size);
    check(token->end > token->start && token->word_size < LEXER_WORD_SIZE);
    check(token->word[token->word_size] == '\0');
    check(token->kind != TOKEN_UNTERMINATED || token->end == outcome->size);
    outcome->has_ended = token->kind == TOKEN_UNTERMINATED;
    outcome->end = token->end;
    outcome->count++;
    mix(outcome, token->kind);
    mix(outcome, token->start);
    mix(outcome, token->end);
    mix(outcome, token->is_word_cut + 2u * token->is_unicode);
    for (size_t i = 0; i < token->word_size; i++)
        mix(outcome, (uint8_t)token->word[i]);
}

static struct outcome lex(struct bytes text, size_t step, struct lexer_reading reading)
{
    struct outcome outcome = { .size = text.size };
    struct lexer lexer;
    struct token token;
    lexer_init(&lexer, reading);
    while (text.size > 0) {
        struct bytes piece = bytes_take(&text, text.size < step ? text.size : step);
        while (lexer_next(&lexer, &piece, &token) == LEXER_TOKEN)
            take_token(&outcome, &token);
        check(piece.size == 0);
    }
    while (lexer_finish(&lexer, &token))
        take_token(&outcome, &token);
    check(lexer.offset == outcome.size);
    return outcome;
}

static void check_same(const struct outcome *one, const struct outcome *other)
{
    check(one->count == other->count && one->digest == other->digest && one->end == other->end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct lexer_reading reading = { .has_standard_strings = (data[0] & 1) != 0,
                                     .has_unsafe_encoding = (data[0] & 2) != 0,
                                     .has_ascii_pairs = (data[0] & 3) == 3,
                                     .has_vertical_tab = (data[0] & 4) != 0 };
    struct bytes text = bytes_of(data + 2, size - 2);
    struct outcome whole = lex(text, text.size, reading);
    struct outcome bytes = lex(text, 1, reading);
    struct outcome pieces = lex(text, (size_t)data[1] + 1, reading);
    check_same(&whole, &bytes);
    check_same(&whole, &pieces);
    return 0;
}
