/* SPDX-License-Identifier: PostgreSQL */
#ifndef POLICY_GUARD_RULE_H
#define POLICY_GUARD_RULE_H

#include "policy/gate.h"
#include "policy/objects.h"

enum rule_action { RULE_WINDOW, RULE_ALLOW, RULE_REFUSE };

/* What the settings lay down for some statements, before windows are asked. Openings by hand count for rules
 * that ask windows, whichever these count: they are an operator's word. They do not lift a rule that refuses,
 * nor what a rule lets pass at most. */
struct guard_rule {
    char name[POLICY_NAME_SIZE];
    struct scope scope;
    bool has_object; /* it is about some objects only */
    struct object_pattern object;
    uint16_t classes; /* a bit 1 << class for each; 0: every class that is guarded */
    enum rule_action action;
    enum safety_level most; /* RULE_WINDOW: what passes at most, whatever is open; 0: anything */
    bool has_windows;       /* RULE_WINDOW: only those of `windows` count; else all of them */
    uint64_t windows[4];    /* a bit for each window of the plan: bit i % 64 of windows[i / 64] */
};

/* What is asked about: one class of a text. The objects are those of its schema changes, so that they say
 * nothing of a class that is not guarded. */
struct rule_question {
    const struct guard_subject *subject;
    enum statement_class class;
    const struct object_names *objects; /* of the text; NULL: not known */
};

/* Whether the rule is about it. A rule about objects that refuses holds when the text may change one of them:
 * it names one, or its names are not complete. One that allows or asks for windows holds only when all that
 * the text names surely are such, its names are complete, and there are some. */
bool guard_rule_holds(const struct guard_rule *rule, const struct rule_question *question);

#endif
