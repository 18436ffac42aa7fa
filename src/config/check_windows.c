/* SPDX-License-Identifier: PostgreSQL */
#include "config/check.h"
#include "config/window_form.h"

/* Which settings a form has. */
enum part { PART_DAYS, PART_FROM, PART_TO, PART_DURATION, PART_START, PART_MATCH, PART_RRULE, PART_COUNT };

static const char *const part_names[] = {
    [PART_DAYS] = "days",   [PART_FROM] = "from",   [PART_TO] = "to",       [PART_DURATION] = "duration",
    [PART_START] = "start", [PART_MATCH] = "match", [PART_RRULE] = "rrule",
};

static const char *const form_names[] = {
#define FORM(symbol, words) [FORM_##symbol] = words,
    WINDOW_FORMS(FORM)
#undef FORM
};

static const bool form_has[][PART_COUNT] = {
    [FORM_WEEKLY] = { [PART_DAYS] = true, [PART_FROM] = true, [PART_TO] = true },
    [FORM_RULE] = { [PART_RRULE] = true,
                    [PART_FROM] = true,
                    [PART_TO] = true,
                    [PART_DURATION] = true,
                    [PART_START] = true },
    [FORM_ONCE] = { [PART_FROM] = true, [PART_TO] = true },
    [FORM_CALENDAR] = { [PART_MATCH] = true },
};

static bool is_instant(const char *moment)
{
    return strchr(moment, 'T') != NULL;
}

enum setting_form window_form(const struct window_settings *window)
{
    if (window->calendar[0] != '\0')
        return FORM_CALENDAR;
    if (window->rrule[0] != '\0')
        return FORM_RULE;
    return is_instant(window->from) ? FORM_ONCE : FORM_WEEKLY;
}

/* A window or a freeze of a list. */
struct entry {
    const struct findings *findings;
    const char *list;
    size_t index;
};

static struct setting_path entry_path(const struct entry *entry, const char *name)
{
    return setting_path("%s[%zu].%s", entry->list, entry->index, name);
}

static bool is_written(const struct entry *entry, const char *name)
{
    return origins_find(entry->findings->origins, entry_path(entry, name).text) != NULL;
}

static void entry_needs(const struct entry *entry, const char *name, const char *what)
{
    if (!is_written(entry, name))
        findings_fault(entry->findings, entry_path(entry, name).text, "is missing: %s", what);
}

static void entry_excludes(const struct entry *entry, const char *name, const char *why)
{
    if (is_written(entry, name))
        findings_fault(entry->findings, entry_path(entry, name).text, "has no place in %s: take it out", why);
}

static void check_parts(const struct entry *entry, enum setting_form form)
{
    for (size_t part = 0; part < PART_COUNT; part++) {
        if (!form_has[form][part])
            entry_excludes(entry, part_names[part], form_names[form]);
    }
}

/* From when to when: both times of day, or both moments. */
static void check_ends(const struct entry *entry, const struct window_settings *window)
{
    const char *from = window->from;
    const char *to = window->to;
    struct setting_path path = entry_path(entry, "to");
    if (from[0] == '\0' || to[0] == '\0')
        return;
    if (is_instant(from) != is_instant(to))
        findings_fault(entry->findings, path.text,
                       "must be written as from is: both as times of day, or both with date and offset");
    else if (strcmp(from, to) == 0)
        findings_fault(entry->findings, path.text,
                       "it closes when it opens: write a time at least a minute later, or from \"00:00\" to "
                       "\"24:00\" for whole days");
}

static void check_rule(const struct entry *entry, const struct window_settings *window)
{
    if (is_instant(window->from))
        findings_fault(entry->findings, entry_path(entry, "from").text,
                       "must be a time of day with rrule: write HH:MM, and the first day as start");
    if (is_written(entry, "to") && is_written(entry, "duration"))
        findings_fault(entry->findings, entry_path(entry, "duration").text,
                       "stands beside to: take one of them out");
    if (!is_written(entry, "duration"))
        entry_needs(entry, "to", "write when it closes, such as to: \"04:00\", or duration: 2h");
}

static void check_window(const struct entry *entry, const struct window_settings *window)
{
    enum setting_form form = window_form(window);
    check_parts(entry, form);
    if (form == FORM_CALENDAR)
        return;
    entry_needs(entry, "from", "write when it opens, such as from: \"02:00\", or a calendar");
    check_ends(entry, window);
    if (form == FORM_RULE)
        check_rule(entry, window);
    else
        entry_needs(entry, "to", "write when it closes, such as to: \"04:00\"");
}

static void check_freeze(const struct entry *entry, const struct freeze_settings *freeze)
{
    static const char calendar[] = "a freeze of a calendar";
    static const char plain[] = "a freeze without calendar";
    if (freeze->calendar[0] != '\0') {
        entry_excludes(entry, "from", calendar);
        entry_excludes(entry, "to", calendar);
        return;
    }
    entry_needs(entry, "from", "write its first moment, such as from: \"2026-11-26T00:00:00-05:00\"");
    entry_needs(entry, "to", "write the first moment after it, such as to: \"2026-12-01T00:00:00-05:00\"");
    entry_excludes(entry, "match", plain);
    entry_excludes(entry, "timezone", plain);
}

void windows_check(const struct findings *findings)
{
    const struct guard_settings *guard = &findings->settings->guard;
    for (size_t i = 0; i < guard->windows.count; i++)
        check_window(&(struct entry){ findings, "guard.windows", i }, &guard->windows.items[i]);
    for (size_t i = 0; i < guard->freezes.count; i++)
        check_freeze(&(struct entry){ findings, "guard.freezes", i }, &guard->freezes.items[i]);
    /* Where something could not be read a window may be among it. */
    if (findings->problems->error_count == 0 && guard->mode == MODE_ENFORCE && guard->windows.count == 0)
        findings_warn(
            findings, "guard.windows",
            "there is no window, so the gate stays closed: schema changes pass only when an operator opens "
            "it on the console");
}
