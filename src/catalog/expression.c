/* SPDX-License-Identifier: PostgreSQL */
#include "catalog/expression.h"

enum { DEPTH_MOST = 32 };

void expression_next(struct expression_reader *reader)
{
    reader->has_token = token_walk_next_word(&reader->walk, &reader->token);
}

void expression_begin(struct expression_reader *reader, struct bytes text, struct buffer *values)
{
    const struct lexer_reading reading = { .has_standard_strings = true };
    *reader = (struct expression_reader){ .values = values };
    token_walk_begin(&reader->walk, text, reading);
    expression_next(reader);
}

bool expression_is(const struct expression_reader *reader, enum token_kind kind)
{
    return reader->has_token && reader->token.kind == kind;
}

bool expression_is_word(const struct expression_reader *reader, const char *word)
{
    return reader->has_token && token_is_word(&reader->token, word);
}

bool expression_is_operator(const struct expression_reader *reader, const char *sign)
{
    return expression_is(reader, TOKEN_OPERATOR) && strcmp(reader->token.word, sign) == 0;
}

static bool take_if(struct expression_reader *reader, bool is_there)
{
    if (is_there)
        expression_next(reader);
    return is_there;
}

bool expression_take(struct expression_reader *reader, enum token_kind kind)
{
    return take_if(reader, expression_is(reader, kind));
}

bool expression_take_word(struct expression_reader *reader, const char *word)
{
    return take_if(reader, expression_is_word(reader, word));
}

bool expression_take_operator(struct expression_reader *reader, const char *sign)
{
    return take_if(reader, expression_is_operator(reader, sign));
}

/* ── What cannot be understood is skipped as a whole ───────────────────────────────────────────────────────
 */

static bool opens(const struct expression_reader *reader)
{
    return expression_is(reader, TOKEN_OPEN) || expression_is_operator(reader, "[") ||
           expression_is_word(reader, "case");
}

static bool closes(const struct expression_reader *reader)
{
    return expression_is(reader, TOKEN_CLOSE) || expression_is_operator(reader, "]") ||
           expression_is_word(reader, "end");
}

static bool is_term_end(const struct expression_reader *reader)
{
    return !reader->has_token || expression_is(reader, TOKEN_CLOSE) || expression_is_word(reader, "and") ||
           expression_is_word(reader, "or");
}

static void term_skip(struct expression_reader *reader)
{
    size_t depth = 0;
    while (reader->has_token && (depth > 0 || !(is_term_end(reader) || closes(reader)))) {
        depth += opens(reader);
        depth -= closes(reader);
        expression_next(reader);
    }
}

/* ── Joining ───────────────────────────────────────────────────────────────────────────────────────────────
 */

static void values_drop(struct expression_reader *reader, size_t start)
{
    if (!reader->values->has_failed)
        reader->values->size = start;
}

static struct condition condition_other(struct expression_reader *reader, size_t start)
{
    values_drop(reader, start);
    return (struct condition){ .kind = CONDITION_OTHER, .start = start, .end = start };
}

static bool has_same_column(const struct condition *a, const struct condition *b)
{
    return strcmp(a->column, b->column) == 0;
}

/* Whatever else is asked, what is not in the list is refused. */
static struct condition list_narrowed(struct condition list, const struct condition *by)
{
    bool is_null_test = by->kind == CONDITION_NOT_NULL && has_same_column(&list, by);
    list.refuses_null |= is_null_test;
    list.is_whole &= is_null_test;
    return list;
}

static struct condition condition_and(struct expression_reader *reader, const struct condition *a,
                                      const struct condition *b)
{
    if (a->kind == CONDITION_LIST && b->kind != CONDITION_LIST)
        return list_narrowed(*a, b);
    if (b->kind == CONDITION_LIST && a->kind != CONDITION_LIST)
        return list_narrowed(*b, a);
    if (a->kind == CONDITION_NOT_NULL && b->kind == CONDITION_NOT_NULL && has_same_column(a, b))
        return *a;
    return condition_other(reader, a->start);
}

static struct condition condition_or(struct expression_reader *reader, const struct condition *a,
                                     const struct condition *b)
{
    bool is_either_null = a->kind == CONDITION_NULL || b->kind == CONDITION_NULL;
    bool is_either_list = a->kind == CONDITION_LIST || b->kind == CONDITION_LIST;
    bool are_both_known = (a->kind == CONDITION_LIST || a->kind == CONDITION_NULL) &&
                          (b->kind == CONDITION_LIST || b->kind == CONDITION_NULL);
    if (!is_either_list || !are_both_known || !has_same_column(a, b))
        return condition_other(reader, a->start);
    struct condition joined = *a;
    joined.kind = CONDITION_LIST;
    joined.end = b->end; /* their values are neighbours */
    joined.is_whole =
        (a->kind == CONDITION_NULL || a->is_whole) && (b->kind == CONDITION_NULL || b->is_whole);
    joined.refuses_null = !is_either_null && a->refuses_null && b->refuses_null;
    return joined;
}

/* ── Terms ─────────────────────────────────────────────────────────────────────────────────────────────────
 */

static bool group_read(struct expression_reader *reader, struct condition *out)
{
    if (reader->depth >= DEPTH_MOST || !expression_take(reader, TOKEN_OPEN))
        return false;
    reader->depth++;
    expression_condition(reader, out);
    reader->depth--;
    return expression_take(reader, TOKEN_CLOSE);
}

/* A parenthesis begins a column with a cast or a whole condition. */
static void term_read(struct expression_reader *reader, struct condition *out)
{
    const struct expression_reader before = *reader;
    size_t start = reader->values->size;
    if (comparison_read(reader, out) && is_term_end(reader))
        return;
    values_drop(reader, start);
    *reader = before;
    if (group_read(reader, out) && is_term_end(reader))
        return;
    *out = condition_other(reader, start);
    *reader = before;
    term_skip(reader);
}

static void conjunction_read(struct expression_reader *reader, struct condition *out)
{
    term_read(reader, out);
    while (expression_take_word(reader, "and")) {
        struct condition next;
        term_read(reader, &next);
        *out = condition_and(reader, out, &next);
    }
}

void expression_condition(struct expression_reader *reader, struct condition *out)
{
    conjunction_read(reader, out);
    while (expression_take_word(reader, "or")) {
        struct condition next;
        conjunction_read(reader, &next);
        *out = condition_or(reader, out, &next);
    }
}
