/* SPDX-License-Identifier: PostgreSQL */
#ifndef OBSERVE_ERRORS_H
#define OBSERVE_ERRORS_H

#include "observe/sqlstate.h"
#include "observe/tally.h"
#include "observe/violation.h"

/* Counts errors by (service, database, user, SQLSTATE, shape, type); bounded and exact as a tally is, and
 * exact by family whatever the bound. */

enum { ERROR_TYPE_SIZE = 2 * NAME_SIZE };

struct error_entry {
    struct tally_entry entry; /* count, first_us, last_us */
    char service[NAME_SIZE];
    char database[NAME_SIZE];
    char user[NAME_SIZE];
    char sqlstate[SQLSTATE_SIZE]; /* empty where the server sent none or what is none */
    uint64_t shape;               /* 0 where the error has no statement */
    char type[ERROR_TYPE_SIZE];   /* the enum type that does not have the value, as SQL writes it; or empty */
    char text[SHOWN_TEXT_SIZE];   /* masked; of the first occurrence */
};

/* One error; the texts need not outlive the call, and are cut as the fields above. */
struct error_seen {
    const char *service;
    const char *database;
    const char *user;
    struct bytes sqlstate; /* as the server sent it */
    struct bytes type;     /* may be none */
    uint64_t shape;
};

struct errors {
    struct tally tally;               /* of the families below */
    uint32_t families;                /* kept in detail: a bit 1 << family for each; all after errors_init */
    uint64_t by_family[FAMILY_COUNT]; /* exact totals */
};

void errors_init(struct errors *errors, const struct hash_key *key, size_t entries_most);
void errors_release(struct errors *errors);
/* Counts one error at `now_us`. Returns its entry where that has no text yet, for the caller to fill in
 * before the next call; NULL where nothing is wanted. */
struct error_entry *errors_record(struct errors *errors, const struct error_seen *seen, int64_t now_us);
/* How many there were, of all families. */
uint64_t errors_total(const struct errors *errors);
/* Adds all of `from` to `into`. */
void errors_merge(struct errors *into, const struct errors *from);
/* Fills `out` with up to `most` entries, highest count first, newest first among equals. Returns how many. */
size_t errors_top(const struct errors *errors, const struct error_entry **out, size_t most);

#endif
