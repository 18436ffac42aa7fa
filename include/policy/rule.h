/* SPDX-License-Identifier: PostgreSQL */
#ifndef POLICY_RULE_H
#define POLICY_RULE_H

#include "base/text.h"

#include <libical/ical.h>

/* A rule by which times come back (RFC 5545, 3.3.10). libical walks it in local time, on a clock without
 * zones: what a zone makes of the times, and where UNTIL cuts them, is the series' business. */
struct rule {
    struct icalrecurrencetype recurrence; /* its UNTIL is taken out */
    bool has_until;
    struct icaltimetype until;
};

/* Reads "FREQ=MONTHLY;BYDAY=1SU". False with what is wrong with it, and with which part: what RFC 5545 does
 * not allow, what never occurs (day 31 in February), and what nobody means by a window (FREQ=SECONDLY or
 * MINUTELY, a COUNT of more than 10000). */
MUST_USE bool rule_read(const char *text, struct rule *out, struct text *why);

/* Of a rule that counts: where it begins at `start`, turns its COUNT into the UNTIL that is the same, so that
 * it can be walked from anywhere. One that takes very long to its end stays as it is. */
void rule_settle(struct rule *rule, int64_t start);

/* Goes through a rule's times, in local seconds. */
struct rule_walk {
    icalrecur_iterator *iterator;
};
/* The times of a rule that begins at `start`: from `from` on (some before it may come first), none of them
 * after `last`. */
struct rule_walk rule_walk_begin(const struct rule *rule, int64_t start, int64_t from, int64_t last);
/* The next time; false after the last. */
MUST_USE bool rule_walk_next(struct rule_walk *walk, int64_t *local);
void rule_walk_end(struct rule_walk *walk);

#endif
