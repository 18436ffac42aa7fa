/* SPDX-License-Identifier: PostgreSQL */
/* SCRAM with channel binding ties the login to the certificate that the client was shown (manual: "SASL
 * Authentication", "Channel Binding"). Between two TLS connections that holds only when both show the same
 * one.
 *
 *   client's side   server's side      what is done with the server's offer of SCRAM-SHA-256-PLUS
 *   plain           plain              never made
 *   TLS             plain              never made
 *   plain           TLS                taken out: clients refuse it on a plain connection
 *   TLS             TLS, same          passes, and works
 *   TLS             TLS, another       passes; who takes it is told why it cannot work. To take it out would
 * not help: the client would say that it had none to choose, and the server would take that for an attack. */
#include "session/state.h"
#include "wire/reader.h"
#include "wire/writer.h"

enum { OFFER_SIZE_MOST = 4096 };

static const char with_binding[] = "-PLUS";

static bool binds_channel(struct bytes mechanism)
{
    size_t size = sizeof(with_binding) - 1;
    return mechanism.size > size &&
           bytes_equal_text(bytes_of(mechanism.data + mechanism.size - size, size), with_binding);
}

static bool is_between_certificates(const struct session *session)
{
    const struct server_leg *leg = &session->server_leg;
    return session->is_secured && leg->is_secured && !leg->shares_certificate;
}

/* Sends the offer without the mechanisms that bind the channel. */
static enum fate offer_rewrite(struct session *session, struct reader mechanisms)
{
    struct parcel *parcel = parcel_create(OFFER_SIZE_MOST);
    if (parcel == NULL)
        return FATE_PASS;
    struct writer writer = writer_of(&parcel->buffer);
    writer_begin(&writer, SERVER_AUTHENTICATION);
    writer_int32(&writer, AUTHENTICATION_SASL);
    for (struct bytes name; (name = reader_string(&mechanisms)).size > 0;)
        if (!binds_channel(name))
            writer_string(&writer, name);
    writer_byte(&writer, '\0');
    writer_end(&writer);
    if (parcel->buffer.has_failed) {
        parcel_destroy(parcel);
        return FATE_PASS;
    }
    outbox_send(&session->world->outbox, SIDE_CLIENT, parcel);
    return FATE_REPLACED;
}

enum fate authentication_take(struct session *session, struct bytes body)
{
    struct reader reader = reader_of(body);
    session->awaits_mechanism = false;
    if (session->stage != STAGE_LOGIN || reader_int32(&reader) != AUTHENTICATION_SASL)
        return FATE_PASS;
    session->awaits_mechanism = is_between_certificates(session);
    if (session->is_secured || !session->server_leg.is_secured)
        return FATE_PASS;
    struct reader mechanisms = reader;
    bool binds = false;
    for (struct bytes name; (name = reader_string(&reader)).size > 0;)
        binds |= binds_channel(name);
    return binds && reader_is_done(&reader) ? offer_rewrite(session, mechanisms) : FATE_PASS;
}

enum fate mechanism_take(struct session *session, struct bytes body)
{
    struct reader reader = reader_of(body);
    session->awaits_mechanism = false;
    if (!binds_channel(reader_string(&reader)))
        return FATE_PASS;
    session->end_reason = "channel binding between two certificates";
    session_fail_with_hint(
        session, "28000", "SCRAM with channel binding cannot pass between two different certificates",
        "Give pgsluice the certificate and key of the server, or set channel_binding=disable in the client.");
    return FATE_REPLACED;
}
