/* SPDX-License-Identifier: PostgreSQL */
#ifndef UNIT_TLS_STRANGER_H
#define UNIT_TLS_STRANGER_H

#include "unit/tls/pair.h"

#include <openssl/ssl.h>

/* A peer that is not ours: OpenSSL itself, free to offer what we never would. */
struct stranger {
    SSL_CTX *rules;
    SSL *ssl; /* the test sets it up before it is carried */
    BIO *in;
    BIO *out;
};

static inline void stranger_init(struct stranger *stranger, enum tls_role role, const struct folder *folder)
{
    stranger->rules = SSL_CTX_new(TLS_method());
    if (role == TLS_SERVER) {
        struct place certificate = folder_place(folder, "server.crt");
        struct place key = folder_place(folder, "server.key");
        assert_int_equal(SSL_CTX_use_certificate_chain_file(stranger->rules, certificate.path), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey_file(stranger->rules, key.path, SSL_FILETYPE_PEM), 1);
    }
    stranger->ssl = SSL_new(stranger->rules);
    stranger->in = BIO_new(BIO_s_mem());
    stranger->out = BIO_new(BIO_s_mem());
    SSL_set_bio(stranger->ssl, stranger->in, stranger->out);
    if (role == TLS_SERVER)
        SSL_set_accept_state(stranger->ssl);
    else
        SSL_set_connect_state(stranger->ssl);
}

static inline void stranger_release(struct stranger *stranger)
{
    SSL_free(stranger->ssl);
    SSL_CTX_free(stranger->rules);
}

/* Carries to and fro between the stranger and a stream of ours, byte by byte to ours, until both are silent.
 */
static inline enum tls_result stranger_meet(struct stranger *stranger, struct tls_stream *stream)
{
    enum tls_result result = TLS_STARVED;
    struct buffer out;
    buffer_init(&out, WIRE_LIMIT);
    tls_stream_start(stream, &out);
    for (int silent_rounds = 0; silent_rounds < 2; silent_rounds++) {
        uint8_t byte;
        uint8_t into[1024];
        size_t size = 0;
        BIO_write(stranger->in, out.data, (int)out.size);
        buffer_clear(&out);
        (void)SSL_read(stranger->ssl, into, sizeof into);
        while (BIO_read(stranger->out, &byte, 1) == 1) {
            struct bytes input = bytes_of(&byte, 1);
            do
                result = tls_stream_open(stream, &input, into, sizeof into, &size, &out);
            while (result == TLS_BYTES);
            silent_rounds = 0;
        }
    }
    buffer_release(&out);
    return result;
}

#endif
