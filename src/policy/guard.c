/* SPDX-License-Identifier: PostgreSQL */
#include "policy/guard.h"

const char *guard_mode_name(enum guard_mode mode)
{
    static const char *const names[] = {
#define MODE(symbol, name, about) [GUARD_##symbol] = (name),
#include "policy/modes.def"
#undef MODE
    };
    return names[mode];
}

/* The span in force for the subject: of what holds for all and the openings that are for it, the one that
 * allows most; an opening goes before a window that allows the same, and is the way through a freeze. */
static const struct gate_span *span_at(const struct policy *policy, const struct guard_subject *subject,
                                       int64_t now_us)
{
    const struct gate_span *span = gate_at(&policy->gate, now_us);
    for (size_t i = 0; i < policy->scoped_count; i++) {
        const struct gate_span *own = &policy->scoped[i].span;
        bool holds = own->from_us <= now_us && now_us < own->to_us;
        bool is_more = span == NULL || span->is_freeze || own->allow >= span->allow;
        if (holds && is_more && scope_has(&policy->scoped[i].scope, subject))
            span = own;
    }
    return span;
}

/* The next that would let the subject pass. */
static const struct gate_span *span_next(const struct policy *policy, const struct guard_subject *subject,
                                         enum safety_level level, int64_t now_us)
{
    const struct gate_span *next = gate_next(&policy->gate, level, now_us);
    for (size_t i = 0; i < policy->scoped_count; i++) {
        const struct gate_span *own = &policy->scoped[i].span;
        bool is_sooner = next == NULL || own->from_us < next->from_us;
        if (own->to_us > now_us && own->allow >= level && is_sooner &&
            scope_has(&policy->scoped[i].scope, subject))
            next = own;
    }
    return next;
}

void guard_decide(const struct policy *policy, const struct guard_subject *subject,
                  const struct verdict *verdict, int64_t now_us, struct decision *out)
{
    *out = (struct decision){ .action = ACTION_PASS };
    if (!verdict->is_guarded)
        return;
    out->span = span_at(policy, subject, now_us);
    bool is_open = out->span != NULL && !out->span->is_freeze && out->span->allow >= verdict->level;
    if (is_open || policy->mode == GUARD_OFF)
        return;
    out->next = span_next(policy, subject, verdict->level, now_us);
    out->action = policy->mode == GUARD_ENFORCE ? ACTION_REFUSE : ACTION_WOULD_REFUSE;
}

const char *guard_reason(const struct decision *decision)
{
    if (decision->action == ACTION_PASS)
        return decision->span != NULL ? "a window is open" : "the guard asks for none";
    if (decision->span == NULL)
        return "no window is open";
    return decision->span->is_freeze ? "a freeze lasts" : "the open window allows less";
}

/* Appends a name or reason so that it stays one line of ASCII and inside its quotes. */
static void ascii_append(struct text *out, const char *name)
{
    for (; *name != '\0'; name++) {
        bool is_plain = *name >= ' ' && *name <= '~' && *name != '"' && *name != '\\';
        if (is_plain)
            text_append_byte(out, *name);
        else
            text_append_format(out, "\\x%02x", (unsigned)(uint8_t)*name);
    }
}

static void quoted_append(struct text *out, const char *before, const char *name)
{
    text_append_string(out, before);
    text_append_byte(out, '"');
    ascii_append(out, name);
    text_append_byte(out, '"');
}

static const char *command_shown(const struct verdict *verdict)
{
    return verdict->command[0] != '\0' ? verdict->command : "the statement";
}

static void describe_freeze(const struct gate_span *freeze, struct text *message)
{
    quoted_append(message, " and the freeze ", freeze->name);
    text_append_format(message, " lasts until %s", freeze->to_text);
    if (freeze->reason[0] != '\0') {
        text_append_string(message, ": ");
        ascii_append(message, freeze->reason);
    }
}

static void describe_message(const struct verdict *verdict, const struct gate_span *span,
                             struct text *message)
{
    const char *class = statement_class_name(verdict->class);
    const char *article = strchr("aeiou", class[0]) != NULL ? "an" : "a";
    text_append_string(message, "schema change refused: ");
    ascii_append(message, command_shown(verdict));
    text_append_format(message, " is %s %s change (level %d)", article, class, (int)verdict->level);
    if (span == NULL) {
        text_append_string(message, " and no window allows it now");
    } else if (span->is_freeze) {
        describe_freeze(span, message);
    } else {
        quoted_append(message, " and the window ", span->name);
        text_append_format(message, " allows only %s changes now", safety_level_name(span->allow));
    }
}

static void describe_detail(const struct verdict *verdict, const struct gate_span *span, struct text *detail)
{
    text_append_format(detail, "class=%s level=%d", statement_class_name(verdict->class),
                       (int)verdict->level);
    quoted_append(detail, " command=", verdict->command);
    if (span == NULL)
        text_append_string(detail, " rule=closed");
    else if (span->is_freeze)
        quoted_append(detail, " freeze=", span->name);
    else
        quoted_append(detail, " window=", span->name);
}

static void describe_hint(const struct gate_span *next, int64_t now_us, struct text *hint)
{
    if (next == NULL) {
        text_append_format(hint, "No window that allows it opens within %d days; ", (int)POLICY_DAYS);
        text_append_string(hint, "an operator can open one on the console (OPEN WINDOW).");
        return;
    }
    quoted_append(hint, "The next window that allows it, ", next->name);
    text_append_format(hint, ", opens at %s (", next->from_text);
    ascii_append(hint, next->timezone);
    text_append_string(hint, "): opens in ");
    text_append_duration(hint, next->from_us - now_us);
    text_append_byte(hint, '.');
}

void guard_describe(const struct verdict *verdict, const struct decision *decision, int64_t now_us,
                    struct text *message, struct text *detail, struct text *hint)
{
    describe_message(verdict, decision->span, message);
    describe_detail(verdict, decision->span, detail);
    describe_hint(decision->next, now_us, hint);
}
