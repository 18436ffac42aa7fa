/* SPDX-License-Identifier: PostgreSQL */
#ifndef OBSERVE_ATTEMPTS_H
#define OBSERVE_ATTEMPTS_H

#include "base/hash.h"
#include "observe/event.h"

/* The values that were refused last, where the operator wants them to be seen: one for each constraint,
 * service and statement, up to a bound. The last ATTEMPTS_TOGETHER are always among them; a newer one may
 * take the place of one that is older than these. */

enum { ATTEMPTS_KEPT = 256, ATTEMPTS_TOGETHER = 8 };

struct attempt {
    uint64_t hash;   /* whose it is; 0: none */
    uint64_t number; /* the greater, the later it was kept */
    char value[ATTEMPTED_SIZE];
    char near_miss[NEAR_MISS_SIZE];
};

struct attempts {
    struct hash_key key;
    uint64_t recorded;
    /* Groups of so many; whose one is can only be in the group that its hash says. */
    struct attempt kept[ATTEMPTS_KEPT];
};

/* Keeps the value of a violation, if it has one. */
void attempts_record(struct attempts *attempts, const struct event *event);
/* The last value of such violations; NULL when none is kept. */
const struct attempt *attempts_find(const struct attempts *attempts, const struct violation *violation);

#endif
