/* SPDX-License-Identifier: PostgreSQL */
#ifndef SQL_OBJECT_WALK_H
#define SQL_OBJECT_WALK_H

#include "sql/objects.h"
#include "sql/token_walk.h"

/* Goes through a statement, one token ahead, and takes names out of it. */

enum object_kind {
    KIND_OBJECT,
    KIND_PART,
    KIND_COLUMN,
    KIND_MEMBER,
    KIND_CONSTRAINT,
    KIND_SCHEMA,
    KIND_NOTHING,
    KIND_UNKNOWN,
};

struct object_walk {
    struct token_walk tokens;
    struct token token;         /* the next; TOKEN_NONE at the end */
    enum token_kind last;       /* the kind of the one before */
    uint32_t depth;             /* of parentheses and brackets around it */
    struct object_name subject; /* the last object that was read; what is to be new is named like it */
    struct object_names *out;
    bool has_foreign_letters; /* see lexer_reading */
};

/* `out` goes on being filled. */
void object_walk_begin(struct object_walk *walk, struct bytes statement, struct lexer_reading reading,
                       struct object_names *out);
/* Moves on by a token. */
void object_walk_next(struct object_walk *walk);
/* There may be other objects than those named. */
void object_walk_give_up(struct object_walk *walk);
bool object_walk_is(const struct object_walk *walk, const char *word);
/* Moves behind the words (lower case, a space between them) if all of them come next. */
bool object_walk_take(struct object_walk *walk, const char *words);
/* The same when a name follows them: otherwise they may be one themselves. */
bool object_walk_take_before_name(struct object_walk *walk, const char *words);
bool object_walk_take_kind(struct object_walk *walk, enum token_kind kind);
/* To the next such word outside of parentheses; false, and at the end, when there is none. */
bool object_walk_seek(struct object_walk *walk, const char *word);
/* Behind the parentheses that open here, if they do. */
void object_walk_skip_parentheses(struct object_walk *walk);
/* Whether the next token may begin a name. */
bool object_walk_is_name(const struct object_walk *walk);
/* Takes the name that comes next, behind IF EXISTS, ONLY and the like, as the subject; gives up, and false,
 * where none does. */
bool object_walk_read(struct object_walk *walk, enum object_kind kind);
/* The same, and adds it. */
bool object_walk_name(struct object_walk *walk, enum object_kind kind, bool is_referred);
/* Adds a name, once, unless it is in pg_temp. */
void object_walk_add(struct object_walk *walk, const struct object_name *name);
/* Whether the server takes a word (in lower case) for a name without quotes. */
bool object_word_is_name(const char *word);

#endif
