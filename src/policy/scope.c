/* SPDX-License-Identifier: PostgreSQL */
#include "policy/scope.h"

bool scope_is_open(const struct scope *scope)
{
    return scope->service[0] == '\0' && scope->user[0] == '\0' && scope->database[0] == '\0' &&
           !scope->has_network;
}

static bool condition_holds(const char *pattern, struct bytes text)
{
    return pattern[0] == '\0' || pattern_matches(pattern, text);
}

bool scope_has(const struct scope *scope, const struct guard_subject *subject)
{
    if (scope->has_network && (subject->address == NULL || !network_holds(&scope->network, subject->address)))
        return false;
    return condition_holds(scope->service, subject->service) && condition_holds(scope->user, subject->user) &&
           condition_holds(scope->database, subject->database);
}
