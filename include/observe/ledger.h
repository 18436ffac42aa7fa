/* SPDX-License-Identifier: PostgreSQL */
#ifndef OBSERVE_LEDGER_H
#define OBSERVE_LEDGER_H

#include "observe/tally.h"
#include "observe/violation.h"

/* Counts violations by (kind, phase, SQLSTATE, schema, table, column, constraint, datatype, service,
 * database, user, fingerprint), and where it is wanted by the minute too; bounded and exact as a tally is. */

struct ledger_entry {
    struct tally_entry entry;   /* count, first_us, last_us */
    int64_t minute_us;          /* of a ledger by minute: its beginning */
    struct violation violation; /* of the first occurrence */
};

struct ledger {
    struct tally tally;
    uint64_t by_kind[VIOLATION_KIND_COUNT]; /* exact totals */
};

void ledger_init(struct ledger *ledger, const struct hash_key *key, size_t entries_most);
/* The same with entries for each minute. */
void ledger_init_by_minute(struct ledger *ledger, const struct hash_key *key, size_t entries_most);
void ledger_release(struct ledger *ledger);
/* Counts one violation at `now_us`. */
void ledger_record(struct ledger *ledger, const struct violation *violation, int64_t now_us);
/* Adds all of `from` to `into`: for putting several workers' ledgers together. Where `from` is by minute and
 * `into` is not, its minutes are added up. */
void ledger_merge(struct ledger *into, const struct ledger *from);
uint64_t ledger_total(const struct ledger *ledger);
/* Fills `out` with up to `most` entries, highest count first, newest first among equals. Returns how many. */
size_t ledger_top(const struct ledger *ledger, const struct ledger_entry **out, size_t most);

#endif
