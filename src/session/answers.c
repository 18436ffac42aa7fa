/* SPDX-License-Identifier: PostgreSQL */
/* What the server sends: each answer belongs to the oldest request in flight (manual: "Message Flow"). */
#include "session/state.h"
#include "wire/reader.h"

#include <stdlib.h>

/* The oldest request that an answer can belong to: the ends of COPY data that no COPY waited for stand for
 * nothing. */
static struct request *awaited_head(struct session *session)
{
    struct request *head = flight_head(&session->flight);
    while (head != NULL && head->kind == REQUEST_COPY_END && !session->is_copying_in) {
        head_settle(session, false);
        head = flight_head(&session->flight);
    }
    return head;
}

static bool head_is(struct session *session, enum request_kind kind)
{
    const struct request *head = awaited_head(session);
    return head != NULL && head->kind == kind;
}

/* An answer that ends a request of one kind only. */
static void expect_and_settle(struct session *session, enum request_kind kind)
{
    if (head_is(session, kind)) {
        head_settle(session, true);
    } else {
        session_lose(session, "the server answered a request that was not in flight");
    }
}

/* ── Errors ────────────────────────────────────────────────────────────────────────────────────────────────
 */

/* After an error in the extended protocol the server drops everything up to the next Sync. */
static void skip_to_sync(struct session *session)
{
    struct flight *flight = &session->flight;
    const struct request *head = flight_head(flight);
    if (head != NULL && head->kind != REQUEST_SYNC && copy_doubt(session))
        return;
    while (flight->count > 0 && flight_head(flight)->kind != REQUEST_SYNC)
        head_settle(session, false);
    session->skips_to_sync = flight->count == 0;
}

static void error_settle(struct session *session, struct request *head, const struct report *report)
{
    if (head == NULL || head->kind == REQUEST_SYNC)
        return;
    bool is_extended = head->kind != REQUEST_QUERY && head->kind != REQUEST_FUNCTION;
    if (is_extended)
        head_settle(session, false);
    else
        head->has_failed = true;
    copy_take_error(session, is_extended, report);
    if (is_extended)
        skip_to_sync(session);
}

/* The errors that a poisoned or spoilt message is sure to end in: a syntax error, a message that breaks the
 * protocol, and what a physical replication connection says to any SQL. Anything else (a cancel, a timeout)
 * is the server's own word: the statement did not run then either. */
static bool is_poison_error(const struct report *report)
{
    static const char *const sqlstates[] = { "42601", "08P01", "0A000" };
    for (size_t index = 0; index < COUNT_OF(sqlstates); index++) {
        if (strcmp(report->sqlstate, sqlstates[index]) == 0)
            return true;
    }
    return false;
}

bool server_error_is_awaited(const struct session *session)
{
    const struct request *head = flight_head(&session->flight);
    return head != NULL && head->is_poison;
}

enum fate server_error_take(struct session *session, const struct report *report, bool may_replace)
{
    enum fate fate = FATE_PASS;
    bool goes_on =
        report_severity(report) != REPORT_FATAL; /* one that does not say ends by itself, or goes on */
    struct request *head = awaited_head(session);
    if (goes_on)
        changes_take_error(session, head, report->sqlstate);
    if (goes_on && may_replace && head != NULL && head->is_poison && is_poison_error(report)) {
        refusal_send(session, head->refusal);
        fate = FATE_REPLACED;
    } else {
        session->errors++;
        counter_add(&session->world->counters->errors, 1);
        account_error(session, report, goes_on ? head : NULL);
        blame_error(session, report, goes_on ? head : NULL);
    }
    if (goes_on)
        error_settle(session, head, report);
    return fate;
}

static enum fate take_error(struct session *session, struct bytes body)
{
    struct report *report = &session->world->report;
    report_begin(report);
    report_feed(report, body);
    report_end(report);
    return server_error_take(session, report, true);
}

/* ── Other answers ─────────────────────────────────────────────────────────────────────────────────────────
 */

/* Of several PREPAREs in one text each name stands for all of it. */
static void learn_names(struct session *session, struct statement *statement)
{
    for (const char *name = NULL; (name = name_list_next(&statement->verdict.prepares, name)) != NULL;)
        learn_name(session, bytes_text(name), statement);
}

/* What a command's tag says about what the session knows. */
static void tag_apply(struct session *session, struct bytes tag, const struct request *head)
{
    struct statement_pool *pool = session->world->statements;
    struct statement *statement = head->statement;
    if (bytes_equal_text(tag, "COMMIT")) {
        candidates_clear(session);
    } else if (bytes_equal_text(tag, "DEALLOCATE ALL") || bytes_equal_text(tag, "DISCARD ALL")) {
        names_forget_named(&session->names->statements, pool); /* an unnamed one stays */
    } else if (bytes_equal_text(tag, "DEALLOCATE") && head->kind == REQUEST_QUERY) {
        unlearn_name(session, statement);
    } else if (bytes_equal_text(tag, "PREPARE") && statement != NULL) {
        learn_names(session, statement);
    }
}

/* Whether the transaction goes on behind this statement, so that an error at its end may be this one's. A
 * Query of one statement outside a transaction has committed before it was answered. */
static bool may_fail_later(const struct session *session, const struct request *head)
{
    return head->kind != REQUEST_QUERY || session->transaction_status != 'I' ||
           (head->statement != NULL && head->statement->verdict.statement_count > 1);
}

/* A statement has ended: its text's next statement is on, or the request is done. */
static void statement_end(struct session *session, struct bytes tag)
{
    struct request *head = awaited_head(session);
    if (head == NULL || (head->kind != REQUEST_QUERY && head->kind != REQUEST_EXECUTE)) {
        session_lose(session, "the server ended a statement that was not in flight");
        return;
    }
    if (tag.size > 0) {
        blame_unseen_change(session, tag, head);
        changes_take_tag(session, head, tag);
        if (may_fail_later(session, head))
            candidates_add(session, head->statement, head->answered);
        tag_apply(session, tag, head);
    }
    account_statement(session, head, tag);
    bool is_query = head->kind == REQUEST_QUERY;
    head->answered++;
    if (!is_query)
        head_settle(session, true);
    copy_take_end(session, is_query);
}

static void function_end(struct session *session)
{
    if (head_is(session, REQUEST_FUNCTION))
        flight_head(&session->flight)->answered++;
    else
        session_lose(session, "the server answered a function call that was not in flight");
}

static void take_command_complete(struct session *session, struct bytes body)
{
    struct reader reader = reader_of(body);
    statement_end(session, reader_string(&reader));
}

static void login_done(struct session *session)
{
    session->stage = STAGE_READY;
    if (tell_begin(session, EVENT_SESSION_OPENED) != NULL)
        tell_publish(session);
}

/* The oldest request that ends in ReadyForQuery has, and what stands before it is not answered any more. */
static void ready_settle(struct session *session)
{
    const struct flight *flight = &session->flight;
    bool has_ended = copy_take_ready(session, awaited_head(session));
    while (!has_ended && flight->count > 0) {
        uint8_t kind = flight_head(flight)->kind;
        has_ended = kind == REQUEST_SYNC || kind == REQUEST_QUERY || kind == REQUEST_FUNCTION;
        head_settle(session, has_ended);
    }
}

static void take_ready(struct session *session, struct bytes body)
{
    struct flight *flight = &session->flight;
    uint8_t status_before = session->transaction_status;
    bool is_first = status_before == 0;
    session->transaction_status = body.data[0];
    session_stir(session);
    session->skips_to_sync = false;
    session->is_copying_in = false;
    if (!is_first) /* which ends the login, not what the client sent ahead */
        ready_settle(session);
    (void)awaited_head(session); /* the end of a stream that went both ways is answered by nothing else */
    if (is_first)
        login_done(session);
    account_close(session);
    changes_take_ready(session, status_before);
    if (session->transaction_status == 'I') {
        counter_add(&session->world->counters->transactions, 1);
        candidates_clear(session);
        names_forget_all(&session->names->portals, session->world->statements);
    }
    session->is_reading_known = flight->count == 0;
    session->may_change_encoding &= !(session->is_reading_known && session->transaction_status == 'I');
    flight_rest(flight, &session->world->circles);
}

/* Encodings in which a byte behind a character's first may be an ASCII one, and the one that has ASCII
 * characters of two bytes; the names are those of ParameterStatus. */
static void encoding_set(struct session *session, struct bytes name)
{
    static const char with_pairs[] = "SHIFT_JIS_2004";
    static const char *const unsafe[] = { with_pairs, "SJIS", "BIG5", "GBK", "GB18030", "UHC", "JOHAB" };
    bool is_unsafe = false;
    for (size_t index = 0; index < COUNT_OF(unsafe); index++)
        is_unsafe |= bytes_equal_text(name, unsafe[index]);
    session->reading.has_unsafe_encoding = is_unsafe;
    session->reading.has_ascii_pairs = bytes_equal_text(name, with_pairs);
    session->is_client_foreign = !bytes_equal_text(name, "UTF8");
}

static void application_name_set(struct session *session, struct bytes value)
{
    struct shared_texts *texts = &session->world->texts;
    struct shared_text *text = shared_texts_take(texts, value);
    if (text != NULL) {
        shared_texts_give(texts, session->application_name);
        session->application_name = text;
        session->service = NULL;
    }
}

enum { VERTICAL_TAB_SINCE = 17, MISREAD_FATAL_SINCE = 14 };

static void take_parameter_status(struct session *session, struct bytes body)
{
    struct reader reader = reader_of(body);
    struct bytes name = reader_string(&reader);
    struct bytes value = reader_string(&reader);
    if (reader.has_failed)
        return;
    if (bytes_equal_text(name, "application_name")) {
        application_name_set(session, value);
    } else if (bytes_equal_text(name, "standard_conforming_strings")) {
        session->reading.has_standard_strings = bytes_equal_text(value, "on");
    } else if (bytes_equal_text(name, "client_encoding")) {
        encoding_set(session, value);
    } else if (bytes_equal_text(name, "server_encoding")) {
        session->is_server_foreign = !bytes_equal_text(value, "UTF8");
    } else if (bytes_equal_text(name, "server_version")) {
        int version = atoi((const char *)value.data);
        session->reading.has_vertical_tab = version >= VERTICAL_TAB_SINCE;
        session->is_misread_fatal = version >= MISREAD_FATAL_SINCE;
    }
    session->reading.has_foreign_letters = session->is_client_foreign || session->is_server_foreign;
}

enum fate server_message_take(struct session *session, uint8_t type, struct bytes body)
{
    switch ((enum server_message)type) {
    case SERVER_AUTHENTICATION:
        session->has_authenticated = true; /* it speaks protocol 3 */
        return authentication_take(session, body);
    case SERVER_PARAMETER_STATUS:
        take_parameter_status(session, body);
        break;
    case SERVER_READY_FOR_QUERY:
        take_ready(session, body);
        break;
    case SERVER_PARSE_COMPLETE:
        expect_and_settle(session, REQUEST_PARSE);
        break;
    case SERVER_BIND_COMPLETE:
        expect_and_settle(session, REQUEST_BIND);
        break;
    case SERVER_CLOSE_COMPLETE:
        expect_and_settle(session, REQUEST_CLOSE);
        break;
    case SERVER_ROW_DESCRIPTION:
    case SERVER_NO_DATA:
        if (head_is(session, REQUEST_DESCRIBE))
            head_settle(session, true);
        break;
    case SERVER_COMMAND_COMPLETE:
        take_command_complete(session, body);
        break;
    case SERVER_EMPTY_QUERY_RESPONSE:
    case SERVER_PORTAL_SUSPENDED:
        statement_end(session, BYTES_NONE);
        break;
    case SERVER_FUNCTION_CALL_RESPONSE:
        function_end(session);
        break;
    case SERVER_ERROR_RESPONSE:
        return take_error(session, body);
    case SERVER_COPY_IN_RESPONSE:
        (void)awaited_head(session); /* ends of COPY data that stand before this COPY are not its own */
        session->is_copying_in = true;
        break;
    default:
        break; /* passes unread */
    }
    return FATE_PASS;
}
