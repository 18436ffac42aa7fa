/* SPDX-License-Identifier: PostgreSQL */
#ifndef ALERT_COURIER_H
#define ALERT_COURIER_H

#include "alert/letter.h"
#include "receiver.h"

#include <pthread.h>

enum { REPORTS_KEPT = 64 };

/* A thread that brings letters to one receiver, one at a time. */
struct courier {
    struct receiver *receiver; /* the thread's, but for wake */
    int64_t give_up_us;
    uint64_t random;
    atomic_bool is_ending;
    pthread_t thread;
    pthread_mutex_t mutex; /* of what follows */
    pthread_cond_t condition;
    struct letter_queue queue;
    uint64_t lost_told;
    uint64_t outcomes[ALERT_OUTCOME_COUNT];
    struct alert_report reports[REPORTS_KEPT]; /* a ring */
    size_t report_first;
    size_t report_count;
};

/* Takes the receiver over, whatever comes of it. NULL when memory or threads are short. */
struct courier *courier_create(struct receiver *receiver, const struct alert_options *options);
/* Returns how many letters waited. */
size_t courier_destroy(struct courier *courier);
void courier_post(struct courier *courier, const struct incident_note *note, struct bytes body);
MUST_USE bool courier_report_take(struct courier *courier, struct alert_report *out);
uint64_t courier_lost_take(struct courier *courier);
/* Adds its own. */
void courier_count(struct courier *courier, struct alert_totals *totals);

#endif
