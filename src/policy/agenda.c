/* SPDX-License-Identifier: PostgreSQL */
#include "policy/agenda.h"

/* The entries so far, in order, and how many of them are still to begin. */
struct agenda {
    struct agenda_entry *entries;
    size_t count;
    size_t next_count;
    size_t next_most;
};

static void agenda_insert(struct agenda *agenda, struct agenda_entry entry)
{
    size_t at = agenda->count;
    for (; at > 0 && agenda->entries[at - 1].occurrence.from_us > entry.occurrence.from_us; at--)
        agenda->entries[at] = agenda->entries[at - 1];
    agenda->entries[at] = entry;
    agenda->count++;
}

/* Whether there is room for one that begins then, be it that of a later one. */
static bool agenda_takes(struct agenda *agenda, int64_t from_us)
{
    if (agenda->next_count < agenda->next_most)
        return true;
    if (agenda->next_most == 0 || from_us >= agenda->entries[agenda->count - 1].occurrence.from_us)
        return false;
    agenda->count--;
    agenda->next_count--;
    return true;
}

static void agenda_add_window(struct agenda *agenda, const struct window *window, int64_t at_us)
{
    struct agenda_entry entry = { window, { at_us, at_us } };
    bool is_first = true; /* of one window there is room for one that has begun */
    while (window_next(window, entry.occurrence.to_us, &entry.occurrence)) {
        bool has_begun = is_first && entry.occurrence.from_us <= at_us;
        is_first = false;
        if (!has_begun && !agenda_takes(agenda, entry.occurrence.from_us))
            return;
        agenda->next_count += has_begun ? 0 : 1;
        agenda_insert(agenda, entry);
    }
}

size_t agenda_most(const struct gate_plan *plan, size_t next_most)
{
    return plan->window_count + next_most;
}

size_t agenda_fill(const struct gate_plan *plan, int64_t at_us, size_t next_most,
                   struct agenda_entry *entries)
{
    struct agenda agenda = { .entries = entries, .next_most = next_most };
    for (size_t i = 0; i < plan->window_count; i++)
        agenda_add_window(&agenda, &plan->windows[i], at_us);
    return agenda.count;
}

bool freeze_cuts(const struct freeze *freeze, const struct occurrence *occurrence, struct occurrence *out)
{
    return freeze_next(freeze, occurrence->from_us, out) && out->from_us < occurrence->to_us;
}
