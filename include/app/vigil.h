/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_VIGIL_H
#define APP_VIGIL_H

#include "config/settings.h"
#include "history/history.h"
#include "observe/incident_book.h"

/* Keeps watch over what the workers count, on the control thread: tells of each incident when it starts,
 * grows and ends, and keeps what was told. What a tally counts as `other` has lost its names and is fed to
 * nobody. */

struct vigil_hooks {
    void (*complete)(void *owner, struct incident_note *note); /* adds what others know; NULL: nothing */
    void (*tell)(void *owner, const struct incident_note *note);
    void *owner;
};

enum { VIGIL_OPEN_MOST = 256, VIGIL_HELD_MOST = 64 };

/* An incident that was under way when an earlier run ended; ended_us is when that run was last known to run.
 */
struct vigil_open {
    int64_t run;
    struct incident_note note;
};

/* What is known of the time before the start. */
struct vigil_past {
    uint64_t highest_number; /* of all incidents before */
    struct vigil_open *incidents;
    size_t incident_count;
};

/* What was counted within a second or so while the vigil slept. */
struct vigil_held {
    int64_t begun_us;
    int64_t taken_us; /* the last time */
    struct ledger violations;
    struct errors errors;
};

/* It sleeps while the past is learned: what is counted meanwhile it sets aside, and takes when it awakes. */
struct vigil {
    bool is_on;
    bool is_asleep;
    struct incident_watch watch;
    struct incident_book book;
    struct vigil_hooks hooks;
    const struct totals *totals;
    struct history *history; /* may be NULL */
    int64_t learn_us;
    int64_t begun_us;      /* families other than violations are known from then on */
    int64_t heard_from_us; /* what came later counts as of then */
    int64_t ticked_us;
    struct harvest_bounds bounds;
    struct hash_key key;
    struct vigil_held *held[VIGIL_HELD_MOST];
    size_t held_count;
    struct incident_note note; /* scratch */
};

/* Does nothing ever where incidents are not to be recorded. Records them in `history`, which may be NULL:
 * with one it begins asleep. Must stay where it is; `totals` is where notes take from what lies behind an
 * incident; `bounds` are those of a harvest. */
void vigil_init(struct vigil *vigil, const struct incidents_settings *settings, const struct hash_key *key,
                const struct harvest_bounds *bounds, const struct totals *totals, struct history *history,
                int64_t now_us);
/* The watch has been taught, which is its teacher's until now. Goes on with the incidents that were under
 * way, and ends in the history what is open of earlier runs otherwise. */
void vigil_awake(struct vigil *vigil, const struct vigil_past *past);
/* Harmless where it was never made, all zeros. */
void vigil_release(struct vigil *vigil);
/* Without hooks it is silent. */
void vigil_set_hooks(struct vigil *vigil, const struct vigil_hooks *hooks);
/* Takes what a worker counted; `totals` hold it already. */
void vigil_take(struct vigil *vigil, const struct harvest *harvest, int64_t now_us);
/* Time passes. */
void vigil_tick(struct vigil *vigil, int64_t now_us);
/* The book, in which what is under way stands as it is now. */
const struct incident_book *vigil_book(struct vigil *vigil);

#endif
