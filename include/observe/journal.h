/* SPDX-License-Identifier: PostgreSQL */
#ifndef OBSERVE_JOURNAL_H
#define OBSERVE_JOURNAL_H

#include "observe/event.h"

/* The most recent events of some kind, oldest given up first: what the console shows of schema changes. */
struct journal {
    struct event *events; /* a circle */
    size_t capacity;
    size_t count;
    size_t next;
    uint64_t recorded; /* in all */
};

MUST_USE bool journal_init(struct journal *journal, size_t capacity);
void journal_release(struct journal *journal);
void journal_record(struct journal *journal, const struct event *event);
/* The `age`-th newest event (0: the newest), or NULL. */
const struct event *journal_newest(const struct journal *journal, size_t age);

#endif
