/* SPDX-License-Identifier: PostgreSQL */
#include "config/check.h"
#include "config/edits.h"
#include "config/schema.h"

enum { OBJECT_PART_MOST = 127 };

/* For whom an entry is. */
struct subject {
    const char *patterns[3];
    const struct network *address;
};

#define SUBJECT_OF(when)                                                                                     \
    {                                                                                                        \
        { (when)->service, (when)->user, (when)->database }, &(when)->address                                \
    }

/* A pattern that is not written is one too. */
static bool is_for_any(const char *pattern)
{
    return pattern[strspn(pattern, "*")] == '\0';
}

static bool networks_equal(const struct network *a, const struct network *b)
{
    return a->family == b->family && a->prefix == b->prefix && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

static bool is_for_all(const struct subject *subject)
{
    bool is_any = subject->address->family == ADDRESS_NONE;
    for (size_t i = 0; i < COUNT_OF(subject->patterns); i++)
        is_any = is_any && is_for_any(subject->patterns[i]);
    return is_any;
}

/* Whether everybody whom the second is for is one of the first's, as far as that is plain. */
static bool covers(const struct subject *first, const struct subject *second)
{
    bool is_within =
        first->address->family == ADDRESS_NONE || networks_equal(first->address, second->address);
    for (size_t i = 0; i < COUNT_OF(first->patterns); i++)
        is_within = is_within &&
                    (is_for_any(first->patterns[i]) || strcmp(first->patterns[i], second->patterns[i]) == 0);
    return is_within;
}

/* Says of an entry of modes why it or what comes after it does not count; false when there is no reason. */
static bool warn_of_mode(const struct findings *findings, size_t index)
{
    const struct mode_settings *modes = findings->settings->guard.modes.items;
    struct subject subject = SUBJECT_OF(&modes[index].when);
    struct setting_path path = setting_path("guard.modes[%zu].mode", index);
    for (size_t i = 0; i < index; i++) {
        if (!covers(&(struct subject)SUBJECT_OF(&modes[i].when), &subject))
            continue;
        findings_warn(findings, path.text,
                      "never counts: guard.modes[%zu] before it holds for the same; put this entry before "
                      "that one, or take it out",
                      i);
        return true;
    }
    if (is_for_all(&subject))
        findings_warn(findings, path.text,
                      "the entry has no condition, so guard.mode and the entries after it never count: write "
                      "for whom it is under when, or write this mode as guard.mode");
    return is_for_all(&subject);
}

/* One word about all of them is enough. */
static void check_modes(const struct findings *findings)
{
    bool is_said = false;
    for (size_t i = 0; i < findings->settings->guard.modes.count && !is_said; i++)
        is_said = warn_of_mode(findings, i);
}

static void check_object(const struct findings *findings, const char *path, const char *pattern)
{
    const char *dot = strchr(pattern, '.');
    size_t before = strcspn(pattern, ".");
    size_t after = dot != NULL ? strlen(dot + 1) : 0;
    if (dot != NULL && strchr(dot + 1, '.') != NULL)
        findings_fault(findings, path,
                       "\"%s\" has more than one dot: write schema.name, or name for any schema; of a column "
                       "write its table",
                       pattern);
    else if (dot != NULL && (before == 0 || after == 0))
        findings_fault(
            findings, path,
            "\"%s\" has nothing %s its dot: write schema.name, with * for any, such as \"audit.*\"", pattern,
            before == 0 ? "before" : "behind");
    else if (before > OBJECT_PART_MOST || after > OBJECT_PART_MOST)
        findings_fault(findings, path, "is too long: schema and name have at most %d bytes each",
                       OBJECT_PART_MOST);
    else if (strchr(pattern, '"') != NULL)
        findings_warn(findings, path,
                      "has quotation marks, which are no part of a name: leave them out, and write capital "
                      "letters only for names that are quoted in SQL");
}

static void check_protected(const struct findings *findings)
{
    const struct guard_settings *guard = &findings->settings->guard;
    bool is_off = guard->mode == MODE_OFF;
    for (size_t i = 0; i < guard->modes.count; i++)
        is_off = is_off && guard->modes.items[i].mode == MODE_OFF;
    for (size_t i = 0; i < guard->protected.count; i++)
        check_object(findings, setting_path("guard.protected[%zu]", i).text, guard->protected.items[i]);
    if (guard->protected.count > 0 && is_off)
        findings_warn(findings, "guard.protected",
                      "has no effect with guard.mode: off, in which everything passes: write mode: enforce, "
                      "or leave it out");
}

static void check_turns(const struct findings *findings)
{
    static const char path[] = "guard.rest_between_changes";
    const struct guard_settings *guard = &findings->settings->guard;
    if (guard->rest_between_changes > 0 && !guard->one_change_at_a_time &&
        !findings_has_error(findings, "guard.one_change_at_a_time"))
        findings_warn(findings, path,
                      "has no effect without one_change_at_a_time: write one_change_at_a_time: true, or "
                      "leave it out");
}

/* Whether the windows could be read, so that it is known which there are. */
static bool has_all_windows(const struct findings *findings)
{
    const struct guard_settings *guard = &findings->settings->guard;
    bool has_all = !findings_has_error(findings, "guard.windows");
    for (size_t i = 0; i < guard->windows.count; i++)
        has_all = has_all && guard->windows.items[i].name[0] != '\0';
    return has_all;
}

/* The name of the window that a person may have meant, that it is itself, or NULL when none is near. */
static const char *nearest_window(const struct guard_settings *guard, const char *name)
{
    const char *nearest = NULL;
    size_t best = edits_too_many(bytes_text(name));
    for (size_t i = 0; i < guard->windows.count; i++) {
        size_t away = edits_between(bytes_text(name), bytes_text(guard->windows.items[i].name));
        if (away >= best)
            continue;
        best = away;
        nearest = guard->windows.items[i].name;
    }
    return nearest;
}

static void check_window_name(const struct findings *findings, struct setting_path path, const char *name)
{
    const struct guard_settings *guard = &findings->settings->guard;
    const char *nearest = nearest_window(guard, name);
    if (name[0] == '\0' || (nearest != NULL && strcmp(nearest, name) == 0))
        return;
    if (nearest != NULL)
        findings_fault(findings, path.text, "there is no window \"%s\"; did you mean \"%s\"?", name, nearest);
    else if (guard->windows.count > 0)
        findings_fault(findings, path.text,
                       "there is no window \"%s\": write the name of an entry of guard.windows, such as %s",
                       name, guard->windows.items[0].name);
    else
        findings_fault(findings, path.text,
                       "there is no window \"%s\": guard.windows has none; write it there", name);
}

/* What only asking the windows needs. */
static void check_rule_parts(const struct findings *findings, size_t index)
{
    static const char *const names[] = { "most", "windows" };
    const struct rule_settings *rule = &findings->settings->guard.rules.items[index];
    const bool has[] = { rule->most != ALLOW_MODIFYING, rule->windows.count > 0 };
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct setting_path path = setting_path("guard.rules[%zu].%s", index, names[i]);
        if (has[i] && rule->action != SETTING_ACTION_WINDOW && !findings_has_error(findings, path.text))
            findings_fault(findings, path.text,
                           "has no place in a rule with action: %s: take it out, or write action: window",
                           schema_word(CHOICE_setting_action, rule->action));
    }
}

/* The guard looks for names in schema changes only. */
static void check_rule_object(const struct findings *findings, size_t index)
{
    static const enum setting_class nameless[] = { SETTING_CLASS_OPAQUE, SETTING_CLASS_WRITE,
                                                   SETTING_CLASS_LOCK, SETTING_CLASS_COPY_PROGRAM };
    const struct matter_settings *when = &findings->settings->guard.rules.items[index].when;
    struct setting_path path = setting_path("guard.rules[%zu].when.object", index);
    check_object(findings, path.text, when->object);
    for (size_t i = 0; i < COUNT_OF(nameless) && when->object[0] != '\0'; i++) {
        if ((when->class & 1U << nameless[i]) == 0)
            continue;
        findings_fault(findings, path.text,
                       "does not go with class %s, of which no objects are known: take one of them out, or "
                       "write two rules",
                       schema_word(CHOICE_setting_class, nameless[i]));
        return;
    }
}

static void check_rule(const struct findings *findings, size_t index)
{
    const struct rule_settings *rule = &findings->settings->guard.rules.items[index];
    bool has_all = has_all_windows(findings);
    check_rule_parts(findings, index);
    check_rule_object(findings, index);
    for (size_t i = 0; i < rule->windows.count && has_all && rule->action == SETTING_ACTION_WINDOW; i++)
        check_window_name(findings, setting_path("guard.rules[%zu].windows[%zu]", index, i),
                          rule->windows.items[i]);
}

/* Whether all that the second rule is about is the first's, as far as that is plain. A rule that refuses is
 * about all that may be one of its objects, the others are about what surely is. */
static bool rule_hides(const struct rule_settings *first, const struct rule_settings *second)
{
    bool has_object = first->when.object[0] != '\0';
    bool is_as_wide = first->action == SETTING_ACTION_REFUSE || second->action != SETTING_ACTION_REFUSE;
    if ((second->when.class & ~first->when.class) != 0)
        return false;
    if (has_object && !(is_as_wide && strcmp(first->when.object, second->when.object) == 0))
        return false;
    return covers(&(struct subject)SUBJECT_OF(&first->when), &(struct subject)SUBJECT_OF(&second->when));
}

static bool warn_of_hidden(const struct findings *findings, size_t index)
{
    const struct rule_settings *rules = findings->settings->guard.rules.items;
    for (size_t i = 0; i < index; i++) {
        if (!rule_hides(&rules[i], &rules[index]))
            continue;
        findings_warn(findings, setting_path("guard.rules[%zu].name", index).text,
                      "is never asked: \"%s\" before it (guard.rules[%zu]) holds for all that it is about; "
                      "put this rule before that one, or take it out",
                      rules[i].name, i);
        return true;
    }
    return false;
}

static void warn_of_open_gate(const struct findings *findings, size_t index)
{
    const struct rule_settings *rule = &findings->settings->guard.rules.items[index];
    struct subject subject = SUBJECT_OF(&rule->when);
    bool has_classes = findings_is_changed(findings, setting_path("guard.rules[%zu].when.class", index).text);
    if (rule->action == SETTING_ACTION_ALLOW && rule->when.object[0] == '\0' && !has_classes &&
        is_for_all(&subject))
        findings_warn(findings, setting_path("guard.rules[%zu].action", index).text,
                      "lets every schema change pass, of everybody and at any time: windows and freezes "
                      "never count; write a condition under when, or guard.mode: off if that is meant");
}

/* One word about hidden rules is enough. */
static void check_reach(const struct findings *findings)
{
    bool is_said = false;
    for (size_t i = 0; i < findings->settings->guard.rules.count; i++) {
        warn_of_open_gate(findings, i);
        is_said = is_said || warn_of_hidden(findings, i);
    }
}

void guard_check(const struct findings *findings)
{
    for (size_t i = 0; i < findings->settings->guard.rules.count; i++)
        check_rule(findings, i);
    check_protected(findings);
    check_turns(findings);
    /* Where something could not be read, what is looked at here may be among it. */
    if (findings->problems->error_count > 0)
        return;
    check_modes(findings);
    check_reach(findings);
}
