/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONFIG_CHECK_H
#define CONFIG_CHECK_H

#include "config/origin.h"

/* What settings must be to each other: names that are unique and known, addresses that differ, a console that
 * is guarded, windows that last, rules that are reached. Bears with values that could not be read. */
void settings_check(const struct settings *settings, const struct origins *origins,
                    struct problems *problems);

#endif
