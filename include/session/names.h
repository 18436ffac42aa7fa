/* SPDX-License-Identifier: PostgreSQL */
#ifndef SESSION_NAMES_H
#define SESSION_NAMES_H

#include "sql/statement.h"

/* What a name of the session stands for: a prepared statement's or a portal's. The server keeps 63 bytes of a
 * name; so do we, or two names that are one to the server would be two to the guard. */
enum { SERVER_NAME_MOST = 63 };

struct name {
    struct table_node node;
    struct statement *confirmed; /* what the server has said yes to, or NULL */
    struct statement *pending;   /* the newest that was sent and not answered yet, or NULL */
    struct statement *feared;    /* those that were sent before it and not answered yet, united, or NULL */
    uint32_t segment;            /* in which the newest was sent */
    uint32_t pending_count;      /* messages in flight that bind it */
    uint32_t mentions;           /* messages in flight that bind or close it */
    uint8_t size;
    char text[];
};

/* One of the server's two name spaces. */
struct names {
    struct table table;
    struct name *unnamed;        /* the empty name's, or NULL */
    struct statement *made;      /* for the message being judged, see names_possible; or NULL */
    struct statement *untracked; /* those whose names could not be kept, united, or NULL */
    uint32_t segment;            /* how many Syncs were sent */
    uint32_t untracked_count;    /* messages in flight that bind such a name */
    bool has_guarded;            /* a schema change has had a name since there was none */
    bool is_short;               /* of memory: what a name may stand for is not known any more */
};

/* Both of a session's, to begin with all zero. */
struct name_spaces {
    struct names statements;
    struct names portals;
};

void names_release(struct names *names, struct statement_pool *pool);
/* What the name stands for as far as messages sent from now on are concerned: the pending meaning, else the
 * confirmed one. NULL when unknown. */
struct statement *names_meaning(const struct names *names, const struct hash_key *key, struct bytes text);
/* What to judge in its place: all the statements that the name may turn out to stand for, united (see
 * statement_unite); of a name that is not known, those whose names could not be kept. NULL when there is
 * none. After an error the server drops what binds a name, but only up to the next Sync; and a name that is
 * not plain ASCII, or so long that it may be cut, need not be to the server what it is to us. Where it had to
 * be made it takes the place of *made, which is NULL or a reference: the caller's to release. Look at
 * is_short then. */
struct statement *names_possible(struct names *names, const struct hash_key *key, struct bytes text,
                                 struct statement_pool *pool, struct statement **made);
/* The entry of a name, or NULL. */
struct name *names_find(const struct names *names, const struct hash_key *key, struct bytes text);
/* A message that binds the name was sent. Shares the statement. NULL when `most` names are kept already or
 * memory is short: then the statement stands for every name that is not known. */
struct name *names_bind(struct names *names, const struct hash_key *key, struct bytes text,
                        struct statement *statement, size_t most, struct statement_pool *pool);
/* A message that names_bind had no entry for was answered, or the server will not carry it out. */
void names_settle_untracked(struct names *names);
/* The server has bound the name without a message that says so (SQL PREPARE). False as above. */
MUST_USE bool names_learn(struct names *names, const struct hash_key *key, struct bytes text,
                          struct statement *statement, size_t most, struct statement_pool *pool);
/* The server said yes to the oldest message that binds it: it now stands for `statement`. */
void names_confirm(struct names *names, struct name *name, struct statement *statement,
                   struct statement_pool *pool);
/* The server will not carry out the oldest message that binds it. May free the entry. */
void names_abandon(struct names *names, struct name *name, struct statement_pool *pool);
/* A Close of the name was sent; the entry stays until names_closed. NULL when the name is not known. */
struct name *names_close(struct names *names, const struct hash_key *key, struct bytes text);
/* The Close was answered (is_done), or the server will not carry it out. May free the entry. */
void names_closed(struct names *names, struct name *name, bool is_done, struct statement_pool *pool);
/* The server has forgotten it. Entries with pending messages stay. */
void names_forget(struct names *names, struct name *name, struct statement_pool *pool);
/* The server has forgotten the one of this name; nothing happens where it may mean another by these bytes. */
void names_forget_called(struct names *names, const struct hash_key *key, struct bytes text,
                         struct statement_pool *pool);
/* The server has forgotten all that are not the empty one, but for what is in flight behind. */
void names_forget_named(struct names *names, struct statement_pool *pool);
/* The server has forgotten all of them. */
void names_forget_all(struct names *names, struct statement_pool *pool);

#endif
