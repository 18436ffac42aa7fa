/* SPDX-License-Identifier: PostgreSQL */
#include "session/head.h"
#include "session/state.h"

#include <stdlib.h>

struct session *session_create(struct session_world *world, const struct address *client,
                               const char *upstream, enum session_security security)
{
    struct session *session = slab_take_zeroed(&world->sessions);
    if (session == NULL)
        return NULL;
    session->world = world;
    session->id = ++world->last_session;
    session->reading = (struct lexer_reading){ .has_standard_strings = true };
    session_set_address(session, client);
    session->upstream = upstream;
    session->security = (uint8_t)security;
    session->opened_us = world->now_us;
    session_stir(session);
    framer_init(&session->client.framer, SIDE_CLIENT);
    framer_init(&session->server.framer, SIDE_SERVER);
    flight_init(&session->flight);
    session->names = &world->no_names;
    session->may_change_encoding = true; /* the login does */
    counter_add(&world->counters->sessions_opened, 1);
    return session;
}

static void tell_end(struct session *session, const char *reason)
{
    bool was_session = session_has_logged_in(session);
    if (session->is_cancel)
        return;
    if (!was_session)
        counter_add(&session->world->counters->sessions_refused, 1);
    if (session->stage == STAGE_OPENING && session->bytes_received == 0)
        return; /* somebody looked whether the port answers */
    struct event *event = tell_begin(session, was_session ? EVENT_SESSION_CLOSED : EVENT_SESSION_REFUSED);
    if (event != NULL) {
        const char *why = session->end_reason != NULL ? session->end_reason : reason;
        (void)bytes_copy_text(bytes_text(why), event->reason, sizeof(event->reason));
        event->duration_us = session->world->now_us - session->opened_us;
        tell_publish(session);
    }
}

static void names_leave(struct session *session)
{
    struct session_world *world = session->world;
    if (session->names == &world->no_names)
        return;
    names_release(&session->names->statements, world->statements);
    names_release(&session->names->portals, world->statements);
    slab_give(&world->name_spaces, session->names);
}

void session_destroy(struct session *session, const char *reason)
{
    tell_end(session, reason);
    counter_add(&session->world->counters->sessions_closed, 1);
    changes_end(session);
    requests_abandon_all(session);
    flight_rest(&session->flight, &session->world->circles);
    names_leave(session);
    candidates_clear(session);
    changes_release(session);
    stream_end(session);
    parcel_destroy(session->client.gathered);
    parcel_destroy(session->server.gathered);
    free(session->report);
    shared_texts_give(&session->world->texts, session->user);
    shared_texts_give(&session->world->texts, session->database);
    shared_texts_give(&session->world->texts, session->application_name);
    shared_texts_give(&session->world->texts, session->path);
    slab_give(&session->world->sessions, session);
}

/* ── One fragment ──────────────────────────────────────────────────────────────────────────────────────────
 */

static void pass_fragment(struct session *session, enum side from, const struct fragment *fragment)
{
    struct outbox *outbox = &session->world->outbox;
    outbox_pass_header(outbox, side_other(from), fragment);
    outbox_pass(outbox, side_other(from), fragment->body);
}

static enum fate message_take(struct session *session, enum side from, uint8_t type, struct bytes body)
{
    return from == SIDE_CLIENT ? client_message_take(session, type, body)
                               : server_message_take(session, type, body);
}

/* A message that lies whole in the input, with its header. */
static void whole_take(struct session *session, enum side from, struct bytes message)
{
    struct bytes body = bytes_of(message.data + MESSAGE_HEADER_SIZE, message.size - MESSAGE_HEADER_SIZE);
    if (message_take(session, from, message.data[0], body) == FATE_PASS && session->stage != STAGE_ENDED)
        outbox_pass(&session->world->outbox, side_other(from), message);
}

/* Begins to gather a message that came in pieces. What is kept of it is bounded. */
static void gather_begin(struct session *session, enum side from)
{
    struct direction *direction = session_direction(session, from);
    direction->gathered = parcel_create(session->world->limits.gathered_bytes + MESSAGE_HEADER_SIZE);
    direction->doing = DOING_GATHER;
    if (direction->gathered == NULL)
        session_lose(session, "out of memory");
}

static void gather_settle(struct session *session, enum side from, uint8_t type, struct bytes body)
{
    struct direction *direction = session_direction(session, from);
    struct parcel *parcel = direction->gathered;
    direction->gathered = NULL;
    if (message_take(session, from, type, body) == FATE_PASS && session->stage != STAGE_ENDED) {
        direction->doing = DOING_PASS;
        outbox_send(&session->world->outbox, side_other(from), parcel);
    } else {
        direction->doing = DOING_DISCARD;
        parcel_destroy(parcel);
    }
}

static void pass_rest(struct session *session, enum side from, struct bytes rest)
{
    if (session_direction(session, from)->doing == DOING_PASS)
        outbox_pass(&session->world->outbox, side_other(from), rest);
}

/* Whether the bytes gathered so far are all that is asked of the message. */
static bool is_gathered(enum side from, const struct fragment *fragment, struct bytes body)
{
    if (fragment->is_last)
        return true;
    return fragment->form->disposition == DISPOSITION_HEAD &&
           head_need(from, fragment->type) == HEAD_FIELDS && head_is_complete(from, fragment->type, body);
}

static void gather_take(struct session *session, enum side from, const struct fragment *fragment)
{
    struct buffer *kept = &session_direction(session, from)->gathered->buffer;
    struct bytes rest = fragment->body;
    buffer_append(kept, fragment->header);
    size_t room = kept->limit - kept->size;
    buffer_append(kept, bytes_take(&rest, rest.size < room ? rest.size : room));
    struct bytes body = bytes_of(kept->data + MESSAGE_HEADER_SIZE, kept->size - MESSAGE_HEADER_SIZE);
    if (kept->has_failed) {
        session_lose(session, "out of memory");
    } else if (is_gathered(from, fragment, body)) {
        gather_settle(session, from, fragment->type, body);
        pass_rest(session, from, rest);
    } else if (rest.size > 0) {
        /* only names of thousands of bytes or a tag of that length come here: no client or server sends them
         */
        session->end_reason = "a name or tag is too long";
        session_fail(session, "54000", "a prepared statement's or portal's name is too long to be followed",
                     NULL);
    }
}

static void report_take(struct session *session, const struct fragment *fragment)
{
    pass_fragment(session, SIDE_SERVER, fragment);
    report_feed(session->report, fragment->body);
    if (fragment->is_last) {
        report_end(session->report);
        (void)server_error_take(session, session->report, false);
        free(session->report);
        session->report = NULL;
    }
}

/* Decides how the message that begins with this fragment is looked at. */
static void message_begin(struct session *session, enum side from, const struct fragment *fragment)
{
    struct direction *direction = session_direction(session, from);
    size_t gathered_most = session->world->limits.gathered_bytes;
    if (from == SIDE_SERVER && fragment->type == SERVER_ERROR_RESPONSE) {
        if (server_error_is_awaited(session) && fragment->body_size <= gathered_most) {
            gather_begin(session, from);
            return;
        }
        session->report = malloc(sizeof(*session->report));
        if (session->report == NULL) {
            session_lose(session, "out of memory");
            return;
        }
        report_begin(session->report);
        direction->doing = DOING_REPORT;
        return;
    }
    if (fragment->form->disposition == DISPOSITION_SCAN && fragment->body_size > gathered_most) {
        direction->doing = DOING_STREAM;
        if (!stream_begin(session, fragment->type))
            session_lose(session, "out of memory");
        return;
    }
    gather_begin(session, from);
}

static bool is_passed_unread(const struct session *session, const struct fragment *fragment, enum side from)
{
    bool is_answer = from == SIDE_CLIENT && fragment->type == CLIENT_AUTHENTICATION_REPLY;
    return fragment->form->disposition == DISPOSITION_PASS || (is_answer && !client_reply_is_read(session));
}

/* A message, or the first piece of one, of which nothing was read yet. */
static void message_open(struct session *session, enum side from, const struct fragment *fragment)
{
    struct direction *direction = session_direction(session, from);
    direction->doing = DOING_PASS;
    if (is_passed_unread(session, fragment, from))
        return;
    if (fragment->is_last ||
        (fragment->form->disposition == DISPOSITION_HEAD && head_need(from, fragment->type) == HEAD_NOTHING &&
         !(from == SIDE_SERVER && fragment->type == SERVER_ERROR_RESPONSE))) {
        if (message_take(session, from, fragment->type, fragment->body) == FATE_REPLACED)
            direction->doing = DOING_DISCARD;
        return;
    }
    message_begin(session, from, fragment);
}

static void fragment_take(struct session *session, enum side from, const struct fragment *fragment)
{
    struct direction *direction = session_direction(session, from);
    if (fragment->is_first)
        message_open(session, from, fragment);
    if (session->stage == STAGE_ENDED)
        return;
    switch ((enum doing)direction->doing) {
    case DOING_PASS:
        pass_fragment(session, from, fragment);
        break;
    case DOING_DISCARD:
        break;
    case DOING_GATHER:
        gather_take(session, from, fragment);
        break;
    case DOING_STREAM:
        stream_take(session, fragment);
        break;
    case DOING_SPOIL:
        stream_spoil(session, fragment->body.size);
        break;
    case DOING_REPORT:
        report_take(session, fragment);
        break;
    }
}

/* ── One step ──────────────────────────────────────────────────────────────────────────────────────────────
 */

/* What a server sends before it knows the protocol may be an error of protocol 2, without a length (libpq
 * takes one for that by its impossible length, too): it is passed on as it is. */
static bool is_old_error(const struct session *session, const struct framer *framer)
{
    return framer->from == SIDE_SERVER && !session->has_authenticated &&
           framer->type == SERVER_ERROR_RESPONSE;
}

static void framing_failed(struct session *session, enum side from, enum framer_result result)
{
    struct framer *framer = &session_direction(session, from)->framer;
    if (is_old_error(session, framer)) {
        session->end_reason = "the server refused the connection in the form of protocol 2";
        session_go_blind(session);
        return;
    }
    if (from == SIDE_SERVER) {
        counter_add(&session->world->counters->protocol_errors_server, 1);
        session->end_reason = "the server broke the protocol";
        session_fail(session, "08P01", "the server sent a message that the protocol does not have", NULL);
        return;
    }
    counter_add(&session->world->counters->protocol_errors_client, 1);
    session->end_reason = "the client broke the protocol";
    session_fail(session, "08P01",
                 result == FRAMER_BAD_LENGTH ? "invalid message length" : "invalid frontend message type",
                 NULL);
}

static void count_taken(struct session *session, enum side from, size_t size)
{
    if (from == SIDE_SERVER)
        session->unaccounted_bytes += size;
}

/* Takes messages that pass in a row, and the whole one behind them. Whether there was one. */
static inline bool run_take(struct session *session, enum side from, struct bytes *input)
{
    struct framer *framer = &session_direction(session, from)->framer;
    struct bytes whole;
    size_t before = input->size;
    outbox_pass(&session->world->outbox, side_other(from), framer_run(framer, input, &whole));
    count_taken(session, from, before - input->size);
    if (whole.size > 0)
        whole_take(session, from, whole);
    return whole.size > 0;
}

/* Takes messages until the input is used up, the outbox is full, or something stands in the way. */
static enum session_event messages_take(struct session *session, enum side from, struct bytes *input)
{
    struct framer *framer = &session_direction(session, from)->framer;
    while (session->stage <= STAGE_READY && outbox_has_room(&session->world->outbox)) {
        if (from == SIDE_CLIENT && holding_is_full(session))
            return SESSION_HOLD;
        if (from == SIDE_CLIENT && holding_is_watching(session)) {
            if (holding_take(session, input))
                return SESSION_HOLD;
            if (session->stage > STAGE_READY)
                break;
        } else if (run_take(session, from, input)) {
            continue;
        }
        if (input->size == 0)
            return SESSION_STARVED;
        struct fragment fragment;
        size_t before = input->size;
        enum framer_result result = framer_next(framer, input, &fragment);
        count_taken(session, from, before - input->size);
        if (result == FRAMER_STARVED)
            return SESSION_STARVED;
        if (result == FRAMER_FRAGMENT)
            fragment_take(session, from, &fragment);
        else
            framing_failed(session, from, result);
    }
    return SESSION_SEND;
}

static void pass_unread(struct session *session, enum side from, struct bytes *input)
{
    outbox_pass(&session->world->outbox, side_other(from), bytes_take(input, input->size));
}

/* One round: SESSION_SEND stands for "look into the outbox, then go on". */
static enum session_event stage_take(struct session *session, enum side from, struct bytes *input)
{
    switch ((enum session_stage)session->stage) {
    case STAGE_OPENING:
        return opening_take(session, input);
    case STAGE_SECURING:
        return SESSION_SECURE;
    case STAGE_DIALING:
        return from == SIDE_CLIENT && input->size > 0 ? SESSION_HOLD : SESSION_STARVED;
    case STAGE_LOGIN:
    case STAGE_READY:
        return messages_take(session, from, input);
    case STAGE_BLIND:
        if (ending_is_due(session))
            return SESSION_SEND;
        pass_unread(session, from, input);
        return SESSION_STARVED;
    case STAGE_ENDED:
        return SESSION_CLOSE;
    }
    return SESSION_CLOSE;
}

static void count_received(struct session *session, enum side from, size_t size)
{
    if (from == SIDE_CLIENT)
        session->bytes_received += size;
}

enum session_event session_step(struct session *session, enum side from, struct bytes *input,
                                struct segment *out)
{
    struct outbox *outbox = &session->world->outbox;
    for (;;) {
        if (outbox_take(outbox, out)) {
            session->bytes_sent += out->to == SIDE_CLIENT ? out->bytes.size : 0;
            return SESSION_SEND;
        }
        size_t before = input->size;
        enum session_event event = stage_take(session, from, input);
        count_received(session, from, before - input->size);
        if (outbox->count == 0 && event != SESSION_SEND && session->stage != STAGE_ENDED)
            return event;
        if (outbox->count == 0 && session->stage == STAGE_ENDED)
            return SESSION_CLOSE;
    }
}
