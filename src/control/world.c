/* SPDX-License-Identifier: PostgreSQL */
#include "control/world.h"

const char *window_kind_name(enum window_kind kind)
{
    static const char *const names[] = {
        [WINDOW_WEEKLY] = "weekly",     [WINDOW_RULE] = "rule",       [WINDOW_ONCE] = "once",
        [WINDOW_CALENDAR] = "calendar", [WINDOW_OPENING] = "opening", [WINDOW_FREEZE] = "freeze",
    };
    return names[kind];
}

const char *window_state_name(enum window_state state)
{
    static const char *const names[] = {
        [WINDOW_CLOSED] = "closed",
        [WINDOW_OPEN] = "open",
        [WINDOW_FROZEN] = "frozen",
    };
    return names[state];
}
