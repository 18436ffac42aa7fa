/* SPDX-License-Identifier: PostgreSQL */
#ifndef SQL_MASKER_H
#define SQL_MASKER_H

#include "sql/command.h"
#include "sql/lexer.h"

/* What of a text may be shown, decided token by token: shared by the mask, which writes it, and the shape,
 * which hashes it. Streaming; constant memory; the tokens are those of `readings`. */

/* What comes out for a token, in this order. */
enum masker_part {
    MASKER_COMMAND = 1, /* all that came since MASKER_BEGIN was secret: the command's name stands for it */
    MASKER_BEGIN = 2,   /* what follows may turn out to be a secret */
    MASKER_COMMA = 4,   /* held back before */
    MASKER_HELD = 8,    /* a literal, held back before */
    MASKER_SIGN = 16,   /* a + or - (`sign`), held back before */
    MASKER_TOKEN = 32,  /* the token itself */
    MASKER_LITERAL = 64,
    MASKER_CUT = 128, /* nothing follows: the text does not end or may be read in several ways */
};

/* What stood before, as far as the next token depends on it. */
enum masker_last {
    LAST_OTHER,
    LAST_OPENER, /* behind it a sign belongs to the number that follows */
    LAST_OPERATOR,
    LAST_NUMBER,
};

enum masker_head {
    HEAD_BEHIND, /* no command whose text is secret */
    HEAD_START,  /* of a statement */
    HEAD_PATH,   /* in words that may be such a command */
    HEAD_SECRET, /* such a command: nothing is shown before the next semicolon */
    HEAD_CUT,
};

/* Fields are private but for command and sign. */
struct masker {
    const struct command *command; /* of MASKER_COMMAND */
    char sign;                     /* of MASKER_SIGN */
    uint8_t held;                  /* MASKER_COMMA, _HELD and _SIGN: of a list that may go on */
    uint8_t head;
    uint8_t last;
    uint8_t last_before_sign;
    bool was_element;     /* the last thing given is a literal that nothing was applied to */
    uint8_t is_in_values; /* behind VALUES and its rows */
    bool is_in_row;       /* a further row: nothing is given before its end */
    uint32_t depth;       /* of parentheses */
    uint32_t values_depth;
    struct command_path path;
    uint64_t end; /* of the last token */
};

void masker_begin(struct masker *masker);
/* What masker_take does with all but the frequent tokens. */
unsigned masker_take_any(struct masker *masker, const struct token *token);
/* After the last token. */
unsigned masker_end(struct masker *masker);

/* A bit for the kinds that mean nothing special outside of VALUES, and inside a row that is left out. */
enum {
    MASKER_PLAIN_KINDS = 1 << TOKEN_QUOTED_NAME | 1 << TOKEN_PARAMETER | 1 << TOKEN_DOT,
    MASKER_ROW_KINDS = MASKER_PLAIN_KINDS | 1 << TOKEN_WORD | 1 << TOKEN_STRING | 1 << TOKEN_NUMBER |
                       1 << TOKEN_OPERATOR | 1 << TOKEN_COMMA,
};

/* Words that an expression, never an operator, follows. WORD(text) */
#define MASKER_OPENERS(WORD)                                                                                 \
    WORD("and")                                                                                              \
    WORD("between")                                                                                          \
    WORD("default")                                                                                          \
    WORD("else")                                                                                             \
    WORD("having")                                                                                           \
    WORD("limit")                                                                                            \
    WORD("not")                                                                                              \
    WORD("offset")                                                                                           \
    WORD("on")                                                                                               \
    WORD("or")                                                                                               \
    WORD("returning")                                                                                        \
    WORD("select")                                                                                           \
    WORD("then")                                                                                             \
    WORD("when")                                                                                             \
    WORD("where")

/* One bit of 64 for a word by its first letter and size. */
static inline uint64_t masker_word_bit(char letter, size_t size)
{
    return UINT64_C(1) << (((unsigned char)letter * 7u + size) & 63);
}

/* Rules out most words that are none of the above and not VALUES. */
static inline bool masker_word_may_matter(const struct token *token)
{
#define WORD(text) | masker_word_bit((text)[0], sizeof(text) - 1)
    const uint64_t bits = masker_word_bit('v', 6) MASKER_OPENERS(WORD);
#undef WORD
    return (bits & masker_word_bit(token->word[0], token->word_size)) != 0;
}

/* Whether nothing depends on the token but that it stands there. */
static inline bool masker_is_plain(const struct masker *masker, const struct token *token)
{
    if (token->kind == TOKEN_WORD)
        return masker->last != LAST_NUMBER && !masker_word_may_matter(token);
    return (MASKER_PLAIN_KINDS >> token->kind & 1) != 0;
}

/* Takes the next token and returns what comes out: enum masker_part, a bit each. */
static inline unsigned masker_take(struct masker *masker, const struct token *token)
{
    bool is_usual = (masker->head | masker->is_in_values | (masker->held & ~MASKER_COMMA)) == 0;
    if (is_usual && masker_is_plain(masker, token)) {
        unsigned parts = masker->held | (unsigned)MASKER_TOKEN;
        masker->held = 0;
        masker->was_element = false;
        masker->last = LAST_OTHER;
        masker->end = token->end;
        return parts;
    }
    if (is_usual && token->kind == TOKEN_COMMA && masker->held == 0) {
        masker->held = MASKER_COMMA;
        masker->last = LAST_OPENER;
        masker->end = token->end;
        return 0;
    }
    if (masker->is_in_row && (MASKER_ROW_KINDS >> token->kind & 1) != 0) {
        masker->end = token->end;
        return 0;
    }
    return masker_take_any(masker, token);
}

#endif
