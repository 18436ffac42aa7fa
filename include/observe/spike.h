/* SPDX-License-Identifier: PostgreSQL */
#ifndef OBSERVE_SPIKE_H
#define OBSERVE_SPIKE_H

#include "base/attributes.h"

#include <stdbool.h>
#include <stdint.h>

/* Tells whether one thing that is counted happens more often than usual.
 *
 * Time is a row of buckets of five seconds. Three windows that end in the current bucket are held against
 * what was usual: 15 seconds, a minute and five minutes; in each both the occurrences and the buckets in
 * which there was any (so that what lasts is told from one burst). Usual is
 *   - a rate: what is known of it is a gamma distribution (occurrences seen, minutes looked), which forgets
 * with a memory of an hour, or of as much as 30 occurrences need, up to a week; where the same hour (UTC) of
 *     earlier days, or the one next to it, was busier, that rate counts;
 *   - a dispersion: the variance of the counts in windows of that length in relation to Poisson's, learned
 * from how far the counts were above what the rate had foretold. The count of a window then has a negative
 * binomial distribution (Poisson's where nothing is dispersed and the rate well known). It is a spike when a
 * rate `factor` times as high would give it with a probability below a threshold that comes from the number
 * of false alarms that are put up with.
 *
 * The baseline learns a bucket only when it is half an hour old, and none of a spike (held). */

struct spike_settings {
    /* False alarms to put up with, of one key in 30 days. All tests of the month share it as if each were a
     * draw of its own, so that the true number lies below while the traffic is like its past. Above 0. */
    double false_alarms;
    double factor;     /* a rate up to so many times the baseline is no spike, however sure; at least 1 */
    double burstiness; /* the dispersion of what is not yet known; at least 1 (Poisson) */
    uint32_t least;    /* fewer occurrences in the window are no spike */
    uint32_t learn_minutes; /* watched at least so long before anything is a spike */
};

/* 0.01 false alarms a key in 30 days, factor 1.3, burstiness 1.2, at least 5, an hour. */
struct spike_settings spike_settings_default(void);

enum { SPIKE_BUCKET_SECONDS = 5, SPIKE_BUCKETS = 384, SPIKE_HOURS = 24, SPIKE_BUCKETS_OF_MINUTE = 12 };

enum spike_window { SPIKE_SECONDS, SPIKE_MINUTE, SPIKE_MINUTES, SPIKE_HALF_HOUR, SPIKE_WINDOW_COUNT };
enum spike_series { SPIKE_OCCURRENCES, SPIKE_ACTIVE_BUCKETS, SPIKE_SERIES_COUNT };

/* How many, in how many minutes. */
struct spike_level {
    double sum;
    double minutes;
};

/* Weighted sums: of squared distances from what was foretold, and of what they are held against. */
struct spike_dispersion {
    float squares;
    float weight;
};

struct spike_hour {
    float sum;
    float minutes;
};

/* What is known of one key: about 2 KB. */
struct spike {
    uint16_t counts[SPIKE_BUCKETS];   /* a ring, by number of the bucket; more than fit are not counted */
    uint16_t first_ms[SPIKE_BUCKETS]; /* when in its bucket the first occurrence was */
    uint32_t sums[SPIKE_SERIES_COUNT][SPIKE_WINDOW_COUNT]; /* of the windows that end now */
    int64_t bucket;                                        /* the current one */
    int64_t test_from;   /* nothing before is a spike: too little is known */
    int64_t learn_from;  /* what lies before is not learned (any more) */
    int64_t held_from;   /* a spike's first bucket, INT64_MAX outside of one */
    int64_t hour_number; /* the hour that `hour` gathers, since 1970 */
    struct spike_level levels[SPIKE_SERIES_COUNT];
    struct spike_dispersion dispersions[SPIKE_SERIES_COUNT][SPIKE_WINDOW_COUNT];
    struct spike_hour hour;
    struct spike_hour hours[SPIKE_HOURS];
};

/* What a test found. */
struct spike_finding {
    double
        log_probability; /* ln of the probability of such a count, at a rate `factor` times the usual one */
    double rate;         /* in the window, a minute */
    double baseline;     /* usual, a minute */
};

/* Begins at `bucket` with what never happened in the `silent_minutes` before. */
void spike_init(struct spike *spike, const struct spike_settings *settings, int64_t bucket,
                double silent_minutes);
/* Goes on to `bucket`, at least the current one; buckets between without occurrences were silent.
 * `offset_seconds` is added to bucket * SPIKE_BUCKET_SECONDS for seconds since 1970. */
void spike_advance(struct spike *spike, int64_t bucket, int64_t offset_seconds);
/* Counts in the current bucket, at `ms` milliseconds of it. */
void spike_add(struct spike *spike, uint64_t count, uint32_t ms);
/* Whether there is a spike now, and the least probable finding (only then). */
MUST_USE bool spike_test(const struct spike *spike, const struct spike_settings *settings,
                         struct spike_finding *finding);
/* Whether the last minute is nothing unusual: of windows like it one of a hundred has as many. */
MUST_USE bool spike_is_calm(const struct spike *spike, const struct spike_settings *settings);
/* The bucket in which the run behind a finding began: the most likely place of a change from the baseline to
 * the rate found. There was an occurrence in it. */
int64_t spike_run_start(const struct spike *spike, const struct spike_finding *finding);
/* Occurrences, or active buckets, from bucket `from` on, as far back as the ring goes. */
uint64_t spike_count_since(const struct spike *spike, enum spike_series series, int64_t from);
/* The usual rate now, a minute. */
double spike_baseline(const struct spike *spike);
/* Nothing from bucket `from` on is learned, until spike_release says that what follows it may be again. */
void spike_hold(struct spike *spike, int64_t from);
void spike_release(struct spike *spike);
/* Learns that there are bursts of this kind: for a spike that was over within a minute. */
void spike_learn_burst(struct spike *spike, uint64_t count, uint64_t active_buckets);
/* The rate of the last five minutes becomes the baseline. */
void spike_adopt(struct spike *spike);
/* Learns a whole minute of the past, the first bucket of which is the current one or a later one: the
 * occurrences count as spread over it. Goes on to the bucket behind that minute. */
void spike_learn_minute(struct spike *spike, int64_t bucket, int64_t offset_seconds, uint64_t count);

#endif
