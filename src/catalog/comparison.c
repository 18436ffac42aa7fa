/* SPDX-License-Identifier: PostgreSQL */
#include "catalog/expression.h"
#include "catalog/type_name.h"

/* Unquoted names are in lower case in what the server writes; words in upper case are keywords, such as
 * CURRENT_USER, but for the VALUE of a domain. */
static bool column_name_read(struct expression_reader *reader, char *column)
{
    const struct token *token = &reader->token;
    if (!reader->has_token)
        return false;
    struct bytes written = token_walk_bytes(&reader->walk, token);
    struct bytes name = bytes_of(token->word, token->word_size);
    bool is_value = bytes_equal_text(written, "VALUE");
    bool is_word = expression_is(reader, TOKEN_WORD) && (is_value || bytes_equal(written, name));
    bool is_quoted = expression_is(reader, TOKEN_QUOTED_NAME) && !token->is_unicode;
    if (!(is_word || is_quoted) || token->is_word_cut)
        return false;
    (void)bytes_copy_text(is_value ? written : name, column, DEFINITION_COLUMN_SIZE);
    expression_next(reader);
    return true;
}

/* `column`, `(column)::text` and the like. Other casts may change the value that is compared. */
static bool column_read(struct expression_reader *reader, char *column)
{
    size_t open = 0;
    while (expression_take(reader, TOKEN_OPEN))
        open++;
    if (!column_name_read(reader, column))
        return false;
    for (;;) {
        struct type_name type;
        if (open > 0 && expression_take(reader, TOKEN_CLOSE))
            open--;
        else if (!expression_take_operator(reader, "::"))
            return open == 0;
        else if (!type_name_read(reader, &type) || !type_name_is_text(&type) || type.is_array)
            return false;
    }
}

static bool null_test_read(struct expression_reader *reader, struct condition *out)
{
    out->kind = expression_take_word(reader, "not") ? CONDITION_NOT_NULL : CONDITION_NULL;
    return expression_take_word(reader, "null");
}

static bool equality_read(struct expression_reader *reader)
{
    if (!expression_take_word(reader, "any"))
        return constant_read(reader);
    return expression_take(reader, TOKEN_OPEN) && constant_array_read(reader) &&
           expression_take(reader, TOKEN_CLOSE);
}

static bool in_read(struct expression_reader *reader)
{
    if (!expression_take(reader, TOKEN_OPEN))
        return false;
    do {
        if (!constant_read(reader))
            return false;
    } while (expression_take(reader, TOKEN_COMMA));
    return expression_take(reader, TOKEN_CLOSE);
}

bool comparison_read(struct expression_reader *reader, struct condition *out)
{
    bool is_read = false;
    *out = (struct condition){ .kind = CONDITION_LIST, .is_whole = true, .start = reader->values->size };
    if (!column_read(reader, out->column))
        return false;
    if (expression_take_word(reader, "is"))
        is_read = null_test_read(reader, out);
    else if (expression_take_word(reader, "in"))
        is_read = in_read(reader);
    else if (expression_take_operator(reader, "="))
        is_read = equality_read(reader);
    out->end = reader->values->size;
    return is_read;
}
