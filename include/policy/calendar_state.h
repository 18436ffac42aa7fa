/* SPDX-License-Identifier: PostgreSQL */
#ifndef POLICY_CALENDAR_STATE_H
#define POLICY_CALENDAR_STATE_H

#include "policy/calendar.h"
#include "policy/series.h"

/* What a calendar is made of, for those that make one. */
struct calendar {
    struct series *series;
    size_t count;
    icalcomponent **roots; /* of a file, whose zones they hold */
    size_t root_count;
};

/* NULL when memory is short. */
struct calendar *calendar_create(void);
/* An empty series at its end, valid until the next one; NULL when memory is short. */
struct series *calendar_add(struct calendar *calendar);

#endif
