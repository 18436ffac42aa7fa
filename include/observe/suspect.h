/* SPDX-License-Identifier: PostgreSQL */
#ifndef OBSERVE_SUSPECT_H
#define OBSERVE_SUSPECT_H

#include "observe/event.h"

/* A change that may have brought an incident about: one that passed through the sluice, one that the
 * catalogue of constraints found, or both, when they are the same. */

enum { SUSPECTS_MOST = 3, DIFFERENCE_SIZE = 512 };

/* By what it is suspected, in rising order. */
enum suspect_ground {
#define GROUND(symbol, name, about) SUSPECT_BY_##symbol,
#include "observe/suspect_grounds.def"
#undef GROUND
    SUSPECT_GROUND_COUNT
};

const char *suspect_ground_name(enum suspect_ground ground);

struct suspect {
    int64_t time_us;       /* when it was carried out; of one that only the catalogue found, the reading that
                            * saw it first */
    int64_t not_before_us; /* of such a one, the last reading that did not see it; else time_us */
    bool was_seen;         /* it passed through the sluice: what follows up to `statement` is known */
    bool is_certain;       /* it was seen to last: by its transaction's end or by the catalogue */
    enum suspect_ground ground;
    char service[NAME_SIZE];
    char user[NAME_SIZE];
    char application_name[NAME_SIZE];
    char address[ADDRESS_TEXT_SIZE];
    char command[EVENT_COMMAND_SIZE];
    char rule[NAME_SIZE];
    char window[NAME_SIZE];
    char statement[SHOWN_TEXT_SIZE];  /* masked */
    char object[2 * NAME_SIZE];       /* the table or constraint by which it is suspected: "schema.table" */
    char difference[DIFFERENCE_SIZE]; /* what the catalogue says was changed; empty: it does not know */
};

#endif
