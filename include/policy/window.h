/* SPDX-License-Identifier: PostgreSQL */
#ifndef POLICY_WINDOW_H
#define POLICY_WINDOW_H

#include "base/text.h"
#include "policy/scope.h"
#include "sql/class.h"

/* Windows and time zones. The zones are the system's (/usr/share/zoneinfo), read when first asked for and
 * then kept: what is read of them is process-wide and unlocked, so that all of this runs on one thread, the
 * control thread. No clock is read: `now` is always given. */

enum { POLICY_NAME_SIZE = 64, POLICY_TIMEZONE_SIZE = 64, POLICY_REASON_SIZE = 256, INSTANT_TEXT_SIZE = 40 };

struct calendar;

/* How a window's times are given. */
enum window_form { WINDOW_FORM_WEEKLY, WINDOW_FORM_RULE, WINDOW_FORM_ONCE, WINDOW_FORM_CALENDAR };

/* A maintenance window. With a calendar (calendar.h) its times are those; else it is a weekly one, in local
 * time of its zone. It belongs to the days on which it begins; when `to` is not after `from` it ends on the
 * next day. At a change to or from daylight saving a local time that does not exist is taken with the offset
 * before the gap, one that occurs twice is its first occurrence (RFC 5545, 3.3.5). A day on which this leaves
 * nothing of the window (02:30 to 03:00, with the gap from 02:00 to 03:00) has no occurrence. What a calendar
 * says of local times is taken alike. */
struct window {
    char name[POLICY_NAME_SIZE];
    enum window_form form;
    struct calendar *calendar;           /* NULL: weekly; whoever made the window destroys it */
    uint8_t days;                        /* bit 0 Sunday ... bit 6 Saturday */
    uint16_t from_minute;                /* of the day, 0-1439 */
    uint16_t to_minute;                  /* 0-1440 */
    char timezone[POLICY_TIMEZONE_SIZE]; /* IANA name */
    enum safety_level allow;
};

/* Times in which no window opens: one, or those of a calendar. */
struct freeze {
    char name[POLICY_NAME_SIZE];
    struct calendar *calendar; /* NULL: from_us to to_us; whoever made the freeze destroys it */
    int64_t from_us;           /* µs since 1970; [from, to) */
    int64_t to_us;
    char reason[POLICY_REASON_SIZE];
};

/* A window that an operator opened by hand, for all or for some. Freezes do not close it: it is the way
 * through one. */
struct opening {
    char name[POLICY_NAME_SIZE];
    int64_t from_us;
    int64_t to_us;
    enum safety_level allow;
    struct scope scope;
    char reason[POLICY_REASON_SIZE];
    char opened_by[POLICY_NAME_SIZE];
};

/* Whether the time zone database knows this name. */
bool timezone_is_known(const char *name);
/* Reads "02:00" or "24:00" (only as an end) into minutes of the day. */
MUST_USE bool window_parse_time(const char *text, uint16_t *minute);
/* Reads RFC 3339 with an offset or Z, seconds and fraction optional: "2026-11-26T00:00:00-05:00". The years
 * are 1970 to 9999. */
MUST_USE bool instant_parse(const char *text, int64_t *time_us);
/* Appends an instant as local time of the zone with its offset: 2026-11-22T02:00:00-05:00; in UTC when the
 * zone is not known. */
void instant_describe(int64_t time_us, const char *zone_name, struct text *out);

struct occurrence {
    int64_t from_us;
    int64_t to_us;
};

/* Of the window's occurrences that end after `after_us` the one that begins first. False when there is none
 * within ten years, or the zone is not known. */
MUST_USE bool window_next(const struct window *window, int64_t after_us, struct occurrence *out);
/* The same of a freeze. */
MUST_USE bool freeze_next(const struct freeze *freeze, int64_t after_us, struct occurrence *out);

#endif
