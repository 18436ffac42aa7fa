/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_WINDOWS_COMMAND_H
#define APP_WINDOWS_COMMAND_H

#include "app/plan.h"

enum { WINDOWS_NEXT_STANDARD = 10, WINDOWS_NEXT_MOST = 1000 };

/* What pgsluice windows shows: what is open at a moment, and what opens next. */
struct windows_question {
    int64_t at_us;
    uint32_t next; /* how many that open next */
    bool wants_json;
};

/* Writes it to standard output. False when that or memory fails. */
MUST_USE bool windows_print(const struct plan *plan, const struct windows_question *question);

#endif
