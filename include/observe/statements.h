/* SPDX-License-Identifier: PostgreSQL */
#ifndef OBSERVE_STATEMENTS_H
#define OBSERVE_STATEMENTS_H

#include "base/histogram.h"
#include "observe/tally.h"
#include "observe/violation.h"

/* What the statements of each shape cost, by (service, database, user, shape); bounded and exact as a tally
 * is: the sums of all entries and of `rest` are always those of all that was recorded. One belongs to one
 * worker; to be shown they are merged. */

/* Sums of one or many calls. */
struct statement_sums {
    uint64_t errors;
    uint64_t rows;
    uint64_t bytes;   /* to the client */
    uint64_t time_us; /* from the last byte of the request to the end of its answer */
    struct histogram latency;
};

/* What of an entry somebody was told already who is told of it bit by bit; all zeros where nobody is. */
struct statement_told {
    uint64_t calls;
    uint64_t errors;
    uint64_t rows;
    uint64_t bytes;
};

/* About 1.8 KB each. */
struct statement_entry {
    struct tally_entry entry; /* calls, first_us, last_us */
    char service[NAME_SIZE];
    char database[NAME_SIZE];
    char user[NAME_SIZE];
    uint64_t shape;
    struct statement_sums sums;
    struct statement_told told;
    char text[SHOWN_TEXT_SIZE]; /* masked; of the first occurrence, as is the route */
    char route[ROUTE_SIZE];
};

/* One call; the texts need not outlive it, and are cut as the fields above. */
struct statement_call {
    const char *service;
    const char *database;
    const char *user;
    uint64_t shape;
    uint64_t rows;
    uint64_t bytes;
    int64_t duration_us; /* negative: not known; neither latency nor time count it */
    bool has_failed;
};

enum { STATEMENTS_NEAR = 256 };

struct statements {
    struct tally tally;          /* of calls */
    struct statement_entry rest; /* sums of what no entry holds any longer, and what of it was told; its head
                                  * and names are empty */
    /* Entries by the last bits of their shape, to be found without their keys; good while as many have given
     * their place up as had then. */
    struct statement_entry *near[STATEMENTS_NEAR];
    uint64_t near_since;
};

/* Must stay where it is. */
void statements_init(struct statements *statements, const struct hash_key *key, size_t entries_most);
void statements_release(struct statements *statements);
/* Counts one call that ended at `now_us`. Returns its entry where that has no text yet, for the caller to
 * fill in text and route before the next call, which then need not be made for the others; NULL where nothing
 * is wanted. */
struct statement_entry *statements_record(struct statements *statements, const struct statement_call *call,
                                          int64_t now_us);
/* Adds all of `from` to `into`. */
void statements_merge(struct statements *into, const struct statements *from);

enum statements_order { STATEMENTS_BY_CALLS, STATEMENTS_BY_TIME, STATEMENTS_BY_ERRORS };

/* Fills `out` with up to `most` entries, highest first, newest first among equals. Returns how many. */
size_t statements_top(const struct statements *statements, enum statements_order order,
                      const struct statement_entry **out, size_t most);

#endif
