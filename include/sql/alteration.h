/* SPDX-License-Identifier: PostgreSQL */
#ifndef SQL_ALTERATION_H
#define SQL_ALTERATION_H

#include "sql/class.h"
#include "sql/lexer.h"

/* How much one ALTER TABLE (or TYPE, STATISTICS) changes: its subcommands one by one, by their words alone.
 */

enum alteration_object { ALTERATION_TABLE, ALTERATION_TYPE, ALTERATION_STATISTICS };

enum { ALTERATION_WORDS_SIZE = 40 };

/* What the next token of a column to be added is. */
enum column_part {
    COLUMN_NAME, /* or IF */
    COLUMN_TYPE, /* its first word, or the NOT of IF NOT EXISTS */
    COLUMN_EXISTS,
    COLUMN_REST
};

/* Where the default of a column stands: only a constant leaves the table's rows alone. */
enum default_state {
    DEFAULT_NONE,
    DEFAULT_VALUE,
    DEFAULT_CALL,
    DEFAULT_BEHIND,      /* a constant */
    DEFAULT_TYPE,        /* before a type's name, or behind a dot in it */
    DEFAULT_TYPE_NAMED,  /* behind its name */
    DEFAULT_MODIFIER,    /* in its parenthesis */
    DEFAULT_BOUND,       /* in the brackets of an array's */
    DEFAULT_TYPE_SHAPED, /* behind either */
    DEFAULT_DOUBTFUL
};

/* All fields are private. */
struct alteration {
    enum alteration_object object;
    enum safety_level level; /* of the subcommands that are complete */
    char words[ALTERATION_WORDS_SIZE];
    uint8_t words_size;
    bool are_words_complete;
    enum column_part column_part;
    bool has_not;     /* the word before was NOT */
    bool has_index;   /* USING INDEX */
    bool has_columns; /* a constraint's own: an index is built, not taken over */
    bool is_primary;
    bool is_unique;
    bool is_unchecked; /* NOT VALID, NOT ENFORCED */
    bool has_not_null;
    bool is_heavy; /* something that reads or writes all rows */
    bool was_using;
    bool was_name; /* the token before can be the name of a partition */
    bool is_concurrent;
    enum default_state default_state;
    bool has_default;
};

void alteration_begin(struct alteration *alteration, enum alteration_object object);
/* The next token behind the table's name; `depth` is the number of parentheses open around it. */
void alteration_take(struct alteration *alteration, const struct token *token, uint32_t depth);
/* The level of the most dangerous subcommand. */
enum safety_level alteration_end(struct alteration *alteration);

#endif
