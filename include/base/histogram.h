/* SPDX-License-Identifier: PostgreSQL */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

/* How long things took, from 1 µs to 71 minutes (2^32 µs; what took longer counts as that), in less than a
 * KiB. Below 16 µs every microsecond has a bucket of its own; above, every power of two is cut into eight, so
 * that a bucket's middle is at most 6.25 % away from what it holds. A bucket counts to 2^32 - 1 and stays
 * there. A structure of zeros is empty. */

enum { HISTOGRAM_BUCKETS = 16 + 28 * 8 };

struct histogram {
    uint32_t buckets[HISTOGRAM_BUCKETS];
};

/* A negative time counts as 0. */
void histogram_add(struct histogram *histogram, int64_t duration_us);
/* Adds all of `from` to `into`. */
void histogram_merge(struct histogram *into, const struct histogram *from);
uint64_t histogram_count(const struct histogram *histogram);
/* The time in µs that `percent` (0 to 100) of all did not exceed: the middle of the bucket that holds it; 0
 * where nothing has been counted. */
int64_t histogram_percentile(const struct histogram *histogram, double percent);
/* What bucket `at` counts: times from *least_us to *most_us. */
void histogram_bucket(size_t at, int64_t *least_us, int64_t *most_us);

#endif
