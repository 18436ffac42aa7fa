/* SPDX-License-Identifier: PostgreSQL */
#ifndef OBSERVE_DEPLOYS_H
#define OBSERVE_DEPLOYS_H

#include "observe/object_text.h"
#include "observe/pulse.h"
#include "observe/suspects.h"

/* What happened after a deploy. Schema changes of one service and application in one database, each within
 * minutes of the one before, are one deploy; it is watched for an hour, and held against the hour before for
 * each service that uses the database:
 *   - violations of the tables and types that were changed (of all, where what was changed is not known),
 *   - errors of the families schema_drift and type_drift in the database,
 *   - the time that 95 of 100 of the service's calls in the database did not exceed.
 * Counts are worse when `factor` times the rate before, more where there are more calls now, would give so
 * many with a probability below `probability`. That probability takes into account how little is known of the
 * rate before and how far its minutes were dispersed. The time is worse when it has become `latency_factor`
 * times as long, at least `latency_least_us` longer, and in more minutes than chance puts above that. */

enum { DEPLOYS_MOST = 64, DEPLOY_TABLES_MOST = 64, DEPLOY_REASON_SIZE = 256 };

enum deploy_outcome {
#define VERDICT(symbol, name, about) DEPLOY_##symbol,
#include "observe/deploy_verdicts.def"
#undef VERDICT
    DEPLOY_OUTCOME_COUNT
};

const char *deploy_outcome_name(enum deploy_outcome outcome);

struct deploys_settings {
    int64_t watch_us;  /* from the last change */
    int64_t group_us;  /* from one change to the next of the same deploy */
    int64_t settle_us; /* before that nothing is called ok */
    double factor;
    double probability;
    double burstiness; /* the dispersion of what is not yet known; at least 1 */
    uint32_t least;    /* fewer violations or errors are not worse */
    double latency_factor;
    int64_t latency_least_us;
};

/* An hour, 5 minutes, 5 minutes; 1.3, 1e-6, 1.2, 5; 1.5, 1 ms. */
struct deploys_settings deploys_settings_default(void);

struct deploy_side {
    double minutes;
    uint64_t violations;
    uint64_t errors;
    uint64_t calls;
    int64_t p95_us; /* 0: not known */
};

/* How minutes were before: by how much counts were dispersed, and how many of those with enough calls were
 * slow. */
struct deploy_past {
    double violations_dispersion;
    double errors_dispersion;
    uint32_t minutes;
    uint32_t slow_minutes;
};

/* One service after a deploy. */
struct deploy_row {
    char service[NAME_SIZE];
    char constraint[NAME_SIZE]; /* violated last, since; or the column */
    struct deploy_side before;
    struct deploy_side after;
    struct deploy_past past;
    struct histogram latency; /* since */
    struct histogram minute_latency;
    int64_t minute; /* of that */
    uint32_t minutes;
    uint32_t slow_minutes;
    enum deploy_outcome outcome; /* once WORSE it stays so */
    int64_t worse_us;            /* when it was found; 0: it is not */
    char reason[DEPLOY_REASON_SIZE];
};

struct deploy {
    uint64_t number; /* 1, 2, ... in the order of starting */
    int64_t started_us;
    int64_t changed_us; /* the last change */
    int64_t watched_us; /* how far it was watched */
    bool is_over;
    bool is_told;
    char database[NAME_SIZE];
    char service[NAME_SIZE]; /* who made the changes, with the next three */
    char user[NAME_SIZE];
    char application_name[NAME_SIZE];
    char command[EVENT_COMMAND_SIZE];    /* of the first change */
    char statement[SHOWN_TEXT_SIZE];     /* of the first change, masked */
    char objects[2 * OBJECTS_TEXT_SIZE]; /* as in events; cut where it does not fit */
    uint64_t changes;
    bool touches_all; /* what was changed is not wholly known: violations of all tables count */
    struct object_reference tables[DEPLOY_TABLES_MOST];
    size_t table_count;
    struct deploy_row *rows;
    size_t row_count;
};

/* News: a service is worse off. Once for a deploy, of the service that was found first. */
struct deploy_verdict {
    const struct deploy *deploy;
    const struct deploy_row *row;
};

struct deploys {
    struct deploys_settings settings;
    struct pulses pulses;
    struct deploy *deploys; /* a circle */
    size_t count;
    size_t next;
    uint64_t started;
};

MUST_USE bool deploys_init(struct deploys *deploys, const struct deploys_settings *settings,
                           const struct hash_key *key, int64_t now_us);
void deploys_release(struct deploys *deploys);
/* A change was carried out: begins a deploy or adds to one. */
void deploys_change(struct deploys *deploys, const struct suspect_change *change);
/* Takes in what a worker counted until `now_us`. */
void deploys_take(struct deploys *deploys, const struct harvest *harvest, int64_t now_us);
/* Time passes: judges. True with the next news, until there is none; what it points to is valid until the
 * next call. To be called once a second or so. */
MUST_USE bool deploys_tick(struct deploys *deploys, int64_t now_us, struct deploy_verdict *out);
/* The `age`-th newest deploy (0: the newest), or NULL. */
const struct deploy *deploys_newest(const struct deploys *deploys, size_t age);

#endif
