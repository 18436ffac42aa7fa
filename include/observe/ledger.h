/* SPDX-License-Identifier: PostgreSQL */
#ifndef OBSERVE_LEDGER_H
#define OBSERVE_LEDGER_H

#include "base/hash.h"
#include "base/list.h"
#include "base/table.h"
#include "observe/violation.h"

/* Counts violations by (kind, phase, SQLSTATE, schema, table, column, constraint, datatype, service,
 * database, user, fingerprint). The number of entries is bounded: when a new one does not fit, the one seen
 * longest ago gives its place up and its count moves to `other`. The sum of all entries and `other` is always
 * exactly what was recorded. */

struct ledger_entry {
    struct table_node node;
    struct list recent;         /* least recently seen first */
    struct violation violation; /* of the first occurrence */
    uint64_t count;
    int64_t first_us; /* wall clock, µs since 1970 */
    int64_t last_us;
};

struct ledger {
    struct table table;
    struct list recent;
    struct hash_key key;
    size_t entries_most;
    uint64_t by_kind[VIOLATION_KIND_COUNT]; /* exact totals */
    uint64_t other;                         /* occurrences no entry holds any longer */
    uint64_t other_entries; /* entries that gave their place up (the same key may count again) */
};

void ledger_init(struct ledger *ledger, const struct hash_key *key, size_t entries_most);
void ledger_release(struct ledger *ledger);
/* Counts one violation at `now_us`. When memory is short it counts into `other`. */
void ledger_record(struct ledger *ledger, const struct violation *violation, int64_t now_us);
/* Adds all of `from` to `into`; the order of seeing is kept by last_us. For putting several workers' ledgers
 * together. */
void ledger_merge(struct ledger *into, const struct ledger *from);
uint64_t ledger_total(const struct ledger *ledger);
/* Fills `out` with up to `most` entries, highest count first, newest first among equals. Returns how many. */
size_t ledger_top(const struct ledger *ledger, const struct ledger_entry **out, size_t most);

#endif
