/* SPDX-License-Identifier: PostgreSQL */
#include "base/histogram.h"

/* A number of n bits, n above 4, is told by n and the three bits behind its first. */
enum { EXACT = 16, EXACT_BITS = 4, STEP_BITS = 3, STEPS = 1 << STEP_BITS };

static size_t bucket_of(int64_t duration_us)
{
    if (duration_us < EXACT)
        return duration_us > 0 ? (size_t)duration_us : 0;
    if (duration_us > UINT32_MAX)
        return HISTOGRAM_BUCKETS - 1;
    unsigned top = 31u - (unsigned)__builtin_clz((unsigned)duration_us);
    size_t step = (size_t)duration_us >> (top - STEP_BITS) & (STEPS - 1);
    return EXACT + (top - EXACT_BITS) * STEPS + step;
}

static void count(uint32_t *bucket, uint32_t amount)
{
    *bucket = *bucket > UINT32_MAX - amount ? UINT32_MAX : *bucket + amount;
}

void histogram_add(struct histogram *histogram, int64_t duration_us)
{
    count(&histogram->buckets[bucket_of(duration_us)], 1);
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        count(&into->buckets[i], from->buckets[i]);
}

uint64_t histogram_count(const struct histogram *histogram)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        sum += histogram->buckets[i];
    return sum;
}

void histogram_bucket(size_t at, int64_t *least_us, int64_t *most_us)
{
    if (at < EXACT) {
        *least_us = *most_us = (int64_t)at;
        return;
    }
    size_t shift = (at - EXACT) / STEPS + EXACT_BITS - STEP_BITS;
    int64_t step = (int64_t)((at - EXACT) % STEPS);
    *least_us = (STEPS + step) << shift;
    *most_us = *least_us + (INT64_C(1) << shift) - 1;
}

/* The middle of the bucket that holds the `rank`th, counted from 1. */
static int64_t middle_of_rank(const struct histogram *histogram, uint64_t rank)
{
    int64_t least_us;
    int64_t most_us;
    size_t at = 0;
    for (; at < HISTOGRAM_BUCKETS - 1 && rank > histogram->buckets[at]; at++)
        rank -= histogram->buckets[at];
    histogram_bucket(at, &least_us, &most_us);
    return least_us + (most_us - least_us) / 2;
}

int64_t histogram_percentile(const struct histogram *histogram, double percent)
{
    uint64_t total = histogram_count(histogram);
    double share = (double)total * percent / 100;
    uint64_t rank = (uint64_t)share;
    if (total == 0)
        return 0;
    rank += (double)rank < share ? 1 : 0;
    rank = rank < 1 ? 1 : rank > total ? total : rank;
    return middle_of_rank(histogram, rank);
}
