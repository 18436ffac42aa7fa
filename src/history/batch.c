/* SPDX-License-Identifier: PostgreSQL */
#include "history/batch.h"

#include "history/entry.h"

enum { KEPT_BYTES = 1 << 20 };

void batch_init(struct batch *batch, const struct hash_key *key, size_t bytes_most, size_t counts_most)
{
    *batch = (struct batch){ .row_count = 0 };
    buffer_init(&batch->rows, bytes_most);
    minute_counts_init(&batch->counts, key, counts_most);
}

void batch_release(struct batch *batch)
{
    buffer_release(&batch->rows);
    minute_counts_release(&batch->counts);
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
    return batch->row_count == 0 && minute_counts_is_empty(&batch->counts);
}

void batch_clear(struct batch *batch)
{
    if (batch->rows.capacity > KEPT_BYTES)
        buffer_release(&batch->rows);
    else
        buffer_clear(&batch->rows);
    batch->row_count = 0;
    minute_counts_clear(&batch->counts);
}

void batch_count(const struct minute_count *count, struct record *out)
{
    memcpy(out->bytes, count->bytes, count->size);
    out->size = count->size;
    record_integer(out, (int64_t)count->count);
}

void batch_unnamed(const struct batch *batch, size_t at, struct record *out)
{
    entry_of_unnamed(batch->counts.unnamed[at].minute_us, out);
    record_integer(out, (int64_t)batch->counts.unnamed[at].count);
}

void batch_copy(const struct batch *batch, struct buffer *into)
{
    struct record record;
    struct table_cursor cursor = { 0 };
    buffer_append(into, buffer_bytes(&batch->rows));
    for (const struct minute_count *count; (count = minute_counts_walk(&batch->counts, &cursor)) != NULL;) {
        batch_count(count, &record);
        buffer_append(into, record_bytes(&record));
    }
    for (size_t i = 0; i < batch->counts.unnamed_minutes; i++) {
        batch_unnamed(batch, i, &record);
        buffer_append(into, record_bytes(&record));
    }
}
