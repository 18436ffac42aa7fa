/* SPDX-License-Identifier: PostgreSQL */
#include "sql/lexer_step.h"

static enum step emit_single(struct lexer *lexer, enum token_kind kind, struct token *out)
{
    lexer_emit(lexer, kind, lexer->offset + 1, out);
    return STEP_EMIT_TAKE;
}

static enum step emit_pair(struct lexer *lexer, const char *text, struct token *out)
{
    lexer_emit_operator(lexer, text, out);
    return STEP_EMIT_TAKE;
}

static enum step emit_other(struct lexer *lexer, uint8_t byte, struct token *out)
{
    emit_single(lexer, TOKEN_OPERATOR, out);
    out->word[0] = (char)byte;
    out->word[1] = '\0';
    out->word_size = 1;
    return STEP_EMIT_TAKE;
}

static enum step take_into(struct lexer *lexer, enum lexer_state state)
{
    lexer->state = state;
    return STEP_TAKE;
}

static enum step begin_string(struct lexer *lexer, enum string_form form)
{
    lexer->string_form = form;
    lexer->is_unicode = form == STRING_RAW;
    return take_into(lexer, STATE_STRING);
}

static enum step begin_word(struct lexer *lexer)
{
    lexer_word_begin(lexer, lexer->offset);
    return STEP_AGAIN;
}

static enum step begin_name(struct lexer *lexer, bool is_unicode)
{
    lexer_word_begin(lexer, lexer->start);
    lexer->is_unicode = is_unicode;
    return take_into(lexer, STATE_NAME);
}

static enum step begin_operator(struct lexer *lexer, uint8_t byte)
{
    lexer_operator_begin(lexer, lexer->offset, byte);
    return STEP_TAKE;
}

enum step step_start(struct lexer *lexer, uint8_t byte, enum byte_kind kind, struct token *out)
{
    lexer->start = lexer->offset;
    lexer->radix = 0;
    switch (kind) {
    case BYTE_LETTER:
        return begin_word(lexer);
    case BYTE_DIGIT:
        return take_into(lexer, byte == '0' ? STATE_NUMBER_ZERO : STATE_NUMBER);
    case BYTE_DOLLAR:
        return take_into(lexer, STATE_DOLLAR);
    case BYTE_QUOTE:
        return begin_string(lexer, STRING_PLAIN);
    case BYTE_DOUBLE_QUOTE:
        return begin_name(lexer, false);
    case BYTE_OPERATOR:
        return begin_operator(lexer, byte);
    case BYTE_DOT:
        return take_into(lexer, STATE_DOT);
    case BYTE_COLON:
        return take_into(lexer, STATE_COLON);
    case BYTE_COMMA:
        return emit_single(lexer, TOKEN_COMMA, out);
    case BYTE_OPEN:
        return emit_single(lexer, TOKEN_OPEN, out);
    case BYTE_CLOSE:
        return emit_single(lexer, TOKEN_CLOSE, out);
    case BYTE_SEMICOLON:
        return emit_single(lexer, TOKEN_SEMICOLON, out);
    default:
        return lexer_is_space(lexer, kind) ? STEP_TAKE : emit_other(lexer, byte, out);
    }
}

/* A word of one letter may be the beginning of E'', B'', X'', N'', U&'' or U&"". */
static enum step step_prefix(struct lexer *lexer, enum byte_kind kind, uint8_t byte, struct token *out)
{
    char prefix = lexer->word[0];
    if (byte == '&' && prefix == 'u')
        return take_into(lexer, STATE_UNICODE);
    if (kind != BYTE_QUOTE)
        return lexer_emit(lexer, TOKEN_WORD, lexer->offset, out);
    switch (prefix) {
    case 'e':
        return begin_string(lexer, STRING_ESCAPED);
    case 'b':
    case 'x':
        return begin_string(lexer, STRING_BITS);
    case 'n':
        return begin_string(lexer, STRING_PLAIN);
    default:
        return lexer_emit(lexer, TOKEN_WORD, lexer->offset, out);
    }
}

enum step step_word(struct lexer *lexer, uint8_t byte, enum byte_kind kind, struct token *out)
{
    if (lexer->word_size == 1)
        return step_prefix(lexer, kind, byte, out);
    return lexer_emit(lexer, TOKEN_WORD, lexer->offset, out);
}

enum step step_unicode(struct lexer *lexer, uint8_t byte, enum byte_kind kind, struct token *out)
{
    (void)byte;
    if (kind == BYTE_QUOTE)
        return begin_string(lexer, STRING_RAW);
    if (kind == BYTE_DOUBLE_QUOTE)
        return begin_name(lexer, true);
    uint64_t ampersand = lexer->offset - 1;
    lexer_emit(lexer, TOKEN_WORD, ampersand, out);
    lexer_operator_begin(lexer, ampersand, '&');
    return STEP_EMIT;
}

enum step step_name(struct lexer *lexer, uint8_t byte, enum byte_kind kind, struct token *out)
{
    if (kind == BYTE_END)
        return lexer_emit(lexer, TOKEN_UNTERMINATED, lexer->offset, out);
    if (kind == BYTE_DOUBLE_QUOTE)
        return take_into(lexer, STATE_NAME_QUOTE);
    lexer_word_append(lexer, byte);
    return STEP_TAKE;
}

enum step step_name_quote(struct lexer *lexer, uint8_t byte, enum byte_kind kind, struct token *out)
{
    if (kind != BYTE_DOUBLE_QUOTE)
        return lexer_emit(lexer, TOKEN_QUOTED_NAME, lexer->offset, out);
    lexer_word_append(lexer, byte);
    return take_into(lexer, STATE_NAME);
}

enum step step_dot(struct lexer *lexer, uint8_t byte, enum byte_kind kind, struct token *out)
{
    (void)byte;
    if (kind == BYTE_DIGIT)
        return take_into(lexer, STATE_FRACTION);
    if (kind == BYTE_DOT)
        return emit_pair(lexer, "..", out);
    return lexer_emit(lexer, TOKEN_DOT, lexer->offset, out);
}

enum step step_colon(struct lexer *lexer, uint8_t byte, enum byte_kind kind, struct token *out)
{
    if (kind == BYTE_COLON || byte == '=')
        return emit_pair(lexer, byte == '=' ? ":=" : "::", out);
    return lexer_emit_operator(lexer, ":", out);
}
