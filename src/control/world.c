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

const char *rule_kind_name(enum rule_kind kind)
{
    static const char *const names[] = {
        [RULE_KIND_MODE] = "mode",
        [RULE_KIND_PROTECTED] = "protected",
        [RULE_KIND_RULE] = "rule",
    };
    return names[kind];
}
