/* SPDX-License-Identifier: PostgreSQL */
#ifndef SQL_LEXER_STEP_H
#define SQL_LEXER_STEP_H

#include "sql/lexer.h"

/* Shared by the files that make up the lexer: one step of the automaton is one byte in one state. */

/* What a byte can be. The first two may stand in a dollar quote's tag, the first three in a word. */
enum byte_kind {
    BYTE_LETTER,
    BYTE_DIGIT,
    BYTE_DOLLAR,
    BYTE_SPACE,
    BYTE_NEWLINE,
    BYTE_VERTICAL_TAB,
    BYTE_QUOTE,
    BYTE_DOUBLE_QUOTE,
    BYTE_BACKSLASH,
    BYTE_OPERATOR,
    BYTE_DOT,
    BYTE_COLON,
    BYTE_COMMA,
    BYTE_OPEN,
    BYTE_CLOSE,
    BYTE_SEMICOLON,
    BYTE_OTHER,
    BYTE_END, /* no byte: the text has ended */
};

extern const uint8_t lexer_byte_kinds[256];

/* STATE(SYMBOL, function) */
#define LEXER_STATES(STATE)                                                                                  \
    STATE(START, step_start)                                                                                 \
    STATE(WORD, step_word)                                                                                   \
    STATE(UNICODE, step_unicode)       /* u& */                                                              \
    STATE(NAME, step_name)             /* "... */                                                            \
    STATE(NAME_QUOTE, step_name_quote) /* "..." */                                                           \
    STATE(STRING, step_string)         /* '... */                                                            \
    STATE(STRING_BACKSLASH, step_string_backslash)                                                           \
    STATE(STRING_QUOTE, step_string_quote)     /* '...' */                                                   \
    STATE(STRING_BEHIND, step_string_behind)   /* white space after it */                                    \
    STATE(STRING_DASH, step_string_dash)       /* and a - */                                                 \
    STATE(STRING_COMMENT, step_string_comment) /* and a -- comment */                                        \
    STATE(DOLLAR, step_dollar)                 /* $ */                                                       \
    STATE(TAG, step_tag)                       /* $tag */                                                    \
    STATE(DOLLAR_STRING, step_dollar_string)   /* $tag$... */                                                \
    STATE(LOST, step_lost)                     /* what cannot be followed */                                 \
    STATE(PARAMETER, step_parameter)           /* $1 */                                                      \
    STATE(OPERATOR, step_operator)                                                                           \
    STATE(LINE_COMMENT, step_line_comment)                                                                   \
    STATE(BLOCK_COMMENT, step_block_comment)                                                                 \
    STATE(DOT, step_dot)                                                                                     \
    STATE(COLON, step_colon)                                                                                 \
    STATE(NUMBER_ZERO, step_number_zero) /* 0 */                                                             \
    STATE(NUMBER, step_number)           /* 12 */                                                            \
    STATE(NUMBER_UNDERSCORE, step_number_underscore)                                                         \
    STATE(NUMBER_DOT, step_number_dot) /* 12. */                                                             \
    STATE(FRACTION, step_fraction)     /* 12.3 or .3 */                                                      \
    STATE(FRACTION_UNDERSCORE, step_fraction_underscore)                                                     \
    STATE(EXPONENT, step_exponent)               /* 12e */                                                   \
    STATE(EXPONENT_SIGN, step_exponent_sign)     /* 12e+ */                                                  \
    STATE(EXPONENT_DIGITS, step_exponent_digits) /* 12e+3 */                                                 \
    STATE(EXPONENT_UNDERSCORE, step_exponent_underscore)                                                     \
    STATE(RADIX, step_radix)                       /* 0x */                                                  \
    STATE(RADIX_UNDERSCORE, step_radix_underscore) /* 0x_ */                                                 \
    STATE(RADIX_DIGITS, step_radix_digits)         /* 0x1f */                                                \
    STATE(RADIX_DIGITS_UNDERSCORE, step_radix_digits_underscore)

enum lexer_state {
#define STATE(symbol, function) STATE_##symbol,
    LEXER_STATES(STATE)
#undef STATE
};

enum string_form {
    STRING_PLAIN,   /* '...' and N'...': escapes unless standard_conforming_strings */
    STRING_ESCAPED, /* E'...' */
    STRING_RAW,     /* U&'...' */
    STRING_BITS,    /* B'...' and X'...': a doubled quote is two quotes */
};

/* Tokens that are complete behind the one a step has given. */
enum lexer_queue {
    QUEUE_NONE,
    QUEUE_COMMENT, /* comment_start to comment_end */
    QUEUE_MARK,    /* the `e` of 1e+x; an operator follows */
};

enum step {
    STEP_TAKE,      /* the byte belongs to what is open */
    STEP_AGAIN,     /* another state looks at the byte */
    STEP_EMIT,      /* *out is complete before the byte */
    STEP_EMIT_TAKE, /* *out is complete with the byte */
};

/* A step sees the byte at lexer->offset. */
#define STATE(symbol, function)                                                                              \
    enum step function(struct lexer *lexer, uint8_t byte, enum byte_kind kind, struct token *out);
LEXER_STATES(STATE)
#undef STATE

/* What lexer_next does where a token does not lie whole in the input, or is none of the frequent ones. */
enum lexer_result lexer_next_by_steps(struct lexer *lexer, struct bytes *input, struct token *out);
/* Gives the token from lexer->start to `end` and goes back to the start state. */
enum step lexer_emit(struct lexer *lexer, enum token_kind kind, uint64_t end, struct token *out);
/* The same for an operator whose text is known. */
enum step lexer_emit_operator(struct lexer *lexer, const char *text, struct token *out);
/* Gives the first `size` bytes of lexer->word to the token. */
void lexer_word_copy(const struct lexer *lexer, size_t size, bool is_cut, struct token *out);
/* Gives the next of the signs an operator was parted from. */
void lexer_emit_sign(struct lexer *lexer, struct token *out);
void lexer_word_begin(struct lexer *lexer, uint64_t start);
/* Whether both, of the same text and at the same place, go on alike as long as the reading does not matter.
 */
bool lexer_is_like(const struct lexer *lexer, const struct lexer *other);
void lexer_operator_begin(struct lexer *lexer, uint64_t start, uint8_t byte);

static inline void lexer_word_append(struct lexer *lexer, uint8_t byte)
{
    if (lexer->word_size < LEXER_WORD_SIZE - 1)
        lexer->word[lexer->word_size++] = (char)byte;
    else
        lexer->is_word_cut = true;
}

static inline uint8_t byte_folded(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte | 0x20) : byte;
}

static inline bool lexer_has_escapes(const struct lexer *lexer)
{
    return lexer->string_form == STRING_ESCAPED ||
           (lexer->string_form == STRING_PLAIN && !lexer->reading.has_standard_strings);
}

/* Whether the kind is white space, and which of it ends a line. */
static inline bool lexer_is_space(const struct lexer *lexer, enum byte_kind kind)
{
    return kind == BYTE_SPACE || kind == BYTE_NEWLINE ||
           (kind == BYTE_VERTICAL_TAB && lexer->reading.has_vertical_tab);
}

#endif
