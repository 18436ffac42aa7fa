/* SPDX-License-Identifier: PostgreSQL */
#ifndef POLICY_GUARD_H
#define POLICY_GUARD_H

#include "base/text.h"
#include "policy/gate.h"
#include "policy/service.h"
#include "sql/classifier.h"

#include <stdatomic.h>

enum guard_mode {
#define MODE(symbol, name, about) GUARD_##symbol,
#include "policy/modes.def"
#undef MODE
    GUARD_MODE_COUNT
};

const char *guard_mode_name(enum guard_mode mode);

/* An opening that is not for all. */
struct scoped_span {
    struct gate_span span;
    struct scope scope;
};

/* Everything the workers need to judge, in one immutable piece that the control thread makes and hands to all
 * of them. */
struct policy {
    atomic_uint references;
    enum guard_mode mode;
    char sqlstate[6]; /* of a refusal */
    struct gate gate; /* what holds for all */
    struct scoped_span *scoped;
    size_t scoped_count;
    struct service_rule *rules;
    size_t rule_count;
};

struct policy_plan {
    enum guard_mode mode;
    const char *sqlstate;
    struct gate_plan gate;
    const struct service_rule *rules;
    size_t rule_count;
};

enum { POLICY_DAYS = 60 };

/* Copies the plan; the gate's line covers `now_us` and POLICY_DAYS more. One reference. NULL when memory is
 * short. */
struct policy *policy_create(const struct policy_plan *plan, int64_t now_us);
struct policy *policy_share(struct policy *policy);
/* Frees it with the last reference. From any thread. NULL is allowed. */
void policy_release(struct policy *policy);

enum guard_action { ACTION_PASS, ACTION_REFUSE, ACTION_WOULD_REFUSE };

/* What the guard says to one statement, and why. */
struct decision {
    enum guard_action action;
    const struct gate_span
        *span; /* in force now: what let it pass or the freeze that refuses; NULL: closed */
    const struct gate_span *next; /* the next that would let it pass; NULL: none in the gate's line */
};

/* Judges a text by its verdict at `now_us`; whose it is says which openings it may use. Statements that are
 * not guarded always pass, without a span; so does everything when the mode is off, with the span in force.
 */
void guard_decide(const struct policy *policy, const struct guard_subject *subject,
                  const struct verdict *verdict, int64_t now_us, struct decision *out);

/* Why, in a few words: a constant. */
const char *guard_reason(const struct decision *decision);

/* The refusal in words, for the client: never a byte of the statement but its command. Each text is one line
 * of ASCII, as long as the names in the configuration are; other bytes of names stand as \xNN. */
void guard_describe(const struct verdict *verdict, const struct decision *decision, int64_t now_us,
                    struct text *message, struct text *detail, struct text *hint);

#endif
