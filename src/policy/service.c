/* SPDX-License-Identifier: PostgreSQL */
#include "policy/service.h"

/* Only the last * is ever tried again: what an earlier one left behind has matched at its first place, and a
 * later place could not help. */
bool pattern_matches(const char *pattern, struct bytes text)
{
    const char *star = NULL;
    size_t retry_at = 0;
    size_t at = 0;
    while (at < text.size) {
        if (*pattern == '*') {
            star = ++pattern;
            retry_at = at;
        } else if (*pattern != '\0' && (*pattern == '?' || (uint8_t)*pattern == text.data[at])) {
            pattern++;
            at++;
        } else if (star != NULL) {
            pattern = star;
            at = ++retry_at;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

static bool condition_holds(const char *pattern, struct bytes text)
{
    return pattern[0] == '\0' || pattern_matches(pattern, text);
}

static bool rule_holds(const struct service_rule *rule, const struct identity *identity)
{
    if (rule->has_network && (identity->address == NULL || !network_holds(&rule->network, identity->address)))
        return false;
    return condition_holds(rule->application_name, identity->application_name) &&
           condition_holds(rule->user, identity->user) && condition_holds(rule->database, identity->database);
}

struct bytes service_resolve(const struct service_rule *rules, size_t count, const struct identity *identity)
{
    for (size_t i = 0; i < count; i++) {
        if (rule_holds(&rules[i], identity))
            return bytes_text(rules[i].name);
    }
    return identity->application_name.size > 0 ? identity->application_name : identity->user;
}
