/* SPDX-License-Identifier: PostgreSQL */
#ifndef ALERT_ALERT_H
#define ALERT_ALERT_H

#include "base/attributes.h"
#include "observe/incident_note.h"

/* Tells others of incidents: posts each as JSON to a webhook, and gives it to a command on its standard
 * input. Each of the two has a thread and a bounded queue of its own; what fails is tried again (see
 * letter_wait_us), in the order of posting, until it is given up. A receiver may get the same twice. */
struct alert;

/* What is named here outlives the alert. */
struct alert_options {
    const char *url; /* empty: no webhook */
    const char *const *headers;
    size_t header_count;
    int64_t timeout_us;         /* of one attempt */
    const char *const *command; /* the program and its arguments */
    size_t command_count;       /* 0: no command */
    int64_t command_timeout_us;
    size_t queue_most; /* letters that wait, for each of them */
    int64_t give_up_us;
    unsigned news; /* bit 1 << INCIDENT_STARTED ...: which are delivered */
};

/* What became of an attempt. */
enum alert_outcome { ALERT_DELIVERED, ALERT_FAILED, ALERT_GIVEN_UP, ALERT_OUTCOME_COUNT };

enum { ALERT_TO_SIZE = 128, ALERT_REASON_SIZE = 192 };

struct alert_report {
    enum alert_outcome outcome;
    uint64_t incident;
    enum incident_news news;
    uint32_t attempts;
    char to[ALERT_TO_SIZE];         /* the webhook's host, or the program: no secret of a URL */
    char reason[ALERT_REASON_SIZE]; /* empty when it was delivered */
};

/* Since the beginning, exactly. */
struct alert_totals {
    uint64_t outcomes[ALERT_OUTCOME_COUNT]; /* attempts; those that failed are tried again */
    uint64_t lost;                          /* no room in a queue, or no memory */
};

/* Begins the threads; NULL when memory or threads are short. */
struct alert *alert_create(const struct alert_options *options);
/* Ends what is under way at once. Returns how many waited, which are lost. NULL is allowed. */
size_t alert_destroy(struct alert *alert);
/* Copies it, and never waits for a receiver. */
void alert_post(struct alert *alert, const struct incident_note *note);
/* What was reported since; false: nothing more. The oldest go when too many wait. */
MUST_USE bool alert_report_take(struct alert *alert, struct alert_report *out);
/* How many alerts were lost since it was last asked: no room in a queue, or no memory. */
uint64_t alert_lost_take(struct alert *alert);
void alert_count(struct alert *alert, struct alert_totals *out);

#endif
