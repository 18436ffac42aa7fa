/* SPDX-License-Identifier: PostgreSQL */
#ifndef POLICY_GUARD_H
#define POLICY_GUARD_H

#include "base/text.h"
#include "policy/guard_rule.h"
#include "policy/policy.h"
#include "policy/turnstile.h"
#include "sql/verdict.h"

/* The guard's word on one statement, given the policy in force. */

enum guard_action { ACTION_PASS, ACTION_REFUSE, ACTION_WOULD_REFUSE };

enum guard_ground {
#define GROUND(symbol, name, words) GROUND_##symbol,
#include "policy/grounds.def"
#undef GROUND
    GROUND_COUNT
};

/* The windows (GROUND_WINDOW) by which a transaction has made changes. */
struct guard_passage {
    enum safety_level level;      /* the highest that any of them allowed; 0: there is none */
    enum safety_level rule_level; /* the same, of those that the last rule with windows of its own asked */
    char rule[POLICY_NAME_SIZE];  /* that rule's name; empty: none */
};

/* Notes that a change has passed by a window that allows so much. `rule`: by which it was asked, or NULL. */
void guard_passage_note(struct guard_passage *passage, const struct guard_rule *rule,
                        enum safety_level allow);

/* What is to be judged. */
struct guard_matter {
    const struct verdict *verdict;
    const struct object_names *objects;  /* that it names; NULL: not known, as where it is not guarded */
    bool is_run;                         /* it runs now; false: it is only prepared */
    const struct guard_passage *passage; /* of its open transaction; NULL: none */
};

/* What the guard says to it, and why. All it points to lives as long as the policy and the matter. */
struct decision {
    enum guard_action action;
    enum guard_ground ground;
    enum statement_class class; /* which of the text's classes decided, and its level */
    enum safety_level level;
    const struct gate_span
        *span; /* in force now: what let it pass or the freeze that refuses; NULL: closed or not asked */
    const struct gate_span *next;     /* the next that would let it pass; NULL: none in the gate's line */
    const struct guard_rule *rule;    /* that decided, or by which windows were asked; NULL: none */
    const struct object_name *object; /* GROUND_PROTECTED: the one named; NULL: its names are not complete */
    const struct object_pattern *protected; /* of `object`, which it may or does match */
    const struct readonly_order *order;     /* GROUND_READONLY */
    struct turnstile_holder holder;         /* GROUND_TAKEN */
};

/* Whether a text of this verdict may be anything but passed: asked for every statement. */
static inline bool guard_concerns(const struct policy *policy, const struct verdict *verdict)
{
    return (verdict->classes & policy->watched) != 0;
}

/* The mode for this subject: the first scope that has it, else the policy's own. */
enum guard_mode guard_mode_for(const struct policy *policy, const struct guard_subject *subject);

/* Judges a text at `now_us`, class by class; the strictest word counts, and when all pass that on the
 * riskiest class. In this order:
 * - an operator's read-only order, which holds in every mode, for what runs and writes (of what is only
 *   prepared, for schema changes alone);
 * - the mode: off lets all pass, observe turns a refusal into ACTION_WOULD_REFUSE;
 * - for guarded classes, protected objects: what may change one is refused, whatever is open;
 * - the first rule that holds;
 * - for guarded classes, and where a rule says so for others, windows; a change in a transaction in which a
 *   window for its level let one pass goes on after that has closed, if the policy lets transactions finish.
 *   Where a rule says which windows count, the one before must have passed by that rule.
 * Classes that are not guarded pass unless a rule says otherwise. */
void guard_decide(const struct policy *policy, const struct guard_subject *subject,
                  const struct guard_matter *matter, int64_t now_us, struct decision *out);
/* Has a schema change that may pass and runs now take its turn, where the policy has one go at a time: while
 * another is in, the decision becomes a refusal (or would be one, as the mode says). Whether a turn was
 * taken. A NULL turnstile stops nobody. */
bool guard_take_turn(const struct policy *policy, struct turnstile *turnstile,
                     const struct turnstile_claim *claim, enum guard_mode mode, int64_t now_us,
                     struct decision *decision);

/* "window", "closed", "rule" ...: constants. */
const char *guard_ground_name(enum guard_ground ground);
/* Why, in a few words: a constant. */
const char *guard_ground_words(enum guard_ground ground);
/* The SQLSTATE of a refusal. */
const char *guard_sqlstate(const struct policy *policy, const struct decision *decision);

/* The refusal in words, for the client: never a byte of the statement but its command, and the name of a
 * protected object that it names. Reads no time zone. Each text is one line of ASCII, as long as the names in
 * the configuration are; other bytes of names stand as \xNN. */
void guard_describe(const struct verdict *verdict, const struct decision *decision, int64_t now_us,
                    struct text *message, struct text *detail, struct text *hint);

#endif
