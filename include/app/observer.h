/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_OBSERVER_H
#define APP_OBSERVER_H

#include "app/aftermath.h"
#include "app/recollection.h"
#include "app/recording.h"
#include "app/vigil.h"
#include "config/settings.h"
#include "observe/totals.h"

/* What the control thread makes of what the workers count: the totals since the start. Everything that wants
 * exact counts is fed from here; events bring details only. */
struct observer {
    bool is_ready;
    struct harvest_bounds bounds; /* of one harvest */
    uint32_t error_families;      /* see struct errors */
    struct hash_key key;
    struct totals totals;
    struct recording recording;
    struct aftermath aftermath; /* its owner makes it */
    struct vigil vigil;
    struct recollection recollection;
};

/* Begins the history, too, where the settings want one. False when memory or threads are short. */
MUST_USE bool observer_init(struct observer *observer, const struct settings *settings,
                            const struct hash_key *key, const char *version);
/* Writes what the history has not written yet, which takes as long as the disk does. Harmless where it was
 * never made, all zeros. */
void observer_release(struct observer *observer);
/* An empty harvest for a worker; NULL when memory is short. */
struct harvest *observer_harvest(const struct observer *observer);
/* Takes in what a worker counted; `now_us` is the wall clock's. Destroys the harvest; NULL is allowed. */
void observer_take(struct observer *observer, struct harvest *harvest, int64_t now_us);
/* Time passes; to be called some times a second. */
void observer_tick(struct observer *observer, int64_t now_us);

#endif
