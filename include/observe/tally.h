/* SPDX-License-Identifier: PostgreSQL */
#ifndef OBSERVE_TALLY_H
#define OBSERVE_TALLY_H

#include "base/hash.h"
#include "base/list.h"
#include "base/table.h"

/* Counts by kind of thing within a bound. When a new entry does not fit, the one seen longest ago gives its
 * place up and its count moves to `other`. The sum of all entries and `other` is always exactly what was
 * counted. What an entry is about is its owner's: entries are the first member of the owner's structure. */

struct tally_entry {
    struct table_node node;
    struct list recent; /* least recently seen first */
    uint64_t count;
    int64_t first_us; /* wall clock, µs since 1970 */
    int64_t last_us;
};

struct tally {
    struct table table;
    struct list recent;
    struct hash_key key;
    size_t entries_most;
    size_t entry_size;      /* bytes of the owner's structure */
    uint64_t total;         /* all that was counted */
    uint64_t other;         /* occurrences no entry holds any longer */
    uint64_t other_entries; /* entries that gave their place up (the same may count again) */
};

void tally_init(struct tally *tally, const struct hash_key *key, size_t entries_most, size_t entry_size);
void tally_release(struct tally *tally);
/* How the owner tells whether an entry is about `what`. */
typedef bool (*tally_is)(const struct tally_entry *entry, const void *what);
/* The entry of that hash about `what`, counted once more at `now_us` and now the most recent; NULL when there is
 * none: tally_add makes it, or counts into `other`. */
struct tally_entry *tally_see(struct tally *tally, uint64_t hash, tally_is is, const void *what, int64_t now_us);
/* A new entry for what tally_see did not find, zeroed behind its head, counted once at `now_us`; the caller
 * fills the rest. When memory is short it is counted into `other` and NULL. */
struct tally_entry *tally_add(struct tally *tally, uint64_t hash, int64_t now_us);

#endif
