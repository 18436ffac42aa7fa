/* SPDX-License-Identifier: PostgreSQL */
/* What the texts of requests say about schema changes and the ends of transactions. */
#include "session/state.h"
#include "sql/classifier.h"
#include "sql/token_walk.h"

bool token_ends_transaction(const struct token *token, bool by_commit)
{
    static const struct {
        const char *word;
        bool may_commit;
    } ends[] = {
#define TRANSACTION_END(word, may_commit) { word, may_commit },
#include "session/transaction_ends.def"
#undef TRANSACTION_END
    };
    for (size_t index = 0; index < COUNT_OF(ends); index++) {
        if ((ends[index].may_commit || !by_commit) && token_is_word(token, ends[index].word))
            return true;
    }
    return false;
}

bool request_commits_at_once(const struct request *head, struct bytes tag)
{
    static const char *const tags[] = { "CREATE DATABASE", "DROP DATABASE", "CREATE TABLESPACE",
                                        "DROP TABLESPACE", "ALTER SYSTEM" };
    struct token_walk walk;
    struct token token;
    for (size_t index = 0; index < COUNT_OF(tags); index++) {
        if (bytes_equal_text(tag, tags[index]))
            return true;
    }
    if (head->statement == NULL)
        return false;
    token_walk_begin(&walk, statement_piece(head->statement, 0), head->statement->reading);
    while (token_walk_next_word(&walk, &token)) {
        if (token_is_word(&token, "concurrently"))
            return true;
    }
    return false;
}

bool request_was_change(const struct request *head)
{
    const struct statement *statement = head->statement;
    struct verdict verdict;
    if (statement == NULL || statement->verdict.statement_count < 2)
        return true;
    struct bytes piece = statement_piece(statement, head->answered);
    classify(piece, statement->reading, &verdict);
    return verdict.is_guarded || verdict.executes.count > 0 || piece.size == 0;
}

bool request_may_end(const struct request *request, bool by_commit)
{
    const struct statement *statement = request->statement;
    struct token_walk walk;
    struct token first;
    if (request->is_poison || (request->kind != REQUEST_QUERY && request->kind != REQUEST_EXECUTE))
        return false;
    if (statement == NULL || statement->is_cut || statement->verdict.statement_count > 1)
        return true;
    if (statement->verdict.executes.count > 0)
        return true; /* what was prepared may be a COMMIT */
    token_walk_begin(&walk, statement_piece(statement, 0), statement->reading);
    return token_walk_next_word(&walk, &first) && token_ends_transaction(&first, by_commit);
}

bool request_may_commit_alone(const struct request *request)
{
    return request->kind == REQUEST_SYNC || request->kind == REQUEST_QUERY ||
           request->kind == REQUEST_EXECUTE;
}
