/* SPDX-License-Identifier: PostgreSQL */
#ifndef POLICY_CALENDAR_H
#define POLICY_CALENDAR_H

#include "base/problem.h"
#include "policy/window.h"

/* Times that are not weekly ones: of a rule, of a single stretch, or of the events of an iCalendar file (RFC
 * 5545). What recurs when is libical's to say. As window.h says, all of it runs on one thread. */
struct calendar;

/* Of the occurrences that end after `after_us` the one that begins first; of those that overlap, one that
 * lies within another may be left out. False when there is none within ten years. */
MUST_USE bool calendar_next(struct calendar *calendar, int64_t after_us, struct occurrence *out);
/* NULL is allowed. */
void calendar_destroy(struct calendar *calendar);

/* A single stretch of time. NULL when memory is short. */
struct calendar *calendar_of_stretch(struct occurrence stretch);

/* A rule in words, and what it is a rule of. */
struct calendar_rule {
    const char *rule;     /* "FREQ=MONTHLY;BYDAY=1SU" */
    const char *timezone; /* IANA name, which is known */
    const char *start;    /* "2026-01-31", the first day on which it may occur; "": CALENDAR_START */
    uint16_t from_minute; /* of the day, where the rule has no BYHOUR and BYMINUTE of its own */
    int64_t nominal_us;   /* how long each lasts: so much on the zone's clock ... */
    int64_t exact_us;     /* ... and so much time */
};

/* A Monday. */
#define CALENDAR_START "2001-01-01"

/* NULL when the rule is wrong or never occurs: *why says what and where. */
struct calendar *calendar_of_rule(const struct calendar_rule *rule, struct text *why);

/* An iCalendar file. */
struct calendar_file {
    const char *path;     /* for problems */
    struct bytes text;    /* all of it */
    const char *match;    /* pattern of SUMMARY; "": all events */
    const char *timezone; /* of times that name none */
    int64_t now_us;       /* for warnings about what is over */
};

enum { CALENDAR_EVENTS_MOST = 10000, CALENDAR_FILE_MOST = 8 * 1024 * 1024 };

/* NULL with errors at the lines of the file. That it has no event that counts, or only such as are over, is a
 * warning. Events that are cancelled do not count; of a changed one among those that recur (RECURRENCE-ID)
 * the change counts. */
struct calendar *calendar_of_file(const struct calendar_file *file, struct problems *problems);

#endif
