/* SPDX-License-Identifier: PostgreSQL */
/* Finds whether there is a spike now, and when it began. */
#include "observe/tail.h"
#include "spike_usual.h"

#include <math.h>

enum { BUCKETS_OF_MONTH = 30 * 24 * 3600 / SPIKE_BUCKET_SECONDS };

static const double calm_probability = 0.01;

/* Never improbable enough, whatever the shape, and cheaper to see than how improbable it is. */
static bool is_near(const struct spike_expected *expected, double count)
{
    double distance = count - expected->mean;
    double variance = expected->mean + expected->mean * expected->mean / expected->shape;
    return distance <= 0 || distance * distance < 9 * variance;
}

static double log_threshold(const struct spike_settings *settings)
{
    double tests = (double)BUCKETS_OF_MONTH * SPIKE_SERIES_COUNT * SPIKE_WINDOW_COUNT;
    return log(settings->false_alarms / tests);
}

static double test_window(const struct spike *spike, const struct spike_settings *settings,
                          enum spike_series series, enum spike_window window)
{
    uint64_t count = spike->sums[series][window];
    /* Rates only rise by the season: what is not above the level alone needs no more work. */
    double usual = spike_level_rate(&spike->levels[series]) * spike_lengths[window] * minutes_of_bucket;
    if ((double)count <= usual * settings->factor || spike->sums[SPIKE_OCCURRENCES][window] < settings->least)
        return 0;
    struct spike_expected expected = spike_expect(spike, series, window, settings->factor);
    return is_near(&expected, (double)count) ? 0
                                             : tail_negative_binomial(count, expected.mean, expected.shape);
}

bool spike_test(const struct spike *spike, const struct spike_settings *settings,
                struct spike_finding *finding)
{
    double least = log_threshold(settings);
    bool is_found = false;
    if (spike->bucket < spike->test_from)
        return false;
    for (enum spike_window window = 0; window < SPIKE_WINDOW_COUNT; window++) {
        for (enum spike_series series = 0; series < SPIKE_SERIES_COUNT; series++) {
            double probability = test_window(spike, settings, series, window);
            if (probability >= least)
                continue;
            least = probability;
            is_found = true;
            finding->log_probability = probability;
            finding->rate =
                (double)spike->sums[SPIKE_OCCURRENCES][window] / (spike_lengths[window] * minutes_of_bucket);
        }
    }
    if (is_found)
        finding->baseline = spike_baseline(spike);
    return is_found;
}

bool spike_is_calm(const struct spike *spike, const struct spike_settings *settings)
{
    uint64_t count = spike->sums[SPIKE_OCCURRENCES][SPIKE_MINUTE];
    struct spike_expected expected = spike_expect(spike, SPIKE_OCCURRENCES, SPIKE_MINUTE, settings->factor);
    return (double)count <= expected.mean ||
           tail_negative_binomial(count, expected.mean, expected.shape) > log(calm_probability);
}

/* How much of its bucket lies behind its first occurrence. */
static double share_behind_first(const struct spike *spike, int64_t bucket)
{
    return 1 - spike->first_ms[spike_slot(bucket)] / (1000.0 * SPIKE_BUCKET_SECONDS);
}

/* The likeliest start among all first occurrences of a bucket. */
int64_t spike_run_start(const struct spike *spike, const struct spike_finding *finding)
{
    double usual = finding->baseline * minutes_of_bucket;
    double found = finding->rate * minutes_of_bucket;
    double gain = log(found / usual);
    double likelihood = 0;
    double best = -INFINITY;
    int64_t start = spike->bucket;
    for (int64_t bucket = spike->bucket; bucket > spike->bucket - SPIKE_BUCKETS; bucket--) {
        uint32_t count = spike->counts[spike_slot(bucket)];
        if (bucket < spike->learn_from)
            break;
        double begun = likelihood + count * gain - (found - usual) * share_behind_first(spike, bucket);
        likelihood += count * gain - (found - usual);
        if (count == 0 || begun <= best)
            continue;
        best = begun;
        start = bucket;
    }
    return start;
}
