/* SPDX-License-Identifier: PostgreSQL */
/* What becomes of schema changes that were let pass: each is carried out or not, and then its transaction
 * lasts or is undone. Changes are numbered in the order in which they were sent, which is that of the
 * answers.
 */
#include "session/state.h"

#include <stdlib.h>

enum { CHANGES_TIMED = 16, WORKER_SHIFT = 48 };

struct changes {
    uint32_t sent;       /* the newest change's number */
    uint32_t settled;    /* of how many it is known whether they were carried out */
    uint32_t first_open; /* the first whose transaction has not ended */
    bool has_error;      /* since the last ReadyForQuery, here and below */
    bool has_commit;
    bool has_rollback;
    bool has_prepare;
    bool may_have_ended;     /* by a ROLLBACK that may be none to a savepoint */
    bool was_undone_in_part; /* of the open transaction */
    bool has_turn;           /* it may hold the turnstile */
    uint32_t ended;          /* of how many changes it was known at the last COMMIT */
    struct guard_passage passage;
    int64_t until_us;               /* when the first window closes by which something passed; 0: none */
    char window[NAME_SIZE];         /* its name */
    int64_t sent_us[CHANGES_TIMED]; /* of the newest, by number */
};

static bool is_any_in_flight(const struct changes *changes)
{
    return changes->settled != changes->sent;
}

uint64_t changes_session_key(const struct session *session)
{
    return ((uint64_t)(session->world->worker + 1) << WORKER_SHIFT) ^ session->id;
}

const struct guard_passage *changes_passage(const struct session *session)
{
    bool is_open = session->changes != NULL && session->transaction_status == 'T';
    return is_open && session->changes->passage.level > 0 ? &session->changes->passage : NULL;
}

static struct changes *changes_of(struct session *session)
{
    if (session->changes == NULL) {
        session->changes = calloc(1, sizeof(*session->changes));
        if (session->changes != NULL)
            session->changes->first_open = 1;
    }
    return session->changes;
}

/* What the window allows, its transaction may go on to do. */
static void note_window(struct changes *changes, const struct decision *decision)
{
    const struct gate_span *span = decision->span;
    const struct guard_rule *rule = decision->rule;
    enum safety_level allow =
        rule != NULL && rule->most > 0 && rule->most < span->allow ? rule->most : span->allow;
    guard_passage_note(&changes->passage, rule, allow);
    if (changes->until_us > 0 && changes->until_us <= span->to_us)
        return;
    changes->until_us = span->to_us;
    (void)bytes_copy_text(bytes_text(span->name), changes->window, sizeof(changes->window));
}

uint32_t changes_begin(struct session *session, const struct decision *decision)
{
    struct changes *changes = changes_of(session);
    if (changes == NULL) {
        turnstile_leave(session->world->turnstile, changes_session_key(session), session->world->now_us, 0);
        session_fail(session, "53200", "out of memory", NULL);
        return 0;
    }
    changes->sent++;
    changes->sent_us[changes->sent % CHANGES_TIMED] = session->world->now_us;
    changes->has_turn |= session->world->policy->has_turns;
    if (decision->ground == GROUND_WINDOW)
        note_window(changes, decision);
    return changes->sent;
}

/* ── Whether it was carried out ────────────────────────────────────────────────────────────────────────────
 */

static void tell_outcome(struct session *session, enum event_kind kind, const char *sqlstate, const char *why)
{
    struct changes *changes = session->changes;
    uint32_t number = ++changes->settled;
    if (kind == EVENT_DDL_FAILED && changes->first_open == number)
        changes->first_open++; /* nothing that its transaction could undo */
    struct event *event = tell_begin(session, kind);
    if (event == NULL)
        return;
    event->change = event->change_last = number;
    if (changes->sent - number < CHANGES_TIMED)
        event->duration_us = session->world->now_us - changes->sent_us[number % CHANGES_TIMED];
    (void)bytes_copy_text(bytes_text(sqlstate), event->violation.sqlstate, sizeof(event->violation.sqlstate));
    (void)bytes_copy_text(bytes_text(why), event->reason, sizeof(event->reason));
    tell_publish(session);
}

void changes_sent(struct session *session, struct request *request)
{
    if (request != NULL)
        request->is_change = true;
    else
        tell_outcome(session, EVENT_DDL_FAILED, "", "it was not run");
}

void changes_take_error(struct session *session, struct request *head, const char *sqlstate)
{
    if (session->changes == NULL)
        return;
    session->changes->has_error = true;
    if (head == NULL || !head->is_change)
        return;
    head->is_change = false;
    tell_outcome(session, EVENT_DDL_FAILED, sqlstate, "the server refused it");
}

void changes_settle(struct session *session, bool is_done)
{
    if (is_done)
        tell_outcome(session, EVENT_DDL_COMPLETED, "", "");
    else if (session->changes->has_error)
        tell_outcome(session, EVENT_DDL_FAILED, "", "an earlier statement of its pipeline failed");
    else
        tell_outcome(session, EVENT_DDL_FAILED, "", "the connection ended before it was answered");
}

/* ── What its transaction came to ──────────────────────────────────────────────────────────────────────────
 */

void changes_take_tag(struct session *session, struct bytes tag, const struct request *head)
{
    struct changes *changes = session->changes;
    if (changes == NULL)
        return;
    bool has_commit = bytes_equal_text(tag, "COMMIT");
    bool has_rollback = bytes_equal_text(tag, "ROLLBACK");
    bool has_prepare = bytes_equal_text(tag, "PREPARE TRANSACTION");
    if (has_commit || has_prepare)
        changes->ended = changes->settled;
    changes->has_commit |= has_commit;
    changes->has_rollback |= has_rollback;
    changes->has_prepare |= has_prepare;
    changes->may_have_ended |= has_rollback && !passage_survives(head->statement);
}

/* Of the changes up to `last`. */
static void tell_end(struct session *session, enum event_kind kind, uint32_t last, const char *why)
{
    struct changes *changes = session->changes;
    if (changes->first_open > last)
        return;
    struct event *event = tell_begin(session, kind);
    if (event != NULL) {
        event->change = changes->first_open;
        event->change_last = last;
        (void)bytes_copy_text(bytes_text(why), event->reason, sizeof(event->reason));
        tell_publish(session);
    }
    changes->first_open = last + 1;
}

static void tell_outlived(struct session *session)
{
    const struct changes *changes = session->changes;
    int64_t behind_us = session->world->now_us - changes->until_us;
    if (changes->until_us == 0 || behind_us <= 0 || changes->first_open > changes->settled)
        return;
    counter_add(&session->world->counters->ddl_outlived, 1);
    struct event *event = tell_begin(session, EVENT_DDL_OUTLIVED);
    if (event == NULL)
        return;
    event->duration_us = behind_us;
    (void)bytes_copy_text(bytes_text(changes->window), event->window, sizeof(event->window));
    tell_publish(session);
}

static void leave_turn(struct session *session, bool has_lasted)
{
    struct changes *changes = session->changes;
    if (!changes->has_turn)
        return;
    changes->has_turn = false;
    turnstile_leave(session->world->turnstile, changes_session_key(session), session->world->now_us,
                    has_lasted ? session->world->policy->rest_us : 0);
}

static const char *why_committed(const struct changes *changes)
{
    if (changes->has_prepare)
        return "prepared: COMMIT PREPARED decides";
    return changes->was_undone_in_part ? "some of it may have been rolled back to a savepoint" : "";
}

/* How the transaction ended that the server says is over. Several may have, in one text or pipeline. */
static bool end_transaction(struct session *session)
{
    const struct changes *changes = session->changes;
    if (changes->has_rollback && changes->has_commit) {
        tell_end(session, EVENT_DDL_UNDONE, changes->settled,
                 "one transaction of its text or pipeline was rolled back, another not");
        return true;
    }
    if (changes->has_rollback || (changes->has_error && !changes->has_commit)) {
        tell_end(session, EVENT_DDL_UNDONE, changes->settled, "rolled back");
        return false;
    }
    tell_end(session, EVENT_DDL_COMMITTED, changes->settled, why_committed(changes));
    return true;
}

static void forget_window(struct changes *changes)
{
    changes->passage = (struct guard_passage){ .level = 0 };
    changes->until_us = 0;
}

/* COMMIT AND CHAIN and the like: the server says that a transaction is open, but it is another one. */
static void take_chain(struct session *session)
{
    struct changes *changes = session->changes;
    bool has_ended = changes->has_commit || changes->has_prepare;
    if (has_ended && !changes->has_rollback) {
        tell_outlived(session);
        tell_end(session, EVENT_DDL_COMMITTED, changes->ended, why_committed(changes));
    }
    if (has_ended || changes->may_have_ended)
        forget_window(changes);
    if (has_ended && changes->first_open > changes->sent)
        leave_turn(session, true);
    changes->was_undone_in_part |= changes->has_rollback;
}

void changes_take_ready(struct session *session, bool is_over)
{
    struct changes *changes = session->changes;
    if (changes == NULL)
        return;
    if (is_over) {
        tell_outlived(session);
        bool has_lasted = end_transaction(session);
        changes->was_undone_in_part = false;
        changes->passage = (struct guard_passage){ .level = 0 };
        if (!is_any_in_flight(changes)) {
            forget_window(changes);
            leave_turn(session, has_lasted);
        }
    } else {
        take_chain(session);
    }
    changes->has_error = changes->has_commit = changes->has_rollback = changes->has_prepare = false;
    changes->may_have_ended = false;
}

void changes_release(struct session *session)
{
    if (session->changes == NULL)
        return;
    tell_outlived(session);
    tell_end(session, EVENT_DDL_UNDONE, session->changes->settled,
             "the connection ended before its transaction did");
    leave_turn(session, false);
    free(session->changes);
    session->changes = NULL;
}
