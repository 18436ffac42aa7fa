/* SPDX-License-Identifier: PostgreSQL */
#include "policy/guard_rule.h"

static bool is_of_class(const struct guard_rule *rule, enum statement_class class)
{
    return rule->classes != 0 ? (rule->classes >> class & 1) != 0 : statement_class_is_guarded(class);
}

static bool may_change_one(const struct object_pattern *pattern, const struct object_names *objects)
{
    if (objects == NULL || !objects->is_complete)
        return true;
    for (size_t index = 0; index < objects->count; index++) {
        if (object_pattern_may_match(pattern, &objects->names[index]))
            return true;
    }
    return false;
}

static bool changes_only_such(const struct object_pattern *pattern, const struct object_names *objects)
{
    if (objects == NULL || !objects->is_complete || objects->count == 0)
        return false;
    for (size_t index = 0; index < objects->count; index++) {
        if (!object_pattern_matches(pattern, &objects->names[index]))
            return false;
    }
    return true;
}

/* The names are those of schema changes alone: what another class reaches is not known. */
static bool is_about_objects(const struct guard_rule *rule, const struct rule_question *question)
{
    const struct object_names *objects =
        statement_class_is_guarded(question->class) ? question->objects : NULL;
    if (rule->action == RULE_REFUSE)
        return may_change_one(&rule->object, objects);
    return changes_only_such(&rule->object, objects);
}

bool guard_rule_holds(const struct guard_rule *rule, const struct rule_question *question)
{
    return is_of_class(rule, question->class) && scope_has(&rule->scope, question->subject) &&
           (!rule->has_object || is_about_objects(rule, question));
}
