/* SPDX-License-Identifier: PostgreSQL */
#include "policy/guard.h"

/* What is judged, by what, as one. */
struct hearing {
    const struct policy *policy;
    const struct guard_subject *subject;
    const struct guard_matter *matter;
    enum guard_mode mode;
    int64_t now_us;
};

const char *guard_mode_name(enum guard_mode mode)
{
    static const char *const names[] = {
#define MODE(symbol, name, about) [GUARD_##symbol] = (name),
#include "policy/modes.def"
#undef MODE
    };
    return names[mode];
}

enum guard_mode guard_mode_for(const struct policy *policy, const struct guard_subject *subject)
{
    for (size_t i = 0; i < policy->mode_count; i++) {
        if (scope_has(&policy->modes[i].scope, subject))
            return policy->modes[i].mode;
    }
    return policy->mode;
}

/* The span in force for the subject: of what holds for all and the openings that are for it, the one that
 * allows most; an opening goes before a window that allows the same, and is the way through a freeze. */
static const struct gate_span *span_at(const struct hearing *hearing, const struct gate *gate)
{
    const struct policy *policy = hearing->policy;
    const struct gate_span *span = gate_at(gate, hearing->now_us);
    for (size_t i = 0; i < policy->scoped_count; i++) {
        const struct gate_span *own = &policy->scoped[i].span;
        bool holds = own->from_us <= hearing->now_us && hearing->now_us < own->to_us;
        bool is_more = span == NULL || span->is_freeze || own->allow >= span->allow;
        if (holds && is_more && scope_has(&policy->scoped[i].scope, hearing->subject))
            span = own;
    }
    return span;
}

/* The next that would let the subject pass. */
static const struct gate_span *span_next(const struct hearing *hearing, const struct gate *gate,
                                         enum safety_level level)
{
    const struct policy *policy = hearing->policy;
    const struct gate_span *next = gate_next(gate, level, hearing->now_us);
    for (size_t i = 0; i < policy->scoped_count; i++) {
        const struct gate_span *own = &policy->scoped[i].span;
        bool is_sooner = next == NULL || own->from_us < next->from_us;
        if (own->to_us > hearing->now_us && own->allow >= level && is_sooner &&
            scope_has(&policy->scoped[i].scope, hearing->subject))
            next = own;
    }
    return next;
}

static bool is_stopped(const struct hearing *hearing, struct decision *out)
{
    const struct policy *policy = hearing->policy;
    bool is_asked = hearing->matter->is_run || statement_class_is_guarded(out->class);
    if (policy->order_count == 0 || !is_asked || (readonly_classes() >> out->class & 1) == 0)
        return false;
    out->order = readonly_find(policy->orders, policy->order_count, hearing->subject, hearing->now_us);
    if (out->order != NULL)
        out->ground = GROUND_READONLY;
    return out->order != NULL;
}

/* The first name that surely is protected tells more than one that only may be. */
static void find_protected(const struct hearing *hearing, struct decision *out)
{
    const struct object_names *objects = hearing->matter->objects;
    const struct policy *policy = hearing->policy;
    for (size_t i = 0; objects != NULL && i < objects->count; i++) {
        for (size_t j = 0; j < policy->protected_count; j++) {
            const struct object_pattern *pattern = &policy->protected[j];
            bool is_sure = object_pattern_matches(pattern, &objects->names[i]);
            if (!is_sure && (out->object != NULL || !object_pattern_may_match(pattern, &objects->names[i])))
                continue;
            out->object = &objects->names[i];
            out->protected = pattern;
            if (is_sure)
                return;
        }
    }
}

static bool is_protected(const struct hearing *hearing, struct decision *out)
{
    const struct object_names *objects = hearing->matter->objects;
    if (hearing->policy->protected_count == 0 || !statement_class_is_guarded(out->class))
        return false;
    find_protected(hearing, out);
    if (out->object == NULL && objects != NULL && objects->is_complete)
        return false;
    out->ground = GROUND_PROTECTED;
    return true;
}

static const struct guard_rule *find_rule(const struct hearing *hearing, enum statement_class class)
{
    const struct policy *policy = hearing->policy;
    const struct rule_question question = { hearing->subject, class, hearing->matter->objects };
    for (size_t i = 0; i < policy->guard_rule_count; i++) {
        if (guard_rule_holds(&policy->guard_rules[i], &question))
            return &policy->guard_rules[i];
    }
    return NULL;
}

static enum guard_ground span_ground(const struct gate_span *span, enum safety_level level)
{
    if (span == NULL)
        return GROUND_CLOSED;
    if (span->is_freeze)
        return GROUND_FREEZE;
    return span->allow >= level ? GROUND_WINDOW : GROUND_LESS;
}

void guard_passage_note(struct guard_passage *passage, const struct guard_rule *rule, enum safety_level allow)
{
    passage->level = allow > passage->level ? allow : passage->level;
    if (rule == NULL || !rule->has_windows)
        return;
    if (strcmp(passage->rule, rule->name) != 0)
        passage->rule_level = 0;
    passage->rule_level = allow > passage->rule_level ? allow : passage->rule_level;
    memcpy(passage->rule, rule->name, sizeof(passage->rule));
}

/* What a change in a transaction may be that other changes began. */
static enum safety_level passed_before(const struct hearing *hearing, const struct guard_rule *rule)
{
    const struct guard_passage *passage = hearing->matter->passage;
    if (passage == NULL || !hearing->policy->lets_transactions_finish)
        return 0;
    if (rule == NULL || !rule->has_windows)
        return passage->level;
    return strcmp(passage->rule, rule->name) == 0 ? passage->rule_level : 0;
}

static void ask_windows(const struct hearing *hearing, struct decision *out)
{
    const struct policy *policy = hearing->policy;
    const struct guard_rule *rule = out->rule;
    bool has_own = rule != NULL && rule->has_windows;
    const struct gate *gate = has_own ? &policy->rule_gates[rule - policy->guard_rules] : &policy->gate;
    out->span = span_at(hearing, gate);
    out->ground = span_ground(out->span, out->level);
    if (out->ground == GROUND_WINDOW)
        return;
    if (passed_before(hearing, rule) >= out->level) {
        out->ground = GROUND_TRANSACTION;
        out->span = NULL;
        return;
    }
    out->next = span_next(hearing, gate, out->level);
}

static void ask_rule(const struct hearing *hearing, struct decision *out)
{
    const struct guard_rule *rule = out->rule;
    if (rule->action == RULE_ALLOW)
        out->ground = GROUND_RULE_ALLOWS;
    else if (rule->action == RULE_REFUSE)
        out->ground = GROUND_RULE_REFUSES;
    else if (rule->most != 0 && out->level > rule->most)
        out->ground = GROUND_CAPPED;
    else
        ask_windows(hearing, out);
}

static void judge_class(const struct hearing *hearing, enum statement_class class, struct decision *out)
{
    *out = (struct decision){ .ground = GROUND_UNGUARDED,
                              .class = class,
                              .level = (enum safety_level)hearing->matter->verdict->levels[class] };
    if (is_stopped(hearing, out) || hearing->mode == GUARD_OFF || is_protected(hearing, out))
        return;
    out->rule = find_rule(hearing, class);
    if (out->rule != NULL)
        ask_rule(hearing, out);
    else if (statement_class_is_guarded(class))
        ask_windows(hearing, out);
}

static bool ground_refuses(enum guard_ground ground)
{
    return ground > GROUND_TRANSACTION;
}

static enum guard_action action_of(enum guard_ground ground, enum guard_mode mode)
{
    if (!ground_refuses(ground))
        return ACTION_PASS;
    bool is_refused = mode == GUARD_ENFORCE || ground == GROUND_READONLY;
    return is_refused ? ACTION_REFUSE : ACTION_WOULD_REFUSE;
}

void guard_decide(const struct policy *policy, const struct guard_subject *subject,
                  const struct guard_matter *matter, int64_t now_us, struct decision *out)
{
    const struct verdict *verdict = matter->verdict;
    const struct hearing hearing = { policy, subject, matter, guard_mode_for(policy, subject), now_us };
    judge_class(&hearing, verdict->class, out);
    for (unsigned class = 0; class < CLASS_COUNT; class ++) {
        struct decision decision;
        if ((verdict->classes >> class & 1) == 0 || class == verdict->class)
            continue;
        judge_class(&hearing, (enum statement_class) class, &decision);
        if (ground_refuses(decision.ground) && decision.ground > out->ground)
            *out = decision;
    }
    out->action = action_of(out->ground, hearing.mode);
}

bool guard_take_turn(const struct policy *policy, struct turnstile *turnstile,
                     const struct turnstile_claim *claim, enum guard_mode mode, int64_t now_us,
                     struct decision *decision)
{
    bool is_asked = policy->has_turns && turnstile != NULL && decision->action == ACTION_PASS &&
                    decision->ground != GROUND_UNGUARDED && statement_class_is_guarded(decision->class);
    if (!is_asked)
        return false;
    if (turnstile_enter(turnstile, claim, now_us, &decision->holder))
        return true;
    decision->ground = GROUND_TAKEN;
    decision->action = action_of(GROUND_TAKEN, mode);
    return false;
}

const char *guard_sqlstate(const struct policy *policy, const struct decision *decision)
{
    return decision->ground == GROUND_READONLY ? policy->readonly_sqlstate : policy->sqlstate;
}
