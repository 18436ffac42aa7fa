/* SPDX-License-Identifier: PostgreSQL */
#include "sql/statement.h"

#include "sql/classifier.h"
#include "sql/shape.h"

#include <assert.h>
#include <stdlib.h>

void statement_pool_init(struct statement_pool *pool, const struct hash_key *key, size_t bytes_most,
                         size_t in_use_most)
{
    *pool = (struct statement_pool){ .key = *key, .bytes_most = bytes_most, .in_use_most = in_use_most };
    table_init(&pool->table);
    list_init(&pool->unused);
}

static size_t statement_size(const struct statement *statement)
{
    return sizeof(*statement) + statement->text_size;
}

static void statement_free(struct statement_pool *pool, struct statement *statement)
{
    if (statement->is_shared)
        table_remove(&pool->table, &statement->node);
    list_remove(&statement->unused);
    pool->bytes -= statement_size(statement);
    free(statement);
}

/* Drops the texts unused for longest until `bytes` more fit below `most`, or none is left. */
static void make_room(struct statement_pool *pool, size_t bytes, size_t most)
{
    while (pool->bytes + bytes > most && !list_is_empty(&pool->unused))
        statement_free(pool, CONTAINER_OF(pool->unused.next, struct statement, unused));
}

void statement_pool_release(struct statement_pool *pool)
{
    make_room(pool, 1, 0);
    assert(pool->table.count == 0 && pool->bytes == 0);
    table_release(&pool->table);
}

static bool reading_equal(struct lexer_reading a, struct lexer_reading b)
{
    return a.has_standard_strings == b.has_standard_strings &&
           a.has_unsafe_encoding == b.has_unsafe_encoding && a.has_ascii_pairs == b.has_ascii_pairs &&
           a.has_vertical_tab == b.has_vertical_tab && a.has_foreign_letters == b.has_foreign_letters;
}

static struct statement *find(const struct statement_pool *pool, uint64_t hash, struct bytes text,
                              struct lexer_reading reading)
{
    for (struct table_node *node = table_first(&pool->table, hash); node != NULL; node = table_next(node)) {
        struct statement *statement = CONTAINER_OF(node, struct statement, node);
        if (reading_equal(statement->reading, reading) &&
            bytes_equal(text, bytes_of(statement->text, statement->text_size)))
            return statement;
    }
    return NULL;
}

static size_t size_kept(size_t size)
{
    return size < STATEMENT_TEXT_MOST ? size : STATEMENT_TEXT_MOST;
}

/* A statement of one reference with the first `kept` bytes of the text, in no table yet. */
static struct statement *statement_create(struct statement_pool *pool, struct bytes text, size_t kept,
                                          uint64_t full_size, struct lexer_reading reading)
{
    struct statement *statement = malloc(sizeof(*statement) + kept);
    if (statement == NULL)
        return NULL;
    statement->references = 1;
    statement->text_size = (uint32_t)kept;
    statement->full_size = full_size < UINT32_MAX ? (uint32_t)full_size : UINT32_MAX;
    statement->is_cut = kept < full_size;
    statement->is_shared = false;
    statement->is_begin = false;
    statement->reading = reading;
    statement->shape = 0;
    statement->fingerprint[0] = '\0';
    list_init(&statement->unused);
    if (kept > 0)
        memcpy(statement->text, text.data, kept);
    pool->bytes += statement_size(statement);
    return statement;
}

/* The same, keeping as much of the text as the bounds allow: all that is kept of one text, or nothing. */
static struct statement *statement_keep(struct statement_pool *pool, struct bytes text, uint64_t full_size,
                                        struct lexer_reading reading)
{
    size_t kept = size_kept(text.size);
    size_t needed = sizeof(struct statement) + kept;
    make_room(pool, needed, pool->bytes_most);
    bool has_room = pool->bytes + needed <= pool->bytes_most || pool->bytes + needed <= pool->in_use_most;
    struct statement *statement = has_room ? statement_create(pool, text, kept, full_size, reading) : NULL;
    if (statement != NULL)
        return statement;
    pool->not_kept++;
    statement = statement_create(pool, BYTES_NONE, 0, full_size, reading);
    if (statement != NULL)
        statement->is_cut = true;
    return statement;
}

struct statement *statement_of(struct statement_pool *pool, struct bytes text, struct lexer_reading reading)
{
    bool may_share = text.size <= STATEMENT_TEXT_MOST;
    uint64_t hash = may_share ? hash_keyed(&pool->key, text) : 0;
    struct statement *statement = may_share ? find(pool, hash, text, reading) : NULL;
    if (statement != NULL) {
        list_remove(&statement->unused);
        return statement_share(statement);
    }
    statement = statement_keep(pool, text, text.size, reading);
    if (statement == NULL)
        return NULL;
    classify(text, reading, &statement->verdict);
    statement->is_begin =
        statement->verdict.statement_count == 1 && strcmp(statement->verdict.command, "BEGIN") == 0;
    if (!statement->is_cut)
        statement->is_shared = table_add(&pool->table, &statement->node, hash);
    return statement;
}

struct statement *statement_of_streamed(struct statement_pool *pool, struct bytes beginning,
                                        uint64_t full_size, struct lexer_reading reading,
                                        const struct verdict *verdict)
{
    struct statement *statement = statement_keep(pool, beginning, full_size, reading);
    if (statement != NULL)
        statement->verdict = *verdict;
    return statement;
}

static bool is_same(const struct statement *a, const struct statement *b)
{
    return a == b || (!a->is_cut && !b->is_cut && reading_equal(a->reading, b->reading) &&
                      bytes_equal(bytes_of(a->text, a->text_size), bytes_of(b->text, b->text_size)));
}

/* The same text may have been judged by other readings. What is cut may be about any objects, and hold any
 * word behind. */
static bool stands_for(const struct statement *a, const struct statement *b)
{
    return a == b || ((is_same(a, b) || a->is_cut) && verdict_covers(&a->verdict, &b->verdict));
}

struct statement *statement_unite(struct statement_pool *pool, struct statement *a, struct statement *b)
{
    if (stands_for(a, b))
        return statement_share(a);
    if (stands_for(b, a))
        return statement_share(b);
    struct statement *shown = b->verdict.is_guarded && !a->verdict.is_guarded ? b : a;
    struct statement *other = shown == a ? b : a;
    struct bytes text = bytes_of(shown->text, shown->text_size);
    struct statement *united =
        statement_of_streamed(pool, text, shown->full_size, shown->reading, &shown->verdict);
    if (united == NULL)
        return NULL;
    united->is_cut = true;
    verdict_unite(&united->verdict, &other->verdict);
    return united;
}

struct statement *statement_share(struct statement *statement)
{
    statement->references++;
    return statement;
}

uint64_t statement_shape(struct statement *statement)
{
    bool is_known = statement->text_size > 0 || !statement->is_cut;
    if (statement->shape == 0 && is_known)
        statement->shape = shape_sql(bytes_of(statement->text, statement->text_size), statement->reading);
    return statement->shape;
}

const char *statement_fingerprint(struct statement *statement)
{
    if (statement->fingerprint[0] == '\0')
        fingerprint_sql(bytes_of(statement->text, statement->text_size), statement->is_cut,
                        statement->reading, statement->fingerprint);
    return statement->fingerprint;
}

void statement_release(struct statement_pool *pool, struct statement *statement)
{
    if (statement == NULL || --statement->references > 0)
        return;
    if (!statement->is_shared) {
        statement_free(pool, statement);
        return;
    }
    list_append(&pool->unused, &statement->unused);
    make_room(pool, 0, pool->bytes_most);
}
