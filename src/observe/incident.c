/* SPDX-License-Identifier: PostgreSQL */
#include "observe/incident.h"

#include "watched.h"

#include <math.h>

enum { MINUTES_MOST_CALM = 60 };

static const int64_t gap_us = 60 * (int64_t)SECOND_US;
/* Between lessons shorter ones teach next to nothing wrong, and each has all keys go on. */
static const int64_t absence_us = 3600 * (int64_t)SECOND_US;
/* Threads that read the clock one after the other and are heard in another order are not a clock set back. */
static const int64_t disorder_us = 2 * (int64_t)SECOND_US;
static const double occurrences_missed = 10;

struct incident_settings incident_settings_default(void)
{
    return (struct incident_settings){
        .spike = spike_settings_default(),
        .has_first = true,
        .first_most = 20,
        .calm_minutes = 5,
        .adopt_minutes = 1440,
        .keys_most = 4096,
        .incidents_most = 256,
    };
}

void incident_watch_init(struct incident_watch *watch, const struct incident_settings *settings,
                         const struct hash_key *hash_key, int64_t known_since_us, incident_function on_news,
                         void *owner)
{
    *watch = (struct incident_watch){ .settings = *settings,
                                      .hash_key = *hash_key,
                                      .known_since_us = known_since_us,
                                      .on_news = on_news,
                                      .owner = owner };
    table_init(&watch->keys);
    list_init(&watch->quiet);
    list_init(&watch->active);
}

void incident_watch_release(struct incident_watch *watch)
{
    while (!list_is_empty(&watch->quiet))
        watched_free(watch, watched_of_list(watch->quiet.next));
    while (!list_is_empty(&watch->active))
        watched_free(watch, watched_of_list(watch->active.next));
    table_release(&watch->keys);
}

/* ---- time ---- */

static int64_t wall_us(const struct incident_watch *watch, int64_t bucket)
{
    return bucket * BUCKET_US + watch->offset_us;
}

/* The keys go on to the time last heard; then that is what `now_us` is from now on. */
static void watch_shift(struct incident_watch *watch, int64_t now_us)
{
    LIST_EACH(list, &watch->quiet)
    {
        watched_advance(watch, watched_of_list(list));
    }
    LIST_EACH(list, &watch->active)
    {
        watched_advance(watch, watched_of_list(list));
    }
    watch->offset_us += now_us - watch->last_us;
    watch->known_since_us += now_us - watch->last_us;
    watch->last_us = now_us;
}

static void watch_hear(struct incident_watch *watch, int64_t now_us)
{
    if (!watch->has_clock) {
        watch->has_clock = true;
        watch->last_us = now_us;
    }
    int64_t passed_us = now_us - watch->last_us;
    if (passed_us > gap_us || passed_us < -disorder_us) {
        watch->gaps++;
        watch_shift(watch, now_us);
    } else if (passed_us > 0) {
        watch->last_us = now_us;
    }
}

/* ---- incidents ---- */

static void watched_tell(struct incident_watch *watch, struct watched *watched, enum incident_news news)
{
    watched->peak_told = watched->incident.peak;
    if (watched->is_told)
        watch->on_news(watch->owner, news, &watched->incident);
}

static void watched_enter(struct incident_watch *watch, struct watched *watched, int64_t start)
{
    list_remove(&watched->list);
    list_append(&watch->active, &watched->list);
    watch->active_count++;
    watched->start = watched->last_above = start;
    watched->counted_bucket = watched->spike.bucket;
    watched->last_above_us = watched->last_us;
    watched->active_buckets = spike_count_since(&watched->spike, SPIKE_ACTIVE_BUCKETS, start);
}

static void incident_start(struct incident_watch *watch, struct watched *watched, enum incident_state state,
                           int64_t start)
{
    struct incident *incident = &watched->incident;
    watched_enter(watch, watched, start);
    watched->is_told = watch->active_count <= watch->settings.incidents_most;
    watch->untold += watched->is_told ? 0 : 1;
    watch->incidents += watched->is_told ? 1 : 0;
    *incident = (struct incident){
        .key = incident->key,
        .number = watch->incidents,
        .state = state,
        .known_since_us = incident->known_since_us,
        .started_us =
            wall_us(watch, start) + 1000 * (int64_t)watched->spike.first_ms[(uint64_t)start % SPIKE_BUCKETS],
        .detected_us = watch->last_us,
        .baseline = spike_baseline(&watched->spike),
        .count = spike_count_since(&watched->spike, SPIKE_OCCURRENCES, start),
    };
}

static void incident_set_spike(struct watched *watched, const struct spike_finding *finding)
{
    watched->incident.state = INCIDENT_SPIKE;
    watched->incident.rate = finding->rate;
    watched->incident.log_probability = finding->log_probability;
    spike_hold(&watched->spike, watched->start);
}

static void watched_measure(struct watched *watched)
{
    int64_t from = watched->spike.bucket - SPIKE_BUCKETS_OF_MINUTE + 1;
    uint64_t count =
        spike_count_since(&watched->spike, SPIKE_OCCURRENCES, from > watched->start ? from : watched->start);
    if (count > watched->incident.peak)
        watched->incident.peak = count;
}

/* Whether this is what the watch would know of, had it been there before. */
static bool is_first_ever(const struct incident_watch *watch)
{
    double known_minutes = (double)(watch->last_us - watch->known_since_us) / SECOND_US / 60;
    return watch->settings.has_first && known_minutes >= watch->settings.spike.learn_minutes;
}

static void spike_start(struct incident_watch *watch, struct watched *watched,
                        const struct spike_finding *finding, bool is_new)
{
    incident_start(watch, watched, INCIDENT_SPIKE, spike_run_start(&watched->spike, finding));
    incident_set_spike(watched, finding);
    watched->incident.is_first = is_new && is_first_ever(watch);
    watched_measure(watched);
    watched_tell(watch, watched, INCIDENT_STARTED);
}

/* Whether this hour's share of first occurrences has room for one more. */
static bool may_tell_first(struct incident_watch *watch)
{
    int64_t hour = watch_bucket(watch) / (3600 / SPIKE_BUCKET_SECONDS);
    if (hour != watch->first_hour) {
        watch->first_hour = hour;
        watch->first_told = 0;
    }
    if (watch->first_told >= watch->settings.first_most) {
        watch->untold++;
        return false;
    }
    watch->first_told++;
    return true;
}

static void first_start(struct incident_watch *watch, struct watched *watched)
{
    if (!is_first_ever(watch) || !may_tell_first(watch))
        return;
    incident_start(watch, watched, INCIDENT_FIRST, watched->spike.bucket);
    watched->incident.is_first = true;
    watched_measure(watched);
    watched_tell(watch, watched, INCIDENT_STARTED);
}

/* What was over within a minute is how this key is at times, what lasts is not. */
static void watched_leave(struct incident_watch *watch, struct watched *watched)
{
    struct incident *incident = &watched->incident;
    if (incident->state == INCIDENT_SPIKE) {
        bool is_burst = watched->last_above - watched->start < SPIKE_BUCKETS_OF_MINUTE;
        if (is_burst && !incident->is_adopted)
            spike_learn_burst(&watched->spike, incident->count, watched->active_buckets);
        spike_release(&watched->spike);
    }
    watched_tell(watch, watched, INCIDENT_ENDED);
    incident->state = INCIDENT_QUIET;
    watch->active_count--;
    list_remove(&watched->list);
    list_append(&watch->quiet, &watched->list);
}

/* Buckets of calm that end it: as many as would have brought ten more at its rate. */
static int64_t calm_needed(const struct incident_watch *watch, const struct watched *watched)
{
    double minutes = (double)(watched->last_above - watched->start + 1) / SPIKE_BUCKETS_OF_MINUTE;
    double rate = (double)watched->incident.count / fmax(minutes, 1);
    double needed = fmin(occurrences_missed / fmax(rate, 0.01), MINUTES_MOST_CALM);
    return (int64_t)(SPIKE_BUCKETS_OF_MINUTE * fmax(needed, watch->settings.calm_minutes));
}

static void incident_end_if_over(struct incident_watch *watch, struct watched *watched)
{
    int64_t lasted = watched->spike.bucket - watched->start;
    bool is_old = lasted >= (int64_t)watch->settings.adopt_minutes * SPIKE_BUCKETS_OF_MINUTE;
    bool is_calm = watched->spike.bucket - watched->last_above > calm_needed(watch, watched);
    if (!is_calm && !is_old)
        return;
    watched->incident.ended_us = watched->last_above_us;
    watched->incident.is_adopted = !is_calm;
    if (!is_calm)
        spike_adopt(&watched->spike);
    watched_leave(watch, watched);
}

static void incident_go_on(struct incident_watch *watch, struct watched *watched, uint64_t count)
{
    struct spike_finding finding;
    watched->incident.count += count;
    if (watched->counted_bucket != watched->spike.bucket)
        watched->active_buckets++;
    watched->counted_bucket = watched->spike.bucket;
    if (!spike_is_calm(&watched->spike, &watch->settings.spike)) {
        watched->last_above = watched->spike.bucket;
        watched->last_above_us = watched->last_us;
    }
    watched_measure(watched);
    if (watched->incident.state == INCIDENT_FIRST) {
        if (!spike_test(&watched->spike, &watch->settings.spike, &finding))
            return;
        incident_set_spike(watched, &finding);
        watched_tell(watch, watched, INCIDENT_GREW);
    } else if (watched->incident.peak >= 2 * watched->peak_told &&
               watch->last_us - watched->incident.detected_us >= gap_us) {
        watched_tell(watch, watched, INCIDENT_GREW);
    }
}

bool incident_watch_feed(struct incident_watch *watch, const struct incident_key *key, int64_t now_us,
                         uint64_t count)
{
    struct spike_finding finding;
    bool is_new;
    watch_hear(watch, now_us);
    watch->total += count;
    if (count == 0)
        return false;
    struct watched *watched = watched_get(watch, key, &is_new);
    if (watched == NULL) {
        watch->other += count;
        return false;
    }
    watched_advance(watch, watched);
    if (watched->incident.state != INCIDENT_QUIET)
        incident_end_if_over(watch, watched);
    int64_t own_us = watch->last_us - watch->offset_us;
    spike_add(&watched->spike, count, (uint32_t)(own_us % BUCKET_US / 1000));
    watched->last_us = watch->last_us;
    if (watched->incident.state != INCIDENT_QUIET) {
        incident_go_on(watch, watched, count);
        return true;
    }
    list_remove(&watched->list);
    list_append(&watch->quiet, &watched->list);
    if (spike_test(&watched->spike, &watch->settings.spike, &finding))
        spike_start(watch, watched, &finding, is_new);
    else if (is_new)
        first_start(watch, watched);
    return watched->incident.state != INCIDENT_QUIET;
}

void incident_watch_tick(struct incident_watch *watch, int64_t now_us)
{
    watch_hear(watch, now_us);
    for (struct list *list = watch->active.next; list != &watch->active;) {
        struct watched *watched = watched_of_list(list);
        list = list->next;
        watched_advance(watch, watched);
        incident_end_if_over(watch, watched);
    }
}

/* ---- after a restart ---- */

void incident_watch_learn(struct incident_watch *watch, const struct incident_key *key, int64_t minute_us,
                          uint64_t count)
{
    bool is_new;
    int64_t end_us = minute_us + gap_us;
    int64_t last_us = watch->last_us;
    int64_t bucket = (minute_us - watch->offset_us) / BUCKET_US;
    watch->last_us = minute_us > last_us ? minute_us : last_us;
    struct watched *watched = watched_get(watch, key, &is_new);
    watch->has_clock = true;
    watch->last_us = end_us > last_us ? end_us : last_us;
    if (watched == NULL || bucket < watched->spike.bucket)
        return;
    spike_learn_minute(&watched->spike, bucket, watch->offset_us / SECOND_US, count);
    watched->last_us = end_us - 1;
}

/* Minutes are taught whole: from one minute's beginning to another's. */
void incident_watch_learn_absence(struct incident_watch *watch, int64_t from_us, int64_t until_us)
{
    int64_t away_us = from_us - from_us % gap_us;
    int64_t back_us = until_us - until_us % gap_us;
    if (until_us < from_us)
        return;
    watch->has_clock = true;
    watch->last_us = away_us > watch->last_us ? away_us : watch->last_us;
    if (until_us - from_us >= absence_us && back_us > watch->last_us)
        watch_shift(watch, back_us);
}

void incident_watch_hold(struct incident_watch *watch, const struct incident *incident)
{
    struct watched *watched = watched_find(watch, &incident->key);
    if (watched == NULL || incident->state != INCIDENT_SPIKE || watched->spike.held_from != INT64_MAX)
        return;
    spike_hold(&watched->spike, (incident->started_us - watch->offset_us) / BUCKET_US);
}

void incident_watch_doubt(struct incident_watch *watch, int64_t now_us)
{
    watch->known_since_us = now_us;
}

void incident_watch_know(struct incident_watch *watch, int64_t known_since_us)
{
    watch->known_since_us = known_since_us;
}

bool incident_watch_resume(struct incident_watch *watch, const struct incident *incident, int64_t now_us)
{
    bool is_new;
    watch_hear(watch, now_us);
    struct watched *watched = watched_get(watch, &incident->key, &is_new);
    if (watched == NULL || watched->incident.state != INCIDENT_QUIET)
        return false;
    watched_advance(watch, watched);
    bool is_past = incident->ended_us > 0 && incident->ended_us < now_us;
    int64_t seen_us = is_past ? incident->ended_us : now_us;
    int64_t lasted = seen_us > incident->started_us ? (seen_us - incident->started_us) / BUCKET_US : 0;
    watched->last_us = seen_us;
    watched_enter(watch, watched, watched->spike.bucket - lasted);
    watched->last_above = watched->spike.bucket;
    watched->incident = *incident;
    watched->incident.ended_us = 0;
    watch->incidents = incident->number > watch->incidents ? incident->number : watch->incidents;
    watched->is_told = true;
    watched->peak_told = incident->peak;
    if (incident->state == INCIDENT_SPIKE)
        spike_hold(&watched->spike, watched->start);
    return true;
}

size_t incident_watch_active(const struct incident_watch *watch, const struct incident **out, size_t most)
{
    size_t count = 0;
    for (struct list *list = watch->active.next; list != &watch->active && count < most; list = list->next) {
        if (watched_of_list(list)->is_told)
            out[count++] = &watched_of_list(list)->incident;
    }
    return count;
}
