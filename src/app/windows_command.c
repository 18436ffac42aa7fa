/* SPDX-License-Identifier: PostgreSQL */
/* Names and zones are of a few ASCII characters in the settings: nothing here needs quoting. */
#include "app/windows_command.h"

#include "policy/agenda.h"

#include <stdio.h>
#include <stdlib.h>

/* A moment in local time of a zone, in storage of its own. */
struct shown_time {
    char text[INSTANT_TEXT_SIZE];
};

static struct shown_time time_shown(int64_t time_us, const char *timezone)
{
    struct shown_time shown;
    struct text text;
    text_init(&text, shown.text, sizeof(shown.text));
    instant_describe(time_us, timezone, &text);
    return shown;
}

struct listing {
    const struct gate_plan *plan;
    const struct windows_question *question;
    const struct agenda_entry *entries;
    size_t count;
};

/* A freeze that takes something of an entry. */
typedef void freeze_printer(const struct freeze *freeze, const struct occurrence *cut, const char *timezone,
                            bool is_first);

static void print_freezes(const struct listing *listing, const struct agenda_entry *entry,
                          freeze_printer *print)
{
    struct occurrence cut;
    bool is_first = true;
    for (size_t index = 0; index < listing->plan->freeze_count; index++) {
        const struct freeze *freeze = &listing->plan->freezes[index];
        if (!freeze_cuts(freeze, &entry->occurrence, &cut))
            continue;
        print(freeze, &cut, entry->window->timezone, is_first);
        is_first = false;
    }
}

static bool is_frozen(const struct listing *listing)
{
    struct occurrence freeze;
    for (size_t index = 0; index < listing->plan->freeze_count; index++)
        if (freeze_next(&listing->plan->freezes[index], listing->question->at_us, &freeze) &&
            freeze.from_us <= listing->question->at_us)
            return true;
    return false;
}

static const char *entry_state(const struct listing *listing, const struct agenda_entry *entry)
{
    if (entry->occurrence.from_us > listing->question->at_us)
        return "next";
    return is_frozen(listing) ? "frozen" : "open";
}

static void print_freeze_plain(const struct freeze *freeze, const struct occurrence *cut,
                               const char *timezone, bool is_first)
{
    (void)printf("%s%s %s to %s", is_first ? "  frozen by " : ", ", freeze->name,
                 time_shown(cut->from_us, timezone).text, time_shown(cut->to_us, timezone).text);
}

static void print_plain(const struct listing *listing)
{
    if (listing->count == 0)
        (void)printf(listing->question->next > 0 ? "no window is open, and none opens\n"
                                                 : "no window is open\n");
    else
        (void)printf("%-6s  %-25s  %-25s  %-9s  %s\n", "state", "from", "to", "allow", "name");
    for (size_t index = 0; index < listing->count; index++) {
        const struct agenda_entry *entry = &listing->entries[index];
        const char *timezone = entry->window->timezone;
        (void)printf("%-6s  %-25s  %-25s  %-9s  %s", entry_state(listing, entry),
                     time_shown(entry->occurrence.from_us, timezone).text,
                     time_shown(entry->occurrence.to_us, timezone).text,
                     safety_level_name(entry->window->allow), entry->window->name);
        print_freezes(listing, entry, print_freeze_plain);
        (void)printf("\n");
    }
}

static void print_freeze_json(const struct freeze *freeze, const struct occurrence *cut, const char *timezone,
                              bool is_first)
{
    (void)printf("%s{\"name\": \"%s\", \"from\": \"%s\", \"to\": \"%s\"}", is_first ? "" : ", ", freeze->name,
                 time_shown(cut->from_us, timezone).text, time_shown(cut->to_us, timezone).text);
}

static void print_json(const struct listing *listing)
{
    (void)printf("[");
    for (size_t index = 0; index < listing->count; index++) {
        const struct agenda_entry *entry = &listing->entries[index];
        const char *timezone = entry->window->timezone;
        (void)printf("%s\n  {\"state\": \"%s\", \"from\": \"%s\", \"to\": \"%s\", \"timezone\": \"%s\", "
                     "\"allow\": \"%s\", \"name\": \"%s\", \"freezes\": [",
                     index > 0 ? "," : "", entry_state(listing, entry),
                     time_shown(entry->occurrence.from_us, timezone).text,
                     time_shown(entry->occurrence.to_us, timezone).text, timezone,
                     safety_level_name(entry->window->allow), entry->window->name);
        print_freezes(listing, entry, print_freeze_json);
        (void)printf("]}");
    }
    (void)printf("\n]\n");
}

bool windows_print(const struct plan *plan, const struct windows_question *question)
{
    const struct gate_plan *gate_plan = &plan->policy.gate;
    struct agenda_entry *entries = calloc(agenda_most(gate_plan, question->next) + 1, sizeof(*entries));
    if (entries == NULL)
        return false;
    struct listing listing = { gate_plan, question, entries,
                               agenda_fill(gate_plan, question->at_us, question->next, entries) };
    if (question->wants_json)
        print_json(&listing);
    else
        print_plain(&listing);
    free(entries);
    return fflush(stdout) == 0 && ferror(stdout) == 0;
}
