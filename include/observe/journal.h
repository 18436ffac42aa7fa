/* SPDX-License-Identifier: PostgreSQL */
#ifndef OBSERVE_JOURNAL_H
#define OBSERVE_JOURNAL_H

#include "observe/event.h"

/* How far a schema change has got:
 *
 *     NONE            PASSED --> COMPLETED --> COMMITTED
 *                        |           |    |--> UNDONE
 *                        |-> FAILED <'    |
 *                        `--------------> UNKNOWN
 */
enum change_state {
#define CHANGE(symbol, name, about) CHANGE_##symbol,
#include "observe/changes.def"
#undef CHANGE
    CHANGE_STATE_COUNT
};

const char *change_state_name(enum change_state state);

struct journal_entry {
    struct event event; /* the decision */
    enum change_state state;
    char sqlstate[6];       /* CHANGE_FAILED: of the server's error; empty: there was none */
    int64_t duration_us;    /* from the decision to its end; 0 while that was not seen */
    char note[REASON_SIZE]; /* the reason of what happened to it last */
};

/* The most recent schema changes, oldest given up first: what the console shows of them. */
struct journal {
    struct journal_entry *entries; /* a circle */
    size_t capacity;
    size_t count;
    size_t next;
    uint64_t recorded; /* decisions, in all */
};

MUST_USE bool journal_init(struct journal *journal, size_t capacity);
void journal_release(struct journal *journal);
/* Files a decision (DDL_PASSED, DDL_REFUSED, DDL_WOULD_REFUSE, DDL_UNSEEN), or notes what became of those it
 * is about (DDL_COMPLETED, DDL_FAILED, DDL_COMMITTED, DDL_UNDONE, DDL_UNKNOWN) as the states above allow:
 * those that failed stay so when their transaction is committed. Nothing happens when they are gone, nor for
 * other events. */
void journal_record(struct journal *journal, const struct event *event);
/* The `age`-th newest entry (0: the newest), or NULL. */
const struct journal_entry *journal_newest(const struct journal *journal, size_t age);

#endif
