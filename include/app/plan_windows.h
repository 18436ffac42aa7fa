/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_PLAN_WINDOWS_H
#define APP_PLAN_WINDOWS_H

#include "app/plan.h"

/* What a window that says this lets pass at most. */
enum safety_level plan_level(enum setting_allow allow);

/* Reads the windows and freezes of the settings, and the files of calendars that they name, into the plan's
 * lists; problems as plan_create has them. */
void plan_read_windows(struct plan *plan, const struct settings *settings, int64_t now_us,
                       struct problems *problems);

#endif
