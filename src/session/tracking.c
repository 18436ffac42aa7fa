/* SPDX-License-Identifier: PostgreSQL */
/* What is in flight and what names mean: requests come in as they are sent, and go out settled. */
#include "session/state.h"

#include <stdlib.h>

static bool ends_with_copy_end(const struct flight *flight)
{
    return flight->count > 0 && flight_at(flight, flight->count - 1)->kind == REQUEST_COPY_END;
}

struct request *session_expect(struct session *session, enum request_kind kind, struct statement *statement)
{
    if (session->skips_to_sync && kind != REQUEST_SYNC) {
        return NULL; /* the server drops it unanswered */
    }
    if (kind == REQUEST_COPY_END && ends_with_copy_end(&session->flight))
        return NULL; /* nothing answers them: any number would wait */
    struct request *request = flight_add(&session->flight);
    if (request == NULL) {
        session_lose(session, "out of memory");
        return NULL;
    }
    session->is_reading_known = false;
    request->kind = (uint8_t)kind;
    request->statement = statement != NULL ? statement_share(statement) : NULL;
    return request;
}

struct lexer_reading session_feared_reading(const struct session *session)
{
    struct lexer_reading reading = session->reading;
    reading.has_unsafe_encoding |= !session->is_reading_known;
    return reading;
}

static void name_lost(struct session *session, const struct statement *statement)
{
    counter_add(&session->world->counters->statements_not_tracked, 1);
    bool is_enforcing = session->world->policy->mode == GUARD_ENFORCE;
    if (is_enforcing && statement != NULL && statement->verdict.is_guarded)
        session_lose(session, "a schema change was prepared under more names than are tracked");
}

struct name *bind_name(struct session *session, struct names *names, struct bytes text,
                       struct statement *statement)
{
    struct session_world *world = session->world;
    struct name *name =
        names_bind(names, &world->hash_key, text, statement, world->limits.names, world->statements);
    if (name == NULL)
        name_lost(session, statement);
    return name;
}

void learn_name(struct session *session, struct bytes text, struct statement *statement)
{
    struct session_world *world = session->world;
    if (!names_learn(&session->statements, &world->hash_key, text, statement, world->limits.names,
                     world->statements))
        name_lost(session, statement);
}

void parse_expect(struct session *session, struct bytes name, struct statement *statement)
{
    counter_add(&session->world->counters->parses, 1);
    struct request *request = session_expect(session, REQUEST_PARSE, statement);
    if (request != NULL)
        request->name = bind_name(session, &session->statements, name, statement);
}

static struct names *bound_names(struct session *session, const struct request *request)
{
    bool is_portal = request->kind == REQUEST_BIND || (request->kind == REQUEST_CLOSE && request->is_portal);
    return is_portal ? &session->portals : &session->statements;
}

void request_settle(struct session *session, struct request *request, bool is_done)
{
    struct statement_pool *pool = session->world->statements;
    struct names *names = bound_names(session, request);
    if (request->is_poison) {
        free(request->refusal);
    } else if (request->name != NULL && request->kind == REQUEST_CLOSE) {
        names_closed(names, request->name, is_done, pool);
    } else if (request->name != NULL && is_done) {
        names_confirm(names, request->name, request->statement, pool);
    } else if (request->name != NULL) {
        names_abandon(names, request->name, pool);
    }
    statement_release(pool, request->statement);
}

void head_settle(struct session *session, bool is_done)
{
    struct request request = flight_take(&session->flight);
    request_settle(session, &request, is_done);
}

void requests_abandon_all(struct session *session)
{
    while (session->flight.count > 0)
        head_settle(session, false);
}
