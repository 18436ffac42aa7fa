/* SPDX-License-Identifier: PostgreSQL */
/* What the client sends: each message becomes a request in flight, unless the guard refuses it. */
#include "session/state.h"
#include "sql/classifier.h"
#include "sql/trail.h"
#include "wire/reader.h"

/* Asks the guard. When it refuses, poison goes out in place of the message. */
static bool is_let_through(struct session *session, uint8_t type, struct statement *statement,
                           enum judge_step step, struct ruling *ruling)
{
    *ruling = (struct ruling){ .refusal = NULL };
    if (statement == NULL || judge_statement(session, statement, step, ruling))
        return true;
    poison_send(session, type, ruling);
    return false;
}

/* Puts what runs in flight, and the schema change that it is. */
static void run_expect(struct session *session, enum request_kind kind, struct statement *statement,
                       const struct ruling *ruling)
{
    struct request *request = session_expect(session, kind, statement);
    session->may_change_encoding |= statement == NULL || !statement->is_begin;
    if (ruling->change > 0)
        changes_sent(session, request);
}

/* Whether the text reads otherwise where a character's second byte may be an ASCII one. */
static bool depends_on_encoding(struct bytes sql, struct lexer_reading reading)
{
    for (size_t i = 1; i < sql.size; i++) {
        if (trail_doubts(reading, sql.data[i - 1], sql.data[i]) > 0)
            return true;
    }
    return false;
}

/* The same text with the verdict of all readings that may apply; shown it is by the one believed in. */
static struct statement *statement_feared(struct session *session, struct bytes sql,
                                          struct statement *statement)
{
    struct statement_pool *pool = session->world->statements;
    struct verdict verdict;
    if (statement == NULL || session->is_reading_known)
        return statement;
    struct lexer_reading feared = session_feared_reading(session);
    if (!depends_on_encoding(sql, feared))
        return statement;
    classify(sql, feared, &verdict);
    verdict.statement_count = statement->verdict.statement_count;
    statement_release(pool, statement);
    return statement_of_streamed(pool, sql, sql.size, session->reading, &verdict);
}

/* The statement of a text just read. NULL where the message had no NUL: the server refuses it unread. Where
 * memory is short the session ends: what cannot be judged must not pass. */
static struct statement *statement_read(struct session *session, const struct reader *reader,
                                        struct bytes sql)
{
    if (reader->has_failed)
        return NULL;
    struct statement *statement = statement_of(session->world->statements, sql, session->reading);
    statement = statement_feared(session, sql, statement);
    if (statement == NULL)
        session_fail(session, "53200", "out of memory", NULL);
    return statement;
}

static enum fate take_query(struct session *session, struct bytes body)
{
    struct reader reader = reader_of(body);
    struct bytes sql = reader_string(&reader);
    struct statement_pool *pool = session->world->statements;
    struct statement *statement = statement_read(session, &reader, sql);
    struct ruling ruling;
    enum fate fate = FATE_REPLACED;
    if (is_let_through(session, CLIENT_QUERY, statement, JUDGE_RUN, &ruling)) {
        counter_add(&session->world->counters->queries, 1);
        run_expect(session, REQUEST_QUERY, statement, &ruling);
        fate = FATE_PASS;
    }
    statement_release(pool, statement);
    return fate;
}

static enum fate take_parse(struct session *session, struct bytes body)
{
    struct reader reader = reader_of(body);
    struct bytes name = reader_string(&reader);
    struct bytes sql = reader_string(&reader);
    struct statement_pool *pool = session->world->statements;
    struct statement *statement = statement_read(session, &reader, sql);
    struct ruling ruling;
    enum fate fate = FATE_REPLACED;
    if (is_let_through(session, CLIENT_PARSE, statement, JUDGE_PARSE, &ruling)) {
        parse_expect(session, name, statement);
        fate = FATE_PASS;
    }
    statement_release(pool, statement);
    return fate;
}

static enum fate take_bind(struct session *session, struct bytes body)
{
    struct reader reader = reader_of(body);
    struct bytes portal = reader_string(&reader);
    struct bytes prepared = reader_string(&reader);
    struct statement *statement = possible_statement(session, &session->names->statements, prepared);
    struct ruling ruling;
    if (!is_let_through(session, CLIENT_BIND, statement, JUDGE_BIND, &ruling))
        return FATE_REPLACED;
    struct request *request = session_expect(session, REQUEST_BIND, statement);
    if (request != NULL && !reader.has_failed)
        bind_name(session, portal, request);
    return FATE_PASS;
}

static enum fate take_execute(struct session *session, struct bytes body)
{
    struct reader reader = reader_of(body);
    struct bytes portal = reader_string(&reader);
    struct statement *statement = possible_statement(session, &session->names->portals, portal);
    struct ruling ruling;
    if (!is_let_through(session, CLIENT_EXECUTE, statement, JUDGE_RUN, &ruling))
        return FATE_REPLACED;
    counter_add(&session->world->counters->executes, 1);
    run_expect(session, REQUEST_EXECUTE, statement, &ruling);
    return FATE_PASS;
}

static enum fate take_function_call(struct session *session)
{
    struct ruling ruling;
    if (!judge_function_call(session, &ruling)) {
        poison_send(session, CLIENT_FUNCTION_CALL, &ruling);
        return FATE_REPLACED;
    }
    session_expect(session, REQUEST_FUNCTION, NULL);
    session->may_change_encoding = true;
    return FATE_PASS;
}

/* The name space that a Describe or Close speaks of, and the name. */
static struct names *read_target(struct session *session, struct bytes body, struct bytes *name)
{
    struct reader reader = reader_of(body);
    uint8_t kind = reader_byte(&reader);
    *name = reader_string(&reader);
    return kind == 'P' ? &session->names->portals : &session->names->statements;
}

static enum fate take_describe(struct session *session, struct bytes body)
{
    struct bytes name;
    const struct names *names = read_target(session, body, &name);
    session_expect(session, REQUEST_DESCRIBE, names_meaning(names, &session->world->hash_key, name));
    return FATE_PASS;
}

static enum fate take_close(struct session *session, struct bytes body)
{
    struct bytes name;
    struct names *names = read_target(session, body, &name);
    struct request *request = session_expect(session, REQUEST_CLOSE, NULL);
    if (request != NULL) {
        request->is_portal = names == &session->names->portals;
        request->name = names_close(names, &session->world->hash_key, name);
    }
    return FATE_PASS;
}

static enum fate take_sync(struct session *session)
{
    session_expect(session, REQUEST_SYNC, NULL);
    session->skips_to_sync = false;
    session->names->statements.segment++;
    session->names->portals.segment++;
    return FATE_PASS;
}

/* No server takes one behind a request; one of up to 13 that reads it in place of COPY data goes on. */
static bool is_reply_misplaced(const struct session *session)
{
    return session->stage == STAGE_READY || session->flight.count > 0;
}

bool client_reply_is_read(const struct session *session)
{
    return session->awaits_mechanism || is_reply_misplaced(session);
}

static enum fate take_authentication_reply(struct session *session, struct bytes body)
{
    if (is_reply_misplaced(session))
        session_lose(session, "an authentication reply behind a request");
    else if (session->awaits_mechanism)
        return mechanism_take(session, body);
    return FATE_PASS;
}

enum fate client_message_take(struct session *session, uint8_t type, struct bytes body)
{
    session_stir(session);
    switch ((enum client_message)type) {
    case CLIENT_QUERY:
        return take_query(session, body);
    case CLIENT_PARSE:
        return take_parse(session, body);
    case CLIENT_BIND:
        return take_bind(session, body);
    case CLIENT_EXECUTE:
        return take_execute(session, body);
    case CLIENT_DESCRIBE:
        return take_describe(session, body);
    case CLIENT_CLOSE:
        return take_close(session, body);
    case CLIENT_SYNC:
        return take_sync(session);
    case CLIENT_FUNCTION_CALL:
        return take_function_call(session);
    case CLIENT_COPY_DONE:
    case CLIENT_COPY_FAIL:
        session_expect(session, REQUEST_COPY_END, NULL);
        return FATE_PASS;
    case CLIENT_TERMINATE:
        session->end_reason = "client terminated";
        session->has_terminated = true;
        return FATE_PASS;
    case CLIENT_AUTHENTICATION_REPLY:
        return take_authentication_reply(session, body);
    case CLIENT_FLUSH:
    case CLIENT_COPY_DATA:
        return FATE_PASS;
    }
    return FATE_PASS;
}
