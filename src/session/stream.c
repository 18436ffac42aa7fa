/* SPDX-License-Identifier: PostgreSQL */
/* A Query or Parse too long to be gathered: its SQL flows on while it is read, in constant memory. Only the
 * NUL that ends the SQL waits for the verdict: when the guard refuses, filler goes in its place and in place
 * of all that follows, and the server finds a string without end: it refuses the message unread ("invalid
 * string in message"). */
#include "session/state.h"
#include "sql/classifier.h"

#include <stdlib.h>

/* What is read now. */
enum stream_part { STREAM_NAME, STREAM_SQL, STREAM_REST };

struct stream {
    uint8_t type; /* CLIENT_QUERY or CLIENT_PARSE */
    uint8_t part; /* enum stream_part */
    struct classifier classifier;
    uint64_t sql_size;
    uint32_t beginning_size;
    uint8_t name_size;
    uint8_t name[SERVER_NAME_MOST];
    uint8_t beginning[STATEMENT_TEXT_MOST];
};

static const uint8_t filler[256] = "################################################################"
                                   "################################################################"
                                   "################################################################"
                                   "################################################################";

bool stream_begin(struct session *session, uint8_t type)
{
    struct stream *stream = malloc(sizeof(*stream));
    if (stream == NULL)
        return false;
    stream->type = type;
    stream->part = type == CLIENT_PARSE ? STREAM_NAME : STREAM_SQL;
    stream->sql_size = 0;
    stream->beginning_size = 0;
    stream->name_size = 0;
    classifier_begin(&stream->classifier, session_feared_reading(session));
    session->stream = stream;
    return true;
}

void stream_end(struct session *session)
{
    free(session->stream);
    session->stream = NULL;
}

/* Keeps what fits of `bytes` behind what is kept already; returns the new size. */
static size_t keep(uint8_t *kept, size_t size, size_t most, struct bytes bytes)
{
    size_t room = most - size;
    size_t taken = bytes.size < room ? bytes.size : room;
    if (taken > 0)
        memcpy(kept + size, bytes.data, taken);
    return size + taken;
}

static void name_take(struct stream *stream, struct bytes *body)
{
    struct bytes piece = bytes_take(body, bytes_find(*body, 0));
    stream->name_size = (uint8_t)keep(stream->name, stream->name_size, sizeof(stream->name), piece);
    if (body->size > 0) {
        (void)bytes_take(body, 1);
        stream->part = STREAM_SQL;
    }
}

/* Reads SQL up to its NUL, which stays in `body`. Whether the NUL is there. */
static bool sql_take(struct stream *stream, struct bytes *body)
{
    struct bytes piece = bytes_take(body, bytes_find(*body, 0));
    classifier_feed(&stream->classifier, piece);
    stream->beginning_size =
        (uint32_t)keep(stream->beginning, stream->beginning_size, sizeof(stream->beginning), piece);
    stream->sql_size += piece.size;
    return body->size > 0;
}

static void stream_expect(struct session *session, struct statement *statement, uint32_t change)
{
    const struct stream *stream = session->stream;
    if (stream->type == CLIENT_PARSE) {
        parse_expect(session, bytes_of(stream->name, stream->name_size), statement);
        return;
    }
    counter_add(&session->world->counters->queries, 1);
    struct request *request = session_expect(session, REQUEST_QUERY, statement);
    session->may_change_encoding = true;
    if (change > 0)
        changes_sent(session, request);
}

/* All of the SQL was read: asks the guard. Whether the NUL may go out. */
static bool stream_decide(struct session *session)
{
    struct stream *stream = session->stream;
    struct statement_pool *pool = session->world->statements;
    struct verdict verdict;
    struct ruling ruling;
    classifier_end(&stream->classifier, &verdict);
    struct statement *statement =
        statement_of_streamed(pool, bytes_of(stream->beginning, stream->beginning_size), stream->sql_size,
                              session->reading, &verdict);
    if (statement == NULL) {
        session_fail(session, "53200", "out of memory", NULL);
        return false;
    }
    bool is_query = stream->type == CLIENT_QUERY;
    bool is_let_through = judge_statement(session, statement, is_query ? JUDGE_RUN : JUDGE_PARSE, &ruling);
    if (is_let_through)
        stream_expect(session, statement, ruling.change);
    else
        poison_expect(session, is_query ? REQUEST_QUERY : REQUEST_PARSE, &ruling);
    statement_release(pool, statement);
    return is_let_through;
}

void stream_spoil(struct session *session, size_t size)
{
    struct outbox *outbox = &session->world->outbox;
    struct parcel *parcel = size > sizeof(filler) ? parcel_create(size) : NULL;
    if (size <= sizeof(filler)) {
        outbox_pass(outbox, SIDE_SERVER, bytes_of(filler, size));
        return;
    }
    uint8_t *place = parcel != NULL ? buffer_extend(&parcel->buffer, size) : NULL;
    if (place == NULL) {
        parcel_destroy(parcel);
        session_fail(session, "53200", "out of memory", NULL);
        return;
    }
    memset(place, filler[0], size);
    outbox_send(outbox, SIDE_SERVER, parcel);
}

/* Reads what the fragment holds of name and SQL, and sends all of it that may go. */
static void stream_read(struct session *session, struct bytes body)
{
    struct stream *stream = session->stream;
    struct bytes rest = body;
    if (stream->part == STREAM_NAME)
        name_take(stream, &rest);
    if (stream->part == STREAM_SQL && sql_take(stream, &rest)) {
        stream->part = STREAM_REST;
        if (!stream_decide(session)) {
            outbox_pass(&session->world->outbox, SIDE_SERVER, bytes_of(body.data, body.size - rest.size));
            stream_spoil(session, rest.size);
            session->client.doing = DOING_SPOIL;
            return;
        }
    }
    if (session->stage != STAGE_ENDED)
        outbox_pass(&session->world->outbox, SIDE_SERVER, body);
}

/* The message has ended and no NUL was seen in its SQL: the server will refuse it. */
static void stream_unended(struct session *session)
{
    bool is_query = session->stream->type == CLIENT_QUERY;
    session_expect(session, is_query ? REQUEST_QUERY : REQUEST_PARSE, NULL);
    session->may_change_encoding |= is_query;
}

void stream_take(struct session *session, const struct fragment *fragment)
{
    outbox_pass_header(&session->world->outbox, SIDE_SERVER, fragment);
    stream_read(session, fragment->body);
    if (fragment->is_last && session->stream->part != STREAM_REST)
        stream_unended(session);
    if (fragment->is_last || session->client.doing == DOING_SPOIL)
        stream_end(session);
}
