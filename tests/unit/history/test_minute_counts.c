/* SPDX-License-Identifier: PostgreSQL */
#include "history/minute_counts.h"

#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

static const struct hash_key key = { { 5, 6 } };

enum { STEPS = 20000, NAMES = 50, MINUTES = 200 };

static bool add(struct minute_counts *counts, int64_t name, int64_t minute_us, uint64_t count)
{
    struct record record;
    record_begin(&record, 0);
    record_integer(&record, minute_us);
    record_integer(&record, name);
    return minute_counts_add(counts, &record, minute_us, count);
}

static uint64_t sum_of(const struct minute_counts *counts)
{
    uint64_t sum = 0;
    struct table_cursor cursor = { 0 };
    for (const struct minute_count *count; (count = minute_counts_walk(counts, &cursor)) != NULL;)
        sum += count->count;
    for (size_t i = 0; i < counts->unnamed_minutes; i++)
        sum += counts->unnamed[i].count;
    return sum;
}

static void the_sum_is_exact_whatever_finds_room(void **state)
{
    (void)state;
    for (size_t most = 0; most <= 400; most += 100) {
        struct minute_counts counts;
        uint64_t sum = 0;
        uint64_t unnamed = 0;
        minute_counts_init(&counts, &key, most);
        for (uint64_t i = 0; i < STEPS; i++) {
            uint64_t count = 1 + i % 3;
            sum += count;
            if (!add(&counts, (int64_t)(i * i % NAMES), (int64_t)(i % MINUTES), count))
                unnamed += count;
        }
        assert_int_equal(sum_of(&counts), sum);
        assert_true(counts.table.count <= most);
        for (size_t i = 0; i < counts.unnamed_minutes; i++)
            unnamed -= counts.unnamed[i].count;
        assert_int_equal(unnamed, 0);
        minute_counts_clear(&counts);
        assert_true(minute_counts_is_empty(&counts));
        assert_int_equal(sum_of(&counts), 0);
        minute_counts_release(&counts);
    }
}

static void what_has_no_name_keeps_its_minute(void **state)
{
    (void)state;
    struct minute_counts counts;
    minute_counts_init(&counts, &key, 1);
    assert_true(add(&counts, 1, 60, 1));
    assert_false(add(&counts, 2, 60, 2));
    assert_false(add(&counts, 1, 120, 4));
    assert_false(add(&counts, 3, 60, 8));
    assert_true(add(&counts, 1, 60, 16));
    assert_int_equal(counts.unnamed_minutes, 2);
    assert_int_equal(counts.unnamed[0].minute_us, 60);
    assert_int_equal(counts.unnamed[0].count, 10);
    assert_int_equal(counts.unnamed[1].count, 4);
    minute_counts_release(&counts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sum_is_exact_whatever_finds_room),
        cmocka_unit_test(what_has_no_name_keeps_its_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
