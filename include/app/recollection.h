/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_RECOLLECTION_H
#define APP_RECOLLECTION_H

#include "app/aftermath.h"
#include "app/vigil.h"
#include "history/history.h"

#include <stdatomic.h>
#include <uv.h>

/* What the program learns at its start of the time before it: the history is asked by a thread of its own, so
 * that nobody who connects waits for it. Until it is over the vigil sets aside what is counted.
 *
 *     begun --(the file is open)--> what this very minute has seen is read --> this run may write
 *           --> weeks of counts, incidents, schema changes are read --> the vigil awakes
 */

enum { RECOLLECTED_CHANGES_MOST = 1000 };

/* A schema change of an earlier run: its decision, with the time and the reason of its end. */
struct recollected_change {
    struct event event;
    enum change_state state;
};

struct recollection {
    bool is_running; /* the thread is to be joined; all below is the thread's until then */
    uv_thread_t thread;
    atomic_bool is_over;
    atomic_bool is_cancelled;
    struct history *history;
    const char *path;
    struct vigil *vigil;
    int64_t now_us; /* of the start */
    int64_t look_back_us;
    bool has_learned; /* all that there was to learn */
    struct vigil_past past;
    struct recollected_change *changes; /* newest first */
    size_t change_count;
    struct history_constraint_change *differences; /* newest first */
    size_t difference_count;
};

/* Begins to learn for the vigil, which sleeps; the history holds back. Without a thread the vigil awakes with
 * doubts. Must stay where it is. */
void recollection_begin(struct recollection *recollection, struct vigil *vigil, struct history *history,
                        const struct settings *settings, int64_t now_us);
/* Hands over to the vigil and the aftermath what was learned, once that is over. */
void recollection_tick(struct recollection *recollection, struct aftermath *aftermath);
/* Ends it, learned or not. Harmless where it was never begun, all zeros. */
void recollection_end(struct recollection *recollection);

#endif
