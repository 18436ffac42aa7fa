/* SPDX-License-Identifier: PostgreSQL */
#include "app/gatekeeper.h"

#include <stdio.h>

static const int64_t policy_lives_us = INT64_C(3600) * 1000000;

void gatekeeper_init(struct gatekeeper *keeper)
{
    *keeper = (struct gatekeeper){ .policy = NULL };
}

void gatekeeper_release(struct gatekeeper *keeper)
{
    policy_release(keeper->policy);
    plan_release(&keeper->plan);
}

struct gate_plan gatekeeper_gate_plan(const struct gatekeeper *keeper)
{
    struct gate_plan plan = keeper->plan.policy.gate;
    plan.openings = keeper->openings;
    plan.opening_count = keeper->opening_count;
    return plan;
}

/* Makes the policy of the plan and the openings of now. When memory is short the old one stays in force. */
static bool policy_make(struct gatekeeper *keeper, const struct plan *plan, int64_t now_us)
{
    struct policy_plan whole = plan->policy;
    whole.gate.openings = keeper->openings;
    whole.gate.opening_count = keeper->opening_count;
    struct policy *policy = policy_create(&whole, now_us);
    if (policy == NULL)
        return false;
    policy_release(keeper->policy);
    keeper->policy = policy;
    keeper->made_us = now_us;
    return true;
}

bool gatekeeper_set_plan(struct gatekeeper *keeper, struct plan *plan, int64_t now_us)
{
    if (!policy_make(keeper, plan, now_us))
        return false;
    plan_release(&keeper->plan);
    keeper->plan = *plan;
    *plan = (struct plan){ .windows = NULL };
    return true;
}

static struct opening *opening_find(struct gatekeeper *keeper, const char *name)
{
    for (size_t index = 0; index < keeper->opening_count; index++)
        if (strcmp(keeper->openings[index].name, name) == 0)
            return &keeper->openings[index];
    return NULL;
}

static bool is_window_name(const struct gatekeeper *keeper, const char *name)
{
    for (size_t index = 0; index < keeper->plan.policy.gate.window_count; index++)
        if (strcmp(keeper->plan.windows[index].name, name) == 0)
            return true;
    return false;
}

/* A name that no window bears. */
static void opening_name_make(struct gatekeeper *keeper, char name[POLICY_NAME_SIZE])
{
    do
        (void)snprintf(name, POLICY_NAME_SIZE, "opening-%u", ++keeper->unnamed_made);
    while (opening_find(keeper, name) != NULL || is_window_name(keeper, name));
}

static void opening_fill(struct gatekeeper *keeper, const struct console_command *command,
                         const char *operator_name, int64_t now_us)
{
    struct opening *opening = &keeper->openings[keeper->opening_count];
    *opening = (struct opening){ .from_us = now_us,
                                 .to_us = now_us + command->duration_us,
                                 .allow = command->level,
                                 .scope = command->scope };
    if (command->name[0] != '\0')
        (void)bytes_copy_text(bytes_text(command->name), opening->name, sizeof(opening->name));
    else
        opening_name_make(keeper, opening->name);
    (void)bytes_copy_text(bytes_text(command->reason), opening->reason, sizeof(opening->reason));
    (void)bytes_copy_text(bytes_text(operator_name), opening->opened_by, sizeof(opening->opened_by));
    keeper->opening_count++;
}

/* Appends " for service "kds"" and the like. */
static void scope_describe(const struct scope *scope, struct text *text)
{
    const struct {
        const char *what;
        const char *pattern;
    } conditions[] = { { "service", scope->service },
                       { "user", scope->user },
                       { "database", scope->database } };
    const char *between = ", only for";
    for (size_t index = 0; index < COUNT_OF(conditions); index++) {
        if (conditions[index].pattern[0] == '\0')
            continue;
        text_append_format(text, "%s %s \"%s\"", between, conditions[index].what, conditions[index].pattern);
        between = " and";
    }
}

static void outcome_describe_opening(struct console_outcome *outcome, const struct opening *opening)
{
    struct text text;
    text_init(&text, outcome->message, sizeof(outcome->message));
    text_append_format(&text, "window \"%s\" is open for %s changes until ", opening->name,
                       safety_level_name(opening->allow));
    text_append_time(&text, opening->to_us);
    scope_describe(&opening->scope, &text);
}

bool gatekeeper_open(struct gatekeeper *keeper, const struct console_command *command,
                     const char *operator_name, int64_t now_us, struct console_outcome *outcome,
                     struct opening *made)
{
    if (opening_find(keeper, command->name) != NULL || is_window_name(keeper, command->name)) {
        outcome_fail(outcome, "42710", "a window named \"%s\" exists already", command->name);
        return false;
    }
    if (keeper->opening_count == OPENINGS_MOST) {
        outcome_fail(outcome, "53400", "%d windows are open by hand already, as many as there may be",
                     OPENINGS_MOST);
        outcome_hint(outcome, "CLOSE WINDOW ends one.");
        return false;
    }
    opening_fill(keeper, command, operator_name, now_us);
    if (!policy_make(keeper, &keeper->plan, now_us)) {
        keeper->opening_count--;
        outcome_fail(outcome, "53200", "out of memory");
        return false;
    }
    *made = keeper->openings[keeper->opening_count - 1];
    outcome_describe_opening(outcome, made);
    return true;
}

static void opening_remove(struct gatekeeper *keeper, size_t index)
{
    keeper->opening_count--;
    memmove(&keeper->openings[index], &keeper->openings[index + 1],
            (keeper->opening_count - index) * sizeof(keeper->openings[0]));
}

bool gatekeeper_close(struct gatekeeper *keeper, const char *name, int64_t now_us,
                      struct console_outcome *outcome, struct opening *closed)
{
    struct opening *opening = opening_find(keeper, name);
    if (opening == NULL && is_window_name(keeper, name)) {
        outcome_fail(outcome, "55000", "window \"%s\" is one of the settings: it closes by its times", name);
        outcome_hint(outcome,
                     "Only what OPEN WINDOW opened can be closed here; change the settings and RELOAD.");
        return false;
    }
    if (opening == NULL) {
        outcome_fail(outcome, "42704", "no window named \"%s\" was opened by hand", name);
        outcome_hint(outcome, "SHOW WINDOWS lists them.");
        return false;
    }
    *closed = *opening;
    opening_remove(keeper, (size_t)(opening - keeper->openings));
    if (!policy_make(keeper, &keeper->plan, now_us)) {
        keeper->openings[keeper->opening_count++] = *closed;
        outcome_fail(outcome, "53200", "out of memory");
        return false;
    }
    (void)snprintf(outcome->message, sizeof(outcome->message), "window \"%s\" is closed", name);
    return true;
}

bool gatekeeper_tick(struct gatekeeper *keeper, int64_t now_us)
{
    size_t kept = keeper->opening_count;
    for (size_t index = kept; index > 0; index--)
        if (keeper->openings[index - 1].to_us <= now_us)
            opening_remove(keeper, index - 1);
    bool is_stale = now_us - keeper->made_us >= policy_lives_us || now_us < keeper->made_us;
    return (is_stale || keeper->opening_count != kept) && policy_make(keeper, &keeper->plan, now_us);
}
