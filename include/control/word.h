/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONTROL_WORD_H
#define CONTROL_WORD_H

#include "base/attributes.h"
#include "base/text.h"

/* The words of the console's language. White space and comments of SQL (two hyphens, slash and asterisk) lie
 * between them. */
enum word_kind {
    WORD_END,
    WORD_SEMICOLON,
    WORD_PLAIN,      /* letters, digits, bytes above ASCII, and _ - . $ behind the first */
    WORD_QUOTED,     /* "..." */
    WORD_STRING,     /* '...' */
    WORD_OTHER,      /* any other byte */
    WORD_OPEN_ENDED, /* a string, name or comment without its end */
};

struct word {
    enum word_kind kind;
    size_t offset;     /* in the query, bytes */
    struct bytes text; /* as written, with its quotes */
};

struct word_reader {
    struct bytes query;
    size_t at;
};

/* Takes the next word; END again and again at the end. */
struct word word_next(struct word_reader *reader);
/* Appends what the word means: without its quotes, doubled ones made single. */
void word_append_value(const struct word *word, struct text *out);
/* The word's place as PostgreSQL counts: characters, from 1. */
uint32_t word_position(const struct word_reader *reader, const struct word *word);

#endif
