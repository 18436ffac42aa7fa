/* SPDX-License-Identifier: PostgreSQL */
#ifndef SQL_READINGS_H
#define SQL_READINGS_H

#include "sql/lexer.h"

/* The tokens of a text, streaming, as long as all readings agree in which it may be meant: a backslash may
 * or may not escape whatever the server was last heard to say, and in an unsafe encoding the bytes above 127
 * may or may not be told from those below, or be one of those. Any split of the text gives the same. */

enum { READINGS_MOST = 4 };

/* Fields are private but for the first lexer. */
struct readings {
    struct lexer lexers[READINGS_MOST]; /* the first one's reading is the one that was given */
    uint8_t count;                      /* 1 where no other is in sight */
    uint8_t last;                       /* byte that all readings took, where there are several */
    bool are_parted;
};

void readings_begin(struct readings *readings, struct lexer_reading reading);
/* Of each piece of the text in turn, until it is used up: cuts off its front what gives no reason for doubt,
 * possibly nothing. Its tokens are those that lexer_next gives of the first lexer, to be called until it is
 * starved. */
MUST_USE struct bytes readings_clear(struct readings *readings, struct bytes *piece);
/* Then the tokens behind it, until starved. Where the readings part, the last token is TOKEN_UNTERMINATED,
 * without offsets, and the rest of the text is passed over. Of a token's fields behind `end` those of the
 * first reading are given. */
MUST_USE enum lexer_result readings_next(struct readings *readings, struct bytes *piece, struct token *out);
/* After the last piece: as lexer_finish. */
MUST_USE bool readings_finish(struct readings *readings, struct token *out);

#endif
