/* SPDX-License-Identifier: PostgreSQL */
#ifndef NET_LINK_H
#define NET_LINK_H

#include "base/address.h"
#include "base/attributes.h"
#include "base/bytes.h"
#include "net/chunk.h"
#include "tls/stream.h"

#include <uv.h>

/* One socket (TCP or Unix): reads into buffers of the worker, writes in order, counts what waits, closes
 * exactly once. How its bytes move is its lane's matter (net/lane.h): that of the set of sockets, or of the
 * ring that the set has.
 *
 *   link_init, link_open ── link_read_start / link_read_stop / link_send ──► link_close ──► on_closed, memory
 * may go
 *
 * From link_secure on it speaks TLS: what its owner sends and gets is plaintext, what waits is counted as
 * ciphertext.
 *
 * What link_send cannot hand to the kernel at once, or puts off to the end of the turn, is copied and queued.
 * When more than LINK_HIGH_WATER bytes wait, is_full says so: the owner stops reading the other side;
 * on_drained comes when less than LINK_LOW_WATER wait. The process must ignore SIGPIPE. */
enum { LINK_HIGH_WATER = 256 * 1024, LINK_LOW_WATER = 64 * 1024 };
/* How long link_close_flushed bears a peer that takes nothing. */
enum { LINK_STALL_MS = 3000 };

struct link;
struct link_piece;
struct link_linger;
struct link_held;

/* Called from the loop, never from inside a function of the link. */
struct link_events {
    /* Bytes came; they must be used up or copied before it returns. */
    void (*on_bytes)(struct link *link, struct bytes bytes);
    /* The peer ended its side (0) or the socket or TLS failed (a negative libuv code; link_failure says it in
     * words). Each comes once at most: writing can still fail after the peer's end; after a failure nothing
     * comes but on_closed, and the owner is to close it: flushed, where the peer is to see TLS's last words.
     */
    void (*on_end)(struct link *link, int error);
    void (*on_drained)(struct link *link);
    /* The handshake that link_secure began is done: sending may begin. May be NULL where no TLS is spoken. */
    void (*on_secured)(struct link *link);
    /* Comes once; at once, within link_close, for a link that was never open. After link_close and
     * link_close_flushed nothing else comes. */
    void (*on_closed)(struct link *link);
};

/* What a link needs besides while the set tells of its socket, two words. */
struct link_poll {
    struct link *next_closing;
    int descriptor;          /* -1: not open */
    unsigned watched : 8;    /* what the kernel is to tell of: EPOLLIN, EPOLLOUT */
    bool waits_for_room : 1; /* to write on */
    bool is_resting : 1;
    bool is_late : 1;   /* what it has to write waits for the end of the turn */
    bool is_spent : 1;  /* the kernel told of it, it was not read to the end, and is not told of again */
    unsigned turns : 4; /* in which it was read, up to LANE_POLL_TURNS */
};

/* What it needs besides while the ring moves its bytes, two words. */
struct link_ring {
    struct link_held *held; /* what was read while nobody read, or NULL */
    int descriptor;         /* -1: not open */
    bool is_listed : 1;     /* among those that the ring is to attend to */
    bool is_known : 1;      /* the ring has the socket in its table */
    bool is_receiving : 1;  /* a receive is in the kernel's hands */
    bool is_sending : 1;    /* so is what was written */
    bool is_at_once : 1;    /* what the kernel has no room for now comes back */
    bool is_patient : 1;    /* it has come back: the next write waits for room */
    bool has_cancelled : 1; /* the receive is to come back */
    bool has_cut : 1;       /* so is the write, since the link closes */
    bool has_stopped : 1;   /* the peer's end or an error came, to be told behind what is held */
    bool is_to_rest : 1;    /* before it is read on */
    bool is_resting : 1;    /* a timer is in the kernel's hands */
    bool has_rested : 1;    /* its rest is over, and nothing has come since */
    bool has_brought : 1;   /* a receive has told of something */
    signed stop : 16;       /* that error, a negative libuv code, or 0 */
};

struct link {
    union link_socket {
        struct link_poll poll;
        struct link_ring ring;
    } socket;
    const struct link_events *events;
    void *keeper; /* the owner's, to tell whose it is where its place in memory does not */
    struct chunk *chunk;
    struct tls_stream *stream; /* NULL: it speaks no TLS */
    struct link_piece *first;  /* what waits to be written */
    struct link_piece *last;
    size_t queued; /* bytes in these pieces */
    struct link_linger *linger;
    uint32_t read_most; /* bytes at once: CHUNK_SIZE, unless the owner wants less */
    int failure;        /* the first error of the socket, a negative libuv code */
    bool is_reading;
    bool is_full;     /* went above high water and has not been below low water since */
    bool has_ended;   /* the peer sends no more: on_end was called */
    bool has_failed;  /* on_end was called with an error */
    bool is_shutting; /* our side is to end once all is written */
    bool is_flushing; /* it is to close once all is written */
    bool is_closing;
    bool is_by_ring : 1;   /* which member of `socket` is in use */
    bool is_secured : 1;   /* on_secured was called */
    bool has_shut : 1;     /* is_shutting, and the kernel was told so */
    bool is_of_server : 1; /* the peer is a server: set before it is open, by whoever connects to one */
    unsigned streak : 4;   /* large reads since something was last written to it, up to LINK_STREAK */
};

/* Prepares a link whose socket is not open yet. From here on it has to be closed with link_close. */
void link_init(struct link *link, struct chunk *chunk, const struct link_events *events);
/* Takes over a connected socket that does not block. 0 or a negative libuv code; the socket is then still the
 * caller's. */
MUST_USE int link_open(struct link *link, int socket);
/* Speaks TLS from here on. `host` (see tls_stream_create) is the server we are a client of, NULL when we are
 * the server; `first` is ciphertext that was read already, the client's first. Until on_secured nothing is
 * sent: what link_send is given is dropped. 0; or a negative libuv code, link_failure says more, and the
 * owner is to close it flushed. */
MUST_USE int link_secure(struct link *link, struct tls_context *context, const char *host,
                         struct bytes first);
/* What TLS knows. False, and all empty, while the handshake is not done or when there is none. */
MUST_USE bool link_facts(const struct link *link, struct tls_facts *out);
/* Why it failed, in words, once it has. */
const char *link_failure(const struct link *link);
void link_read_start(struct link *link);
void link_read_stop(struct link *link);
/* Sends after all that was sent before; nothing is sent after link_shutdown. Errors come as on_end. */
void link_send(struct link *link, struct bytes bytes);
/* Bytes that were sent and not yet taken by the kernel. */
size_t link_waiting(const struct link *link);
/* Ends our side of the stream once all is written, with a close_notify under TLS; reading goes on. */
void link_shutdown(struct link *link);
/* Writes what waits, ends our side, gives the peer a moment to end its own (so that what was written is not
 * lost to a reset), then closes. Gives up when LINK_STALL_MS go by without progress. */
void link_close_flushed(struct link *link);
/* Closes now; the only place that does. Harmless when it is closing already. */
void link_close(struct link *link);
/* Where the peer is. For a Unix socket without a name: the path it came through. */
void link_peer(const struct link *link, struct address *out);

#endif
