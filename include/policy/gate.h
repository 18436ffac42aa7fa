/* SPDX-License-Identifier: PostgreSQL */
#ifndef POLICY_GATE_H
#define POLICY_GATE_H

#include "policy/window.h"

/* What the gate lets pass, as a line of time computed beforehand: workers only look up a moment in it, no
 * calendar is read on their side. Immutable once made. */
struct gate_span {
    int64_t from_us;
    int64_t to_us;
    enum safety_level allow; /* the highest of the windows and openings that are open */
    bool is_freeze;
    char
        name[POLICY_NAME_SIZE]; /* of the window or opening that allows it, or of the freeze that closes it */
    char timezone[POLICY_TIMEZONE_SIZE]; /* of the texts; openings and freezes have that of the plan */
    char from_text[INSTANT_TEXT_SIZE];   /* from_us as local time with its offset */
    char to_text[INSTANT_TEXT_SIZE]; /* to_us likewise; of a freeze, its own end, however openings cut it */
    char reason[POLICY_REASON_SIZE]; /* of an opening or a freeze; may be empty */
};

struct gate {
    struct gate_span *spans; /* by time, none overlaps another; between them the gate is closed */
    size_t count;
    int64_t from_us; /* what the line covers */
    int64_t to_us;
};

struct gate_plan {
    const struct window *windows;
    size_t window_count;
    const struct freeze *freezes;
    size_t freeze_count;
    const struct opening *openings;
    size_t opening_count;
    const char *timezone; /* of what has none of its own; NULL: that of the first window, else UTC */
};

/* The zone in which times of the plan are shown that have none of their own. */
const char *gate_plan_timezone(const struct gate_plan *plan);
/* Makes the line that holds for all from `from_us` on for `length_us`: moment by moment what the plan's
 * windows allow, the highest of them; nothing while a freeze lasts; and what an opening for all allows,
 * whatever else holds. Among equals an opening decides before a window, and else the first in the plan. Reads
 * time zones, as window.h says. False when memory is short. */
MUST_USE bool gate_init(struct gate *gate, const struct gate_plan *plan, int64_t from_us, int64_t length_us);
void gate_release(struct gate *gate);
/* The span of one of the plan's openings, whomever it is for. */
void gate_span_of_opening(const struct gate_plan *plan, size_t index, struct gate_span *out);
/* The span in force at `now_us`, or NULL: closed. A freeze is a span that allows LEVEL_NONE. Outside of what
 * the line covers it is closed. */
const struct gate_span *gate_at(const struct gate *gate, int64_t now_us);
/* The first span after or at `now_us` that allows `level`, or NULL when there is none in the line. */
const struct gate_span *gate_next(const struct gate *gate, enum safety_level level, int64_t now_us);

#endif
