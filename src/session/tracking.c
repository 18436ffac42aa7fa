/* SPDX-License-Identifier: PostgreSQL */
/* What is in flight and what names mean: requests come in as they are sent, and go out settled. */
#include "session/state.h"
#include "sql/token_walk.h"

#include <stdlib.h>

/* Nothing answers an end of COPY data. One that no request waits before stands for nothing, and of several in
 * a row, of which there may be any number, the first stands for all. Whether this one is in flight by itself.
 */
static bool may_await_copy_end(struct flight *flight)
{
    struct request *last = flight->count > 0 ? flight_at(flight, flight->count - 1) : NULL;
    bool is_another = last != NULL && last->kind == REQUEST_COPY_END;
    if (is_another && last->answered < UINT32_MAX)
        last->answered++;
    return last != NULL && !is_another;
}

struct request *session_expect(struct session *session, enum request_kind kind, struct statement *statement)
{
    if (session->skips_to_sync && kind != REQUEST_SYNC) {
        if (kind != REQUEST_COPY_END)
            copy_doubt(session);
        return NULL; /* the server drops it unanswered */
    }
    if (kind == REQUEST_COPY_END && !may_await_copy_end(&session->flight))
        return NULL;
    struct request *request = flight_add(&session->flight, &session->world->circles);
    if (request == NULL) {
        session_lose(session, "out of memory");
        return NULL;
    }
    session->is_reading_known = false;
    request->kind = (uint8_t)kind;
    request->sent_us = session->world->now_us;
    request->statement = statement != NULL ? statement_share(statement) : NULL;
    if (!session->is_misread_fatal && kind == REQUEST_QUERY && holding_is_due(statement)) {
        request->may_copy = true;
        session->flight.copies++;
    }
    return request;
}

struct lexer_reading session_feared_reading(const struct session *session)
{
    struct lexer_reading reading = session->reading;
    reading.has_unsafe_encoding |= !session->is_reading_known;
    reading.has_ascii_pairs |= !session->is_reading_known && session->may_change_encoding;
    return reading;
}

static struct names *bound_names(struct session *session, const struct request *request)
{
    bool is_portal = request->kind == REQUEST_BIND || (request->kind == REQUEST_CLOSE && request->is_portal);
    return is_portal ? &session->names->portals : &session->names->statements;
}

/* The session is about to give a name: it needs name spaces of its own. */
static bool names_begin(struct session *session)
{
    struct session_world *world = session->world;
    if (session->names != &world->no_names)
        return true;
    struct name_spaces *spaces = slab_take_zeroed(&world->name_spaces);
    if (spaces == NULL) {
        session_lose(session, "out of memory");
        return false;
    }
    session->names = spaces;
    return true;
}

struct statement *possible_statement(struct session *session, struct names *names, struct bytes text)
{
    const struct session_world *world = session->world;
    struct statement *statement =
        names_possible(names, &world->hash_key, text, world->statements, &names->made);
    if (names->is_short)
        session_lose(session, "out of memory");
    return statement;
}

void bind_name(struct session *session, struct bytes text, struct request *request)
{
    struct session_world *world = session->world;
    if (!names_begin(session))
        return;
    request->name = names_bind(bound_names(session, request), &world->hash_key, text, request->statement,
                               world->limits.names, world->statements);
    request->is_untracked = request->name == NULL;
    if (request->is_untracked)
        counter_add(&world->counters->statements_not_tracked, 1);
}

void learn_name(struct session *session, struct bytes text, struct statement *statement)
{
    struct session_world *world = session->world;
    if (names_begin(session) && !names_learn(&session->names->statements, &world->hash_key, text, statement,
                                             world->limits.names, world->statements))
        counter_add(&world->counters->statements_not_tracked, 1);
}

void parse_expect(struct session *session, struct bytes name, struct statement *statement)
{
    counter_add(&session->world->counters->parses, 1);
    struct request *request = session_expect(session, REQUEST_PARSE, statement);
    if (request != NULL)
        bind_name(session, name, request);
}

/* DEALLOCATE [ PREPARE ] name and nothing else, so that no other reading names another; BYTES_NONE else. */
static struct bytes deallocated_name(const struct statement *statement, struct token *name)
{
    struct token_walk walk;
    struct token next;
    token_walk_begin(&walk, bytes_of(statement->text, statement->text_size), statement->reading);
    if (!token_walk_next(&walk, name) || !token_is_word(name, "deallocate") || !token_walk_next(&walk, name))
        return BYTES_NONE;
    bool has_next = token_walk_next(&walk, &next);
    if (token_is_word(name, "prepare") && has_next && next.kind != TOKEN_SEMICOLON) {
        *name = next;
        has_next = token_walk_next(&walk, &next);
    }
    while (has_next && next.kind == TOKEN_SEMICOLON)
        has_next = token_walk_next(&walk, &next);
    bool is_name = (name->kind == TOKEN_WORD || name->kind == TOKEN_QUOTED_NAME) && !name->is_unicode;
    return is_name && !has_next ? bytes_of(name->word, name->word_size) : BYTES_NONE;
}

void unlearn_name(struct session *session, const struct statement *statement)
{
    struct session_world *world = session->world;
    struct token token;
    if (statement == NULL || statement->is_cut)
        return;
    names_forget_called(&session->names->statements, &world->hash_key, deallocated_name(statement, &token),
                        world->statements);
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
    } else if (request->is_untracked) {
        names_settle_untracked(names);
    }
    if (request->is_change)
        changes_settle(session, request, is_done);
    statement_release(pool, request->statement);
}

void head_settle(struct session *session, bool is_done)
{
    struct request request = flight_take(&session->flight);
    if (is_done && request.kind != REQUEST_SYNC && !request.has_failed)
        session->doubtful_syncs = 0; /* what came before has been answered */
    request_settle(session, &request, is_done);
}

void requests_abandon_all(struct session *session)
{
    while (session->flight.count > 0)
        head_settle(session, false);
}
