/* SPDX-License-Identifier: PostgreSQL */
#ifndef HISTORY_ARCHIVE_H
#define HISTORY_ARCHIVE_H

#include "history/batch.h"
#include "history/entry.h"

#include <sys/types.h>

struct sqlite3;
struct sqlite3_stmt;

enum { ARCHIVE_PATH_SIZE = 4096, ARCHIVE_VERSION_SIZE = 32 };

enum archive_result {
    ARCHIVE_DONE,
    ARCHIVE_FAILED, /* not now: a full disk, a lock, a missing folder; nothing of the batch was written */
    ARCHIVE_FAULTY  /* never with this file: damaged, or not ours */
};

/* What the program says of itself in the table of runs. */
struct archive_run {
    char version[ARCHIVE_VERSION_SIZE];
    int64_t started_us;
    int64_t flushed_us; /* of this write */
    bool is_ended;      /* this write is the last */
    uint64_t details_dropped;
    uint64_t counts_unnamed;
};

struct archive_limits {
    uint64_t bytes_most;      /* of the file, without its log of at most some megabytes; 0: no limit */
    uint64_t violations_most; /* rows of that table; 0: no limit */
    int64_t detail_age_us;    /* all but counts; 0: no limit */
    int64_t count_age_us;
};

/* The history file, open for writing, used by one thread. All zeros: closed. */
struct archive {
    char path[ARCHIVE_PATH_SIZE];
    struct sqlite3 *connection; /* NULL: closed */
    struct sqlite3_stmt *statements[STATEMENT_COUNT];
    int64_t run;
    char started[HISTORY_TIME_SIZE];
    dev_t device;
    ino_t inode;
    int64_t gap_from_us; /* the run before was not ended: from its last write; 0: it was, or there was none */
};

/* Opens or makes the file (mode 0600), brings its tables up to date, and begins the run in it, or goes on
 * with it where it stands there already. `why` is written where the result is not DONE; then the archive is
 * closed. */
MUST_USE enum archive_result archive_open(struct archive *archive, const struct archive_run *run,
                                          struct text *why);
void archive_close(struct archive *archive);
/* Writes a batch and the marks of the run in one transaction. When it fails the batch is as it was, and where
 * the file has to be opened anew the archive is closed. */
MUST_USE enum archive_result archive_write(struct archive *archive, const struct batch *batch,
                                           const struct archive_run *run, uint64_t *rejected,
                                           struct text *why);
/* Gives up what is beyond the limits, a bounded piece of work; *is_done says whether that was all. */
MUST_USE enum archive_result archive_prune(struct archive *archive, const struct archive_limits *limits,
                                           int64_t now_us, bool *is_done, struct text *why);
/* Bytes of the file that are in use. */
uint64_t archive_bytes(const struct archive *archive);
/* Renames the file (and its log) to path.aside.1 to .9, the first that is free, written to `aside`; false
 * when none is or renaming fails (`why`). The archive is closed. */
MUST_USE bool archive_set_aside(struct archive *archive, char *aside, size_t capacity, struct text *why);

#endif
