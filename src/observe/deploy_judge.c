/* SPDX-License-Identifier: PostgreSQL */
#include "deploy_judge.h"

#include "base/text.h"
#include "observe/tail.h"

#include <math.h>

static const double minute_us = 60e6;
static const double calls_enough = 100;      /* for a time of 95 of 100 */
static const uint64_t calls_of_minute = 20;  /* the same, for that of a minute */
static const uint64_t calls_of_traffic = 20; /* of fewer before, its growth is not known */
static const uint32_t slow_least = 3;
/* Of nothing seen before: half an occurrence, as Jeffreys' prior has it. */
static const double unseen = 0.5;
static const double minutes_least = 1.0 / 6; /* of what was watched for less, a rate says nothing */

const char *deploy_outcome_name(enum deploy_outcome outcome)
{
    static const char *const names[] = {
#define VERDICT(symbol, name, about) [DEPLOY_##symbol] = (name),
#include "observe/deploy_verdicts.def"
#undef VERDICT
    };
    return names[outcome];
}

bool deploy_is_hit(const struct deploy *deploy, const struct pulse_hit *hit)
{
    if (strcmp(deploy->database, hit->database) != 0)
        return false;
    for (size_t i = 0; i < deploy->table_count; i++) {
        if (object_reference_fits(&deploy->tables[i], hit->schema, hit->name))
            return true;
    }
    return deploy->touches_all;
}

/* ---- the hour before ---- */

/* Counts by minute, oldest first. */
struct past_minutes {
    int64_t first;
    size_t count;
    size_t whole;  /* of them; the one in which the deploy began is not */
    double length; /* minutes */
    uint64_t violations[PULSE_MINUTES];
    uint64_t errors[PULSE_MINUTES];
};

static struct past_minutes past_of(const struct deploys *deploys, const struct deploy *deploy,
                                   enum deploy_moment moment)
{
    const struct pulses *pulses = &deploys->pulses;
    int64_t last = pulse_minute_of(deploy->started_us);
    int64_t since = pulse_minute_of(pulses->since_us);
    struct past_minutes past = { .first = last - PULSE_MINUTES + 1 };
    past.first = since > past.first ? since : past.first;
    past.first = pulses->whole_from > past.first ? pulses->whole_from : past.first;
    past.first = past.first < last ? past.first : last;
    past.whole = (size_t)(last - past.first);
    past.count = past.whole + (moment == DEPLOY_BEGINS ? 1 : 0);
    double to_us = moment == DEPLOY_GROWS ? (double)last * minute_us : (double)deploy->started_us;
    double from_us = fmax((double)past.first * minute_us, (double)pulses->since_us);
    past.length = fmax((to_us - from_us) / minute_us, 0);
    return past;
}

static double dispersion_of(const uint64_t *counts, size_t count, double burstiness)
{
    double sum = 0;
    double squares = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)counts[i];
    if (count < 2 || sum < 1)
        return burstiness;
    double mean = sum / (double)count;
    for (size_t i = 0; i < count; i++)
        squares += ((double)counts[i] - mean) * ((double)counts[i] - mean);
    return fmax(squares / ((double)count - 1) / mean, burstiness);
}

static const struct pulse *pulse_of(const struct deploys *deploys, const char *service, const char *database)
{
    const struct pulses *pulses = &deploys->pulses;
    for (size_t i = 0; i < pulses->pulse_count; i++) {
        const struct pulse *pulse = pulses->pulses[i];
        if (strcmp(pulse->service, service) == 0 && strcmp(pulse->database, database) == 0)
            return pulse;
    }
    return NULL;
}

static bool is_slow(const struct deploys_settings *settings, int64_t p95_us, int64_t before_us)
{
    return (double)p95_us >= settings->latency_factor * (double)before_us &&
           p95_us >= before_us + settings->latency_least_us;
}

static void measure_pulse(struct deploy_row *row, struct past_minutes *past, const struct pulse *pulse)
{
    struct pulse_sums all = { .calls = 0 };
    for (size_t i = 0; i < past->count; i++) {
        const struct pulse_sums *sums = pulse_at(pulse, past->first + (int64_t)i);
        if (sums == NULL)
            continue;
        past->errors[i] = sums->errors;
        pulse_sums_add(&all, sums);
    }
    row->before.calls = all.calls;
    row->before.errors = all.errors;
    row->before.p95_us = histogram_percentile(&all.latency, 95);
}

static void measure_slowness(struct deploy_row *row, const struct past_minutes *past,
                             const struct pulse *pulse, const struct deploys_settings *settings)
{
    for (size_t i = 0; i < past->count; i++) {
        const struct pulse_sums *sums = pulse_at(pulse, past->first + (int64_t)i);
        if (sums == NULL || histogram_count(&sums->latency) < calls_of_minute)
            continue;
        row->past.minutes++;
        row->past.slow_minutes +=
            is_slow(settings, histogram_percentile(&sums->latency, 95), row->before.p95_us) ? 1 : 0;
    }
}

static void measure_hits(struct deploy_row *row, struct past_minutes *past, const struct deploys *deploys,
                         const struct deploy *deploy)
{
    const struct pulse_hit *hit;
    for (size_t age = 0; (hit = pulses_hit(&deploys->pulses, age)) != NULL; age++) {
        int64_t at = hit->minute - past->first;
        bool is_past = at >= 0 && at < (int64_t)past->count;
        if (!is_past || strcmp(hit->service, row->service) != 0 || !deploy_is_hit(deploy, hit))
            continue;
        past->violations[at] += hit->count;
        row->before.violations += hit->count;
    }
}

void deploy_row_measure(struct deploy_row *row, const struct deploys *deploys, const struct deploy *deploy,
                        enum deploy_moment moment)
{
    const struct deploys_settings *settings = &deploys->settings;
    const struct pulse *pulse = pulse_of(deploys, row->service, deploy->database);
    struct past_minutes past = past_of(deploys, deploy, moment);
    row->before = (struct deploy_side){ .minutes = past.length };
    row->past = (struct deploy_past){ .minutes = 0 };
    measure_hits(row, &past, deploys, deploy);
    if (pulse != NULL) {
        measure_pulse(row, &past, pulse);
        measure_slowness(row, &past, pulse, settings);
    }
    row->past.violations_dispersion = dispersion_of(past.violations, past.whole, settings->burstiness);
    row->past.errors_dispersion = dispersion_of(past.errors, past.whole, settings->burstiness);
}

/* ---- since ---- */

void deploy_row_end_minute(struct deploy_row *row, const struct deploys_settings *settings, int64_t minute)
{
    if (row->minute == minute)
        return;
    if (histogram_count(&row->minute_latency) >= calls_of_minute) {
        int64_t p95_us = histogram_percentile(&row->minute_latency, 95);
        row->minutes++;
        row->slow_minutes += is_slow(settings, p95_us, row->before.p95_us) ? 1 : 0;
    }
    row->minute = minute;
    row->minute_latency = (struct histogram){ .buckets = { 0 } };
}

/* How much more is called now: what grows with the traffic is not worse. */
static double growth_of(const struct deploy_row *row)
{
    double before = (double)row->before.calls / fmax(row->before.minutes, minutes_least);
    double after = (double)row->after.calls / fmax(row->after.minutes, 1e-3);
    return row->before.calls >= calls_of_traffic ? fmax(after / before, 1) : 1;
}

struct rise {
    uint64_t before;
    uint64_t after;
    double dispersion;
};

static bool is_worse(const struct deploy_row *row, const struct deploys_settings *settings,
                     const struct rise *rise)
{
    double shape = (double)rise->before + unseen;
    double usual = shape / fmax(row->before.minutes, minutes_least);
    double mean = usual * row->after.minutes * growth_of(row) * settings->factor;
    /* the variance of counts dispersed like that, at a rate known as well as that */
    double excess = mean * (rise->dispersion - 1) + mean * mean / shape;
    if (rise->after < settings->least || !(mean > 0) || !(excess > 0))
        return false;
    return tail_negative_binomial(rise->after, mean, mean * mean / excess) < log(settings->probability);
}

static bool is_slower(const struct deploy_row *row, const struct deploys_settings *settings)
{
    bool is_known = (double)row->before.calls >= calls_enough && (double)row->after.calls >= calls_enough &&
                    row->past.minutes > 0;
    if (!is_known || row->slow_minutes < slow_least ||
        !is_slow(settings, row->after.p95_us, row->before.p95_us))
        return false;
    double share = (row->past.slow_minutes + unseen) / (row->past.minutes + 1);
    return tail_poisson(row->slow_minutes, share * row->minutes) < log(settings->probability) / 2;
}

static double rate_of(uint64_t count, double minutes)
{
    return (double)count / fmax(minutes, 1.0 / 60);
}

static void tell_rate(struct text *reason, const char *what, uint64_t before, uint64_t after,
                      const struct deploy_row *row)
{
    text_append_format(reason, "%s%s: %.2f a minute before, %.2f since", reason->size > 0 ? "; " : "", what,
                       rate_of(before, row->before.minutes), rate_of(after, row->after.minutes));
}

static void tell_worse(struct deploy_row *row, bool violations, bool errors, bool is_slow_now)
{
    struct text reason;
    text_init(&reason, row->reason, sizeof row->reason);
    if (violations)
        tell_rate(&reason, "violations", row->before.violations, row->after.violations, row);
    if (violations && row->constraint[0] != '\0')
        text_append_format(&reason, ", last of %s", row->constraint);
    if (errors)
        tell_rate(&reason, "errors", row->before.errors, row->after.errors, row);
    if (!is_slow_now)
        return;
    text_append_string(&reason, reason.size > 0 ? "; p95: " : "p95: ");
    text_append_duration(&reason, row->before.p95_us);
    text_append_string(&reason, " before, ");
    text_append_duration(&reason, row->after.p95_us);
    text_append_string(&reason, " since");
}

static bool find_worse(struct deploy_row *row, const struct deploys_settings *settings)
{
    struct rise violations = { row->before.violations, row->after.violations,
                               row->past.violations_dispersion };
    struct rise errors = { row->before.errors, row->after.errors, row->past.errors_dispersion };
    bool has_violations = is_worse(row, settings, &violations);
    bool has_errors = is_worse(row, settings, &errors);
    bool is_slow_now = is_slower(row, settings);
    bool is_found = has_violations || has_errors || is_slow_now;
    if (is_found)
        tell_worse(row, has_violations, has_errors, is_slow_now);
    return is_found;
}

static void tell_not_worse(struct deploy_row *row, const struct deploys *deploys, const struct deploy *deploy,
                           int64_t watched_us)
{
    bool is_silent = deploys->pulses.has_calls && row->after.calls == 0 && row->after.violations == 0 &&
                     row->after.errors == 0;
    struct text reason;
    text_init(&reason, row->reason, sizeof row->reason);
    if (watched_us < deploys->settings.settle_us && !deploy->is_over) {
        row->outcome = DEPLOY_TOO_EARLY;
        text_append_string(&reason, "nothing is worse so far");
    } else if (is_silent) {
        row->outcome = DEPLOY_NO_TRAFFIC;
        text_append_string(&reason, "no calls since");
    } else {
        row->outcome = DEPLOY_OK;
        text_append_string(&reason, row->before.calls == 0 && deploys->pulses.has_calls
                                        ? "no calls before to compare with"
                                        : "");
    }
}

void deploy_row_judge(struct deploy_row *row, const struct deploys *deploys, const struct deploy *deploy,
                      int64_t now_us)
{
    int64_t watched_us = now_us > deploy->started_us ? now_us - deploy->started_us : 0;
    row->after.minutes = fmax((double)watched_us, 1e6) / minute_us;
    row->after.p95_us = histogram_percentile(&row->latency, 95);
    if (row->outcome == DEPLOY_WORSE)
        return;
    if (find_worse(row, &deploys->settings)) {
        row->outcome = DEPLOY_WORSE;
        row->worse_us = now_us;
        return;
    }
    tell_not_worse(row, deploys, deploy, watched_us);
}
