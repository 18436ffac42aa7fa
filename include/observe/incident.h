/* SPDX-License-Identifier: PostgreSQL */
#ifndef OBSERVE_INCIDENT_H
#define OBSERVE_INCIDENT_H

#include "base/hash.h"
#include "base/list.h"
#include "base/table.h"
#include "observe/spike.h"
#include "observe/violation.h"

/* Watches what is counted by service and thing, and tells of each spike once: when it starts, each time it
 * has become twice as bad, and when it is over. Keys are bounded; what finds no room is counted as `other`.
 *
 * Times are the wall clock's, µs since 1970. The watch is to hear something (a count or a tick) at least
 * every 10 s; when it has heard nothing for more than a minute it takes that time for unwatched, neither
 * silent nor part of an incident. A clock set back does not disturb it either.
 *
 *                 first ever          a spike
 *       quiet ──────────────► first ─────────► spike ───► quiet
 *         │    STARTED          │      GREW     ▲   ENDED
 *         │                     └───────────────┼───► quiet
 *         └─────────────────────────────────────┘   ENDED
 *                        STARTED
 */

enum incident_subject {
    INCIDENT_CONSTRAINT, /* `name` is the constraint, or the column where the error names none */
    INCIDENT_FAMILY,     /* `name` is the family of SQLSTATEs; schema and table are empty */
};

/* What is told apart; texts without a NUL in their field are cut there. */
struct incident_key {
    enum incident_subject subject;
    char service[NAME_SIZE];
    char schema[NAME_SIZE];
    char table[NAME_SIZE];
    char name[NAME_SIZE];
};

enum incident_state { INCIDENT_QUIET, INCIDENT_FIRST, INCIDENT_SPIKE };

struct incident {
    struct incident_key key;
    uint64_t number; /* 1, 2, ... in the order of starting */
    enum incident_state
        state;       /* FIRST: it was only seen for the first time; SPIKE: it became one, and how it ended */
    bool is_first;   /* it began with the first occurrence since known_since_us */
    bool is_adopted; /* it ended since it lasted so long that its rate is usual now */
    int64_t known_since_us;
    int64_t started_us;     /* the first occurrence of the run that began it */
    int64_t detected_us;    /* when STARTED was told */
    int64_t ended_us;       /* the last occurrence above the baseline, of an incident that ENDED */
    double baseline;        /* usual at the start, a minute */
    double rate;            /* of the window that told it, a minute; 0: not a spike */
    double log_probability; /* of that window's count without a change of the rate, natural logarithm */
    uint64_t count;         /* occurrences so far */
    uint64_t peak;          /* most within a minute */
};

enum incident_news { INCIDENT_STARTED, INCIDENT_GREW, INCIDENT_ENDED };

/* The incident is valid during the call only. It must not call the watch. */
typedef void (*incident_function)(void *owner, enum incident_news news, const struct incident *incident);

struct incident_settings {
    struct spike_settings spike;
    bool has_first;         /* whether the first occurrence ever is an incident */
    uint32_t first_most;    /* an hour of the watch; more are counted and not told */
    uint32_t calm_minutes;  /* nothing unusual for so long ends an incident, longer where it was slow: until
                             * its  rate would have brought 10 more, an hour at most */
    uint32_t adopt_minutes; /* what lasts so long is usual from then on */
    size_t keys_most;       /* each takes INCIDENT_KEY_BYTES */
    size_t incidents_most;  /* under way at the same time; more are counted and not told */
};

/* The defaults of spikes; first occurrences told, 20 an hour at most; 5 minutes; a day; 4096 keys; 256. */
struct incident_settings incident_settings_default(void);

struct incident_watch {
    struct incident_settings settings;
    struct hash_key hash_key;
    struct table keys;
    struct list quiet;  /* least recently seen first */
    struct list active; /* in an incident, oldest first */
    incident_function on_news;
    void *owner;
    bool has_clock;         /* it has heard the time */
    int64_t known_since_us; /* what no key stands for did not happen from then on */
    int64_t last_us;
    int64_t offset_us; /* wall clock less the watch's own time, which has no gaps and never goes back */
    int64_t first_hour;
    uint32_t first_told; /* in that hour */
    size_t active_count;
    uint64_t incidents; /* the number of the last told */
    uint64_t untold;    /* spikes, and first occurrences, not told for the limits above */
    uint64_t total;     /* all that was counted */
    uint64_t other;     /* of it, occurrences of keys there was no room for */
    uint64_t keys_gone; /* keys that gave their place up to others */
    uint64_t gaps;      /* times unwatched */
};

enum { INCIDENT_KEY_BYTES = 3072 }; /* an upper bound for one key, its part of the table included */

/* `known_since_us`: history from then on will be taught by incident_watch_learn, or now: then what happens
 * within learn_minutes from now is neither a spike nor a first occurrence. */
void incident_watch_init(struct incident_watch *watch, const struct incident_settings *settings,
                         const struct hash_key *hash_key, int64_t known_since_us, incident_function on_news,
                         void *owner);
void incident_watch_release(struct incident_watch *watch);
/* Teaches one minute of the past (of one key), before anything is fed: minutes ascend, those in which nothing
 * happened may be left out. Tells nothing. */
void incident_watch_learn(struct incident_watch *watch, const struct incident_key *key, int64_t minute_us,
                          uint64_t count);
/* Teaches, in order with the minutes, that nobody watched between two times. Until `from_us` there was a
 * watch: minutes that were not taught were silent; so is less than an hour without one, where more is taught
 * after it. Teaches nothing where it ends before it begins: the clock was set back. */
void incident_watch_learn_absence(struct incident_watch *watch, int64_t from_us, int64_t until_us);
/* After learning, of all incidents before the first is resumed: what is usual of its key stays what it was at
 * its start. The first of a key holds. */
void incident_watch_hold(struct incident_watch *watch, const struct incident *incident);
/* After learning: not all of the past was taught. Until learn_minutes from now nothing is a first occurrence.
 */
void incident_watch_doubt(struct incident_watch *watch, int64_t now_us);
/* Before learning: history from then on will be taught, of which nothing was known at the start. */
void incident_watch_know(struct incident_watch *watch, int64_t known_since_us);
/* After learning and before feeding: an incident that was under way when the watch ended goes on, untold. Its
 * ended_us is when it was last known to be (0, or what is to come: now): it ends then where nothing follows.
 * Later incidents have higher numbers. False when there is no room for it. */
MUST_USE bool incident_watch_resume(struct incident_watch *watch, const struct incident *incident,
                                    int64_t now_us);
/* `count` more occurrences at `now_us`. Returns whether the key is in an incident after it: what is also
 * counted under a wider key (a constraint's family) is fed there only when this returned false, so that one
 * cause makes one incident. */
bool incident_watch_feed(struct incident_watch *watch, const struct incident_key *key, int64_t now_us,
                         uint64_t count);
/* Time passes: ends what is over. */
void incident_watch_tick(struct incident_watch *watch, int64_t now_us);
/* Fills `out` with up to `most` incidents under way, oldest first; valid until the watch is used again. */
size_t incident_watch_active(const struct incident_watch *watch, const struct incident **out, size_t most);

#endif
