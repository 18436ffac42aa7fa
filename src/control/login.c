/* SPDX-License-Identifier: PostgreSQL */
#include "control/login.h"

#include "control/outcome.h"
#include "wire/preamble.h"
#include "wire/reader.h"
#include "wire/writer.h"

enum {
    PROTOCOL_VERSION = 3 << 16,           /* 3.0 */
    REPLY_MOST = SCRAM_MESSAGE_MOST + 64, /* with the mechanism's name and a length */
    ANSWER_MOST = SCRAM_MESSAGE_MOST + 256,
};

static const char protocol_violation[] = "08P01";
static const char feature_not_supported[] = "0A000";

void login_init(struct login *login, const struct address *peer)
{
    *login = (struct login){ .is_loopback = address_is_loopback(peer) };
    buffer_init(&login->preamble, PREAMBLE_MOST);
}

void login_release(struct login *login)
{
    buffer_release(&login->preamble);
    scram_release(&login->scram);
}

static enum login_result login_fail(struct console_outcome *failure, struct buffer *out)
{
    struct writer writer = writer_of(out);
    outcome_write(failure, "FATAL", &writer);
    return LOGIN_CLOSE;
}

static enum login_result login_break(const char *message, struct buffer *out)
{
    struct console_outcome failure;
    outcome_fail(&failure, protocol_violation, "%s", message);
    return login_fail(&failure, out);
}

static void write_authentication(struct buffer *out, uint32_t code, struct bytes data)
{
    struct writer writer = writer_of(out);
    writer_begin(&writer, SERVER_AUTHENTICATION);
    writer_int32(&writer, code);
    writer_bytes(&writer, data);
    writer_end(&writer);
}

static void write_parameter(struct buffer *out, const char *name, const char *value)
{
    struct writer writer = writer_of(out);
    writer_begin(&writer, SERVER_PARAMETER_STATUS);
    writer_string(&writer, bytes_text(name));
    writer_string(&writer, bytes_text(value));
    writer_end(&writer);
}

static void write_parameters(const struct console_options *settings, struct buffer *out)
{
    static const char *const fixed[][2] = {
        { "server_encoding", "UTF8" },
        { "client_encoding", "UTF8" },
        { "DateStyle", "ISO, MDY" },
        { "IntervalStyle", "postgres" },
        { "TimeZone", "UTC" },
        { "integer_datetimes", "on" },
        { "is_superuser", "off" },
        { "standard_conforming_strings", "on" },
        { "default_transaction_read_only", "off" },
        { "in_hot_standby", "off" },
    };
    char storage[64];
    struct text version;
    text_init(&version, storage, sizeof storage);
    text_append_format(&version, "15.0 (pgsluice %s)", settings->version);
    write_parameter(out, "server_version", storage);
    for (size_t i = 0; i < COUNT_OF(fixed); i++)
        write_parameter(out, fixed[i][0], fixed[i][1]);
}

static void write_key(const struct login *login, struct buffer *out)
{
    struct writer writer = writer_of(out);
    writer_begin(&writer, SERVER_BACKEND_KEY_DATA);
    writer_int32(&writer, login->key_number);
    writer_int32(&writer, login->key_secret);
    writer_end(&writer);
}

static enum login_result login_complete(const struct login *login, const struct console_options *settings,
                                        struct buffer *out)
{
    write_authentication(out, AUTHENTICATION_OK, BYTES_NONE);
    write_parameters(settings, out);
    write_key(login, out);
    return LOGIN_DONE;
}

/* Says what is understood when a client asks for more (manual: "NegotiateProtocolVersion"). */
static void negotiate(const struct preamble *preamble, struct buffer *out)
{
    struct bytes rest = preamble->parameters;
    struct startup_parameter parameter;
    uint32_t unknown = 0;
    while (startup_parameter_next(&rest, &parameter))
        unknown += bytes_start_with(parameter.name, "_pq_.");
    if (preamble->minor == 0 && unknown == 0)
        return;

    struct writer writer = writer_of(out);
    writer_begin(&writer, SERVER_NEGOTIATE_PROTOCOL_VERSION);
    writer_int32(&writer, PROTOCOL_VERSION);
    writer_int32(&writer, unknown);
    rest = preamble->parameters;
    while (startup_parameter_next(&rest, &parameter))
        if (bytes_start_with(parameter.name, "_pq_."))
            writer_string(&writer, parameter.name);
    writer_end(&writer);
}

static bool begin_scram(struct login *login, const struct console_options *settings)
{
    char nonce[SCRAM_NONCE_SIZE];
    if (!scram_make_nonce(nonce))
        return false;
    scram_init(&login->scram, &settings->secret, nonce);
    return true;
}

static enum login_result begin_authentication(struct login *login, const struct console_options *settings,
                                              struct buffer *out)
{
    struct console_outcome failure;
    if (settings->has_password && begin_scram(login, settings)) {
        /* the list of mechanisms ends with an empty one */
        write_authentication(out, AUTHENTICATION_SASL,
                             bytes_of(SCRAM_MECHANISM "\0", sizeof(SCRAM_MECHANISM "\0")));
        login->phase = LOGIN_SASL_START;
        return LOGIN_STARVED;
    }
    if (settings->has_password) {
        outcome_fail(&failure, "58000", "no random numbers are to be had");
        return login_fail(&failure, out);
    }
    if (login->is_loopback)
        return login_complete(login, settings, out);
    outcome_fail(&failure, "28000", "the console has no password and is open to its own machine only");
    return login_fail(&failure, out);
}

static void keep_user(struct login *login, struct bytes user)
{
    bytes_copy_text(user, login->user, sizeof login->user);
    login->role = bytes_equal_text(user, console_role_name(ROLE_VIEWER)) ? ROLE_VIEWER : ROLE_OPERATOR;
}

static enum login_result take_startup(struct login *login, const struct console_options *settings,
                                      const struct preamble *preamble, struct buffer *out)
{
    struct bytes user = startup_parameter_find(preamble->parameters, "user");
    struct bytes database = startup_parameter_find(preamble->parameters, "database");
    keep_user(login, user);
    negotiate(preamble, out);
    /* an empty or absent name means the user's, as in PostgreSQL */
    if (bytes_equal_text(database.size > 0 ? database : user, "pgsluice"))
        return begin_authentication(login, settings, out);
    struct console_outcome failure;
    outcome_fail(&failure, "3D000", "this is the console of pgsluice: its one database is \"pgsluice\"");
    return login_fail(&failure, out);
}

static enum login_result refuse_request(bool *has_asked, bool has_more, struct buffer *out)
{
    if (*has_asked)
        return login_break("the same kind of encryption was requested twice", out);
    if (has_more)
        return login_break("received data behind a request for encryption", out);
    *has_asked = true;
    buffer_append(out, bytes_text("N"));
    return LOGIN_STARVED;
}

static void keep_cancel(struct login *login, const struct preamble *preamble)
{
    struct reader reader = reader_of(preamble->cancel_key);
    login->cancel_number = preamble->process_id;
    login->cancel_secret = reader_int32(&reader);
    login->is_cancel = reader_is_done(&reader);
}

static enum login_result take_preamble(struct login *login, const struct console_options *settings,
                                       const struct preamble *preamble, bool has_more, struct buffer *out)
{
    switch (preamble->kind) {
    case PREAMBLE_STARTUP:
        return take_startup(login, settings, preamble, out);
    case PREAMBLE_TLS_REQUEST:
        return refuse_request(&login->has_asked_tls, has_more, out);
    case PREAMBLE_GSS_REQUEST:
        return refuse_request(&login->has_asked_gss, has_more, out);
    case PREAMBLE_CANCEL:
        keep_cancel(login, preamble);
        break;
    }
    return LOGIN_CLOSE;
}

static enum login_result refuse_preamble(enum preamble_result result, const struct preamble *preamble,
                                         struct buffer *out)
{
    struct console_outcome failure;
    switch (result) {
    case PREAMBLE_DIRECT_TLS: /* whoever speaks TLS cannot read an answer in plain text */
        return LOGIN_CLOSE;
    case PREAMBLE_BAD_CODE:
        outcome_fail(&failure, feature_not_supported,
                     "unsupported frontend protocol %u.%u: the console speaks 3.0", preamble->major,
                     preamble->minor);
        return login_fail(&failure, out);
    case PREAMBLE_MALFORMED:
        return login_break(
            "invalid startup packet: its parameters do not end as they must, or no user is named", out);
    default:
        return login_break("invalid length of startup packet", out);
    }
}

/* Gathers as many bytes as are known to be wanted, so that nothing behind the packet is taken. */
static enum login_result step_preamble(struct login *login, const struct console_options *settings,
                                       struct bytes *input, struct buffer *out)
{
    struct preamble preamble;
    enum preamble_result result = preamble_read(buffer_bytes(&login->preamble), &preamble);
    while (result == PREAMBLE_STARVED && input->size > 0) {
        size_t wanted = preamble.size - login->preamble.size;
        buffer_append(&login->preamble, bytes_take(input, wanted < input->size ? wanted : input->size));
        if (login->preamble.has_failed)
            return LOGIN_CLOSE;
        result = preamble_read(buffer_bytes(&login->preamble), &preamble);
    }
    if (result == PREAMBLE_STARVED)
        return LOGIN_STARVED;
    enum login_result end = result == PREAMBLE_READY
                                ? take_preamble(login, settings, &preamble, input->size > 0, out)
                                : refuse_preamble(result, &preamble, out);
    buffer_clear(&login->preamble);
    return end;
}

static enum login_result refuse_scram(struct login *login, enum scram_result result, struct buffer *out)
{
    struct console_outcome failure;
    login->has_wrong_password = result == SCRAM_WRONG;
    if (result == SCRAM_WRONG)
        outcome_fail(&failure, "28P01", "password authentication failed for user \"%s\"", login->user);
    else if (result == SCRAM_BROKEN)
        outcome_fail(&failure, "58000", "the password could not be checked");
    else
        outcome_fail(&failure, protocol_violation, "malformed SCRAM message");
    return login_fail(&failure, out);
}

static enum login_result step_scram(struct login *login, const struct console_options *settings,
                                    struct bytes message, struct buffer *out)
{
    char storage[ANSWER_MOST];
    struct text answer;
    text_init(&answer, storage, sizeof storage);
    enum scram_result result = scram_step(&login->scram, message, &answer);
    if (result == SCRAM_CONTINUE) {
        write_authentication(out, AUTHENTICATION_SASL_CONTINUE, text_bytes(&answer));
        login->phase = LOGIN_SASL_FINAL;
        return LOGIN_STARVED;
    }
    if (result != SCRAM_DONE)
        return refuse_scram(login, result, out);
    write_authentication(out, AUTHENTICATION_SASL_FINAL, text_bytes(&answer));
    return login_complete(login, settings, out);
}

/* SASLInitialResponse: mechanism, length, data. */
static bool read_initial_response(struct bytes body, struct bytes *data)
{
    struct reader reader = reader_of(body);
    struct bytes mechanism = reader_string(&reader);
    *data = reader_bytes(&reader, reader_int32(&reader));
    return reader_is_done(&reader) && bytes_equal_text(mechanism, SCRAM_MECHANISM);
}

static enum login_result step_sasl(struct login *login, const struct console_options *settings,
                                   struct inbox *inbox, struct bytes *input, struct buffer *out)
{
    struct inbox_message message;
    enum inbox_result result = inbox_next(inbox, input, REPLY_MOST, &message);
    if (result == INBOX_STARVED)
        return LOGIN_STARVED;
    if (result == INBOX_MESSAGE && message.type == CLIENT_TERMINATE)
        return LOGIN_CLOSE;
    if (result != INBOX_MESSAGE || message.type != CLIENT_AUTHENTICATION_REPLY)
        return login_break("expected an answer to the request for a password", out);

    struct bytes data = message.body;
    if (login->phase == LOGIN_SASL_START && !read_initial_response(message.body, &data))
        return login_break("malformed SASL message, or a mechanism other than " SCRAM_MECHANISM, out);
    return step_scram(login, settings, data, out);
}

enum login_result login_step(struct login *login, const struct console_options *settings, struct inbox *inbox,
                             struct bytes *input, struct buffer *out)
{
    enum login_result result = LOGIN_STARVED;
    do {
        if (login->phase == LOGIN_PREAMBLE)
            result = step_preamble(login, settings, input, out);
        else
            result = step_sasl(login, settings, inbox, input, out);
    } while (result == LOGIN_STARVED && input->size > 0);
    return result;
}
