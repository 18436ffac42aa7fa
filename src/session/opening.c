/* SPDX-License-Identifier: PostgreSQL */
#include "session/state.h"

#include <stdlib.h>

enum { LENGTH_WORD = 4 };

/* Moves input into the opening packet until it holds `size` bytes. */
static void opening_gather(struct session *session, struct bytes *input, size_t size)
{
    struct buffer *kept = &session->opening->buffer;
    size_t missing = size - kept->size;
    buffer_append(kept, bytes_take(input, missing < input->size ? missing : input->size));
}

static char *copy_of(struct bytes text)
{
    char *copy = malloc(text.size + 1);
    if (copy != NULL)
        (void)bytes_copy_text(text, copy, text.size + 1);
    return copy;
}

/* Takes over who the client says it is. The database defaults to the user, the last of duplicates wins, as in
 * the server. */
static bool opening_identify(struct session *session, const struct preamble *preamble)
{
    struct bytes user = startup_parameter_find(preamble->parameters, "user");
    struct bytes database = startup_parameter_find(preamble->parameters, "database");
    struct bytes application = startup_parameter_find(preamble->parameters, "application_name");
    session->user = copy_of(user);
    session->database = copy_of(database.size > 0 ? database : user);
    session->application_name = copy_of(application);
    return session->user != NULL && session->database != NULL && session->application_name != NULL;
}

/* Answers a request for encryption with "not here". Each may come once, and nothing may follow it before our
 * answer: what does was meant to be encrypted, or is somebody else's (CVE-2021-23214 and its like). */
static enum session_event opening_decline(struct session *session, bool *was_asked, const struct bytes *input)
{
    static const uint8_t no = 'N';
    if (*was_asked || input->size > 0) {
        session->stage = STAGE_ENDED;
        session->end_reason = *was_asked ? "encryption requested twice"
                                         : "data sent before the answer to an encryption request";
        return SESSION_CLOSE;
    }
    *was_asked = true;
    outbox_pass(&session->world->outbox, SIDE_CLIENT, bytes_of(&no, 1));
    buffer_clear(&session->opening->buffer);
    return SESSION_STARVED;
}

static enum session_event opening_dial(struct session *session)
{
    session->stage = STAGE_DIALING;
    return SESSION_DIAL;
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
        session->end_reason = "direct TLS is not offered on this address";
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
    session->end_reason = "invalid startup packet";
    return SESSION_STARVED;
}

static enum session_event opening_act(struct session *session, const struct preamble *preamble,
                                      struct bytes *input)
{
    switch (preamble->kind) {
    case PREAMBLE_TLS_REQUEST:
        return opening_decline(session, &session->has_tls_request, input);
    case PREAMBLE_GSS_REQUEST:
        return opening_decline(session, &session->has_gss_request, input);
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
    return opening_dial(session);
}

enum session_event opening_take(struct session *session, struct bytes *input)
{
    if (session->opening == NULL) {
        session->opening = parcel_create(PREAMBLE_MOST);
        if (session->opening == NULL) {
            session_fail(session, "53200", "out of memory", NULL);
            return SESSION_STARVED;
        }
    }
    struct preamble preamble = { .size = LENGTH_WORD };
    enum preamble_result result = PREAMBLE_STARVED;
    while (result == PREAMBLE_STARVED && input->size > 0) {
        /* the first byte alone shows a TLS handshake, which has no length word */
        opening_gather(session, input, session->opening->buffer.size == 0 ? 1 : preamble.size);
        result = preamble_read(buffer_bytes(&session->opening->buffer), &preamble);
    }
    if (result == PREAMBLE_STARVED)
        return SESSION_STARVED;
    return result == PREAMBLE_READY ? opening_act(session, &preamble, input)
                                    : opening_refuse(session, result, &preamble);
}
