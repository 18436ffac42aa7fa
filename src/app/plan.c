/* SPDX-License-Identifier: PostgreSQL */
#include "app/plan.h"

#include "app/plan_guard.h"
#include "app/plan_windows.h"
#include "policy/calendar.h"

#include <stdlib.h>

void plan_copy(const char *from, char *to, size_t capacity)
{
    (void)bytes_copy_text(bytes_text(from), to, capacity);
}

static void rule_read(struct service_rule *rule, const struct service_settings *from)
{
    plan_copy(from->name, rule->name, sizeof(rule->name));
    plan_copy(from->when.application_name, rule->application_name, sizeof(rule->application_name));
    plan_copy(from->when.user, rule->user, sizeof(rule->user));
    plan_copy(from->when.database, rule->database, sizeof(rule->database));
    rule->has_network = from->when.address.family != ADDRESS_NONE;
    rule->network = from->when.address;
}

static void *list_of(size_t count, size_t size)
{
    return calloc(count > 0 ? count : 1, size);
}

/* False when memory is short. */
static bool plan_reserve(struct plan *plan, const struct settings *settings)
{
    const struct guard_settings *guard = &settings->guard;
    plan->windows = list_of(guard->windows.count, sizeof(*plan->windows));
    plan->freezes = list_of(guard->freezes.count, sizeof(*plan->freezes));
    plan->modes = list_of(guard->modes.count, sizeof(*plan->modes));
    plan->guard_rules = list_of(guard->rules.count, sizeof(*plan->guard_rules));
    plan->protected = list_of(guard->protected.count, sizeof(*plan->protected));
    plan->rules = list_of(settings->services.count, sizeof(*plan->rules));
    return plan->windows != NULL && plan->freezes != NULL && plan->modes != NULL &&
           plan->guard_rules != NULL && plan->protected != NULL && plan->rules != NULL;
}

static void plan_assemble(struct plan *plan, const struct settings *settings)
{
    plan->policy = (struct policy_plan){
        .gate = { .windows = plan->windows,
                  .window_count = settings->guard.windows.count,
                  .freezes = plan->freezes,
                  .freeze_count = settings->guard.freezes.count },
        .rules = plan->rules,
        .rule_count = settings->services.count,
    };
}

bool plan_create(struct plan *plan, const struct settings *settings, int64_t now_us,
                 struct problems *problems)
{
    size_t errors_before = problems->error_count;
    *plan = (struct plan){ .windows = NULL };
    if (!plan_reserve(plan, settings)) {
        problems_add(problems, "", 0, 0, "out of memory");
        plan_release(plan);
        return false;
    }
    plan_assemble(plan, settings);
    plan_read_windows(plan, settings, now_us, problems);
    plan_read_guard(plan, settings, problems);
    for (size_t index = 0; index < settings->services.count; index++)
        rule_read(&plan->rules[index], &settings->services.items[index]);
    if (problems->error_count > errors_before) {
        plan_release(plan);
        return false;
    }
    return true;
}

void plan_release(struct plan *plan)
{
    for (size_t index = 0; plan->windows != NULL && index < plan->policy.gate.window_count; index++)
        calendar_destroy(plan->windows[index].calendar);
    for (size_t index = 0; plan->freezes != NULL && index < plan->policy.gate.freeze_count; index++)
        calendar_destroy(plan->freezes[index].calendar);
    free(plan->windows);
    free(plan->freezes);
    free(plan->modes);
    free(plan->guard_rules);
    free(plan->protected);
    free(plan->rules);
    *plan = (struct plan){ .windows = NULL };
}
