/* SPDX-License-Identifier: PostgreSQL */
#include "base/table.h"

#include <assert.h>
#include <stdlib.h>

enum { SMALLEST_SLOT_COUNT = 4 };

void table_init(struct table *table)
{
    *table = (struct table){ 0 };
}

void table_release(struct table *table)
{
    free(table->slots);
    table_init(table);
}

static struct table_node **table_slot(const struct table *table, uint64_t hash)
{
    return &table->slots[hash & (table->slot_count - 1)];
}

static struct table_node *chain_find(struct table_node *node, uint64_t hash)
{
    while (node != NULL && node->hash != hash)
        node = node->next;
    return node;
}

struct table_node *table_first(const struct table *table, uint64_t hash)
{
    return table->slot_count > 0 ? chain_find(*table_slot(table, hash), hash) : NULL;
}

struct table_node *table_next(const struct table_node *node)
{
    return chain_find(node->next, node->hash);
}

static void table_link(struct table *table, struct table_node *node)
{
    struct table_node **slot = table_slot(table, node->hash);
    node->next = *slot;
    *slot = node;
}

static bool table_grow(struct table *table)
{
    if (table->slot_count > UINT32_MAX / 2)
        return false;
    struct table grown = { .slot_count = table->slot_count > 0 ? table->slot_count * 2 : SMALLEST_SLOT_COUNT,
                           .count = table->count };
    struct table_cursor cursor = { 0 };
    grown.slots = calloc(grown.slot_count, sizeof(struct table_node *));
    if (grown.slots == NULL)
        return false;
    for (struct table_node *node; (node = table_walk(table, &cursor)) != NULL;)
        table_link(&grown, node);
    free(table->slots);
    *table = grown;
    return true;
}

bool table_add(struct table *table, struct table_node *node, uint64_t hash)
{
    /* a table that cannot grow any more still works, with longer chains */
    if (table->count >= table->slot_count && !table_grow(table) && table->slot_count == 0)
        return false;
    node->hash = hash;
    table_link(table, node);
    table->count++;
    return true;
}

void table_remove(struct table *table, struct table_node *node)
{
    struct table_node **link = table_slot(table, node->hash);
    while (*link != node) {
        assert(*link != NULL);
        link = &(*link)->next;
    }
    *link = node->next;
    table->count--;
}

struct table_node *table_walk(const struct table *table, struct table_cursor *cursor)
{
    while (cursor->next == NULL && cursor->slot < table->slot_count)
        cursor->next = table->slots[cursor->slot++];
    struct table_node *node = cursor->next;
    if (node != NULL)
        cursor->next = node->next;
    return node;
}
