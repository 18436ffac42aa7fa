/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_AFTERMATH_H
#define APP_AFTERMATH_H

#include "config/settings.h"
#include "observe/deploys.h"
#include "observe/incident_note.h"

/* What schema changes brought about, on the control thread: which of them an incident is put down to, and how
 * services fare after a deploy. */

/* A service is worse off after a deploy: once for a deploy. The verdict is valid during the call only. */
typedef void (*deploy_function)(void *owner, const struct deploy_verdict *verdict);

struct aftermath {
    bool is_ready;
    struct suspects suspects;
    struct deploys deploys;
    int64_t ticked_us;
    deploy_function on_worse;
    void *owner;
};

/* False when memory is short. */
MUST_USE bool aftermath_init(struct aftermath *aftermath, const struct settings *settings,
                             const struct hash_key *key, deploy_function on_worse, void *owner);
/* Harmless where it was never made, all zeros; so are the others. */
void aftermath_release(struct aftermath *aftermath);
void aftermath_event(struct aftermath *aftermath, const struct event *event);
void aftermath_harvest(struct aftermath *aftermath, const struct harvest *harvest, int64_t now_us);
/* A change of an earlier run: see suspects_restore. No deploy is watched for it. */
void aftermath_restore(struct aftermath *aftermath, const struct event *event, enum change_state state);
/* What a reading of the catalogue found to be changed. */
void aftermath_learn(struct aftermath *aftermath, const struct suspect_difference *difference);
/* Judges the deploys that are watched, once a second; to be called at least so often. */
void aftermath_tick(struct aftermath *aftermath, int64_t now_us);
/* Fills in the suspects of an incident, of which the rest is known. */
void aftermath_complete(const struct aftermath *aftermath, struct incident_note *note);

#endif
