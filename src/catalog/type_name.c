/* SPDX-License-Identifier: PostgreSQL */
#include "catalog/type_name.h"

#include "base/text.h"

/* The words that follow another one in the names of types. */
static bool is_further_word(const struct expression_reader *reader)
{
    static const char *const words[] = { "varying", "precision", "with", "without", "time", "zone" };
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (expression_is_word(reader, words[i]))
            return true;
    }
    return false;
}

static bool is_name(const struct expression_reader *reader)
{
    return (expression_is(reader, TOKEN_WORD) || expression_is(reader, TOKEN_QUOTED_NAME)) &&
           !reader->token.is_word_cut;
}

/* Of a name with a schema, or in quotes, nothing is known: only "char" is the server's. */
static bool own_words_read(struct expression_reader *reader, struct text *words)
{
    bool is_own = expression_is(reader, TOKEN_WORD);
    text_append_string(words, reader->token.word);
    expression_next(reader);
    while (is_own && is_further_word(reader)) {
        text_append_byte(words, ' ');
        text_append_string(words, reader->token.word);
        expression_next(reader);
    }
    return is_own;
}

bool type_name_read(struct expression_reader *reader, struct type_name *out)
{
    struct text words;
    *out = (struct type_name){ .is_array = false };
    text_init(&words, out->words, sizeof out->words);
    if (!is_name(reader))
        return false;
    bool is_own = own_words_read(reader, &words);
    while (expression_take(reader, TOKEN_DOT)) {
        is_own = false;
        if (!is_name(reader))
            return false;
        expression_next(reader);
    }
    if (!is_own || words.is_truncated)
        out->words[0] = '\0';
    if (expression_take_operator(reader, "[")) {
        out->is_array = true;
        if (!expression_take_operator(reader, "]"))
            return false;
    }
    return !expression_is(reader, TOKEN_OPEN) && !expression_is_operator(reader, "[");
}

bool type_name_is(const struct type_name *type, const char *words)
{
    return strcmp(type->words, words) == 0;
}

bool type_name_is_text(const struct type_name *type)
{
    return type_name_is(type, "text") || type_name_is(type, "character varying") ||
           type_name_is(type, "bpchar");
}
