/* SPDX-License-Identifier: PostgreSQL */
#ifndef UNIT_NET_TLS_PEER_H
#define UNIT_NET_TLS_PEER_H

#include "unit/net/peer.h"
#include "unit/tls/pair.h"

/* The other end of a socket under test that speaks TLS, driven in turn with the loop. */
struct tls_peer {
    int socket;
    struct tls_stream *stream;
    struct buffer out;   /* not written yet */
    struct buffer plain; /* received and not looked at yet */
    enum tls_result result;
    bool has_ended; /* the socket */
};

enum { TLS_PEER_MOST = 64 << 20 };

/* `host` is NULL when it is the server. The socket is the peer's now. */
static inline void tls_peer_init(struct tls_peer *peer, int socket, struct tls_context *context,
                                 const char *host)
{
    *peer = (struct tls_peer){ .socket = socket, .stream = tls_stream_create(context, host) };
    assert_non_null(peer->stream);
    buffer_init(&peer->out, TLS_PEER_MOST);
    buffer_init(&peer->plain, TLS_PEER_MOST);
    if (host != NULL)
        tls_stream_start(peer->stream, &peer->out);
}

static inline void tls_peer_release(struct tls_peer *peer)
{
    tls_stream_destroy(peer->stream);
    buffer_release(&peer->out);
    buffer_release(&peer->plain);
    if (peer->socket >= 0)
        (void)close(peer->socket);
}

static inline void tls_peer_write(struct tls_peer *peer)
{
    while (peer->out.size > 0) {
        ssize_t taken = send(peer->socket, peer->out.data, peer->out.size, MSG_NOSIGNAL);
        if (taken <= 0)
            return;
        buffer_consume(&peer->out, (size_t)taken);
    }
}

static inline void tls_peer_open(struct tls_peer *peer, struct bytes ciphertext)
{
    peer->result = TLS_BYTES;
    while (peer->result == TLS_BYTES) {
        uint8_t into[1 << 14];
        size_t size = 0;
        peer->result = tls_stream_open(peer->stream, &ciphertext, into, sizeof into, &size, &peer->out);
        buffer_append(&peer->plain, bytes_of(into, size));
    }
}

/* Reads what there is. */
static inline void tls_peer_take(struct tls_peer *peer)
{
    uint8_t got[1 << 16];
    ssize_t size = peer->has_ended ? -1 : peer_take(peer->socket, got, sizeof got);
    if (size > 0 && peer->result != TLS_ENDED && peer->result != TLS_FAILED)
        tls_peer_open(peer, bytes_of(got, (size_t)size));
    peer->has_ended = peer->has_ended || size == 0;
}

static inline void tls_peer_pump(struct tls_peer *peer)
{
    tls_peer_write(peer);
    tls_peer_take(peer);
    tls_peer_write(peer);
}

#define PUMP_UNTIL(loop, peer, condition) TURN_UNTIL((loop), (tls_peer_pump(peer), (condition)))

static inline void tls_peer_send(struct tls_peer *peer, const void *data, size_t size)
{
    assert_true(tls_stream_seal(peer->stream, bytes_of(data, size), &peer->out));
    tls_peer_write(peer);
}

/* Waits for exactly these bytes. */
static inline void tls_peer_expect(uv_loop_t *loop, struct tls_peer *peer, const void *expected, size_t size)
{
    PUMP_UNTIL(loop, peer, peer->plain.size >= size);
    assert_memory_equal(peer->plain.data, expected, size);
    buffer_consume(&peer->plain, size);
}

static inline void tls_peer_shake(uv_loop_t *loop, struct tls_peer *peer)
{
    PUMP_UNTIL(loop, peer, tls_stream_is_ready(peer->stream));
}

static inline void tls_peer_end(struct tls_peer *peer)
{
    tls_stream_end(peer->stream, &peer->out);
    tls_peer_write(peer);
}

/* The two contexts that most tests do with, and the folder of certificates they are from. */
struct trust {
    struct folder folder;
    struct draft drafts[2];
    struct tls_context *contexts[2]; /* by enum tls_role */
};

static inline int trust_open(void **state)
{
    loop_try();
    struct trust *trust = calloc(1, sizeof *trust);
    (void)signal(SIGPIPE, SIG_IGN);
    folder_init(&trust->folder);
    draft_server(&trust->drafts[TLS_SERVER], &trust->folder);
    draft_client(&trust->drafts[TLS_CLIENT]);
    for (int role = 0; role < 2; role++)
        trust->contexts[role] = context_make(&trust->drafts[role]);
    *state = trust;
    return 0;
}

static inline int trust_close(void **state)
{
    struct trust *trust = *state;
    for (int role = 0; role < 2; role++)
        tls_context_release(trust->contexts[role]);
    folder_release(&trust->folder);
    free(trust);
    return 0;
}

#endif
