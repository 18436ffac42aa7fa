/* SPDX-License-Identifier: PostgreSQL */
#ifndef SQL_OUTLINE_PHASE_H
#define SQL_OUTLINE_PHASE_H

#include "sql/outline.h"

/* The inside of an outline: for src/sql/outline*.c only. */

static inline struct bytes token_word(const struct token *token)
{
    return bytes_of(token->word, token->word_size);
}

/* Whether the token before was this word. */
static inline bool outline_was_word(const struct outline *outline, const char *word)
{
    return outline->previous[0] == word[0] && strcmp(outline->previous, word) == 0;
}

/* ── outline.c ─────────────────────────────────────────────────────────────────────────────────────────────
 */

/* What follows is a statement, or an element of CREATE SCHEMA, of its own. */
void outline_begin_part(struct outline *outline);

/* ── outline_wrapper.c ─────────────────────────────────────────────────────────────────────────────────────
 */

/* What a token does in a phase; false: it is one for the next phase. */
bool outline_phase_explain(struct outline *outline, const struct token *token);
bool outline_phase_explain_open(struct outline *outline, const struct token *token);
bool outline_phase_explain_option(struct outline *outline, const struct token *token);
bool outline_phase_name(struct outline *outline, const struct token *token);
bool outline_phase_prepare(struct outline *outline, const struct token *token);

#endif
