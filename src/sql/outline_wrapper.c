/* SPDX-License-Identifier: PostgreSQL */
/* What stands before the statement that EXPLAIN and PREPARE hold, and the name of a prepared one. */
#include "sql/outline_phase.h"

static bool is_analyze(const struct token *token)
{
    return token_is_word(token, "analyze") || token_is_word(token, "analyse");
}

bool outline_phase_explain(struct outline *outline, const struct token *token)
{
    if (is_analyze(token))
        outline->is_dry = false;
    if (is_analyze(token) || token_is_word(token, "verbose"))
        return true;
    if (token->kind == TOKEN_OPEN) {
        outline->phase = OUTLINE_EXPLAIN_OPEN;
        return true;
    }
    outline_begin_part(outline);
    return false;
}

/* EXPLAIN ( is followed by options or by a query in parentheses. */
bool outline_phase_explain_open(struct outline *outline, const struct token *token)
{
    static const char *const queries[] = { "select", "with", "values", "table" };
    bool is_query = token->kind == TOKEN_OPEN;
    for (size_t i = 0; i < COUNT_OF(queries); i++)
        is_query |= token_is_word(token, queries[i]);
    if (is_query)
        outline_begin_part(outline);
    else
        outline->phase = OUTLINE_EXPLAIN_OPTION;
    return false;
}

bool outline_phase_explain_option(struct outline *outline, const struct token *token)
{
    /* An option's name may be quoted. */
    if (is_analyze(token) || token->kind == TOKEN_QUOTED_NAME)
        outline->is_dry = false;
    if (token->kind == TOKEN_CLOSE && outline->depth == 1)
        outline_begin_part(outline);
    return true;
}

bool outline_phase_name(struct outline *outline, const struct token *token)
{
    outline->phase = outline->has_prepare ? OUTLINE_PREPARE : OUTLINE_BODY;
    outline->is_name_unreadable = token->is_unicode || !token_is_name(token);
    bytes_copy_text(token_word(token), outline->name, sizeof(outline->name));
    return true;
}

bool outline_phase_prepare(struct outline *outline, const struct token *token)
{
    if (token->kind == TOKEN_STRING && outline_was_word(outline, "transaction")) {
        outline->has_prepare = false;
        outline->phase = OUTLINE_BODY;
    } else if (outline->depth == 0 && token_is_word(token, "as")) {
        outline_begin_part(outline);
    }
    return true;
}
