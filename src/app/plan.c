/* SPDX-License-Identifier: PostgreSQL */
#include "app/plan.h"

#include "app/place.h"

#include <stdlib.h>

static void copy_setting(const char *from, char *to, size_t capacity)
{
    (void)bytes_copy_text(bytes_text(from), to, capacity);
}

static enum safety_level level_of(enum setting_allow allow)
{
    return allow == ALLOW_ADDITIVE ? LEVEL_ADDITIVE : LEVEL_MODIFYING;
}

static void window_read(struct window *window, const struct settings *settings, size_t index,
                        struct problems *problems)
{
    static const char list[] = "guard.windows";
    const struct window_settings *from = &settings->guard.windows.items[index];
    copy_setting(from->name, window->name, sizeof(window->name));
    copy_setting(from->timezone, window->timezone, sizeof(window->timezone));
    window->days = (uint8_t)from->days;
    window->allow = level_of(from->allow);
    if (!window_parse_time(from->from, &window->from_minute))
        problem_at(problems, settings, list, index, "from", false,
                   "not a time of day: expected HH:MM, such as 02:00");
    if (!window_parse_time(from->to, &window->to_minute))
        problem_at(problems, settings, list, index, "to", false,
                   "not a time of day: expected HH:MM, such as 04:00 or 24:00");
    if (!timezone_is_known(window->timezone))
        problem_at(problems, settings, list, index, "timezone", false,
                   "unknown time zone: expected a name of the IANA database, such as America/New_York");
}

static void freeze_read(struct freeze *freeze, const struct settings *settings, size_t index, int64_t now_us,
                        struct problems *problems)
{
    static const char list[] = "guard.freezes";
    static const char form[] =
        "not a moment: expected RFC 3339 with an offset, such as 2026-11-26T00:00:00-05:00";
    const struct freeze_settings *from = &settings->guard.freezes.items[index];
    copy_setting(from->name, freeze->name, sizeof(freeze->name));
    copy_setting(from->reason, freeze->reason, sizeof(freeze->reason));
    bool has_from = instant_parse(from->from, &freeze->from_us);
    bool has_to = instant_parse(from->to, &freeze->to_us);
    if (!has_from)
        problem_at(problems, settings, list, index, "from", false, form);
    if (!has_to)
        problem_at(problems, settings, list, index, "to", false, form);
    if (has_from && has_to && freeze->to_us <= freeze->from_us)
        problem_at(problems, settings, list, index, "to", false,
                   "the freeze ends before it begins: expected a moment after `from`");
    else if (has_to && freeze->to_us <= now_us)
        problem_at(problems, settings, list, index, "to", true,
                   "this freeze is over and closes nothing any more");
}

static void rule_read(struct service_rule *rule, const struct service_settings *from)
{
    copy_setting(from->name, rule->name, sizeof(rule->name));
    copy_setting(from->when.application_name, rule->application_name, sizeof(rule->application_name));
    copy_setting(from->when.user, rule->user, sizeof(rule->user));
    copy_setting(from->when.database, rule->database, sizeof(rule->database));
    rule->has_network = from->when.address.family != ADDRESS_NONE;
    rule->network = from->when.address;
}

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

static void *list_of(size_t count, size_t size)
{
    return calloc(count > 0 ? count : 1, size);
}

static void plan_assemble(struct plan *plan, const struct settings *settings)
{
    plan->policy = (struct policy_plan){
        .mode = mode_of(settings->guard.mode),
        .sqlstate = settings->guard.sqlstate,
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
    plan->windows = list_of(settings->guard.windows.count, sizeof(*plan->windows));
    plan->freezes = list_of(settings->guard.freezes.count, sizeof(*plan->freezes));
    plan->rules = list_of(settings->services.count, sizeof(*plan->rules));
    if (plan->windows == NULL || plan->freezes == NULL || plan->rules == NULL) {
        problems_add(problems, "", 0, 0, "out of memory");
        plan_release(plan);
        return false;
    }
    for (size_t index = 0; index < settings->guard.windows.count; index++)
        window_read(&plan->windows[index], settings, index, problems);
    for (size_t index = 0; index < settings->guard.freezes.count; index++)
        freeze_read(&plan->freezes[index], settings, index, now_us, problems);
    for (size_t index = 0; index < settings->services.count; index++)
        rule_read(&plan->rules[index], &settings->services.items[index]);
    plan_assemble(plan, settings);
    if (problems->error_count > errors_before) {
        plan_release(plan);
        return false;
    }
    return true;
}

void plan_release(struct plan *plan)
{
    free(plan->windows);
    free(plan->freezes);
    free(plan->rules);
    *plan = (struct plan){ .windows = NULL };
}
