/* SPDX-License-Identifier: PostgreSQL */
#ifndef SQL_LEXER_H
#define SQL_LEXER_H

#include "base/attributes.h"
#include "base/bytes.h"

/* The server's lexical rules (manual: "Lexical Structure"), streaming and in constant memory: any split of the text
 * into calls gives the same tokens. */

/* What the text's meaning depends on besides its bytes. */
struct lexer_reading {
    bool has_standard_strings; /* standard_conforming_strings = on */
    bool has_unsafe_encoding;  /* a client_encoding whose characters may hold an ASCII byte behind their first byte
                                * (SJIS, BIG5, GBK, GB18030, UHC, JOHAB, SHIFT_JIS_2004) */
    bool has_vertical_tab;     /* \v is white space (servers from 17 on) */
};

enum token_kind {
    TOKEN_NONE,
    TOKEN_WORD,         /* keyword or unquoted identifier; `word` holds it in lower case, cut at its capacity */
    TOKEN_QUOTED_NAME,  /* "..." or U&"..." ; `word` holds the content as written between the quotes */
    TOKEN_STRING,       /* '...', E'...', B'...', X'...', N'...', U&'...', $tag$...$tag$; one token, however continued */
    TOKEN_NUMBER,
    TOKEN_PARAMETER,    /* $1 */
    TOKEN_OPERATOR,     /* an operator or a single character such as , : [ ] = */
    TOKEN_DOT,
    TOKEN_COMMA,
    TOKEN_OPEN,         /* ( */
    TOKEN_CLOSE,        /* ) */
    TOKEN_SEMICOLON,
    TOKEN_COMMENT,
    TOKEN_UNTERMINATED, /* the text ended inside a string, quoted name or comment; from `start` to the end */
};

enum { LEXER_WORD_SIZE = 64 };

struct token {
    enum token_kind kind;
    uint64_t start; /* offsets from the beginning of the text, in bytes: [start, end) */
    uint64_t end;
    uint8_t word_size;          /* of WORD and QUOTED_NAME, at most LEXER_WORD_SIZE - 1 */
    bool is_word_cut;           /* it was longer */
    char word[LEXER_WORD_SIZE]; /* NUL-terminated */
};

enum lexer_result {
    LEXER_TOKEN,   /* *out holds the next token */
    LEXER_STARVED, /* the input is used up: give the next piece, or call lexer_finish */
};

/* The lexer's own place; fields are private. */
struct lexer;

void lexer_init(struct lexer *lexer, struct lexer_reading reading);
/* Takes bytes off the front of `input` up to and including what shows the end of the next token. */
MUST_USE enum lexer_result lexer_next(struct lexer *lexer, struct bytes *input, struct token *out);
/* After the last piece: the tokens that the end of the text completes, until false. */
MUST_USE bool lexer_finish(struct lexer *lexer, struct token *out);

#endif
