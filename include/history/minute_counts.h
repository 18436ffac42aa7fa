/* SPDX-License-Identifier: PostgreSQL */
#ifndef HISTORY_MINUTE_COUNTS_H
#define HISTORY_MINUTE_COUNTS_H

#include "base/buffer.h"
#include "base/hash.h"
#include "base/table.h"
#include "history/record.h"

enum { MINUTES_UNNAMED = 64 };

/* Adds counts up by their key until they are written: what waits is bounded by the number of different keys,
 * not by how much is counted. A key that finds no room any more counts without its name, in its minute: the
 * sum of all is always exactly what was counted. */
struct minute_counts {
    struct table table;
    struct hash_key key;
    size_t keys_most;
    size_t unnamed_minutes;
    struct {
        int64_t minute_us;
        uint64_t count;
    } unnamed[MINUTES_UNNAMED]; /* when all are taken the last one counts for later minutes too */
};

struct minute_count {
    struct table_node node;
    uint64_t count;
    size_t size;
    uint8_t bytes[]; /* the record that is the key */
};

void minute_counts_init(struct minute_counts *counts, const struct hash_key *key, size_t keys_most);
void minute_counts_release(struct minute_counts *counts);
/* Counts `count` more of what the record says, of the minute that begins at `minute_us` (since 1970). Returns
 * whether they could be counted by name. */
bool minute_counts_add(struct minute_counts *counts, const struct record *record, int64_t minute_us,
                       uint64_t count);
/* Counts without a name. */
void minute_counts_add_unnamed(struct minute_counts *counts, int64_t minute_us, uint64_t count);
/* Forgets all; the memory of the table is kept for the next. */
void minute_counts_clear(struct minute_counts *counts);
bool minute_counts_is_empty(const struct minute_counts *counts);
/* The next one of a walk that starts with a cursor of zeros, or NULL. */
const struct minute_count *minute_counts_walk(const struct minute_counts *counts,
                                              struct table_cursor *cursor);

#endif
