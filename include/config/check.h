/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONFIG_CHECK_H
#define CONFIG_CHECK_H

#include "config/finding.h"

/* What settings must be to each other: names that are unique and known, addresses that differ, a console that
 * is guarded, windows that last, rules that are reached. Bears with values that could not be read. */
void settings_check(const struct settings *settings, const struct origins *origins,
                    struct problems *problems);

/* Its part about upstreams: listeners and routes lead to those that are there, all of them are reached, and
 * none is asked for nothing. */
void upstreams_check(const struct findings *findings);
/* Whether the listener or one of its routes names the upstream. */
bool listen_leads_to(const struct listen_settings *listen, const char *upstream);
/* Its part about windows: each window and freeze has the settings of its form, and no others. */
void windows_check(const struct findings *findings);
/* Its part about the rest of the guard: modes and rules are reached and have an effect, the windows that they
 * name are there, patterns of objects can hold. */
void guard_check(const struct findings *findings);
/* Its part about encryption: what a mode needs is there, and what is there has an effect. */
void tls_check(const struct findings *findings);
/* Its part about alerts: a webhook and a command that can be called, and something to tell them. */
void alerts_check(const struct findings *findings);

#endif
