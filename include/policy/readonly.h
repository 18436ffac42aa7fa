/* SPDX-License-Identifier: PostgreSQL */
#ifndef POLICY_READONLY_H
#define POLICY_READONLY_H

#include "policy/window.h"

/* An operator's order that nothing is written for a while, by all or by some. */
struct readonly_order {
    struct scope scope;
    int64_t from_us;
    int64_t until_us;                   /* INT64_MAX: until it is taken back */
    char until_text[INSTANT_TEXT_SIZE]; /* until_us as local time; of a policy's copy only, which sets it */
    char reason[POLICY_REASON_SIZE];
    char ordered_by[POLICY_NAME_SIZE];
};

/* The classes that may write, a bit 1 << class for each: schema changes, data changes, and what runs
 * something out of sight. Locks are no writes, and what a query's functions write is not seen. */
uint16_t readonly_classes(void);
/* The first order that holds for the subject, or NULL. */
const struct readonly_order *readonly_find(const struct readonly_order *orders, size_t count,
                                           const struct guard_subject *subject, int64_t now_us);

#endif
