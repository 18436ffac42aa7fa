/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_PLAN_H
#define APP_PLAN_H

#include "config/settings.h"
#include "policy/policy.h"

/* What the settings say about policy, read with the calendar in hand. */
struct plan {
    struct policy_plan policy; /* its openings and orders are the owner's to set */
    struct window *windows;    /* with their calendars */
    struct freeze *freezes;
    struct scoped_mode *modes;
    struct guard_rule *guard_rules;
    struct object_pattern *protected;
    struct service_rule *rules;
};

/* Reads windows, freezes, rules and services, and the calendars that they name; what is wrong with them (an
 * unknown time zone, an end before its beginning) is added to the problems with its place. False when
 * something is. `now_us` is for warnings about what is over. */
MUST_USE bool plan_create(struct plan *plan, const struct settings *settings, int64_t now_us,
                          struct problems *problems);
void plan_release(struct plan *plan);
/* Copies the text of a setting, which its checks have found to fit. */
void plan_copy(const char *from, char *to, size_t capacity);

#endif
