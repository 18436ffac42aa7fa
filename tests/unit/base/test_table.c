/* SPDX-License-Identifier: PostgreSQL */
#include "base/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ENTRY_COUNT = 1000 };

struct entry {
    struct table_node node;
    uint64_t key;
    bool was_seen;
};

static struct entry *entry_of(struct table_node *node)
{
    return CONTAINER_OF(node, struct entry, node);
}

static struct entry *find(const struct table *table, uint64_t hash, uint64_t key)
{
    struct table_node *node = table_first(table, hash);
    while (node != NULL && entry_of(node)->key != key)
        node = table_next(node);
    return node != NULL ? entry_of(node) : NULL;
}

static struct entry *add(struct table *table, uint64_t hash, uint64_t key)
{
    struct entry *entry = calloc(1, sizeof *entry);
    assert_non_null(entry);
    entry->key = key;
    assert_true(table_add(table, &entry->node, hash));
    return entry;
}

static void free_all(struct table *table)
{
    struct table_cursor cursor = { 0 };
    for (struct table_node *node; (node = table_walk(table, &cursor)) != NULL;)
        free(entry_of(node));
    table_release(table);
}

static void an_empty_table_owns_nothing_and_finds_nothing(void **state)
{
    (void)state;
    struct table table;
    struct table_cursor cursor = { 0 };
    table_init(&table);
    assert_null(table.slots);
    assert_null(table_first(&table, 0));
    assert_null(table_walk(&table, &cursor));
    table_release(&table);
}

static void every_entry_is_found_through_every_growth(void **state)
{
    (void)state;
    struct table table;
    table_init(&table);
    for (uint64_t i = 0; i < ENTRY_COUNT; i++) {
        add(&table, i * 0x9e3779b97f4a7c15, i);
        assert_int_equal(table.count, i + 1);
        assert_true(table.count <= table.slot_count);
        assert_int_equal(table.slot_count & (table.slot_count - 1), 0);
    }
    for (uint64_t i = 0; i < ENTRY_COUNT; i++)
        assert_int_equal(find(&table, i * 0x9e3779b97f4a7c15, i)->key, i);
    assert_null(table_first(&table, ENTRY_COUNT * 0x9e3779b97f4a7c15));
    free_all(&table);
}

static void entries_of_one_hash_stand_beside_others_of_the_slot(void **state)
{
    (void)state;
    struct table table;
    size_t same_count = 0;
    table_init(&table);
    for (uint64_t i = 0; i < 10; i++)
        add(&table, i % 2 == 0 ? 7 : 7 + ((uint64_t)1 << 40), i);
    for (struct table_node *node = table_first(&table, 7); node != NULL; node = table_next(node)) {
        assert_int_equal(entry_of(node)->key % 2, 0);
        same_count++;
    }
    assert_int_equal(same_count, 5);
    assert_null(table_first(&table, 7 + ((uint64_t)1 << 41)));
    free_all(&table);
}

static void a_removed_entry_is_gone_and_the_others_stay(void **state)
{
    (void)state;
    struct table table;
    table_init(&table);
    for (uint64_t i = 0; i < 6; i++)
        add(&table, 3, i);
    for (uint64_t i = 0; i < 6; i += 2) {
        struct entry *entry = find(&table, 3, i);
        table_remove(&table, &entry->node);
        free(entry);
    }
    assert_int_equal(table.count, 3);
    for (uint64_t i = 0; i < 6; i++)
        assert_int_equal(find(&table, 3, i) != NULL, i % 2 == 1);
    free_all(&table);
}

static void a_walk_sees_every_entry_once(void **state)
{
    (void)state;
    struct table table;
    struct table_cursor cursor = { 0 };
    size_t seen_count = 0;
    table_init(&table);
    for (uint64_t i = 0; i < ENTRY_COUNT; i++)
        add(&table, i / 3, i);
    for (struct table_node *node; (node = table_walk(&table, &cursor)) != NULL; seen_count++) {
        assert_false(entry_of(node)->was_seen);
        entry_of(node)->was_seen = true;
    }
    assert_int_equal(seen_count, ENTRY_COUNT);
    assert_null(table_walk(&table, &cursor));
    free_all(&table);
}

static void a_walk_may_remove_and_free_what_it_was_given(void **state)
{
    (void)state;
    struct table table;
    struct table_cursor cursor = { 0 };
    size_t seen_count = 0;
    table_init(&table);
    for (uint64_t i = 0; i < ENTRY_COUNT; i++)
        add(&table, i / 5, i);
    for (struct table_node *node; (node = table_walk(&table, &cursor)) != NULL; seen_count++) {
        if (entry_of(node)->key % 3 == 0)
            continue;
        table_remove(&table, node);
        free(entry_of(node));
    }
    assert_int_equal(seen_count, ENTRY_COUNT);
    assert_int_equal(table.count, ENTRY_COUNT / 3 + 1);
    for (uint64_t i = 0; i < ENTRY_COUNT; i++)
        assert_int_equal(find(&table, i / 5, i) != NULL, i % 3 == 0);
    free_all(&table);
}

static void a_table_that_cannot_grow_takes_entries_nevertheless(void **state)
{
    (void)state;
    const uint32_t most = (uint32_t)1 << 31;
    struct table table;
    struct entry first = { .key = 1 }, second = { .key = 2 };
    table_init(&table);
    assert_true(table_add(&table, &first.node, 0));
    table.slot_count = table.count = most;
    assert_true(table_add(&table, &second.node, 0));
    assert_int_equal(table.slot_count, most);
    assert_ptr_equal(find(&table, 0, 1), &first);
    assert_ptr_equal(find(&table, 0, 2), &second);
    table_release(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_table_owns_nothing_and_finds_nothing),
        cmocka_unit_test(every_entry_is_found_through_every_growth),
        cmocka_unit_test(entries_of_one_hash_stand_beside_others_of_the_slot),
        cmocka_unit_test(a_removed_entry_is_gone_and_the_others_stay),
        cmocka_unit_test(a_walk_sees_every_entry_once),
        cmocka_unit_test(a_walk_may_remove_and_free_what_it_was_given),
        cmocka_unit_test(a_table_that_cannot_grow_takes_entries_nevertheless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
