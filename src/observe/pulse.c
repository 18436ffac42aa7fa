/* SPDX-License-Identifier: PostgreSQL */
#include "observe/pulse.h"

#include <stdlib.h>

static const int64_t minute_us = 60000000;

/* More tables than this in one minute are not told apart from those that were never hit. */
enum { HITS_OF_MINUTE_MOST = 512 };

int64_t pulse_minute_of(int64_t time_us)
{
    return time_us / minute_us;
}

bool pulses_init(struct pulses *pulses, const struct hash_key *key, int64_t now_us)
{
    *pulses = (struct pulses){ .key = *key, .since_us = now_us };
    pulses->hits = calloc(PULSE_HITS_MOST, sizeof *pulses->hits);
    return pulses->hits != NULL;
}

void pulses_release(struct pulses *pulses)
{
    for (size_t i = 0; i < pulses->pulse_count; i++)
        free(pulses->pulses[i]);
    free(pulses->hits);
    *pulses = (struct pulses){ .since_us = 0 };
}

void pulse_sums_add(struct pulse_sums *into, const struct pulse_sums *from)
{
    into->calls += from->calls;
    into->errors += from->errors;
    histogram_merge(&into->latency, &from->latency);
}

/* ---- services ---- */

static bool pulse_is(const struct pulse *pulse, const char *service, const char *database)
{
    return strcmp(pulse->service, service) == 0 && strcmp(pulse->database, database) == 0;
}

/* A place for one more: a new one, or that of one that has been silent for as long as it is remembered. */
static struct pulse *pulse_place(struct pulses *pulses, int64_t now_us)
{
    for (size_t i = 0; i < pulses->pulse_count; i++) {
        if (now_us - pulses->pulses[i]->active_us > PULSE_MINUTES * minute_us)
            return pulses->pulses[i];
    }
    if (pulses->pulse_count == PULSES_MOST)
        return NULL;
    struct pulse *pulse = calloc(1, sizeof *pulse);
    if (pulse != NULL)
        pulses->pulses[pulses->pulse_count++] = pulse;
    return pulse;
}

static void pulse_begin(struct pulse *pulse, const char *service, const char *database)
{
    memset(pulse, 0, sizeof *pulse);
    (void)bytes_copy_text(bytes_text(service), pulse->service, sizeof pulse->service);
    (void)bytes_copy_text(bytes_text(database), pulse->database, sizeof pulse->database);
}

/* NULL where it has no room. */
static struct pulse *pulse_touch(struct pulses *pulses, const char *service, const char *database,
                                 int64_t now_us)
{
    struct pulse *pulse = NULL;
    for (size_t i = 0; pulse == NULL && i < pulses->pulse_count; i++)
        pulse = pulse_is(pulses->pulses[i], service, database) ? pulses->pulses[i] : NULL;
    if (pulse == NULL) {
        pulse = pulse_place(pulses, now_us);
        if (pulse == NULL) {
            pulses->unfollowed++;
            return NULL;
        }
        pulse_begin(pulse, service, database);
    }
    pulse->active_us = now_us;
    pulse->is_fresh = true;
    return pulse;
}

static void take_calls(struct pulses *pulses, const struct statements *statements, int64_t now_us)
{
    LIST_EACH(node, &statements->tally.recent)
    {
        struct tally_entry *head = CONTAINER_OF(node, struct tally_entry, recent);
        const struct statement_entry *entry = CONTAINER_OF(head, struct statement_entry, entry);
        struct pulse *pulse = pulse_touch(pulses, entry->service, entry->database, now_us);
        if (pulse == NULL)
            continue;
        pulse->fresh.calls += head->count;
        histogram_merge(&pulse->fresh.latency, &entry->sums.latency);
    }
}

static bool is_drift(const char *sqlstate)
{
    enum error_family family = sqlstate_family(bytes_text(sqlstate));
    return family == FAMILY_SCHEMA_DRIFT || family == FAMILY_TYPE_DRIFT;
}

static void take_errors(struct pulses *pulses, const struct errors *errors, int64_t now_us)
{
    LIST_EACH(node, &errors->tally.recent)
    {
        struct tally_entry *head = CONTAINER_OF(node, struct tally_entry, recent);
        const struct error_entry *entry = CONTAINER_OF(head, struct error_entry, entry);
        struct pulse *pulse =
            is_drift(entry->sqlstate) ? pulse_touch(pulses, entry->service, entry->database, now_us) : NULL;
        if (pulse != NULL)
            pulse->fresh.errors += head->count;
    }
}

static void pulse_file(struct pulse *pulse, int64_t minute)
{
    struct pulse_minute *place = &pulse->minutes[minute % PULSE_MINUTES];
    if (place->minute != minute)
        *place = (struct pulse_minute){ .minute = minute };
    pulse_sums_add(&place->sums, &pulse->fresh);
}

const struct pulse_sums *pulse_at(const struct pulse *pulse, int64_t minute)
{
    const struct pulse_minute *place = &pulse->minutes[minute % PULSE_MINUTES];
    return minute > 0 && place->minute == minute ? &place->sums : NULL;
}

/* ---- violations ---- */

/* The hit of an age that is there. */
static struct pulse_hit *hit_at(const struct pulses *pulses, size_t age)
{
    return &pulses->hits[(pulses->hit_next + PULSE_HITS_MOST - 1 - age) % PULSE_HITS_MOST];
}

const struct pulse_hit *pulses_hit(const struct pulses *pulses, size_t age)
{
    return age < pulses->hit_count ? hit_at(pulses, age) : NULL;
}

static bool hits_are_same(const struct pulse_hit *a, const struct pulse_hit *b)
{
    return a->hash == b->hash && strcmp(a->service, b->service) == 0 &&
           strcmp(a->database, b->database) == 0 && strcmp(a->schema, b->schema) == 0 &&
           strcmp(a->name, b->name) == 0;
}

static struct pulse_hit *hit_add(struct pulses *pulses, const struct pulse_hit *hit)
{
    struct pulse_hit *place = &pulses->hits[pulses->hit_next];
    if (pulses->hit_count == PULSE_HITS_MOST)
        pulses->whole_from = place->minute + 1;
    *place = *hit;
    pulses->hit_next = (pulses->hit_next + 1) % PULSE_HITS_MOST;
    pulses->hit_count += pulses->hit_count < PULSE_HITS_MOST ? 1 : 0;
    return place;
}

static void hit_count(struct pulses *pulses, const struct pulse_hit *hit, uint64_t count)
{
    size_t age = 0;
    while (age < pulses->hit_count && hit_at(pulses, age)->minute == hit->minute &&
           !hits_are_same(hit_at(pulses, age), hit))
        age++;
    bool is_known = age < pulses->hit_count && hit_at(pulses, age)->minute == hit->minute;
    if (!is_known && age >= HITS_OF_MINUTE_MOST) {
        pulses->whole_from = hit->minute + 1;
        return;
    }
    struct pulse_hit *place = is_known ? hit_at(pulses, age) : hit_add(pulses, hit);
    place->count += count;
    place->fresh += count;
}

static uint64_t hit_hash(const struct pulses *pulses, const struct pulse_hit *hit)
{
    struct tally_key key = { .size = 0 };
    tally_key_text(&key, hit->service, sizeof hit->service);
    tally_key_text(&key, hit->database, sizeof hit->database);
    tally_key_text(&key, hit->schema, sizeof hit->schema);
    tally_key_text(&key, hit->name, sizeof hit->name);
    return hash_keyed(&pulses->key, bytes_of(key.bytes, key.size));
}

static void copy_name(char *to, const char *from)
{
    memcpy(to, from, NAME_SIZE);
}

static void take_violations(struct pulses *pulses, const struct ledger *ledger, int64_t now_us)
{
    LIST_EACH(node, &ledger->tally.recent)
    {
        struct tally_entry *head = CONTAINER_OF(node, struct tally_entry, recent);
        const struct ledger_entry *entry = CONTAINER_OF(head, struct ledger_entry, entry);
        const struct violation *violation = &entry->violation;
        struct pulse_hit hit = { .minute = pulse_minute_of(now_us) };
        copy_name(hit.service, violation->service);
        copy_name(hit.database, violation->database);
        copy_name(hit.schema, violation->schema);
        copy_name(hit.name, violation->table[0] != '\0' ? violation->table : violation->datatype);
        copy_name(hit.constraint,
                  violation->constraint[0] != '\0' ? violation->constraint : violation->column);
        hit.hash = hit_hash(pulses, &hit);
        if (pulse_touch(pulses, hit.service, hit.database, now_us) != NULL)
            hit_count(pulses, &hit, head->count);
    }
}

/* ---- all ---- */

static void fresh_clear(struct pulses *pulses)
{
    struct pulse_hit *hit;
    for (size_t i = 0; i < pulses->pulse_count; i++) {
        struct pulse *pulse = pulses->pulses[i];
        if (pulse->is_fresh)
            pulse->fresh = (struct pulse_sums){ .calls = 0 };
        pulse->is_fresh = false;
    }
    for (size_t age = 0; age <= HITS_OF_MINUTE_MOST && (hit = hit_at(pulses, age)) != NULL; age++)
        hit->fresh = 0;
}

void pulses_take(struct pulses *pulses, const struct harvest *harvest, int64_t now_us)
{
    int64_t minute = pulse_minute_of(now_us);
    fresh_clear(pulses);
    pulses->has_calls = harvest->has_statements;
    take_calls(pulses, &harvest->statements, now_us);
    take_errors(pulses, &harvest->errors, now_us);
    take_violations(pulses, &harvest->violations, now_us);
    for (size_t i = 0; i < pulses->pulse_count; i++) {
        if (pulses->pulses[i]->is_fresh)
            pulse_file(pulses->pulses[i], minute);
    }
}
