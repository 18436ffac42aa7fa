/* SPDX-License-Identifier: PostgreSQL */
#ifndef HISTORY_BATCH_H
#define HISTORY_BATCH_H

#include "history/minute_counts.h"

/* What is counted by the minute. */
enum counted { COUNTED_VIOLATIONS, COUNTED_ERRORS, COUNTED_COUNT };

/* What waits to be written. */
struct batch {
    struct buffer rows; /* records, tagged with the statement that writes them */
    uint64_t row_count;
    struct minute_counts counts[COUNTED_COUNT];
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

/* A walk over the rows of all counts; begins with zeros. */
struct batch_walk {
    unsigned counted;
    struct table_cursor cursor;
    size_t unnamed;
};

/* The next row, as a record; false behind the last. */
MUST_USE bool batch_next_count(const struct batch *batch, struct batch_walk *walk, struct record *out);

#endif
