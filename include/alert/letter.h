/* SPDX-License-Identifier: PostgreSQL */
#ifndef ALERT_LETTER_H
#define ALERT_LETTER_H

#include "base/attributes.h"
#include "base/bytes.h"
#include "base/list.h"
#include "observe/incident_note.h"

/* One alert on its way to one receiver. */
struct letter {
    struct list list;
    uint64_t incident;
    enum incident_news news;
    int64_t posted_us; /* of a clock that only goes forward, as below */
    int64_t due_us;    /* not tried before */
    uint32_t attempts;
    size_t size;
    uint8_t body[]; /* the JSON */
};

/* Letters in the order in which they were posted, bounded: a receiver hears of a start before the end. Where
 * there is no room the oldest is lost, and counted. Not for several threads at once. */
struct letter_queue {
    struct list letters;
    size_t count;
    size_t most; /* at least 1 */
    uint64_t lost;
};

/* NULL when memory is short; free() ends it. */
struct letter *letter_create(const struct incident_note *note, struct bytes body, int64_t now_us);
void letter_queue_init(struct letter_queue *queue, size_t most);
/* Frees the letters. Returns how many there were. */
size_t letter_queue_release(struct letter_queue *queue);
/* Takes the letter over. */
void letter_queue_add(struct letter_queue *queue, struct letter *letter);
/* The oldest, which is then the caller's; NULL: none. */
struct letter *letter_queue_take(struct letter_queue *queue);
/* Gives back one that was taken and is to be tried again: it stays the oldest. */
void letter_queue_return(struct letter_queue *queue, struct letter *letter);
/* The oldest one's due_us; INT64_MAX: none. */
int64_t letter_queue_due(const struct letter_queue *queue);

/* How long to wait behind the `attempts`th attempt (from 1) that failed: 1 s, twice as long each time, 5
 * minutes at most; from half of that to all of it, as `random` says, so that many senders do not come at
 * once. µs. */
int64_t letter_wait_us(uint32_t attempts, uint64_t random);

#endif
