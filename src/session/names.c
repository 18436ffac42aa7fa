/* SPDX-License-Identifier: PostgreSQL */
#include "session/names.h"

#include <stdlib.h>

static struct bytes server_name(struct bytes name)
{
    return bytes_of(name.data, name.size < SERVER_NAME_MOST ? name.size : SERVER_NAME_MOST);
}

void names_init(struct names *names)
{
    table_init(&names->table);
    names->unnamed = NULL;
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

static struct name *name_create(struct names *names, const struct hash_key *key, struct bytes text,
                                size_t most)
{
    if (names->table.count >= most)
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

struct name *names_bind(struct names *names, const struct hash_key *key, struct bytes text,
                        struct statement *statement, size_t most, struct statement_pool *pool)
{
    struct bytes kept = server_name(text);
    struct name *name = names_find(names, key, kept);
    if (name == NULL)
        name = name_create(names, key, kept, most);
    if (name != NULL) {
        name->mentions++;
        name->pending_count++;
        statement_release(pool, name->pending);
        name->pending = statement != NULL ? statement_share(statement) : NULL;
    }
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
        name->pending = NULL;
    }
}

void names_confirm(struct names *names, struct name *name, struct statement *statement,
                   struct statement_pool *pool)
{
    if (name->confirmed != statement) {
        statement_release(pool, name->confirmed);
        name->confirmed = statement != NULL ? statement_share(statement) : NULL;
    }
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

void names_forget_all(struct names *names, struct statement_pool *pool)
{
    if (names->unnamed != NULL)
        names_forget(names, names->unnamed, pool);
    if (names->table.count == 0)
        return; /* as at the end of nearly every transaction */
    struct table_cursor cursor = { 0 };
    for (struct table_node *node; (node = table_walk(&names->table, &cursor)) != NULL;)
        names_forget(names, CONTAINER_OF(node, struct name, node), pool);
}
