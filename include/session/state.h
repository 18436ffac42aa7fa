/* SPDX-License-Identifier: PostgreSQL */
#ifndef SESSION_STATE_H
#define SESSION_STATE_H

#include "session/flight.h"
#include "session/names.h"
#include "session/outbox.h"
#include "session/session.h"
#include "sql/commenter.h"
#include "wire/framer.h"
#include "wire/preamble.h"
#include "wire/report.h"

/* The inside of a session: for src/session only.
 *
 *   OPENING ──startup──► DIALING ──dialed──► LOGIN ──first ReadyForQuery──► READY
 *     │  ▲                  │                  │                              │
 *     │TLS│secured          │refused           └──────── desync ──────────────┤
 *     ▼  │                  ▼                                                 ▼
 *   SECURING              ENDED ◄─────── broken protocol, enforcing ─────── BLIND (passed on unread)
 *
 * A cancel request stays in DIALING: its owner passes it on by itself. */
enum session_stage {
    STAGE_OPENING,  /* untyped packets of the client */
    STAGE_SECURING, /* waits for the client's TLS handshake */
    STAGE_DIALING,  /* waits for the upstream */
    STAGE_LOGIN,    /* the server asks, the client answers */
    STAGE_READY,    /* queries */
    STAGE_BLIND,    /* can no longer be followed: bytes pass unread */
    STAGE_ENDED,    /* nothing more is taken */
};

/* What is being done with the message that is under way on one side. */
enum doing {
    DOING_PASS,    /* its bytes flow on */
    DOING_DISCARD, /* its bytes are dropped: something else was sent in its place */
    DOING_GATHER,  /* its bytes are kept until enough of it is there */
    DOING_STREAM,  /* SQL flows on while it is read; what its NUL becomes decides */
    DOING_SPOIL,   /* SQL that was refused while it flowed: what is left of it becomes filler */
    DOING_REPORT,  /* an ErrorResponse flows on while it is read */
};

/* What becomes of a message once enough of it was read. */
enum fate { FATE_PASS, FATE_REPLACED };

/* SQL too long to be gathered, on its way (see stream.c). */
struct stream;

/* One direction. */
struct direction {
    struct framer framer;
    uint8_t doing;           /* enum doing */
    struct parcel *gathered; /* DOING_GATHER: header and body so far; before that the first packet */
};

/* What the client is told instead of the error that a poisoned message provokes: message, detail and hint
 * behind each other, each with its NUL. Many may wait in a long pipeline, so it takes no more room than its
 * words. */
struct refusal {
    char sqlstate[6];
    uint16_t detail_at; /* offsets in texts; the message is at 0 */
    uint16_t hint_at;
    char texts[];
};

/* A statement that ran in the open transaction: whom an error at its end may mean. */
struct candidate {
    struct statement *statement; /* a reference */
    uint32_t index;              /* of the statement in its text */
};

enum { CANDIDATES_KEPT = 16 };

/* The newest candidates, a circle. */
struct candidates {
    struct candidate kept[CANDIDATES_KEPT];
    uint32_t added;
};

/* The schema changes that were let pass (see changes.c). */
struct changes;

struct session {
    struct session_world *world;
    uint64_t id;
    uint8_t stage;              /* enum session_stage */
    uint8_t transaction_status; /* of the last ReadyForQuery: I, T or E; 0 before */
    bool skips_to_sync;         /* the server drops what comes until Sync */
    bool is_copying_in;         /* the server reads CopyData */
    bool is_cancel;
    bool has_authenticated; /* AuthenticationOk was seen */
    bool has_tls_request;
    bool has_gss_request;
    uint8_t security;      /* enum session_security */
    bool is_secured;       /* the client's side speaks TLS */
    bool began_with_tls;   /* from its first byte */
    bool awaits_mechanism; /* the client's next message names its SASL mechanism */
    struct server_leg server_leg;
    struct lexer_reading reading;
    bool is_client_foreign; /* its client_encoding is not UTF-8; likewise the server's */
    bool is_server_foreign;
    bool is_misread_fatal;    /* the server ends where a COPY reads a request in place of data: from 14 on */
    bool is_reading_known;    /* nothing was sent since the server last said what it is */
    bool may_change_encoding; /* other than BEGIN was run since then, or in this transaction, which may be
                                 undone */
    bool is_lost;             /* it could not be followed any more: what is in flight may mean anything */
    bool has_terminated;      /* the client, by a message: what is behind it goes nowhere */
    uint16_t doubtful_syncs;  /* that a COPY may have swallowed, or else are still to be answered */
    uint32_t active_ticks;    /* of the world, when active_us was */
    struct direction client;
    struct direction server;
    struct stream *stream;
    struct report *report; /* of an ErrorResponse that comes in pieces; else NULL */
    struct flight flight;
    struct name_spaces *names;     /* those of the world that stay empty, until it gives a name */
    struct candidates *candidates; /* NULL until a transaction has some */
    struct changes *changes;       /* NULL until one was let pass */
    int64_t active_us;             /* see session_stir */
    uint64_t bytes_received;
    uint64_t bytes_sent;
    /* What the server sent since then, up to the end of what is looked at, and what took time since, is the
     * next statement's. */
    uint64_t unaccounted_bytes;
    int64_t accounted_us;
    const char *service; /* under the policy of this number; NULL: not resolved since it may have changed */
    uint32_t service_policy;
    uint32_t errors;
    struct shared_text *user; /* the effective ones, from the StartupMessage; references */
    struct shared_text *database;
    struct shared_text *application_name;
    /* From here on what is rarely looked at. */
    struct shared_text *path; /* of a Unix socket by which the client came, or NULL; a reference */
    const char *upstream;
    const char *end_reason; /* a constant, when the session ended by itself */
    int64_t opened_us;
    uint32_t violations;
    struct compact_address address; /* the client's address but for its path */
};

/* The client sends a message, or the server became ready for one. */
static inline void session_stir(struct session *session)
{
    session->active_us = session->world->now_us;
    session->active_ticks = session->world->ticks;
}

static inline struct direction *session_direction(struct session *session, enum side from)
{
    return from == SIDE_CLIENT ? &session->client : &session->server;
}

/* ── ending.c: before its time ─────────────────────────────────────────────────────────────────────────────
 */
/* Ends the session with a FATAL error for the client. */
void session_fail(struct session *session, const char *sqlstate, const char *message, const char *detail);
/* The same with a hint of what would be right. */
void session_fail_with_hint(struct session *session, const char *sqlstate, const char *message,
                            const char *hint);
/* The streams can no longer be followed: pass them on unread, or end under enforcement. */
void session_lose(struct session *session, const char *why);
/* From now on both streams pass unread, what was kept back of them first. */
void session_go_blind(struct session *session);
/* Whether the client has had the server's last message as a whole, so that one of ours would be understood.
 */
bool client_is_between_messages(const struct session *session);
/* Ends a session that passes unread, if enforcement has begun since. Whether it did. */
MUST_USE bool ending_is_due(struct session *session);

/* ── tracking.c: what is in flight ─────────────────────────────────────────────────────────────────────────
 */
/* A request was sent: puts it in flight with a reference to its statement (may be NULL). NULL when the server
 * drops it unanswered, or when memory is short. */
struct request *session_expect(struct session *session, enum request_kind kind, struct statement *statement);
/* How the next text is to be read by whoever must miss nothing: the server tells of another client_encoding
 * only with ReadyForQuery, and what was sent before that may have changed it. */
struct lexer_reading session_feared_reading(const struct session *session);
/* A Parse that passes was sent. */
void parse_expect(struct session *session, struct bytes name, struct statement *statement);
/* The request, a Parse or Bind, binds this name to its statement; notes the name's entry in it, or that it
 * cannot be tracked (counted). */
/* What the name of a Bind or Execute may stand for (see names_possible), until the next one; where memory is
 * short the session is lost. */
struct statement *possible_statement(struct session *session, struct names *names, struct bytes text);
void bind_name(struct session *session, struct bytes text, struct request *request);
/* An SQL PREPARE was carried out. */
void learn_name(struct session *session, struct bytes text, struct statement *statement);
/* An SQL DEALLOCATE of one name was carried out for this text. */
void unlearn_name(struct session *session, const struct statement *statement);
/* Lets go of what a request holds that was taken out. `is_done`: the server has carried it out. */
void request_settle(struct session *session, struct request *request, bool is_done);
/* Takes the oldest request out and settles it. */
void head_settle(struct session *session, bool is_done);
/* Takes all requests out and lets go of what they hold. */
void requests_abandon_all(struct session *session);

/* ── opening.c: the client's untyped packets ───────────────────────────────────────────────────────────────
 */
enum session_event opening_take(struct session *session, struct bytes *input);

/* ── binding.c: SCRAM and channel binding ──────────────────────────────────────────────────────────────────
 */
/* The server's Authentication message, whole where it offers SASL mechanisms. */
enum fate authentication_take(struct session *session, struct bytes body);
/* The client's answer to that offer. */
enum fate mechanism_take(struct session *session, struct bytes body);

/* ── requests.c: what the client sends ─────────────────────────────────────────────────────────────────────
 */
/* A message of which enough was read. `body` is whole, or as much as message_head_size asked for. */
enum fate client_message_take(struct session *session, uint8_t type, struct bytes body);
/* Whether the client's next authentication reply is looked at: where it names a mechanism, or is out of
 * place. */
bool client_reply_is_read(const struct session *session);

/* ── holding.c: which of the client's messages wait, or go nowhere ─────────────────────────────────────────
 */
/* Whether as much is in flight as may be. */
static inline bool flight_is_full(const struct session *session)
{
    return session->flight.count >= session->world->limits.in_flight;
}
/* Whether the client's next message waits for that. */
static inline bool holding_is_full(const struct session *session)
{
    return flight_is_full(session) && !session->client.framer.is_inside;
}
/* Whether each of the client's messages goes through holding_take first. */
static inline bool holding_is_watching(const struct session *session)
{
    return session->flight.copies > 0 || session->has_terminated;
}
/* Whether the client's next message waits until a Query that may_copy is answered. Loses the session where
 * that will not be; takes what stands behind Terminate off the input. */
MUST_USE bool holding_take(struct session *session, struct bytes *input);
/* Whether requests wait behind a Query of this text, toward a server that is not misread_fatal: it may have a
 * COPY. */
bool holding_is_due(const struct statement *statement);

/* ── answers.c: what the server sends ──────────────────────────────────────────────────────────────────────
 */
enum fate server_message_take(struct session *session, uint8_t type, struct bytes body);
/* An ErrorResponse was read to its end. When it is what a poison provoked and none of it was passed on yet
 * (may_replace), ours is sent in its place. */
enum fate server_error_take(struct session *session, const struct report *report, bool may_replace);
/* Whether the next ErrorResponse may have to be replaced. */
bool server_error_is_awaited(const struct session *session);

/* ── copying.c: which Syncs a COPY from the client swallowed ───────────────────────────────────────────────
 */
/* A statement was carried out: if it was a COPY, the Syncs before the end of its data will not be answered.
 * `keeps_head`: it stays at the head of the flight. */
void copy_take_end(struct session *session, bool keeps_head);
/* An error has ended a request, which stays at the head unless the server `skips` to the next Sync. */
void copy_take_error(struct session *session, bool skips, const struct report *report);
/* A request is about to be taken as skipped. If a Sync of a COPY is doubtful the server may run it instead:
 * then the session is lost. Whether it is. */
bool copy_doubt(struct session *session);
/* A ReadyForQuery has come, and `head` (may be NULL) is the oldest in flight. Whether it answers nothing but
 * a Sync that was taken as swallowed. */
MUST_USE bool copy_take_ready(struct session *session, const struct request *head);

/* ── stream.c: SQL that flows while it is read ─────────────────────────────────────────────────────────────
 */
MUST_USE bool stream_begin(struct session *session, uint8_t type);
void stream_take(struct session *session, const struct fragment *fragment);
void stream_end(struct session *session);
/* Sends filler for `size` bytes to the server. */
void stream_spoil(struct session *session, size_t size);

/* ── judge.c: the guard's word on a statement ──────────────────────────────────────────────────────────────
 */
/* What becomes of a statement with the message that is judged. */
enum judge_step {
    JUDGE_PARSE, /* it is prepared */
    JUDGE_BIND,  /* it is about to run */
    JUDGE_RUN,   /* it runs: what passes is told, too */
};

struct ruling {
    uint32_t change;         /* the number of a schema change that passes: changes_sent follows; 0: none */
    struct refusal *refusal; /* what to tell the client; NULL when it passes, or when memory is short */
};

/* Whether the guard lets this statement through now, and all that it runs by SQL EXECUTE. */
MUST_USE bool judge_statement(struct session *session, struct statement *statement, enum judge_step step,
                              struct ruling *ruling);
/* The same for a FunctionCall, of which no text is known. */
MUST_USE bool judge_function_call(struct session *session, struct ruling *ruling);
/* How the guard treats this session now. */
enum guard_mode session_guard_mode(const struct session *session);

/* ── poison.c: how a refusal is carried out ────────────────────────────────────────────────────────────────
 */
/* The refusal in words; NULL when memory is short. */
struct refusal *refusal_create(const struct session *session, const struct verdict *verdict,
                               const struct decision *decision);
/* Sends a message that the server is sure to refuse, in place of one of the client's, and remembers why. */
void poison_send(struct session *session, uint8_t replaced_type, const struct ruling *ruling);
/* Adds the request that a spoilt or poisoned message stands for. */
void poison_expect(struct session *session, enum request_kind kind, const struct ruling *ruling);
/* Sends the client our ErrorResponse for the refusal. */
void refusal_send(struct session *session, const struct refusal *refusal);

/* ── changes.c: what becomes of schema changes ─────────────────────────────────────────────────────────────
 */
/* Files a change that passes: its number, or 0 when memory is short and the session has ended. */
MUST_USE uint32_t changes_begin(struct session *session, const struct decision *decision);
/* It was sent as `request`; NULL: the server drops it unanswered. */
void changes_sent(struct session *session, struct request *request);
/* An ErrorResponse came for a request in flight, or for a statement behind it in the same transaction. */
void changes_take_error(struct session *session, struct request *head, const char *sqlstate);
/* A request that is a change was taken out: the server has carried it out, or has dropped it. */
void changes_settle(struct session *session, const struct request *request, bool is_done);
/* A statement of `head` was carried out, with this tag. */
void changes_take_tag(struct session *session, const struct request *head, struct bytes tag);
/* ReadyForQuery; the one before it told of this status. */
void changes_take_ready(struct session *session, uint8_t status_before);
/* The windows by which the transaction made changes that was open when the server was last ready; NULL: it
 * made none. */
const struct guard_passage *changes_passage(const struct session *session);
/* The session's number among those of all workers; not 0. */
uint64_t changes_session_key(const struct session *session);
/* The session ends: what is in flight stays unanswered. */
void changes_end(struct session *session);
/* It has ended, and the requests in flight were taken out. */
void changes_release(struct session *session);

/* ── passage.c: whether a transaction is still the one in which a window let changes pass ───────────────────
 */
/* changes_passage, if that transaction surely is the one in which the text will run: nothing in flight, and
 * nothing in the text itself, may end it before. */
const struct guard_passage *passage_of(const struct session *session, const struct statement *statement);

/* ── change_words.c: what texts say about them ─────────────────────────────────────────────────────────────
 */
/* Whether a statement that begins with this word may end a transaction; `by_commit`: other than by undoing
 * it.
 */
bool token_ends_transaction(const struct token *token, bool by_commit);
/* Whether a change of a pipeline that was answered with this tag is of those that no transaction block takes:
 * they are committed as soon as they are carried out. */
bool request_commits_at_once(const struct request *head, struct bytes tag);
/* Whether the statement of the text that is just answered is a change, or runs one. What lies beyond the kept
 * part of the text may be one. */
bool request_was_change(const struct request *head);
/* Whether a request that is not answered yet may end the open transaction; `by_commit`: other than by undoing
 * it. Whether it may commit where none is open. */
bool request_may_end(const struct request *request, bool by_commit);
bool request_may_commit_alone(const struct request *request);

/* ── blame.c: whose error it was ───────────────────────────────────────────────────────────────────────────
 */
/* `head` is the request the error answers, or NULL. */
void blame_error(struct session *session, const struct report *report, const struct request *head);
/* A statement of a text has ended without error. */
void candidates_add(struct session *session, struct statement *statement, uint32_t index);
void candidates_clear(struct session *session);
/* Puts the refused value, or the row that holds it, into a violation's event, where that is wanted. */
void attempted_keep(const struct session *session, const struct report *report, struct event *event);
/* The statement of that index in its text; empty beyond what is kept. */
struct bytes statement_piece(const struct statement *statement, uint32_t index);
/* What the program says in a comment of this piece, up to its semicolon; where it says nothing there, of the
 * text as a whole. */
void statement_comment(const struct statement *statement, struct bytes piece, struct commenter *out);
/* A schema change's command tag came back for `head`: was one seen going in? */
void blame_unseen_change(struct session *session, struct bytes tag, const struct request *head);

/* ── account.c: what statements cost, and which errors there were ──────────────────────────────────────────
 */
/* A statement of `head` has ended without error, with this tag; empty: it has none. */
void account_statement(struct session *session, struct request *head, struct bytes tag);
/* An ErrorResponse came for `head`; NULL: for none. */
void account_error(struct session *session, const struct report *report, const struct request *head);
/* What comes from here on is the next statement's. */
void account_close(struct session *session);

/* ── tell.c: events for the control thread ─────────────────────────────────────────────────────────────────
 */
/* The service, resolved again only where it may be another one. */
const char *session_service_name(struct session *session);
/* The next place in the ring with who and when filled in, or NULL (counted as dropped). tell_publish makes it
 * visible. */
struct event *tell_begin(struct session *session, enum event_kind kind);
/* Fills in who and when, the rest zeroed. */
void tell_fill(const struct session *session, enum event_kind kind, struct event *event);
/* Tells a copy. */
void tell_copy(struct session *session, const struct event *event);
void tell_publish(struct session *session);

#endif
