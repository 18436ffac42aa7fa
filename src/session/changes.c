/* SPDX-License-Identifier: PostgreSQL */
/* What becomes of schema changes that were let pass: each is carried out or not, and then its transaction
 * lasts or is undone. Changes are numbered in the order in which they were sent, which is that of the
 * answers.
 */
#include "session/state.h"
#include "sql/token_walk.h"

#include <stdlib.h>

enum { CHANGES_TIMED = 16, WORKER_SHIFT = 48 };

/* How far the changes of a Query have got while it is being answered: it may hold several transactions. */
struct text_fate {
    bool is_open;    /* a change of it was carried out in a transaction that has not ended */
    bool lasts;      /* one was carried out, and its transaction was committed */
    bool was_undone; /* one was, and its transaction was rolled back */
    const char
        *doubt; /* one was, and why it is not known what its transaction came to; NULL: there is none */
    const char *lasts_why; /* what is to be said of the one that lasts; NULL: nothing */
    bool has_savepoint;    /* behind an open one */
    bool has_failed;
    char sqlstate[6];
};

struct changes {
    uint32_t sent;           /* the newest change's number */
    uint32_t settled;        /* of how many it is known whether they were carried out */
    uint32_t first_open;     /* the first whose transaction has not ended */
    bool has_error;          /* since the last ReadyForQuery */
    bool has_failed;         /* the open transaction, since it began */
    bool was_undone_in_part; /* it, too */
    bool has_seen_end;       /* of one, by a tag since the last ReadyForQuery; true: or may have */
    bool commits_at_once;    /* the change that is being answered */
    bool has_lasted;         /* one that was told of since the turnstile was last left */
    bool has_turn;           /* it may hold the turnstile */
    bool has_ended;          /* the connection */
    bool is_unknown;         /* then: it may have committed what was not seen to end */
    struct text_fate text;
    struct guard_passage passage;   /* of the open transaction */
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
            *session->changes = (struct changes){ .first_open = 1, .has_seen_end = true };
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

/* ── Telling ───────────────────────────────────────────────────────────────────────────────────────────────
 */

static void tell_outcome(struct session *session, enum event_kind kind, const char *sqlstate, const char *why)
{
    struct changes *changes = session->changes;
    uint32_t number = ++changes->settled;
    changes->has_lasted |= kind == EVENT_DDL_UNKNOWN;
    if (kind != EVENT_DDL_COMPLETED && changes->first_open == number)
        changes->first_open++; /* the end of its transaction says nothing more of it */
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

static void tell_outlived(struct session *session)
{
    struct changes *changes = session->changes;
    int64_t behind_us = session->world->now_us - changes->until_us;
    if (changes->until_us == 0 || behind_us <= 0)
        return;
    if (changes->has_ended)
        changes->until_us = 0; /* more of the transaction may be told to have ended */
    counter_add(&session->world->counters->ddl_outlived, 1);
    struct event *event = tell_begin(session, EVENT_DDL_OUTLIVED);
    if (event == NULL)
        return;
    event->duration_us = behind_us;
    (void)bytes_copy_text(bytes_text(changes->window), event->window, sizeof(event->window));
    tell_publish(session);
}

static void tell_end(struct session *session, enum event_kind kind, const char *why)
{
    struct changes *changes = session->changes;
    if (changes->first_open > changes->settled)
        return;
    tell_outlived(session);
    changes->has_lasted |= kind != EVENT_DDL_UNDONE;
    struct event *event = tell_begin(session, kind);
    if (event != NULL) {
        event->change = changes->first_open;
        event->change_last = changes->settled;
        (void)bytes_copy_text(bytes_text(why), event->reason, sizeof(event->reason));
        tell_publish(session);
    }
    changes->first_open = changes->settled + 1;
}

/* ── What its transaction came to ──────────────────────────────────────────────────────────────────────────
 */

static const char words_of_rollback[] = "rolled back";
static const char words_of_savepoint[] = "some of it may have been rolled back to a savepoint";

/* A transaction has ended. It takes the changes along that were answered, and what was of the text that is
 * being answered. */
static void end_transaction(struct session *session, enum event_kind kind, const char *why)
{
    struct changes *changes = session->changes;
    struct text_fate *text = &changes->text;
    text->lasts |= text->is_open && kind == EVENT_DDL_COMMITTED;
    if (text->is_open && kind == EVENT_DDL_COMMITTED && why[0] != '\0')
        text->lasts_why = why;
    text->was_undone |= text->is_open && kind == EVENT_DDL_UNDONE;
    text->doubt = text->is_open && kind == EVENT_DDL_UNKNOWN ? why : text->doubt;
    text->is_open = text->has_savepoint = false;
    changes->has_seen_end = true;
    tell_end(session, kind, why);
    changes->has_failed = changes->was_undone_in_part = false;
    changes->passage = (struct guard_passage){ .level = 0 };
}

static void end_committed(struct session *session)
{
    end_transaction(session, EVENT_DDL_COMMITTED,
                    session->changes->was_undone_in_part ? words_of_savepoint : "");
}

static void end_undone(struct session *session)
{
    end_transaction(session, EVENT_DDL_UNDONE, words_of_rollback);
}

/* Of what was carried out, when the connection has ended. What is in flight behind it has an end of its own.
 */
static void tell_end_of_connection(struct session *session)
{
    tell_end(session, session->changes->is_unknown ? EVENT_DDL_UNKNOWN : EVENT_DDL_UNDONE,
             "the connection ended before its transaction did");
}

/* What was answered with the tag of ROLLBACK: that is ROLLBACK itself, the same TO a savepoint, the end of a
 * failed transaction however it was asked for, and PREPARE TRANSACTION outside of a block, which prepares
 * nothing and commits. */
static void take_rollback(struct session *session, const struct request *head)
{
    struct changes *changes = session->changes;
    struct token_walk walk;
    struct token token;
    struct bytes piece =
        head->statement != NULL ? statement_piece(head->statement, head->answered) : BYTES_NONE;
    token_walk_begin(&walk, piece, session->reading);
    if (!token_walk_next_word(&walk, &token) || token.kind != TOKEN_WORD) {
        end_transaction(session, EVENT_DDL_UNKNOWN,
                        "the end of its transaction was asked for in too long a text");
        return;
    }
    bool is_prepare = token_is_word(&token, "prepare");
    bool is_to = false;
    for (size_t place = 0; place < 2 && token_walk_next_word(&walk, &token); place++)
        is_to |= token_is_word(&token, "to");
    if (is_to)
        changes->was_undone_in_part = true;
    else if (is_prepare && !changes->has_failed)
        end_committed(session);
    else
        end_undone(session);
}

static void note_answer(struct changes *changes, const struct request *head, struct bytes tag)
{
    struct text_fate *text = &changes->text;
    if (head->kind == REQUEST_EXECUTE)
        changes->commits_at_once = request_commits_at_once(head, tag);
    else if (bytes_equal_text(tag, "SAVEPOINT"))
        text->has_savepoint |= text->is_open;
    else
        text->is_open |= request_was_change(head);
}

void changes_take_tag(struct session *session, const struct request *head, struct bytes tag)
{
    struct changes *changes = session->changes;
    if (changes == NULL)
        return;
    if (bytes_equal_text(tag, "COMMIT"))
        end_committed(session);
    else if (bytes_equal_text(tag, "PREPARE TRANSACTION"))
        end_transaction(session, EVENT_DDL_UNKNOWN, "prepared: COMMIT PREPARED or ROLLBACK PREPARED decides");
    else if (bytes_equal_text(tag, "ROLLBACK"))
        take_rollback(session, head);
    else if (head->is_change)
        note_answer(changes, head, tag);
}

/* ── Whether it was carried out ────────────────────────────────────────────────────────────────────────────
 */

/* The newest change ended the session when it was to be sent, and all before it are known. */
static bool is_kept_here(const struct session *session)
{
    return session->stage == STAGE_ENDED && session->changes->settled + 1 == session->changes->sent;
}

void changes_sent(struct session *session, struct request *request)
{
    if (request != NULL)
        request->is_change = true;
    else if (session->skips_to_sync || is_kept_here(session))
        tell_outcome(session, EVENT_DDL_FAILED, "", "it was not run");
}

void changes_take_error(struct session *session, struct request *head, const char *sqlstate)
{
    struct changes *changes = session->changes;
    if (changes == NULL)
        return;
    changes->has_error = changes->has_failed = true;
    if (head == NULL || !head->is_change)
        return;
    if (head->kind == REQUEST_QUERY && !head->is_poison) { /* what came before it in the text may last */
        changes->text.has_failed = true;
        (void)bytes_copy_text(bytes_text(sqlstate), changes->text.sqlstate, sizeof(changes->text.sqlstate));
        return;
    }
    head->is_change = false;
    tell_outcome(session, EVENT_DDL_FAILED, head->is_poison ? "" : sqlstate,
                 head->is_poison ? "it was refused with the rest of its text" : "the server refused it");
}

/* All of a text was answered. What is left of it in a transaction that has ended goes with that. */
static void settle_text(struct session *session)
{
    struct changes *changes = session->changes;
    struct text_fate text = changes->text;
    bool is_over = session->transaction_status == 'I' || (changes->has_ended && !changes->is_unknown);
    changes->text = (struct text_fate){ .is_open = false };
    text.lasts |= text.is_open && is_over && !text.has_failed;
    text.was_undone |= text.is_open && is_over && text.has_failed;
    bool is_open = text.is_open && !is_over && (!text.has_failed || text.has_savepoint);
    if (text.has_failed && !text.lasts && text.doubt == NULL && !is_open) {
        tell_outcome(session, EVENT_DDL_FAILED, text.sqlstate, "the server refused it");
        return;
    }
    tell_outcome(session, EVENT_DDL_COMPLETED, "", "");
    if (text.doubt != NULL)
        tell_end(session, EVENT_DDL_UNKNOWN, text.doubt);
    else if (text.lasts && (text.was_undone || text.has_failed || is_open))
        tell_end(session, EVENT_DDL_COMMITTED,
                 "a part of it: the rest of its text was not committed with it");
    else if (text.lasts)
        tell_end(session, EVENT_DDL_COMMITTED, text.lasts_why != NULL ? text.lasts_why : "");
    else if (text.was_undone && !is_open)
        tell_end(session, EVENT_DDL_UNDONE, words_of_rollback);
    else
        changes->was_undone_in_part |= text.was_undone || text.has_failed;
}

void changes_settle(struct session *session, const struct request *request, bool is_done)
{
    struct changes *changes = session->changes;
    bool is_text = request->kind == REQUEST_QUERY && !request->is_poison;
    if (is_text && (is_done || changes->text.has_failed)) {
        settle_text(session);
        if (changes->has_ended)
            tell_end_of_connection(session);
    } else if (is_done) {
        tell_outcome(session, EVENT_DDL_COMPLETED, "", "");
        if (changes->commits_at_once)
            end_committed(session);
    } else if (changes->has_ended) {
        tell_outcome(session, changes->is_unknown ? EVENT_DDL_UNKNOWN : EVENT_DDL_FAILED, "",
                     "the connection ended before it was answered");
    } else {
        tell_outcome(session, EVENT_DDL_FAILED, "", "an earlier statement of its pipeline failed");
    }
    changes->commits_at_once = false;
}

/* ── Where it all ends ─────────────────────────────────────────────────────────────────────────────────────
 */

static void leave_turn(struct session *session)
{
    struct changes *changes = session->changes;
    bool has_lasted = changes->has_lasted;
    changes->has_lasted = false;
    if (!changes->has_turn)
        return;
    changes->has_turn = false;
    turnstile_leave(session->world->turnstile, changes_session_key(session), session->world->now_us,
                    has_lasted ? session->world->policy->rest_us : 0);
}

void changes_take_ready(struct session *session, uint8_t status_before)
{
    struct changes *changes = session->changes;
    if (changes == NULL)
        return;
    bool is_over = session->transaction_status == 'I';
    if (is_over && changes->has_failed)
        end_undone(session);
    else if (is_over && status_before == 'T' && !changes->has_seen_end)
        end_transaction(session, EVENT_DDL_UNKNOWN,
                        "its transaction is over without an answer that ended it");
    else if (is_over)
        end_committed(session);
    changes->has_seen_end = false;
    if (changes->first_open > changes->sent) { /* none is open: COMMIT AND CHAIN leaves only a transaction */
        changes->until_us = 0;
        leave_turn(session);
    }
    changes->has_error = false;
}

void changes_end(struct session *session)
{
    struct changes *changes = session->changes;
    if (changes == NULL)
        return;
    bool is_open = session->transaction_status == 'T';
    changes->has_ended = true;
    changes->is_unknown = session->is_lost;
    for (uint32_t index = 0; index < session->flight.count; index++) {
        const struct request *request = flight_at(&session->flight, index);
        changes->is_unknown |= is_open ? request_may_end(request, true) : request_may_commit_alone(request);
        is_open = is_open && !request_may_end(request, false); /* what is behind a ROLLBACK is by itself */
    }
    tell_end_of_connection(session);
}

void changes_release(struct session *session)
{
    struct changes *changes = session->changes;
    if (changes == NULL)
        return;
    while (is_any_in_flight(changes))
        tell_outcome(session, EVENT_DDL_UNKNOWN, "", "it could not be followed");
    leave_turn(session);
    free(changes);
    session->changes = NULL;
}
