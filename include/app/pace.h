/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_PACE_H
#define APP_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether a worker has one thing to do at a time, for which somebody waits, or several, of which it does more
 * in one turn the later the turn comes. A thing is what one link brought, where the one before was brought by
 * another. */
struct pace {
    uint32_t turns; /* in which something came, of those that the next judgement looks at */
    size_t arrivals;
    bool is_busy; /* at first it is not */
};

/* Turns between two judgements; what has to come in one of them in the mean to be busy, in hundredths, and
 * below what it is not any more. */
enum { PACE_TURNS = 256, PACE_BUSY = 200, PACE_CALM = 170 };

/* Takes a turn in which so many things came. True when is_busy has changed. */
bool pace_turn(struct pace *pace, size_t arrivals);

#endif
