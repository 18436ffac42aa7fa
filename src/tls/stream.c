/* SPDX-License-Identifier: PostgreSQL */
#include "tls/stream.h"

#include "tls/certificate.h"
#include "tls/context_state.h"
#include "tls/failure.h"
#include "tls/rules.h"

#include <assert.h>
#include <openssl/err.h>
#include <stdlib.h>

enum { FAILURE_SIZE = 96 };

struct tls_stream {
    SSL *ssl;
    struct tls_context *context;
    struct carrier carrier;
    char *host; /* NULL for TLS_SERVER */
    bool has_failed;
    bool is_ended; /* our close_notify is sent */
    char failure[FAILURE_SIZE];
};

/* Takes over the bytes for one call of OpenSSL, which must find its queue of errors empty. */
static void stream_lend(struct tls_stream *stream, struct bytes *input, struct buffer *out)
{
    stream->carrier = (struct carrier){ input, out };
    ERR_clear_error();
}

static void stream_return(struct tls_stream *stream)
{
    stream->carrier = (struct carrier){ NULL, NULL };
}

static enum tls_result stream_fail(struct tls_stream *stream)
{
    struct text text;
    text_init(&text, stream->failure, sizeof stream->failure);
    if (stream->carrier.out != NULL && stream->carrier.out->has_failed)
        text_append_string(&text, "no room for what has to be sent");
    else
        failure_describe(stream->ssl, &text);
    if (text.size == 0)
        text_append_string(&text, "unknown reason");
    stream->has_failed = true;
    if (stream->host != NULL)
        tls_context_forget(stream->context, stream->host);
    return TLS_FAILED;
}

static bool stream_attach(struct tls_stream *stream)
{
    BIO *bio = carrier_bio_create(stream->context->carriers, &stream->carrier);
    if (bio == NULL)
        return false;
    SSL_set_bio(stream->ssl, bio, bio);
    if (stream->host == NULL) {
        SSL_set_accept_state(stream->ssl);
        return true;
    }
    SSL_set_connect_state(stream->ssl);
    return rules_aim(&stream->context->plan, stream->ssl, stream->host);
}

struct tls_stream *tls_stream_create(struct tls_context *context, const char *host)
{
    bool is_client = context->plan.role == TLS_CLIENT;
    struct tls_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL)
        return NULL;
    tls_context_retain(context);
    stream->context = context;
    stream->host = is_client ? strdup(host != NULL ? host : "") : NULL;
    stream->ssl = is_client && stream->host == NULL ? NULL : tls_context_connect(context, stream->host);
    if (stream->ssl != NULL && stream_attach(stream))
        return stream;
    tls_stream_destroy(stream);
    return NULL;
}

void tls_stream_destroy(struct tls_stream *stream)
{
    if (stream == NULL)
        return;
    SSL_free(stream->ssl);
    free(stream->host);
    tls_context_release(stream->context);
    free(stream);
}

void tls_stream_start(struct tls_stream *stream, struct buffer *out)
{
    if (stream->has_failed)
        return;
    stream_lend(stream, NULL, out);
    int done = SSL_do_handshake(stream->ssl);
    if (done != 1 && SSL_get_error(stream->ssl, done) != SSL_ERROR_WANT_READ)
        stream_fail(stream);
    stream_return(stream);
}

static enum tls_result stream_judge(struct tls_stream *stream)
{
    switch (SSL_get_error(stream->ssl, 0)) {
    case SSL_ERROR_WANT_READ:
        return TLS_STARVED;
    case SSL_ERROR_ZERO_RETURN:
        return TLS_ENDED;
    default:
        return stream_fail(stream);
    }
}

enum tls_result tls_stream_open(struct tls_stream *stream, struct bytes *input, uint8_t *into,
                                size_t capacity, size_t *size, struct buffer *out)
{
    assert(capacity > 0);
    *size = 0;
    if (stream->has_failed)
        return TLS_FAILED;
    stream_lend(stream, input, out);
    bool has_bytes = SSL_read_ex(stream->ssl, into, capacity, size) == 1;
    enum tls_result result = has_bytes ? TLS_BYTES : stream_judge(stream);
    stream_return(stream);
    return result;
}

bool tls_stream_seal(struct tls_stream *stream, struct bytes plaintext, struct buffer *out)
{
    if (stream->has_failed || stream->is_ended || out->has_failed || !tls_stream_is_ready(stream))
        return false;
    size_t written = 0;
    stream_lend(stream, NULL, out);
    bool is_sealed = SSL_write_ex(stream->ssl, plaintext.data, plaintext.size, &written) == 1;
    if (!is_sealed)
        stream_fail(stream);
    stream_return(stream);
    return is_sealed;
}

void tls_stream_end(struct tls_stream *stream, struct buffer *out)
{
    if (stream->has_failed || stream->is_ended || !tls_stream_is_ready(stream))
        return;
    stream->is_ended = true;
    stream_lend(stream, NULL, out);
    if (SSL_shutdown(stream->ssl) < 0)
        stream_fail(stream);
    stream_return(stream);
}

bool tls_stream_is_ready(const struct tls_stream *stream)
{
    return SSL_is_init_finished(stream->ssl) != 0;
}

const char *tls_stream_failure(const struct tls_stream *stream)
{
    return stream->failure;
}

static bool has_agreed(const SSL *ssl)
{
    const unsigned char *protocol = NULL;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl, &protocol, &size);
    return bytes_equal_text(bytes_of(protocol, size), RULES_PROTOCOL);
}

void tls_stream_describe(const struct tls_stream *stream, struct tls_facts *out)
{
    *out = (struct tls_facts){
        .version = SSL_get_version(stream->ssl),
        .cipher = SSL_get_cipher_name(stream->ssl),
        .has_protocol = has_agreed(stream->ssl),
        .is_resumed = SSL_session_reused(stream->ssl) == 1,
    };
    const X509 *own = SSL_get_certificate(stream->ssl);
    const X509 *peer = SSL_get0_peer_certificate(stream->ssl);
    if (own != NULL)
        certificate_digest(own, out->own_digest);
    if (peer == NULL)
        return;
    out->has_peer_certificate = true;
    certificate_name(peer, out->peer_name);
    certificate_digest(peer, out->peer_digest);
}
