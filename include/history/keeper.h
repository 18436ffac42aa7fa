/* SPDX-License-Identifier: PostgreSQL */
#ifndef HISTORY_KEEPER_H
#define HISTORY_KEEPER_H

#include "history/archive.h"
#include "history/history.h"

/* Gets batches into the file, come what may: opens it, sets it aside, tries again, gives up what is too old.
 * Used by the history's thread alone. */
struct keeper {
    struct archive archive;
    struct archive_run run;
    struct archive_limits limits;
    int64_t pruned_us; /* when it last looked at the limits */
    uint64_t written_rows;
    uint64_t rejected_rows;
    uint64_t file_bytes;
    int64_t gap_from_us;
    char set_aside[HISTORY_PATH_SIZE];
    char set_aside_why[HISTORY_WHY_SIZE];
    uint64_t files_set_aside;
    char why[HISTORY_WHY_SIZE]; /* the last attempt failed; empty: it did not */
};

void keeper_init(struct keeper *keeper, const struct history_options *options, int64_t now_us);
void keeper_release(struct keeper *keeper);
/* Writes the batch (which may be empty) and the marks of the run; false, and `why`, when that cannot be done
 * now. */
MUST_USE bool keeper_write(struct keeper *keeper, const struct batch *batch, int64_t now_us);
/* Looks at the limits, when it is time, for a bounded while; false when there is more to do. */
MUST_USE bool keeper_prune(struct keeper *keeper, int64_t now_us);

#endif
