/* SPDX-License-Identifier: PostgreSQL */
#ifndef OBSERVE_PULSE_H
#define OBSERVE_PULSE_H

#include "observe/harvest.h"

/* What each service did on each database in the last hour, minute by minute: what is held against the time
 * after a change. Bounded; what finds no room is counted as not followed. */

enum { PULSE_MINUTES = 61, PULSES_MOST = 64, PULSE_HITS_MOST = 4096 };

struct pulse_sums {
    uint64_t calls;
    uint64_t errors; /* of the families schema_drift and type_drift */
    struct histogram latency;
};

struct pulse_minute {
    int64_t minute; /* since 1970; 0: none */
    struct pulse_sums sums;
};

/* One service on one database. */
struct pulse {
    char service[NAME_SIZE];
    char database[NAME_SIZE];
    int64_t active_us;       /* something was counted last */
    bool is_fresh;           /* something was counted in the harvest taken last: */
    struct pulse_sums fresh; /* that */
    struct pulse_minute minutes[PULSE_MINUTES];
};

/* Violations of one table, or of one domain, by one service within a minute. */
struct pulse_hit {
    int64_t minute;
    uint64_t hash;
    uint64_t count;
    uint64_t fresh; /* of `count`, what the harvest taken last brought */
    char service[NAME_SIZE];
    char database[NAME_SIZE];
    char schema[NAME_SIZE];
    char name[NAME_SIZE];
    char constraint[NAME_SIZE]; /* or the column, of the first of them */
};

struct pulses {
    struct hash_key key;
    int64_t since_us;    /* watched from then on */
    int64_t whole_from;  /* the minute from which no hit was given up */
    bool has_calls;      /* calls are counted */
    uint64_t unfollowed; /* times a service found no room */
    struct pulse *pulses[PULSES_MOST];
    size_t pulse_count;
    struct pulse_hit *hits; /* a circle */
    size_t hit_count;
    size_t hit_next;
};

MUST_USE bool pulses_init(struct pulses *pulses, const struct hash_key *key, int64_t now_us);
void pulses_release(struct pulses *pulses);
/* Takes in what a worker counted until `now_us`. */
void pulses_take(struct pulses *pulses, const struct harvest *harvest, int64_t now_us);
/* What the pulse had in that minute, or NULL. */
const struct pulse_sums *pulse_at(const struct pulse *pulse, int64_t minute);
/* The `age`-th newest hit, or NULL. */
const struct pulse_hit *pulses_hit(const struct pulses *pulses, size_t age);
void pulse_sums_add(struct pulse_sums *into, const struct pulse_sums *from);
int64_t pulse_minute_of(int64_t time_us);

#endif
