/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_RECORDING_H
#define APP_RECORDING_H

#include "catalog/changes.h"
#include "config/settings.h"
#include "history/history.h"
#include "observe/harvest.h"

/* What the log said last of the history's state. */
struct recording_told {
    enum history_health health;
    uint64_t files_set_aside;
    int64_t gap_from_us;
    uint64_t dropped_rows;
};

/* What the control thread has kept for later: events in detail, violations counted exactly, what statements
 * cost minute by minute. All zeros: nothing is recorded. */
struct recording {
    struct history *history; /* NULL: nothing is recorded */
    bool has_minute;
    struct statements minute; /* of the minute under way, and what of it the history was told */
    int64_t minute_us;        /* its beginning; 0: nothing was counted in it yet */
    int64_t told_us;          /* when the history was told last */
    size_t named;             /* statements of the minute that it was told of by name */
    struct recording_told told;
};

/* Must stay where it is. False when memory or threads are short. */
MUST_USE bool recording_begin(struct recording *recording, const struct settings *settings,
                              const struct hash_key *key, const char *version);
/* Writes what waits, for as long as the disk takes. Harmless where it never began. */
void recording_end(struct recording *recording);
void recording_event(struct recording *recording, const struct event *event);
/* What a reading of the catalogue found to be changed. */
void recording_constraint(struct recording *recording, const struct constraint_change *change);
/* Counts what a worker has counted, its calls in the minute of `now_us`. */
void recording_take(struct recording *recording, const struct harvest *harvest, int64_t now_us);
/* Tells the history of what statements cost, twice a second and when their minute is over. Where there are
 * many new ones at once, some wait until it is. Call as often. */
void recording_tick(struct recording *recording, int64_t now_us);
/* Tells the history of all that was counted, before somebody asks for it. */
void recording_tell(struct recording *recording);
/* False when nothing is recorded. */
MUST_USE bool recording_state(const struct recording *recording, struct history_state *out);

#endif
