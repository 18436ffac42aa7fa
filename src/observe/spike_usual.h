/* SPDX-License-Identifier: PostgreSQL */
#ifndef OBSERVE_SPIKE_USUAL_H
#define OBSERVE_SPIKE_USUAL_H

#include "observe/spike.h"

/* What is usual of a key, as the tests for spikes want it. */

enum { SPIKE_LAG = 360 }; /* buckets: as old as one must be to be learned */

static const int spike_lengths[SPIKE_WINDOW_COUNT] = { 3, 12, 60, SPIKE_LAG }; /* buckets */
static const double minutes_of_bucket = SPIKE_BUCKET_SECONDS / 60.0;

static inline unsigned spike_slot(int64_t bucket)
{
    return (uint64_t)bucket % SPIKE_BUCKETS;
}

/* A minute, whatever the time of the day. */
double spike_level_rate(const struct spike_level *level);

/* The distribution of a window's count at a rate `factor` times the usual one. */
struct spike_expected {
    double mean;
    double shape;
};

struct spike_expected spike_expect(const struct spike *spike, enum spike_series series,
                                   enum spike_window window, double factor);

#endif
