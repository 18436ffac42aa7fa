/* SPDX-License-Identifier: PostgreSQL */
/* Learns what is usual, bucket by bucket; spike_find.c holds what there is now against it. */
#include "spike_usual.h"

#include <assert.h>
#include <math.h>

enum {
    HOUR_SECONDS = 3600,
    BUCKETS_OF_HOUR = HOUR_SECONDS / SPIKE_BUCKET_SECONDS,
    BUCKETS_OF_DAY = 24 * BUCKETS_OF_HOUR,
    SILENCE_STEP = 60,   /* buckets: the memory that rare things have changes with them */
    IDLE_DAYS_MOST = 14, /* a longer silence teaches no more */
};

/* Of dispersions, in windows, or in occurrences where windows have less than one: a day and a half at least,
 * so that a quiet hour does not make the tests forget what the others are like. */
static const double dispersion_memories[SPIKE_WINDOW_COUNT] = { 8640, 2160, 500, 500 };

static const double memory_least = 60;      /* minutes */
static const double memory_most = 7 * 1440; /* minutes */
static const double memory_occurrences = 30;
static const double prior_sum = 0.5; /* Jeffreys' prior of a rate */
static const double prior_weight = 20;
static const double day_memory = 0.8; /* what an hour of yesterday weighs */
static const double hour_prior = 120; /* minutes at the level of now, for an hour of the day */
static const double hour_known = 30;  /* minutes of it: fewer teach nothing of the day */

struct spike_settings spike_settings_default(void)
{
    return (struct spike_settings){
        .false_alarms = 0.01, .factor = 1.3, .burstiness = 1.2, .least = 5, .learn_minutes = 60
    };
}

/* ---- what is usual ---- */

double spike_level_rate(const struct spike_level *level)
{
    return (level->sum + prior_sum) / fmax(level->minutes, memory_least / 60);
}

/* Adds `buckets` with `count` in all; what is known fades with a memory that rare things have longer. */
static void level_add(struct spike_level *level, double buckets, double count)
{
    double memory = fmin(fmax(memory_occurrences / spike_level_rate(level), memory_least), memory_most);
    double fading = expm1(-buckets * minutes_of_bucket / memory);
    level->sum += level->sum * fading + count;
    level->minutes += level->minutes * fading - memory * fading;
}

static double hour_rate(const struct spike_hour *hour, double level)
{
    return hour->minutes < hour_known ? level
                                      : (hour->sum + level * hour_prior) / (hour->minutes + hour_prior);
}

/* What the rate is to be multiplied by at this time of the day. */
static double season(const struct spike *spike)
{
    double level = spike_level_rate(&spike->levels[SPIKE_OCCURRENCES]);
    double most = level;
    for (int64_t step = -1; step <= 1; step++) {
        uint64_t hour = (uint64_t)(spike->hour_number + step + SPIKE_HOURS) % SPIKE_HOURS;
        most = fmax(most, hour_rate(&spike->hours[hour], level));
    }
    return most / level;
}

double spike_baseline(const struct spike *spike)
{
    return spike_level_rate(&spike->levels[SPIKE_OCCURRENCES]) * season(spike);
}

static void hour_close(struct spike *spike)
{
    struct spike_hour *slot = &spike->hours[(uint64_t)spike->hour_number % SPIKE_HOURS];
    /* An hour of which little was learned leaves what is known of it. */
    double kept = 1 - (1 - day_memory) * spike->hour.minutes / 60;
    slot->sum = (float)(slot->sum * kept) + spike->hour.sum;
    slot->minutes = (float)(slot->minutes * kept) + spike->hour.minutes;
    spike->hour = (struct spike_hour){ 0 };
}

static void hour_add(struct spike *spike, int64_t number, double buckets, double count)
{
    if (number != spike->hour_number)
        hour_close(spike);
    spike->hour_number = number;
    spike->hour.sum += (float)count;
    spike->hour.minutes += (float)(buckets * minutes_of_bucket);
}

/* ---- how far counts scatter ---- */

/* What lies below what was foretold weighs as much as was to be expected and no more: a quiet night does not
 * make the tests blunt. */
static void dispersion_learn(struct spike_dispersion *dispersion, double count, double mean, double memory)
{
    double scale = 1 / fmax(mean, 1);
    double kept = 1 - fmin(count * scale, memory) / memory;
    double square = (count - mean) * (count - mean);
    double squares = dispersion->squares;
    if (count < mean)
        square = fmin(square, squares / dispersion->weight * count);
    dispersion->squares = (float)(squares * kept + square * scale);
    dispersion->weight = (float)(dispersion->weight * kept + count * scale);
}

/* The variance in relation to Poisson's, less 1. The first factor makes good what the bound above takes away
 * where counts are large and lie below the mean half of the time; the second is for how little was seen. */
static double dispersion_excess(const struct spike_dispersion *dispersion, double mean)
{
    double whole = dispersion->squares / dispersion->weight * (1 + 0.42 * mean / (1 + mean));
    return fmax(0, whole - 1) * (1 + 2 / sqrt((double)dispersion->weight));
}

static double level_mean(const struct spike *spike, enum spike_series series, enum spike_window window)
{
    return spike_level_rate(&spike->levels[series]) * season(spike) * spike_lengths[window] *
           minutes_of_bucket;
}

struct spike_expected spike_expect(const struct spike *spike, enum spike_series series,
                                   enum spike_window window, double factor)
{
    double mean = factor * level_mean(spike, series, window);
    double excess = dispersion_excess(&spike->dispersions[series][window], mean) +
                    mean / (spike->levels[series].sum + prior_sum);
    return (struct spike_expected){ mean, mean / excess };
}

/* ---- going on ---- */

static uint32_t value_of(const struct spike *spike, enum spike_series series, int64_t bucket)
{
    uint32_t count = spike->counts[spike_slot(bucket)];
    return series == SPIKE_OCCURRENCES ? count : count > 0;
}

static uint64_t count_between(const struct spike *spike, enum spike_series series, int64_t first,
                              int64_t last)
{
    uint64_t sum = 0;
    for (int64_t bucket = first; bucket <= last; bucket++)
        sum += value_of(spike, series, bucket);
    return sum;
}

uint64_t spike_count_since(const struct spike *spike, enum spike_series series, int64_t from)
{
    int64_t oldest = spike->bucket - SPIKE_BUCKETS + 1;
    return count_between(spike, series, from > oldest ? from : oldest, spike->bucket);
}

static bool is_held(const struct spike *spike, int64_t bucket)
{
    return bucket < spike->learn_from || bucket >= spike->held_from;
}

/* Learns how far a window was from what was foretold, that of which begins with bucket `first`. */
static void learn_window(struct spike *spike, enum spike_window window, int64_t first)
{
    int64_t last = first + spike_lengths[window] - 1;
    if (is_held(spike, first) || is_held(spike, last))
        return;
    for (enum spike_series series = 0; series < SPIKE_SERIES_COUNT; series++) {
        uint64_t count = count_between(spike, series, first, last);
        if (count > 0)
            dispersion_learn(&spike->dispersions[series][window], (double)count,
                             level_mean(spike, series, window), dispersion_memories[window]);
    }
}

/* Learns `buckets` from `first` on, all within an hour: one of them, or silent ones. */
static void learn_buckets(struct spike *spike, int64_t first, int64_t buckets, uint32_t count,
                          int64_t offset_seconds)
{
    if (is_held(spike, first))
        return;
    level_add(&spike->levels[SPIKE_OCCURRENCES], (double)buckets, count);
    level_add(&spike->levels[SPIKE_ACTIVE_BUCKETS], (double)buckets, count > 0);
    hour_add(spike, (first * SPIKE_BUCKET_SECONDS + offset_seconds) / HOUR_SECONDS, (double)buckets, count);
}

static void close_bucket(struct spike *spike, int64_t offset_seconds)
{
    int64_t old = spike->bucket - SPIKE_LAG + 1;
    for (enum spike_window window = 0; window < SPIKE_WINDOW_COUNT; window++) {
        if (old % spike_lengths[window] == 0)
            learn_window(spike, window, old);
        for (enum spike_series series = 0; series < SPIKE_SERIES_COUNT; series++)
            spike->sums[series][window] -= value_of(spike, series, spike->bucket - spike_lengths[window] + 1);
    }
    learn_buckets(spike, old, 1, spike->counts[spike_slot(old)], offset_seconds);
    spike->bucket++;
    spike->counts[spike_slot(spike->bucket)] = 0;
}

/* Goes on at once over buckets in which, as in all of the ring, there was nothing. */
static void pass_silence(struct spike *spike, int64_t bucket, int64_t offset_seconds)
{
    if (bucket - spike->bucket > (int64_t)IDLE_DAYS_MOST * BUCKETS_OF_DAY)
        spike->bucket = bucket - (int64_t)IDLE_DAYS_MOST * BUCKETS_OF_DAY;
    while (spike->bucket < bucket) {
        int64_t first = spike->bucket - SPIKE_LAG + 1;
        int64_t second = first * SPIKE_BUCKET_SECONDS + offset_seconds;
        int64_t left_seconds = HOUR_SECONDS - second % HOUR_SECONDS;
        int64_t buckets = (left_seconds + SPIKE_BUCKET_SECONDS - 1) / SPIKE_BUCKET_SECONDS;
        if (buckets > SILENCE_STEP)
            buckets = SILENCE_STEP;
        if (buckets > bucket - spike->bucket)
            buckets = bucket - spike->bucket;
        learn_buckets(spike, first, buckets, 0, offset_seconds);
        spike->bucket += buckets;
    }
}

void spike_init(struct spike *spike, const struct spike_settings *settings, int64_t bucket,
                double silent_minutes)
{
    double missing = fmax(0, settings->learn_minutes - silent_minutes);
    *spike = (struct spike){ .bucket = bucket,
                             .test_from = bucket + (int64_t)(missing * SPIKE_BUCKETS_OF_MINUTE),
                             .learn_from = bucket,
                             .held_from = INT64_MAX };
    for (enum spike_series series = 0; series < SPIKE_SERIES_COUNT; series++) {
        spike->levels[series].minutes = fmin(fmax(silent_minutes, 0), memory_most);
        for (enum spike_window window = 0; window < SPIKE_WINDOW_COUNT; window++)
            spike->dispersions[series][window] =
                (struct spike_dispersion){ (float)(settings->burstiness * prior_weight),
                                           (float)prior_weight };
    }
}

void spike_advance(struct spike *spike, int64_t bucket, int64_t offset_seconds)
{
    assert(bucket >= spike->bucket);
    for (int i = 0; i < SPIKE_BUCKETS && spike->bucket < bucket; i++)
        close_bucket(spike, offset_seconds);
    pass_silence(spike, bucket, offset_seconds);
}

void spike_add(struct spike *spike, uint64_t count, uint32_t ms)
{
    uint16_t *counted = &spike->counts[spike_slot(spike->bucket)];
    uint64_t room = UINT16_MAX - (uint64_t)*counted;
    uint16_t added = (uint16_t)(count < room ? count : room);
    bool is_first = *counted == 0 && added > 0;
    if (is_first)
        spike->first_ms[spike_slot(spike->bucket)] = (uint16_t)ms;
    *counted = (uint16_t)(*counted + added);
    for (enum spike_window window = 0; window < SPIKE_WINDOW_COUNT; window++) {
        spike->sums[SPIKE_OCCURRENCES][window] += added;
        spike->sums[SPIKE_ACTIVE_BUCKETS][window] += is_first;
    }
}

/* ---- spikes teach little ---- */

void spike_hold(struct spike *spike, int64_t from)
{
    spike->held_from = from;
}

void spike_release(struct spike *spike)
{
    spike->held_from = INT64_MAX;
    spike->learn_from = spike->bucket;
}

void spike_learn_burst(struct spike *spike, uint64_t count, uint64_t active_buckets)
{
    for (enum spike_window window = 0; window < SPIKE_WINDOW_COUNT; window++) {
        dispersion_learn(&spike->dispersions[SPIKE_OCCURRENCES][window], (double)count,
                         level_mean(spike, SPIKE_OCCURRENCES, window), dispersion_memories[window]);
        dispersion_learn(&spike->dispersions[SPIKE_ACTIVE_BUCKETS][window], (double)active_buckets,
                         level_mean(spike, SPIKE_ACTIVE_BUCKETS, window), dispersion_memories[window]);
    }
}

void spike_adopt(struct spike *spike)
{
    double fraction = memory_least / (spike_lengths[SPIKE_MINUTES] * minutes_of_bucket);
    for (enum spike_series series = 0; series < SPIKE_SERIES_COUNT; series++) {
        double count = (double)spike->sums[series][SPIKE_MINUTES];
        spike->levels[series] = (struct spike_level){ count * fraction, memory_least };
    }
}

void spike_learn_minute(struct spike *spike, int64_t bucket, int64_t offset_seconds, uint64_t count)
{
    uint64_t share = count / SPIKE_BUCKETS_OF_MINUTE;
    uint64_t more = count % SPIKE_BUCKETS_OF_MINUTE; /* buckets that get one more, evenly placed */
    for (uint64_t i = 0; i < SPIKE_BUCKETS_OF_MINUTE; i++) {
        spike_advance(spike, bucket + (int64_t)i, offset_seconds);
        spike_add(spike, share + (i * more % SPIKE_BUCKETS_OF_MINUTE < more), 0);
    }
    spike_advance(spike, bucket + SPIKE_BUCKETS_OF_MINUTE, offset_seconds);
    /* Within the minute nothing is known: what comes in bursts may have come at once. */
    for (enum spike_series series = 0; series < SPIKE_SERIES_COUNT; series++)
        spike->dispersions[series][SPIKE_SECONDS] = spike->dispersions[series][SPIKE_MINUTE];
}
