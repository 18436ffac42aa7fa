/* SPDX-License-Identifier: PostgreSQL */
#include "app/plan_guard.h"

#include "app/plan_windows.h"
#include "config/schema.h"

#include <stdio.h>

enum { PATH_SIZE = 96 };

_Static_assert(CLASS_COUNT <= 16, "classes are kept as bits of 16");

static enum guard_mode mode_of(enum setting_mode mode)
{
    switch (mode) {
    case MODE_OBSERVE:
        return GUARD_OBSERVE;
    case MODE_OFF:
        return GUARD_OFF;
    default:
        return GUARD_ENFORCE;
    }
}

static enum rule_action action_of(enum setting_action action)
{
    switch (action) {
    case SETTING_ACTION_ALLOW:
        return RULE_ALLOW;
    case SETTING_ACTION_REFUSE:
        return RULE_REFUSE;
    default:
        return RULE_WINDOW;
    }
}

/* A class and its word are of one name. */
uint16_t plan_classes(unsigned words)
{
    uint16_t classes = 0;
    for (unsigned class = 0; class < CLASS_COUNT; class ++) {
        unsigned word = 0;
        struct bytes name = bytes_text(statement_class_name((enum statement_class) class));
        if (schema_word_find(CHOICE_setting_class, name, &word) && (words >> word & 1U) != 0)
            classes = (uint16_t)(classes | 1U << class);
    }
    return classes;
}

static void scope_read(struct scope *scope, const struct subject_settings *from)
{
    plan_copy(from->service, scope->service, sizeof(scope->service));
    plan_copy(from->user, scope->user, sizeof(scope->user));
    plan_copy(from->database, scope->database, sizeof(scope->database));
    scope->has_network = from->address.family != ADDRESS_NONE;
    scope->network = from->address;
}

static void object_read(const struct settings *settings, const char *path, const char *text,
                        struct object_pattern *out, struct problems *problems)
{
    struct settings_place place = settings_place(settings, path);
    if (!object_pattern_read(text, out))
        problems_add(problems, place.file, place.line, place.column, "%s: too long for a pattern of objects",
                     path);
}

/* The windows of the settings have the places that they have in the plan. */
static void rule_read_windows(struct guard_rule *rule, const struct rule_settings *from,
                              const struct guard_settings *guard)
{
    rule->has_windows = from->windows.count > 0;
    for (size_t i = 0; i < from->windows.count; i++)
        for (size_t index = 0; index < guard->windows.count; index++)
            if (strcmp(from->windows.items[i], guard->windows.items[index].name) == 0)
                rule->windows[index / 64] |= (uint64_t)1 << index % 64;
}

static void rule_read(struct guard_rule *rule, const struct settings *settings, size_t index,
                      struct problems *problems)
{
    const struct rule_settings *from = &settings->guard.rules.items[index];
    const struct matter_settings *when = &from->when;
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof(path), "guard.rules[%zu].when.object", index);
    plan_copy(from->name, rule->name, sizeof(rule->name));
    scope_read(&rule->scope,
               &(struct subject_settings){ when->service, when->user, when->database, when->address });
    rule->has_object = when->object[0] != '\0';
    if (rule->has_object)
        object_read(settings, path, when->object, &rule->object, problems);
    rule->classes = plan_classes(when->class);
    rule->action = action_of(from->action);
    rule->most = plan_level(from->most);
    rule_read_windows(rule, from, &settings->guard);
}

static void plan_assemble(struct plan *plan, const struct guard_settings *guard)
{
    struct policy_plan *policy = &plan->policy;
    policy->mode = mode_of(guard->mode);
    policy->modes = plan->modes;
    policy->mode_count = guard->modes.count;
    policy->sqlstate = guard->sqlstate;
    policy->readonly_sqlstate = guard->readonly_sqlstate;
    policy->lets_transactions_finish = guard->at_window_end == EDGE_FINISH;
    policy->has_turns = guard->one_change_at_a_time;
    policy->rest_us = guard->rest_between_changes;
    policy->guard_rules = plan->guard_rules;
    policy->guard_rule_count = guard->rules.count;
    policy->protected = plan->protected;
    policy->protected_count = guard->protected.count;
}

void plan_read_guard(struct plan *plan, const struct settings *settings, struct problems *problems)
{
    const struct guard_settings *guard = &settings->guard;
    plan_assemble(plan, guard);
    for (size_t i = 0; i < guard->modes.count; i++) {
        scope_read(&plan->modes[i].scope, &guard->modes.items[i].when);
        plan->modes[i].mode = mode_of(guard->modes.items[i].mode);
    }
    for (size_t i = 0; i < guard->rules.count; i++)
        rule_read(&plan->guard_rules[i], settings, i, problems);
    for (size_t i = 0; i < guard->protected.count; i++) {
        char path[PATH_SIZE];
        (void)snprintf(path, sizeof(path), "guard.protected[%zu]", i);
        object_read(settings, path, guard->protected.items[i], &plan->protected[i], problems);
    }
}
