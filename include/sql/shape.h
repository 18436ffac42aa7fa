/* SPDX-License-Identifier: PostgreSQL */
#ifndef SQL_SHAPE_H
#define SQL_SHAPE_H

#include "sql/masker.h"
#include "sql/readings.h"

/* What a statement's text is but for its literals, as a number of 64 bits: a hash of the tokens that mask_sql
 * would show. Texts have the same shape where their masks differ only in white space, in the case of keywords
 * and unquoted names, in what stands behind the 63rd byte of a word, and in a semicolon at the end; other
 * texts have another shape (but for collisions, for which somebody who wants one could search). The same in
 * every process, on every machine; never 0. Nothing is allocated; any split of the text gives the same. */

enum { SHAPE_TEXT_SIZE = 19 }; /* "m:", 16 hexadecimal digits and a NUL */

/* Fields are private. */
struct shape {
    uint64_t hash;
    uint64_t begin;     /* the hash before the words that may have to be taken back */
    bool has_semicolon; /* held back */
    struct masker masker;
    struct readings readings;
};

void shape_begin(struct shape *shape, struct lexer_reading reading);
void shape_feed(struct shape *shape, struct bytes piece);
/* Once, after the last piece. */
uint64_t shape_end(struct shape *shape);

/* The same of a text that lies whole in memory. */
uint64_t shape_sql(struct bytes sql, struct lexer_reading reading);
/* As it is shown. */
void shape_text(uint64_t shape, char out[SHAPE_TEXT_SIZE]);

#endif
