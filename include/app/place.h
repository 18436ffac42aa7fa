/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_PLACE_H
#define APP_PLACE_H

#include "config/settings.h"

/* Adds an error, or a warning, about the setting LIST[INDEX].NAME at its place in the file. */
void problem_at(struct problems *problems, const struct settings *settings, const char *list, size_t index,
                const char *name, bool is_warning, const char *text);

#endif
