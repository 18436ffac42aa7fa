/* SPDX-License-Identifier: PostgreSQL */
#include "observe/journal.h"

#include <stdlib.h>

bool journal_init(struct journal *journal, size_t capacity)
{
    *journal = (struct journal){ .capacity = capacity };
    journal->events = capacity > 0 ? calloc(capacity, sizeof *journal->events) : NULL;
    return capacity == 0 || journal->events != NULL;
}

void journal_release(struct journal *journal)
{
    free(journal->events);
    *journal = (struct journal){ 0 };
}

void journal_record(struct journal *journal, const struct event *event)
{
    journal->recorded++;
    if (journal->capacity == 0)
        return;
    journal->events[journal->next] = *event;
    journal->next = (journal->next + 1) % journal->capacity;
    journal->count += journal->count < journal->capacity ? 1 : 0;
}

const struct event *journal_newest(const struct journal *journal, size_t age)
{
    if (age >= journal->count)
        return NULL;
    return &journal->events[(journal->next + journal->capacity - 1 - age) % journal->capacity];
}
