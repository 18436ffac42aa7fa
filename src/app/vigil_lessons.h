/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_VIGIL_LESSONS_H
#define APP_VIGIL_LESSONS_H

#include "app/recollection.h"

/* What a vigil learns of the violations of the last weeks, by constraint and by family, and of when nobody
 * watched. */

/* Of the minute in which the program began, before it writes to it itself. */
struct recent_lessons;

/* NULL when they could not all be read. */
struct recent_lessons *recent_lessons_read(const struct recollection *recollection);
void recent_lessons_free(struct recent_lessons *recent);
/* Teaches the weeks before that minute, then that minute; of what was violated in an incident that goes on,
 * nothing since its start. False when not all was taught. */
MUST_USE bool vigil_teach(struct recollection *recollection, const struct recent_lessons *recent);

#endif
