/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_PLAN_GUARD_H
#define APP_PLAN_GUARD_H

#include "app/plan.h"

/* Reads what the settings of the guard say besides windows and freezes into the plan's lists and its policy;
 * problems as plan_create has them. */
void plan_read_guard(struct plan *plan, const struct settings *settings, struct problems *problems);
/* The classes, a bit 1 << class for each, of a set of words (1 << SETTING_CLASS_...). */
uint16_t plan_classes(unsigned words);

#endif
