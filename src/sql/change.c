/* SPDX-License-Identifier: PostgreSQL */
#include "sql/change.h"

enum { DEPTH_MOST = 63 }; /* deeper than can be told apart each word that tells a change is taken for one */

static bool is_word(const struct token *token, const char *word)
{
    return token->kind == TOKEN_WORD && token->word[0] == word[0] && strcmp(token->word, word) == 0;
}

/* The word that tells a change: INSERT and MERGE are told by their INTO. */
static bool is_change(const struct token *token)
{
    return is_word(token, "update") || is_word(token, "delete");
}

static bool needs_into(const struct token *token)
{
    return is_word(token, "insert") || is_word(token, "merge");
}

static bool is_query(const struct token *token)
{
    return token->kind == TOKEN_OPEN || is_word(token, "select") || is_word(token, "values") ||
           is_word(token, "table");
}

static void begin_list(struct change *change, uint32_t depth)
{
    change->state = CHANGE_LIST;
    change->level = depth;
    change->lists |= UINT64_C(1) << depth;
}

static void end_list(struct change *change)
{
    change->lists &= ~(UINT64_C(1) << change->level);
    change->state = CHANGE_DONE;
}

void change_begin(struct change *change, enum change_state state)
{
    *change = (struct change){ .state = state, .is_copy = state == CHANGE_COPY };
    if (state == CHANGE_LIST)
        begin_list(change, 0);
}

static bool is_in_list(const struct change *change)
{
    return change->state >= CHANGE_LIST && change->state <= CHANGE_USING;
}

static void take_begin(struct change *change, const struct token *token, uint32_t depth)
{
    if (token->kind == TOKEN_OPEN)
        return;
    change->is_write |= is_change(token);
    change->state = needs_into(token) ? CHANGE_INTO : CHANGE_DONE;
    if (is_word(token, "with"))
        begin_list(change, depth);
}

/* What is not known here may be a clause of a newer server's: the query is still awaited. */
static void take_behind(struct change *change, const struct token *token)
{
    change->is_cycle = is_word(token, "cycle");
    change->is_write |= is_change(token);
    if (token->kind == TOKEN_COMMA)
        change->state = CHANGE_LIST;
    else if (is_word(token, "search"))
        change->state = CHANGE_SEARCH;
    else if (change->is_cycle)
        change->state = CHANGE_COLUMN;
    else if (is_query(token) || is_change(token) || needs_into(token))
        end_list(change);
    if (needs_into(token))
        change->state = CHANGE_INTO;
}

/* A token of the list itself, outside of the parentheses in it. */
static void take_list(struct change *change, const struct token *token)
{
    switch (change->state) {
    case CHANGE_LIST:
        change->state = is_word(token, "as") ? CHANGE_AS : CHANGE_LIST;
        break;
    case CHANGE_AS:
        change->state = token->kind == TOKEN_OPEN ? CHANGE_BEGIN : CHANGE_AS;
        break;
    case CHANGE_BEHIND:
        take_behind(change, token);
        break;
    case CHANGE_SEARCH:
        change->state = is_word(token, "by") ? CHANGE_COLUMN : CHANGE_SEARCH;
        break;
    case CHANGE_COLUMN:
        change->state = CHANGE_COLUMN_NEXT;
        break;
    case CHANGE_COLUMN_NEXT:
        change->state = token->kind == TOKEN_COMMA ? CHANGE_COLUMN : CHANGE_SET;
        break;
    case CHANGE_SET:
        change->state = change->is_cycle ? CHANGE_CYCLE : CHANGE_BEHIND;
        break;
    case CHANGE_CYCLE:
        if (!change->was_dot && is_word(token, "using"))
            change->state = CHANGE_USING;
        break;
    default:
        change->state = CHANGE_BEHIND;
        break;
    }
}

/* A parenthesis closes: around the list that is being read, or around what one entry of a list holds. */
static void take_close(struct change *change, uint32_t depth)
{
    if (is_in_list(change) && change->level != depth)
        return;
    if (is_in_list(change))
        end_list(change);
    bool is_entry = depth > 0 && (change->lists >> (depth - 1) & 1) != 0;
    if (!is_entry)
        return;
    change->level = depth - 1;
    change->state = CHANGE_BEHIND;
}

static void take_file(struct change *change, const struct token *token)
{
    change->is_outside |= !is_word(token, "stdin") && !is_word(token, "stdout");
    change->state = CHANGE_DONE;
}

/* COPY's own words, outside of all parentheses. */
static void take_copy(struct change *change, const struct token *token)
{
    bool is_first = change->state == CHANGE_COPY;
    bool is_from = is_word(token, "from");
    if (!is_first && !change->was_dot && (is_from || is_word(token, "to"))) {
        change->is_copy = false;
        change->is_write |= is_from;
        change->state = CHANGE_COPY_FILE;
    } else if (is_first) {
        change->state = token->kind == TOKEN_OPEN ? CHANGE_BEGIN : CHANGE_DONE;
    }
}

static void take_query(struct change *change, const struct token *token, uint32_t depth)
{
    if (change->state == CHANGE_INTO) {
        change->is_write |= is_word(token, "into");
        change->state = CHANGE_DONE;
    }
    if (token->kind == TOKEN_CLOSE && depth <= DEPTH_MOST)
        take_close(change, depth);
    else if (depth >= DEPTH_MOST)
        change->is_write |= is_change(token) || is_word(token, "into");
    else if (change->state == CHANGE_BEGIN)
        take_begin(change, token, depth);
    else if (is_in_list(change) && depth == change->level)
        take_list(change, token);
}

void change_take(struct change *change, const struct token *token, uint32_t depth)
{
    if (change->is_copy && depth == 0) {
        take_copy(change, token);
    } else if (change->state == CHANGE_COPY_FILE) {
        take_file(change, token);
    } else if (change->state == CHANGE_TABLE) {
        if (depth == 0 && !change->was_dot && is_word(token, "as"))
            change->state = CHANGE_BEGIN;
    } else if (change->state != CHANGE_DONE || change->lists != 0) {
        take_query(change, token, depth);
    }
    change->was_dot = token->kind == TOKEN_DOT;
}
