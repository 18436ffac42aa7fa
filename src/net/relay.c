/* SPDX-License-Identifier: PostgreSQL */
#include "base/text.h"
#include "net/relay_state.h"

#include <assert.h>
#include <stdlib.h>

enum { REASON_TEXT_SIZE = 160 };

static const char *const side_names[] = { [SIDE_CLIENT] = "client", [SIDE_SERVER] = "server" };

static struct relay_end *end_of(struct link *link)
{
    return CONTAINER_OF(link, struct relay_end, link);
}

static struct relay *relay_of(struct relay_end *end)
{
    return CONTAINER_OF(end - end->side, struct relay, ends);
}

/* ── The end ───────────────────────────────────────────────────────────────────────────────────────────────
 */

static void relay_drop_held(struct relay *relay)
{
    free(relay->held);
    relay->held = NULL;
    relay->held_size = 0;
}

/* The session is over: nothing is fed any more. */
static void relay_retire(struct relay *relay, const char *reason)
{
    if (relay->session == NULL)
        return;
    session_destroy(relay->session, reason);
    relay->session = NULL;
    admission_leave(relay->plan->admission, relay->census);
    relay->census = NULL;
    if (relay->reach != NULL)
        relay->ends[SIDE_SERVER].is_open = reach_cancel(relay->reach);
    relay->reach = NULL;
    relay_drop_held(relay);
    relay_shared_retire(relay);
}

void relay_end(struct relay *relay, const char *reason)
{
    relay_retire(relay, reason);
    for (enum side side = SIDE_CLIENT; side <= SIDE_SERVER; side++) {
        if (relay->ends[side].is_open)
            link_close_flushed(&relay->ends[side].link);
    }
}

void relay_abort(struct relay *relay, const char *reason)
{
    relay_retire(relay, reason);
    for (enum side side = SIDE_CLIENT; side <= SIDE_SERVER; side++) {
        if (relay->ends[side].is_open)
            link_close(&relay->ends[side].link);
    }
    if (relay->cancel != NULL)
        cancel_stop(relay->cancel);
}

void relay_free_if_done(struct relay *relay)
{
    bool is_open = relay->ends[SIDE_CLIENT].is_open || relay->ends[SIDE_SERVER].is_open;
    if (is_open || relay->cancel != NULL)
        return;
    relay_shared_remove(relay);
}

static void on_closed(struct link *link)
{
    end_of(link)->is_open = false;
    relay_free_if_done(relay_of(end_of(link)));
}

/* ── Feeding the session ───────────────────────────────────────────────────────────────────────────────────
 */

/* Keeps what the session has not taken of the client's bytes. */
static void relay_wait(struct relay *relay, enum relay_wait wait, struct bytes rest)
{
    relay->wait = (uint8_t)wait;
    if (rest.size == 0)
        return;
    assert(relay->held == NULL);
    relay->held = malloc(rest.size);
    if (relay->held == NULL) {
        relay_end(relay, "out of memory");
        return;
    }
    memcpy(relay->held, rest.data, rest.size);
    relay->held_size = (uint32_t)rest.size;
}

/* Carries out what the session makes of the input until it says something else. */
static enum session_event relay_carry(struct relay *relay, enum side from, struct bytes *input)
{
    struct segment segment;
    enum session_event event;
    while ((event = session_step(relay->session, from, input, &segment)) == SESSION_SEND) {
        assert(relay->ends[segment.to].is_open);
        link_send(&relay->ends[segment.to].link, segment.bytes);
    }
    return event;
}

/* Ends the relay for what happened to one of its links. */
static void relay_end_failed(struct relay *relay, const struct relay_end *end)
{
    char storage[REASON_TEXT_SIZE];
    struct text reason;
    text_init(&reason, storage, sizeof storage);
    text_append_format(&reason, "%s connection failed: %s", side_names[end->side], link_failure(&end->link));
    relay_end(relay, storage);
}

/* The client's link speaks TLS from here on. */
static void relay_secure(struct relay *relay, struct bytes ciphertext)
{
    struct relay_end *client = &relay->ends[SIDE_CLIENT];
    if (link_secure(&client->link, relay->plan->tls, NULL, ciphertext) < 0)
        relay_end_failed(relay, client);
}

void relay_feed(struct relay *relay, enum side from, struct bytes input)
{
    switch (relay_carry(relay, from, &input)) {
    case SESSION_SEND:
    case SESSION_STARVED:
        break;
    case SESSION_SECURE:
        assert(from == SIDE_CLIENT);
        relay_secure(relay, input);
        break;
    case SESSION_DIAL:
        relay_wait(relay, WAIT_DIAL, input);
        relay_dial(relay);
        break;
    case SESSION_HOLD:
        assert(from == SIDE_CLIENT);
        relay_wait(relay, WAIT_HOLD, input);
        break;
    case SESSION_CLOSE:
        relay_end(relay, "session ended");
        break;
    }
}

void relay_feed_held(struct relay *relay)
{
    struct bytes rest = bytes_of(relay->held, relay->held_size);
    uint8_t *held = relay->held;
    relay->held = NULL;
    relay->held_size = 0;
    relay->wait = WAIT_NONE;
    relay_feed(relay, SIDE_CLIENT, rest);
    free(held);
}

/* ── What follows from where things stand ──────────────────────────────────────────────────────────────────
 */

/* One that cannot be written to any more is read to its end, which says so. */
static void read_if(struct link *link, bool may_read)
{
    if (may_read || link->failure < 0)
        link_read_start(link);
    else
        link_read_stop(link);
}

/* Each side is read while the session takes its bytes and the other side has room for them. */
static void relay_settle_reading(struct relay *relay)
{
    struct relay_end *client = &relay->ends[SIDE_CLIENT];
    struct relay_end *server = &relay->ends[SIDE_SERVER];
    read_if(&client->link, relay->wait == WAIT_NONE && !(server->is_open && server->link.is_full));
    if (server->is_open)
        read_if(&server->link, !client->link.is_full);
}

/* The client's end goes on to the server, behind all that the client sent. The server's end ends it all, once
 * the client was sent what there is. */
static void relay_settle_ends(struct relay *relay)
{
    struct relay_end *client = &relay->ends[SIDE_CLIENT];
    struct relay_end *server = &relay->ends[SIDE_SERVER];
    if (server->is_open && server->link.has_ended)
        relay_end(relay,
                  client->link.has_ended ? "client closed the connection" : "server closed the connection");
    else if (client->link.has_ended && !server->is_open && relay->reach == NULL)
        relay_end(relay, "client closed the connection");
    else if (client->link.has_ended && server->is_open && relay->wait == WAIT_NONE)
        link_shutdown(&server->link);
}

void relay_settle(struct relay *relay)
{
    if (relay->session != NULL && !relay->has_logged_in && session_has_logged_in(relay->session)) {
        relay->has_logged_in = true;
        relay->ends[SIDE_CLIENT].link.read_most = CHUNK_SIZE;
        relay_shared_promote(relay);
    }
    if (relay->session != NULL && relay->shared->is_draining)
        relay_shared_drain(relay);
    if (relay->session != NULL)
        relay_settle_ends(relay);
    if (relay->session != NULL)
        relay_settle_reading(relay);
}

void relay_refuse(struct relay *relay, const char *sqlstate, const char *message, const char *detail,
                  const char *reason)
{
    struct bytes nothing = BYTES_NONE;
    session_refuse(relay->session, sqlstate, message, detail);
    (void)relay_carry(relay, SIDE_CLIENT, &nothing);
    relay_end(relay, reason);
}

/* ── The links' events ─────────────────────────────────────────────────────────────────────────────────────
 */

/* A client of whom nothing can be taken yet is read only because it can be told nothing any more. */
static bool is_lost(const struct relay *relay, enum side from)
{
    return from == SIDE_CLIENT && relay->wait != WAIT_NONE;
}

static void on_bytes(struct link *link, struct bytes bytes)
{
    enum side from = end_of(link)->side;
    struct relay *relay = relay_of(end_of(link));
    struct counters *counters = relay->shared->world->counters;
    counter_add(from == SIDE_CLIENT ? &counters->bytes_from_clients : &counters->bytes_from_servers,
                bytes.size);
    relay_shared_tick(relay->shared);
    if (is_lost(relay, from))
        relay_end_failed(relay, end_of(link));
    else if (relay->awaits_header && from == SIDE_CLIENT)
        relay_take_header(relay, bytes);
    else
        relay_feed(relay, from, bytes);
    if (relay->session != NULL && relay->wait == WAIT_HOLD && !session_is_holding(relay->session))
        relay_feed_held(relay);
    relay_settle(relay);
}

/* Under TLS 1.3 a server judges our certificate behind the handshake, when the login has begun. */
static bool is_turned_away(const struct relay *relay, const struct relay_end *end, int error)
{
    return end->side == SIDE_SERVER && error == UV_EPROTO && !relay->has_logged_in;
}

static void on_end(struct link *link, int error)
{
    struct relay *relay = relay_of(end_of(link));
    relay_shared_tick(relay->shared);
    if (error == 0)
        relay_settle(relay);
    else if (is_turned_away(relay, end_of(link), error))
        relay_refuse_unreached(relay, link_failure(link));
    else
        relay_end_failed(relay, end_of(link));
}

/* The client's: the server's link is secured before it is ours. */
static void on_secured(struct link *link)
{
    struct relay *relay = relay_of(end_of(link));
    struct tls_facts facts;
    bool has_protocol = link_facts(link, &facts) && facts.has_protocol;
    relay_shared_tick(relay->shared);
    session_secured(relay->session, has_protocol);
    relay_feed(relay, SIDE_CLIENT, BYTES_NONE);
    relay_settle(relay);
}

static void on_drained(struct link *link)
{
    relay_settle(relay_of(end_of(link)));
}

const struct link_events relay_link_events = {
    .on_bytes = on_bytes,
    .on_end = on_end,
    .on_drained = on_drained,
    .on_closed = on_closed,
    .on_secured = on_secured,
};
