/* SPDX-License-Identifier: PostgreSQL */
#include "policy/guard.h"

#include <stdlib.h>

static const int64_t day_us = INT64_C(86400000000);

static bool policy_copy_rules(struct policy *policy, const struct policy_plan *plan)
{
    policy->rules = calloc(plan->rule_count + 1, sizeof *policy->rules);
    if (policy->rules == NULL)
        return false;
    for (size_t i = 0; i < plan->rule_count; i++)
        policy->rules[i] = plan->rules[i];
    policy->rule_count = plan->rule_count;
    return true;
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

struct policy *policy_create(const struct policy_plan *plan, int64_t now_us)
{
    struct policy *policy = calloc(1, sizeof *policy);
    if (policy == NULL)
        return NULL;
    atomic_init(&policy->references, 1);
    policy->mode = plan->mode;
    (void)bytes_copy_text(bytes_text(plan->sqlstate), policy->sqlstate, sizeof policy->sqlstate);
    if (policy_copy_rules(policy, plan) && policy_copy_scoped(policy, &plan->gate) &&
        gate_init(&policy->gate, &plan->gate, now_us, POLICY_DAYS * day_us))
        return policy;
    policy_release(policy);
    return NULL;
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
    gate_release(&policy->gate);
    free(policy->scoped);
    free(policy->rules);
    free(policy);
}
