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

struct vigil {
    bool is_on;
    struct incident_watch watch;
    struct incident_book book;
    struct vigil_hooks hooks;
    const struct totals *totals;
    struct history *history; /* may be NULL */
    int64_t learn_us;
    int64_t families_since_us; /* families other than violations are known from then on */
    int64_t heard_from_us;     /* what came later counts as of then */
    int64_t ticked_us;
    struct incident_note note; /* scratch */
};

/* Does nothing ever where incidents are not to be recorded. Teaches itself what `history` counted in the last
 * weeks, for which it waits some seconds at most, and records incidents there; NULL: neither. Must stay where
 * it is; `totals` is where notes take from what lies behind an incident. */
void vigil_init(struct vigil *vigil, const struct incidents_settings *settings, const struct hash_key *key,
                const struct totals *totals, struct history *history, int64_t now_us);
/* Harmless where it was never made, all zeros. */
void vigil_release(struct vigil *vigil);
/* Without hooks it is silent. */
void vigil_set_hooks(struct vigil *vigil, const struct vigil_hooks *hooks);
/* What happened in one minute of the past; minutes ascend; before anything is taken. */
void vigil_learn(struct vigil *vigil, const struct incident_key *key, int64_t minute_us, uint64_t count);
/* Takes what a worker counted; `totals` hold it already. */
void vigil_take(struct vigil *vigil, const struct harvest *harvest, int64_t now_us);
/* Time passes. */
void vigil_tick(struct vigil *vigil, int64_t now_us);
/* The book, in which what is under way stands as it is now. */
const struct incident_book *vigil_book(struct vigil *vigil);

#endif
