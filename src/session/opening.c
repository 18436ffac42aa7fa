/* SPDX-License-Identifier: PostgreSQL */
#include "session/state.h"

enum { LENGTH_WORD = 4 };

/* Moves input into the opening packet until it holds `size` bytes. */
static void opening_gather(struct session *session, struct bytes *input, size_t size)
{
    struct buffer *kept = &session->client.gathered->buffer;
    size_t missing = size - kept->size;
    buffer_append(kept, bytes_take(input, missing < input->size ? missing : input->size));
}

/* Takes over who the client says it is. The database defaults to the user, the last of duplicates wins, as in
 * the server. */
static bool opening_identify(struct session *session, const struct preamble *preamble)
{
    struct bytes user = startup_parameter_find(preamble->parameters, "user");
    struct bytes database = startup_parameter_find(preamble->parameters, "database");
    struct bytes application = startup_parameter_find(preamble->parameters, "application_name");
    struct shared_texts *texts = &session->world->texts;
    session->user = shared_texts_take(texts, user);
    session->database = shared_texts_take(texts, database.size > 0 ? database : user);
    session->application_name = shared_texts_take(texts, application);
    session->service = NULL;
    return session->user != NULL && session->database != NULL && session->application_name != NULL;
}

/* Answers a request for encryption. Each may come once, and nothing may follow it before our answer: what
 * does was meant to be encrypted, or is somebody else's (CVE-2021-23214 and its like). */
static enum session_event opening_answer(struct session *session, bool *was_asked, bool is_granted,
                                         const struct bytes *input)
{
    static const uint8_t yes = 'S';
    static const uint8_t no = 'N';
    if (*was_asked || input->size > 0) {
        session->stage = STAGE_ENDED;
        session->end_reason = *was_asked ? "encryption requested twice"
                                         : "data sent before the answer to an encryption request";
        return SESSION_CLOSE;
    }
    *was_asked = true;
    outbox_pass(&session->world->outbox, SIDE_CLIENT, bytes_of(is_granted ? &yes : &no, 1));
    buffer_clear(&session->client.gathered->buffer);
    if (is_granted)
        session->stage = STAGE_SECURING;
    return SESSION_SEND;
}

static bool may_secure(const struct session *session)
{
    return session->security != SECURITY_NONE && !session->is_secured;
}

static enum session_event opening_dial(struct session *session)
{
    session->stage = STAGE_DIALING;
    return SESSION_DIAL;
}

/* Its first four bytes, of either version, are no length of a packet. */
static bool begins_proxy_header(struct bytes bytes)
{
    return bytes_equal_text(bytes, "PROX") || bytes_equal_text(bytes, "\r\n\r\n");
}

static enum session_event opening_refuse(struct session *session, enum preamble_result result,
                                         const struct preamble *preamble)
{
    struct text text;
    char storage[96];
    counter_add(&session->world->counters->protocol_errors_client, 1);
    switch (result) {
    case PREAMBLE_DIRECT_TLS:
        session->stage = STAGE_ENDED;
        session->end_reason = may_secure(session) ? "TLS begins in the middle of the start-up"
                                                  : "TLS is not offered on this address";
        return SESSION_CLOSE;
    case PREAMBLE_BAD_CODE:
        text_init(&text, storage, sizeof(storage));
        text_append_format(&text, "unsupported frontend protocol %u.%u: 3.x is supported", preamble->major,
                           preamble->minor);
        session_fail(session, "0A000", storage, NULL);
        break;
    case PREAMBLE_MALFORMED:
        session_fail(session, "08P01",
                     "invalid startup packet layout: expected pairs of names and values, with a user", NULL);
        break;
    default:
        session_fail(session, "08P01", "invalid length of startup packet", NULL);
        break;
    }
    session->end_reason = begins_proxy_header(buffer_bytes(&session->client.gathered->buffer))
                              ? "a PROXY header where none is expected"
                              : "invalid startup packet";
    return SESSION_STARVED;
}

static enum session_event opening_act(struct session *session, const struct preamble *preamble,
                                      struct bytes *input)
{
    switch (preamble->kind) {
    case PREAMBLE_TLS_REQUEST:
        return opening_answer(session, &session->has_tls_request, may_secure(session), input);
    case PREAMBLE_GSS_REQUEST:
        return opening_answer(session, &session->has_gss_request, false, input);
    case PREAMBLE_CANCEL:
        session->is_cancel = true;
        counter_add(&session->world->counters->cancel_requests, 1);
        return opening_dial(session);
    case PREAMBLE_STARTUP:
        break;
    }
    if (!opening_identify(session, preamble)) {
        session_fail(session, "53200", "out of memory", NULL);
        return SESSION_STARVED;
    }
    if (session->security == SECURITY_REQUIRED && !session->is_secured) {
        session->end_reason = "a connection without TLS where it is required";
        session_fail_with_hint(session, "28000", "this address takes only connections that are encrypted",
                               "Connect with TLS (in libpq: sslmode=require).");
        return SESSION_STARVED;
    }
    return opening_dial(session);
}

/* TLS from the first byte on (manual: "SSL Session Encryption"). */
static bool is_direct_tls(const struct session *session, const struct bytes *input)
{
    return may_secure(session) && session->bytes_received == 0 &&
           session->client.gathered->buffer.size == 0 && input->size > 0 &&
           preamble_begins_tls(input->data[0]);
}

enum session_event opening_take(struct session *session, struct bytes *input)
{
    if (session->client.gathered == NULL) {
        session->client.gathered = parcel_create(PREAMBLE_MOST);
        if (session->client.gathered == NULL) {
            session_fail(session, "53200", "out of memory", NULL);
            return SESSION_STARVED;
        }
    }
    if (is_direct_tls(session, input)) {
        session->began_with_tls = true;
        session->stage = STAGE_SECURING;
        return SESSION_SECURE;
    }
    struct preamble preamble = { .size = LENGTH_WORD };
    enum preamble_result result = PREAMBLE_STARVED;
    while (result == PREAMBLE_STARVED && input->size > 0) {
        /* the first byte alone shows a TLS handshake, which has no length word */
        opening_gather(session, input, session->client.gathered->buffer.size == 0 ? 1 : preamble.size);
        result = preamble_read(buffer_bytes(&session->client.gathered->buffer), &preamble);
    }
    if (result == PREAMBLE_STARVED)
        return SESSION_STARVED;
    return result == PREAMBLE_READY ? opening_act(session, &preamble, input)
                                    : opening_refuse(session, result, &preamble);
}
