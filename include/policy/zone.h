/* SPDX-License-Identifier: PostgreSQL */
#ifndef POLICY_ZONE_H
#define POLICY_ZONE_H

#include "base/attributes.h"
#include "base/bytes.h"

#include <libical/ical.h>

/* Time zones as numbers, for the calendar's own parts: instants count seconds from 1970 UTC, local times
 * seconds from 1970-01-01T00:00 on the clock of their zone. */
enum { DAY_SECONDS = 24 * 60 * 60 };

static const int64_t second_us = 1000000;

/* The zone's rules, which libical keeps, or NULL. */
icaltimezone *zone_find(const char *name);
/* Seconds east of UTC at an instant; 0 when zone is NULL. */
int64_t zone_offset(icaltimezone *zone, int64_t second);
/* The instant of a local time, as window.h says of those that do not exist or occur twice. */
int64_t zone_instant(icaltimezone *zone, int64_t local);
/* A number of seconds as year, month, day, hour ..., and back; no zone has a part in it. */
struct icaltimetype civil_of(int64_t second);
int64_t civil_second(struct icaltimetype civil);

static inline int64_t divide_floor(int64_t number, int64_t by)
{
    return number / by - (number % by < 0 ? 1 : 0);
}

#endif
