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

/* Makes the policy of the plan, the openings and the orders of now. When memory is short the old one stays in
 * force. */
static bool policy_make(struct gatekeeper *keeper, const struct plan *plan, int64_t now_us)
{
    struct policy_plan whole = plan->policy;
    whole.gate.openings = keeper->openings;
    whole.gate.opening_count = keeper->opening_count;
    whole.orders = keeper->orders;
    whole.order_count = keeper->order_count;
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

/* Appends "only for service "kds"" and the like, or "for all". */
static void scope_describe(const struct scope *scope, struct text *text)
{
    const struct {
        const char *what;
        const char *pattern;
    } conditions[] = { { "service", scope->service },
                       { "user", scope->user },
                       { "database", scope->database } };
    const char *between = "only for";
    for (size_t index = 0; index < COUNT_OF(conditions); index++) {
        if (conditions[index].pattern[0] == '\0')
            continue;
        text_append_format(text, "%s %s \"%s\"", between, conditions[index].what, conditions[index].pattern);
        between = " and";
    }
    if (scope_is_open(scope))
        text_append_string(text, "for all");
}

static void outcome_describe_opening(struct console_outcome *outcome, const struct opening *opening)
{
    struct text text;
    text_init(&text, outcome->message, sizeof(outcome->message));
    text_append_format(&text, "window \"%s\" is open for %s changes until ", opening->name,
                       safety_level_name(opening->allow));
    text_append_time(&text, opening->to_us);
    if (scope_is_open(&opening->scope))
        return;
    text_append_string(&text, ", ");
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

static struct readonly_order *order_find(struct gatekeeper *keeper, const struct scope *scope)
{
    for (size_t index = 0; index < keeper->order_count; index++) {
        const struct scope *other = &keeper->orders[index].scope;
        if (strcmp(other->service, scope->service) == 0 && strcmp(other->user, scope->user) == 0 &&
            strcmp(other->database, scope->database) == 0)
            return &keeper->orders[index];
    }
    return NULL;
}

static void order_fill(struct readonly_order *order, const struct console_command *command,
                       const char *operator_name, int64_t now_us)
{
    *order = (struct readonly_order){ .scope = command->scope, .from_us = now_us, .until_us = INT64_MAX };
    if (command->duration_us > 0)
        order->until_us = now_us + command->duration_us;
    (void)bytes_copy_text(bytes_text(command->reason), order->reason, sizeof(order->reason));
    (void)bytes_copy_text(bytes_text(operator_name), order->ordered_by, sizeof(order->ordered_by));
}

static void outcome_describe_order(struct console_outcome *outcome, const struct readonly_order *order)
{
    struct text text;
    text_init(&text, outcome->message, sizeof(outcome->message));
    text_append_string(&text, "writes are refused in every mode of the guard until ");
    if (order->until_us == INT64_MAX)
        text_append_string(&text, "SET READONLY OFF");
    else
        text_append_time(&text, order->until_us);
    text_append_string(&text, ", ");
    scope_describe(&order->scope, &text);
    text_init(&text, outcome->detail, sizeof(outcome->detail));
    text_append_string(
        &text, "What runs goes on, and COMMIT passes. Writes that a statement's words do not show, as of "
               "a function that SELECT calls, are not seen.");
}

bool gatekeeper_set_readonly(struct gatekeeper *keeper, const struct console_command *command,
                             const char *operator_name, int64_t now_us, struct console_outcome *outcome,
                             struct readonly_order *made)
{
    struct readonly_order *order = order_find(keeper, &command->scope);
    size_t count = keeper->order_count;
    if (order == NULL && count == ORDERS_MOST) {
        outcome_fail(outcome, "53400", "%d read-only orders are in force already, as many as there may be",
                     ORDERS_MOST);
        outcome_hint(outcome, "SET READONLY OFF takes one back.");
        return false;
    }
    if (order == NULL)
        order = &keeper->orders[keeper->order_count++];
    struct readonly_order before = *order;
    order_fill(order, command, operator_name, now_us);
    if (!policy_make(keeper, &keeper->plan, now_us)) {
        *order = before;
        keeper->order_count = count;
        outcome_fail(outcome, "53200", "out of memory");
        return false;
    }
    *made = *order;
    outcome_describe_order(outcome, made);
    return true;
}

static void order_remove(struct gatekeeper *keeper, size_t index)
{
    keeper->order_count--;
    memmove(&keeper->orders[index], &keeper->orders[index + 1],
            (keeper->order_count - index) * sizeof(keeper->orders[0]));
}

static void outcome_fail_no_order(struct console_outcome *outcome, const struct scope *scope)
{
    struct text text;
    outcome_fail(outcome, "42704", "no read-only order is in force ");
    text = (struct text){ outcome->message, strlen(outcome->message), sizeof(outcome->message), false };
    scope_describe(scope, &text);
    outcome_hint(outcome, "SHOW READONLY lists them; SERVICE, USER and DATABASE must be those of the order.");
}

static void outcome_describe_end(struct console_outcome *outcome, const struct scope *scope, size_t left)
{
    struct text text;
    text_init(&text, outcome->message, sizeof(outcome->message));
    text_append_string(&text, "the read-only order ");
    scope_describe(scope, &text);
    text_append_string(&text, " is taken back");
    if (left > 0)
        outcome_hint(outcome, "SHOW READONLY lists what is still in force.");
}

bool gatekeeper_clear_readonly(struct gatekeeper *keeper, const struct console_command *command,
                               int64_t now_us, struct console_outcome *outcome, struct readonly_order *ended)
{
    struct readonly_order *order = order_find(keeper, &command->scope);
    if (order == NULL || order->until_us <= now_us) { /* what is over stands until the next tick */
        outcome_fail_no_order(outcome, &command->scope);
        return false;
    }
    *ended = *order;
    order_remove(keeper, (size_t)(order - keeper->orders));
    if (!policy_make(keeper, &keeper->plan, now_us)) {
        keeper->orders[keeper->order_count++] = *ended;
        outcome_fail(outcome, "53200", "out of memory");
        return false;
    }
    outcome_describe_end(outcome, &ended->scope, keeper->order_count);
    return true;
}

/* Forgets what is over. Whether something was. */
static bool forget_over(struct gatekeeper *keeper, int64_t now_us)
{
    size_t openings = keeper->opening_count;
    size_t orders = keeper->order_count;
    for (size_t index = openings; index > 0; index--)
        if (keeper->openings[index - 1].to_us <= now_us)
            opening_remove(keeper, index - 1);
    for (size_t index = orders; index > 0; index--)
        if (keeper->orders[index - 1].until_us <= now_us)
            order_remove(keeper, index - 1);
    return keeper->opening_count != openings || keeper->order_count != orders;
}

bool gatekeeper_tick(struct gatekeeper *keeper, int64_t now_us)
{
    bool is_over = forget_over(keeper, now_us);
    bool is_stale = now_us - keeper->made_us >= policy_lives_us || now_us < keeper->made_us;
    return (is_stale || is_over) && policy_make(keeper, &keeper->plan, now_us);
}
