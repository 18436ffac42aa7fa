/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_CLASSIFY_H
#define APP_CLASSIFY_H

#include <stdbool.h>

/* Tells of each statement of a script what the guard makes of it, before anybody runs it. */
struct classify_request {
    const char *path;    /* of the script; "-" is the standard input */
    const char *config;  /* settings whose windows are asked; NULL: none are */
    const char *at;      /* the moment in question, RFC 3339; NULL: now */
    const char *service; /* who will run it, for rules, modes and openings that ask; "" where not said */
    const char *user;
    const char *database;
    bool wants_json; /* one object a line instead of text */
};

/* Writes to the standard output. 0 when all statements would pass an enforcing guard then (without settings:
 * when none needs a window), 1 when some would not, 2 when it cannot be told: the script, the settings or the
 * moment cannot be read. */
int classify_run(const struct classify_request *request);

#endif
