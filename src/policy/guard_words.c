/* SPDX-License-Identifier: PostgreSQL */
/* What the guard decided, in words. */
#include "policy/guard.h"
#include "policy/quoted.h"

struct ground_row {
    const char *name;
    const char *words;
};

static const struct ground_row grounds[GROUND_COUNT] = {
#define GROUND(symbol, name, words) [GROUND_##symbol] = { name, words },
#include "policy/grounds.def"
#undef GROUND
};

const char *guard_ground_name(enum guard_ground ground)
{
    return grounds[ground].name;
}

const char *guard_ground_words(enum guard_ground ground)
{
    return grounds[ground].words;
}

static void name_append(struct text *out, const char *before, const char *name)
{
    quoted_append(out, before, bytes_text(name));
}

static void reason_append(struct text *out, const char *reason)
{
    if (reason[0] != '\0') {
        text_append_string(out, ": ");
        ascii_append(out, bytes_text(reason));
    }
}

/* In UTC and to the second: no time zone is at hand here. */
static void moment_append(struct text *out, int64_t time_us)
{
    enum { SECONDS_SIZE = sizeof "2026-11-21T03:04:05" - 1 };
    char storage[INSTANT_TEXT_SIZE];
    struct text text;
    text_init(&text, storage, sizeof(storage));
    text_append_time(&text, time_us);
    text_append(out, bytes_of(storage, text.size < SECONDS_SIZE ? text.size : SECONDS_SIZE));
    text_append_byte(out, 'Z');
}

/* The verdict names the command of the riskiest statement, which another class need not be that of. */
static const char *command_of(const struct verdict *verdict, const struct decision *decision)
{
    return decision->class == verdict->class ? verdict->command : "";
}

/* Empty where no rule was asked. */
static const char *rule_of(const struct decision *decision)
{
    return decision->rule != NULL ? decision->rule->name : "";
}

static void describe_kind(const struct verdict *verdict, const struct decision *decision,
                          struct text *message)
{
    const char *class = statement_class_name(decision->class);
    const char *article = strchr("aeiou", class[0]) != NULL ? "an" : "a";
    const char *command = command_of(verdict, decision);
    bool is_guarded = statement_class_is_guarded(decision->class);
    const char *unnamed = decision->class == verdict->class ? "the statement" : "a statement in it";
    text_append_string(message, is_guarded ? "schema change refused: " : "statement refused: ");
    ascii_append(message, bytes_text(command[0] != '\0' ? command : unnamed));
    if (is_guarded)
        text_append_format(message, " is %s %s change (level %d)", article, class, (int)decision->level);
    else if (decision->ground != GROUND_READONLY)
        text_append_format(message, " is of the class %s", class);
    else
        text_append_string(message, decision->class == CLASS_WRITE ? " writes" : " may write");
}

static void describe_freeze(const struct gate_span *freeze, struct text *message)
{
    name_append(message, " and the freeze ", freeze->name);
    text_append_format(message, " lasts until %s", freeze->to_text);
    reason_append(message, freeze->reason);
}

static void describe_closed(const struct guard_rule *rule, struct text *message)
{
    text_append_string(message, " and no window");
    if (rule != NULL && rule->has_windows)
        name_append(message, " of the rule ", rule->name);
    text_append_string(message, " allows it now");
}

static void object_append(const struct object_name *object, struct text *out)
{
    text_append_byte(out, '"');
    if (object->schema[0] != '\0') {
        ascii_append(out, bytes_text(object->schema));
        text_append_byte(out, '.');
    }
    ascii_append(out, bytes_text(object->name));
    text_append_byte(out, '"');
}

static void describe_protected(const struct decision *decision, struct text *message)
{
    const struct object_name *object = decision->object;
    if (object == NULL) {
        text_append_string(message, " and it may reach protected objects that it does not name (CASCADE, "
                                    "OWNED BY, a name that cannot be read)");
        return;
    }
    text_append_string(message, object->is_schema ? " and the schema " : " and ");
    object_append(object, message);
    if (object_pattern_matches(decision->protected, object))
        text_append_string(message, " is protected");
    else
        text_append_string(message, object->is_schema ? " may hold protected objects" : " may be protected");
}

static void describe_order(const struct readonly_order *order, struct text *message)
{
    text_append_string(message, " and an operator has stopped writes");
    if (order->until_us < INT64_MAX)
        text_append_format(message, " until %s", order->until_text);
    reason_append(message, order->reason);
}

static void describe_ground(const struct decision *decision, struct text *message)
{
    switch (decision->ground) {
    case GROUND_LESS:
        name_append(message, " and the window ", decision->span->name);
        text_append_format(message, " allows only %s changes now", safety_level_name(decision->span->allow));
        break;
    case GROUND_FREEZE:
        describe_freeze(decision->span, message);
        break;
    case GROUND_CAPPED:
        name_append(message, " and the rule ", rule_of(decision));
        text_append_format(message, " lets only %s changes pass", safety_level_name(decision->rule->most));
        break;
    case GROUND_RULE_REFUSES:
        name_append(message, " and the rule ", rule_of(decision));
        text_append_string(message, " refuses it");
        break;
    case GROUND_PROTECTED:
        describe_protected(decision, message);
        break;
    case GROUND_READONLY:
        describe_order(decision->order, message);
        break;
    default:
        describe_closed(decision->rule, message);
    }
}

static void describe_taken(const struct turnstile_holder *holder, struct text *message)
{
    text_append_format(message, "schema change refused: another session's schema changes are %s: %s, since ",
                       holder->is_resting ? "over, but a rest follows them" : "under way", holder->text);
    moment_append(message, holder->since_us);
}

static void describe_detail(const struct verdict *verdict, const struct decision *decision,
                            struct text *detail)
{
    text_append_format(detail, "class=%s level=%d", statement_class_name(decision->class),
                       (int)decision->level);
    name_append(detail, " command=", command_of(verdict, decision));
    text_append_format(detail, " ground=%s", guard_ground_name(decision->ground));
    if (decision->rule != NULL)
        name_append(detail, " rule=", rule_of(decision));
    if (decision->object != NULL) {
        text_append_string(detail, " object=");
        object_append(decision->object, detail);
    }
    if (decision->span != NULL)
        name_append(detail, decision->span->is_freeze ? " freeze=" : " window=", decision->span->name);
}

static void advise_window(const struct decision *decision, int64_t now_us, struct text *hint)
{
    const struct gate_span *next = decision->next;
    if (next == NULL) {
        text_append_string(hint, "No window");
        if (decision->rule != NULL && decision->rule->has_windows)
            name_append(hint, " of the rule ", decision->rule->name);
        text_append_format(hint, " that allows it opens within %d days; ", (int)POLICY_DAYS);
        text_append_string(hint, "an operator can open one on the console (OPEN WINDOW).");
        return;
    }
    name_append(hint, "The next window that allows it, ", next->name);
    text_append_format(hint, ", opens at %s (", next->from_text);
    ascii_append(hint, bytes_text(next->timezone));
    text_append_string(hint, "): opens in ");
    text_append_duration(hint, next->from_us - now_us);
    text_append_byte(hint, '.');
}

static void advise_rule(const struct decision *decision, struct text *hint)
{
    name_append(hint, "No window or opening lets it pass while the rule ", rule_of(decision));
    text_append_string(hint, " stands in the settings (guard.rules).");
}

static void advise_protected(const struct decision *decision, struct text *hint)
{
    text_append_string(hint,
                       "No window, opening or rule lets protected objects be changed (guard.protected in "
                       "the settings)");
    if (decision->object == NULL)
        text_append_string(hint, "; name every object that it changes, and leave CASCADE out.");
    else if (!object_pattern_matches(decision->protected, decision->object) && !decision->object->is_schema)
        text_append_string(hint, "; name it with its schema if it is another.");
    else
        text_append_byte(hint, '.');
}

static void advise_order(const struct readonly_order *order, int64_t now_us, struct text *hint)
{
    if (order->until_us < INT64_MAX) {
        text_append_format(hint, "Writes pass again at %s, in ", order->until_text);
        text_append_duration(hint, order->until_us - now_us);
        text_append_string(hint, ", or when an operator says so on the console (SET READONLY OFF).");
        return;
    }
    text_append_string(hint, "Writes pass again when an operator says so on the console (SET READONLY OFF).");
}

static void advise_turn(const struct turnstile_holder *holder, int64_t now_us, struct text *hint)
{
    text_append_string(hint, "One session at a time changes the schema of a database "
                             "(guard.one_change_at_a_time in the settings): try again ");
    if (!holder->is_resting) {
        text_append_string(hint, "when its transaction has ended.");
        return;
    }
    text_append_string(hint, "at ");
    moment_append(hint, holder->until_us);
    text_append_string(hint, ", in ");
    text_append_duration(hint, holder->until_us - now_us);
    text_append_byte(hint, '.');
}

static void describe_hint(const struct decision *decision, int64_t now_us, struct text *hint)
{
    switch (decision->ground) {
    case GROUND_CAPPED:
    case GROUND_RULE_REFUSES:
        advise_rule(decision, hint);
        break;
    case GROUND_PROTECTED:
        advise_protected(decision, hint);
        break;
    case GROUND_READONLY:
        advise_order(decision->order, now_us, hint);
        break;
    case GROUND_TAKEN:
        advise_turn(&decision->holder, now_us, hint);
        break;
    default:
        advise_window(decision, now_us, hint);
    }
}

void guard_describe(const struct verdict *verdict, const struct decision *decision, int64_t now_us,
                    struct text *message, struct text *detail, struct text *hint)
{
    if (decision->ground == GROUND_TAKEN) {
        describe_taken(&decision->holder, message);
    } else {
        describe_kind(verdict, decision, message);
        describe_ground(decision, message);
    }
    describe_detail(verdict, decision, detail);
    describe_hint(decision, now_us, hint);
}
