/* SPDX-License-Identifier: PostgreSQL */
/* Whether a transaction is still the one in which a window let changes pass. */
#include "session/state.h"
#include "sql/token_walk.h"

/* With a backslash in it, several statements may be others than they seem. */
static bool is_surely_read(const struct statement *statement)
{
    struct bytes text = bytes_of(statement->text, statement->text_size);
    bool is_plain = !statement->reading.has_unsafe_encoding && bytes_find(text, '\\') == text.size;
    return !statement->is_cut && (is_plain || statement->verdict.statement_count <= 1);
}

/* Whether one of its statements begins with a word by which a transaction may end, or runs what was prepared,
 * which may be such a one, unless that is all that it does and nothing `comes_behind`. */
static bool may_end(const struct statement *statement, bool comes_behind)
{
    struct token_walk walk;
    struct token token;
    bool is_first = true;
    if (statement == NULL || !is_surely_read(statement))
        return true;
    if (statement->verdict.executes.count > 0 && (comes_behind || statement->verdict.statement_count > 1))
        return true;
    token_walk_begin(&walk, bytes_of(statement->text, statement->text_size), statement->reading);
    while (token_walk_next_word(&walk, &token)) {
        if (is_first && token_ends_transaction(&token, false))
            return true;
        is_first = token.kind == TOKEN_SEMICOLON;
    }
    return false;
}

static bool runs_text(const struct request *request)
{
    return request->kind == REQUEST_QUERY || request->kind == REQUEST_EXECUTE;
}

const struct guard_passage *passage_of(const struct session *session, const struct statement *statement)
{
    const struct guard_passage *passage = changes_passage(session);
    if (passage == NULL || !session->world->policy->lets_transactions_finish || may_end(statement, false))
        return NULL;
    for (uint32_t index = 0; index < session->flight.count; index++) {
        const struct request *request = flight_at(&session->flight, index);
        if (runs_text(request) && may_end(request->statement, true))
            return NULL;
    }
    return passage;
}
