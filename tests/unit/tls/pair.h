/* SPDX-License-Identifier: PostgreSQL */
#ifndef UNIT_TLS_PAIR_H
#define UNIT_TLS_PAIR_H

#include "tls/stream.h"
#include "unit/tls/authority.h"

/* A server's and a client's stream and the wires between them, indexed by enum tls_role. */

enum { UNCUT = 0, RANDOM_CUTS = -1, WIRE_LIMIT = 4 << 20 };

/* A plan and the paths it needs. */
struct draft {
    struct tls_plan plan;
    struct place certificate;
    struct place key;
    struct place ca;
};

struct pair {
    struct tls_stream *streams[2];
    struct buffer wires[2];    /* what is under way to each */
    struct buffer received[2]; /* plaintext */
    enum tls_result results[2];
    unsigned long dice;
    size_t step_size; /* most bytes of plaintext taken at a time */
};

/* `name`.crt and `name`.key; NULL: none. */
static inline void draft_show(struct draft *draft, const struct folder *folder, const char *name)
{
    char file[PATH_SIZE];
    (void)snprintf(file, sizeof file, "%s.crt", name);
    draft->certificate = folder_place(folder, file);
    (void)snprintf(file, sizeof file, "%s.key", name);
    draft->key = folder_place(folder, file);
    draft->plan.certificate = draft->certificate.path;
    draft->plan.key = draft->key.path;
}

static inline void draft_trust(struct draft *draft, const struct folder *folder, const char *file)
{
    draft->ca = folder_place(folder, file);
    draft->plan.ca = draft->ca.path;
}

static inline void draft_server(struct draft *draft, const struct folder *folder)
{
    draft->plan = (struct tls_plan){ .role = TLS_SERVER, .ca = "" };
    draft_show(draft, folder, "server");
}

static inline void draft_client(struct draft *draft)
{
    draft->plan = (struct tls_plan){ .role = TLS_CLIENT, .certificate = "", .key = "", .ca = "" };
}

static inline struct tls_context *context_make(const struct draft *draft)
{
    struct tls_context *context = NULL;
    struct problem problem;
    if (!tls_context_create(&draft->plan, &context, &problem))
        fail_msg("%s: %s", problem.file, problem.text);
    return context;
}

static inline void pair_init(struct pair *pair, struct tls_context *server, struct tls_context *client,
                             const char *host)
{
    *pair = (struct pair){ .dice = 20, .step_size = 1 << 14 };
    pair->streams[TLS_SERVER] = tls_stream_create(server, NULL);
    pair->streams[TLS_CLIENT] = tls_stream_create(client, host);
    for (int i = 0; i < 2; i++) {
        assert_non_null(pair->streams[i]);
        buffer_init(&pair->wires[i], WIRE_LIMIT);
        buffer_init(&pair->received[i], WIRE_LIMIT);
    }
    tls_stream_start(pair->streams[TLS_CLIENT], &pair->wires[TLS_SERVER]);
}

static inline void pair_release(struct pair *pair)
{
    for (int i = 0; i < 2; i++) {
        tls_stream_destroy(pair->streams[i]);
        buffer_release(&pair->wires[i]);
        buffer_release(&pair->received[i]);
    }
}

static inline size_t pair_dice(struct pair *pair, size_t most)
{
    pair->dice = pair->dice * 6364136223846793005UL + 1442695040888963407UL;
    return 1 + (size_t)(pair->dice >> 33) % most;
}

/* Opens one piece to its end; the stream takes all of it unless it is over. */
static inline void pair_open(struct pair *pair, int end, struct bytes piece)
{
    enum tls_result result = TLS_BYTES;
    while (result == TLS_BYTES) {
        uint8_t into[1 << 14];
        size_t size = 77;
        result =
            tls_stream_open(pair->streams[end], &piece, into, pair->step_size, &size, &pair->wires[!end]);
        assert_true(result == TLS_BYTES ? size > 0 && size <= pair->step_size : size == 0);
        buffer_append(&pair->received[end], bytes_of(into, size));
    }
    if (result == TLS_STARVED)
        assert_int_equal(piece.size, 0);
    pair->results[end] = result;
}

/* Hands over what is under way to one end, in pieces of `cut` bytes. */
static inline bool pair_deliver(struct pair *pair, int end, int cut)
{
    struct buffer *wire = &pair->wires[end];
    bool has_moved = wire->size > 0;
    while (wire->size > 0) {
        size_t size = cut > 0 ? (size_t)cut : cut == UNCUT ? wire->size : pair_dice(pair, 3000);
        size = size < wire->size ? size : wire->size;
        /* memory of its own, so that a sanitizer sees a byte too many */
        uint8_t *piece = malloc(size);
        memcpy(piece, wire->data, size);
        buffer_consume(wire, size);
        pair_open(pair, end, bytes_of(piece, size));
        free(piece);
    }
    return has_moved;
}

/* Carries everything to and fro until nothing is under way. */
static inline void pair_carry(struct pair *pair, int cut)
{
    bool has_moved = true;
    while (has_moved) {
        has_moved = pair_deliver(pair, TLS_SERVER, cut);
        has_moved = pair_deliver(pair, TLS_CLIENT, cut) || has_moved;
    }
}

static inline bool pair_is_ready(const struct pair *pair)
{
    return tls_stream_is_ready(pair->streams[TLS_SERVER]) && tls_stream_is_ready(pair->streams[TLS_CLIENT]);
}

static inline struct tls_facts pair_facts(const struct pair *pair, enum tls_role role)
{
    struct tls_facts facts;
    tls_stream_describe(pair->streams[role], &facts);
    return facts;
}

/* One handshake between the two, and whether both ends hold it for good. */
static inline bool pair_meet(struct pair *pair, struct tls_context *server, struct tls_context *client,
                             const char *host)
{
    pair_init(pair, server, client, host);
    pair_carry(pair, UNCUT);
    return pair_is_ready(pair) && pair->results[0] == TLS_STARVED && pair->results[1] == TLS_STARVED;
}

static inline void assert_failure(const struct pair *pair, enum tls_role role, const char *words)
{
    assert_int_equal(pair->results[role], TLS_FAILED);
    const char *failure = tls_stream_failure(pair->streams[role]);
    if (strstr(failure, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", failure, words);
}

#endif
