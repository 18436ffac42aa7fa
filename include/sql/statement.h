/* SPDX-License-Identifier: PostgreSQL */
#ifndef SQL_STATEMENT_H
#define SQL_STATEMENT_H

#include "base/hash.h"
#include "base/list.h"
#include "base/table.h"
#include "sql/fingerprint.h"
#include "sql/lexer.h"
#include "sql/verdict.h"

/* The texts a worker has seen, each kept once with what is known of it: a text that comes again is not
 * classified again. Texts in use are counted references; those no longer used stay, the least recently used
 * going first, within a bound of bytes. */

/* One text. Read-only for users; what costs a pass over the text is found when it is first asked for. */
struct statement {
    struct table_node node;
    struct list unused; /* in the pool's list of unused ones, while references == 0 */
    uint32_t references;
    uint32_t text_size; /* bytes kept of the text */
    uint32_t full_size; /* bytes of the whole text */
    bool is_cut;        /* not all of it was kept */
    bool is_shared;     /* in the pool's table */
    bool is_begin;      /* BEGIN and nothing else, as drivers send it ahead of what they run */
    struct lexer_reading reading;
    struct verdict verdict;
    uint64_t shape;                     /* 0: not asked for yet; see statement_shape */
    char fingerprint[FINGERPRINT_SIZE]; /* likewise */
    char text[];                        /* the first text_size bytes as received */
};

struct statement_pool {
    struct table table;
    struct list unused; /* least recently used first */
    struct hash_key key;
    size_t bytes;      /* held now */
    size_t bytes_most; /* the bound for unused ones; in use ones may exceed it up to in_use_most */
    size_t in_use_most;
    uint64_t not_kept; /* texts of which nothing could be kept because of the bound */
};

enum { STATEMENT_TEXT_MOST = 4096 }; /* bytes kept of one text */

void statement_pool_init(struct statement_pool *pool, const struct hash_key *key, size_t bytes_most,
                         size_t in_use_most);
/* Every statement must have been released. */
void statement_pool_release(struct statement_pool *pool);
/* The statement of a text that lies whole in memory, classified; a new reference. Never NULL: where memory or
 * the bound forbids keeping the text, a statement without text (text_size 0, is_cut) that still has its
 * verdict; NULL only when malloc fails for that, too. */
struct statement *statement_of(struct statement_pool *pool, struct bytes text, struct lexer_reading reading);
/* The same for a text that was streamed: its beginning, its full size, and the classifier's verdict. */
struct statement *statement_of_streamed(struct statement_pool *pool, struct bytes beginning,
                                        uint64_t full_size, struct lexer_reading reading,
                                        const struct verdict *verdict);
/* What stands for a text that may be either, neither being NULL; a new reference. Where that is not the same
 * it asks for all that either asks for, and is about objects that are not known: it has the text of the one
 * that is guarded, else of the first, and is_cut. NULL where malloc fails. */
struct statement *statement_unite(struct statement_pool *pool, struct statement *a, struct statement *b);
struct statement *statement_share(struct statement *statement);
/* The shape of its text, of one that is cut that of what was kept; 0 where nothing was kept of it. */
uint64_t statement_shape(struct statement *statement);
/* The fingerprint of its text as a whole, for texts of one statement. Lives as long as the statement. */
const char *statement_fingerprint(struct statement *statement);
/* Gives a reference back; NULL is allowed. */
void statement_release(struct statement_pool *pool, struct statement *statement);

#endif
