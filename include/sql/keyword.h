/* SPDX-License-Identifier: PostgreSQL */
#ifndef SQL_KEYWORD_H
#define SQL_KEYWORD_H

#include "base/bytes.h"
#include "sql/class.h"
#include "sql/keyword_wrapper.h"

/* Looks for words that begin a schema change where the lexer cannot: in text that may or may not be SQL. */

enum { KEYWORD_SIZE_LEAST = 4, KEYWORD_SIZE_MOST = 8 };

/* One bit of 64 for a word by its first letter and size: a quick look that rules most words out. */
static inline uint64_t keyword_bit(uint8_t letter, size_t size)
{
    return UINT64_C(1) << ((letter * 3u + size) & 63);
}

static inline bool keyword_may_be(const char *word, size_t size)
{
    const uint64_t bits = 0
#define KEYWORD(text, class) | keyword_bit((uint8_t)(text)[0], sizeof(text) - 1)
#include "sql/keywords.def"
#undef KEYWORD
        ;
    return (bits & keyword_bit((uint8_t)word[0], size)) != 0;
}

/* The class of the word's commands (given in lower case), or CLASS_NONE where it begins no schema change. */
enum statement_class keyword_class(struct bytes word);
/* The classes that a command of the word may be of without being a schema change, a bit 1 << class for each:
 * INSERT, LOCK and the like; for COPY, which may also write, CLASS_COPY_PROGRAM alone. */
uint16_t keyword_other_classes(struct bytes word);

/* What the next word may begin. */
enum keyword_place { KEYWORD_INSIDE, KEYWORD_QUERY, KEYWORD_STATEMENT };

/* Goes through raw bytes, whatever strings and comments they hold; any split gives the same. Fields are
 * private but for the seven findings. */
struct keyword_scan {
    enum statement_class anywhere; /* the riskiest of the words found */
    enum statement_class at_start; /* the same of words that may begin a statement, or stand behind EXPLAIN
                                    * ANALYZE or PREPARE or in a DO of another language */
    uint16_t others;               /* keyword_other_classes of all words */
    bool has_into;                 /* but for that of an INSERT or MERGE that surely begins a statement */
    bool has_select;
    bool wraps_into;    /* INTO behind EXPLAIN ANALYZE or PREPARE or in a DO of another language */
    bool selects_into;  /* INTO not directly behind INSERT or MERGE */
    bool was_insert;    /* the word before was one of them */
    bool opened_insert; /* and surely the first of a statement, whatever holds it */
    bool was_at_start;  /* and surely the first of one in a wrapper */
    bool opens;         /* the next word is surely the first, see note_opening */
    struct keyword_wrapper wrapper;
    enum keyword_place place;
    uint8_t last;
    uint8_t size; /* of the open word; more than its capacity: not a keyword */
    char word[KEYWORD_SIZE_MOST];
};

void keyword_scan_begin(struct keyword_scan *scan);
void keyword_scan_feed(struct keyword_scan *scan, struct bytes bytes);
void keyword_scan_end(struct keyword_scan *scan);

#endif
