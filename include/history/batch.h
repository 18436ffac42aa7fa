/* SPDX-License-Identifier: PostgreSQL */
#ifndef HISTORY_BATCH_H
#define HISTORY_BATCH_H

#include "history/minute_counts.h"

/* What waits to be written. */
struct batch {
    struct buffer rows; /* records, tagged with the statement that writes them */
    uint64_t row_count;
    struct minute_counts counts;
};

void batch_init(struct batch *batch, const struct hash_key *key, size_t bytes_most, size_t counts_most);
void batch_release(struct batch *batch);
/* False when the row does not fit any more. */
MUST_USE bool batch_add(struct batch *batch, const struct record *record);
bool batch_is_empty(const struct batch *batch);
/* Forgets all; keeps some memory for the next. */
void batch_clear(struct batch *batch);
/* Appends all of it as records, counts too; into->has_failed says when they did not fit. */
void batch_copy(const struct batch *batch, struct buffer *into);
/* The row of the `at`-th count without names, as a record. */
void batch_unnamed(const struct batch *batch, size_t at, struct record *out);
/* The row of a count, as a record. */
void batch_count(const struct minute_count *count, struct record *out);

#endif
