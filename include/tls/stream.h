/* SPDX-License-Identifier: PostgreSQL */
#ifndef TLS_STREAM_H
#define TLS_STREAM_H

#include "base/buffer.h"
#include "tls/context.h"

/* One TLS connection over memory: ciphertext in, plaintext out, and back. Knows no socket. */
struct tls_stream;

enum { TLS_DIGEST_SIZE = 32, TLS_NAME_SIZE = 64 };

enum tls_result {
    TLS_STARVED, /* the input is used up */
    TLS_BYTES,   /* *size bytes of plaintext; call again with the input, be it empty: more may wait inside */
    TLS_ENDED,   /* the peer has ended its side with a close_notify */
    TLS_FAILED,  /* a fatal alert, a bad record, a certificate that is refused: tls_stream_failure says which;
                  * what is in `out` (an alert) should still be sent */
};

/* `host` is asked for by name (SNI, unless it is an address) and held against the certificate under
 * TLS_VERIFY_FULL; NULL for TLS_SERVER. NULL when memory is short, or when under TLS_VERIFY_FULL the host is
 * neither a name nor an address. */
struct tls_stream *tls_stream_create(struct tls_context *context, const char *host);
void tls_stream_destroy(struct tls_stream *stream);

/* TLS_CLIENT: appends the first message of the handshake to `out`. */
void tls_stream_start(struct tls_stream *stream, struct buffer *out);
/* Takes ciphertext off the front of `input`, writes plaintext into `into` (at most `capacity` bytes, which is
 * not 0) and appends to `out` what has to be sent because of it (handshake, alerts). Any split of the
 * ciphertext gives the same plaintext. */
MUST_USE enum tls_result tls_stream_open(struct tls_stream *stream, struct bytes *input, uint8_t *into,
                                         size_t capacity, size_t *size, struct buffer *out);
/* Appends the plaintext's ciphertext to `out`. False when it cannot (out->has_failed, or the stream has
 * failed). Only once tls_stream_is_ready. */
MUST_USE bool tls_stream_seal(struct tls_stream *stream, struct bytes plaintext, struct buffer *out);
/* Appends a close_notify: nothing is sealed any more. */
void tls_stream_end(struct tls_stream *stream, struct buffer *out);

/* Whether the handshake is done; false once it failed. Under TLS 1.3 a client is done before the server has
 * judged the client's certificate: a refusal comes as TLS_FAILED of a later tls_stream_open. */
bool tls_stream_is_ready(const struct tls_stream *stream);
/* Why it failed, for the log: "certificate has expired", "the peer refused: unknown CA"; "" while it has not.
 * The stream's own. */
const char *tls_stream_failure(const struct tls_stream *stream);

/* What is known once it is ready. */
struct tls_facts {
    const char *version; /* "TLSv1.3"; constants */
    const char *cipher;  /* "TLS_AES_256_GCM_SHA384" */
    bool has_protocol;   /* ALPN: "postgresql" was agreed on */
    bool is_resumed;     /* from a session kept from an earlier connection */
    bool has_peer_certificate;
    char peer_name[TLS_NAME_SIZE];        /* the subject's common name, printable, cut; "" */
    uint8_t own_digest[TLS_DIGEST_SIZE];  /* SHA-256 of the certificate we have to show; zeros where none */
    uint8_t peer_digest[TLS_DIGEST_SIZE]; /* and of the one we were shown */
};

void tls_stream_describe(const struct tls_stream *stream, struct tls_facts *out);

#endif
