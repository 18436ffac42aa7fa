/* SPDX-License-Identifier: PostgreSQL */
#ifndef OBSERVE_TALLY_H
#define OBSERVE_TALLY_H

#include "base/hash.h"
#include "base/list.h"
#include "base/table.h"

/* Counts by kind of thing within a bound. When a new entry does not fit, the one seen longest ago gives its
 * place up and its count moves to `other`. The sum of all entries and `other` is always exactly what was
 * counted. What an entry is about is its owner's: the head below is the first member of the owner's
 * structure, which is copied and freed as plain bytes. */

struct tally_entry {
    struct table_node node;
    struct list recent; /* least recently seen first */
    uint64_t count;
    int64_t first_us; /* wall clock, µs since 1970 */
    int64_t last_us;
};

enum { TALLY_KEY_SIZE = 640 };

/* What tells an owner's entries apart, as bytes. */
struct tally_key {
    size_t size;
    uint8_t bytes[TALLY_KEY_SIZE];
};

void tally_key_byte(struct tally_key *key, uint8_t byte);
/* A text of up to `capacity` bytes, with a NUL after it so that neighbours do not run together. */
void tally_key_text(struct tally_key *key, const char *text, size_t capacity);

/* What a tally knows of its owner's structure. */
struct tally_form {
    size_t entry_size; /* bytes, the head included */
    /* Appends the key of an entry: at most TALLY_KEY_SIZE bytes. */
    void (*key_of)(const struct tally_entry *entry, struct tally_key *key);
    /* Adds the owner's own sums of `from` to those of `into`, heads aside; NULL where there are none. What is
     * of the first occurrence is taken over where from's first_us is the earlier. */
    void (*add)(struct tally_entry *into, const struct tally_entry *from);
};

/* What a ranking goes by, highest first. */
typedef uint64_t (*tally_rank)(const struct tally_entry *entry);

struct tally {
    const struct tally_form *form;
    struct table table;
    struct list recent;
    struct hash_key key;
    size_t entries_most;
    struct tally_entry *rest; /* the owner's structure that takes the sums of what counts into `other`; set by
                               * an owner whose form has `add`; its head stays as it is */
    uint64_t total;           /* all that was counted */
    uint64_t other;           /* occurrences no entry holds any longer */
    uint64_t other_entries;   /* entries that gave their place up (the same may count again) */
};

/* The form outlives the tally. */
void tally_init(struct tally *tally, const struct tally_form *form, const struct hash_key *key,
                size_t entries_most);
void tally_release(struct tally *tally);
/* Counts what `seen` is about once, at `now_us`: it is an owner's structure, of whose head nothing is read.
 * When it is new it is copied; when memory is short it counts into `other`. Returns its entry, to which the
 * owner may add until the next call, or NULL where it has none. */
struct tally_entry *tally_record(struct tally *tally, const struct tally_entry *seen, int64_t now_us);
/* The same for one that is known by its key: NULL, and nothing has been counted, where it has no entry. */
MUST_USE struct tally_entry *tally_record_known(struct tally *tally, const struct tally_key *key,
                                                int64_t now_us);
/* The same for an entry of the tally. */
void tally_record_again(struct tally *tally, struct tally_entry *entry, int64_t now_us);
/* Adds all of `from` to `into`, which has the same form; the order of seeing is kept by last_us, and of two
 * entries with the same key the rest is that of the earlier one. */
void tally_merge(struct tally *into, const struct tally *from);
/* The entry gives its place up, and is gone. */
void tally_give_up(struct tally *tally, struct tally_entry *entry);
/* Fills `out`, an array of `most` pointers to the owner's structures, highest count first, newest first among
 * equals. Returns how many. */
size_t tally_top(const struct tally *tally, void *out, size_t most);
/* The same by another number than the count. */
size_t tally_top_by(const struct tally *tally, tally_rank rank, void *out, size_t most);

#endif
