/* SPDX-License-Identifier: PostgreSQL */
#include "sql/lexer_step.h"

/* A string in quotes continues where white space that holds a line end, and nothing else but -- comments,
 * parts it from the next quote (manual: "String Constants"). Until that is known it is held back, and with it
 * one token for the comments seen. */

static enum step take_into(struct lexer *lexer, enum lexer_state state)
{
    lexer->state = state;
    return STEP_TAKE;
}

enum step step_string(struct lexer *lexer, uint8_t byte, enum byte_kind kind, struct token *out)
{
    (void)byte;
    if (kind == BYTE_END)
        return lexer_emit(lexer, TOKEN_UNTERMINATED, lexer->offset, out);
    if (kind == BYTE_QUOTE)
        return take_into(lexer, STATE_STRING_QUOTE);
    if (kind == BYTE_BACKSLASH && lexer_has_escapes(lexer))
        return take_into(lexer, STATE_STRING_BACKSLASH);
    return STEP_TAKE;
}

enum step step_string_backslash(struct lexer *lexer, uint8_t byte, enum byte_kind kind, struct token *out)
{
    (void)byte;
    if (kind == BYTE_END)
        return lexer_emit(lexer, TOKEN_UNTERMINATED, lexer->offset, out);
    lexer->is_unicode = true;
    return take_into(lexer, STATE_STRING);
}

enum step step_string_quote(struct lexer *lexer, uint8_t byte, enum byte_kind kind, struct token *out)
{
    (void)byte, (void)out;
    if (kind == BYTE_QUOTE && lexer->string_form != STRING_BITS)
        return take_into(lexer, STATE_STRING);
    lexer->end = lexer->offset;
    lexer->has_newline = false;
    lexer->comment_start = lexer->comment_end = 0;
    lexer->state = STATE_STRING_BEHIND;
    return STEP_AGAIN;
}

static void emit_string(struct lexer *lexer, struct token *out)
{
    lexer_emit(lexer, TOKEN_STRING, lexer->end, out);
    if (lexer->comment_start > 0)
        lexer->queued = QUEUE_COMMENT;
}

enum step step_string_behind(struct lexer *lexer, uint8_t byte, enum byte_kind kind, struct token *out)
{
    if (lexer_is_space(lexer, kind)) {
        lexer->has_newline |= kind == BYTE_NEWLINE;
        return STEP_TAKE;
    }
    if (kind == BYTE_QUOTE && lexer->has_newline) {
        lexer->is_unicode = true;
        return take_into(lexer, STATE_STRING);
    }
    if (byte == '-')
        return take_into(lexer, STATE_STRING_DASH);
    emit_string(lexer, out);
    return STEP_EMIT;
}

enum step step_string_dash(struct lexer *lexer, uint8_t byte, enum byte_kind kind, struct token *out)
{
    (void)kind;
    uint64_t dash = lexer->offset - 1;
    if (byte == '-') {
        lexer->comment_start = lexer->comment_start > 0 ? lexer->comment_start : dash;
        return take_into(lexer, STATE_STRING_COMMENT);
    }
    emit_string(lexer, out);
    lexer_operator_begin(lexer, dash, '-');
    return STEP_EMIT;
}

enum step step_string_comment(struct lexer *lexer, uint8_t byte, enum byte_kind kind, struct token *out)
{
    (void)byte, (void)out;
    if (kind != BYTE_NEWLINE && kind != BYTE_END)
        return STEP_TAKE;
    lexer->comment_end = lexer->offset;
    lexer->state = STATE_STRING_BEHIND;
    return STEP_AGAIN;
}

/* From `$` on, lexer->word is the tag, as written. */
enum step step_dollar(struct lexer *lexer, uint8_t byte, enum byte_kind kind, struct token *out)
{
    if (kind == BYTE_DIGIT) {
        lexer_word_begin(lexer, lexer->start);
        lexer_word_append(lexer, byte);
        return take_into(lexer, STATE_PARAMETER);
    }
    if (kind != BYTE_LETTER && kind != BYTE_DOLLAR)
        return lexer_emit_operator(lexer, "$", out);
    lexer_word_begin(lexer, lexer->start);
    lexer->state = STATE_TAG;
    return STEP_AGAIN;
}

static enum step begin_dollar_string(struct lexer *lexer)
{
    lexer->depth = 0;
    return take_into(lexer, lexer->is_word_cut ? STATE_LOST : STATE_DOLLAR_STRING);
}

enum step step_tag(struct lexer *lexer, uint8_t byte, enum byte_kind kind, struct token *out)
{
    if (kind == BYTE_DOLLAR)
        return begin_dollar_string(lexer);
    if (kind == BYTE_LETTER || kind == BYTE_DIGIT) {
        lexer_word_append(lexer, byte);
        return STEP_TAKE;
    }
    uint64_t dollar = lexer->start;
    lexer_emit_operator(lexer, "$", out);
    lexer->start = dollar + 1;
    lexer->state = STATE_WORD;
    for (size_t i = 0; i < lexer->word_size; i++)
        lexer->word[i] = (char)byte_folded((uint8_t)lexer->word[i]);
    return STEP_EMIT;
}

/* lexer->depth: 0 outside the closing tag, else 1 and how many of its letters have matched. */
enum step step_dollar_string(struct lexer *lexer, uint8_t byte, enum byte_kind kind, struct token *out)
{
    if (kind == BYTE_END)
        return lexer_emit(lexer, TOKEN_UNTERMINATED, lexer->offset, out);
    if (kind != BYTE_DOLLAR) {
        bool does_match = lexer->depth > 0 && lexer->depth <= lexer->word_size &&
                          (uint8_t)lexer->word[lexer->depth - 1] == byte;
        lexer->depth = does_match ? lexer->depth + 1 : 0;
        return STEP_TAKE;
    }
    if (lexer->depth != (uint32_t)lexer->word_size + 1) {
        lexer->depth = 1;
        return STEP_TAKE;
    }
    lexer_emit(lexer, TOKEN_STRING, lexer->offset + 1, out);
    return STEP_EMIT_TAKE;
}

enum step step_lost(struct lexer *lexer, uint8_t byte, enum byte_kind kind, struct token *out)
{
    (void)byte;
    if (kind != BYTE_END)
        return STEP_TAKE;
    lexer_emit(lexer, TOKEN_UNTERMINATED, lexer->offset, out);
    out->is_word_cut = true;
    return STEP_EMIT;
}

enum step step_parameter(struct lexer *lexer, uint8_t byte, enum byte_kind kind, struct token *out)
{
    if (kind != BYTE_DIGIT)
        return lexer_emit(lexer, TOKEN_PARAMETER, lexer->offset, out);
    lexer_word_append(lexer, byte);
    return STEP_TAKE;
}
