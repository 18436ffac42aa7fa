/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_VISIT_H
#define APP_VISIT_H

#include "app/query_job.h"
#include "app/sluice.h"

/* One connection to the console. */
struct visit {
    struct sluice *sluice;
    struct console *console;
    struct responder_connection *connection;
    struct list node;    /* in sluice->visits, the oldest first */
    struct address peer; /* for the log */
    uint64_t began_ms;   /* since when it is heard, by the loop's clock; 0: not yet */
    bool is_late;        /* it has not logged in in time */
    uint32_t number;     /* with the secret, what a request to cancel must say */
    uint32_t secret;
    struct query_job *job; /* under way; NULL: none */
    bool is_replied;
    struct console_reply reply;
};

/* ── console_door.c
 * ─────────────────────────────────────────────────────────────────────────────────────────────────
 *
 * Who may log in to the console, and by when. After a wrong password nobody who comes is heard for a second,
 * so that passwords cannot be tried as fast as they come: those who are there may go on, or operators could
 * be kept out by somebody who guesses; who is heard has limits.login_timeout to log in; and where all places
 * are taken, whoever has not logged in for longest gives way. */

/* A new one: it is heard from now on, or waits. */
void console_door_meet(struct visit *visit);
/* After a wrong password: logs it, and shuts the door for a while. */
void console_door_shut(struct visit *visit);
/* Drops one that has not logged in, for another to have its place. */
void console_door_make_room(struct sluice *sluice);
/* Lets in those who waited, and ends what took too long. */
void console_door_tick(struct sluice *sluice);

#endif
