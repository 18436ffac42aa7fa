/* SPDX-License-Identifier: PostgreSQL */
#ifndef POLICY_GUARD_RULE_H
#define POLICY_GUARD_RULE_H

#include "policy/gate.h"
#include "policy/objects.h"

enum rule_action { RULE_WINDOW, RULE_ALLOW, RULE_REFUSE };

/* What an operator has laid down for some statements, before windows are asked. */
struct guard_rule {
    char name[POLICY_NAME_SIZE];
    struct scope scope;
    bool has_object; /* it is about some objects only */
    struct object_pattern object;
    uint16_t classes; /* a bit 1 << class for each; 0: every class that is guarded */
    enum rule_action action;
    enum safety_level most;      /* RULE_WINDOW: what windows let pass at most */
    uint64_t windows[4];         /* RULE_WINDOW: a bit for each window of the plan that counts; none: all */
    bool has_windows;
};

/* What is asked about: one class of a text. */
struct rule_question {
    const struct guard_subject *subject;
    enum statement_class class;
    const struct object_names *objects; /* of the text; NULL: not known */
};

/* Whether the rule is about it. A rule about objects that refuses holds when the text may change one of them:
 * it names one, or its names are not complete. One that allows or asks for windows holds only when all that the
 * text names surely are such, and its names are complete. */
bool guard_rule_holds(const struct guard_rule *rule, const struct rule_question *question);

#endif
