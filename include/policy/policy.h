/* SPDX-License-Identifier: PostgreSQL */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include "policy/gate.h"
#include "policy/guard_rule.h"
#include "policy/readonly.h"

#include <stdatomic.h>

enum guard_mode {
#define MODE(symbol, name, about) GUARD_##symbol,
#include "policy/modes.def"
#undef MODE
    GUARD_MODE_COUNT
};

const char *guard_mode_name(enum guard_mode mode);

/* A mode for some. */
struct scoped_mode {
    struct scope scope;
    enum guard_mode mode;
};

/* An opening that is not for all. */
struct scoped_span {
    struct gate_span span;
    struct scope scope;
};

/* Everything the workers need to judge, in one immutable piece that the control thread makes and hands to all
 * of them. */
struct policy {
    atomic_uint references;
    uint16_t watched; /* classes that may be anything but passed, a bit 1 << class for each */
    enum guard_mode mode;
    struct scoped_mode *modes; /* the first that holds counts; else `mode` */
    size_t mode_count;
    char sqlstate[6];          /* of a refusal */
    char readonly_sqlstate[6]; /* of one by a read-only order */
    bool lets_transactions_finish;
    bool has_turns; /* one schema change at a time */
    int64_t rest_us;
    struct gate gate;        /* what holds for all */
    struct gate *rule_gates; /* of each rule that counts some windows only, with the freezes and openings for
                              * all; empty ones elsewhere */
    struct scoped_span *scoped;
    size_t scoped_count;
    struct guard_rule *guard_rules;
    size_t guard_rule_count;
    struct object_pattern *protected;
    size_t protected_count;
    struct readonly_order *orders;
    size_t order_count;
    struct service_rule *rules;
    size_t rule_count;
};

struct policy_plan {
    enum guard_mode mode;
    const struct scoped_mode *modes;
    size_t mode_count;
    const char *sqlstate;
    const char *readonly_sqlstate; /* NULL: as sqlstate */
    bool lets_transactions_finish;
    bool has_turns;
    int64_t rest_us;
    struct gate_plan gate;
    const struct guard_rule *guard_rules;
    size_t guard_rule_count;
    const struct object_pattern *protected;
    size_t protected_count;
    const struct readonly_order *orders;
    size_t order_count;
    const struct service_rule *rules;
    size_t rule_count;
};

enum { POLICY_DAYS = 60, POLICY_WINDOWS_MOST = 256 };

/* Copies the plan; the gate's line covers `now_us` and POLICY_DAYS more. One reference. NULL when memory is
 * short. Reads time zones, as window.h says. */
struct policy *policy_create(const struct policy_plan *plan, int64_t now_us);
struct policy *policy_share(struct policy *policy);
/* Frees it with the last reference. From any thread. NULL is allowed. */
void policy_release(struct policy *policy);

#endif
