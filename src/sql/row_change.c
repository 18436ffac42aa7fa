/* SPDX-License-Identifier: PostgreSQL */
#include "sql/row_change.h"

enum { DEPTH_MOST = 63 }; /* deeper than can be told apart each word that tells a change is taken for one */

/* The word that tells a change: INSERT and MERGE are told by their INTO. */
static bool is_change(const struct token *token)
{
    return token_is_word(token, "update") || token_is_word(token, "delete");
}

static bool needs_into(const struct token *token)
{
    return token_is_word(token, "insert") || token_is_word(token, "merge");
}

static bool is_query(const struct token *token)
{
    return token->kind == TOKEN_OPEN || token_is_word(token, "select") || token_is_word(token, "values") ||
           token_is_word(token, "table");
}

static void begin_list(struct row_change *change, uint32_t depth)
{
    change->state = ROW_CHANGE_LIST;
    change->level = depth;
    change->lists |= UINT64_C(1) << depth;
}

static void end_list(struct row_change *change)
{
    change->lists &= ~(UINT64_C(1) << change->level);
    change->state = ROW_CHANGE_DONE;
}

void row_change_begin(struct row_change *change, enum row_change_state state)
{
    *change = (struct row_change){ .state = state, .is_copy = state == ROW_CHANGE_COPY };
    if (state == ROW_CHANGE_LIST)
        begin_list(change, 0);
}

static bool is_in_list(const struct row_change *change)
{
    return change->state >= ROW_CHANGE_LIST && change->state <= ROW_CHANGE_USING;
}

static void take_begin(struct row_change *change, const struct token *token, uint32_t depth)
{
    if (token->kind == TOKEN_OPEN)
        return;
    change->is_write |= is_change(token);
    change->state = needs_into(token) ? CHANGE_INTO : ROW_CHANGE_DONE;
    if (token_is_word(token, "with"))
        begin_list(change, depth);
}

/* What is not known here may be a clause of a newer server's: the query is still awaited. */
static void take_behind(struct row_change *change, const struct token *token)
{
    change->is_cycle = token_is_word(token, "cycle");
    change->is_write |= is_change(token);
    if (token->kind == TOKEN_COMMA)
        change->state = ROW_CHANGE_LIST;
    else if (token_is_word(token, "search"))
        change->state = ROW_CHANGE_SEARCH;
    else if (change->is_cycle)
        change->state = ROW_CHANGE_COLUMN;
    else if (is_query(token) || is_change(token) || needs_into(token))
        end_list(change);
    if (needs_into(token))
        change->state = CHANGE_INTO;
}

/* A token of the list itself, outside of the parentheses in it. */
static void take_list(struct row_change *change, const struct token *token)
{
    switch (change->state) {
    case ROW_CHANGE_LIST:
        change->state = token_is_word(token, "as") ? ROW_CHANGE_AS : ROW_CHANGE_LIST;
        break;
    case ROW_CHANGE_AS:
        change->state = token->kind == TOKEN_OPEN ? ROW_CHANGE_BEGIN : ROW_CHANGE_AS;
        break;
    case ROW_CHANGE_BEHIND:
        take_behind(change, token);
        break;
    case ROW_CHANGE_SEARCH:
        change->state = token_is_word(token, "by") ? ROW_CHANGE_COLUMN : ROW_CHANGE_SEARCH;
        break;
    case ROW_CHANGE_COLUMN:
        change->state = ROW_CHANGE_COLUMN_NEXT;
        break;
    case ROW_CHANGE_COLUMN_NEXT:
        change->state = token->kind == TOKEN_COMMA ? ROW_CHANGE_COLUMN : ROW_CHANGE_SET;
        break;
    case ROW_CHANGE_SET:
        change->state = change->is_cycle ? ROW_CHANGE_CYCLE : ROW_CHANGE_BEHIND;
        break;
    case ROW_CHANGE_CYCLE:
        if (!change->was_dot && token_is_word(token, "using"))
            change->state = ROW_CHANGE_USING;
        break;
    default:
        change->state = ROW_CHANGE_BEHIND;
        break;
    }
}

/* A parenthesis closes: around the list that is being read, or around what one entry of a list holds. */
static void take_close(struct row_change *change, uint32_t depth)
{
    if (is_in_list(change) && change->level != depth)
        return;
    if (is_in_list(change))
        end_list(change);
    bool is_entry = depth > 0 && (change->lists >> (depth - 1) & 1) != 0;
    if (!is_entry)
        return;
    change->level = depth - 1;
    change->state = ROW_CHANGE_BEHIND;
}

static void take_file(struct row_change *change, const struct token *token)
{
    change->is_outside |= !token_is_word(token, "stdin") && !token_is_word(token, "stdout");
    change->state = ROW_CHANGE_DONE;
}

/* COPY's own words, outside of all parentheses. */
static void take_copy(struct row_change *change, const struct token *token)
{
    bool is_first = change->state == ROW_CHANGE_COPY;
    bool is_from = token_is_word(token, "from");
    if (!is_first && !change->was_dot && (is_from || token_is_word(token, "to"))) {
        change->is_copy = false;
        change->is_write |= is_from;
        change->state = ROW_CHANGE_COPY_FILE;
    } else if (is_first) {
        change->state = token->kind == TOKEN_OPEN ? ROW_CHANGE_BEGIN : ROW_CHANGE_DONE;
    }
}

static void take_query(struct row_change *change, const struct token *token, uint32_t depth)
{
    if (change->state == CHANGE_INTO) {
        change->is_write |= token_is_word(token, "into");
        change->state = ROW_CHANGE_DONE;
    }
    if (token->kind == TOKEN_CLOSE && depth <= DEPTH_MOST)
        take_close(change, depth);
    else if (depth >= DEPTH_MOST)
        change->is_write |= is_change(token) || token_is_word(token, "into");
    else if (change->state == ROW_CHANGE_BEGIN)
        take_begin(change, token, depth);
    else if (is_in_list(change) && depth == change->level)
        take_list(change, token);
}

void row_change_take(struct row_change *change, const struct token *token, uint32_t depth)
{
    if (change->is_copy && depth == 0) {
        take_copy(change, token);
    } else if (change->state == ROW_CHANGE_COPY_FILE) {
        take_file(change, token);
    } else if (change->state == ROW_CHANGE_TABLE) {
        if (depth == 0 && !change->was_dot && token_is_word(token, "as"))
            change->state = ROW_CHANGE_BEGIN;
    } else if (change->state != ROW_CHANGE_DONE || change->lists != 0) {
        take_query(change, token, depth);
    }
    change->was_dot = token->kind == TOKEN_DOT;
}
