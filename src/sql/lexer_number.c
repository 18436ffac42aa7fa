/* SPDX-License-Identifier: PostgreSQL */
#include "sql/lexer_step.h"

/* Numbers as the newest server reads them (manual: "Numeric Constants"). Letters right behind a number are an
 * error there and a word of their own in servers before 15: here always a word, so that none can hide. Where
 * a number has the newer form (1_000, 0x1F, lexer->radix is not 0) and a `$` right behind it, that `$`
 * belongs to the word in servers before 15, and begins a dollar quote in newer ones: what stands behind it
 * cannot be read. */

static enum step take_into(struct lexer *lexer, enum lexer_state state)
{
    lexer->state = state;
    return STEP_TAKE;
}

/* Remembers where the number ends should the byte at hand not carry it on. */
static enum step take_doubtful(struct lexer *lexer, enum lexer_state state)
{
    lexer->end = lexer->offset;
    return take_into(lexer, state);
}

/* The number ended before `behind`, which began a word. */
static enum step emit_before_word(struct lexer *lexer, const char *behind, struct token *out)
{
    uint64_t end = lexer->end;
    lexer_emit(lexer, TOKEN_NUMBER, end, out);
    lexer_word_begin(lexer, end);
    for (; *behind != '\0'; behind++)
        lexer_word_append(lexer, (uint8_t)*behind);
    return STEP_EMIT;
}

static enum step take_behind_underscore(struct lexer *lexer, enum lexer_state state)
{
    lexer->radix = 10;
    return take_into(lexer, state);
}

static enum step emit_number(struct lexer *lexer, enum byte_kind kind, struct token *out)
{
    lexer_emit(lexer, TOKEN_NUMBER, lexer->offset, out);
    if (kind == BYTE_DOLLAR && lexer->radix > 0) {
        lexer->start = lexer->offset;
        lexer->state = STATE_LOST;
    }
    return STEP_EMIT;
}

static bool is_exponent_mark(uint8_t byte)
{
    return byte == 'e' || byte == 'E';
}

static uint8_t radix_of(uint8_t byte)
{
    switch (byte_folded(byte)) {
    case 'x':
        return 16;
    case 'o':
        return 8;
    case 'b':
        return 2;
    default:
        return 0;
    }
}

static const char *radix_word(uint8_t radix, bool has_underscore)
{
    if (radix == 16)
        return has_underscore ? "x_" : "x";
    if (radix == 8)
        return has_underscore ? "o_" : "o";
    return has_underscore ? "b_" : "b";
}

static bool is_radix_digit(uint8_t radix, uint8_t byte)
{
    uint8_t folded = byte_folded(byte);
    if (folded >= 'a' && folded <= 'f')
        return radix == 16;
    return folded >= '0' && folded <= '9' && folded - '0' < radix;
}

enum step step_number_zero(struct lexer *lexer, uint8_t byte, enum byte_kind kind, struct token *out)
{
    (void)out;
    lexer->radix = kind == BYTE_LETTER ? radix_of(byte) : 0;
    if (lexer->radix > 0)
        return take_doubtful(lexer, STATE_RADIX);
    lexer->state = STATE_NUMBER;
    return STEP_AGAIN;
}

enum step step_number(struct lexer *lexer, uint8_t byte, enum byte_kind kind, struct token *out)
{
    if (kind == BYTE_DIGIT)
        return STEP_TAKE;
    if (kind == BYTE_DOT)
        return take_doubtful(lexer, STATE_NUMBER_DOT);
    if (byte == '_')
        return take_doubtful(lexer, STATE_NUMBER_UNDERSCORE);
    if (is_exponent_mark(byte))
        return take_doubtful(lexer, STATE_EXPONENT);
    return emit_number(lexer, kind, out);
}

enum step step_number_underscore(struct lexer *lexer, uint8_t byte, enum byte_kind kind, struct token *out)
{
    (void)byte;
    return kind == BYTE_DIGIT ? take_behind_underscore(lexer, STATE_NUMBER)
                              : emit_before_word(lexer, "_", out);
}

/* 1..2 is a range: the number ends before both dots. */
enum step step_number_dot(struct lexer *lexer, uint8_t byte, enum byte_kind kind, struct token *out)
{
    if (kind == BYTE_DIGIT)
        return take_into(lexer, STATE_FRACTION);
    if (is_exponent_mark(byte))
        return take_doubtful(lexer, STATE_EXPONENT);
    if (kind != BYTE_DOT)
        return emit_number(lexer, kind, out);
    uint64_t dot = lexer->end;
    lexer_emit(lexer, TOKEN_NUMBER, dot, out);
    lexer->start = dot;
    lexer->state = STATE_DOT;
    return STEP_EMIT;
}

enum step step_fraction(struct lexer *lexer, uint8_t byte, enum byte_kind kind, struct token *out)
{
    if (kind == BYTE_DIGIT)
        return STEP_TAKE;
    if (byte == '_')
        return take_doubtful(lexer, STATE_FRACTION_UNDERSCORE);
    if (is_exponent_mark(byte))
        return take_doubtful(lexer, STATE_EXPONENT);
    return emit_number(lexer, kind, out);
}

enum step step_fraction_underscore(struct lexer *lexer, uint8_t byte, enum byte_kind kind, struct token *out)
{
    (void)byte;
    return kind == BYTE_DIGIT ? take_behind_underscore(lexer, STATE_FRACTION)
                              : emit_before_word(lexer, "_", out);
}

enum step step_exponent(struct lexer *lexer, uint8_t byte, enum byte_kind kind, struct token *out)
{
    if (kind == BYTE_DIGIT)
        return take_into(lexer, STATE_EXPONENT_DIGITS);
    if (byte == '+' || byte == '-') {
        lexer->last = byte;
        return take_into(lexer, STATE_EXPONENT_SIGN);
    }
    return emit_before_word(lexer, "e", out);
}

enum step step_exponent_sign(struct lexer *lexer, uint8_t byte, enum byte_kind kind, struct token *out)
{
    (void)byte;
    if (kind == BYTE_DIGIT)
        return take_into(lexer, STATE_EXPONENT_DIGITS);
    lexer_emit(lexer, TOKEN_NUMBER, lexer->end, out);
    lexer->queued = QUEUE_MARK;
    lexer_operator_begin(lexer, lexer->end + 1, lexer->last);
    return STEP_EMIT;
}

enum step step_exponent_digits(struct lexer *lexer, uint8_t byte, enum byte_kind kind, struct token *out)
{
    if (kind == BYTE_DIGIT)
        return STEP_TAKE;
    return byte == '_' ? take_doubtful(lexer, STATE_EXPONENT_UNDERSCORE) : emit_number(lexer, kind, out);
}

enum step step_exponent_underscore(struct lexer *lexer, uint8_t byte, enum byte_kind kind, struct token *out)
{
    (void)byte;
    return kind == BYTE_DIGIT ? take_behind_underscore(lexer, STATE_EXPONENT_DIGITS)
                              : emit_before_word(lexer, "_", out);
}

enum step step_radix(struct lexer *lexer, uint8_t byte, enum byte_kind kind, struct token *out)
{
    if (kind != BYTE_END && is_radix_digit(lexer->radix, byte))
        return take_into(lexer, STATE_RADIX_DIGITS);
    if (byte == '_')
        return take_into(lexer, STATE_RADIX_UNDERSCORE);
    return emit_before_word(lexer, radix_word(lexer->radix, false), out);
}

enum step step_radix_underscore(struct lexer *lexer, uint8_t byte, enum byte_kind kind, struct token *out)
{
    if (kind != BYTE_END && is_radix_digit(lexer->radix, byte))
        return take_into(lexer, STATE_RADIX_DIGITS);
    return emit_before_word(lexer, radix_word(lexer->radix, true), out);
}

enum step step_radix_digits(struct lexer *lexer, uint8_t byte, enum byte_kind kind, struct token *out)
{
    if (kind != BYTE_END && is_radix_digit(lexer->radix, byte))
        return STEP_TAKE;
    return byte == '_' ? take_doubtful(lexer, STATE_RADIX_DIGITS_UNDERSCORE) : emit_number(lexer, kind, out);
}

enum step step_radix_digits_underscore(struct lexer *lexer, uint8_t byte, enum byte_kind kind,
                                       struct token *out)
{
    if (kind != BYTE_END && is_radix_digit(lexer->radix, byte))
        return take_into(lexer, STATE_RADIX_DIGITS);
    return emit_before_word(lexer, "_", out);
}
