/* SPDX-License-Identifier: PostgreSQL */
#ifndef ALERT_RECEIVER_H
#define ALERT_RECEIVER_H

#include "alert/alert.h"

#include <stdatomic.h>

/* How letters get to where they are to go; used by one thread, but for wake. */

enum receipt { RECEIPT_DELIVERED, RECEIPT_TRY_AGAIN, RECEIPT_REFUSED };

struct receiver {
    /* Hands it over, as long as *is_ending stays false. Says why not in `reason`. */
    enum receipt (*deliver)(struct receiver *receiver, struct bytes body, struct text *reason);
    /* Another thread has set *is_ending: what is under way is to look at it soon. */
    void (*wake)(struct receiver *receiver);
    void (*destroy)(struct receiver *receiver);
    const atomic_bool *is_ending;
    char name[ALERT_TO_SIZE];
};

/* NULL when memory is short. */
struct receiver *webhook_create(const struct alert_options *options);
struct receiver *program_create(const struct alert_options *options);

#endif
