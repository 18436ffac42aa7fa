/* SPDX-License-Identifier: PostgreSQL */
/* A link that speaks TLS. */
#include "net/link_state.h"

/* What we owe the peer for what it sent, such as new keys: a peer that asks for more and more of that and
 * takes none of it is cut off. */
enum { ANSWERS_WAITING_MOST = 2 * LINK_HIGH_WATER, SEALED_AT_ONCE = CHUNK_SIZE };

/* Writes what TLS has made. What did not find memory there would be missing from the stream. */
static void link_write_sealed(struct link *link)
{
    struct buffer *sealed = &link->chunk->sealed;
    bool has_failed = sealed->has_failed;
    if (!has_failed)
        link_write(link, buffer_bytes(sealed));
    buffer_clear(sealed);
    if (has_failed && link->failure == 0)
        link_fail(link, UV_ENOMEM);
}

static void link_answer(struct link *link)
{
    if (link->chunk->sealed.size == 0 && !link->chunk->sealed.has_failed)
        return;
    link_write_sealed(link);
    if (link_waiting(link) > ANSWERS_WAITING_MOST && link->failure == 0)
        link_fail(link, UV_ENOMEM);
}

static void link_break(struct link *link)
{
    if (link->is_closing || link->is_flushing || link->has_failed)
        return;
    link->has_failed = true;
    link->events->on_end(link, UV_EPROTO);
}

/* Whether the owner still wants to hear of the link, after it was told something. */
static bool link_is_heard(const struct link *link)
{
    return !link->is_closing && !link->is_flushing && !link->has_failed;
}

/* Opens what fits into the worker's buffer: as a rule all there is, since the owner who stops reading must
 * not get more. */
static enum tls_result link_fill_plain(struct link *link, struct bytes *ciphertext, size_t *filled)
{
    struct chunk *chunk = link->chunk;
    enum tls_result result = TLS_BYTES;
    *filled = 0;
    while (result == TLS_BYTES && *filled < PLAIN_SIZE) {
        size_t size = 0;
        result = tls_stream_open(link->stream, ciphertext, chunk->plain + *filled, PLAIN_SIZE - *filled,
                                 &size, &chunk->sealed);
        *filled += size;
    }
    return result;
}

static void link_tell_plain(struct link *link, size_t size)
{
    if (!link->is_secured && tls_stream_is_ready(link->stream)) {
        link->is_secured = true;
        link->events->on_secured(link);
    }
    if (size > 0 && link_is_heard(link))
        link->events->on_bytes(link, bytes_of(link->chunk->plain, size));
}

void link_unseal(struct link *link, struct bytes ciphertext)
{
    enum tls_result result = TLS_BYTES;
    while (result == TLS_BYTES && link_is_heard(link) && !link->has_ended) {
        size_t size = 0;
        result = link_fill_plain(link, &ciphertext, &size);
        link_answer(link);
        link_tell_plain(link, size);
    }
    if (result == TLS_ENDED)
        link_end(link, 0);
    else if (result == TLS_FAILED)
        link_break(link);
}

void link_seal(struct link *link, struct bytes plaintext)
{
    if (!link->is_secured || link->is_closing || link->is_shutting)
        return;
    while (plaintext.size > 0 && link->failure == 0) {
        size_t size = plaintext.size < SEALED_AT_ONCE ? plaintext.size : SEALED_AT_ONCE;
        if (!tls_stream_seal(link->stream, bytes_take(&plaintext, size), &link->chunk->sealed))
            link->chunk->sealed.has_failed = !link->has_failed;
        link_write_sealed(link);
    }
}

void link_seal_end(struct link *link)
{
    if (!link->is_secured || link->has_failed)
        return;
    tls_stream_end(link->stream, &link->chunk->sealed);
    link_write_sealed(link);
}

int link_secure(struct link *link, struct tls_context *context, const char *host, struct bytes first)
{
    size_t size = 0;
    link->stream = tls_stream_create(context, host);
    if (link->stream == NULL) {
        link->failure = UV_ENOMEM;
        return UV_ENOMEM;
    }
    if (host != NULL)
        tls_stream_start(link->stream, &link->chunk->sealed);
    enum tls_result result = link_fill_plain(link, &first, &size);
    link_answer(link);
    if (result == TLS_STARVED && size == 0)
        return 0;
    link->has_failed = true; /* a peer cannot have said or ended anything before it heard us */
    return UV_EPROTO;
}

bool link_facts(const struct link *link, struct tls_facts *out)
{
    *out = (struct tls_facts){ .version = "", .cipher = "" };
    if (!link->is_secured)
        return false;
    tls_stream_describe(link->stream, out);
    return true;
}
