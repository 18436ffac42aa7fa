/* SPDX-License-Identifier: PostgreSQL */
#include "control/rule_rows.h"

static void scope_show(const struct scope *scope, struct rule_row *row)
{
    struct text address;
    row->scope = *scope;
    text_init(&address, row->address, sizeof row->address);
    if (scope->has_network)
        network_describe(&scope->network, &address);
}

static void object_show(const struct object_pattern *object, struct rule_row *row)
{
    struct text text;
    text_init(&text, row->object, sizeof row->object);
    if (object->schema[0] != '\0')
        text_append_format(&text, "%s.", object->schema);
    text_append_string(&text, object->name[0] != '\0' ? object->name : "*");
}

static void append_listed(struct text *list, const char *name)
{
    text_append_string(list, list->size > 0 ? ", " : "");
    text_append_string(list, name);
}

static void classes_show(uint16_t classes, struct rule_row *row)
{
    struct text text;
    text_init(&text, row->classes, sizeof row->classes);
    for (unsigned class = 0; class < CLASS_COUNT; class ++)
        if ((classes >> class & 1) != 0)
            append_listed(&text, statement_class_name((enum statement_class) class));
}

static void windows_show(const struct guard_rule *rule, const struct gate_plan *plan, struct rule_row *row)
{
    struct text text;
    text_init(&text, row->windows, sizeof row->windows);
    for (size_t i = 0; rule->has_windows && i < plan->window_count && i < POLICY_WINDOWS_MOST; i++)
        if ((rule->windows[i / 64] >> i % 64 & 1) != 0)
            append_listed(&text, plan->windows[i].name);
}

static const char *action_name(enum rule_action action)
{
    static const char *const names[] = {
        [RULE_WINDOW] = "window",
        [RULE_ALLOW] = "allow",
        [RULE_REFUSE] = "refuse",
    };
    return names[action];
}

static void mode_row(const struct scoped_mode *mode, struct rule_row *row)
{
    *row = (struct rule_row){ .kind = RULE_KIND_MODE, .mode = guard_mode_name(mode->mode) };
    scope_show(&mode->scope, row);
}

static void protected_row(const struct object_pattern *object, struct rule_row *row)
{
    *row = (struct rule_row){ .kind = RULE_KIND_PROTECTED, .action = action_name(RULE_REFUSE) };
    object_show(object, row);
}

static void guard_rule_row(const struct guard_rule *rule, const struct gate_plan *plan, struct rule_row *row)
{
    *row =
        (struct rule_row){ .kind = RULE_KIND_RULE, .name = rule->name, .action = action_name(rule->action) };
    scope_show(&rule->scope, row);
    if (rule->has_object)
        object_show(&rule->object, row);
    classes_show(rule->classes, row);
    if (rule->action == RULE_WINDOW) {
        row->most = safety_level_name(rule->most);
        windows_show(rule, plan, row);
    }
}

size_t rule_rows_most(const struct policy_plan *plan)
{
    return plan->mode_count + 1 + plan->protected_count + plan->guard_rule_count;
}

size_t rule_rows_fill(const struct policy_plan *plan, struct rule_row *rows, size_t most)
{
    const struct scoped_mode others = { .mode = plan->mode };
    size_t count = 0;
    for (size_t i = 0; i <= plan->mode_count && count < most; i++)
        mode_row(i < plan->mode_count ? &plan->modes[i] : &others, &rows[count++]);
    for (size_t i = 0; i < plan->protected_count && count < most; i++)
        protected_row(&plan->protected[i], &rows[count++]);
    for (size_t i = 0; i < plan->guard_rule_count && count < most; i++)
        guard_rule_row(&plan->guard_rules[i], &plan->gate, &rows[count++]);
    return count;
}
