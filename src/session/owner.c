/* SPDX-License-Identifier: PostgreSQL */
/* What a session's owner tells it between its steps, and asks of it. */
#include "session/state.h"

void session_secured(struct session *session, bool has_protocol)
{
    session->is_secured = true;
    session->stage = STAGE_OPENING;
    if (!session->began_with_tls || has_protocol)
        return;
    session->end_reason = "direct TLS without ALPN";
    session_fail(session, "08P01", "received direct TLS connection without ALPN protocol \"postgresql\"",
                 NULL);
}

void session_dialed(struct session *session, const struct server_leg *leg)
{
    session->server_leg = *leg;
    outbox_send(&session->world->outbox, SIDE_SERVER, session->client.gathered);
    session->client.gathered = NULL;
    session->stage = STAGE_LOGIN;
}

/* Whether a message of ours would be understood. */
static bool may_speak(const struct session *session)
{
    return session->user != NULL && !session->is_cancel && client_is_between_messages(session);
}

/* Says good-bye to the server, so that it need not report a client that was lost. */
static void terminate(struct session *session)
{
    static const uint8_t terminate[] = { CLIENT_TERMINATE, 0, 0, 0, MESSAGE_LENGTH_SIZE };
    outbox_pass(&session->world->outbox, SIDE_SERVER, bytes_of(terminate, sizeof(terminate)));
}

void session_refuse(struct session *session, const char *sqlstate, const char *message, const char *detail)
{
    if (session_rest(session) != REST_BUSY)
        terminate(session);
    if (may_speak(session))
        session_fail(session, sqlstate, message, detail);
    session->stage = STAGE_ENDED;
}

void session_set_address(struct session *session, const struct address *client)
{
    struct shared_texts *texts = &session->world->texts;
    session->address = compact_address_of(client);
    shared_texts_give(texts, session->path);
    session->path = client->text[0] != '\0' ? shared_texts_take(texts, bytes_text(client->text)) : NULL;
    session->service = NULL;
}

void session_client(const struct session *session, struct address *out)
{
    compact_address_expand(&session->address, shared_text_bytes(session->path), out);
}

void session_set_upstream(struct session *session, const char *upstream)
{
    session->upstream = upstream;
}

bool session_has_logged_in(const struct session *session)
{
    return session->transaction_status != 0;
}

bool session_is_cancel(const struct session *session)
{
    return session->is_cancel;
}

struct bytes session_cancel_request(const struct session *session)
{
    return session->is_cancel ? buffer_bytes(&session->client.gathered->buffer) : BYTES_NONE;
}

int64_t session_rested_us(const struct session *session)
{
    uint32_t ticks = session->world->ticks - session->active_ticks;
    return ticks > 0 ? (int64_t)(ticks - 1) * WORLD_TICK_US : 0;
}

/* What was sent is not yet closed by a ReadyForQuery, though it may all be answered: before its Sync, what
 * messages of the extended protocol did is undone if the session ends (manual: "Pipelining"). */
static bool awaits_ready(const struct session *session)
{
    return session->flight.count > 0 || !session->is_reading_known;
}

enum session_rest session_rest(const struct session *session)
{
    if (session->stage != STAGE_READY || awaits_ready(session) || session->client.framer.is_inside ||
        session->server.framer.is_inside)
        return REST_BUSY;
    return session->transaction_status == 'I' ? REST_IDLE : REST_IN_TRANSACTION;
}

struct bytes session_database(const struct session *session)
{
    return shared_text_bytes(session->database);
}
