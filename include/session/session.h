/* SPDX-License-Identifier: PostgreSQL */
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

#include "base/address.h"
#include "observe/snapshot.h"
#include "session/outbox.h"
#include "session/world.h"
#include "wire/message.h"

/* What happens between one client and its server, as a function from bytes to bytes. Reads no socket and no
 * clock: whoever owns it feeds it (time included, in the world) and carries out its segments.
 *
 *     feed:  while ((event = session_step(session, from, &input, &segment)) == SESSION_SEND) carry the
 * segment out
 */
struct session;

enum session_event {
    SESSION_SEND,    /* *out must be carried to its side before the next call; then call again with the same
                        input */
    SESSION_STARVED, /* the input is used up */
    SESSION_SECURE,  /* the client's link is to speak TLS from here: what is left of the input is ciphertext
                        already; when the handshake is done call session_secured, then feed plaintext */
    SESSION_DIAL, /* connect to the upstream, then call session_dialed or session_refuse; the client's further
                     bytes wait */
    SESSION_HOLD, /* no more from this side for now, `input` holds what is left; feed it again once
                   * session_is_holding says no (ask after each feed from the server) */
    SESSION_CLOSE, /* it is over: what was carried out is flushed to both sides, then both close */
};

/* Whether clients may encrypt their connection, or must. */
enum session_security { SECURITY_NONE, SECURITY_ALLOWED, SECURITY_REQUIRED };

/* Makes a session of `world` for a client that was accepted just now. NULL when memory is short. `upstream`
 * (the name in the settings) must outlive it. */
struct session *session_create(struct session_world *world, const struct address *client,
                               const char *upstream, enum session_security security);
/* `reason` is for the log when the session did not end by itself ("client closed the connection", ...). */
void session_destroy(struct session *session, const char *reason);

/* Takes bytes off the front of `input`, which came from `from`. An empty input asks only for what waits to be
 * sent. A segment lives until the next call. Once a session was fed, no other of the same world may be until
 * this one no longer says SESSION_SEND. */
MUST_USE enum session_event session_step(struct session *session, enum side from, struct bytes *input,
                                         struct segment *out);
/* The client's handshake is done; `has_protocol`: it agreed on "postgresql" by ALPN, without which a
 * connection that began with TLS is ended. Feed an empty input from the client next. */
void session_secured(struct session *session, bool has_protocol);
/* What the session must know of the connection to the server, for SCRAM with channel binding. */
struct server_leg {
    bool is_secured;         /* by TLS */
    bool shares_certificate; /* the server showed the very certificate that we show our client */
};
/* The upstream is connected: feed an empty input from the client next. */
void session_dialed(struct session *session, const struct server_leg *leg);
/* Ends the session with a FATAL error for the client (ours, not a server's): feed an empty input from the
 * client next; it sends the error, then closes. Does nothing but close when the client speaks no PostgreSQL
 * yet. */
void session_refuse(struct session *session, const char *sqlstate, const char *message, const char *detail);
bool session_is_holding(const struct session *session);
/* Another client address (a load balancer told it), or another upstream (chosen by the database), than it was
 * created with. Before the session's first byte, and before session_dialed. */
void session_set_address(struct session *session, const struct address *client);
void session_set_upstream(struct session *session, const char *upstream);
/* The client's address. */
void session_client(const struct session *session, struct address *out);
/* Who it is, from SESSION_DIAL on: views that live until the next call. The database is empty for a cancel
 * request. */
struct bytes session_database(const struct session *session);
/* The service it belongs to now; it follows the application_name. */
struct bytes session_service(const struct session *session);
bool session_is_cancel(const struct session *session);
/* The cancel request as the client sent it, to be passed on. A view until the session is destroyed. */
struct bytes session_cancel_request(const struct session *session);
/* How long ago the client last sent a message, or the server last became ready for one, at least: by the
 * world's ticks, since a wall clock may be set. What the server sends by itself (notifications) does not
 * count, as it does not for the server's own timeouts. */
int64_t session_rested_us(const struct session *session);
/* Whether it rests: logged in, nothing in flight, no message half sent. A session that is REST_IDLE can be
 * ended without cutting anything short. */
enum session_rest { REST_BUSY, REST_IDLE, REST_IN_TRANSACTION };
enum session_rest session_rest(const struct session *session);
/* Whether the login is done: before it, the owner's login deadline applies. */
bool session_has_logged_in(const struct session *session);
/* Fills what the session knows of itself; the owner fills the rest. */
void session_describe(const struct session *session, struct session_row *out);

#endif
