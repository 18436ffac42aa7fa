/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONTROL_WORLD_H
#define CONTROL_WORLD_H

#include "catalog/changes.h"
#include "control/outcome.h"
#include "history/history.h"
#include "observe/attempts.h"
#include "observe/deploys.h"
#include "observe/incident_book.h"
#include "observe/journal.h"
#include "observe/snapshot.h"
#include "observe/totals.h"
#include "policy/policy.h"

enum window_kind { WINDOW_WEEKLY, WINDOW_RULE, WINDOW_ONCE, WINDOW_CALENDAR, WINDOW_OPENING, WINDOW_FREEZE };
enum window_state { WINDOW_CLOSED, WINDOW_OPEN, WINDOW_FROZEN };

const char *window_kind_name(enum window_kind kind);
const char *window_state_name(enum window_state state);

/* One window, opening or freeze as SHOW WINDOWS shows it. Texts may be NULL or empty, times 0: both are shown
 * as NULL. */
struct window_row {
    const char *name;
    enum window_kind kind;
    enum safety_level allow; /* not looked at for a freeze */
    enum window_state state;
    int64_t opens_us; /* of the time that is open now, else of the next one; of a freeze, its own */
    int64_t closes_us;
    const char *timezone;
    const char *reason;
    const char *opened_by;
    const char *service; /* for whom an opening is, here and below; empty: for all */
    const char *user;
    const char *database;
};

enum rule_kind { RULE_KIND_MODE, RULE_KIND_PROTECTED, RULE_KIND_RULE };

const char *rule_kind_name(enum rule_kind kind);

enum { RULE_CLASSES_SIZE = 192, RULE_WINDOWS_SIZE = 2048, RULE_NETWORK_SIZE = 64, RULE_OBJECT_SIZE = 256 };

/* A mode, a protected object or a rule as SHOW RULES shows it. What is empty or NULL is shown as NULL. */
struct rule_row {
    enum rule_kind kind;
    const char *name;
    struct scope scope; /* for whom; all empty: for all */
    char address[RULE_NETWORK_SIZE];
    char object[RULE_OBJECT_SIZE];
    char classes[RULE_CLASSES_SIZE]; /* empty: every class that needs a window */
    const char *action;
    const char *most;
    char windows[RULE_WINDOWS_SIZE]; /* empty: all of them */
    const char *mode;
};

/* One setting as SHOW SETTINGS shows it. */
struct setting_row {
    const char *name;
    const char *value;
    const char *default_value;
    const char *about;
    bool is_secret; /* its value, where there is one, is shown as asterisks */
};

/* An event loop as SHOW WORKERS shows it. */
struct worker_row {
    const char *state; /* a constant, as the next */
    const char *io;    /* how the bytes move: uring or uv */
    int64_t thread;    /* as the kernel calls it */
    uint64_t connections;
    uint64_t handed;
    uint64_t stalls;
    int64_t longest_stall_us;
    int64_t cpu_us;
};

/* What the owner of a console knows, gathered for one command: only what its form needs is looked at. */
struct console_world {
    int64_t now_us;                        /* wall clock, µs since 1970 */
    const struct snapshot *snapshot;       /* COMMAND_NEEDS_SNAPSHOT, COMMAND_NEEDS_TOTALS */
    const struct totals *totals;           /* COMMAND_NEEDS_TOTALS */
    const struct history_state *history;   /* COMMAND_NEEDS_HISTORY; NULL: there is none */
    const struct incident_book *incidents; /* COMMAND_NEEDS_TOTALS; NULL: they are not looked for */
    const struct deploys *deploys;         /* COMMAND_NEEDS_TOTALS */
    const struct journal *journal;         /* COMMAND_NEEDS_JOURNAL */
    const struct catalog *catalog;         /* always; NULL: no database is to be read */
    const struct constraint_changes *constraint_changes; /* so */
    const struct attempts *attempts;                     /* so; NULL: values are not to be seen */
    const struct window_row *windows;                    /* COMMAND_NEEDS_WINDOWS */
    size_t window_count;
    const struct rule_row *rules; /* COMMAND_NEEDS_RULES; NULL: memory is short */
    size_t rule_count;
    const struct readonly_order *orders; /* COMMAND_NEEDS_ORDERS; what is over at now_us is not shown */
    size_t order_count;
    const struct worker_row *workers; /* COMMAND_NEEDS_WORKERS; by number; NULL: memory is short */
    size_t worker_count;
    const struct setting_row *settings; /* COMMAND_NEEDS_SETTINGS */
    size_t setting_count;
    struct console_outcome outcome; /* COMMAND_NEEDS_EFFECT: how the effect ended */
};

#endif
