/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONFIG_FINDING_H
#define CONFIG_FINDING_H

#include "config/origin.h"

/* The settings that are checked, and where it is said what was found in them. */
struct findings {
    const struct settings *settings;
    const struct origins *origins;
    struct problems *problems;
    size_t read_count; /* of the problems that are kept, those that reading the file gave */
};

/* The path of a setting, in storage of its own: "listen[0].routes[2].upstream". */
struct setting_path {
    char text[128];
};

struct setting_path setting_path(const char *format, ...) PRINTF_LIKE(1, 2);

/* Says what is wrong, then what would be right, at the place of a path. */
void findings_fault(const struct findings *findings, const char *path, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* The same for what is worth saying but refuses nothing. */
void findings_warn(const struct findings *findings, const char *path, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* Whether an error stands already where the setting does: it could not be read, so nothing follows from it.
 */
bool findings_has_error(const struct findings *findings, const char *path);
/* Whether the file has the setting, with another value than the default. */
bool findings_is_changed(const struct findings *findings, const char *path);

#endif
