/* SPDX-License-Identifier: PostgreSQL */
#include "observe/journal.h"

#include <stdlib.h>

const char *change_state_name(enum change_state state)
{
    static const char *const names[] = {
#define CHANGE(symbol, name, about) [CHANGE_##symbol] = (name),
#include "observe/changes.def"
#undef CHANGE
    };
    return names[state];
}

/* What the kinds of event do: file an entry in a state, or bring entries from some states into one. Kinds
 * that are not here do nothing. */
static const struct journal_act {
    bool files;
    unsigned from; /* a bit for each state */
    enum change_state to;
} acts[EVENT_KIND_COUNT] = {
    [EVENT_DDL_PASSED] = { true, 0, CHANGE_PASSED },
    [EVENT_DDL_WOULD_REFUSE] = { true, 0, CHANGE_PASSED },
    [EVENT_DDL_REFUSED] = { true, 0, CHANGE_NONE },
    [EVENT_DDL_UNSEEN] = { true, 0, CHANGE_NONE },
    [EVENT_DDL_COMPLETED] = { false, 1u << CHANGE_PASSED, CHANGE_COMPLETED },
    [EVENT_DDL_FAILED] = { false, 1u << CHANGE_PASSED | 1u << CHANGE_COMPLETED, CHANGE_FAILED },
    [EVENT_DDL_COMMITTED] = { false, 1u << CHANGE_COMPLETED, CHANGE_COMMITTED },
    [EVENT_DDL_UNDONE] = { false, 1u << CHANGE_COMPLETED, CHANGE_UNDONE },
    [EVENT_DDL_UNKNOWN] = { false, 1u << CHANGE_PASSED | 1u << CHANGE_COMPLETED, CHANGE_UNKNOWN },
};

bool journal_init(struct journal *journal, size_t capacity)
{
    *journal = (struct journal){ .capacity = capacity };
    journal->entries = capacity > 0 ? calloc(capacity, sizeof *journal->entries) : NULL;
    return capacity == 0 || journal->entries != NULL;
}

void journal_release(struct journal *journal)
{
    free(journal->entries);
    *journal = (struct journal){ 0 };
}

static void journal_file(struct journal *journal, const struct event *event, enum change_state state)
{
    journal->recorded++;
    if (journal->capacity == 0)
        return;
    journal->entries[journal->next] = (struct journal_entry){ .event = *event, .state = state };
    journal->next = (journal->next + 1) % journal->capacity;
    journal->count += journal->count < journal->capacity ? 1 : 0;
}

static struct journal_entry *journal_at(const struct journal *journal, size_t age)
{
    if (age >= journal->count)
        return NULL;
    return &journal->entries[(journal->next + journal->capacity - 1 - age) % journal->capacity];
}

static void entry_apply(struct journal_entry *entry, const struct event *event)
{
    const struct journal_act *act = &acts[event->kind];
    if ((act->from >> entry->state & 1) == 0)
        return;
    entry->state = act->to;
    memcpy(entry->note, event->reason, sizeof entry->note);
    if (act->to == CHANGE_FAILED)
        memcpy(entry->sqlstate, event->violation.sqlstate, sizeof entry->sqlstate);
    if (act->to == CHANGE_FAILED || act->to == CHANGE_COMPLETED)
        entry->duration_us = event->duration_us;
}

/* A session's changes are filed in the order of their numbers, so the one before the first of them ends the
 * search: a text that runs another by EXECUTE has two decisions of one number. */
static void journal_apply(struct journal *journal, const struct event *event)
{
    uint32_t first = event->change;
    uint32_t last = event->change_last > first ? event->change_last : first;
    struct journal_entry *entry;
    for (size_t age = 0; first > 0 && (entry = journal_at(journal, age)) != NULL; age++) {
        const struct event *decision = &entry->event;
        if (decision->change == 0 || decision->session != event->session || decision->worker != event->worker)
            continue;
        if (decision->change < first)
            break;
        if (decision->change <= last)
            entry_apply(entry, event);
    }
}

void journal_record(struct journal *journal, const struct event *event)
{
    const struct journal_act *act = &acts[event->kind];
    if (act->files)
        journal_file(journal, event, act->to);
    else if (act->from != 0)
        journal_apply(journal, event);
}

const struct journal_entry *journal_newest(const struct journal *journal, size_t age)
{
    return journal_at(journal, age);
}
