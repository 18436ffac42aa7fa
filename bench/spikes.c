/* SPDX-License-Identifier: PostgreSQL */
/* What the watch for incidents is worth at its defaults: false alarms in 30 days of traffic in which nothing
 * happens, and how long a spike lasts until it is told; see README.md. The same seed gives the same figures.
 *
 * usage: bench_spikes [--json] [--seed N] [--months N] [--trials N]
 *
 *   --months N   watched for each kind of traffic, at the higher rates a tenth of it (default 300)
 *   --trials N   for each spike, at the higher rates a tenth of it (default 200) */
#include "observe/incident.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    SECOND_US = 1000000,
    MINUTE_SECONDS = 60,
    AHEAD_SECONDS = 256, /* how far a burst may reach */
    DAY_MINUTES = 1440,
    WEEK_MINUTES = 7 * DAY_MINUTES,
    MONTH_MINUTES = 30 * DAY_MINUTES,
    SPIKE_MINUTES_MOST = 60,
    TRIALS_MOST = 10000,
};

static const int64_t begin_us = INT64_C(1767225600) * SECOND_US; /* 2026-01-01 */
static const double pi = 3.14159265358979323846;
static const double burst_mean = 5;
static const double burst_gap_seconds = 0.5;
static const double daily_swing = 0.8;
static const double wander_minutes = 30;
static const double wander_deviation = 0.4;

/* ---- chance ---- */

static uint64_t draw(uint64_t *seed) /* splitmix64 */
{
    uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static double draw_uniform(uint64_t *seed) /* above 0, below 1 */
{
    return ((double)(draw(seed) >> 11) + 0.5) / 9007199254740992.0;
}

static double draw_exponential(uint64_t *seed)
{
    return -log(draw_uniform(seed));
}

static double draw_normal(uint64_t *seed)
{
    return sqrt(2 * draw_exponential(seed)) * cos(2 * pi * draw_uniform(seed));
}

static unsigned draw_poisson(uint64_t *seed, double mean)
{
    unsigned count = 0;
    for (; mean > 20; mean -= 20)
        count += draw_poisson(seed, 20);
    double left = exp(-mean);
    for (double product = draw_uniform(seed); product > left; product *= draw_uniform(seed))
        count++;
    return count;
}

/* ---- traffic ---- */

enum traffic_kind { TRAFFIC_POISSON, TRAFFIC_DISPERSED, TRAFFIC_DAILY, TRAFFIC_BURSTY, TRAFFIC_WANDERING };

static const struct {
    const char *name;
    const char *about;
} kinds[] = {
    [TRAFFIC_POISSON] = { "poisson", "independent occurrences at a constant rate" },
    [TRAFFIC_DISPERSED] = { "dispersed", "each minute a rate of its own, gamma with shape 2" },
    [TRAFFIC_DAILY] = { "daily", "a sine over the day, from 0.2 to 1.8 of the rate" },
    [TRAFFIC_BURSTY] = { "bursty", "bursts of a geometric size, 5 in the mean, 0.5 s apart" },
    [TRAFFIC_WANDERING] = { "wandering", "the logarithm of the rate wanders by 0.4, for half an hour" },
};

enum { KIND_COUNT = sizeof kinds / sizeof kinds[0] };

struct traffic {
    enum traffic_kind kind;
    double rate;  /* a minute, in the mean */
    double extra; /* of a spike, a minute */
    double wander;
    uint64_t seed;
    int64_t second;                /* since the beginning: the next to be fed */
    unsigned ahead[AHEAD_SECONDS]; /* what is to come, by second */
};

static double traffic_rate(struct traffic *traffic)
{
    double minute = (double)(traffic->second / MINUTE_SECONDS);
    double memory = exp(-1 / wander_minutes);
    switch (traffic->kind) {
    case TRAFFIC_DISPERSED:
        return traffic->rate * (draw_exponential(&traffic->seed) + draw_exponential(&traffic->seed)) / 2;
    case TRAFFIC_DAILY:
        return traffic->rate * (1 + daily_swing * sin(2 * pi * minute / DAY_MINUTES));
    case TRAFFIC_BURSTY:
        return traffic->rate / burst_mean;
    case TRAFFIC_WANDERING:
        traffic->wander = traffic->wander * memory +
                          sqrt(1 - memory * memory) * wander_deviation * draw_normal(&traffic->seed);
        return traffic->rate * exp(traffic->wander - wander_deviation * wander_deviation / 2);
    default:
        return traffic->rate;
    }
}

static void traffic_put(struct traffic *traffic, double second)
{
    traffic->ahead[(traffic->second + (int64_t)second) % AHEAD_SECONDS]++;
}

static void traffic_put_burst(struct traffic *traffic, double second)
{
    do {
        traffic_put(traffic, second);
        second += burst_gap_seconds * draw_exponential(&traffic->seed);
    } while (draw_uniform(&traffic->seed) > 1 / burst_mean && second < AHEAD_SECONDS);
}

/* To the end of the minute. */
static void traffic_plan_spike(struct traffic *traffic)
{
    double seconds = MINUTE_SECONDS - (double)(traffic->second % MINUTE_SECONDS);
    unsigned count = draw_poisson(&traffic->seed, traffic->extra * seconds / MINUTE_SECONDS);
    for (unsigned i = 0; i < count; i++)
        traffic_put(traffic, seconds * draw_uniform(&traffic->seed));
}

static void traffic_plan_minute(struct traffic *traffic)
{
    unsigned usual = draw_poisson(&traffic->seed, traffic_rate(traffic));
    for (unsigned i = 0; i < usual; i++) {
        double second = MINUTE_SECONDS * draw_uniform(&traffic->seed);
        if (traffic->kind == TRAFFIC_BURSTY)
            traffic_put_burst(traffic, second);
        else
            traffic_put(traffic, second);
    }
    traffic_plan_spike(traffic);
}

/* ---- watching ---- */

static const struct incident_key key = {
    .service = "shop", .schema = "public", .table = "orders", .name = "orders_status_check"
};

struct heard {
    uint64_t firsts;
    uint64_t spikes;
    uint64_t ended;
    int64_t told_us; /* the first spike */
};

static void on_news(void *owner, enum incident_news news, const struct incident *incident)
{
    struct heard *heard = owner;
    bool is_spike = incident->state == INCIDENT_SPIKE;
    heard->ended += news == INCIDENT_ENDED && is_spike;
    if (news == INCIDENT_STARTED && incident->is_first)
        heard->firsts++;
    else if (news == INCIDENT_STARTED || (news == INCIDENT_GREW && is_spike && incident->is_first))
        heard->spikes++;
    if (news != INCIDENT_ENDED && heard->told_us == 0)
        heard->told_us = incident->detected_us;
}

struct run {
    struct incident_watch watch;
    struct traffic traffic;
    struct heard heard;
};

static void run_begin(struct run *run, enum traffic_kind kind, double rate, uint64_t seed)
{
    static const struct hash_key hash_key = { { 1, 2 } };
    struct incident_settings settings = incident_settings_default();
    *run = (struct run){ .traffic = { .kind = kind, .rate = rate, .seed = seed } };
    incident_watch_init(&run->watch, &settings, &hash_key, begin_us, on_news, &run->heard);
}

static void run_minutes(struct run *run, int64_t minutes)
{
    struct traffic *traffic = &run->traffic;
    for (int64_t end = traffic->second + minutes * MINUTE_SECONDS; traffic->second < end;) {
        if (traffic->second % MINUTE_SECONDS == 0)
            traffic_plan_minute(traffic);
        int64_t now_us = begin_us + traffic->second * SECOND_US;
        unsigned *count = &traffic->ahead[traffic->second % AHEAD_SECONDS];
        if (*count > 0)
            (void)incident_watch_feed(&run->watch, &key, now_us, *count);
        else if (traffic->second % 10 == 0)
            incident_watch_tick(&run->watch, now_us);
        *count = 0;
        traffic->second++;
    }
}

/* ---- false alarms ---- */

static const double rates[] = { 0.001, 0.01, 0.1, 1, 10, 100, 1000 };

enum { RATE_COUNT = sizeof rates / sizeof rates[0], EXPENSIVE = 10 };

struct options {
    bool is_json;
    uint64_t seed;
    int months;
    int trials;
};

struct quiet_result {
    int months;
    uint64_t first_week;
    uint64_t spikes;
};

static struct quiet_result watch_nothing(enum traffic_kind kind, double rate, const struct options *options)
{
    enum { MONTHS_OF_RUN = 2 };
    struct quiet_result result = { 0 };
    int months = rate > EXPENSIVE ? (options->months + 9) / 10 : options->months;
    for (uint64_t seed = options->seed << 20; result.months < months; seed++) {
        struct run run;
        run_begin(&run, kind, rate, seed);
        run_minutes(&run, WEEK_MINUTES);
        result.first_week += run.heard.spikes;
        run.heard.spikes = 0;
        run_minutes(&run, (int64_t)MONTHS_OF_RUN * MONTH_MINUTES);
        result.spikes += run.heard.spikes;
        result.months += MONTHS_OF_RUN;
        incident_watch_release(&run.watch);
    }
    return result;
}

static void report_nothing(const struct options *options)
{
    if (options->is_json)
        printf("{\"seed\": %llu, \"false_alarms\": [", (unsigned long long)options->seed);
    else
        printf("%-10s %9s %7s %6s %9s %15s\n", "traffic", "a minute", "months", "told", "a month",
               "in first weeks");
    for (int i = 0; i < KIND_COUNT * RATE_COUNT; i++) {
        enum traffic_kind kind = (enum traffic_kind)(i / RATE_COUNT);
        double rate = rates[i % RATE_COUNT];
        struct quiet_result result = watch_nothing(kind, rate, options);
        double a_month = (double)result.spikes / result.months;
        if (options->is_json)
            printf("%s\n {\"traffic\": \"%s\", \"rate\": %g, \"months\": %d, \"told\": %llu, "
                   "\"first_weeks\": %llu}",
                   i > 0 ? "," : "", kinds[kind].name, rate, result.months, (unsigned long long)result.spikes,
                   (unsigned long long)result.first_week);
        else
            printf("%-10s %9g %7d %6llu %9.4f %15llu\n", kinds[kind].name, rate, result.months,
                   (unsigned long long)result.spikes, a_month, (unsigned long long)result.first_week);
        (void)fflush(stdout);
    }
}

/* ---- detection ---- */

static const struct spike_case {
    enum traffic_kind kind;
    double rate;  /* usual, a minute; 0: one occurrence a week ago */
    double extra; /* of the spike, a minute */
    bool is_new;  /* not even that one */
} cases[] = {
    { TRAFFIC_POISSON, 0, 1, true },         { TRAFFIC_POISSON, 0, 5, true },
    { TRAFFIC_POISSON, 0, 40, true },        { TRAFFIC_POISSON, 0, 1, false },
    { TRAFFIC_POISSON, 0, 5, false },        { TRAFFIC_POISSON, 0, 40, false },
    { TRAFFIC_POISSON, 0.1, 0.1, false },    { TRAFFIC_POISSON, 0.1, 0.4, false },
    { TRAFFIC_POISSON, 0.1, 1.9, false },    { TRAFFIC_POISSON, 1, 1, false },
    { TRAFFIC_POISSON, 1, 4, false },        { TRAFFIC_POISSON, 1, 19, false },
    { TRAFFIC_POISSON, 10, 10, false },      { TRAFFIC_POISSON, 10, 40, false },
    { TRAFFIC_POISSON, 10, 190, false },     { TRAFFIC_POISSON, 100, 100, false },
    { TRAFFIC_POISSON, 100, 400, false },    { TRAFFIC_POISSON, 100, 1900, false },
    { TRAFFIC_POISSON, 1000, 1000, false },  { TRAFFIC_POISSON, 1000, 4000, false },
    { TRAFFIC_POISSON, 1000, 19000, false }, { TRAFFIC_DISPERSED, 10, 40, false },
    { TRAFFIC_DISPERSED, 10, 190, false },   { TRAFFIC_DAILY, 10, 40, false },
    { TRAFFIC_DAILY, 10, 190, false },       { TRAFFIC_BURSTY, 10, 40, false },
    { TRAFFIC_BURSTY, 10, 190, false },      { TRAFFIC_BURSTY, 0.01, 40, false },
    { TRAFFIC_WANDERING, 10, 40, false },    { TRAFFIC_WANDERING, 10, 190, false },
};

enum { CASE_COUNT = sizeof cases / sizeof cases[0] };

/* Seconds from the beginning of the spike until it was told, as a first occurrence or as a spike; INFINITY
 * when it was not within an hour. The spike begins at a chance second of its minute. */
static double detect_once(const struct spike_case *spike_case, uint64_t seed)
{
    struct run run;
    uint64_t chance = seed ^ 1;
    run_begin(&run, spike_case->kind, spike_case->rate, seed);
    if (spike_case->rate <= 0 && !spike_case->is_new)
        (void)incident_watch_feed(&run.watch, &key, begin_us, 1);
    run.traffic.second = (int64_t)(MINUTE_SECONDS * draw_uniform(&chance));
    run_minutes(&run, WEEK_MINUTES + (int64_t)(DAY_MINUTES * draw_uniform(&chance)));
    run.heard = (struct heard){ 0 };
    run.traffic.extra = spike_case->extra;
    int64_t start_us = begin_us + run.traffic.second * SECOND_US;
    traffic_plan_spike(&run.traffic);
    for (int minute = 0; minute < SPIKE_MINUTES_MOST && run.heard.told_us == 0; minute++)
        run_minutes(&run, 1);
    double delay = run.heard.told_us == 0 ? INFINITY : (double)(run.heard.told_us - start_us) / SECOND_US;
    incident_watch_release(&run.watch);
    return delay;
}

static int compare_delays(const void *left, const void *right)
{
    const double *a = left;
    const double *b = right;
    return (*a > *b) - (*a < *b);
}

static void report_case(const struct options *options, size_t at)
{
    const struct spike_case *spike_case = &cases[at];
    double delays[TRIALS_MOST];
    int found = 0;
    int trials = spike_case->rate > EXPENSIVE ? (options->trials + 9) / 10 : options->trials;
    for (int i = 0; i < trials; i++) {
        delays[i] = detect_once(spike_case, (options->seed << 40) + ((uint64_t)at << 20) + (uint64_t)i);
        found += isfinite(delays[i]) ? 1 : 0;
    }
    qsort(delays, (size_t)trials, sizeof delays[0], compare_delays);
    double median = delays[trials / 2];
    double late = delays[trials * 95 / 100];
    const char *name = spike_case->is_new      ? "new"
                       : spike_case->rate <= 0 ? "known"
                                               : kinds[spike_case->kind].name;
    if (options->is_json)
        printf("%s\n {\"traffic\": \"%s\", \"rate\": %g, \"extra\": %g, \"trials\": %d, \"found\": %d, "
               "\"median_s\": %.0f, \"p95_s\": %.0f}",
               at > 0 ? "," : "", name, spike_case->rate, spike_case->extra, trials, found,
               isfinite(median) ? median : -1, isfinite(late) ? late : -1);
    else
        printf("%-10s %9g %9g %7d %8.3f %9.0f %9.0f\n", name, spike_case->rate,
               spike_case->rate + spike_case->extra, trials, (double)found / trials, median, late);
    (void)fflush(stdout);
}

static void report_detection(const struct options *options)
{
    if (options->is_json)
        printf("],\n\"detection\": [");
    else
        printf("\n%-10s %9s %9s %7s %8s %9s %9s\n", "traffic", "a minute", "in spike", "trials", "found",
               "median s", "p95 s");
    for (size_t i = 0; i < CASE_COUNT; i++)
        report_case(options, i);
    if (options->is_json)
        printf("]}\n");
}

static struct options read_options(int count, char **words)
{
    static const struct option known[] = { { "json", no_argument, NULL, 'j' },
                                           { "seed", required_argument, NULL, 's' },
                                           { "months", required_argument, NULL, 'm' },
                                           { "trials", required_argument, NULL, 't' },
                                           { NULL, 0, NULL, 0 } };
    struct options options = { .seed = 1, .months = 300, .trials = 200 };
    for (int found; (found = getopt_long(count, words, "", known, NULL)) != -1;) {
        if (found == 'j')
            options.is_json = true;
        else if (found == 's')
            options.seed = strtoull(optarg, NULL, 10);
        else if (found == 'm')
            options.months = (int)strtol(optarg, NULL, 10);
        else if (found == 't')
            options.trials = (int)strtol(optarg, NULL, 10);
        else
            exit(2);
    }
    if (options.months < 1 || options.trials < 1 || options.trials > TRIALS_MOST)
        exit(2);
    return options;
}

int main(int count, char **words)
{
    struct options options = read_options(count, words);
    report_nothing(&options);
    report_detection(&options);
    return 0;
}
