/* SPDX-License-Identifier: PostgreSQL */
#include "session/names.h"

#include <stdlib.h>

enum { ASCII_END = 0x80, SERVER_CHARACTER_MOST = 4 };

static struct bytes server_name(struct bytes name)
{
    return bytes_of(name.data, name.size < SERVER_NAME_MOST ? name.size : SERVER_NAME_MOST);
}

/* Whether the server may know it by other bytes: converted to its encoding, folded there, or cut in front of
 * a character that does not fit. */
static bool is_inexact(struct bytes name)
{
    bool is_inexact = name.size > SERVER_NAME_MOST - SERVER_CHARACTER_MOST;
    for (size_t i = 0; i < name.size; i++)
        is_inexact |= name.data[i] >= ASCII_END;
    return is_inexact;
}

static void name_destroy(struct names *names, struct name *name, struct statement_pool *pool)
{
    if (name == names->unnamed) {
        names->unnamed = NULL;
    } else {
        table_remove(&names->table, &name->node);
    }
    statement_release(pool, name->confirmed);
    statement_release(pool, name->pending);
    statement_release(pool, name->feared);
    free(name);
}

void names_release(struct names *names, struct statement_pool *pool)
{
    if (names->unnamed != NULL)
        name_destroy(names, names->unnamed, pool);
    struct table_cursor cursor = { 0 };
    for (struct table_node *node; (node = table_walk(&names->table, &cursor)) != NULL;)
        name_destroy(names, CONTAINER_OF(node, struct name, node), pool);
    table_release(&names->table);
    statement_release(pool, names->untracked);
    statement_release(pool, names->made);
}

static struct name *find_hashed(const struct names *names, uint64_t hash, struct bytes text)
{
    for (struct table_node *node = table_first(&names->table, hash); node != NULL; node = table_next(node)) {
        struct name *name = CONTAINER_OF(node, struct name, node);
        if (bytes_equal(bytes_of(name->text, name->size), text))
            return name;
    }
    return NULL;
}

struct name *names_find(const struct names *names, const struct hash_key *key, struct bytes text)
{
    if (text.size == 0)
        return names->unnamed;
    if (names->table.count == 0)
        return NULL;
    struct bytes kept = server_name(text);
    return find_hashed(names, hash_keyed(key, kept), kept);
}

struct statement *names_meaning(const struct names *names, const struct hash_key *key, struct bytes text)
{
    const struct name *name = names_find(names, key, text);
    if (name == NULL)
        return NULL;
    return name->pending_count > 0 ? name->pending : name->confirmed;
}

/* Puts what stands for either in place of *into, which is a reference. */
static void unite(struct names *names, struct statement **into, struct statement *other,
                  struct statement_pool *pool)
{
    if (other == NULL || other == *into)
        return;
    struct statement *united = *into == NULL ? statement_share(other) : statement_unite(pool, *into, other);
    if (united == NULL) {
        names->is_short = true;
        return;
    }
    statement_release(pool, *into);
    *into = united;
}

/* What `text` may mean when it is not what we know by these bytes: one of two such names is inexact. */
static void unite_others(struct names *names, struct bytes text, struct statement **into,
                         struct statement_pool *pool)
{
    bool is_any = is_inexact(text);
    struct table_cursor cursor = { 0 };
    for (struct table_node *node; (node = table_walk(&names->table, &cursor)) != NULL;) {
        const struct name *name = CONTAINER_OF(node, struct name, node);
        if (!is_any && !is_inexact(bytes_of(name->text, name->size)))
            continue;
        unite(names, into, name->confirmed, pool);
        unite(names, into, name->pending, pool);
        unite(names, into, name->feared, pool);
    }
}

__attribute__((noinline, cold)) static struct statement *
unite_all(struct names *names, const struct name *name, struct bytes text, struct statement_pool *pool)
{
    struct statement *all = NULL;
    if (name == NULL) {
        unite(names, &all, names->untracked, pool);
    } else {
        bool may_be_skipped = name->pending_count > 0 && name->segment != names->segment;
        unite(names, &all, name->pending_count > 0 ? name->pending : name->confirmed, pool);
        unite(names, &all, may_be_skipped ? name->confirmed : NULL, pool);
        unite(names, &all, may_be_skipped ? name->feared : NULL, pool);
    }
    if (names->has_guarded && text.size > 0 && (name == NULL || is_inexact(text)))
        unite_others(names, text, &all, pool);
    return all;
}

struct statement *names_possible(struct names *names, const struct hash_key *key, struct bytes text,
                                 struct statement_pool *pool, struct statement **made)
{
    const struct name *name = names_find(names, key, text);
    bool is_exact = text.size == 0 || !names->has_guarded || !is_inexact(text);
    if (name != NULL && is_exact && name->pending_count == 0)
        return name->confirmed;
    if (name != NULL && is_exact && name->segment == names->segment)
        return name->pending;
    statement_release(pool, *made);
    return *made = unite_all(names, name, text, pool);
}

static struct name *name_create(struct names *names, const struct hash_key *key, struct bytes text,
                                size_t most)
{
    if (text.size > 0 && names->table.count >= most)
        return NULL;
    struct name *name = calloc(1, sizeof(*name) + text.size);
    if (name == NULL)
        return NULL;
    name->size = (uint8_t)text.size;
    if (text.size == 0) {
        names->unnamed = name;
        return name;
    }
    memcpy(name->text, text.data, text.size);
    if (!table_add(&names->table, &name->node, hash_keyed(key, text))) {
        free(name);
        return NULL;
    }
    return name;
}

static struct name *find_or_create(struct names *names, const struct hash_key *key, struct bytes text,
                                   const struct statement *statement, size_t most)
{
    struct bytes kept = server_name(text);
    struct name *name = names_find(names, key, kept);
    names->has_guarded |= statement != NULL && statement->verdict.is_guarded;
    return name != NULL ? name : name_create(names, key, kept, most);
}

static void note_untracked(struct names *names, struct statement *statement, struct statement_pool *pool)
{
    unite(names, &names->untracked, statement, pool);
}

struct name *names_bind(struct names *names, const struct hash_key *key, struct bytes text,
                        struct statement *statement, size_t most, struct statement_pool *pool)
{
    struct name *name = find_or_create(names, key, text, statement, most);
    if (name == NULL) {
        note_untracked(names, statement, pool);
        names->untracked_count++;
        return NULL;
    }
    unite(names, &name->feared, name->pending, pool);
    statement_release(pool, name->pending);
    name->pending = statement != NULL ? statement_share(statement) : NULL;
    name->segment = names->segment;
    name->mentions++;
    name->pending_count++;
    return name;
}

/* A name that stands for nothing and that no message in flight speaks of need not be kept. The unnamed one
 * stays: it is used over and over. */
static void drop_if_idle(struct names *names, struct name *name, struct statement_pool *pool)
{
    if (name->mentions == 0 && name->confirmed == NULL && name != names->unnamed)
        name_destroy(names, name, pool);
}

/* One of the messages that bind the name has been answered; with the last one the pending meaning ends. */
static void settle_bind(struct name *name, struct statement_pool *pool)
{
    name->mentions--;
    name->pending_count--;
    if (name->pending_count == 0) {
        statement_release(pool, name->pending);
        statement_release(pool, name->feared);
        name->pending = name->feared = NULL;
    }
}

/* Two names of the server's may be one to us where they are not exact: then both statements stay. */
static void name_set(struct names *names, struct name *name, struct statement *statement,
                     struct statement_pool *pool)
{
    if (name->confirmed == statement)
        return;
    if (is_inexact(bytes_of(name->text, name->size))) {
        unite(names, &name->confirmed, statement, pool);
        return;
    }
    statement_release(pool, name->confirmed);
    name->confirmed = statement != NULL ? statement_share(statement) : NULL;
}

void names_settle_untracked(struct names *names)
{
    names->untracked_count--;
}

bool names_learn(struct names *names, const struct hash_key *key, struct bytes text,
                 struct statement *statement, size_t most, struct statement_pool *pool)
{
    struct name *name = find_or_create(names, key, text, statement, most);
    if (name != NULL)
        name_set(names, name, statement, pool);
    else
        note_untracked(names, statement, pool);
    return name != NULL;
}

void names_confirm(struct names *names, struct name *name, struct statement *statement,
                   struct statement_pool *pool)
{
    name_set(names, name, statement, pool);
    settle_bind(name, pool);
    drop_if_idle(names, name, pool);
}

void names_abandon(struct names *names, struct name *name, struct statement_pool *pool)
{
    settle_bind(name, pool);
    drop_if_idle(names, name, pool);
}

struct name *names_close(struct names *names, const struct hash_key *key, struct bytes text)
{
    struct name *name = names_find(names, key, text);
    if (name != NULL)
        name->mentions++;
    return name;
}

void names_closed(struct names *names, struct name *name, bool is_done, struct statement_pool *pool)
{
    name->mentions--;
    if (is_done) {
        names_forget(names, name, pool);
    } else {
        drop_if_idle(names, name, pool);
    }
}

void names_forget(struct names *names, struct name *name, struct statement_pool *pool)
{
    statement_release(pool, name->confirmed);
    name->confirmed = NULL;
    drop_if_idle(names, name, pool);
}

void names_forget_called(struct names *names, const struct hash_key *key, struct bytes text,
                         struct statement_pool *pool)
{
    struct name *name = text.size > 0 && !is_inexact(text) ? names_find(names, key, text) : NULL;
    if (name != NULL)
        names_forget(names, name, pool);
}

void names_forget_named(struct names *names, struct statement_pool *pool)
{
    if (names->untracked_count == 0) {
        statement_release(pool, names->untracked);
        names->untracked = NULL;
    }
    if (names->table.count == 0)
        return; /* as at the end of nearly every transaction */
    struct table_cursor cursor = { 0 };
    for (struct table_node *node; (node = table_walk(&names->table, &cursor)) != NULL;)
        names_forget(names, CONTAINER_OF(node, struct name, node), pool);
    names->has_guarded &= names->table.count > 0;
}

void names_forget_all(struct names *names, struct statement_pool *pool)
{
    if (names->unnamed != NULL)
        names_forget(names, names->unnamed, pool);
    names_forget_named(names, pool);
}
