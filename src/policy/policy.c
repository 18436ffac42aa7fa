/* SPDX-License-Identifier: PostgreSQL */
#include "policy/policy.h"

#include <stdlib.h>

static const int64_t day_us = INT64_C(86400000000);

/* Never NULL but when memory is short. */
static void *list_copy(const void *from, size_t count, size_t size)
{
    void *copy = calloc(count + 1, size);
    if (copy != NULL && count > 0)
        memcpy(copy, from, count * size);
    return copy;
}

static bool policy_copy_lists(struct policy *policy, const struct policy_plan *plan)
{
    policy->modes = list_copy(plan->modes, plan->mode_count, sizeof(*policy->modes));
    policy->mode_count = plan->mode_count;
    policy->guard_rules = list_copy(plan->guard_rules, plan->guard_rule_count, sizeof(*policy->guard_rules));
    policy->guard_rule_count = plan->guard_rule_count;
    policy->protected = list_copy(plan->protected, plan->protected_count, sizeof(*policy->protected));
    policy->protected_count = plan->protected_count;
    policy->orders = list_copy(plan->orders, plan->order_count, sizeof(*policy->orders));
    policy->order_count = plan->order_count;
    policy->rules = list_copy(plan->rules, plan->rule_count, sizeof(*policy->rules));
    policy->rule_count = plan->rule_count;
    return policy->modes != NULL && policy->guard_rules != NULL && policy->protected != NULL &&
           policy->orders != NULL && policy->rules != NULL;
}

static void policy_show_orders(struct policy *policy, const struct gate_plan *plan)
{
    for (size_t i = 0; i < policy->order_count; i++) {
        struct readonly_order *order = &policy->orders[i];
        struct text text;
        text_init(&text, order->until_text, sizeof(order->until_text));
        if (order->until_us < INT64_MAX)
            instant_describe(order->until_us, gate_plan_timezone(plan), &text);
    }
}

static bool policy_copy_scoped(struct policy *policy, const struct gate_plan *plan)
{
    policy->scoped = calloc(plan->opening_count + 1, sizeof *policy->scoped);
    if (policy->scoped == NULL)
        return false;
    for (size_t i = 0; i < plan->opening_count; i++) {
        struct scoped_span *scoped = &policy->scoped[policy->scoped_count];
        if (scope_is_open(&plan->openings[i].scope))
            continue;
        gate_span_of_opening(plan, i, &scoped->span);
        scoped->scope = plan->openings[i].scope;
        policy->scoped_count++;
    }
    return true;
}

static bool rule_has_window(const struct guard_rule *rule, size_t index)
{
    return index < POLICY_WINDOWS_MOST && (rule->windows[index / 64] >> (index % 64) & 1) != 0;
}

/* The gate as it is when only the rule's windows exist. */
static bool rule_gate_init(struct gate *gate, const struct guard_rule *rule, const struct gate_plan *plan,
                           int64_t now_us)
{
    struct gate_plan own = *plan;
    struct window *windows = calloc(plan->window_count + 1, sizeof(*windows));
    if (windows == NULL)
        return false;
    own.timezone = gate_plan_timezone(plan);
    own.windows = windows;
    own.window_count = 0;
    for (size_t i = 0; i < plan->window_count; i++) {
        if (rule_has_window(rule, i))
            windows[own.window_count++] = plan->windows[i];
    }
    bool is_made = gate_init(gate, &own, now_us, POLICY_DAYS * day_us);
    free(windows);
    return is_made;
}

static bool policy_make_gates(struct policy *policy, const struct policy_plan *plan, int64_t now_us)
{
    policy->rule_gates = calloc(plan->guard_rule_count + 1, sizeof(*policy->rule_gates));
    bool is_made =
        policy->rule_gates != NULL && gate_init(&policy->gate, &plan->gate, now_us, POLICY_DAYS * day_us);
    for (size_t i = 0; is_made && i < plan->guard_rule_count; i++) {
        const struct guard_rule *rule = &plan->guard_rules[i];
        if (rule->action == RULE_WINDOW && rule->has_windows)
            is_made = rule_gate_init(&policy->rule_gates[i], rule, &plan->gate, now_us);
    }
    return is_made;
}

static uint16_t guarded_classes(void)
{
    uint16_t classes = 0;
    for (unsigned class = 0; class < CLASS_COUNT; class ++) {
        if (statement_class_is_guarded((enum statement_class) class))
            classes = (uint16_t)(classes | 1U << class);
    }
    return classes;
}

static bool is_off_for_all(const struct policy *policy)
{
    bool is_off = policy->mode == GUARD_OFF;
    for (size_t i = 0; is_off && i < policy->mode_count; i++)
        is_off = policy->modes[i].mode == GUARD_OFF;
    return is_off;
}

/* A rule that allows what is not guarded changes nothing; that of others is asked about in any case. */
static uint16_t watched_classes(const struct policy *policy)
{
    uint16_t classes = policy->order_count > 0 ? readonly_classes() : 0;
    if (is_off_for_all(policy))
        return classes;
    classes |= guarded_classes();
    for (size_t i = 0; i < policy->guard_rule_count; i++) {
        if (policy->guard_rules[i].action != RULE_ALLOW)
            classes |= policy->guard_rules[i].classes;
    }
    return classes;
}

static void copy_sqlstates(struct policy *policy, const struct policy_plan *plan)
{
    const char *readonly = plan->readonly_sqlstate != NULL ? plan->readonly_sqlstate : plan->sqlstate;
    (void)bytes_copy_text(bytes_text(plan->sqlstate), policy->sqlstate, sizeof policy->sqlstate);
    (void)bytes_copy_text(bytes_text(readonly), policy->readonly_sqlstate, sizeof(policy->readonly_sqlstate));
}

struct policy *policy_create(const struct policy_plan *plan, int64_t now_us)
{
    struct policy *policy = calloc(1, sizeof *policy);
    if (policy == NULL)
        return NULL;
    atomic_init(&policy->references, 1);
    policy->mode = plan->mode;
    policy->lets_transactions_finish = plan->lets_transactions_finish;
    policy->has_turns = plan->has_turns;
    policy->rest_us = plan->rest_us;
    copy_sqlstates(policy, plan);
    if (!policy_copy_lists(policy, plan) || !policy_copy_scoped(policy, &plan->gate) ||
        !policy_make_gates(policy, plan, now_us)) {
        policy_release(policy);
        return NULL;
    }
    policy_show_orders(policy, &plan->gate);
    policy->watched = watched_classes(policy);
    return policy;
}

struct policy *policy_share(struct policy *policy)
{
    atomic_fetch_add_explicit(&policy->references, 1, memory_order_relaxed);
    return policy;
}

void policy_release(struct policy *policy)
{
    if (policy == NULL || atomic_fetch_sub_explicit(&policy->references, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; policy->rule_gates != NULL && i < policy->guard_rule_count; i++)
        gate_release(&policy->rule_gates[i]);
    gate_release(&policy->gate);
    free(policy->rule_gates);
    free(policy->scoped);
    free(policy->modes);
    free(policy->guard_rules);
    free(policy->protected);
    free(policy->orders);
    free(policy->rules);
    free(policy);
}
