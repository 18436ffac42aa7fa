/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_VIGIL_LESSONS_H
#define APP_VIGIL_LESSONS_H

#include "app/vigil.h"

/* What a vigil learns from the history, which may be NULL, and what it writes there. */

/* From when on the history counted; `now_us` where it counted nothing yet. */
int64_t vigil_known_since(struct history *history, int64_t now_us);
/* Teaches the violations of the last weeks, by constraint and by family. */
void vigil_teach(struct vigil *vigil, struct history *history, int64_t now_us);

#endif
