/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_REPORT_H
#define APP_REPORT_H

#include <stdbool.h>

/* What happened in a period, from the history: what goes into the channel of an incident. */
struct report_request {
    const char *history; /* the file */
    const char *since;   /* a span back from now (1h, 30m, 2d) or RFC 3339; NULL: an hour */
    const char *until;   /* the same; NULL: now */
    const char *service; /* its counts and incidents only; empty: of all */
    const char *format;  /* text, json or md; NULL: text */
};

/* Writes to the standard output, whether the program runs or not. Returns the exit status: 0, 1 when the
 * history cannot be read, 2 when what is asked for makes no sense. */
int report_run(const struct report_request *request);

#endif
