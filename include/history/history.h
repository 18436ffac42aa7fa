/* SPDX-License-Identifier: PostgreSQL */
#ifndef HISTORY_HISTORY_H
#define HISTORY_HISTORY_H

#include "base/hash.h"
#include "history/entry.h"
#include "history/query.h"
#include "observe/event.h"
#include "observe/ledger.h"

/* What happened, kept in a SQLite file by a thread of its own: it alone waits for disks and locks. What is
 * recorded waits in memory, bounded, until the thread has written it, once a second. While the file cannot be
 * written it goes on waiting, and what then finds no room is dropped and counted; counts of violations are
 * never dropped, at worst they lose their names.
 *
 *     OK --(the file cannot be written)--> DEGRADED --(it can again)--> OK
 *
 * All functions but create and destroy may be called by any thread. */
struct history;

enum { HISTORY_WHY_SIZE = 256, HISTORY_PATH_SIZE = 4096, HISTORY_VERSION_SIZE = 32 };

struct history_options {
    const char *path;    /* its folder is there; the file is made when needed, readable by its owner only */
    const char *version; /* of the program */
    uint64_t bytes_most; /* of the file; 0: no limit. Details go first, oldest first; counts last */
    uint64_t violations_most;  /* single violations kept; 0: no limit */
    int64_t detail_age_us;     /* all but counts; 0: no limit */
    int64_t count_age_us;      /* 0: no limit */
    int64_t flush_us;          /* between two writes: what a kill may lose */
    size_t waiting_bytes_most; /* of rows that wait; may be taken twice */
    /* Different counts that wait, of violations and as many of errors, some 300 bytes each; may be taken
     * twice. */
    size_t waiting_counts_most;
    struct hash_key key;
    bool holds_back; /* the run is begun in the file, and nothing else written until history_go_on: so that
                      * the file can be asked what was there before */
};

enum history_health { HISTORY_OK, HISTORY_DEGRADED };

struct history_state {
    enum history_health health;
    char why[HISTORY_WHY_SIZE]; /* degraded: SQLite's or the system's reason; otherwise empty */
    int64_t since_us;           /* it has been so; wall clock, as all below; 0 until the first write */
    int64_t flushed_us;         /* the last write; 0: none yet */
    uint64_t waiting_rows;
    uint64_t written_rows;
    uint64_t dropped_rows;   /* found no room while it was degraded, or were not taken by the tables */
    uint64_t unnamed_counts; /* violations and errors counted without their names */
    uint64_t file_bytes;     /* in use, at the last write */
    /* An alarm, for somebody to look at: a file was damaged or not ours. */
    char set_aside[HISTORY_PATH_SIZE]; /* where the last such file is now; empty: there was none */
    char set_aside_why[HISTORY_WHY_SIZE];
    uint64_t files_set_aside;
    /* The run before ended without a word: counts between its last write and our start may be missing. */
    int64_t gap_from_us; /* 0: none */
};

/* Starts the thread; NULL when memory or threads are short. The file is opened by the thread: see its state.
 */
struct history *history_create(const struct history_options *options);
/* Writes what waits, marks the run as ended, ends the thread. Takes as long as the disk does. */
void history_destroy(struct history *history);

/* These copy what they need and never wait for the file.
 * Records an event's detail: sessions, violations, schema changes, refused statements; nothing of others.
 * Counts nothing. */
void history_record_event(struct history *history, const struct event *event);
/* Counts violations of the minute that holds `time_us`. To be exact, count every violation here once, whether
 * or not its event got through. */
void history_count_violations(struct history *history, const struct violation *violation, int64_t time_us,
                              uint64_t count);
/* Counts all of a ledger: its entries by name, its other without; what it does not keep by minute in the
 * minute that holds `time_us`. */
void history_count_ledger(struct history *history, const struct ledger *ledger, int64_t time_us);
/* The same minute and keys again: calls, errors, rows and bytes add up, of the latencies what is said last
 * stays. */
void history_record_minute(struct history *history, const struct history_minute *minute);
/* Counts errors, violations too, as violations are: to be exact, each once. */
void history_count_error(struct history *history, const struct error_entry *error, int64_t time_us,
                         uint64_t count);
/* Counts all of them in one minute: the entries by name, what they do not hold by family. */
void history_count_errors(struct history *history, const struct errors *errors, int64_t time_us);
void history_record_constraint_change(struct history *history,
                                      const struct history_constraint_change *change);
/* An incident; told again, the row says what is said last, and what is known no more stays. */
void history_record_incident(struct history *history, const struct incident_note *note);

/* An incident of an earlier run goes on in this one, with its number: told again, it is that row. */
void history_take_incident(struct history *history, int64_t run, uint64_t number);
/* Ends what earlier runs left open, when they were last known to run, and says that it was cut. */
void history_cut_incidents(struct history *history);

/* What was held back may be written. Harmless where nothing is. */
void history_go_on(struct history *history);
/* Waits until all that was recorded before is in the file; false when it was not after `timeout_us`, or at
 * once when an attempt failed. */
bool history_flush(struct history *history, int64_t timeout_us);
void history_state(struct history *history, struct history_state *out);

/* Answers a query, on the calling thread, within its limits: not for an event loop. All that was recorded
 * before is seen: it is written first; where that cannot be, what waits is shown together with the file. Then
 * one row of violation_counts may be shown as several that add up, and what changes rows that are in the file
 * already (the end of a session, the outcome of a schema change) is not seen yet. */
MUST_USE enum history_answer history_query(struct history *history, const struct history_question *question,
                                           struct history_failure *failure);
/* The same of a file that another process may be writing; without live tables. */
MUST_USE enum history_answer history_query_file(const char *path, const struct history_question *question,
                                                struct history_failure *failure);

#endif
