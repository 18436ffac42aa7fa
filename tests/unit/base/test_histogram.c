/* SPDX-License-Identifier: PostgreSQL */
#include "base/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { VALUES = 20000 };

static uint64_t draw(uint64_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random;
}

/* All sizes alike. */
static int64_t draw_duration(uint64_t *random)
{
    unsigned bits = (unsigned)(draw(random) % 33);
    return (int64_t)(draw(random) & ((UINT64_C(1) << bits) - 1));
}

static int compare(const void *a, const void *b)
{
    int64_t one = *(const int64_t *)a;
    int64_t other = *(const int64_t *)b;
    return (one > other) - (one < other);
}

static int64_t exact_percentile(const int64_t *sorted, size_t count, unsigned per_mille)
{
    size_t rank = (count * per_mille + 999) / 1000;
    return sorted[rank > 0 ? rank - 1 : 0];
}

static void assert_near(int64_t found, int64_t exact)
{
    int64_t most = exact / 16;
    if (llabs(found - exact) > most)
        fail_msg("%lld is not near %lld", (long long)found, (long long)exact);
}

static void percentiles_are_near_the_exact_ones(void **state)
{
    (void)state;
    static int64_t values[VALUES];
    uint64_t random = 7;
    for (size_t count = 1; count <= VALUES; count = count * 3 + 1) {
        struct histogram histogram = { 0 };
        for (size_t i = 0; i < count; i++) {
            values[i] = draw_duration(&random);
            histogram_add(&histogram, values[i]);
        }
        qsort(values, count, sizeof values[0], compare);
        assert_int_equal(histogram_count(&histogram), count);
        for (unsigned per_mille = 0; per_mille <= 1000; per_mille += 25)
            assert_near(histogram_percentile(&histogram, per_mille / 10.0),
                        exact_percentile(values, count, per_mille));
        assert_near(histogram_percentile(&histogram, 99), exact_percentile(values, count, 990));
    }
}

static void buckets_lie_side_by_side_and_hold_what_they_say(void **state)
{
    (void)state;
    int64_t next_us = 0;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        struct histogram histogram = { 0 };
        int64_t least_us;
        int64_t most_us;
        histogram_bucket(i, &least_us, &most_us);
        assert_int_equal(least_us, next_us);
        histogram_add(&histogram, least_us);
        histogram_add(&histogram, most_us);
        assert_int_equal(histogram.buckets[i], 2);
        assert_true((most_us - least_us) * 8 <= least_us);
        next_us = most_us + 1;
    }
    assert_int_equal(next_us, INT64_C(1) << 32);
    assert_true(sizeof(struct histogram) < 1024);
}

static void what_is_outside_counts_at_the_ends(void **state)
{
    (void)state;
    struct histogram histogram = { 0 };
    assert_int_equal(histogram_percentile(&histogram, 50), 0);
    histogram_add(&histogram, -1);
    histogram_add(&histogram, INT64_MIN);
    assert_int_equal(histogram.buckets[0], 2);
    histogram_add(&histogram, INT64_C(1) << 32);
    histogram_add(&histogram, INT64_MAX);
    assert_int_equal(histogram.buckets[HISTOGRAM_BUCKETS - 1], 2);
    assert_int_equal(histogram_percentile(&histogram, 50), 0);
    assert_true(histogram_percentile(&histogram, 51) > INT64_C(3900000000));
    assert_int_equal(histogram_percentile(&histogram, -5), 0);
    assert_true(histogram_percentile(&histogram, 500) > INT64_C(3900000000));
}

static void a_merge_holds_both(void **state)
{
    (void)state;
    struct histogram whole = { 0 };
    struct histogram parts[2] = { 0 };
    uint64_t random = 9;
    for (size_t i = 0; i < VALUES; i++) {
        int64_t duration_us = draw_duration(&random);
        histogram_add(&whole, duration_us);
        histogram_add(&parts[i % 2], duration_us);
    }
    histogram_merge(&parts[0], &parts[1]);
    assert_memory_equal(&parts[0], &whole, sizeof whole);
}

static void a_full_bucket_stays_full(void **state)
{
    (void)state;
    struct histogram full = { 0 };
    struct histogram more = { 0 };
    full.buckets[3] = UINT32_MAX - 1;
    more.buckets[3] = 5;
    histogram_add(&full, 3);
    histogram_add(&full, 3);
    assert_int_equal(full.buckets[3], UINT32_MAX);
    full.buckets[3] = UINT32_MAX - 4;
    histogram_merge(&full, &more);
    assert_int_equal(full.buckets[3], UINT32_MAX);
    assert_int_equal(histogram_count(&full), UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentiles_are_near_the_exact_ones),
        cmocka_unit_test(buckets_lie_side_by_side_and_hold_what_they_say),
        cmocka_unit_test(what_is_outside_counts_at_the_ends),
        cmocka_unit_test(a_merge_holds_both),
        cmocka_unit_test(a_full_bucket_stays_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
