/* SPDX-License-Identifier: PostgreSQL */
#ifndef PROBE_QUESTION_H
#define PROBE_QUESTION_H

#include "probe/probe.h"

/* One query to one server over a connection of its own, its rows one by one. As a probe it has no loop and no
 * clock, and what is said there of sockets, names and the owner's bounds holds here:
 *
 *   struct question *question = question_start(&plan);
 *   for (;;) {
 *       while (question_row(question, fields, FIELDS)) ... use the fields ...
 *       switch (question_state(question)) {
 *       case QUESTION_READY:   question_ask(question, sql made for question_server(question)); continue;
 *       case QUESTION_WAITING: ... wait for question_socket as question_wants, or give up ...;
 *                              question_step(question); continue;
 *       case QUESTION_DONE:    all rows were taken
 *       case QUESTION_FAILED:  question_reason says why; rows taken so far are true, but not all
 *       }
 *   }
 *   question_cancel(question);
 */
struct question;

enum question_state { QUESTION_WAITING, QUESTION_READY, QUESTION_DONE, QUESTION_FAILED };

/* Whether `conninfo` is a libpq connection string. False and `why` when not; `why` repeats nothing of the
 * values. It may name a host; what it leaves out, libpq takes from its environment. */
MUST_USE bool question_conninfo_check(const char *conninfo, struct text *why);

/* Where the host of `place` is NULL its connection string says where the server is. The session is read-only,
 * has search_path = pg_catalog and the time limits given: a lock that is not granted within the second of
 * them ends the query, so that it never queues behind a schema change for long. */
struct question_plan {
    struct probe_plan place;
    const char *application_name; /* unless the connection string has one */
    int64_t statement_timeout_us; /* at least 1 ms each */
    int64_t lock_timeout_us;
    const char *options; /* of the session, " -c name=value" each; may be "" */
};

/* Begins to connect; nothing of the plan needs to outlive the call. NULL when memory is short. */
MUST_USE struct question *question_start(const struct question_plan *plan);
/* Goes on; without effect unless the state is QUESTION_WAITING. */
void question_step(struct question *question);
enum question_state question_state(const struct question *question);
/* The server's version, as 150018, from QUESTION_READY on. */
int question_server(const struct question *question);
/* Asks; once, in QUESTION_READY. */
void question_ask(struct question *question, const char *sql);
/* The next row that has come in, if any: `count` fields, which it must have; NULL is "". The views live until
 * the next call of any of these functions. */
MUST_USE bool question_row(struct question *question, struct bytes *fields, size_t count);
int question_socket(const struct question *question);
enum probe_wish question_wants(const struct question *question);
/* Of a question that failed, as probe_reason. */
const char *question_reason(const struct question *question);
/* Closes the connection, in whatever state; what runs on the server ends by its time limit. NULL is allowed.
 */
void question_cancel(struct question *question);

#endif
