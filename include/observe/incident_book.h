/* SPDX-License-Identifier: PostgreSQL */
#ifndef OBSERVE_INCIDENT_BOOK_H
#define OBSERVE_INCIDENT_BOOK_H

#include "base/list.h"
#include "observe/incident_note.h"

/* The notes of the incidents under way and of the most recent that ended, in memory. */
struct incident_book {
    struct list open;  /* oldest first */
    struct list ended; /* longest ended first */
    size_t ended_count;
    size_t ended_most;
};

/* Must stay where it is. How many are open is bounded by the watch that tells of them. */
void incident_book_init(struct incident_book *book, size_t ended_most);
void incident_book_release(struct incident_book *book);
/* Takes the note in; it stands in place of the one before with the same number. Does nothing when memory is
 * short. */
void incident_book_put(struct incident_book *book, const struct incident_note *note);
/* The incident goes on: its open note says how it stands now. */
void incident_book_update(struct incident_book *book, const struct incident *incident);
/* The open ones, newest first, then those that ended, newest first; NULL behind the last. */
const struct incident_note *incident_book_at(const struct incident_book *book, size_t place);
/* The open note of the incident with that number; NULL: none. */
const struct incident_note *incident_book_find(const struct incident_book *book, uint64_t number);

#endif
