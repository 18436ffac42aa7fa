/* SPDX-License-Identifier: PostgreSQL */
#ifndef OBSERVE_DOCKET_H
#define OBSERVE_DOCKET_H

#include "observe/event.h"
#include "observe/tally.h"

/* Counts what enforcement would have refused, by (service, database, user, class, command, ground, rule,
 * fingerprint); bounded and exact as a tally is. The rest of an entry is of the first occurrence. */
struct docket_entry {
    struct tally_entry entry; /* count, first_us, last_us */
    uint8_t level;
    char class[24];
    char command[EVENT_COMMAND_SIZE];
    const char *ground; /* a constant; empty where the event has none */
    char window[NAME_SIZE];
    char rule[NAME_SIZE];
    char reason[REASON_SIZE];
    char service[NAME_SIZE];
    char database[NAME_SIZE];
    char user[NAME_SIZE];
    char objects[OBJECTS_TEXT_SIZE];
    char fingerprint[FINGERPRINT_TEXT_SIZE];
    char statement[SHOWN_TEXT_SIZE]; /* masked */
};

struct docket {
    struct tally tally;
};

void docket_init(struct docket *docket, const struct hash_key *key, size_t entries_most);
void docket_release(struct docket *docket);
/* Counts what the event says (DDL_WOULD_REFUSE, STATEMENT_WOULD_REFUSE), at its time. The caller chooses
 * which.
 */
void docket_record(struct docket *docket, const struct event *event);
/* Adds all of `from` to `into`. */
void docket_merge(struct docket *into, const struct docket *from);
/* Fills `out` with up to `most` entries, highest count first, newest first among equals. Returns how many. */
size_t docket_top(const struct docket *docket, const struct docket_entry **out, size_t most);

#endif
