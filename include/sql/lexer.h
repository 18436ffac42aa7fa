/* SPDX-License-Identifier: PostgreSQL */
#ifndef SQL_LEXER_H
#define SQL_LEXER_H

#include "base/attributes.h"
#include "base/bytes.h"

/* The server's lexical rules (manual: "Lexical Structure"), streaming and in constant memory: any split of
 * the text into calls gives the same tokens. */

/* What the text's meaning depends on besides its bytes; in four of them, one word. */
struct lexer_reading {
    bool has_standard_strings; /* standard_conforming_strings = on */
    bool has_unsafe_encoding;  /* a client_encoding whose characters may hold an ASCII byte behind their first
                                * byte  (SJIS, BIG5, GBK, GB18030, UHC, JOHAB, SHIFT_JIS_2004) */
    bool has_ascii_pairs : 1;  /* and has ASCII characters of two bytes (SHIFT_JIS_2004) */
    bool has_vertical_tab : 1; /* \v is white space (servers from 17 on) */
    bool
        has_foreign_letters; /* beyond ASCII the server may take a name's letters for others: client or server
                              * do not use UTF-8. Tokens are the same; which object is named is not known */
};

enum token_kind {
    TOKEN_NONE,
    TOKEN_WORD, /* keyword or unquoted identifier; `word` holds it in lower case, cut at its capacity */
    TOKEN_QUOTED_NAME, /* "..." or U&"..."; `word` holds what stands between the quotes, "" as one " */
    TOKEN_STRING,      /* '...', E'...', B'...', X'...', N'...', U&'...', $tag$...$tag$; one token, however
                          continued */
    TOKEN_NUMBER,
    TOKEN_PARAMETER, /* $1; `word` holds the digits, cut at its capacity */
    TOKEN_OPERATOR,  /* an operator or a single character such as : [ ] =; `word` holds it */
    TOKEN_DOT,
    TOKEN_COMMA,
    TOKEN_OPEN,  /* ( */
    TOKEN_CLOSE, /* ) */
    TOKEN_SEMICOLON,
    TOKEN_COMMENT,      /* those between a string and what shows that it does not continue are one token */
    TOKEN_UNTERMINATED, /* the text ended inside a string, quoted name or comment; from `start` to the end */
};

enum { LEXER_WORD_SIZE = 64 };

struct token {
    enum token_kind kind;
    uint64_t start; /* offsets from the beginning of the text, in bytes: [start, end) */
    uint64_t end;
    uint8_t word_size; /* of WORD, QUOTED_NAME, PARAMETER and OPERATOR, at most LEXER_WORD_SIZE - 1 */
    bool is_word_cut;  /* it was longer; of UNTERMINATED: what the server may well see end: a dollar quote
                        * whose tag  is too long to be followed, or what it may read in another way */
    bool is_unicode;   /* U&"...": the escapes in it are not resolved; of STRING: for this or another reason,
                        * escapes in E'...' or several pieces, it does not say what stands there */
    char word[LEXER_WORD_SIZE]; /* NUL-terminated */
};

static inline bool token_is_word(const struct token *token, const char *word)
{
    return token->kind == TOKEN_WORD && token->word[0] == word[0] && strcmp(token->word, word) == 0;
}

/* Quoted or not; a word may also be a key word. */
static inline bool token_is_name(const struct token *token)
{
    return token->kind == TOKEN_WORD || token->kind == TOKEN_QUOTED_NAME;
}

enum lexer_result {
    LEXER_TOKEN,   /* *out holds the next token */
    LEXER_STARVED, /* the input is used up: give the next piece, or call lexer_finish */
};

/* Where the lexer stands. All fields are private; a copy of the structure is a second lexer at the same
 * place. */
struct lexer {
    struct lexer_reading reading;
    uint8_t state;
    uint8_t queued;            /* tokens already complete behind the one just given */
    uint8_t string_form;       /* which kind of string is open */
    uint8_t last;              /* the byte before, inside operators and comments */
    uint8_t radix;             /* of the number that is open; 0: one that has always been one */
    bool has_special_operator; /* a character that lets an operator end in + or - */
    bool has_newline;          /* a line ended since the closing quote: the string may continue */
    bool was_high;             /* the byte before was 0x80 or above (unsafe encodings) */
    bool is_word_cut;
    bool is_unicode;
    uint8_t word_size;
    uint32_t depth;         /* of nested comments; of a dollar quote: bytes of the closing tag seen */
    uint64_t offset;        /* of the next byte */
    uint64_t start;         /* of the token that is open */
    uint64_t end;           /* of the string or number that may go on */
    uint64_t comment_start; /* behind a string */
    uint64_t comment_end;
    uint64_t operator_size;
    uint64_t signs;        /* how many + and - the operator ends in */
    uint64_t signs_before; /* the same without its last character, from the second on */
    uint64_t signs_queued;
    uint64_t signs_start;
    char word[LEXER_WORD_SIZE];
};

void lexer_init(struct lexer *lexer, struct lexer_reading reading);
/* Reads on as if standard_conforming_strings had been this all along: right as long as no backslash has been
 * read. */
void lexer_reread(struct lexer *lexer, bool has_standard_strings);
/* Takes bytes off the front of `input` until the next token is complete; the byte that shows its end stays,
 * unless only later bytes showed it. */
MUST_USE enum lexer_result lexer_next(struct lexer *lexer, struct bytes *input, struct token *out);
/* After the last piece: the tokens that the end of the text completes, until false. */
MUST_USE bool lexer_finish(struct lexer *lexer, struct token *out);

/* Whether the last byte read may belong to a token that is still open, and where that begins. */
bool lexer_is_open(const struct lexer *lexer, uint64_t *start);

#endif
