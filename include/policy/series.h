/* SPDX-License-Identifier: PostgreSQL */
#ifndef POLICY_SERIES_H
#define POLICY_SERIES_H

#include "policy/rule.h"
#include "policy/window.h"

/* A time as a calendar writes it: on the clock of its zone, or a day. */
struct moment {
    int64_t local; /* seconds on that clock */
    icaltimezone *zone;
    bool is_date;
};

int64_t moment_second(struct moment moment);

/* How long an occurrence lasts: so much on the clock of its zone, and then so much time. */
struct extent {
    int64_t nominal; /* seconds, here and below */
    int64_t exact;
};

/* The times of one event (RFC 5545, 3.8.5): those of its rules and those that are named, without those that
 * are taken out. */
struct series {
    struct moment start;
    struct extent extent;
    bool has_start; /* the start is an occurrence, whatever the rules say, as an event's is */
    struct rule *rules;
    size_t rule_count;
    struct occurrence *added;
    size_t added_count;
    struct moment *removed; /* beginnings of occurrences, or whole days */
    size_t removed_count;
    const char *uid; /* of an event, as long as the file's roots are there */

    int64_t asked_us; /* the last answer, which holds while what is asked lies between */
    int64_t holds_us;
    struct occurrence answer;
    bool has_answer;
};

/* The lists grow one by one; false when memory is short. The start must be set before the first rule. */
MUST_USE bool series_add_rule(struct series *series, const struct rule *rule);
MUST_USE bool series_add(struct series *series, struct occurrence occurrence);
MUST_USE bool series_remove(struct series *series, struct moment moment);
void series_release(struct series *series);
/* The occurrence that begins then. */
struct occurrence series_occurrence(const struct series *series, struct moment begin);
/* Of the occurrences that end after `after_us` the one that begins first. False when there is none within ten
 * years. */
MUST_USE bool series_next(struct series *series, int64_t after_us, struct occurrence *out);

#endif
