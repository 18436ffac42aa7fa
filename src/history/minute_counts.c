/* SPDX-License-Identifier: PostgreSQL */
#include "history/minute_counts.h"

#include <stdlib.h>

void minute_counts_init(struct minute_counts *counts, const struct hash_key *key, size_t keys_most)
{
    *counts = (struct minute_counts){ .key = *key, .keys_most = keys_most };
    table_init(&counts->table);
}

static struct minute_count *count_of(struct table_node *node)
{
    return node != NULL ? CONTAINER_OF(node, struct minute_count, node) : NULL;
}

void minute_counts_clear(struct minute_counts *counts)
{
    struct table_cursor cursor = { 0 };
    for (struct table_node *node; (node = table_walk(&counts->table, &cursor)) != NULL;) {
        table_remove(&counts->table, node);
        free(count_of(node));
    }
    counts->unnamed_minutes = 0;
}

void minute_counts_release(struct minute_counts *counts)
{
    minute_counts_clear(counts);
    table_release(&counts->table);
}

static struct minute_count *counts_find(const struct minute_counts *counts, struct bytes key, uint64_t hash)
{
    struct table_node *node = table_first(&counts->table, hash);
    while (node != NULL && !bytes_equal(bytes_of(count_of(node)->bytes, count_of(node)->size), key))
        node = table_next(node);
    return count_of(node);
}

static struct minute_count *counts_insert(struct minute_counts *counts, struct bytes key, uint64_t hash)
{
    if (counts->table.count >= counts->keys_most)
        return NULL;
    struct minute_count *added = malloc(sizeof *added + key.size);
    if (added == NULL)
        return NULL;
    added->count = 0;
    added->size = key.size;
    memcpy(added->bytes, key.data, key.size);
    if (!table_add(&counts->table, &added->node, hash)) {
        free(added);
        return NULL;
    }
    return added;
}

void minute_counts_add_unnamed(struct minute_counts *counts, int64_t minute_us, uint64_t count)
{
    size_t at = 0;
    while (at < counts->unnamed_minutes && counts->unnamed[at].minute_us != minute_us)
        at++;
    if (at == MINUTES_UNNAMED) {
        at--;
    } else if (at == counts->unnamed_minutes) {
        counts->unnamed_minutes++;
        counts->unnamed[at].minute_us = minute_us;
        counts->unnamed[at].count = 0;
    }
    counts->unnamed[at].count += count;
}

bool minute_counts_add(struct minute_counts *counts, const struct record *record, int64_t minute_us,
                       uint64_t count)
{
    struct bytes key = record_bytes(record);
    uint64_t hash = hash_keyed(&counts->key, key);
    struct minute_count *found = counts_find(counts, key, hash);
    if (found == NULL)
        found = counts_insert(counts, key, hash);
    if (found != NULL)
        found->count += count;
    else
        minute_counts_add_unnamed(counts, minute_us, count);
    return found != NULL;
}

bool minute_counts_is_empty(const struct minute_counts *counts)
{
    return counts->table.count == 0 && counts->unnamed_minutes == 0;
}

const struct minute_count *minute_counts_walk(const struct minute_counts *counts, struct table_cursor *cursor)
{
    return count_of(table_walk(&counts->table, cursor));
}
