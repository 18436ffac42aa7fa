/* SPDX-License-Identifier: PostgreSQL */
#include "history/batch.h"

#include "history/entry.h"

enum { KEPT_BYTES = 1 << 20 };

void batch_init(struct batch *batch, const struct hash_key *key, size_t bytes_most, size_t counts_most)
{
    *batch = (struct batch){ .row_count = 0 };
    buffer_init(&batch->rows, bytes_most);
    for (unsigned i = 0; i < COUNTED_COUNT; i++)
        minute_counts_init(&batch->counts[i], key, counts_most);
}

void batch_release(struct batch *batch)
{
    buffer_release(&batch->rows);
    for (unsigned i = 0; i < COUNTED_COUNT; i++)
        minute_counts_release(&batch->counts[i]);
}

bool batch_add(struct batch *batch, const struct record *record)
{
    if (record->size > batch->rows.limit - batch->rows.size)
        return false;
    buffer_append(&batch->rows, record_bytes(record));
    if (batch->rows.has_failed) { /* memory is short now; it may not be later */
        batch->rows.has_failed = false;
        return false;
    }
    batch->row_count++;
    return true;
}

bool batch_is_empty(const struct batch *batch)
{
    bool is_empty = batch->row_count == 0;
    for (unsigned i = 0; i < COUNTED_COUNT; i++)
        is_empty = is_empty && minute_counts_is_empty(&batch->counts[i]);
    return is_empty;
}

void batch_clear(struct batch *batch)
{
    if (batch->rows.capacity > KEPT_BYTES)
        buffer_release(&batch->rows);
    else
        buffer_clear(&batch->rows);
    batch->row_count = 0;
    for (unsigned i = 0; i < COUNTED_COUNT; i++)
        minute_counts_clear(&batch->counts[i]);
}

static void (*const entries_of_unnamed[COUNTED_COUNT])(int64_t minute_us, struct record *out) = {
    [COUNTED_VIOLATIONS] = entry_of_unnamed,
    [COUNTED_ERRORS] = entry_of_unnamed_error,
};

static void row_of_count(const struct minute_count *count, struct record *out)
{
    memcpy(out->bytes, count->bytes, count->size);
    out->size = count->size;
    record_integer(out, (int64_t)count->count);
}

static bool next_of_one(const struct minute_counts *counts, struct batch_walk *walk, struct record *out)
{
    const struct minute_count *count = walk->unnamed == 0 ? minute_counts_walk(counts, &walk->cursor) : NULL;
    if (count != NULL) {
        row_of_count(count, out);
        return true;
    }
    if (walk->unnamed == counts->unnamed_minutes)
        return false;
    entries_of_unnamed[walk->counted](counts->unnamed[walk->unnamed].minute_us, out);
    record_integer(out, (int64_t)counts->unnamed[walk->unnamed].count);
    walk->unnamed++;
    return true;
}

bool batch_next_count(const struct batch *batch, struct batch_walk *walk, struct record *out)
{
    for (; walk->counted < COUNTED_COUNT; *walk = (struct batch_walk){ .counted = walk->counted + 1 })
        if (next_of_one(&batch->counts[walk->counted], walk, out))
            return true;
    return false;
}

void batch_copy(const struct batch *batch, struct buffer *into)
{
    struct record record;
    struct batch_walk walk = { 0 };
    buffer_append(into, buffer_bytes(&batch->rows));
    while (batch_next_count(batch, &walk, &record))
        buffer_append(into, record_bytes(&record));
}
