/* SPDX-License-Identifier: PostgreSQL */
/* What a session says of itself, for the console. */
#include "session/state.h"

static const char *session_phase(const struct session *session)
{
    switch ((enum session_stage)session->stage) {
    case STAGE_OPENING:
    case STAGE_SECURING:
    case STAGE_DIALING:
        return session->is_cancel ? "cancelling" : "connecting";
    case STAGE_LOGIN:
        return "authenticating";
    case STAGE_BLIND:
        return "unfollowed";
    case STAGE_ENDED:
        return "ending";
    case STAGE_READY:
        break;
    }
    if (session->flight.count > 0)
        return "active";
    switch (session->transaction_status) {
    case 'T':
        return "in transaction";
    case 'E':
        return "in failed transaction";
    default:
        return "idle";
    }
}

void session_describe(const struct session *session, struct session_row *out)
{
    struct address client;
    struct text address;
    out->id = session->id;
    out->worker = session->world->worker;
    out->opened_us = session->opened_us;
    out->active_us = session->active_us;
    text_init(&address, out->address, sizeof(out->address));
    session_client(session, &client);
    address_describe(&client, &address);
    (void)bytes_copy_text(bytes_text(session->upstream), out->upstream, sizeof(out->upstream));
    if (session->user != NULL) {
        (void)bytes_copy_text(shared_text_bytes(session->user), out->user, sizeof(out->user));
        (void)bytes_copy_text(shared_text_bytes(session->database), out->database, sizeof(out->database));
        (void)bytes_copy_text(shared_text_bytes(session->application_name), out->application_name,
                              sizeof(out->application_name));
        (void)bytes_copy_text(session_service(session), out->service, sizeof(out->service));
    }
    out->phase = session_phase(session);
    out->in_flight = session->flight.count;
    out->bytes_received = session->bytes_received;
    out->bytes_sent = session->bytes_sent;
    out->errors = session->errors;
    out->violations = session->violations;
}
